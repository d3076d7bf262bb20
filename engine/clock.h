/* The clocks: wall time, which may step, and a time that never goes back, both in milliseconds.
 *
 * Times are taken once a turn (clock_refresh) and are then the same for everything in it. The test
 * clock is a virtual wall instant that stands still until it is moved; mono moves along with it.
 */
#ifndef OUTDIAL_ENGINE_CLOCK_H
#define OUTDIAL_ENGINE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Read through the functions. */
struct clock {
    bool is_test;
    bool is_by_hand; /* both times are what clock_set said last */
    int64_t now;
    int64_t mono;
};

/* A clock that is not taken for so long has stood still with its process: it was stopped, or the
 * machine slept. The engine takes the time each second when there is nothing else to do. */
enum { CLOCK_GAP_MS = 5000 };

/* CLOCK_REALTIME and CLOCK_BOOTTIME, read at once. */
void clock_open_real(struct clock *clock);

/* A clock that stands at `at`, an instant from 0 on. */
void clock_open_test(struct clock *clock, int64_t at);

/* Clocks that are set by hand (clock_set), for an engine that is stepped (engine/steps.h). `at` is
 * an instant from 0 on, `mono` above 0. */
void clock_open_by_hand(struct clock *clock, int64_t at, int64_t mono);

/* Sets both clocks of such a clock: the wall clock anywhere, the other one not back. */
void clock_set(struct clock *clock, int64_t at, int64_t mono);

/* Takes the time anew, once a turn. A test clock, and one that is set by hand, stay where they are.
 * True: the process has stood still, for CLOCK_GAP_MS or more, since it was taken last. */
bool clock_refresh(struct clock *clock);

/* Moves a test clock on; an instant before its own leaves it. */
void clock_advance_to(struct clock *clock, int64_t at);

/* Wall clock, ms since 1970. */
static inline int64_t clock_now(const struct clock *clock)
{
    return clock->now;
}

/* Of the clock that never goes back, ms since some instant in the past; above 0. */
static inline int64_t clock_mono(const struct clock *clock)
{
    return clock->mono;
}

/* Nanoseconds for measuring durations: always real, read at once. */
int64_t clock_mono_ns(void);

#endif
