/* Requests per minute with a burst, in integers (GCRA, ITU-T I.371: a bucket of tokens that is kept
 * as one instant).
 *
 * A bucket holds `burst` tokens and is full at first; each request takes one, and they come back
 * one an interval. Every `now_ns` is of a clock that never goes back, 0 or more.
 */
#ifndef OUTDIAL_MODEL_RATE_LIMIT_H
#define OUTDIAL_MODEL_RATE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct rate_limit {
    uint32_t per_minute; /* 1 or more */
    uint32_t burst;      /* 1 or more */
};

/* A bucket: the instant at which it is full again; 0: it has never been used. */
struct rate_bucket {
    int64_t full_ns;
};

/* What a bucket has left after a request. */
struct rate_state {
    bool is_allowed;
    uint32_t remaining;     /* tokens */
    uint32_t reset_seconds; /* until it is full again, rounded up */
    uint32_t
        retry_after_seconds; /* not allowed: until the next token, rounded up, 1 or more; else 0 */
};

/* Takes a token, if there is one. */
struct rate_state rate_take(const struct rate_limit *limit, struct rate_bucket *bucket,
                            int64_t now_ns);

/* The same without taking one: is_allowed says whether one could be taken. */
struct rate_state rate_look(const struct rate_limit *limit, const struct rate_bucket *bucket,
                            int64_t now_ns);

/* Whether the bucket is full, so that it can be forgotten. */
bool rate_is_full(const struct rate_bucket *bucket, int64_t now_ns);

#endif
