#include "model/calendar.h"

#include "base/hash.h"
#include "base/instant.h"
#include "tests/support/od_test.h"
#include "tests/unit/model/defect.h"

#define HOUR 3600

/* New York's changes of 2025, written by hand. */
#define SPRING INT64_C(1741503600000) /* 2025-03-09T07:00:00Z: 02:00 becomes 03:00 */
#define AUTUMN INT64_C(1762063200000) /* 2025-11-02T06:00:00Z: 02:00 becomes 01:00 */

static const struct zone_change new_york_changes[] = {
    {INT64_MIN, -5 * HOUR}, {SPRING, -4 * HOUR}, {AUTUMN, -5 * HOUR}};
static const struct zone_table new_york = {"America/New_York", new_york_changes, 3, INSTANT_MAX};

/* The offset stays at the second change, as where a zone only changes its name. */
static const struct zone_change named_changes[] = {
    {INT64_MIN, HOUR}, {1000, HOUR}, {2000, 2 * HOUR}};
static const struct zone_table renamed = {"Renamed", named_changes, 3, INSTANT_MAX};

/* A Friday that is left out: from -10:00 to +14:00 at midnight. */
#define SKIP INT64_C(1325239200000) /* 2011-12-30T10:00:00Z */

static const struct zone_change apia_changes[] = {{INT64_MIN, -10 * HOUR}, {SKIP, 14 * HOUR}};
static const struct zone_table apia = {"Pacific/Apia", apia_changes, 2, INSTANT_MAX};

static int64_t instant_of(const char *text)
{
    int64_t at = 0;

    assert_true(instant_parse(slice_from(text), &at));
    return at;
}

static int64_t day_of(const char *date)
{
    int32_t days = 0;

    assert_true(instant_parse_date(slice_from(date), &days));
    return days;
}

static int32_t ms_of(int hour, int minute)
{
    return (int32_t)((hour * 60 + minute) * MS_PER_MINUTE);
}

static const struct {
    const char *sentence;
    const struct zone_table *zone;
    const char *at, *date;
    int hour, minute;
    unsigned weekday;
} local_cases[] = {
    {"UTC", &calendar_utc, "2025-01-02T03:04:00Z", "2025-01-02", 3, 4, 4},
    {"the first instant", &calendar_utc, "1970-01-01T00:00:00Z", "1970-01-01", 0, 0, 4},
    {"before 1970, on the wall", &new_york, "1970-01-01T00:00:00Z", "1969-12-31", 19, 0, 3},
    {"the day before, on the wall", &new_york, "2025-03-03T04:59:00Z", "2025-03-02", 23, 59, 0},
    {"midnight, on the wall", &new_york, "2025-03-03T05:00:00Z", "2025-03-03", 0, 0, 1},
    {"before the change", &new_york, "2025-03-09T06:59:00Z", "2025-03-09", 1, 59, 0},
    {"at the change", &new_york, "2025-03-09T07:00:00Z", "2025-03-09", 3, 0, 0},
    {"the last minute of summer", &new_york, "2025-11-02T05:59:00Z", "2025-11-02", 1, 59, 0},
    {"the hour again", &new_york, "2025-11-02T06:00:00Z", "2025-11-02", 1, 0, 0},
    {"after the last change", &new_york, "2045-07-01T12:00:00Z", "2045-07-01", 7, 0, 6},
    {"the day before the one left out", &apia, "2011-12-30T09:59:00Z", "2011-12-29", 23, 59, 4},
    {"the day after the one left out", &apia, "2011-12-30T10:00:00Z", "2011-12-31", 0, 0, 6},
};

static void the_wall_clock_shows_the_local_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(local_cases) / sizeof(local_cases[0]); i++) {
        struct local_time local =
            calendar_local(local_cases[i].zone, instant_of(local_cases[i].at) + 1234);

        if (local.day != day_of(local_cases[i].date) ||
            local.ms_of_day != ms_of(local_cases[i].hour, local_cases[i].minute) + 1234 ||
            local.weekday != local_cases[i].weekday) {
            fail_msg("%s: day %lld, %d ms, weekday %u", local_cases[i].sentence,
                     (long long)local.day, local.ms_of_day, local.weekday);
        }
    }
}

