#include "base/id.h"

#include <string.h>

#include "base/hash.h"
#include "tests/support/od_test.h"

static struct uuid uuid_of(const char *text)
{
    struct uuid uuid;

    assert_true(uuid_parse(slice_from(text), &uuid));
    return uuid;
}

static void assert_uuid_text(const struct uuid *uuid, const char *expected)
{
    char text[UUID_TEXT_SIZE];

    uuid_print(uuid, text);
    assert_string_equal(text, expected);
}

static void a_uuid_is_printed_as_it_was_read_in_lower_case(void **state)
{
    static const char *const rows[][2] = {
        {"00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000"},
        {"ffffffff-ffff-ffff-ffff-ffffffffffff", "ffffffff-ffff-ffff-ffff-ffffffffffff"},
        {"FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "ffffffff-ffff-ffff-ffff-ffffffffffff"},
        {"01234567-89ab-cdef-0123-456789abcdef", "01234567-89ab-cdef-0123-456789abcdef"},
        {"01234567-89AB-CDEF-0123-456789ABCDEF", "01234567-89ab-cdef-0123-456789abcdef"},
        {"017F22E2-79B0-7CC3-98C4-DC0C0C07398F", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct uuid uuid = uuid_of(rows[i][0]);

        assert_uuid_text(&uuid, rows[i][1]);
    }
}

static void what_is_not_the_canonical_form_is_refused(void **state)
{
    static const struct slice rows[] = {
        SLICE_INIT(""),
        SLICE_INIT("01234567-89ab-cdef-0123-456789abcde"),
        SLICE_INIT("01234567-89ab-cdef-0123-456789abcdef0"),
        SLICE_INIT("01234567-89ab-cdef-0123-456789abcdef\0"),
        SLICE_INIT("0123456789abcdef0123456789abcdef"),
        SLICE_INIT("{1234567-89ab-cdef-0123-456789abcde}"),
        SLICE_INIT("0123456-789ab-cdef-0123-456789abcdef"),
        SLICE_INIT("01234567-89abc-def-0123-456789abcdef"),
        SLICE_INIT("01234567089ab-cdef-0123-456789abcdef"),
        SLICE_INIT("01234567-89ab-cdef-0123456789-abcdef"),
        SLICE_INIT("01234567_89ab_cdef_0123_456789abcdef"),
        SLICE_INIT(" 1234567-89ab-cdef-0123-456789abcdef"),
        SLICE_INIT("01234567-89ab-cdef-0123-456789abcdeg"),
        SLICE_INIT("\xc0"
                   "1234567-89ab-cdef-0123-456789abcdef"),
    };
    struct uuid uuid = UUID_NIL;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_false(uuid_parse(rows[i], &uuid));
        assert_true(uuid_is_nil(&uuid));
    }
}

static void only_hexadecimal_digits_are_digits(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char text[] = "01234567-89ab-cdef-0123-456789abcdef";
        bool digit = c != 0 && strchr("0123456789abcdefABCDEF", c) != NULL;
        struct uuid uuid;

        text[35] = (char)c;
        assert_int_equal(uuid_parse(slice_make(text, 36), &uuid), digit);
        text[35] = 'f';
        text[0] = (char)c;
        assert_int_equal(uuid_parse(slice_make(text, 36), &uuid), digit);
    }
}

static void uuids_are_ordered_as_their_texts(void **state)
{
    struct prng prng;

    (void)state;
    prng_seed(&prng, 1);
    for (int i = 0; i < 10000; i++) {
        struct uuid uuids[2];
        char texts[2][UUID_TEXT_SIZE];
        int by_bytes;
        int by_text;

        for (int k = 0; k < 2; k++) {
            for (size_t byte = 0; byte < 16; byte++) {
                uuids[k].bytes[byte] = (uint8_t)prng_below(&prng, 3);
            }
            uuid_print(&uuids[k], texts[k]);
        }
        by_bytes = uuid_compare(&uuids[0], &uuids[1]);
        by_text = strcmp(texts[0], texts[1]);
        assert_int_equal((by_bytes > 0) - (by_bytes < 0), (by_text > 0) - (by_text < 0));
        assert_int_equal(uuid_equal(&uuids[0], &uuids[1]), by_text == 0);
    }
}

