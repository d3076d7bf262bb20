/* Cursors. Walking pages is tested with the daemon. */
#include "api/page.h"

#include <string.h>

#include "tests/support/od_test.h"

static const uint8_t secret[32] = {1, 2, 3};

static struct slice suffix_of(const struct key *key)
{
    return slice_make((const char *)key->bytes, key->size);
}

static void a_cursor_gives_back_what_it_was_made_of(void **state)
{
    struct key prefix = key_u32(7);

    (void)state;
    for (unsigned size = 0; size <= KEY_BYTES_MAX - 4; size++) {
        char text[PAGE_CURSOR_TEXT_SIZE];
        struct key suffix = {.size = (uint8_t)size};
        struct key back;

        for (unsigned i = 0; i < size; i++) {
            suffix.bytes[i] = (uint8_t)(i * 37 + size);
        }
        page_cursor_print(secret, TABLE_CONTACT, &prefix, suffix_of(&suffix), text);
        assert_int_equal(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                      "0123456789-_"),
                         strlen(text));
        assert_true(page_cursor_parse(secret, TABLE_CONTACT, &prefix, slice_from(text), &back));
        assert_int_equal(key_compare(&back, &suffix), 0);
    }
}

static void a_cursor_is_good_for_its_own_list_only(void **state)
{
    static const uint8_t other_secret[32] = {1, 2, 4};
    struct key prefix = key_u32(7);
    struct key other_prefix = key_u32(8);
    struct key suffix = key_u32(99);
    char text[PAGE_CURSOR_TEXT_SIZE];
    struct slice cursor;
    struct key back;

    (void)state;
    page_cursor_print(secret, TABLE_CONTACT, &prefix, suffix_of(&suffix), text);
    cursor = slice_from(text);
    assert_true(page_cursor_parse(secret, TABLE_CONTACT, &prefix, cursor, &back));
    assert_false(page_cursor_parse(secret, TABLE_AUDIENCE, &prefix, cursor, &back));
    assert_false(page_cursor_parse(secret, TABLE_CONTACT, &other_prefix, cursor, &back));
    assert_false(page_cursor_parse(other_secret, TABLE_CONTACT, &prefix, cursor, &back));
}

/* The last character of a base64 text has bits that say nothing; setting one of them makes a text
 * that is refused, not a second name of the same cursor. */
static void a_changed_cursor_is_refused(void **state)
{
    struct key prefix = key_u32(7);
    struct key suffix = key_empty();
    char text[PAGE_CURSOR_TEXT_SIZE];
    struct key back;
    size_t size;

    (void)state;
    key_add_u64(&suffix, UINT64_C(0x0123456789abcdef));
    page_cursor_print(secret, TABLE_CONTACT, &prefix, suffix_of(&suffix), text);
    size = strlen(text);
    for (size_t i = 0; i < size; i++) {
        char was = text[i];

        text[i] = was == 'A' ? 'B' : 'A';
        assert_false(
            page_cursor_parse(secret, TABLE_CONTACT, &prefix, slice_make(text, size), &back));
        text[i] = was;
    }
    for (size_t i = 0; i < size; i++) {
        assert_false(page_cursor_parse(secret, TABLE_CONTACT, &prefix, slice_make(text, i), &back));
    }
}

static void what_is_no_cursor_is_refused(void **state)
{
    static const char *const texts[] = {
        "", "a", "=", "!!!!!!!!!!!!!!!!!!!!!!!!", "AAAAAAAAAAAAAAAAAAAAAAA=", "/+", " "};
    char long_text[4000];
    struct key prefix = key_u32(7);
    struct key back;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_false(
            page_cursor_parse(secret, TABLE_CONTACT, &prefix, slice_from(texts[i]), &back));
    }
    memset(long_text, 'A', sizeof(long_text));
    for (size_t size = 0; size <= sizeof(long_text); size += 1 + size / 7) {
        assert_false(
            page_cursor_parse(secret, TABLE_CONTACT, &prefix, slice_make(long_text, size), &back));
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_cursor_gives_back_what_it_was_made_of),
    cmocka_unit_test(a_cursor_is_good_for_its_own_list_only),
    cmocka_unit_test(a_changed_cursor_is_refused),
    cmocka_unit_test(what_is_no_cursor_is_refused),
};

OD_TEST_MAIN(tests)