static void a_day_starts_at_its_midnight(void **state)
{
    struct local_time local = calendar_local(&calendar_utc, 3 * MS_PER_DAY);

    (void)state;
    assert_true(local.day == 3);
    assert_int_equal(local.ms_of_day, 0);
    local = calendar_local(&calendar_utc, 3 * MS_PER_DAY - 1);
    assert_true(local.day == 2);
    assert_int_equal(local.ms_of_day, MS_PER_DAY - 1);
    local = calendar_local(&calendar_utc, -MS_PER_DAY);
    assert_true(local.day == -1);
    assert_int_equal(local.ms_of_day, 0);
    assert_int_equal(local.weekday, 3);
}

static const struct {
    const char *sentence;
    const struct zone_table *zone;
    const char *date;
    int hour, minute;
    const char *instants[2];
} instant_cases[] = {
    {"a usual time occurs once", &new_york, "2025-06-01", 12, 0, {"2025-06-01T16:00:00Z"}},
    {"UTC", &calendar_utc, "2025-06-01", 12, 0, {"2025-06-01T12:00:00Z"}},
    {"before the gap", &new_york, "2025-03-09", 1, 59, {"2025-03-09T06:59:00Z"}},
    {"the gap starts at the change", &new_york, "2025-03-09", 2, 0, {NULL}},
    {"a time in the gap does not occur", &new_york, "2025-03-09", 2, 30, {NULL}},
    {"the gap ends", &new_york, "2025-03-09", 3, 0, {"2025-03-09T07:00:00Z"}},
    {"before the overlap", &new_york, "2025-11-02", 0, 59, {"2025-11-02T04:59:00Z"}},
    {"the overlap starts",
     &new_york,
     "2025-11-02",
     1,
     0,
     {"2025-11-02T05:00:00Z", "2025-11-02T06:00:00Z"}},
    {"a time in the overlap occurs twice",
     &new_york,
     "2025-11-02",
     1,
     59,
     {"2025-11-02T05:59:00Z", "2025-11-02T06:59:00Z"}},
    {"the overlap ends", &new_york, "2025-11-02", 2, 0, {"2025-11-02T07:00:00Z"}},
    {"a day that is left out has no noon", &apia, "2011-12-30", 12, 0, {NULL}},
    {"the day before has", &apia, "2011-12-29", 12, 0, {"2011-12-29T22:00:00Z"}},
    {"the day after has", &apia, "2011-12-31", 12, 0, {"2011-12-30T22:00:00Z"}},
};

static bool is_instant(const char *text, bool is_there, int64_t at)
{
    return (text != NULL) == is_there && (!is_there || at == instant_of(text));
}

static void a_local_time_occurs_never_once_or_twice(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(instant_cases) / sizeof(instant_cases[0]); i++) {
        int64_t out[2] = {-1, -1};
        unsigned count =
            calendar_instants(instant_cases[i].zone, day_of(instant_cases[i].date),
                              ms_of(instant_cases[i].hour, instant_cases[i].minute), out);

        if (!is_instant(instant_cases[i].instants[0], count > 0, out[0]) ||
            !is_instant(instant_cases[i].instants[1], count > 1, out[1])) {
            fail_msg("%s: %u instants", instant_cases[i].sentence, count);
        }
    }
}

