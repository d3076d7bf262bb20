/* Calls per second, in integers (GCRA, ITU-T I.371: a virtual scheduling algorithm).
 *
 * Calls are spaced evenly; a pause saves up nothing but a short catch-up for late wake-ups
 * (PACING_CATCH_UP_MS). Every `mono_ms` is 0 or more and not below the one before.
 */
#ifndef OUTDIAL_MODEL_PACING_H
#define OUTDIAL_MODEL_PACING_H

#include <stdint.h>

enum { PACING_CATCH_UP_MS = 20 };

struct pacing {
    uint64_t per_second_micro; /* calls per second × 10^6; 0: no cap */
    int64_t next_ns; /* mono, in nanoseconds: the slot of the next call; INT64_MIN: none yet */
};

void pacing_init(struct pacing *pacing, uint64_t per_second_micro);

/* How many of `wanted` calls may start at `mono_ms`, without taking them. */
uint32_t pacing_room(const struct pacing *pacing, int64_t mono_ms, uint32_t wanted);

/* Takes the slots of `count` calls at `mono_ms`; count is at most pacing_room. */
void pacing_take(struct pacing *pacing, int64_t mono_ms, uint32_t count);

/* The first millisecond, at or after `mono_ms`, at which there is room for a call. */
int64_t pacing_next_ms(const struct pacing *pacing, int64_t mono_ms);

#endif
