/* What the windows of api.md, "Pause windows", mean. Days when clocks change have their own file,
 * pause_window_clock_change_test.c; random windows are in tests/property/model. */
#include "model/pause_window.h"

#include "tests/support/od_test.h"
#include "tests/unit/model/window_story.h"

/* ---- the edges of weekly windows; 2 June 2025 is a Monday ---- */

static const struct window_story edges[] = {
    {"without windows it is never closed", "UTC", "", "2025-06-02T00:00Z", false, "never"},
    {"from startAt up to but not including endAt", "UTC", "monday 12:00-14:00", "2025-06-02T00:00Z",
     false, "2025-06-02T12:00Z 2025-06-02T14:00Z 2025-06-09T12:00Z 2025-06-09T14:00Z"},
    {"the start minute is in", "UTC", "monday 12:00-14:00", "2025-06-02T12:00Z", true,
     "2025-06-02T14:00Z"},
    {"the end minute is out", "UTC", "monday 12:00-14:00", "2025-06-02T14:00Z", false,
     "2025-06-09T12:00Z"},
    {"the last millisecond is in", "UTC", "monday 12:00-14:00", "2025-06-02T13:59:59.999Z", true,
     "2025-06-02T14:00Z"},
    {"a window of one minute", "UTC", "monday 12:00-12:01", "2025-06-02T00:00Z", false,
     "2025-06-02T12:00Z 2025-06-02T12:01Z 2025-06-09T12:00Z"},
    {"endAt 23:59 means the end of the day", "UTC", "monday 22:00-23:59", "2025-06-02T00:00Z",
     false, "2025-06-02T22:00Z 2025-06-03T00:00Z 2025-06-09T22:00Z"},
    {"endAt 23:58 means 23:58", "UTC", "monday 22:00-23:58", "2025-06-02T00:00Z", false,
     "2025-06-02T22:00Z 2025-06-02T23:58Z"},
    {"from 00:00 to 23:59 is the whole day", "UTC", "monday 00:00-23:59", "2025-06-01T12:00Z",
     false, "2025-06-02T00:00Z 2025-06-03T00:00Z 2025-06-09T00:00Z"},
    {"the last minute of the day", "UTC", "monday 23:59-00:00", "2025-06-02T00:00Z", false,
     "2025-06-02T23:59Z 2025-06-03T00:00Z 2025-06-09T23:59Z"},
    {"an endAt not after startAt runs into the next day", "UTC", "monday 22:00-06:00",
     "2025-06-02T00:00Z", false, "2025-06-02T22:00Z 2025-06-03T06:00Z 2025-06-09T22:00Z"},
    {"by one minute", "UTC", "monday 23:59-00:01", "2025-06-02T00:00Z", false,
     "2025-06-02T23:59Z 2025-06-03T00:01Z"},
    {"up to a minute less than a day", "UTC", "monday 12:01-12:00", "2025-06-02T00:00Z", false,
     "2025-06-02T12:01Z 2025-06-03T12:00Z 2025-06-09T12:01Z"},
    {"of Saturday into Sunday, which starts the week", "UTC", "saturday 22:00-06:00",
     "2025-06-07T00:00Z", false, "2025-06-07T22:00Z 2025-06-08T06:00Z 2025-06-14T22:00Z"},
    {"early on Sunday it is still Saturday's window", "UTC", "saturday 22:00-06:00",
     "2025-06-08T05:00Z", true, "2025-06-08T06:00Z"},
    {"equal: a full 24 hours", "UTC", "monday 09:30-09:30", "2025-06-02T00:00Z", false,
     "2025-06-02T09:30Z 2025-06-03T09:30Z 2025-06-09T09:30Z"},
    {"equal at midnight: the whole day", "UTC", "monday 00:00-00:00", "2025-06-01T12:00Z", false,
     "2025-06-02T00:00Z 2025-06-03T00:00Z"},
    {"equal at 23:59: a full 24 hours, too", "UTC", "monday 23:59-23:59", "2025-06-02T00:00Z",
     false, "2025-06-02T23:59Z 2025-06-03T23:59Z"},
    {"equal on Saturday", "UTC", "saturday 23:00-23:00", "2025-06-07T00:00Z", false,
     "2025-06-07T23:00Z 2025-06-08T23:00Z 2025-06-14T23:00Z"},
    {"the wall clock of the zone counts", "Asia/Kolkata", "monday 12:00-14:00", "2025-06-02T00:00Z",
     false, "2025-06-02T06:30Z 2025-06-02T08:30Z"},
    {"and its days", "America/New_York", "sunday 23:00-23:59", "2025-06-02T00:00Z", false,
     "2025-06-02T03:00Z 2025-06-02T04:00Z 2025-06-09T03:00Z"},
};

static void weekly_windows_have_exact_edges(void **state)
{
    WINDOW_STORIES_TELL(state, edges);
}