/* Each instant is among those of the local time that it shows, and each of those shows it. */
static void local_time_and_instants_agree(void **state)
{
    static const struct zone_table *const zones[] = {&new_york, &apia, &renamed, &calendar_utc};
    struct prng prng;

    (void)state;
    prng_seed(&prng, 1);
    for (int i = 0; i < 200000; i++) {
        const struct zone_table *zone = zones[i % 4];
        int64_t middle = zone->changes[zone->change_count - 1].at;
        int64_t at =
            (middle < 0 ? 0 : middle) + (int64_t)prng_below(&prng, 4 * MS_PER_DAY) - 2 * MS_PER_DAY;
        struct local_time local = calendar_local(zone, at);
        int64_t out[2];
        unsigned count = calendar_instants(zone, local.day, local.ms_of_day, out);

        assert_in_range(count, 1, 2);
        assert_true(out[0] == at || (count == 2 && out[1] == at));
        for (unsigned k = 0; k < count; k++) {
            struct local_time again = calendar_local(zone, out[k]);

            assert_true(again.day == local.day);
            assert_int_equal(again.ms_of_day, local.ms_of_day);
        }
        assert_true(count == 1 || out[0] < out[1]);
    }
}

static void the_next_change_is_later_and_changes_the_offset(void **state)
{
    (void)state;
    assert_true(calendar_next_change(&new_york, 0) == SPRING);
    assert_true(calendar_next_change(&new_york, SPRING - 1) == SPRING);
    assert_true(calendar_next_change(&new_york, SPRING) == AUTUMN);
    assert_true(calendar_next_change(&new_york, AUTUMN) == INSTANT_NEVER);
    assert_true(calendar_next_change(&calendar_utc, 0) == INSTANT_NEVER);
    assert_true(calendar_next_change(&renamed, 0) == 2000);
    assert_true(calendar_next_change(&renamed, 1000) == 2000);
}

static void ask_local_time(const void *argument)
{
    (void)calendar_local(argument, 0);
}

static void a_table_without_a_beginning_is_a_defect(void **state)
{
    static const struct zone_table empty = {"empty", new_york_changes, 0, INSTANT_MAX};
    static const struct zone_table headless = {"headless", new_york_changes + 1, 2, INSTANT_MAX};

    (void)state;
    assert_true(is_defect(ask_local_time, &empty));
    assert_true(is_defect(ask_local_time, &headless));
}

static const struct {
    const char *sentence;
    const struct zone_table *zone;
    const char *date;
    int hour, minute;
    const char *at;
} one_instant_cases[] = {
    {"a usual time", &new_york, "2025-06-01", 12, 0, "2025-06-01T16:00:00Z"},
    {"UTC", &calendar_utc, "2025-06-01", 12, 0, "2025-06-01T12:00:00Z"},
    {"the first of two", &new_york, "2025-11-02", 1, 30, "2025-11-02T05:30:00Z"},
    {"the gap's first minute is its end", &new_york, "2025-03-09", 2, 0, "2025-03-09T07:00:00Z"},
    {"half past two is half past three", &new_york, "2025-03-09", 2, 30, "2025-03-09T07:30:00Z"},
    {"a day that is left out is the next", &apia, "2011-12-30", 9, 0, "2011-12-30T19:00:00Z"},
};

static void a_local_time_stands_for_one_instant(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(one_instant_cases) / sizeof(one_instant_cases[0]); i++) {
        int64_t at =
            calendar_instant(one_instant_cases[i].zone, day_of(one_instant_cases[i].date),
                             ms_of(one_instant_cases[i].hour, one_instant_cases[i].minute));

        if (at != instant_of(one_instant_cases[i].at)) {
            fail_msg("%s: %lld", one_instant_cases[i].sentence, (long long)at);
        }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_local_time_stands_for_one_instant),
    cmocka_unit_test(the_wall_clock_shows_the_local_time),
    cmocka_unit_test(a_day_starts_at_its_midnight),
    cmocka_unit_test(a_local_time_occurs_never_once_or_twice),
    cmocka_unit_test(local_time_and_instants_agree),
    cmocka_unit_test(the_next_change_is_later_and_changes_the_offset),
    cmocka_unit_test(a_table_without_a_beginning_is_a_defect),
};

OD_TEST_MAIN(tests)
