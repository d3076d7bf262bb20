/* Buckets: 0 holds 0, and v from 1 on is in the bucket of w = v - 1, so that a power of two closes
 * a bucket as Prometheus' `le` wants it. A w below 2^BITS has a bucket of its own; of a larger one
 * the position of its highest bit and the BITS bits below that tell the bucket.
 */
#include "engine/histogram.h"

#include "base/check.h"

#define SUBS    (UINT32_C(1) << HISTOGRAM_BITS)
#define MILLION 1000000U

uint32_t histogram_bucket(uint64_t value)
{
    uint64_t w;
    uint32_t shift;

    if (value == 0) {
        return 0;
    }
    w = value - 1;
    if (w < SUBS) {
        return 1 + (uint32_t)w;
    }
    shift = 63 - (uint32_t)__builtin_clzll(w) - HISTOGRAM_BITS;
    return 1 + shift * SUBS + (uint32_t)(w >> shift);
}

uint64_t histogram_bucket_maximum(uint32_t bucket)
{
    uint32_t place;
    uint32_t shift;

    OD_CHECK(bucket < HISTOGRAM_BUCKETS);
    if (bucket <= SUBS) {
        return bucket;
    }
    place = bucket - 1;
    shift = place / SUBS - 1;
    /* The w of the bucket begin with SUBS + place % SUBS; v = w + 1 ends where the next bucket's w
     * begins. The last bucket of all ends at 2^64 - 1 instead. */
    if (bucket == HISTOGRAM_BUCKETS - 1) {
        return UINT64_MAX;
    }
    return (uint64_t)(SUBS + place % SUBS + 1) << shift;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
    histogram->count++;
    histogram->sum += value;
    if (value > histogram->maximum) {
        histogram->maximum = value;
    }
    histogram->buckets[histogram_bucket(value)]++;
}

uint64_t histogram_at_most(const struct histogram *histogram, uint64_t bound)
{
    uint32_t last = histogram_bucket(bound);
    uint64_t count = 0;

    for (uint32_t i = 0; i <= last; i++) {
        count += histogram->buckets[i];
    }
    return count;
}

uint64_t histogram_percentile(const struct histogram *histogram, uint32_t millionths)
{
    uint64_t rank;
    uint64_t seen = 0;
    uint64_t value = 0;

    OD_CHECK(millionths <= MILLION);
    if (histogram->count == 0) {
        return 0;
    }
    /* ceil(count * millionths / 10^6) without overflow, and at least 1. */
    rank = histogram->count / MILLION * millionths;
    rank += (histogram->count % MILLION * millionths + MILLION - 1) / MILLION;
    if (rank == 0) {
        rank = 1;
    }
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS && seen < rank; i++) {
        seen += histogram->buckets[i];
        value = histogram_bucket_maximum(i);
    }
    return value < histogram->maximum ? value : histogram->maximum;
}
