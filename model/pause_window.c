/* Design: weekly windows are a set of minutes of the wall clock's week, whatever the clock does. So
 * is_open asks whether the minute that the wall clock shows is in a window, and with that a time
 * that occurs twice is in the window twice, and one that does not occur is nowhere.
 *
 * next_change draws the week as a bitmap of its 10,080 minutes, in which overlapping and touching
 * windows have become one, and
 *   1. looks ahead in the bitmap to the next minute that answers otherwise, as long as the offset
 *      stays (weekly_change);
 *   2. looks again at each change of the offset: the wall clock jumps to another place of the
 *      week, which may open or close a window at that instant;
 *   3. while an advanced window covers that instant, goes on from the window's end.
 * All steps but those into a new stretch of the zone or past an advanced window end the search. */
#include "model/pause_window.h"

#include "base/check.h"
#include "base/instant.h"
#include "model/calendar.h"

enum {
    DAY_MINUTES = 24 * 60,
    WEEK_MINUTES = 7 * DAY_MINUTES,
    WORD_BITS = 64,
    WEEK_WORDS = (WEEK_MINUTES + WORD_BITS - 1) / WORD_BITS
};

/* The minutes of a week that starts on Sunday, 1 where a weekly window is open. */
struct week {
    uint64_t words[WEEK_WORDS];
};

/* ---- one weekly window ---- */

static unsigned window_start(const struct weekly_window *window)
{
    OD_CHECK(window->weekday < 7);
    OD_CHECK(window->start_minute < DAY_MINUTES);
    return (unsigned)window->weekday * DAY_MINUTES + window->start_minute;
}

/* "endAt 23:59 means the end of the day; an endAt not after startAt runs into the next day (equal:
 * a full 24 hours)" */
static unsigned window_minutes(const struct weekly_window *window)
{
    unsigned start = window->start_minute;
    unsigned end = window->end_minute;

    OD_CHECK(end < DAY_MINUTES);
    if (end <= start) {
        return DAY_MINUTES - start + end;
    }
    if (end == DAY_MINUTES - 1) {
        end = DAY_MINUTES;
    }
    return end - start;
}

/* Returns the minute of the week that the wall clock shows. */
static unsigned wall_minute(const struct zone_table *zone, int64_t at)
{
    struct local_time local = calendar_local(zone, at);

    return local.weekday * DAY_MINUTES + (unsigned)(local.ms_of_day / MS_PER_MINUTE);
}

static bool weekly_is_open(const struct pause_windows *windows, const struct zone_table *zone,
                           int64_t at)
{
    unsigned now;

    if (windows->weekly_count == 0) {
        return false;
    }
    now = wall_minute(zone, at);
    for (size_t i = 0; i < windows->weekly_count; i++) {
        const struct weekly_window *window = &windows->weekly[i];
        unsigned since = (now + WEEK_MINUTES - window_start(window)) % WEEK_MINUTES;

        if (since < window_minutes(window)) {
            return true;
        }
    }
    return false;
}

/* ---- the week as a bitmap ---- */

static void week_set(struct week *week, unsigned from, unsigned to)
{
    for (unsigned at = from; at < to;) {
        unsigned bit = at % WORD_BITS;
        unsigned room = WORD_BITS - bit;
        unsigned count = to - at < room ? to - at : room;
        uint64_t ones = count == WORD_BITS ? UINT64_MAX : (UINT64_C(1) << count) - 1;

        week->words[at / WORD_BITS] |= ones << bit;
        at += count;
    }
}

static void week_draw(struct week *week, const struct pause_windows *windows)
{
    *week = (struct week){{0}};
    for (size_t i = 0; i < windows->weekly_count; i++) {
        unsigned from = window_start(&windows->weekly[i]);
        unsigned to = from + window_minutes(&windows->weekly[i]);

        if (to > WEEK_MINUTES) {
            week_set(week, 0, to - WEEK_MINUTES);
            to = WEEK_MINUTES;
        }
        week_set(week, from, to);
    }
}

static bool week_has(const struct week *week, unsigned minute)
{
    return (week->words[minute / WORD_BITS] >> (minute % WORD_BITS) & 1) != 0;
}

