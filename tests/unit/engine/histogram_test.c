/* engine/histogram: percentiles against sorted samples, and the edges of the buckets. */
#include "engine/histogram.h"

#include <stdlib.h>

#include "base/hash.h"
#include "tests/support/od_test.h"

#define SAMPLES 2000
#define ROUNDS  200

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;

    return (*x > *y) - (*x < *y);
}

/* Numbers of all sizes: up to 64 bits, few bits as often as many. */
static uint64_t draw(struct prng *prng, uint64_t bits)
{
    uint64_t shift = 64 - bits + prng_below(prng, bits);

    return prng_next(prng) >> shift;
}

static void buckets_follow_each_other_without_a_gap(void **state)
{
    (void)state;
    assert_int_equal(histogram_bucket(0), 0);
    assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t maximum = histogram_bucket_maximum(i);

        assert_int_equal(histogram_bucket(maximum), i);
        if (i + 1 < HISTOGRAM_BUCKETS) {
            assert_int_equal(histogram_bucket(maximum + 1), i + 1);
        }
    }
    assert_int_equal(histogram_bucket_maximum(HISTOGRAM_BUCKETS - 1), UINT64_MAX);
}

static void powers_of_two_close_a_bucket(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t power = UINT64_C(1) << bit;

        assert_int_equal(histogram_bucket_maximum(histogram_bucket(power)), power);
    }
}

static void an_empty_histogram_is_zero(void **state)
{
    struct histogram histogram = {.count = 0};

    (void)state;
    assert_int_equal(histogram_percentile(&histogram, 500000), 0);
    assert_int_equal(histogram_at_most(&histogram, UINT64_MAX), 0);
}

static void check_percentile(const struct histogram *histogram, const uint64_t *sorted,
                             uint32_t millionths)
{
    uint64_t rank = ((uint64_t)SAMPLES * millionths + 999999) / 1000000;
    uint64_t true_value = sorted[rank > 0 ? rank - 1 : 0];
    uint64_t value = histogram_percentile(histogram, millionths);

    assert_true(value >= true_value);
    assert_true(value - true_value <= true_value / (1U << HISTOGRAM_BITS));
}

static void check_round(uint64_t seed)
{
    static const uint32_t asked[] = {0, 1, 10000, 500000, 900000, 990000, 999000, 999999, 1000000};
    static uint64_t samples[SAMPLES];
    struct histogram histogram = {.count = 0};
    struct prng prng;
    uint64_t sum = 0;
    uint64_t bits;

    prng_seed(&prng, seed);
    bits = 1 + prng_below(&prng, 64);
    for (size_t i = 0; i < SAMPLES; i++) {
        samples[i] = draw(&prng, bits);
        sum += samples[i];
        histogram_add(&histogram, samples[i]);
    }
    qsort(samples, SAMPLES, sizeof(samples[0]), compare);
    assert_int_equal(histogram.count, SAMPLES);
    assert_int_equal(histogram.sum, sum);
    assert_int_equal(histogram.maximum, samples[SAMPLES - 1]);
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        check_percentile(&histogram, samples, asked[i]);
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t bound = UINT64_C(1) << bit;
        uint64_t count = 0;

        while (count < SAMPLES && samples[count] <= bound) {
            count++;
        }
        assert_int_equal(histogram_at_most(&histogram, bound), count);
    }
}

static void percentiles_are_a_sixteenth_above_sorted_samples_at_most(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        check_round(seed);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(buckets_follow_each_other_without_a_gap),
    cmocka_unit_test(powers_of_two_close_a_bucket),
    cmocka_unit_test(an_empty_histogram_is_zero),
    cmocka_unit_test(percentiles_are_a_sixteenth_above_sorted_samples_at_most),
};

OD_TEST_MAIN(tests)
