/* Time-zone rules as data: what a zone's wall clock shows, from instant to instant (engine.md,
 * "Actors": outside facts arrive in messages). engine/zones makes these tables from the time-zone
 * database; nothing here reads it.
 */
#ifndef OUTDIAL_MODEL_ZONE_TABLE_H
#define OUTDIAL_MODEL_ZONE_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct zone_change {
    int64_t at;             /* from this instant on … */
    int32_t offset_seconds; /* … local time is UTC plus this */
};

/* Changes in ascending order; changes[0].at is INT64_MIN. The table holds up to `valid_until`, an
 * instant; after it, the last offset is taken to stay. Lives as long as the engine that made it. */
struct zone_table {
    const char *name;
    const struct zone_change *changes;
    size_t change_count;
    int64_t valid_until;
};

#endif
