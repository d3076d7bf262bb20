/* Pause windows on days when clocks change: "a wall-clock time that occurs twice is in the window
 * both times, and one that does not occur is skipped". */
#include "model/pause_window.h"
#include "tests/support/od_test.h"
#include "tests/unit/model/window_story.h"

/* New York, Sunday 9 March 2025: at 07:00Z 02:00 becomes 03:00. */
static const struct window_story spring[] = {
    {"a wall-clock time that does not occur is skipped", "America/New_York", "sunday 02:15-02:45",
     "2025-03-08T12:00Z", false, "2025-03-16T06:15Z 2025-03-16T06:45Z"},
    {"a start in the gap: opens at the change", "America/New_York", "sunday 02:30-04:00",
     "2025-03-08T12:00Z", false, "2025-03-09T07:00Z 2025-03-09T08:00Z 2025-03-16T06:30Z"},
    {"an end in the gap: closes at the change", "America/New_York", "sunday 01:00-02:30",
     "2025-03-08T12:00Z", false, "2025-03-09T06:00Z 2025-03-09T07:00Z 2025-03-16T05:00Z"},
    {"an end at the start of the gap", "America/New_York", "sunday 01:00-02:00",
     "2025-03-08T12:00Z", false, "2025-03-09T06:00Z 2025-03-09T07:00Z 2025-03-16T05:00Z"},
    {"a start at the end of the gap", "America/New_York", "sunday 03:00-04:00", "2025-03-08T12:00Z",
     false, "2025-03-09T07:00Z 2025-03-09T08:00Z 2025-03-16T07:00Z"},
    {"a window around the gap is an hour shorter", "America/New_York", "sunday 01:30-03:30",
     "2025-03-08T12:00Z", false, "2025-03-09T06:30Z 2025-03-09T07:30Z 2025-03-16T05:30Z"},
    {"windows that touch across the gap are one", "America/New_York",
     "sunday 01:00-02:00, sunday 03:00-04:00", "2025-03-08T12:00Z", false,
     "2025-03-09T06:00Z 2025-03-09T08:00Z 2025-03-16T05:00Z 2025-03-16T06:00Z"},
    {"a full day has 23 hours", "America/New_York", "sunday 00:00-00:00", "2025-03-08T12:00Z",
     false, "2025-03-09T05:00Z 2025-03-10T04:00Z 2025-03-16T04:00Z"},
    {"the night before has an hour less", "America/New_York", "saturday 22:00-06:00",
     "2025-03-08T12:00Z", false, "2025-03-09T03:00Z 2025-03-09T10:00Z 2025-03-16T02:00Z"},
    {"the next day keeps its wall-clock time", "America/New_York", "monday 12:00-14:00",
     "2025-03-03T00:00Z", false,
     "2025-03-03T17:00Z 2025-03-03T19:00Z 2025-03-10T16:00Z 2025-03-10T18:00Z"},
    {"an advanced window does not mind", "America/New_York", "2025-03-09T06:30Z 2025-03-09T07:30Z",
     "2025-03-08T12:00Z", false, "2025-03-09T06:30Z 2025-03-09T07:30Z never"},
    {"half an hour, Lord Howe: a start in the gap", "Australia/Lord_Howe", "sunday 02:15-03:00",
     "2025-10-04T00:00Z", false, "2025-10-04T15:30Z 2025-10-04T16:00Z 2025-10-11T15:15Z"},
    {"half an hour, Lord Howe: skipped", "Australia/Lord_Howe", "sunday 02:00-02:30",
     "2025-10-04T00:00Z", false, "2025-10-11T15:00Z 2025-10-11T15:30Z"},
    {"half an hour, Lord Howe: just after the gap", "Australia/Lord_Howe", "sunday 02:30-03:00",
     "2025-10-04T00:00Z", false, "2025-10-04T15:30Z 2025-10-04T16:00Z"},
    {"after Ramadan, Casablanca: skipped", "Africa/Casablanca", "sunday 02:15-02:45",
     "2025-04-05T12:00Z", false, "2025-04-13T01:15Z 2025-04-13T01:45Z"},
    {"after Ramadan, Casablanca: opens at the change", "Africa/Casablanca", "sunday 02:15-03:45",
     "2025-04-05T12:00Z", false, "2025-04-06T02:00Z 2025-04-06T02:45Z"},
    {"at midnight, Havana: the first minutes of the day are skipped", "America/Havana",
     "sunday 00:00-00:30", "2025-03-08T12:00Z", false, "2025-03-16T04:00Z 2025-03-16T04:30Z"},
    {"at midnight, Havana: a night ends at the change", "America/Havana", "saturday 23:00-00:30",
     "2025-03-08T12:00Z", false, "2025-03-09T04:00Z 2025-03-09T05:00Z 2025-03-16T03:00Z"},
    {"a whole day is left out, Apia: no window on it", "Pacific/Apia", "friday 00:00-00:00",
     "2011-12-29T00:00Z", false, "2012-01-05T10:00Z 2012-01-06T10:00Z"},
    {"a whole day is left out, Apia: the night before ends", "Pacific/Apia", "thursday 22:00-06:00",
     "2011-12-29T00:00Z", false, "2011-12-30T08:00Z 2011-12-30T10:00Z 2012-01-05T08:00Z"},
    {"a whole day is left out, Apia: the morning after is there", "Pacific/Apia",
     "friday 22:00-06:00", "2011-12-29T12:00Z", false,
     "2011-12-30T10:00Z 2011-12-30T16:00Z 2012-01-06T08:00Z"},
};

