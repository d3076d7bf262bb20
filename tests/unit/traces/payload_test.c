/* The codec of payloads: every message type's comes back as it was, and nothing but a payload or a
 * refusal comes of any bytes. */
#include "traces/payload.h"

#include <stdlib.h>

#include "tests/support/od_test.h"
#include "tests/unit/traces/random_payload.h"

enum { ROUNDS = 60, MUTATIONS = 40 };

static void every_type_has_a_shape(void **state)
{
    (void)state;
    for (unsigned type = 0; type < MESSAGE_TYPE_COUNT; type++) {
        if (trace_payloads[type].kind == TRACE_PAYLOAD_UNKNOWN) {
            fail_msg("%s has no shape", message_type_name((enum message_type)type));
        }
    }
}

/* ---- shapes name every member ---- */

static int by_offset(const void *a, const void *b)
{
    const struct trace_field *left = a, *right = b;

    return (left->field.offset > right->field.offset) - (left->field.offset < right->field.offset);
}

static void assert_complete(const struct trace_shape *shape, const char *of)
{
    struct trace_field fields[16];
    size_t end = 0;

    assert_in_range(shape->field_count, 1, 16);
    memcpy(fields, shape->fields, shape->field_count * sizeof(fields[0]));
    for (size_t i = 0; i < shape->field_count; i++) {
        assert_in_range(fields[i].field.key, i == 0 ? 1 : fields[i - 1].field.key + 1, 127);
    }
    qsort(fields, shape->field_count, sizeof(fields[0]), by_offset);
    for (size_t i = 0; i < shape->field_count; i++) {
        size_t at = fields[i].field.offset;

        if (at > end && at - end >= 8) {
            fail_msg("%s: nothing at %zu to %zu", of, end, at);
        }
        end = at + fields[i].field.size > end ? at + fields[i].field.size : end;
        if (fields[i].shape != NULL && fields[i].field.type == TRACE_LIST) {
            assert_true(fields[i].field.max > 0);
            assert_complete(fields[i].shape, fields[i].field.name);
        }
    }
}

static void shapes_name_every_member(void **state)
{
    (void)state;
    for (unsigned type = 0; type < MESSAGE_TYPE_COUNT; type++) {
        if (trace_payloads[type].shape != NULL) {
            assert_complete(trace_payloads[type].shape, message_type_name((enum message_type)type));
        }
    }
}

/* ---- there and back ---- */

static size_t pairs_of(struct slice bytes)
{
    struct unpacker in = unpack_from(bytes);
    size_t count;

    assert_true(unpack_map(&in, &count));
    return count;
}

static void assert_returns(struct prng *prng, enum message_type type, bool full)
{
    struct arena arena;
    struct buf bytes, again;
    union payload payload, read;
    struct unpacker in;
    uint64_t zone, read_zone;

    arena_init(&arena, 65536);
    buf_init(&bytes);
    buf_init(&again);
    random_payload(prng, &arena, full, type, &payload, &zone);
    payload_write(type, &payload, zone, NULL, &bytes);
    assert_true(unpack_validate(buf_slice(&bytes)));
    in = unpack_from(buf_slice(&bytes));
    if (!payload_read(type, &in, &arena, &read, &read_zone) || in.at != in.end) {
        fail_msg("%s: cannot be read", message_type_name(type));
    }
    payload_write(type, &read, read_zone, NULL, &again);
    assert_true(slice_equal(buf_slice(&bytes), buf_slice(&again)));
    assert_true(read_zone == zone);
    if (full && trace_payloads[type].shape != NULL) {
        assert_int_equal(pairs_of(buf_slice(&bytes)), trace_payloads[type].shape->field_count);
    } else if (full && trace_payloads[type].kind == TRACE_PAYLOAD_RECORD) {
        assert_int_equal(pairs_of(buf_slice(&bytes)),
                         record_kinds[trace_payloads[type].table].field_count);
    }
    buf_deinit(&bytes);
    buf_deinit(&again);
    arena_deinit(&arena);
}

static void every_payload_comes_back(void **state)
{
    struct prng prng;

    (void)state;
    prng_seed(&prng, 1);
    for (unsigned type = 0; type < MESSAGE_TYPE_COUNT; type++) {
        assert_returns(&prng, (enum message_type)type, true);
        for (unsigned i = 0; i < ROUNDS; i++) {
            assert_returns(&prng, (enum message_type)type, false);
        }
    }
}

/* One that is told, not made at random: each member by name. */
static void a_patch_of_a_contact_comes_back(void **state)
{
    static const struct attribute_value attributes[] = {
        {.name = SLICE_INIT("birthday"),
         .type = ATTRIBUTE_STRING,
         .text = SLICE_INIT("1990-01-05")},
        {.name = SLICE_INIT("gone"), .is_null = true},
        {.name = SLICE_INIT("size"), .type = ATTRIBUTE_NUMBER, .number = -1.5},
        {.name = SLICE_INIT("vip"), .type = ATTRIBUTE_BOOLEAN, .boolean = true},
    };
    const struct contact_patch patch = {.present = CONTACT_PRIMARY_PHONE | CONTACT_ATTRIBUTES,
                                        .value = {.primary_phone = SLICE_INIT("+212600000001"),
                                                  .do_not_call = true,
                                                  .attributes = attributes,
                                                  .attribute_count = 4}};
    const union payload payload = {.contact = &patch};
    const struct contact_patch *read;
    union payload out;
    struct unpacker in;
    struct arena arena;
    struct buf bytes;
    uint64_t zone;

    (void)state;
    arena_init(&arena, 4096);
    buf_init(&bytes);
    payload_write(MESSAGE_CONTACT_PATCH, &payload, 0, NULL, &bytes);
    in = unpack_from(buf_slice(&bytes));
    assert_true(payload_read(MESSAGE_CONTACT_PATCH, &in, &arena, &out, &zone));
    read = out.contact;
    assert_int_equal(read->present, patch.present);
    assert_true(slice_equal_text(read->value.primary_phone, "+212600000001"));
    assert_true(read->value.do_not_call);
    assert_int_equal(read->value.attribute_count, 4);
    assert_true(slice_equal_text(read->value.attributes[0].text, "1990-01-05"));
    assert_true(read->value.attributes[1].is_null);
    assert_true(read->value.attributes[2].number == -1.5);
    assert_true(read->value.attributes[3].boolean);
    buf_deinit(&bytes);
    arena_deinit(&arena);
}

