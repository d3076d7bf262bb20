/* What values an attribute may have, type by type. */
#include "model/attribute.h"

#include "tests/support/od_test.h"

static struct attribute_value text(const char *words)
{
    return (struct attribute_value){.type = ATTRIBUTE_STRING, .text = slice_from(words)};
}

static void each_type_takes_its_own_values(void **state)
{
    const struct attribute_value number = {.type = ATTRIBUTE_NUMBER, .number = 1.5};
    const struct attribute_value boolean = {.type = ATTRIBUTE_BOOLEAN, .boolean = true};
    const struct attribute_value word = text("Dar");

    (void)state;
    assert_null(attribute_fault(ATTRIBUTE_NUMBER, &number));
    assert_null(attribute_fault(ATTRIBUTE_BOOLEAN, &boolean));
    assert_null(attribute_fault(ATTRIBUTE_STRING, &word));
    assert_string_equal(attribute_fault(ATTRIBUTE_STRING, &number), "must be a string");
    assert_string_equal(attribute_fault(ATTRIBUTE_NUMBER, &word), "must be a number");
    assert_string_equal(attribute_fault(ATTRIBUTE_BOOLEAN, &number), "must be a boolean");
}

static void a_date_is_a_day_or_a_time_with_an_offset(void **state)
{
    static const char *const good[] = {"2026-11-23", "2026-11-23T20:53:57Z",
                                       "2026-11-23T20:53:57.123+01:00", "1960-02-29T10:00:00Z"};
    static const char *const bad[] = {"", "tomorrow", "2026-02-30", "2026-11-23T20:53:57"};
    const struct attribute_value number = {.type = ATTRIBUTE_NUMBER, .number = 20261123};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        const struct attribute_value value = text(good[i]);

        assert_null(attribute_fault(ATTRIBUTE_DATE, &value));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct attribute_value value = text(bad[i]);

        assert_non_null(attribute_fault(ATTRIBUTE_DATE, &value));
    }
    assert_non_null(attribute_fault(ATTRIBUTE_DATE, &number));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_type_takes_its_own_values),
    cmocka_unit_test(a_date_is_a_day_or_a_time_with_an_offset),
};

OD_TEST_MAIN(tests)
