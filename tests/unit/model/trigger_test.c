/* api.md, "Trigger condition": a row is a sentence. */
#include "model/trigger.h"

#include "base/instant.h"
#include "model/calendar.h"
#include "tests/support/od_test.h"

#define HOUR 3600

/* Brussels from 2026 to 2028, written by hand. */
static const struct zone_change brussels_changes[] = {
    {INT64_MIN, HOUR},
    {INT64_C(1774746000000), 2 * HOUR}, /* 2026-03-29T01:00:00Z */
    {INT64_C(1792890000000), HOUR},     /* 2026-10-25T01:00:00Z */
    {INT64_C(1806195600000), 2 * HOUR}, /* 2027-03-28T01:00:00Z */
    {INT64_C(1824944400000), HOUR},     /* 2027-10-31T01:00:00Z */
};
static const struct zone_table brussels = {"Europe/Brussels", brussels_changes, 5, INSTANT_MAX};

static const struct zone_change tokyo_changes[] = {{INT64_MIN, 9 * HOUR}};
static const struct zone_table tokyo = {"Asia/Tokyo", tokyo_changes, 1, INSTANT_MAX};

enum { NO_TIME = -1 };

/* `since` is 2026-11-23T09:00:00Z where nothing else is said. */
static const struct {
    const char *sentence;
    const struct zone_table *zone;
    const char *value;
    int32_t offset_minutes;
    int minute_of_day; /* or NO_TIME */
    enum recurrence recurrence;
    const char *since, *due; /* NULL: none */
} cases[] = {
    {"a date is midnight", &calendar_utc, "2026-12-01", 0, NO_TIME, RECURRENCE_ONCE, NULL,
     "2026-12-01T00:00:00Z"},
    {"a date is local midnight", &tokyo, "2026-12-01", 0, NO_TIME, RECURRENCE_ONCE, NULL,
     "2026-11-30T15:00:00Z"},
    {"in summer, too", &brussels, "2026-07-01", 0, NO_TIME, RECURRENCE_ONCE, NULL,
     "2026-06-30T22:00:00Z"},
    {"a full time is an instant", &brussels, "2026-12-01T10:30:00+05:00", 0, NO_TIME,
     RECURRENCE_ONCE, NULL, "2026-12-01T05:30:00Z"},
    {"once is due whenever it was", &calendar_utc, "1999-01-01", 0, NO_TIME, RECURRENCE_ONCE, NULL,
     "1999-01-01T00:00:00Z"},
    {"before 1970, too", &tokyo, "1960-02-29T22:00:00Z", 0, NO_TIME, RECURRENCE_ONCE, NULL,
     "1960-02-29T22:00:00Z"},
    {"and year by year", &tokyo, "1960-02-29T22:00:00Z", 0, NO_TIME, RECURRENCE_YEARLY, NULL,
     "2027-02-28T22:00:00Z"},
    {"minutes later", &calendar_utc, "2026-12-01", 61, NO_TIME, RECURRENCE_ONCE, NULL,
     "2026-12-01T01:01:00Z"},
    {"a year earlier", &calendar_utc, "2026-12-01", -525600, NO_TIME, RECURRENCE_ONCE, NULL,
     "2025-12-01T00:00:00Z"},
    {"minutes are of time, not of the wall", &brussels, "2027-03-28", 180, NO_TIME, RECURRENCE_ONCE,
     NULL, "2027-03-28T02:00:00Z"},
    {"that local day at that local time", &tokyo, "2026-12-01", 0, 555, RECURRENCE_ONCE, NULL,
     "2026-12-01T00:15:00Z"},
    {"the day is the local one", &tokyo, "2026-12-01T20:00:00Z", 0, 0, RECURRENCE_ONCE, NULL,
     "2026-12-01T15:00:00Z"},
    {"an offset within the day changes nothing", &calendar_utc, "2026-12-01", 1439, 540,
     RECURRENCE_ONCE, NULL, "2026-12-01T09:00:00Z"},
    {"an offset of a day does", &calendar_utc, "2026-12-01", 1440, 540, RECURRENCE_ONCE, NULL,
     "2026-12-02T09:00:00Z"},
    {"and one back", &calendar_utc, "2026-12-01", -1, 540, RECURRENCE_ONCE, NULL,
     "2026-11-30T09:00:00Z"},
    {"a time that does not occur is an hour later", &brussels, "2027-03-28", 0, 150,
     RECURRENCE_ONCE, NULL, "2027-03-28T01:30:00Z"},
    {"of two the first", &brussels, "2026-10-25", 0, 150, RECURRENCE_ONCE, NULL,
     "2026-10-25T00:30:00Z"},

    {"the next anniversary", &calendar_utc, "1990-12-24", 0, NO_TIME, RECURRENCE_YEARLY, NULL,
     "2026-12-24T00:00:00Z"},
    {"next year's when this year's is past", &calendar_utc, "1990-11-23", 0, NO_TIME,
     RECURRENCE_YEARLY, NULL, "2027-11-23T00:00:00Z"},
    {"this very instant is not past", &calendar_utc, "1990-11-23", 0, 540, RECURRENCE_YEARLY, NULL,
     "2026-11-23T09:00:00Z"},
    {"a millisecond later it is", &calendar_utc, "1990-11-23", 0, 540, RECURRENCE_YEARLY,
     "2026-11-23T09:00:00.001Z", "2027-11-23T09:00:00Z"},
    {"the date itself is the first", &calendar_utc, "2031-02-03", 0, NO_TIME, RECURRENCE_YEARLY,
     NULL, "2031-02-03T00:00:00Z"},
    {"a date before 1970", &calendar_utc, "1931-02-03", 0, NO_TIME, RECURRENCE_YEARLY, NULL,
     "2027-02-03T00:00:00Z"},
    {"29 February in another year", &calendar_utc, "2000-02-29", 0, NO_TIME, RECURRENCE_YEARLY,
     NULL, "2027-02-28T00:00:00Z"},
    {"29 February in a leap year", &calendar_utc, "2000-02-29", 0, NO_TIME, RECURRENCE_YEARLY,
     "2027-02-28T00:00:00.001Z", "2028-02-29T00:00:00Z"},
    {"2100 is none", &calendar_utc, "2000-02-29", 0, NO_TIME, RECURRENCE_YEARLY,
     "2099-03-01T00:00:00Z", "2100-02-28T00:00:00Z"},
    {"28 February stays", &calendar_utc, "2001-02-28", 0, NO_TIME, RECURRENCE_YEARLY,
     "2027-12-01T00:00:00Z", "2028-02-28T00:00:00Z"},
    {"an offset into the next year", &calendar_utc, "1990-12-31", 1440, NO_TIME, RECURRENCE_YEARLY,
     NULL, "2027-01-01T00:00:00Z"},
    {"out of the year before", &calendar_utc, "1990-12-31", 1440, NO_TIME, RECURRENCE_YEARLY,
     "2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z"},
    {"an offset into the year before", &calendar_utc, "1990-01-01", -1440, NO_TIME,
     RECURRENCE_YEARLY, NULL, "2026-12-31T00:00:00Z"},
    {"a whole year back", &calendar_utc, "1990-11-24", -525600, NO_TIME, RECURRENCE_YEARLY, NULL,
     "2026-11-24T00:00:00Z"},
    {"a whole year on", &calendar_utc, "1990-11-24", 525600, NO_TIME, RECURRENCE_YEARLY, NULL,
     "2026-11-24T00:00:00Z"},
    {"the wall clock's time of a full time", &brussels, "2026-07-01T18:00:00Z", 0, NO_TIME,
     RECURRENCE_YEARLY, NULL, "2027-07-01T18:00:00Z"},
    {"whatever the season of the year", &brussels, "2026-01-01T18:00:00Z", 0, NO_TIME,
     RECURRENCE_YEARLY, NULL, "2027-01-01T18:00:00Z"},
    {"the year turns at local midnight", &tokyo, "1990-01-01", 0, NO_TIME, RECURRENCE_YEARLY, NULL,
     "2026-12-31T15:00:00Z"},

    {"no value", &calendar_utc, "", 0, NO_TIME, RECURRENCE_ONCE, NULL, NULL},
    {"no date", &calendar_utc, "2026-02-30", 0, NO_TIME, RECURRENCE_ONCE, NULL, NULL},
    {"beyond the last instant", &calendar_utc, "9999-12-31", 1440, NO_TIME, RECURRENCE_ONCE, NULL,
     NULL},
    {"the last anniversary is past", &calendar_utc, "2000-01-01", 0, NO_TIME, RECURRENCE_YEARLY,
     "9999-06-01T00:00:00Z", NULL},
};