/* Returns the first minute from `from` up to `to` whose bit is `value`, `to` when none is. */
static unsigned week_find(const struct week *week, unsigned from, unsigned to, bool value)
{
    unsigned at = from;

    while (at < to) {
        uint64_t word = week->words[at / WORD_BITS];
        uint64_t hits = (value ? word : ~word) >> (at % WORD_BITS);

        if (hits != 0) {
            at += (unsigned)__builtin_ctzll(hits);
            return at < to ? at : to;
        }
        at += WORD_BITS - at % WORD_BITS;
    }
    return to;
}

/* Returns in how many minutes the answer becomes another, 0 when it is the same all week. */
static unsigned week_minutes_left(const struct week *week, unsigned minute)
{
    bool other = !week_has(week, minute);
    unsigned found = week_find(week, minute, WEEK_MINUTES, other);

    if (found < WEEK_MINUTES) {
        return found - minute;
    }
    found = week_find(week, 0, minute, other);
    return found < minute ? WEEK_MINUTES - minute + found : 0;
}

/* Returns the first instant later than `at` at which the weekly windows alone change their answer.
 * One round a stretch of the zone; the first is nearly always the last. */
static int64_t weekly_change(const struct week *week, const struct zone_table *zone, int64_t at)
{
    bool is_open = week_has(week, wall_minute(zone, at));

    for (;;) {
        int64_t jump = calendar_next_change(zone, at);
        int64_t minute_began = at - calendar_local(zone, at).ms_of_day % MS_PER_MINUTE;
        unsigned left = week_minutes_left(week, wall_minute(zone, at));
        int64_t edge = left == 0 ? INSTANT_NEVER : instant_add(minute_began, left * MS_PER_MINUTE);

        if (edge < jump) {
            return edge;
        }
        if (jump == INSTANT_NEVER) {
            return INSTANT_NEVER;
        }
        if (week_has(week, wall_minute(zone, jump)) != is_open) {
            return jump;
        }
        at = jump;
    }
}

/* ---- advanced windows ---- */

static bool covers(const struct instant_window *window, int64_t at)
{
    return window->start_at <= at && at < window->end_at;
}

/* Returns the latest end of the advanced windows open at `at`; `at` when none is. */
static int64_t advanced_end(const struct pause_windows *windows, int64_t at)
{
    int64_t end = at;

    for (size_t i = 0; i < windows->advanced_count; i++) {
        const struct instant_window *window = &windows->advanced[i];

        if (covers(window, at) && window->end_at > end) {
            end = window->end_at;
        }
    }
    return end;
}

/* Returns the first start of an advanced window later than `at`. One that ends no later than it
 * starts is never open. */
static int64_t advanced_start(const struct pause_windows *windows, int64_t at)
{
    int64_t start = INSTANT_NEVER;

    for (size_t i = 0; i < windows->advanced_count; i++) {
        const struct instant_window *window = &windows->advanced[i];

        if (window->start_at > at && window->start_at < window->end_at &&
            window->start_at < start) {
            start = window->start_at;
        }
    }
    return start;
}

/* ---- both ---- */

bool pause_window_is_open(const struct pause_windows *windows, const struct zone_table *zone,
                          int64_t at)
{
    if (windows == NULL) {
        return false;
    }
    return weekly_is_open(windows, zone, at) || advanced_end(windows, at) > at;
}

/* Returns the end of all windows that are open at `at`, `at` when none is. */
static int64_t open_until(const struct pause_windows *windows, const struct week *week,
                          const struct zone_table *zone, int64_t at)
{
    int64_t end = advanced_end(windows, at);

    if (weekly_is_open(windows, zone, at)) {
        int64_t weekly_end = weekly_change(week, zone, at);

        if (weekly_end > end) {
            end = weekly_end;
        }
    }
    return end;
}

int64_t pause_window_next_change(const struct pause_windows *windows, const struct zone_table *zone,
                                 int64_t at)
{
    struct week week;
    int64_t end;

    if (windows == NULL) {
        return INSTANT_NEVER;
    }
    week_draw(&week, windows);
    end = open_until(windows, &week, zone, at);
    if (end == at) {
        int64_t advanced = advanced_start(windows, at);
        int64_t weekly = windows->weekly_count > 0 ? weekly_change(&week, zone, at) : INSTANT_NEVER;

        return weekly < advanced ? weekly : advanced;
    }
    /* Where one window ends another may be open: then they end together, later. */
    while (at < end && end != INSTANT_NEVER) {
        at = end;
        end = open_until(windows, &week, zone, at);
    }
    return end;
}
