/* The digest of rows: what counts, what does not, and that its value never changes. */
#include "storage/row_digest.h"

#include <stdlib.h>

#include "model/records.h"
#include "storage/record.h"
#include "storage/record_fields.h"
#include "tests/support/od_test.h"
#include "tests/unit/storage/random_record.h"

static uint64_t digest_of(enum table table, const struct key *key, const void *record)
{
    struct buf value;
    uint64_t digest;

    buf_init(&value);
    assert_int_equal(record_encode(table, key, record, &value), 0);
    digest = row_digest(table, false, slice_make((const char *)key->bytes, key->size),
                        buf_slice(&value));
    buf_deinit(&value);
    return digest;
}

/* docs/traces.md gives these numbers to who writes the function anew. */
static void the_function_is_pinned(void **state)
{
    (void)state;
    assert_true(digest_bytes(0, "", 0) == UINT64_C(0xc9d874ca57d9e055));
    assert_true(digest_bytes(0, "outdial", 7) == UINT64_C(0xe5484b38ba39525e));
    assert_true(digest_bytes(1, "members of an audience", 22) == UINT64_C(0x4ef8802722751315));
    assert_true(row_digest_add(0, 1) == UINT64_C(0xf2f37271ad33e225));
    assert_true(row_digest(TABLE_MEMBER, true, SLICE("key"), SLICE("")) ==
                UINT64_C(0x0ff82eb7034eebcc));
}

/* A field that is left out also leaves its key out, which counts. */
static bool is_left_out(const struct record_field *field, const void *member)
{
    static const char zeros[32];

    return field->type == FIELD_TEXT   ? ((const struct slice *)member)->size == 0
           : field->type == FIELD_HASH ? memcmp(member, zeros, sizeof(zeros)) == 0
                                       : false;
}

/* Each private field alone changes nothing, each other field does. A field of a table that has
 * private ones may still lie behind a value that is walked over. */
static void private_fields_do_not_count(void **state)
{
    struct prng prng;
    struct arena arena;

    (void)state;
    prng_seed(&prng, 1);
    arena_init(&arena, 65536);
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        const struct record_kind *kind = &record_kinds[table];
        struct key key = random_key(&prng);

        for (size_t i = 0; i < kind->field_count; i++) {
            const struct record_field *field = &kind->fields[i];
            char *a = random_record(&prng, &arena, (enum table)table);
            char *b = arena_zalloc(&arena, kind->size);
            bool is_same;

            do { /* both there, and not equal */
                random_field(&prng, &arena, field, a + field->offset);
                memcpy(b, a, kind->size);
                memset(b + field->offset, 0, field->size);
                random_field(&prng, &arena, field, b + field->offset);
            } while (same_record((enum table)table, a, b) ||
                     is_left_out(field, a + field->offset) ||
                     is_left_out(field, b + field->offset));
            is_same =
                digest_of((enum table)table, &key, a) == digest_of((enum table)table, &key, b);
            switch (field->privacy) {
            case PRIVACY_NONE: assert_false(is_same); break;
            case PRIVACY_PHONE:
            case PRIVACY_TEXT:
            case PRIVACY_HASH: assert_true(is_same); break;
            default: break; /* those that count in part have cases of their own */
            }
        }
    }
    arena_deinit(&arena);
}

static void runs_of_digits_count_by_their_length(void **state)
{
    const struct key key = key_u32(1);
    struct call a = {.detail = SLICE("486 from 212600000001 now")};
    struct call b = {.detail = SLICE("486 from 212600009999 now")};
    struct call c = {.detail = SLICE("487 from 212600000001 now")};
    struct call d = {.detail = SLICE("486 from 21260000000 now")};

    (void)state;
    assert_true(digest_of(TABLE_CALL, &key, &a) == digest_of(TABLE_CALL, &key, &b));
    assert_false(digest_of(TABLE_CALL, &key, &a) == digest_of(TABLE_CALL, &key, &c));
    assert_false(digest_of(TABLE_CALL, &key, &a) == digest_of(TABLE_CALL, &key, &d));
}

