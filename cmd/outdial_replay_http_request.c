#include "cmd/outdial_replay_http_request.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/instant.h"
#include "base/memory.h"

enum { REFS = 4, ID_CHARACTERS = UUID_TEXT_SIZE - 1, MILLION = 1000000 };

struct http_request *request_new(enum message_type type, const char *method)
{
    struct http_request *request = memory_zero(1, sizeof(*request));

    request->type = type;
    request->method = method;
    buf_init(&request->path);
    buf_init(&request->body);
    return request;
}

void request_free(struct http_request *request)
{
    buf_deinit(&request->path);
    buf_deinit(&request->body);
    memory_free(request->refs);
    memory_free(request->contacts);
    memory_free(request);
}

/* ---- ids ---- */

static void add_ref(struct http_request *request, const struct uuid *id, enum ref_place place,
                    size_t offset)
{
    if (request->ref_count == request->ref_room) {
        request->ref_room = request->ref_room == 0 ? REFS : 2 * request->ref_room;
        request->refs = memory_resize(request->refs, request->ref_room, sizeof(*request->refs));
    }
    request->refs[request->ref_count++] =
        (struct id_ref){.id = *id, .place = place, .offset = (uint32_t)offset};
}

static void append_id(struct buf *out, const struct uuid *id)
{
    char text[UUID_TEXT_SIZE];

    uuid_print(id, text);
    OD_CHECK(buf_append(out, text, ID_CHARACTERS) == 0);
}

void request_path(struct http_request *request, const char *text)
{
    OD_CHECK(buf_append_text(&request->path, text) == 0);
}

void request_path_id(struct http_request *request, const struct uuid *id)
{
    add_ref(request, id, REF_PATH, request->path.size);
    append_id(&request->path, id);
}

void request_for(struct http_request *request, uint32_t organisation)
{
    struct uuid id = ids_of_number(NUMBER_ORGANISATION, organisation);

    request->organisation = organisation;
    add_ref(request, &id, REF_HEADER, 0);
}

void request_makes(struct http_request *request, const struct uuid *id)
{
    OD_CHECK(request->makes_count < sizeof(request->makes) / sizeof(request->makes[0]));
    request->makes[request->makes_count++] = *id;
}

/* ---- JSON ---- */

static void append(struct http_request *request, const char *text)
{
    OD_CHECK(buf_append_text(&request->body, text) == 0);
}

/* Before a value or a name: a comma, unless it is the first. */
static void separate(struct http_request *request)
{
    const struct buf *body = &request->body;

    if (body->size > 0 && strchr("{[:\n", body->data[body->size - 1]) == NULL) {
        append(request, ",");
    }
}

void write_open(struct http_request *request, char bracket)
{
    separate(request);
    if (request->content_type == NULL) {
        request->content_type = "application/json";
    }
    OD_CHECK(buf_append_byte(&request->body, bracket) == 0);
}

void write_shut(struct http_request *request, char bracket)
{
    OD_CHECK(buf_append_byte(&request->body, bracket) == 0);
}

void json_quote(struct buf *out, struct slice text)
{
    size_t from = 0;

    OD_CHECK(buf_append_byte(out, '"') == 0);
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];

        if (byte >= 0x20 && byte != '"' && byte != '\\') {
            continue;
        }
        OD_CHECK(buf_append(out, text.data + from, i - from) == 0);
        OD_CHECK(buf_printf(out, "\\u%04x", byte) == 0);
        from = i + 1;
    }
    OD_CHECK(text.size == from || buf_append(out, text.data + from, text.size - from) == 0);
    OD_CHECK(buf_append_byte(out, '"') == 0);
}

void write_text(struct http_request *request, struct slice text)
{
    separate(request);
    json_quote(&request->body, text);
}

void write_name(struct http_request *request, const char *name)
{
    write_text(request, slice_from(name));
    append(request, ":");
}

void write_text_or_null(struct http_request *request, struct slice text)
{
    if (slice_is_empty(text)) {
        write_null(request);
    } else {
        write_text(request, text);
    }
}

void write_integer(struct http_request *request, int64_t number)
{
    separate(request);
    OD_CHECK(buf_printf(&request->body, "%" PRId64, number) == 0);
}

void write_micro(struct http_request *request, uint64_t millionths)
{
    if (millionths == 0) {
        write_null(request);
        return;
    }
    separate(request);
    OD_CHECK(buf_printf(&request->body, "%" PRIu64 ".%06" PRIu64, millionths / MILLION,
                        millionths % MILLION) == 0);
}

void write_double(struct http_request *request, double number)
{
    if (!isfinite(number)) {
        write_null(request);
        return;
    }
    separate(request);
    OD_CHECK(buf_printf(&request->body, "%.17g", number) == 0);
}

void write_boolean(struct http_request *request, bool value)
{
    separate(request);
    append(request, value ? "true" : "false");
}

void write_null(struct http_request *request)
{
    separate(request);
    append(request, "null");
}

void write_instant(struct http_request *request, int64_t at)
{
    char text[INSTANT_TEXT_SIZE];

    instant_print(at, text);
    write_text(request, slice_from(text));
}

void write_json(struct http_request *request, struct slice json)
{
    separate(request);
    OD_CHECK(buf_append_slice(&request->body, json) == 0);
}

void write_id(struct http_request *request, const struct uuid *id)
{
    separate(request);
    append(request, "\"");
    add_ref(request, id, REF_BODY, request->body.size);
    append_id(&request->body, id);
    append(request, "\"");
}

void write_list(struct http_request *request, const struct uuid *ids, size_t count)
{
    write_open(request, '[');
    request->is_list = true;
    request->list_from = request->body.size;
    request->first_item = request->ref_count;
    for (size_t i = 0; i < count; i++) {
        add_ref(request, &ids[i], REF_BODY, 0);
    }
}

/* ---- sending ---- */

static bool fill_item(struct http_request *request, const struct id_ref *ref,
                      const struct id_map *ids)
{
    struct id_value value = ids_get(ids, &ref->id);

    if (ref->is_absent || value.state != ID_KNOWN) {
        request->is_rest_left = true;
        return false;
    }
    separate(request);
    append(request, "\"");
    append_id(&request->body, &value.live);
    append(request, "\"");
    return true;
}

/* A list whose every id is missing has nothing to say. */
static bool fill_list(struct http_request *request, const struct id_map *ids)
{
    size_t filled = 0;

    request->body.size = request->list_from;
    for (size_t i = request->first_item; i < request->ref_count; i++) {
        filled += fill_item(request, &request->refs[i], ids);
    }
    append(request, "]}");
    return filled > 0;
}

bool request_fill(struct http_request *request, const struct id_map *ids, struct uuid *organisation)
{
    size_t count = request->is_list ? request->first_item : request->ref_count;
    char text[UUID_TEXT_SIZE];

    *organisation = UUID_NIL;
    for (size_t i = 0; i < count; i++) {
        const struct id_ref *ref = &request->refs[i];
        struct id_value value = ids_get(ids, &ref->id);
        struct buf *where = ref->place == REF_PATH ? &request->path : &request->body;

        if (ref->is_absent || value.state != ID_KNOWN) {
            return false;
        }
        if (ref->place == REF_HEADER) {
            *organisation = value.live;
            continue;
        }
        OD_CHECK(ref->offset + ID_CHARACTERS <= where->size);
        uuid_print(&value.live, text);
        memcpy(where->data + ref->offset, text, ID_CHARACTERS);
    }
    return !request->is_list || fill_list(request, ids);
}