static void a_time_that_does_not_occur_is_skipped(void **state)
{
    WINDOW_STORIES_TELL(state, spring);
}

/* New York, Sunday 2 November 2025: at 06:00Z 02:00 becomes 01:00. */
static const struct window_story autumn[] = {
    {"a wall-clock time that occurs twice is in the window both times", "America/New_York",
     "sunday 01:15-01:45", "2025-11-01T12:00Z", false,
     "2025-11-02T05:15Z 2025-11-02T05:45Z 2025-11-02T06:15Z 2025-11-02T06:45Z 2025-11-09T06:15Z"},
    {"an end in the overlap: opens again at the change", "America/New_York", "sunday 00:30-01:30",
     "2025-11-01T12:00Z", false,
     "2025-11-02T04:30Z 2025-11-02T05:30Z 2025-11-02T06:00Z 2025-11-02T06:30Z 2025-11-09T05:30Z"},
    {"a start in the overlap: closes at the change, and opens again", "America/New_York",
     "sunday 01:30-02:30", "2025-11-01T12:00Z", false,
     "2025-11-02T05:30Z 2025-11-02T06:00Z 2025-11-02T06:30Z 2025-11-02T07:30Z"},
    {"the overlap itself is one window of two hours", "America/New_York", "sunday 01:00-02:00",
     "2025-11-01T12:00Z", false, "2025-11-02T05:00Z 2025-11-02T07:00Z 2025-11-09T06:00Z"},
    {"up to the overlap: once", "America/New_York", "sunday 00:00-01:00", "2025-11-01T12:00Z",
     false, "2025-11-02T04:00Z 2025-11-02T05:00Z 2025-11-09T05:00Z"},
    {"from the end of the overlap: once", "America/New_York", "sunday 02:00-03:00",
     "2025-11-01T12:00Z", false, "2025-11-02T07:00Z 2025-11-02T08:00Z 2025-11-09T07:00Z"},
    {"a window around the overlap is an hour longer", "America/New_York", "sunday 00:30-02:30",
     "2025-11-01T12:00Z", false, "2025-11-02T04:30Z 2025-11-02T07:30Z 2025-11-09T05:30Z"},
    {"a full day has 25 hours", "America/New_York", "sunday 00:00-23:59", "2025-11-01T12:00Z",
     false, "2025-11-02T04:00Z 2025-11-03T05:00Z 2025-11-09T05:00Z"},
    {"the night before has an hour more", "America/New_York", "saturday 22:00-06:00",
     "2025-11-01T12:00Z", false, "2025-11-02T02:00Z 2025-11-02T11:00Z 2025-11-09T03:00Z"},
    {"an advanced window over the change hides it", "America/New_York",
     "sunday 00:30-01:30, 2025-11-02T05:20Z 2025-11-02T06:10Z", "2025-11-01T12:00Z", false,
     "2025-11-02T04:30Z 2025-11-02T06:30Z 2025-11-09T05:30Z"},
    {"half an hour, Lord Howe", "Australia/Lord_Howe", "sunday 01:40-01:50", "2025-04-05T00:00Z",
     false,
     "2025-04-05T14:40Z 2025-04-05T14:50Z 2025-04-05T15:10Z 2025-04-05T15:20Z 2025-04-12T15:10Z"},
    {"half an hour, Lord Howe: opens again at the change", "Australia/Lord_Howe",
     "sunday 01:00-01:45", "2025-04-05T00:00Z", false,
     "2025-04-05T14:00Z 2025-04-05T14:45Z 2025-04-05T15:00Z 2025-04-05T15:15Z"},
    {"before Ramadan, Casablanca", "Africa/Casablanca", "sunday 02:15-02:45", "2025-02-22T12:00Z",
     false,
     "2025-02-23T01:15Z 2025-02-23T01:45Z 2025-02-23T02:15Z 2025-02-23T02:45Z 2025-03-02T02:15Z"},
    {"in Ramadan, Casablanca: noon is an hour later", "Africa/Casablanca", "monday 12:00-14:00",
     "2025-02-17T00:00Z", false,
     "2025-02-17T11:00Z 2025-02-17T13:00Z 2025-02-24T12:00Z 2025-02-24T14:00Z"},
    {"after Ramadan, Casablanca: noon is back", "Africa/Casablanca", "monday 12:00-14:00",
     "2025-03-31T00:00Z", false,
     "2025-03-31T12:00Z 2025-03-31T14:00Z 2025-04-07T11:00Z 2025-04-07T13:00Z"},
    {"at midnight, Havana: the first half hour comes twice", "America/Havana", "sunday 00:00-00:30",
     "2025-11-01T12:00Z", false,
     "2025-11-02T04:00Z 2025-11-02T04:30Z 2025-11-02T05:00Z 2025-11-02T05:30Z"},
    {"at midnight, Havana: the day before ends once", "America/Havana", "saturday 23:00-23:59",
     "2025-11-01T12:00Z", false, "2025-11-02T03:00Z 2025-11-02T04:00Z 2025-11-09T04:00Z"},
    {"back to the day before, Asuncion: its last hour comes twice", "America/Asuncion",
     "saturday 23:15-23:45", "2024-03-23T12:00Z", false,
     "2024-03-24T02:15Z 2024-03-24T02:45Z 2024-03-24T03:15Z 2024-03-24T03:45Z"},
    {"back to the day before, Asuncion: Sunday starts once", "America/Asuncion",
     "sunday 00:00-01:00", "2024-03-23T12:00Z", false, "2024-03-24T04:00Z 2024-03-24T05:00Z"},
    {"back to the day before, Asuncion: a whole Saturday does not end at the change",
     "America/Asuncion", "saturday 00:00-23:59", "2024-03-22T12:00Z", false,
     "2024-03-23T03:00Z 2024-03-24T04:00Z 2024-03-30T04:00Z"},
};

static void a_time_that_occurs_twice_is_in_the_window_both_times(void **state)
{
    WINDOW_STORIES_TELL(state, autumn);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_time_that_does_not_occur_is_skipped),
    cmocka_unit_test(a_time_that_occurs_twice_is_in_the_window_both_times),
};

OD_TEST_MAIN_FIXTURE(tests, zone_fixture_setup, zone_fixture_teardown)