static int64_t instant_of(const char *text)
{
    int64_t at = 0;

    assert_true(instant_parse_any(slice_from(text), &at));
    return at;
}

static void a_contact_is_due_by_its_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct trigger_condition condition = {.offset_minutes = cases[i].offset_minutes,
                                              .recurrence = cases[i].recurrence};
        const char *since = cases[i].since != NULL ? cases[i].since : "2026-11-23T09:00:00Z";
        int64_t due = 0;
        bool is_due;

        if (cases[i].minute_of_day != NO_TIME) {
            condition.has_time_of_day = true;
            condition.minute_of_day = (uint16_t)cases[i].minute_of_day;
        }
        is_due = trigger_due(&condition, cases[i].zone, slice_from(cases[i].value),
                             instant_of(since), &due);
        if (is_due != (cases[i].due != NULL) || (is_due && due != instant_of(cases[i].due))) {
            char text[INSTANT_TEXT_SIZE];

            instant_print(due, text);
            fail_msg("%s: %s", cases[i].sentence, is_due ? text : "none");
        }
    }
}

/* Each anniversary comes once, and after the one before. */
static void anniversaries_follow_one_another(void **state)
{
    static const char *const values[] = {"2000-02-29", "1990-12-31", "1990-01-01T23:59:59Z"};
    static const int32_t offsets[] = {-525600, -1440, 0, 1, 1440, 525600};

    (void)state;
    for (size_t i = 0; i < 18; i++) {
        struct trigger_condition condition = {.offset_minutes = offsets[i / 3],
                                              .recurrence = RECURRENCE_YEARLY};
        int64_t since = instant_of("2026-01-01T00:00:00Z"), due = 0;

        for (unsigned year = 0; year < 50; year++) {
            assert_true(trigger_due(&condition, &brussels, slice_from(values[i % 3]), since, &due));
            assert_true(due >= since);
            assert_true(due - since <= 367 * MS_PER_DAY);
            since = due + 1;
        }
    }
}

