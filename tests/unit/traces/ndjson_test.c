/* Records as lines and back: every kind of record and every type of message comes back to the byte,
 * every field has a name, and no line can do harm. */
#include "traces/ndjson.h"

#include <jansson.h>

#include "base/hash.h"
#include "tests/support/od_test.h"
#include "tests/unit/traces/random_payload.h"
#include "traces/forms.h"

enum { ROUNDS = 40, MUTATIONS = 30 };

static struct slice packed(struct trace_buffer *buffer, const struct trace_record *record)
{
    trace_buffer_clear(buffer);
    trace_put(buffer, record, NULL);
    return slice_make(buffer->bytes.data + TRACE_FRAME_HEAD, buffer->bytes.size - TRACE_FRAME_HEAD);
}

static void assert_returns(struct ndjson *ndjson, const struct trace_record *record)
{
    struct trace_buffer buffer;
    struct buf line, again;
    struct od_error error;

    trace_buffer_init(&buffer);
    buf_init(&line);
    buf_init(&again);
    ndjson_print(ndjson, record, &line);
    assert_int_equal(line.data[line.size - 1], '\n');
    assert_null(memchr(line.data, '\n', line.size - 1));
    if (ndjson_pack(ndjson, buf_slice(&line), &again, &error) != 0) {
        fail_msg("%.*s: %s", SLICE_ARGS(buf_slice(&line)), error.text);
    }
    if (!slice_equal(buf_slice(&again), packed(&buffer, record))) {
        fail_msg("%.*s", SLICE_ARGS(buf_slice(&line)));
    }
    trace_buffer_deinit(&buffer);
    buf_deinit(&line);
    buf_deinit(&again);
}

static void random_message(struct prng *prng, struct arena *arena, bool full,
                           enum message_type type, struct trace_record *out)
{
    struct trace_message *message = &out->message;

    *out = (struct trace_record){.kind = TRACE_MESSAGE};
    message->message = (struct message){
        .at = (int64_t)(prng_next(prng) >> 8),
        .mono = (int64_t)(prng_next(prng) >> 8),
        .actor = {message_actor_kind(type), (uint32_t)prng_next(prng)},
        .type = type,
        .exchange = prng_next(prng),
    };
    message->message.is_derived = message->message.is_later = prng_below(prng, 2) == 0;
    message->digest = (uint32_t)prng_next(prng);
    random_payload(prng, arena, full, type, &message->message.payload, &message->zone);
}

static void every_message_returns(void **state)
{
    struct ndjson *ndjson = ndjson_new();
    struct prng prng;
    struct arena arena;

    (void)state;
    prng_seed(&prng, 1);
    arena_init(&arena, 4096);
    for (unsigned type = 0; type < MESSAGE_TYPE_COUNT; type++) {
        for (unsigned round = 0; round < ROUNDS; round++) {
            struct trace_record record;

            random_message(&prng, &arena, round == 0, (enum message_type)type, &record);
            assert_returns(ndjson, &record);
            arena_reset(&arena);
        }
    }
    arena_deinit(&arena);
    ndjson_free(ndjson);
}

static void kept_responses_return(void **state)
{
    struct ndjson *ndjson = ndjson_new();
    struct response_kept responses[2] = {{.organisation = 7}, {.response = {.status = 201}}};
    const struct trace_kept kept[] = {{.reply = 0, .response = &responses[0]},
                                      {.reply = 300, .response = &responses[1]}};
    struct trace_record record = {.kind = TRACE_MESSAGE};

    (void)state;
    memset(responses[0].hash, 0xab, sizeof(responses[0].hash));
    responses[0].response.body = SLICE("\xff\0x");
    record.message.message.type = MESSAGE_PAUSE;
    record.message.message.actor = (struct actor_name){ACTOR_EXECUTION, 3};
    record.message.kept = kept;
    record.message.kept_count = 2;
    assert_returns(ndjson, &record);
    ndjson_free(ndjson);
}

