/* Keys are printed by their parts. */
#include "storage/key_text.h"

#include "tests/support/od_test.h"

static void assert_printed(enum table table, struct key key, const char *expected)
{
    char text[KEY_TEXT_SIZE];

    key_print(table, &key, text);
    assert_string_equal(text, expected);
}

static void parts_are_separated(void **state)
{
    struct uuid id = {{0x01, 0x90, [15] = 0xff}};

    (void)state;
    assert_printed(TABLE_ENTRY, key_entry(3, 17), "3/17");
    assert_printed(TABLE_CALL, key_call(3, 17, 2), "3/17/2");
    assert_printed(TABLE_DUE, key_due(3, 1000, 17), "3/1970-01-01T00:00:01.000Z/17");
    assert_printed(TABLE_TRIGGER, key_trigger(1, &id, 1000, 3, 4),
                   "1/01900000-0000-0000-0000-0000000000ff/1970-01-01T00:00:01.000Z/3/4");
    assert_printed(TABLE_MEMBERSHIP, key_membership(1, &id, 9),
                   "1/01900000-0000-0000-0000-0000000000ff/9");
    assert_printed(TABLE_CONTACT_BY_PHONE, key_owned_text(1, SLICE("+21260")), "1/+21260");
    assert_printed(TABLE_META, key_text(SLICE("store.id")), "store.id");
}

static void bytes_that_are_no_text_are_escaped(void **state)
{
    (void)state;
    assert_printed(TABLE_META, key_text(SLICE("a\x01\xc3")), "a\\x01\\xc3");
}

static void keys_of_a_wrong_size_are_hexadecimal(void **state)
{
    (void)state;
    assert_printed(TABLE_ENTRY, key_u32(1), "00000001");
    assert_printed(TABLE_CONTACT_BY_PHONE, (struct key){.size = 2, .bytes = {1, 2}}, "0102");
    assert_printed(TABLE_ENTRY, key_empty(), "");
}

static void every_table_knows_its_key(void **state)
{
    struct key longest = {.size = KEY_BYTES_MAX};
    char text[KEY_TEXT_SIZE];

    (void)state;
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        memset(longest.bytes, 0xff, sizeof(longest.bytes));
        key_print((enum table)table, &longest, text);
        assert_true(strlen(text) >= (size_t)2 * KEY_BYTES_MAX);
    }
    assert_true(key_fits(TABLE_CALL, &(struct key){.size = 10}));
    assert_false(key_fits(TABLE_CALL, &(struct key){.size = 11}));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(parts_are_separated),
    cmocka_unit_test(bytes_that_are_no_text_are_escaped),
    cmocka_unit_test(keys_of_a_wrong_size_are_hexadecimal),
    cmocka_unit_test(every_table_knows_its_key),
};
OD_TEST_MAIN(tests)
