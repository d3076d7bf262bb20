/* A record is packed as a file would have it, and printed by its form; and the other way. So there
 * is one layout of records, that of the file, and its names are here. */
#include "traces/ndjson.h"

#include <jansson.h>

#include "base/check.h"
#include "base/memory.h"
#include "traces/forms.h"
#include "traces/payload.h"

enum { NDJSON_BLOCK = 16384 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TUPLE(list)                                                                                \
    {                                                                                              \
        .kind = FORM_TUPLE, .members = (list), .member_count = COUNT(list)                         \
    }

/* ---- the names of a record's places ---- */

static const char *const kind_words[] = {
    [TRACE_START] = "start",   [TRACE_ZONE] = "zone",     [TRACE_MESSAGE] = "message",
    [TRACE_COMMIT] = "commit", [TRACE_RELOAD] = "reload", [TRACE_END] = "end",
    [TRACE_LOST] = "lost"};
static const struct form kind_form = {
    .kind = FORM_WORD, .words = kind_words, .word_count = COUNT(kind_words)};

static const char *const actor_words[] = {[ACTOR_PLATFORM] = "platform",
                                          [ACTOR_DIRECTORY] = "directory",
                                          [ACTOR_EXECUTION] = "execution",
                                          [ACTOR_DISPATCHER] = "dispatcher",
                                          [ACTOR_EVERY_EXECUTION] = "every_execution",
                                          [ACTOR_RETENTION] = "retention"};
static const struct form actor_form = {
    .kind = FORM_WORD, .words = actor_words, .word_count = COUNT(actor_words)};

static const char *const origin_words[] = {"outside", "derived", NULL, "later"};
static const struct form origin_form = {
    .kind = FORM_WORD, .words = origin_words, .word_count = COUNT(origin_words)};

static const struct form digest_form = {.kind = FORM_HEX};

static const struct form_member change_members[] = {{.name = "at"}, {.name = "offset_seconds"}};
static const struct form changes_form = {
    .kind = FORM_RUN, .members = change_members, .member_count = COUNT(change_members)};

static const struct form_member times_members[] = {
    {.name = "record", .form = &kind_form}, {.name = "at"}, {.name = "mono"}};
static const struct form_member zone_members[] = {{.name = "record", .form = &kind_form},
                                                  {.name = "number"},
                                                  {.name = "name"},
                                                  {.name = "is_current"},
                                                  {.name = "valid_until"},
                                                  {.name = "changes", .form = &changes_form}};
static const struct form_member commit_members[] = {{.name = "record", .form = &kind_form},
                                                    {.name = "at"},
                                                    {.name = "mono"},
                                                    {.name = "digest", .form = &digest_form}};
static const struct form_member end_members[] = {{.name = "record", .form = &kind_form},
                                                 {.name = "at"},
                                                 {.name = "mono"},
                                                 {.name = "digest", .form = &digest_form},
                                                 {.name = "state", .form = &digest_form}};
static const struct form_member lost_members[] = {{.name = "record", .form = &kind_form},
                                                  {.name = "reason"}};

static const struct form record_forms[] = {
    [TRACE_START] = TUPLE(times_members),   [TRACE_ZONE] = TUPLE(zone_members),
    [TRACE_COMMIT] = TUPLE(commit_members), [TRACE_RELOAD] = TUPLE(times_members),
    [TRACE_END] = TUPLE(end_members),       [TRACE_LOST] = TUPLE(lost_members),
};

/* ---- life ---- */

struct ndjson {
    struct arena arena; /* the forms, and a header that was read */
    const struct form *header;
    struct form messages[MESSAGE_TYPE_COUNT];
    const char *type_words[MESSAGE_TYPE_COUNT];
    struct form type_form, kept_form;
    struct trace_buffer buffer;
};

static void make_message_forms(struct ndjson *ndjson)
{
    struct forms forms;

    forms_init(&forms, &ndjson->arena);
    for (unsigned type = 0; type < MESSAGE_TYPE_COUNT; type++) {
        const struct form_member members[] = {
            {.name = "record", .form = &kind_form},
            {.name = "at"},
            {.name = "mono"},
            {.name = "actor", .form = &actor_form},
            {.name = "number"},
            {.name = "type", .form = &ndjson->type_form},
            {.name = "origin", .form = &origin_form},
            {.name = "exchange"},
            {.name = "digest", .form = &digest_form},
            {.name = "payload", .form = forms.payloads[type]},
            {.name = "kept", .form = &ndjson->kept_form},
        };
        struct form_member *kept = arena_alloc(&ndjson->arena, sizeof(members));

        memcpy(kept, members, sizeof(members));
        ndjson->messages[type] =
            (struct form){.kind = FORM_TUPLE, .members = kept, .member_count = COUNT(members)};
    }
}

struct ndjson *ndjson_new(void)
{
    struct ndjson *ndjson = memory_zero(1, sizeof(*ndjson));
    struct form_member *kept;