static void other_records_return(void **state)
{
    static const struct zone_change changes[] = {{.at = INT64_MIN, .offset_seconds = -18000},
                                                 {.at = 1700000000000, .offset_seconds = 3600}};
    static const struct zone_table table = {.name = "America/New_York",
                                            .changes = changes,
                                            .change_count = 2,
                                            .valid_until = 2000000000000};
    static const struct zone_table gone = {.name = "Old/Zone"};
    static const struct trace_record records[] = {
        {.kind = TRACE_START, .at = 1, .mono = 2},
        {.kind = TRACE_ZONE, .zone = {.number = 4, .is_current = true, .table = &table}},
        {.kind = TRACE_ZONE, .zone = {.number = 0, .is_current = true, .table = &gone}},
        {.kind = TRACE_COMMIT, .at = 3, .mono = 4, .digest = UINT64_MAX},
        {.kind = TRACE_RELOAD, .at = 5, .mono = 6},
        {.kind = TRACE_END, .at = 7, .mono = 8, .end = {.digest = 9, .state = 1}},
        {.kind = TRACE_LOST, .reason = SLICE_INIT("full \"disk\"\n")},
    };
    struct ndjson *ndjson = ndjson_new();
    struct buf line;

    (void)state;
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        assert_returns(ndjson, &records[i]);
    }
    buf_init(&line);
    ndjson_print(ndjson, &records[1], &line);
    assert_int_equal(buf_append_byte(&line, '\0'), 0);
    assert_string_equal(
        line.data,
        "{\"record\":\"zone\",\"number\":4,\"name\":\"America/New_York\",\"is_current\":true,"
        "\"valid_until\":2000000000000,\"changes\":[{\"at\":-9223372036854775808,"
        "\"offset_seconds\":-18000},{\"at\":1700000000000,\"offset_seconds\":3600}]}\n");
    buf_deinit(&line);
    ndjson_free(ndjson);
}

static void headers_return(void **state)
{
    static const struct trace_gateway gateways[] = {
        {.name = SLICE_INIT("worker"), .is_pull = true, .max_calls = 3, .max_offered = 4}};
    static const struct trace_type types[] = {{.name = SLICE_INIT("old")}};
    const struct trace_header header = {
        .format = TRACE_FORMAT,
        .program = SLICE("0.1.0"),
        .is_raw = true,
        .store_id = SLICE("x"),
        .was_empty = true,
        .store_digest = UINT64_MAX,
        .at = 1,
        .mono = 2,
        .settings = {.lease_ms = 5, .gateways = gateways, .gateway_count = 1},
        .types = types,
        .type_count = 1,
    };
    struct ndjson *ndjson = ndjson_new();
    struct trace_header read;
    struct od_error error;
    struct buf line, again;

    (void)state;
    buf_init(&line);
    buf_init(&again);
    ndjson_print_header(ndjson, &header, &line);
    assert_int_equal(ndjson_read_header(ndjson, buf_slice(&line), &read, &error), 0);
    assert_true(read.store_digest == UINT64_MAX);
    assert_int_equal(read.type_count, MESSAGE_TYPE_COUNT); /* this program's */
    ndjson_print_header(ndjson, &read, &again);
    assert_true(slice_equal(buf_slice(&line), buf_slice(&again)));
    buf_deinit(&line);
    buf_deinit(&again);
    ndjson_free(ndjson);
}

