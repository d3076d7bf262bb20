/* Pseudonyms: numbers stay numbers and stay apart, names go, dates stay. */
#include "traces/pseudonym.h"

#include <stdio.h>
#include <string.h>

#include "model/records.h"
#include "tests/support/od_test.h"
#include "traces/shape.h"

static int setup(void **state)
{
    struct pseudonyms *p = test_calloc(1, sizeof(*p));

    pseudonyms_init(p);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    pseudonyms_deinit(*state);
    test_free(*state);
    return 0;
}

static struct slice text_of(struct pseudonyms *p, uint8_t privacy, struct slice text)
{
    return *(const struct slice *)pseudonym_of(p, privacy, &text);
}

/* Every number of four digits becomes another one of four digits, and none comes twice. */
static void the_numbers_are_permuted(void **state)
{
    static bool seen[10000];
    struct pseudonyms *p = *state;
    unsigned same = 0;

    memset(seen, 0, sizeof(seen));
    for (unsigned n = 1000; n < 10000; n++) {
        char text[8], out[8];
        unsigned to = 0;

        (void)snprintf(text, sizeof(text), "%u", n);
        pseudonym_digits(p, slice_make(text, 4), out);
        for (unsigned i = 0; i < 4; i++) {
            assert_in_range(out[i], '0', '9');
            to = 10 * to + (unsigned)(out[i] - '0');
        }
        assert_in_range(to, 1000, 9999);
        assert_false(seen[to]);
        seen[to] = true;
        same += to == n;
    }
    assert_true(same < 20); /* one is expected by chance */
}

static void a_phone_number_keeps_its_form(void **state)
{
    struct pseudonyms *p = *state;

    for (unsigned i = 0; i < 1000; i++) {
        char text[20];
        int size = snprintf(text, sizeof(text), "+%u%0*u", 1 + i % 9, (int)(6 + i % 9), i);
        struct slice number = slice_make(text, (size_t)size);
        struct slice told = text_of(p, PRIVACY_PHONE, number);

        assert_int_equal(told.size, number.size);
        assert_int_equal(told.data[0], '+');
        assert_in_range(told.data[1], '1', '9');
        assert_true(slice_equal(told, text_of(p, PRIVACY_PHONE, number)));
        pseudonyms_forget(p);
    }
    assert_int_equal(text_of(p, PRIVACY_PHONE, SLICE("")).size, 0);
}

static void names_become_hashes(void **state)
{
    struct pseudonyms *p = *state;
    struct slice amina = text_of(p, PRIVACY_TEXT, SLICE("Amina"));

    assert_int_equal(amina.size, PSEUDONYM_TEXT_SIZE);
    assert_true(slice_equal(amina, text_of(p, PRIVACY_TEXT, SLICE("Amina"))));
    assert_false(slice_equal(amina, text_of(p, PRIVACY_TEXT, SLICE("Amine"))));
    assert_int_equal(text_of(p, PRIVACY_TEXT, SLICE("")).size, 0);
}

static void another_trace_has_other_pseudonyms(void **state)
{
    struct pseudonyms *p = *state, other;

    pseudonyms_init(&other);
    assert_false(slice_equal(text_of(p, PRIVACY_TEXT, SLICE("Amina")),
                             text_of(&other, PRIVACY_TEXT, SLICE("Amina"))));
    assert_false(slice_equal(text_of(p, PRIVACY_PHONE, SLICE("+212600000001")),
                             text_of(&other, PRIVACY_PHONE, SLICE("+212600000001"))));
    pseudonyms_deinit(&other);
}

static void dates_stay_and_other_values_go(void **state)
{
    struct pseudonyms *p = *state;

    assert_true(slice_equal_text(text_of(p, PRIVACY_VALUE, SLICE("1990-01-05")), "1990-01-05"));
    assert_true(slice_equal_text(text_of(p, PRIVACY_VALUE, SLICE("2026-01-05T10:00:00+01:00")),
                                 "2026-01-05T10:00:00+01:00"));
    assert_int_equal(text_of(p, PRIVACY_VALUE, SLICE("1990-13-05")).data[0], 'x');
}

static void numbers_within_a_text_are_replaced(void **state)
{
    struct pseudonyms *p = *state;
    struct slice text = SLICE("486 to 212600000001 at 123456, 0001234567, 12345678901234567890123");
    struct slice told = text_of(p, PRIVACY_FREE, text);
    char number[12];

    assert_int_equal(told.size, text.size);
    assert_memory_equal(told.data, "486 to ", 7);
    pseudonym_digits(p, SLICE("212600000001"), number);
    assert_memory_equal(told.data + 7, number, 12); /* the number's own pseudonym */
    assert_memory_equal(told.data + 19, " at 123456, 000", 15);
    assert_memory_not_equal(told.data + 34, "1234567", 7);
}

static void attributes_of_type_string_go(void **state)
{
    static const struct attribute_value values[] = {
        {.name = SLICE_INIT("a"), .type = ATTRIBUTE_STRING, .text = SLICE_INIT("Casablanca")},
        {.name = SLICE_INIT("b"), .type = ATTRIBUTE_DATE, .text = SLICE_INIT("1990-01-05")},
        {.name = SLICE_INIT("c"), .type = ATTRIBUTE_NUMBER, .number = 2},
    };
    const struct record_list list = {values, 3};
    const struct record_list *told = pseudonym_of(*state, PRIVACY_ATTRIBUTES, &list);
    const struct attribute_value *out = told->items;

    assert_int_equal(told->count, 3);
    assert_int_equal(out[0].text.data[0], 'x');
    assert_true(slice_equal_text(out[0].name, "a"));
    assert_true(slice_equal_text(out[1].text, "1990-01-05"));
    assert_true(out[2].number == 2);
}

static void numbers_of_a_pool_and_hashes_go(void **state)
{
    static const struct pool_did dids[] = {{.number = SLICE_INIT("+212520000001")}};
    static const uint8_t hash[KEY_HASH_BYTES] = {1}, none[KEY_HASH_BYTES];
    const struct record_list list = {dids, 1};
    const struct record_list *told = pseudonym_of(*state, PRIVACY_POOL, &list);

    assert_false(slice_equal(((const struct pool_did *)told->items)[0].number, dids[0].number));
    assert_memory_not_equal(pseudonym_of(*state, PRIVACY_HASH, hash), hash, sizeof(hash));
    assert_memory_equal(pseudonym_of(*state, PRIVACY_HASH, none), none, sizeof(none));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    TEST(the_numbers_are_permuted),
    TEST(a_phone_number_keeps_its_form),
    TEST(names_become_hashes),
    TEST(another_trace_has_other_pseudonyms),
    TEST(dates_stay_and_other_values_go),
    TEST(numbers_within_a_text_are_replaced),
    TEST(attributes_of_type_string_go),
    TEST(numbers_of_a_pool_and_hashes_go),
};
OD_TEST_MAIN(tests)