static void the_value_is_that_of_the_named_attribute(void **state)
{
    const struct attribute_value values[] = {
        {.name = SLICE_INIT("born"), .type = ATTRIBUTE_DATE, .text = SLICE_INIT("2000-01-01")},
        {.name = SLICE_INIT("name"), .type = ATTRIBUTE_STRING, .text = SLICE_INIT("2001-01-01")},
    };
    struct contact contact = {.attributes = values, .attribute_count = 2};
    struct trigger_condition condition = {.attribute_name = SLICE_INIT("born")};

    (void)state;
    assert_true(slice_equal_text(trigger_value(&condition, &contact), "2000-01-01"));
    condition.attribute_name = SLICE("name");
    assert_true(slice_is_empty(trigger_value(&condition, &contact)));
    condition.attribute_name = SLICE("other");
    assert_true(slice_is_empty(trigger_value(&condition, &contact)));
}

/* ---- behind the end of a table ---- */

enum { FIRST_YEAR = 2026, TABLE_YEARS = 50, LAST_YEAR = 2500 };

static int64_t last_sunday(int year, unsigned month)
{
    int64_t last = days_from_civil(year, month, 31);

    return last - weekday_from_days(last);
}

/* Midnight of a day in Brussels by the rule itself. */
static int64_t brussels_midnight(int year, int64_t day)
{
    bool is_summer = day > last_sunday(year, 3) && day <= last_sunday(year, 10);

    return day * MS_PER_DAY - (is_summer ? 2 : 1) * MS_PER_HOUR;
}

static void assert_due(const struct trigger_condition *condition, const struct zone_table *table,
                       struct slice value, int64_t expected)
{
    int64_t due;

    assert_true(trigger_due(condition, table, value, 0, &due));
    if (due != expected) {
        fail_msg("%.*s: %lld, not %lld", SLICE_ARGS(value), (long long)due, (long long)expected);
    }
}

static void the_rules_of_a_zone_go_on_behind_its_table(void **state)
{
    struct zone_change changes[1 + 2 * TABLE_YEARS] = {{INT64_MIN, HOUR}};
    struct zone_table table = {"Europe/Brussels", changes, 1 + 2 * TABLE_YEARS, 0};
    const struct trigger_condition condition = {.recurrence = RECURRENCE_ONCE};
    const struct trigger_condition midnight = {.recurrence = RECURRENCE_ONCE,
                                               .has_time_of_day = true};

    (void)state;
    for (int n = 0; n < TABLE_YEARS; n++) {
        int64_t spring = last_sunday(FIRST_YEAR + n, 3), autumn = last_sunday(FIRST_YEAR + n, 10);

        changes[1 + 2 * n] = (struct zone_change){spring * MS_PER_DAY + MS_PER_HOUR, 2 * HOUR};
        changes[2 + 2 * n] = (struct zone_change){autumn * MS_PER_DAY + MS_PER_HOUR, HOUR};
    }
    table.valid_until = days_from_civil(FIRST_YEAR + TABLE_YEARS, 2, 3) * MS_PER_DAY;
    for (int year = FIRST_YEAR; year <= LAST_YEAR; year++) {
        for (int64_t day = days_from_civil(year, 1, 1); day <= days_from_civil(year, 12, 31);
             day++) {
            char value[INSTANT_TEXT_SIZE];
            int64_t expected = brussels_midnight(year, day);

            instant_print(day * MS_PER_DAY, value);
            assert_due(&condition, &table, slice_make(value, 10), expected);
            instant_print(expected + 22 * MS_PER_HOUR, value); /* that day, late */
            assert_due(&midnight, &table, slice_from(value), expected);
        }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_contact_is_due_by_its_value),
    cmocka_unit_test(the_rules_of_a_zone_go_on_behind_its_table),
    cmocka_unit_test(anniversaries_follow_one_another),
    cmocka_unit_test(the_value_is_that_of_the_named_attribute),
};

OD_TEST_MAIN(tests)