/* ---- more than one window ---- */

static const struct window_story several[] = {
    {"each day has its windows", "UTC", "monday 12:00-14:00, tuesday 09:00-10:00",
     "2025-06-02T00:00Z", false,
     "2025-06-02T12:00Z 2025-06-02T14:00Z 2025-06-03T09:00Z 2025-06-03T10:00Z 2025-06-09T12:00Z"},
    {"overlapping windows are one", "UTC", "monday 10:00-12:00, monday 11:00-13:00",
     "2025-06-02T00:00Z", false, "2025-06-02T10:00Z 2025-06-02T13:00Z 2025-06-09T10:00Z"},
    {"in whatever order", "UTC", "monday 11:00-13:00, monday 10:00-12:00", "2025-06-02T00:00Z",
     false, "2025-06-02T10:00Z 2025-06-02T13:00Z"},
    {"a window within another changes nothing", "UTC", "monday 10:00-16:00, monday 11:00-12:00",
     "2025-06-02T00:00Z", false, "2025-06-02T10:00Z 2025-06-02T16:00Z"},
    {"nor does the same one twice", "UTC", "monday 10:00-12:00, monday 10:00-12:00",
     "2025-06-02T00:00Z", false, "2025-06-02T10:00Z 2025-06-02T12:00Z"},
    {"dialling resumes when the last open window ends: they touch", "UTC",
     "monday 10:00-12:00, monday 12:00-13:00", "2025-06-02T00:00Z", false,
     "2025-06-02T10:00Z 2025-06-02T13:00Z"},
    {"a minute between them is a minute of dialling", "UTC",
     "monday 10:00-12:00, monday 12:01-13:00", "2025-06-02T00:00Z", false,
     "2025-06-02T10:00Z 2025-06-02T12:00Z 2025-06-02T12:01Z 2025-06-02T13:00Z"},
    {"the end of the day touches the next one", "UTC", "monday 20:00-23:59, tuesday 00:00-02:00",
     "2025-06-02T00:00Z", false, "2025-06-02T20:00Z 2025-06-03T02:00Z 2025-06-09T20:00Z"},
    {"the end of the week touches the next one", "UTC", "saturday 20:00-23:59, sunday 00:00-02:00",
     "2025-06-07T00:00Z", false, "2025-06-07T20:00Z 2025-06-08T02:00Z 2025-06-14T20:00Z"},
    {"a night overlaps the next day's window", "UTC", "monday 22:00-06:00, tuesday 05:00-08:00",
     "2025-06-02T00:00Z", false, "2025-06-02T22:00Z 2025-06-03T08:00Z"},
    {"seven whole days never end, whatever clocks do", "America/New_York",
     "sunday 00:00-00:00, monday 00:00-23:59, tuesday 00:00-00:00, wednesday 00:00-23:59, "
     "thursday 00:00-00:00, friday 00:00-23:59, saturday 00:00-00:00",
     "2025-06-02T00:00Z", true, "never"},
    {"nor do seven that run into each other", "Australia/Lord_Howe",
     "sunday 07:00-07:00, monday 07:00-07:00, tuesday 07:00-07:00, wednesday 07:00-07:00, "
     "thursday 07:00-07:00, friday 07:00-07:00, saturday 07:00-07:00",
     "2025-06-02T00:00Z", true, "never"},
    {"all week but one minute", "UTC",
     "sunday 00:00-00:00, monday 00:00-00:00, tuesday 00:00-12:00, tuesday 12:01-23:59, "
     "wednesday 00:00-00:00, thursday 00:00-00:00, friday 00:00-00:00, saturday 00:00-00:00",
     "2025-06-02T00:00Z", true, "2025-06-03T12:00Z 2025-06-03T12:01Z 2025-06-10T12:00Z"},
};

static void windows_may_overlap(void **state)
{
    WINDOW_STORIES_TELL(state, several);
}

