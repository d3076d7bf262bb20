/* A log-linear histogram: each power of two is cut into 16 buckets, so a value is known to a
 * sixteenth of itself, in fixed memory and a few nanoseconds.
 */
#ifndef OUTDIAL_ENGINE_HISTOGRAM_H
#define OUTDIAL_ENGINE_HISTOGRAM_H

#include <stdint.h>

enum {
    HISTOGRAM_BITS = 4, /* 2^4 buckets a power of two */
    HISTOGRAM_BUCKETS = 1 + (1 << HISTOGRAM_BITS) * (65 - HISTOGRAM_BITS),
};

/* All zero is an empty one. */
struct histogram {
    uint64_t count;
    uint64_t sum; /* wraps around */
    uint64_t maximum;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* Counts a value. */
void histogram_add(struct histogram *histogram, uint64_t value);

/* The bucket of a value, and the largest value of a bucket. Each power of two is the largest value
 * of its bucket. */
uint32_t histogram_bucket(uint64_t value);
uint64_t histogram_bucket_maximum(uint32_t bucket);

/* How many values are at most `bound`, exactly when that is a bucket's largest value. */
uint64_t histogram_at_most(const struct histogram *histogram, uint64_t bound);

/* A value that `millionths` of a million of the values do not exceed (999000: p99.9), at most a
 * sixteenth above the true one; 0 of an empty histogram. */
uint64_t histogram_percentile(const struct histogram *histogram, uint32_t millionths);

#endif