/* The example of RFC 9562, appendix A.6. */
static void the_uuid_v7_of_the_rfc_is_made(void **state)
{
    static const uint8_t random[10] = {0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f};
    struct uuid uuid = uuid_v7(INT64_C(0x017f22e279b0), random);

    (void)state;
    assert_uuid_text(&uuid, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

static void a_uuid_v7_holds_the_time_the_version_and_74_random_bits(void **state)
{
    static const uint8_t ones[10] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
    static const uint8_t zeros[10] = {0};
    struct uuid uuid;

    (void)state;
    uuid = uuid_v7(0, zeros);
    assert_uuid_text(&uuid, "00000000-0000-7000-8000-000000000000");
    uuid = uuid_v7(0, ones);
    assert_uuid_text(&uuid, "00000000-0000-7fff-bfff-ffffffffffff");
    uuid = uuid_v7((INT64_C(1) << 48) - 1, zeros);
    assert_uuid_text(&uuid, "ffffffff-ffff-7000-8000-000000000000");
}

static void later_uuids_v7_sort_behind_earlier_ones(void **state)
{
    static const uint8_t ones[10] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
    static const uint8_t zeros[10] = {0};

    (void)state;
    for (int64_t at = 1; at < INT64_C(1) << 48; at *= 3) {
        struct uuid before = uuid_v7(at - 1, ones);
        struct uuid after = uuid_v7(at, zeros);

        assert_true(uuid_compare(&before, &after) < 0);
    }
}

static void a_call_id_has_the_layout_of_its_contract(void **state)
{
    struct uuid id = call_id_make(&(struct call_name){
        .execution = UINT64_C(0x0123456789ab), .attempt = 0xcde, .tag = 0x3abcde, .entry = 0x1});

    (void)state;
    /* The tag begins with the 6 bits 11 1010 behind the variant 10: 10 11 1010 = ba. */
    assert_uuid_text(&id, "01234567-89ab-8cde-babc-de0000000001");
}

static void call_names_come_back_at_every_extreme(void **state)
{
    static const uint64_t executions[] = {0, 1, OD_EXECUTION_MAX - 1, OD_EXECUTION_MAX};
    static const uint32_t attempts[] = {1, 2, OD_ATTEMPT_MAX - 1, OD_ATTEMPT_MAX};
    static const uint32_t tags[] = {0, 1, 0x3ffffe, 0x3fffff};
    static const uint64_t entries[] = {0, 1, OD_ENTRY_MAX - 1, OD_ENTRY_MAX};

    (void)state;
    for (unsigned i = 0; i < 256; i++) {
        struct call_name name = {executions[i & 3], attempts[i >> 2 & 3], tags[i >> 4 & 3],
                                 entries[i >> 6]};
        struct uuid id = call_id_make(&name);
        struct call_name read;

        assert_int_equal(id.bytes[6] >> 4, 8);
        assert_int_equal(id.bytes[8] >> 6, 2);
        assert_true(call_id_read(&id, &read));
        assert_true(read.execution == name.execution);
        assert_int_equal(read.attempt, name.attempt);
        assert_int_equal(read.tag, name.tag);
        assert_true(read.entry == name.entry);
    }
}

static void every_readable_id_is_made_from_its_name_again(void **state)
{
    struct prng prng;

    (void)state;
    prng_seed(&prng, 4);
    for (int i = 0; i < 100000; i++) {
        struct uuid id;
        struct uuid again;
        struct call_name name;

        for (size_t k = 0; k < 16; k++) {
            id.bytes[k] = (uint8_t)prng_next(&prng);
        }
        id.bytes[6] = (uint8_t)(0x80 | (id.bytes[6] & 0xf));
        id.bytes[7] |= 1;
        id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3f));
        assert_true(call_id_read(&id, &name));
        again = call_id_make(&name);
        assert_true(uuid_equal(&id, &again));
    }
}

