#include "base/utf8.h"

#include "tests/support/od_test.h"

static void characters_of_every_length_are_decoded(void **state)
{
    static const struct {
        struct slice text;
        size_t length;
        uint32_t code_point;
    } rows[] = {
        {SLICE_INIT("\0"), 1, 0},
        {SLICE_INIT("a"), 1, 'a'},
        {SLICE_INIT("\x7f"), 1, 0x7f},
        {SLICE_INIT("\xc2\x80"), 2, 0x80},
        {SLICE_INIT("\xdf\xbf"), 2, 0x7ff},
        {SLICE_INIT("\xe0\xa0\x80"), 3, 0x800},
        {SLICE_INIT("\xed\x9f\xbf"), 3, 0xd7ff},
        {SLICE_INIT("\xee\x80\x80"), 3, 0xe000},
        {SLICE_INIT("\xef\xbf\xbf"), 3, 0xffff},
        {SLICE_INIT("\xf0\x90\x80\x80"), 4, 0x10000},
        {SLICE_INIT("\xf4\x8f\xbf\xbf"), 4, 0x10ffff},
        {SLICE_INIT("\xe2\x82\xac and more"), 3, 0x20ac},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t code_point = 0xdead;

        assert_int_equal(utf8_decode(rows[i].text, &code_point), rows[i].length);
        assert_int_equal(code_point, rows[i].code_point);
        assert_true(utf8_is_valid(rows[i].text));
    }
}

static void what_is_no_character_is_refused(void **state)
{
    static const struct slice rows[] = {
        SLICE_INIT("\x80"),             /* a continuation first */
        SLICE_INIT("\xbf"),             /* the same */
        SLICE_INIT("\xc0\x80"),         /* NUL, overlong */
        SLICE_INIT("\xc1\xbf"),         /* 7f, overlong */
        SLICE_INIT("\xc2"),             /* cut */
        SLICE_INIT("\xc2\x41"),         /* no continuation */
        SLICE_INIT("\xc2\xc2"),         /* the same */
        SLICE_INIT("\xe0\x9f\xbf"),     /* 7ff, overlong */
        SLICE_INIT("\xe2\x82"),         /* cut */
        SLICE_INIT("\xe2\x28\xa1"),     /* no continuation */
        SLICE_INIT("\xed\xa0\x80"),     /* the first surrogate */
        SLICE_INIT("\xed\xbf\xbf"),     /* the last surrogate */
        SLICE_INIT("\xf0\x8f\xbf\xbf"), /* ffff, overlong */
        SLICE_INIT("\xf0\x9f\x98"),     /* cut */
        SLICE_INIT("\xf4\x90\x80\x80"), /* 110000 */
        SLICE_INIT("\xf5\x80\x80\x80"), /* beyond */
        SLICE_INIT("\xff"),             /* never a byte of UTF-8 */
    };
    uint32_t code_point = 0xdead;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(utf8_decode(rows[i], &code_point), 0);
        assert_int_equal(code_point, 0xdead);
        assert_false(utf8_is_valid(rows[i]));
    }
    assert_int_equal(utf8_decode(SLICE(""), &code_point), 0);
}

static void every_code_point_is_valid_but_the_surrogates(void **state)
{
    (void)state;
    for (uint32_t c = 0x800; c <= 0xffff; c++) {
        char text[3] = {(char)(0xe0 | c >> 12), (char)(0x80 | (c >> 6 & 0x3f)),
                        (char)(0x80 | (c & 0x3f))};
        uint32_t code_point = 0;
        size_t length = utf8_decode(slice_make(text, sizeof(text)), &code_point);

        if (c >= 0xd800 && c <= 0xdfff) {
            assert_int_equal(length, 0);
        } else {
            assert_int_equal(length, 3);
            assert_int_equal(code_point, c);
        }
    }
}

static void a_text_is_valid_when_all_of_it_is(void **state)
{
    (void)state;
    assert_true(utf8_is_valid(SLICE("")));
    assert_true(utf8_is_valid(SLICE("Zoë, 東京, 😀")));
    assert_false(utf8_is_valid(SLICE("Zoë\xff")));
    assert_false(utf8_is_valid(SLICE("\xffZoë")));
}

static void length_counts_characters_and_stray_bytes(void **state)
{
    (void)state;
    assert_int_equal(utf8_length(SLICE("")), 0);
    assert_int_equal(utf8_length(SLICE("Zoë")), 3);
    assert_int_equal(utf8_length(SLICE("東京😀")), 3);
    assert_int_equal(utf8_length(SLICE("a\xff\xfe"
                                       "b")),
                     4);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(characters_of_every_length_are_decoded),
    cmocka_unit_test(what_is_no_character_is_refused),
    cmocka_unit_test(every_code_point_is_valid_but_the_surrogates),
    cmocka_unit_test(a_text_is_valid_when_all_of_it_is),
    cmocka_unit_test(length_counts_characters_and_stray_bytes),
};

OD_TEST_MAIN(tests)
