/* Design: between two changes of the table, local time is the instant plus a constant. So the
 * stretch that holds an instant is found by bisection, and a local time is tried against each
 * stretch that may show it: those within the greatest offset of it. */
#include "model/calendar.h"

#include "base/check.h"
#include "base/instant.h"

/* Offsets lie within a day and two hours (RFC 8536, section 3.2). */
#define OFFSET_MAX_MS (26 * MS_PER_HOUR)

static const struct zone_change utc_changes[] = {{.at = INT64_MIN, .offset_seconds = 0}};

const struct zone_table calendar_utc = {
    .name = "UTC",
    .changes = utc_changes,
    .change_count = 1,
    .valid_until = INSTANT_NEVER,
};

/* Returns the index of the last change at or before an instant. */
static size_t stretch_at(const struct zone_table *zone, int64_t at)
{
    size_t low = 0;
    size_t high = zone->change_count;

    OD_CHECK(high > 0);
    OD_CHECK(zone->changes[0].at == INT64_MIN);
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (zone->changes[middle].at <= at) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

static int64_t offset_ms(const struct zone_change *change)
{
    return change->offset_seconds * MS_PER_SECOND;
}

struct local_time calendar_local(const struct zone_table *zone, int64_t at)
{
    int64_t wall = instant_add(at, offset_ms(&zone->changes[stretch_at(zone, at)]));
    int64_t day = wall / MS_PER_DAY;
    int64_t rest = wall % MS_PER_DAY;

    if (rest < 0) {
        day--;
        rest += MS_PER_DAY;
    }
    return (struct local_time){
        .day = day, .ms_of_day = (int32_t)rest, .weekday = weekday_from_days(day)};
}

unsigned calendar_instants(const struct zone_table *zone, int64_t day, int32_t ms_of_day,
                           int64_t out[2])
{
    int64_t wall = day * MS_PER_DAY + ms_of_day;
    unsigned count = 0;

    for (size_t i = stretch_at(zone, wall - OFFSET_MAX_MS); i < zone->change_count; i++) {
        const struct zone_change *change = &zone->changes[i];
        bool is_last = i + 1 == zone->change_count;
        int64_t at = wall - offset_ms(change);

        if (change->at > wall + OFFSET_MAX_MS) {
            break;
        }
        if (at >= change->at && (is_last || at < change[1].at)) {
            /* Three occurrences of one time are not known of any zone: the last stays. */
            out[count == 0 ? 0 : 1] = at;
            count = count == 0 ? 1 : 2;
        }
    }
    return count;
}

/* In a gap the offset that held before it leads to an instant behind it. */
int64_t calendar_instant(const struct zone_table *zone, int64_t day, int32_t ms_of_day)
{
    int64_t wall = day * MS_PER_DAY + ms_of_day;
    int64_t instants[2];
    size_t first;

    if (calendar_instants(zone, day, ms_of_day, instants) > 0) {
        return instants[0];
    }
    first = stretch_at(zone, wall - OFFSET_MAX_MS);
    for (size_t i = first; i + 1 < zone->change_count; i++) {
        int64_t before = wall - offset_ms(&zone->changes[i]);
        int64_t after = wall - offset_ms(&zone->changes[i + 1]);

        if (before >= zone->changes[i + 1].at && after < zone->changes[i + 1].at) {
            return before;
        }
    }
    OD_CHECK(false); /* a time is shown, or it lies in a gap */
    return wall;
}

int64_t calendar_next_change(const struct zone_table *zone, int64_t at)
{
    size_t now = stretch_at(zone, at);

    for (size_t i = now + 1; i < zone->change_count; i++) {
        if (zone->changes[i].offset_seconds != zone->changes[now].offset_seconds) {
            return zone->changes[i].at;
        }
    }
    return INSTANT_NEVER;
}
