/* Rules of api.md, naively: a window is asked instant by instant, a zone's clock is computed from
 * its two rules of the year (tests/zoneinfo/source), as they hold from 2027 on. */
#include "tests/sim/model.h"

#include <string.h>

#include "base/check.h"
#include "base/instant.h"
#include "model/lifecycle.h"

/* ---- zones ---- */

/* The first Sunday on or after a day of a month, at a minute of the standard or daylight wall
 * clock.
 */
struct zone_turn {
    unsigned month, day;
    int minute;
    bool is_standard; /* the minute is one of standard time */
};

struct naive_zone {
    const char *name;
    int standard_minutes, save_minutes; /* save 0: no changes */
    struct zone_turn begins, ends;      /* of daylight time */
};

static const struct naive_zone zones[] = {
    {"UTC", 0, 0, {0}, {0}},
    {"Asia/Kolkata", 330, 0, {0}, {0}},
    {"America/New_York", -300, 60, {3, 8, 120, true}, {11, 1, 120, false}},
    {"America/Havana", -300, 60, {3, 8, 0, true}, {11, 1, 0, true}},
    {"Australia/Lord_Howe", 630, 30, {10, 1, 120, true}, {4, 1, 120, false}},
};

/* Days since 1970 of a date of the Gregorian calendar. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    int64_t days = 0;
    static const unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    for (int64_t y = 1970; y < year; y++) {
        days += (y % 4 == 0 && y % 100 != 0) || y % 400 == 0 ? 366 : 365;
    }
    for (unsigned m = 1; m < month; m++) {
        bool is_leap_february = m == 2 && ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0);

        days += lengths[m - 1] + (is_leap_february ? 1 : 0);
    }
    return days + day - 1;
}

static int64_t year_of(int64_t day)
{
    int64_t year = 1970 + day / 366;

    while (days_of(year + 1, 1, 1) <= day) {
        year++;
    }
    return year;
}

/* The instant of a turn in a year. */
static int64_t turn_at(const struct naive_zone *zone, const struct zone_turn *turn, int64_t year)
{
    int64_t day = days_of(year, turn->month, turn->day);
    int offset = zone->standard_minutes + (turn->is_standard ? 0 : zone->save_minutes);

    while ((day + 4) % 7 != 0) { /* 1970-01-01 was a Thursday */
        day++;
    }
    return day * MS_PER_DAY + (turn->minute - offset) * MS_PER_MINUTE;
}

static bool is_daylight(const struct naive_zone *zone, int64_t at)
{
    static struct {
        const struct naive_zone *zone;
        int64_t year, begins, ends;
    } last[sizeof(zones) / sizeof(zones[0])];

    int64_t year = year_of((at + zone->standard_minutes * MS_PER_MINUTE) / MS_PER_DAY);
    unsigned n = (unsigned)(zone - zones);

    if (last[n].zone != zone || last[n].year != year) {
        last[n].zone = zone;
        last[n].year = year;
        last[n].begins = turn_at(zone, &zone->begins, year);
        last[n].ends = turn_at(zone, &zone->ends, year);
    }
    if (last[n].begins < last[n].ends) {
        return at >= last[n].begins && at < last[n].ends;
    }
    return at >= last[n].begins || at < last[n].ends; /* the south */
}

int64_t rules_local(struct slice name, int64_t at)
{
    for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
        const struct naive_zone *zone = &zones[i];

        if (slice_equal_text(name, zone->name)) {
            bool has_saved = zone->save_minutes != 0 && is_daylight(zone, at);

            return at +
                   (zone->standard_minutes + (has_saved ? zone->save_minutes : 0)) * MS_PER_MINUTE;
        }
    }
    OD_CHECK(!"a zone of the simulation");
    return at;
}

/* ---- windows ---- */

/* "from startAt up to but not including endAt; endAt 23:59 means the end of the day; an endAt not
 * after startAt runs into the next day (equal: a full 24 hours)" */
static bool weekly_covers(const struct weekly_window *window, int64_t local)
{
    int64_t today = local / MS_PER_DAY;

    for (int64_t day = today - 1; day <= today; day++) {
        int64_t start = day * MS_PER_DAY + window->start_minute * MS_PER_MINUTE;
        int64_t end = day * MS_PER_DAY + window->end_minute * MS_PER_MINUTE;

        if ((day + 4) % 7 != window->weekday) {
            continue;
        }
        if (window->end_minute <= window->start_minute) {
            end += MS_PER_DAY;
        } else if (window->end_minute == 23 * 60 + 59) {
            end += MS_PER_MINUTE;
        }
        if (start <= local && local < end) {
            return true;
        }
    }
    return false;
}

bool rules_is_closed(const struct model_execution *x, int64_t at)
{
    const struct pause_windows *windows = &x->settings->windows;

    if (!x->settings->has_pause_windows) {
        return false;
    }
    for (size_t i = 0; i < windows->weekly_count; i++) {
        if (weekly_covers(&windows->weekly[i], rules_local(x->settings->timezone, at))) {
            return true;
        }
    }
    for (size_t i = 0; i < windows->advanced_count; i++) {
        if (windows->advanced[i].start_at <= at && at < windows->advanced[i].end_at) {
            return true;
        }
    }
    return false;
}

bool rules_is_near_change(const struct model_execution *x, int64_t at)
{
    struct slice zone = x->settings->timezone;
    int64_t before = rules_local(zone, at - 3 * MS_PER_HOUR) - (at - 3 * MS_PER_HOUR);
    int64_t after = rules_local(zone, at + 3 * MS_PER_HOUR) - (at + 3 * MS_PER_HOUR);

    return before != after;
}

/* ---- attempts ---- */

int64_t rules_retry_at(const struct retry_strategy *retry, uint32_t attempts, int64_t failed_at)
{
    int64_t best = INSTANT_NEVER;

    if (retry->type == RETRY_FIXED_DELAY && attempts < retry->max_retries + 1) {
        best = failed_at + retry->delay_ms;
    }
    for (uint32_t i = 0; retry->type == RETRY_SCHEDULED && i < retry->date_count; i++) {
        if (retry->dates[i] > failed_at && retry->dates[i] < best) {
            best = retry->dates[i];
        }
    }
    return best;
}

bool rules_may_attempt(const struct model *model, const struct retry_strategy *retry,
                       uint32_t attempt)
{
    switch (retry->type) {
    case RETRY_NONE: return attempt == 1;
    case RETRY_FIXED_DELAY: return attempt <= retry->max_retries + 1;
    case RETRY_SCHEDULED: /* a clock that is set back makes a date come again */
        return attempt <= retry->date_count + 1 || model->has_stepped_back;
    }
    return false;
}

bool rules_has_ended(const struct model_execution *x)
{
    return x->is_cancelled || execution_has_ended(x->status) ||
           (x->settings->stop_at != 0 && x->settings->stop_at <= x->seen_at);
}