static void string_values_of_attributes_do_not_count(void **state)
{
    struct attribute_value values[] = {
        {.name = SLICE_INIT("city"), .type = ATTRIBUTE_STRING, .text = SLICE_INIT("Rabat")},
        {.name = SLICE_INIT("due"), .type = ATTRIBUTE_DATE, .text = SLICE_INIT("2026-01-05")},
    };
    const struct contact contact = {.attributes = values, .attribute_count = 2};
    const struct key key = key_u32(1);
    uint64_t first = digest_of(TABLE_CONTACT, &key, &contact);

    (void)state;
    values[0].text = SLICE("Casablanca");
    assert_true(digest_of(TABLE_CONTACT, &key, &contact) == first);
    values[1].text = SLICE("2026-01-06");
    assert_false(digest_of(TABLE_CONTACT, &key, &contact) == first);
    values[1].text = SLICE("2026-01-05");
    values[0].name = SLICE("town");
    assert_false(digest_of(TABLE_CONTACT, &key, &contact) == first);
}

static void of_a_pool_the_ids_count(void **state)
{
    struct pool_did did = {.id = {{1}}, .number = SLICE("+212520000001")};
    const struct execution_settings settings = {.dids = &did, .did_count = 1};
    const struct key key = key_u32(1);
    uint64_t first = digest_of(TABLE_EXECUTION, &key, &settings);

    (void)state;
    did.number = SLICE("+212520000002");
    assert_true(digest_of(TABLE_EXECUTION, &key, &settings) == first);
    did.id.bytes[0] = 2;
    assert_false(digest_of(TABLE_EXECUTION, &key, &settings) == first);
}

static void keys_that_are_numbers_do_not_count(void **state)
{
    const struct owned_id id = {.owner = 1, .id = {{1}}};
    const struct key a = key_owned_text(1, SLICE("+212600000001"));
    const struct key b = key_owned_text(1, SLICE("+212600000002"));
    const struct key c = key_owned_text(2, SLICE("+212600000001"));

    (void)state;
    assert_true(digest_of(TABLE_CONTACT_BY_PHONE, &a, &id) ==
                digest_of(TABLE_CONTACT_BY_PHONE, &b, &id));
    assert_false(digest_of(TABLE_CONTACT_BY_PHONE, &a, &id) ==
                 digest_of(TABLE_CONTACT_BY_PHONE, &c, &id));
    assert_false(digest_of(TABLE_ATTRIBUTE_BY_NAME, &a, &id) ==
                 digest_of(TABLE_ATTRIBUTE_BY_NAME, &b, &id));
}

static void tables_and_operations_count(void **state)
{
    const struct due_row row = {0};
    const struct key key = key_u32(1);
    struct slice bytes = slice_make((const char *)key.bytes, key.size);

    (void)state;
    assert_false(digest_of(TABLE_DUE, &key, &row) == digest_of(TABLE_WAITING, &key, &row));
    assert_false(row_digest(TABLE_DUE, true, bytes, SLICE("")) ==
                 row_digest(TABLE_DUE, false, bytes, SLICE("")));
    assert_false(row_digest_add(row_digest_add(0, 1), 2) ==
                 row_digest_add(row_digest_add(0, 2), 1));
}

/* Damaged bytes have some digest, and nothing is read beyond them. */
static void any_bytes_have_a_digest(void **state)
{
    struct prng prng;

    (void)state;
    prng_seed(&prng, 5);
    for (unsigned i = 0; i < 20000; i++) {
        size_t size = (size_t)prng_below(&prng, 40);
        char *bytes = malloc(size + 1); /* so that ASan sees what is read behind it */

        assert_non_null(bytes);
        for (size_t n = 0; n < size; n++) {
            bytes[n] = (char)prng_next(&prng);
        }
        if (size > 0 && prng_below(&prng, 2) == 0) {
            bytes[0] = (char)(0x80 | (bytes[0] & 0x0f));
        }
        (void)row_digest((enum table)prng_below(&prng, TABLE_COUNT), false, SLICE("key"),
                         slice_make(bytes, size));
        free(bytes);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_function_is_pinned),
    cmocka_unit_test(private_fields_do_not_count),
    cmocka_unit_test(runs_of_digits_count_by_their_length),
    cmocka_unit_test(string_values_of_attributes_do_not_count),
    cmocka_unit_test(of_a_pool_the_ids_count),
    cmocka_unit_test(keys_that_are_numbers_do_not_count),
    cmocka_unit_test(tables_and_operations_count),
    cmocka_unit_test(any_bytes_have_a_digest),
};
OD_TEST_MAIN(tests)