static const struct window_story instants[] = {
    {"advanced windows are instants", "America/New_York",
     "2025-06-02T10:00:00.123Z 2025-06-02T11:00:00.456Z", "2025-06-02T00:00Z", false,
     "2025-06-02T10:00:00.123Z 2025-06-02T11:00:00.456Z never"},
    {"with any offset", "UTC", "2025-06-02T10:00+02:00 2025-06-02T11:00+02:00", "2025-06-02T00:00Z",
     false, "2025-06-02T08:00Z 2025-06-02T09:00Z never"},
    {"inside of one", "UTC", "2025-06-02T10:00Z 2025-06-02T11:00Z", "2025-06-02T10:00Z", true,
     "2025-06-02T11:00Z never"},
    {"after it", "UTC", "2025-06-02T10:00Z 2025-06-02T11:00Z", "2025-06-02T11:00Z", false, "never"},
    {"they overlap, and touch", "UTC",
     "2025-06-02T12:00Z 2025-06-02T13:00Z, 2025-06-02T10:00Z 2025-06-02T11:00Z, "
     "2025-06-02T10:30Z 2025-06-02T12:00Z",
     "2025-06-02T00:00Z", false, "2025-06-02T10:00Z 2025-06-02T13:00Z never"},
    {"an empty one is never open", "UTC",
     "2025-06-02T10:00Z 2025-06-02T10:00Z, 2025-06-02T12:00Z 2025-06-02T11:00Z",
     "2025-06-02T00:00Z", false, "never"},
    {"years away is not never", "UTC", "2031-06-02T10:00Z 2039-06-02T11:00Z", "2025-06-02T00:00Z",
     false, "2031-06-02T10:00Z 2039-06-02T11:00Z never"},
    {"one that touches the end of a weekly one", "UTC",
     "monday 10:00-12:00, 2025-06-02T12:00Z 2025-06-02T12:00:30Z", "2025-06-02T00:00Z", false,
     "2025-06-02T10:00Z 2025-06-02T12:00:30Z 2025-06-09T10:00Z"},
    {"one that touches the start of a weekly one", "UTC",
     "monday 10:00-12:00, 2025-06-02T09:59:59.999Z 2025-06-02T10:00Z", "2025-06-02T00:00Z", false,
     "2025-06-02T09:59:59.999Z 2025-06-02T12:00Z 2025-06-09T10:00Z"},
    {"one that covers two weekly ones", "UTC",
     "monday 10:00-12:00, tuesday 10:00-12:00, 2025-06-02T11:00Z 2025-06-03T11:00Z",
     "2025-06-02T00:00Z", false, "2025-06-02T10:00Z 2025-06-03T12:00Z 2025-06-09T10:00Z"},
    {"a chain of both kinds", "UTC",
     "monday 10:00-12:00, monday 14:00-16:00, 2025-06-02T12:00Z 2025-06-02T14:00Z, "
     "2025-06-02T16:00Z 2025-06-02T16:01Z",
     "2025-06-02T00:00Z", false, "2025-06-02T10:00Z 2025-06-02T16:01Z"},
};

static void advanced_windows_join_the_weekly_ones(void **state)
{
    WINDOW_STORIES_TELL(state, instants);
}

/* ---- limits ---- */

static void no_windows_at_all_are_never_open(void **state)
{
    (void)state;
    assert_false(pause_window_is_open(NULL, NULL, 0));
    assert_true(pause_window_next_change(NULL, NULL, 0) == INSTANT_NEVER);
}

static void advanced_windows_alone_need_no_zone(void **state)
{
    struct window_set set;

    (void)state;
    window_set_init(&set);
    window_set_add_advanced(&set, 1000, 2000);
    assert_true(pause_window_is_open(&set.windows, NULL, 1000));
    assert_true(pause_window_next_change(&set.windows, NULL, 0) == 1000);
    assert_true(pause_window_next_change(&set.windows, NULL, 1000) == 2000);
    assert_true(pause_window_next_change(&set.windows, NULL, 2000) == INSTANT_NEVER);
}

/* As many windows as a program may have, each touching the next, are one window. */
static void a_thousand_windows_that_touch_are_one(void **state)
{
    static struct weekly_window weekly[PAUSE_WINDOWS_MAX];
    static struct instant_window advanced[PAUSE_WINDOWS_MAX];
    struct pause_windows windows = {weekly, PAUSE_WINDOWS_MAX, advanced, PAUSE_WINDOWS_MAX};
    const struct zone_table *zone = zone_fixture_table(*state, "America/New_York");
    int64_t monday = zone_fixture_instant("2025-06-02T04:00Z");
    int64_t end = monday + PAUSE_WINDOWS_MAX * MS_PER_MINUTE;

    for (unsigned i = 0; i < PAUSE_WINDOWS_MAX; i++) {
        int64_t start = end + (PAUSE_WINDOWS_MAX - 1 - i) * MS_PER_MINUTE;

        weekly[i] = (struct weekly_window){1, (uint16_t)i, (uint16_t)(i + 1)};
        advanced[i] = (struct instant_window){start, start + MS_PER_MINUTE};
    }
    assert_true(pause_window_next_change(&windows, zone, monday - 1) == monday);
    assert_true(pause_window_next_change(&windows, zone, monday) ==
                end + PAUSE_WINDOWS_MAX * MS_PER_MINUTE);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(weekly_windows_have_exact_edges),
    cmocka_unit_test(windows_may_overlap),
    cmocka_unit_test(advanced_windows_join_the_weekly_ones),
    cmocka_unit_test(no_windows_at_all_are_never_open),
    cmocka_unit_test(advanced_windows_alone_need_no_zone),
    cmocka_unit_test(a_thousand_windows_that_touch_are_one),
};

OD_TEST_MAIN_FIXTURE(tests, zone_fixture_setup, zone_fixture_teardown)
