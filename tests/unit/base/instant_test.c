#include "base/instant.h"

#include <limits.h>
#include <string.h>

#include "base/hash.h"
#include "tests/support/od_test.h"

static void accepted_texts_have_their_instant(void **state)
{
    static const struct {
        const char *text;
        int64_t at;
    } rows[] = {
        {"1970-01-01T00:00Z", 0},
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00.001Z", 1},
        {"1970-01-01T00:00:01.5Z", 1500},
        {"1970-01-01T01:00:00+01:00", 0},
        {"1970-01-01T00:00:00-00:00", 0},
        {"1970-01-01T00:00:00-23:59", 23 * MS_PER_HOUR + 59 * MS_PER_MINUTE},
        {"1970-01-02T00:00:00+23:59", MS_PER_MINUTE},
        {"2026-11-23T20:53:57.123Z", INT64_C(1795467237123)},
        {"2026-11-23T21:53:57.123+01:00", INT64_C(1795467237123)},
        {"2026-11-23T21:53:57.123+0100", INT64_C(1795467237123)},
        {"2026-11-23T21:53:57.123+01", INT64_C(1795467237123)},
        {"2026-11-23T15:23:57.123-05:30", INT64_C(1795467237123)},
        {"2026-11-24T10:38:57.123+13:45", INT64_C(1795467237123)},
        {"2000-02-29T00:00Z", INT64_C(951782400000)},
        {"2024-02-29T23:59:59.999Z", INT64_C(1709251199999)},
        {"2038-01-19T03:14:08Z", INT64_C(2147483648000)},
        {"9999-12-31T23:59:59.999Z", INSTANT_MAX},
        {"9999-12-31T23:59:59.999+00:01", INSTANT_MAX - MS_PER_MINUTE},
        /* Behind the milliseconds digits are dropped, not rounded. */
        {"1970-01-01T00:00:00.0009Z", 0},
        {"1970-01-01T00:00:00.9999999999999999999999Z", 999},
        {"1970-01-01T00:00:00.12Z", 120},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t at = -1;

        if (!instant_parse(slice_from(rows[i].text), &at) || at != rows[i].at) {
            fail_msg("%s is %lld", rows[i].text, (long long)at);
        }
    }
}

