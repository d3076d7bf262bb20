/* Design: a value is a moment of the wall clock, (local day, time of day), and for a full ISO time
 * the instant itself as well. An anniversary is the same moment in another year. Its due instant
 * follows in three steps: the moment's instant, the offset, and the local time of the day that this
 * has led to.
 *
 * Anniversaries are tried from two years before `since` on, since an offset of a year may lead from
 * one year into the next; due instants ascend with the years, so the first that fits is the one.
 *
 * A zone's table ends, and dates do not. Behind its end the rules of its last years go on, and they
 * hang on weekdays ("the last Sunday of March"): so such a day is looked up in the last year of the
 * table that begins with the same weekday and is as long. */
#include "model/trigger.h"

#include "base/instant.h"
#include "model/calendar.h"

enum {
    YEARS_BEFORE = 2, /* an offset is up to a year, and a local day a bit more */
    YEAR_MAX = 9999,
};

/* ---- behind the end of a zone's table ---- */

static int year_of(int64_t day)
{
    unsigned month, day_of_month;
    int year;

    civil_from_days(day, &year, &month, &day_of_month);
    return year;
}

static int64_t new_year(int year)
{
    return days_from_civil(year, 1, 1);
}

static bool is_alike(int a, int b)
{
    return weekday_from_days(new_year(a)) == weekday_from_days(new_year(b)) &&
           weekday_from_days(new_year(a + 1)) == weekday_from_days(new_year(b + 1));
}

/* How many days a day is moved back to lie in the table: those from one New Year to another. */
static int64_t days_behind(const struct zone_table *zone, int64_t day)
{
    int last, year;

    if (zone->valid_until > INSTANT_MAX - MS_PER_DAY ||
        day < zone->valid_until / MS_PER_DAY - 366) {
        return 0;
    }
    year = year_of(day);
    last = year_of(zone->valid_until / MS_PER_DAY) - 2; /* whole, with a day to spare */
    if (year <= last) {
        return 0;
    }
    while (!is_alike(year, last)) {
        last--;
    }
    return new_year(year) - new_year(last);
}

static struct local_time local_of(const struct zone_table *zone, int64_t at)
{
    int64_t behind = days_behind(zone, at / MS_PER_DAY);
    struct local_time local = calendar_local(zone, at - behind * MS_PER_DAY);

    local.day += behind;
    return local;
}

static int64_t instant_of(const struct zone_table *zone, int64_t day, int32_t ms_of_day)
{
    int64_t behind = days_behind(zone, day);

    return calendar_instant(zone, day - behind, ms_of_day) + behind * MS_PER_DAY;
}

/* ---- values ---- */

/* What a value says. */
struct moment {
    int64_t day; /* local */
    int32_t ms_of_day;
    bool has_instant; /* a full time: then it is at this instant */
    int64_t at;
};

struct slice trigger_value(const struct trigger_condition *condition, const struct contact *contact)
{
    for (size_t i = 0; i < contact->attribute_count; i++) {
        const struct attribute_value *value = &contact->attributes[i];

        if (slice_equal(value->name, condition->attribute_name)) {
            return value->type == ATTRIBUTE_DATE ? value->text : SLICE("");
        }
    }
    return SLICE("");
}

static bool read_moment(const struct zone_table *zone, struct slice value, struct moment *out)
{
    int32_t day;

    *out = (struct moment){0};
    if (instant_parse_date(value, &day)) {
        out->day = day;
        return true;
    }
    if (instant_parse_any(value, &out->at)) {
        struct local_time local = local_of(zone, out->at);

        out->has_instant = true;
        out->day = local.day;
        out->ms_of_day = local.ms_of_day;
        return true;
    }
    return false;
}

/* ---- due instants ---- */

/* The same day in another year. */
static int64_t anniversary(int64_t day, int year)
{
    unsigned month, day_of_month, last;
    int of_value;

    civil_from_days(day, &of_value, &month, &day_of_month);
    last = days_of_month(year, month);
    return days_from_civil(year, month, day_of_month < last ? day_of_month : last);
}

/* The due instant of a moment. */
static int64_t due_of(const struct trigger_condition *condition, const struct zone_table *zone,
                      const struct moment *moment)
{
    int64_t at =
        moment->has_instant ? moment->at : instant_of(zone, moment->day, moment->ms_of_day);

    at = instant_add(at, condition->offset_minutes * MS_PER_MINUTE);
    if (condition->has_time_of_day) {
        at = instant_of(zone, local_of(zone, at).day,
                        (int32_t)(condition->minute_of_day * MS_PER_MINUTE));
    }
    return at;
}

/* The first anniversary's due instant from `since` on; INSTANT_NEVER: the calendar ends before. */
static int64_t next_yearly(const struct trigger_condition *condition, const struct zone_table *zone,
                           const struct moment *moment, int64_t since)
{
    int of_value = year_of(moment->day);
    int first = year_of(local_of(zone, since).day) - YEARS_BEFORE;

    for (int year = first > of_value ? first : of_value; year <= YEAR_MAX; year++) {
        struct moment of_year = *moment;
        int64_t due_at;

        if (year != of_value) {
            of_year.day = anniversary(moment->day, year);
            of_year.has_instant = false;
        }
        due_at = due_of(condition, zone, &of_year);
        if (due_at >= since) {
            return due_at;
        }
    }
    return INSTANT_NEVER;
}

bool trigger_due(const struct trigger_condition *condition, const struct zone_table *zone,
                 struct slice value, int64_t since, int64_t *due_at)
{
    struct moment moment;
    int64_t at;

    if (!read_moment(zone, value, &moment)) {
        return false;
    }
    at = condition->recurrence == RECURRENCE_YEARLY ? next_yearly(condition, zone, &moment, since)
                                                    : due_of(condition, zone, &moment);
    if (at > INSTANT_MAX) {
        return false;
    }
    *due_at = at;
    return true;
}