    arena_init(&ndjson->arena, NDJSON_BLOCK);
    trace_buffer_init(&ndjson->buffer);
    ndjson->header = form_of_shape(&trace_header_shape, &ndjson->arena);
    for (unsigned type = 0; type < MESSAGE_TYPE_COUNT; type++) {
        ndjson->type_words[type] = message_type_name((enum message_type)type);
    }
    ndjson->type_form = (struct form){
        .kind = FORM_WORD, .words = ndjson->type_words, .word_count = MESSAGE_TYPE_COUNT};
    kept = arena_zalloc(&ndjson->arena, 2 * sizeof(*kept));
    kept[0] = (struct form_member){.name = "reply"};
    kept[1] = (struct form_member){.name = "response",
                                   .form = form_of_shape(&trace_kept_shape, &ndjson->arena)};
    ndjson->kept_form = (struct form){.kind = FORM_RUN, .members = kept, .member_count = 2};
    make_message_forms(ndjson);
    return ndjson;
}

void ndjson_free(struct ndjson *ndjson)
{
    if (ndjson == NULL) {
        return;
    }
    trace_buffer_deinit(&ndjson->buffer);
    arena_deinit(&ndjson->arena);
    memory_free(ndjson);
}

/* ---- printing ---- */

static void print_line(const struct form *form, struct slice packed, struct buf *out)
{
    struct unpacker in = unpack_from(packed);
    bool is_whole = form_print(form, &in, out) && in.at == in.end;

    /* It has just been packed: a record without a form is a defect. */
    OD_CHECK(is_whole);
    OD_CHECK(buf_append_byte(out, '\n') == 0);
}

void ndjson_print_header(struct ndjson *ndjson, const struct trace_header *header, struct buf *out)
{
    struct trace_header named = *header;
    struct buf packed;
    size_t brace;

    named.type_count = 0;
    buf_init(&packed);
    shape_write(&trace_header_shape, &named, NULL, &packed);
    OD_CHECK(buf_append_text(out, "{\"record\":\"header\"") == 0);
    brace = out->size;
    print_line(ndjson->header, buf_slice(&packed), out);
    OD_CHECK(out->data[brace] == '{');
    out->data[brace] = ',';
    buf_deinit(&packed);
}

void ndjson_print(struct ndjson *ndjson, const struct trace_record *record, struct buf *out)
{
    const struct form *form = record->kind == TRACE_MESSAGE
                                  ? &ndjson->messages[record->message.message.type]
                                  : &record_forms[record->kind];
    struct slice bytes;

    trace_buffer_clear(&ndjson->buffer);
    trace_put(&ndjson->buffer, record, NULL);
    bytes = buf_slice(&ndjson->buffer.bytes);
    print_line(form, slice_make(bytes.data + TRACE_FRAME_HEAD, bytes.size - TRACE_FRAME_HEAD), out);
}

/* ---- reading ---- */

static int read_object(struct slice line, json_t **out, struct od_error *error)
{
    json_error_t fault;

    *out = json_loadb(line.data != NULL ? line.data : "", line.size,
                      JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &fault);
    if (*out == NULL) {
        return od_error_set(error, OD_EINVAL, "no JSON: %s", fault.text);
    }
    if (!json_is_object(*out)) {
        json_decref(*out);
        *out = NULL;
        return od_error_set(error, OD_EINVAL, "must be a JSON object");
    }
    return 0;
}

static bool names(const json_t *object, const char *property, const char *word)
{
    const char *text = json_string_value(json_object_get(object, property));

    return text != NULL && word != NULL && strcmp(text, word) == 0;
}

static const struct form *find_form(const struct ndjson *ndjson, const json_t *object,
                                    struct od_error *error)
{
    if (names(object, "record", "message")) {
        for (unsigned type = 0; type < MESSAGE_TYPE_COUNT; type++) {
            if (names(object, "type", ndjson->type_words[type])) {
                return &ndjson->messages[type];
            }
        }
        (void)od_error_set(error, OD_EINVAL, "type: there is no such message");
        return NULL;
    }
    for (unsigned kind = 0; kind < COUNT(record_forms); kind++) {
        if (record_forms[kind].members != NULL && names(object, "record", kind_words[kind])) {
            return &record_forms[kind];
        }
    }
    (void)od_error_set(error, OD_EINVAL, "record: there is no such record");
    return NULL;
}

int ndjson_pack(struct ndjson *ndjson, struct slice line, struct buf *out, struct od_error *error)
{
    const struct form *form;
    json_t *object;
    int code = read_object(line, &object, error);

    if (code != 0) {
        return code;
    }
    form = find_form(ndjson, object, error);
    code = form != NULL ? form_pack(form, object, out, error) : OD_EINVAL;
    json_decref(object);
    return code;
}

static int unpack_header(struct ndjson *ndjson, const json_t *object, struct trace_header *out,
                         struct od_error *error)
{
    struct buf packed;
    struct unpacker in;
    int code;

    buf_init(&packed);
    code = form_pack(ndjson->header, object, &packed, error);
    in = unpack_from(buf_slice(&packed));
    memset(out, 0, sizeof(*out));
    if (code == 0 && (!unpack_validate(buf_slice(&packed)) ||
                      !shape_read(&trace_header_shape, &in, &ndjson->arena, out))) {
        code = od_error_set(error, OD_EINVAL, "the header has a field that is out of range");
    }
    if (code == 0) {
        trace_header_types(out, &ndjson->arena);
    }
    buf_deinit(&packed);
    return code;
}

int ndjson_read_header(struct ndjson *ndjson, struct slice line, struct trace_header *out,
                       struct od_error *error)
{
    json_t *object;
    int code = read_object(line, &object, error);

    if (code != 0) {
        return code;
    }
    if (!names(object, "record", "header")) {
        code = od_error_set(error, OD_EINVAL, "record: the first line must be a header");
    } else {
        (void)json_object_del(object, "record");
        code = unpack_header(ndjson, object, out, error);
    }
    json_decref(object);
    return code;
}