static void other_uuids_are_no_call_ids(void **state)
{
    static const char *const rows[] = {
        "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "01234567-89ab-7001-8000-000000000001", /* version 7 */
        "01234567-89ab-9001-8000-000000000001", /* version 9 */
        "01234567-89ab-8001-0000-000000000001", /* variant 0 */
        "01234567-89ab-8001-4000-000000000001", /* variant 1 */
        "01234567-89ab-8001-c000-000000000001", /* variant 3 */
        "01234567-89ab-8000-8000-000000000001", /* attempt 0 */
    };
    struct call_name name = {.execution = 42};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct uuid id = uuid_of(rows[i]);

        assert_false(call_id_read(&id, &name));
        assert_true(name.execution == 42);
    }
}

/* So neither is ever taken for the other, and no two triggers have the same. */
static void a_trigger_id_is_no_call_id(void **state)
{
    struct uuid id = trigger_id_make(0x0123456789ab, 0x3fffff, 1);
    struct uuid other = trigger_id_make(0x0123456789ab, 0x3fffff, 2);
    struct uuid same = uuid_of("01234567-89ab-8000-bfff-ff0000000001");
    struct call_name name;

    (void)state;
    assert_true(uuid_equal(&id, &same));
    assert_false(uuid_equal(&id, &other));
    assert_false(call_id_read(&id, &name));
}

static void a_tag_is_the_last_22_bits_of_the_execution_id(void **state)
{
    struct uuid id;

    (void)state;
    id = uuid_of("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    assert_int_equal(call_tag(&id), 0x07398f);
    id = uuid_of("ffffffff-ffff-ffff-ffff-ffffffc00000");
    assert_int_equal(call_tag(&id), 0);
    id = uuid_of("00000000-0000-0000-0000-000000ffffff");
    assert_int_equal(call_tag(&id), 0x3fffff);
}

static void a_tag_is_another_in_another_era(void **state)
{
    struct uuid id;

    (void)state;
    id = uuid_of("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    assert_int_equal(call_tag_of_era(&id, 0), call_tag(&id));
    assert_int_equal(call_tag_of_era(&id, 1), 0x07398e);
    assert_int_equal(call_tag_of_era(&id, UINT32_MAX), 0x38c670);
    assert_int_equal(call_tag_of_era(&id, 0xffc00000), call_tag(&id)); /* which is why none is */
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_uuid_is_printed_as_it_was_read_in_lower_case),
    cmocka_unit_test(what_is_not_the_canonical_form_is_refused),
    cmocka_unit_test(only_hexadecimal_digits_are_digits),
    cmocka_unit_test(uuids_are_ordered_as_their_texts),
    cmocka_unit_test(the_uuid_v7_of_the_rfc_is_made),
    cmocka_unit_test(a_uuid_v7_holds_the_time_the_version_and_74_random_bits),
    cmocka_unit_test(later_uuids_v7_sort_behind_earlier_ones),
    cmocka_unit_test(a_call_id_has_the_layout_of_its_contract),
    cmocka_unit_test(call_names_come_back_at_every_extreme),
    cmocka_unit_test(every_readable_id_is_made_from_its_name_again),
    cmocka_unit_test(other_uuids_are_no_call_ids),
    cmocka_unit_test(a_tag_is_the_last_22_bits_of_the_execution_id),
    cmocka_unit_test(a_tag_is_another_in_another_era),
    cmocka_unit_test(a_trigger_id_is_no_call_id),
};

OD_TEST_MAIN(tests)