/* Memory for a list grows as it is read. */
static void a_long_list_comes_back(void **state)
{
    enum { CALLS = 5000 };
    static struct offered_call calls[CALLS];
    const union payload payload = {.offered = {.execution = 1, .calls = calls, .count = CALLS}};
    union payload out;
    struct unpacker in;
    struct arena arena;
    struct buf bytes;
    uint64_t zone;

    (void)state;
    arena_init(&arena, 4096);
    buf_init(&bytes);
    for (uint32_t i = 0; i < CALLS; i++) {
        calls[i] = (struct offered_call){.entry = i, .attempt = (uint16_t)(i % 7)};
    }
    payload_write(MESSAGE_CALLS_OFFERED, &payload, 0, NULL, &bytes);
    in = unpack_from(buf_slice(&bytes));
    assert_true(payload_read(MESSAGE_CALLS_OFFERED, &in, &arena, &out, &zone));
    assert_int_equal(out.offered.count, CALLS);
    for (uint32_t i = 0; i < CALLS; i++) {
        assert_int_equal(out.offered.calls[i].entry, i);
        assert_int_equal(out.offered.calls[i].attempt, i % 7);
    }
    buf_deinit(&bytes);
    arena_deinit(&arena);
}

/* ---- any bytes ---- */

static void damaged_bytes_are_a_payload_or_a_refusal(void **state)
{
    struct prng prng;
    struct arena arena;
    struct buf bytes, again;
    union payload payload;
    uint64_t zone;

    (void)state;
    prng_seed(&prng, 2);
    arena_init(&arena, 65536);
    buf_init(&bytes);
    buf_init(&again);
    for (unsigned i = 0; i < MESSAGE_TYPE_COUNT * MUTATIONS; i++) {
        enum message_type type = (enum message_type)(i % MESSAGE_TYPE_COUNT);
        struct unpacker in;

        buf_clear(&bytes);
        buf_clear(&again);
        random_payload(&prng, &arena, false, type, &payload, &zone);
        payload_write(type, &payload, zone, NULL, &bytes);
        bytes.data[prng_below(&prng, bytes.size)] = (char)prng_next(&prng);
        bytes.size -= prng_below(&prng, 4) == 0 ? (size_t)prng_below(&prng, bytes.size) : 0;
        in = unpack_from(buf_slice(&bytes));
        if (unpack_validate(buf_slice(&bytes)) &&
            payload_read(type, &in, &arena, &payload, &zone)) {
            payload_write(type, &payload, zone, NULL, &again); /* what was read can be written */
        }
        arena_reset(&arena);
    }
    buf_deinit(&bytes);
    buf_deinit(&again);
    arena_deinit(&arena);
}

static void assert_refused(enum message_type type, struct slice bytes)
{
    struct unpacker in = unpack_from(bytes);
    union payload payload;
    struct arena arena;
    uint64_t zone;

    arena_init(&arena, 4096);
    assert_false(unpack_validate(bytes) && payload_read(type, &in, &arena, &payload, &zone));
    arena_deinit(&arena);
}

static void what_is_no_payload_is_refused(void **state)
{
    (void)state;
    assert_refused(MESSAGE_TICK, SLICE("\x80"));                      /* not nil */
    assert_refused(MESSAGE_DID_PATCH, SLICE("\xc0"));                 /* nil */
    assert_refused(MESSAGE_DID_PATCH, SLICE("\x81\x04\x01"));         /* a key that is not known */
    assert_refused(MESSAGE_DID_PATCH, SLICE("\x81\x03\x03"));         /* a status beyond the last */
    assert_refused(MESSAGE_DID_PATCH, SLICE("\x82\x03\x01\x02\x01")); /* keys that descend */
    assert_refused(MESSAGE_DID_PATCH, SLICE("\x82\x03\x01\x03\x01")); /* a key twice */
    assert_refused(MESSAGE_GRANT, SLICE("\x81\x02\x01"));             /* a number for a boolean */
    assert_refused(MESSAGE_CALL_RESULT, SLICE("\x81\x06\x08")); /* an outcome beyond the last */
    assert_refused(MESSAGE_CONTACTS_UPSERT, SLICE("\x81\x01\xdd\x00\x01\x86\xa1")); /* too long */
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_type_has_a_shape),
    cmocka_unit_test(shapes_name_every_member),
    cmocka_unit_test(every_payload_comes_back),
    cmocka_unit_test(a_patch_of_a_contact_comes_back),
    cmocka_unit_test(a_long_list_comes_back),
    cmocka_unit_test(damaged_bytes_are_a_payload_or_a_refusal),
    cmocka_unit_test(what_is_no_payload_is_refused),
};
OD_TEST_MAIN(tests)
