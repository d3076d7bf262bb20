/* The one caller of clock_gettime in the engine. */
#include "engine/clock.h"

#include <time.h>

#include "base/check.h"
#include "base/instant.h"

#define NS_PER_SECOND INT64_C(1000000000)
#define NS_PER_MS     INT64_C(1000000)

/* A test clock's mono at its start: one day, so that no deadline that is set back lies below 0. */
#define TEST_MONO_START MS_PER_DAY

static int64_t read_ns(clockid_t id)
{
    struct timespec time;

    /* Fails for an unknown clock only, and Debian 12's kernel knows both. */
    OD_CHECK(clock_gettime(id, &time) == 0);
    return (int64_t)time.tv_sec * NS_PER_SECOND + time.tv_nsec;
}

void clock_open_real(struct clock *clock)
{
    *clock = (struct clock){.is_test = false};
    clock->mono = read_ns(CLOCK_BOOTTIME) / NS_PER_MS;
    (void)clock_refresh(clock);
}

void clock_open_test(struct clock *clock, int64_t at)
{
    OD_CHECK(at >= 0);
    *clock = (struct clock){.is_test = true, .now = at, .mono = TEST_MONO_START};
}

void clock_open_by_hand(struct clock *clock, int64_t at, int64_t mono)
{
    OD_CHECK(at >= 0);
    OD_CHECK(mono > 0);
    *clock = (struct clock){.is_by_hand = true, .now = at, .mono = mono};
}

void clock_set(struct clock *clock, int64_t at, int64_t mono)
{
    OD_CHECK(clock->is_by_hand);
    OD_CHECK(at >= 0);
    OD_CHECK(mono >= clock->mono);
    clock->now = at;
    clock->mono = mono;
}

bool clock_refresh(struct clock *clock)
{
    int64_t mono;
    bool is_gap;

    if (clock->is_test || clock->is_by_hand) {
        return false;
    }
    clock->now = read_ns(CLOCK_REALTIME) / NS_PER_MS;
    mono = read_ns(CLOCK_BOOTTIME) / NS_PER_MS;
    OD_CHECK(mono >= clock->mono);
    is_gap = mono - clock->mono >= CLOCK_GAP_MS;
    clock->mono = mono;
    return is_gap;
}

void clock_advance_to(struct clock *clock, int64_t at)
{
    OD_CHECK(clock->is_test);
    if (at <= clock->now) {
        return;
    }
    clock->mono = instant_add(clock->mono, at - clock->now);
    clock->now = at;
}

int64_t clock_mono_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}
