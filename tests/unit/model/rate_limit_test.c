/* A bucket of tokens: what it lets through, and what it says of itself. */
#include "model/rate_limit.h"

#include "base/hash.h"
#include "tests/support/od_test.h"

#define SECOND INT64_C(1000000000)

static void a_burst_goes_through_and_then_one_an_interval(void **state)
{
    const struct rate_limit limit = {.per_minute = 60, .burst = 3};
    struct rate_bucket bucket = {0};
    struct rate_state answer;
    int64_t now = 1000 * SECOND;

    (void)state;
    for (uint32_t left = 3; left-- > 0;) {
        answer = rate_take(&limit, &bucket, now);
        assert_true(answer.is_allowed);
        assert_int_equal(answer.remaining, left);
        assert_int_equal(answer.reset_seconds, 3 - left);
        assert_int_equal(answer.retry_after_seconds, 0);
    }
    answer = rate_take(&limit, &bucket, now);
    assert_false(answer.is_allowed);
    assert_int_equal(answer.remaining, 0);
    assert_int_equal(answer.retry_after_seconds, 1);
    assert_false(rate_take(&limit, &bucket, now + SECOND - 1).is_allowed);
    assert_true(rate_take(&limit, &bucket, now + SECOND).is_allowed);
    assert_false(rate_take(&limit, &bucket, now + SECOND).is_allowed);
    assert_false(rate_is_full(&bucket, now + 4 * SECOND - 1));
    assert_true(rate_is_full(&bucket, now + 4 * SECOND));
}

static void what_is_refused_takes_nothing(void **state)
{
    const struct rate_limit limit = {.per_minute = 1, .burst = 1};
    struct rate_bucket bucket = {0};

    (void)state;
    assert_true(rate_take(&limit, &bucket, 0).is_allowed);
    for (int64_t at = 0; at < 60; at++) {
        struct rate_state answer = rate_take(&limit, &bucket, at * SECOND);

        assert_false(answer.is_allowed);
        assert_int_equal(answer.retry_after_seconds, 60 - at);
        assert_int_equal(answer.reset_seconds, 60 - at);
    }
    assert_true(rate_take(&limit, &bucket, 60 * SECOND).is_allowed);
}

static void a_look_takes_nothing(void **state)
{
    const struct rate_limit limit = {.per_minute = 60, .burst = 2};
    struct rate_bucket bucket = {0};

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        assert_true(rate_look(&limit, &bucket, SECOND).is_allowed);
        assert_int_equal(rate_look(&limit, &bucket, SECOND).remaining, 2);
    }
}

/* Over any time, no more than a burst and what the rate gives; and what Retry-After says holds. */
static void it_keeps_to_its_rate(void **state)
{
    struct prng prng;

    (void)state;
    prng_seed(&prng, 7);
    for (unsigned round = 0; round < 200; round++) {
        const struct rate_limit limit = {.per_minute = 1 + (uint32_t)prng_below(&prng, 100000),
                                         .burst = 1 + (uint32_t)prng_below(&prng, 50)};
        struct rate_bucket bucket = {0};
        int64_t begun = (int64_t)prng_below(&prng, 1000) * SECOND;
        int64_t now = begun;
        uint64_t taken = 0;

        for (unsigned i = 0; i < 300; i++) {
            struct rate_state answer = rate_take(&limit, &bucket, now);
            int64_t room = limit.burst + (now - begun) / SECOND * limit.per_minute / 60 +
                           limit.per_minute / 60 + 1;

            taken += answer.is_allowed;
            assert_true((int64_t)taken <= room);
            if (!answer.is_allowed) {
                int64_t then = now + answer.retry_after_seconds * SECOND;

                assert_true(answer.retry_after_seconds >= 1);
                assert_true(rate_look(&limit, &bucket, then).is_allowed);
            }
            now += (int64_t)prng_below(&prng, SECOND / 10);
        }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_burst_goes_through_and_then_one_an_interval),
    cmocka_unit_test(what_is_refused_takes_nothing),
    cmocka_unit_test(a_look_takes_nothing),
    cmocka_unit_test(it_keeps_to_its_rate),
};

OD_TEST_MAIN(tests)