static void other_texts_are_refused(void **state)
{
    static const struct slice rows[] = {
        SLICE_INIT(""),
        SLICE_INIT("2026"),
        SLICE_INIT("2026-11-23"),
        SLICE_INIT("2026-11-23T20:53:57"),           /* no offset */
        SLICE_INIT("2026-11-23T20:53:57.123"),       /* no offset */
        SLICE_INIT("2026-11-23t20:53:57Z"),          /* lower case */
        SLICE_INIT("2026-11-23T20:53:57z"),          /* lower case */
        SLICE_INIT("2026-11-23 20:53:57Z"),          /* a space */
        SLICE_INIT("2026-11-23T20:53:57 Z"),         /* a space */
        SLICE_INIT(" 2026-11-23T20:53:57Z"),         /* a space */
        SLICE_INIT("2026-11-23T20:53:57Z "),         /* a space */
        SLICE_INIT("2026-11-23T20:53:57Z\0"),        /* a NUL */
        SLICE_INIT("2026-11-23T20:53:57ZZ"),         /* twice */
        SLICE_INIT("2026-11-23T20Z"),                /* no minutes */
        SLICE_INIT("2026-11-23T20:53:Z"),            /* no seconds */
        SLICE_INIT("2026-11-23T20:53:5Z"),           /* one digit */
        SLICE_INIT("2026-11-23T20:53:57.Z"),         /* no fraction */
        SLICE_INIT("2026-11-23T20:53:57,1Z"),        /* a comma */
        SLICE_INIT("2026-11-23T20:53.5Z"),           /* a fraction of a minute */
        SLICE_INIT("2026-11-23T24:00:00Z"),          /* hour 24 */
        SLICE_INIT("2026-11-23T20:60:00Z"),          /* minute 60 */
        SLICE_INIT("2016-12-31T23:59:60Z"),          /* a leap second */
        SLICE_INIT("2026-00-23T20:53:57Z"),          /* month 0 */
        SLICE_INIT("2026-13-23T20:53:57Z"),          /* month 13 */
        SLICE_INIT("2026-11-00T20:53:57Z"),          /* day 0 */
        SLICE_INIT("2026-11-31T20:53:57Z"),          /* no such day */
        SLICE_INIT("2023-02-29T00:00:00Z"),          /* no leap year */
        SLICE_INIT("2100-02-29T00:00:00Z"),          /* no leap year */
        SLICE_INIT("1969-12-31T23:59:59Z"),          /* before 1970 */
        SLICE_INIT("1969-12-31T23:59:59-01:00"),     /* before 1970 as written */
        SLICE_INIT("1970-01-01T00:59:59+01:00"),     /* before 1970 in UTC */
        SLICE_INIT("9999-12-31T23:59:59.999-00:01"), /* year 10000 in UTC */
        SLICE_INIT("10000-01-01T00:00:00Z"),         /* five digits */
        SLICE_INIT("+2026-11-23T20:53:57Z"),         /* a sign */
        SLICE_INIT("-026-11-23T20:53:57Z"),          /* a sign */
        SLICE_INIT("20261123T205357Z"),              /* the basic format */
        SLICE_INIT("2026-W48-1T20:53:57Z"),          /* a week date */
        SLICE_INIT("2026-327T20:53:57Z"),            /* an ordinal date */
        SLICE_INIT("2026-11-23T20:53:57+1:00"),      /* offset: one digit */
        SLICE_INIT("2026-11-23T20:53:57+01:"),       /* offset: no minutes */
        SLICE_INIT("2026-11-23T20:53:57+010"),       /* offset: three digits */
        SLICE_INIT("2026-11-23T20:53:57+01:60"),     /* offset: minute 60 */
        SLICE_INIT("2026-11-23T20:53:57+24:00"),     /* offset: hour 24 */
        SLICE_INIT("2026-11-23T20:53:57+01:00Z"),    /* two offsets */
        SLICE_INIT("2026-11-23T20:53:57\xe2\x88\x92"
                   "01:00"),                /* U+2212 for the minus */
        SLICE_INIT("2O26-11-23T20:53:57Z"), /* the letter O */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t at = 42;

        if (instant_parse(rows[i], &at) || at != 42) {
            fail_msg("%.*s is %lld", SLICE_ARGS(rows[i]), (long long)at);
        }
    }
}

static void every_beginning_of_a_text_is_refused(void **state)
{
    struct slice text = SLICE("2026-11-23T20:53:57.123Z");
    int64_t at;

    (void)state;
    for (size_t size = 0; size < text.size; size++) {
        /* A copy of that size, so that a read beyond its end is seen. */
        char *copy = test_malloc(size + 1);

        memcpy(copy + 1, text.data, size);
        assert_false(instant_parse(slice_make(copy + 1, size), &at));
        test_free(copy);
    }
    assert_true(instant_parse(text, &at));
}

static void a_time_before_1970_is_read_where_any_may_come(void **state)
{
    static const struct {
        struct slice text;
        int64_t at;
    } rows[] = {
        {SLICE_INIT("1969-12-31T23:59:59.999Z"), -1},
        {SLICE_INIT("1970-01-01T00:59:59+01:00"), -1000},
        {SLICE_INIT("1960-02-29T10:00:00Z"), -3594 * MS_PER_DAY + 10 * MS_PER_HOUR},
        {SLICE_INIT("0001-01-01T00:00:00Z"), -719162 * MS_PER_DAY},
        {SLICE_INIT("2026-11-23T20:53:57.123Z"), INT64_C(1795467237123)},
        {SLICE_INIT("9999-12-31T23:59:59.999Z"), INSTANT_MAX},
    };
    static const struct slice refused[] = {
        SLICE_INIT("0001-01-01T00:00:00+00:01"),     SLICE_INIT("0000-12-31T23:59:59-01:00"),
        SLICE_INIT("9999-12-31T23:59:59.999-00:01"), SLICE_INIT("1960-02-30T10:00:00Z"),
        SLICE_INIT("1960-02-29T10:00:00"),           SLICE_INIT("1960-02-29"),
    };
    int64_t at = 42;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(instant_parse_any(rows[i].text, &at));
        assert_true(at == rows[i].at);
    }
    at = 42;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        assert_false(instant_parse_any(refused[i], &at));
        assert_true(at == 42);
    }
}

