/* Local time <-> instant over a transition table that is data (model/zone_table.h). */
#ifndef OUTDIAL_MODEL_CALENDAR_H
#define OUTDIAL_MODEL_CALENDAR_H

#include <stdbool.h>

#include "model/zone_table.h"

/* A local day (days since 1970-01-01) and the time of it at an instant. */
struct local_time {
    int64_t day;
    int32_t ms_of_day;
    unsigned weekday; /* 0 is sunday */
};

struct local_time calendar_local(const struct zone_table *zone, int64_t at);

/* The instants at which the zone's wall clock shows the given time of the given local day: none in
 * a gap (returns 0), one, or two in an overlap (earliest first). */
unsigned calendar_instants(const struct zone_table *zone, int64_t day, int32_t ms_of_day,
                           int64_t out[2]);

/* The one instant that a local time stands for where one is needed: the first of two in an overlap;
 * in a gap, as much later as the clock jumps there. */
int64_t calendar_instant(const struct zone_table *zone, int64_t day, int32_t ms_of_day);

/* The first instant later than `at` at which the offset changes; INSTANT_NEVER when the table knows
 * none. */
int64_t calendar_next_change(const struct zone_table *zone, int64_t at);

/* The table of UTC: one entry, valid for ever. */
extern const struct zone_table calendar_utc;

#endif