static void bad_lines_are_refused_by_name(void **state)
{
    static const struct {
        const char *line, *fault;
    } cases[] = {
        {"", "no JSON: "},
        {"[]", "must be a JSON object"},
        {"{}", "record: there is no such record"},
        {"{\"record\":\"header\"}", "record: there is no such record"},
        {"{\"record\":\"message\",\"type\":\"hang_up\"}", "type: there is no such message"},
        {"{\"record\":\"commit\",\"at\":1,\"mono\":2,\"digest\":\"x\"}", "digest: must be 16 hexa"},
        {"{\"record\":\"commit\",\"at\":1,\"mono\":2}{}", "no JSON: "},
        {"{\"record\":\"start\",\"at\":1,\"at\":1}", "no JSON: duplicate"},
        {"{\"record\":\"message\",\"at\":1,\"mono\":2,\"actor\":\"directory\",\"number\":1,"
         "\"type\":\"contact_delete\",\"origin\":\"outside\",\"exchange\":0,\"digest\":"
         "\"0000000000000000\",\"payload\":{\"id\":\"nobody\"}}",
         "payload: id: must be an id"},
    };
    struct ndjson *ndjson = ndjson_new();
    struct trace_header header;
    struct od_error error;
    struct buf out;

    (void)state;
    buf_init(&out);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(ndjson_pack(ndjson, slice_from(cases[i].line), &out, &error), OD_EINVAL);
        if (strncmp(error.text, cases[i].fault, strlen(cases[i].fault)) != 0) {
            fail_msg("%s: %s", cases[i].line, error.text);
        }
    }
    assert_int_equal(ndjson_read_header(ndjson, SLICE("{\"record\":\"start\"}"), &header, &error),
                     OD_EINVAL);
    assert_int_equal(
        ndjson_read_header(ndjson, SLICE("{\"record\":\"header\",\"at\":true}"), &header, &error),
        OD_EINVAL);
    assert_string_equal(error.text, "the header has a field that is out of range");
    buf_deinit(&out);
    ndjson_free(ndjson);
}

/* Whatever a line says: it is packed or refused. */
static void changed_lines_end(void **state)
{
    struct ndjson *ndjson = ndjson_new();
    struct prng prng;
    struct arena arena;
    struct buf line, out;
    struct od_error error;

    (void)state;
    prng_seed(&prng, 3);
    arena_init(&arena, 4096);
    buf_init(&line);
    buf_init(&out);
    for (unsigned type = 0; type < MESSAGE_TYPE_COUNT; type++) {
        struct trace_record record;

        random_message(&prng, &arena, false, (enum message_type)type, &record);
        for (unsigned round = 0; round < MUTATIONS; round++) {
            buf_clear(&line);
            buf_clear(&out);
            ndjson_print(ndjson, &record, &line);
            line.data[prng_below(&prng, line.size)] = (char)(32 + prng_below(&prng, 95));
            (void)ndjson_pack(ndjson, buf_slice(&line), &out, &error);
        }
        arena_reset(&arena);
    }
    buf_deinit(&line);
    buf_deinit(&out);
    arena_deinit(&arena);
    ndjson_free(ndjson);
}

/* ---- names ---- */

/* NOLINTNEXTLINE(readability-function-size,readability-function-cognitive-complexity): by macros */
static void assert_named(const struct form *form, unsigned type)
{
    for (size_t i = 0; form != NULL && i < form->member_count; i++) {
        assert_non_null(form->members[i].name);
        assert_null(strchr(form->members[i].name, '.'));
        for (size_t j = 0; j < i; j++) {
            if (strcmp(form->members[i].name, form->members[j].name) == 0) {
                fail_msg("%s: two fields are called %s", message_type_name((enum message_type)type),
                         form->members[i].name);
            }
        }
        assert_named(form->members[i].form, type);
    }
    if (form != NULL && form->kind == FORM_LIST) {
        assert_named(form->item, type);
    }
}

static void every_field_has_a_name_of_its_own(void **state)
{
    struct forms forms;
    struct arena arena;

    (void)state;
    arena_init(&arena, 4096);
    forms_init(&forms, &arena);
    for (unsigned type = 0; type < MESSAGE_TYPE_COUNT; type++) {
        assert_named(forms.payloads[type], type);
    }
    arena_deinit(&arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_message_returns),
    cmocka_unit_test(kept_responses_return),
    cmocka_unit_test(other_records_return),
    cmocka_unit_test(headers_return),
    cmocka_unit_test(bad_lines_are_refused_by_name),
    cmocka_unit_test(changed_lines_end),
    cmocka_unit_test(every_field_has_a_name_of_its_own),
};

OD_TEST_MAIN(tests)