static void instants_are_printed_in_utc_with_milliseconds(void **state)
{
    static const struct {
        int64_t at;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {INT64_C(1795467237123), "2026-11-23T20:53:57.123Z"},
        {INSTANT_MAX, "9999-12-31T23:59:59.999Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {-MS_PER_DAY, "1969-12-31T00:00:00.000Z"},
        {-INT64_C(62167219200000), "0000-01-01T00:00:00.000Z"},
        /* What has no text is printed as the nearest that has one. */
        {-INT64_C(62167219200001), "0000-01-01T00:00:00.000Z"},
        {INT64_MIN, "0000-01-01T00:00:00.000Z"},
        {INSTANT_MAX + 1, "9999-12-31T23:59:59.999Z"},
        {INT64_MAX - 1, "9999-12-31T23:59:59.999Z"},
        {INSTANT_NEVER, "never"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[INSTANT_TEXT_SIZE];

        instant_print(rows[i].at, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void printed_instants_are_read_back(void **state)
{
    struct prng prng;

    (void)state;
    prng_seed(&prng, 1);
    for (int i = 0; i < 200000; i++) {
        int64_t at = (int64_t)prng_below(&prng, (uint64_t)INSTANT_MAX + 1);
        char text[INSTANT_TEXT_SIZE];
        int64_t again;

        instant_print(at, text);
        assert_true(instant_parse(slice_from(text), &again));
        assert_true(again == at);
    }
}

static void dates_of_the_calendar_are_read_as_days(void **state)
{
    static const struct {
        const char *text;
        int32_t days;
    } rows[] = {
        {"1970-01-01", 0},       {"1970-01-02", 1},       {"1969-12-31", -1},
        {"2000-02-29", 11016},   {"2000-03-01", 11017},   {"1900-02-28", -25509},
        {"1900-03-01", -25508},  {"2026-11-23", 20780},   {"0001-01-01", -719162},
        {"9999-12-31", 2932896}, {"1600-02-29", -135081},
    };
    static const struct slice refused[] = {
        SLICE_INIT(""),           SLICE_INIT("0000-01-01"),  SLICE_INIT("1900-02-29"),
        SLICE_INIT("2023-02-29"), SLICE_INIT("2026-04-31"),  SLICE_INIT("2026-06-31"),
        SLICE_INIT("2026-01-32"), SLICE_INIT("2026-00-01"),  SLICE_INIT("2026-13-01"),
        SLICE_INIT("2026-1-1"),   SLICE_INIT("2026-11-23T"), SLICE_INIT("2026-11-23 "),
        SLICE_INIT("20261123"),   SLICE_INIT("2026/11/23"),  SLICE_INIT("2026-11-2x"),
        SLICE_INIT("26-11-23"),   SLICE_INIT("2026-11-23Z"), SLICE_INIT("-001-01-01"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int32_t days = 42;

        assert_true(instant_parse_date(slice_from(rows[i].text), &days));
        assert_int_equal(days, rows[i].days);
    }
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        int32_t days = 42;

        assert_false(instant_parse_date(refused[i], &days));
        assert_int_equal(days, 42);
    }
}

/* Walks through all days of 1600 years and counts dates as a person does. */
static void days_and_dates_agree_day_by_day(void **state)
{
    int64_t days = -719528;
    unsigned weekday = 6; /* 0000-01-01 was a Saturday */

    (void)state;
    for (int year = 0; year < 1600; year++) {
        for (unsigned month = 1; month <= 12; month++) {
            for (unsigned day = 1; day <= days_of_month(year, month); day++) {
                int got_year;
                unsigned got_month;
                unsigned got_day;

                assert_true(days_from_civil(year, month, day) == days);
                civil_from_days(days, &got_year, &got_month, &got_day);
                assert_int_equal(got_year, year);
                assert_int_equal(got_month, month);
                assert_int_equal(got_day, day);
                assert_int_equal(weekday_from_days(days), weekday);
                days++;
                weekday = (weekday + 1) % 7;
            }
        }
    }
    assert_true(days == days_from_civil(1600, 1, 1));
}

static void eras_repeat_before_and_after(void **state)
{
    (void)state;
    for (int era = -20; era <= 20; era++) {
        int year;
        unsigned month;
        unsigned day;

        assert_true(days_from_civil(2000 + 400 * era, 2, 29) == 11016 + INT64_C(146097) * era);
        civil_from_days(11016 + INT64_C(146097) * era, &year, &month, &day);
        assert_int_equal(year, 2000 + 400 * era);
        assert_int_equal(month, 2);
        assert_int_equal(day, 29);
        assert_int_equal(weekday_from_days(11016 + INT64_C(146097) * era), 2);
    }
    assert_true(days_from_civil(INT_MAX, 12, 31) > 0);
    assert_true(days_from_civil(INT_MIN, 1, 1) < 0);
}

static void leap_years_have_a_29th_of_february(void **state)
{
    static const struct {
        int year;
        unsigned days;
    } rows[] = {{1600, 29}, {1700, 28}, {1900, 28}, {2000, 29}, {2023, 28},
                {2024, 29}, {2100, 28}, {2400, 29}, {0, 29},    {-4, 29}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(days_of_month(rows[i].year, 2), rows[i].days);
    }
    assert_int_equal(days_of_month(2026, 1), 31);
    assert_int_equal(days_of_month(2026, 4), 30);
    assert_int_equal(days_of_month(2026, 12), 31);
}

static void known_days_have_their_weekday(void **state)
{
    static const struct {
        int year;
        unsigned month;
        unsigned day;
        unsigned weekday;
    } rows[] = {{1970, 1, 1, 4},   {1969, 12, 31, 3}, {2000, 1, 1, 6},  {2026, 11, 22, 0},
                {2026, 11, 23, 1}, {1582, 10, 15, 5}, {9999, 12, 31, 5}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t days = days_from_civil(rows[i].year, rows[i].month, rows[i].day);

        assert_int_equal(weekday_from_days(days), rows[i].weekday);
    }
}

static void sums_stay_within_the_range(void **state)
{
    static const struct {
        int64_t at;
        int64_t delta;
        int64_t sum;
    } rows[] = {
        {0, 0, 0},
        {1000, -2000, -1000},
        {INT64_MAX - 1, 1, INSTANT_NEVER},
        {INT64_MAX - 1, INT64_MAX, INSTANT_NEVER},
        {1, INT64_MAX, INSTANT_NEVER},
        {INSTANT_NEVER, 1, INSTANT_NEVER},
        {INSTANT_NEVER, -1, INSTANT_NEVER},
        {INSTANT_NEVER, INT64_MIN, INSTANT_NEVER},
        {INT64_MIN, -1, INT64_MIN},
        {-1, INT64_MIN, INT64_MIN},
        {INT64_MIN, INT64_MAX, -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(instant_add(rows[i].at, rows[i].delta) == rows[i].sum);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(accepted_texts_have_their_instant),
    cmocka_unit_test(other_texts_are_refused),
    cmocka_unit_test(every_beginning_of_a_text_is_refused),
    cmocka_unit_test(a_time_before_1970_is_read_where_any_may_come),
    cmocka_unit_test(instants_are_printed_in_utc_with_milliseconds),
    cmocka_unit_test(printed_instants_are_read_back),
    cmocka_unit_test(dates_of_the_calendar_are_read_as_days),
    cmocka_unit_test(days_and_dates_agree_day_by_day),
    cmocka_unit_test(eras_repeat_before_and_after),
    cmocka_unit_test(leap_years_have_a_29th_of_february),
    cmocka_unit_test(known_days_have_their_weekday),
    cmocka_unit_test(sums_stay_within_the_range),
};

OD_TEST_MAIN(tests)
