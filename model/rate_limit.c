#include "model/rate_limit.h"

#define NS_PER_SECOND INT64_C(1000000000)
#define NS_PER_MINUTE (60 * NS_PER_SECOND)

/* Rounded up, so that the rate is never above the limit. */
static int64_t interval_ns(const struct rate_limit *limit)
{
    return (NS_PER_MINUTE + limit->per_minute - 1) / limit->per_minute;
}

static uint32_t seconds_up(int64_t ns)
{
    return ns <= 0 ? 0 : (uint32_t)((ns + NS_PER_SECOND - 1) / NS_PER_SECOND);
}

struct rate_state rate_look(const struct rate_limit *limit, const struct rate_bucket *bucket,
                            int64_t now_ns)
{
    int64_t interval = interval_ns(limit);
    int64_t whole = interval * limit->burst;
    int64_t missing = bucket->full_ns > now_ns ? bucket->full_ns - now_ns : 0;
    struct rate_state state = {.is_allowed = missing + interval <= whole,
                               .reset_seconds = seconds_up(missing)};

    if (state.is_allowed) {
        state.remaining = (uint32_t)((whole - missing) / interval);
    } else {
        state.retry_after_seconds = seconds_up(missing + interval - whole);
    }
    return state;
}

struct rate_state rate_take(const struct rate_limit *limit, struct rate_bucket *bucket,
                            int64_t now_ns)
{
    struct rate_state before = rate_look(limit, bucket, now_ns);
    struct rate_state after;

    if (!before.is_allowed) {
        return before;
    }
    bucket->full_ns = (bucket->full_ns > now_ns ? bucket->full_ns : now_ns) + interval_ns(limit);
    after = rate_look(limit, bucket, now_ns);
    after.is_allowed = true;
    after.retry_after_seconds = 0;
    return after;
}

bool rate_is_full(const struct rate_bucket *bucket, int64_t now_ns)
{
    return bucket->full_ns <= now_ns;
}
