#include "model/pacing.h"

#include "base/hash.h"
#include "tests/support/od_test.h"
#include "tests/unit/model/defect.h"

#define PER_SECOND UINT64_C(1000000)

/* Takes all that there is room for, each millisecond that pacing_next_ms names, until `end_ms`.
 * Returns how many calls that were. */
static uint64_t run(struct pacing *pacing, int64_t start_ms, int64_t end_ms)
{
    uint64_t calls = 0;

    for (int64_t now = start_ms; now < end_ms;) {
        uint32_t room = pacing_room(pacing, now, UINT32_MAX);

        pacing_take(pacing, now, room);
        calls += room;
        now = pacing_next_ms(pacing, now);
    }
    return calls;
}

static void without_a_cap_there_is_always_room(void **state)
{
    struct pacing pacing;

    (void)state;
    pacing_init(&pacing, 0);
    assert_int_equal(pacing_room(&pacing, 5, UINT32_MAX), UINT32_MAX);
    pacing_take(&pacing, 5, UINT32_MAX);
    assert_int_equal(pacing_room(&pacing, 5, 1), 1);
    assert_int_equal(pacing_next_ms(&pacing, 5), 5);
}

static void calls_are_spaced_evenly(void **state)
{
    struct pacing pacing;

    (void)state;
    pacing_init(&pacing, 4 * PER_SECOND);
    for (int64_t at = 1000; at <= 10000; at += 250) {
        assert_int_equal(pacing_next_ms(&pacing, at - 250), at == 1000 ? 750 : at);
        assert_int_equal(pacing_room(&pacing, at, 10), 1);
        pacing_take(&pacing, at, 1);
        assert_int_equal(pacing_room(&pacing, at, 10), 0);
        assert_int_equal(pacing_room(&pacing, at + 249, 10), 0);
    }
}

static void room_is_never_more_than_wanted(void **state)
{
    struct pacing pacing;

    (void)state;
    pacing_init(&pacing, 10000 * PER_SECOND);
    pacing_take(&pacing, 1000, 1);
    assert_int_equal(pacing_room(&pacing, 1010, UINT32_MAX), 100);
    assert_int_equal(pacing_room(&pacing, 1010, 7), 7);
    assert_int_equal(pacing_room(&pacing, 1010, 0), 0);
    pacing_take(&pacing, 1010, 0);
    pacing_take(&pacing, 1010, 60);
    assert_int_equal(pacing_room(&pacing, 1010, UINT32_MAX), 40);
}

static void the_first_call_starts_at_once_and_alone(void **state)
{
    struct pacing pacing;

    (void)state;
    pacing_init(&pacing, 1000 * PER_SECOND);
    assert_int_equal(pacing_next_ms(&pacing, 123456), 123456);
    assert_int_equal(pacing_room(&pacing, 123456, UINT32_MAX), 1);
}

/* A wake-up that is late by up to PACING_CATCH_UP_MS loses nothing. */
static void a_late_wake_up_is_made_up_for(void **state)
{
    struct pacing pacing;

    (void)state;
    pacing_init(&pacing, 1000 * PER_SECOND);
    pacing_take(&pacing, 1000, 1);
    assert_int_equal(pacing_room(&pacing, 1000 + PACING_CATCH_UP_MS, UINT32_MAX),
                     PACING_CATCH_UP_MS);
}

/* "a pause saves up nothing but a short catch-up" */
static void a_pause_saves_up_nothing_more(void **state)
{
    struct pacing pacing;

    (void)state;
    pacing_init(&pacing, 1000 * PER_SECOND);
    pacing_take(&pacing, 1000, 1);
    assert_int_equal(pacing_room(&pacing, 3600000, UINT32_MAX), PACING_CATCH_UP_MS + 1);
    pacing_init(&pacing, 1 * PER_SECOND);
    pacing_take(&pacing, 1000, 1);
    assert_int_equal(pacing_room(&pacing, 3600000, UINT32_MAX), 1);
}

static void less_than_one_call_a_second_is_possible(void **state)
{
    struct pacing pacing;

    (void)state;
    pacing_init(&pacing, PER_SECOND / 10);
    pacing_take(&pacing, 7, 1);
    assert_int_equal(pacing_next_ms(&pacing, 7), 10007);
    assert_int_equal(pacing_room(&pacing, 10006, 1), 0);
    assert_int_equal(pacing_room(&pacing, 10007, 1), 1);

    pacing_init(&pacing, 1);
    pacing_take(&pacing, 0, 1);
    assert_true(pacing_next_ms(&pacing, 0) == INT64_C(1000000000));
}

/* Over a minute in which nothing is late, the cap is kept and used up. */
static void the_rate_is_reached_and_not_passed(void **state)
{
    static const uint64_t rates[] = {PER_SECOND / 3,    PER_SECOND,         3 * PER_SECOND,
                                     7 * PER_SECOND,    999 * PER_SECOND,   12345678901,
                                     5000 * PER_SECOND, 66667 * PER_SECOND, 100000 * PER_SECOND};

    (void)state;
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        struct pacing pacing;
        uint64_t exact = rates[i] * 60 / PER_SECOND;
        uint64_t calls;

        pacing_init(&pacing, rates[i]);
        calls = run(&pacing, 1000, 61000);
        assert_in_range(calls, exact - exact / 10000, exact + 1);
    }
}

/* Since the first call there were no more than one and the share of the time that has passed. */
static void no_pattern_of_wake_ups_passes_the_cap(void **state)
{
    struct prng prng;

    (void)state;
    prng_seed(&prng, 1);
    for (int round = 0; round < 2000; round++) {
        uint64_t per_second = 1 + prng_below(&prng, round % 2 == 0 ? 100 : 100000);
        int64_t start = (int64_t)prng_below(&prng, 1000000);
        int64_t now = start;
        uint64_t calls = 0;
        struct pacing pacing;

        pacing_init(&pacing, per_second * PER_SECOND);
        for (int i = 0; i < 50; i++) {
            uint32_t room = pacing_room(&pacing, now, UINT32_MAX);
            uint32_t taken = (uint32_t)prng_below(&prng, (uint64_t)room + 1);
            uint64_t limit = 1 + per_second * (uint64_t)(now - start) / 1000;

            pacing_take(&pacing, now, taken);
            calls += taken;
            assert_true(calls <= limit);
            now += (int64_t)prng_below(&prng, 60);
        }
    }
}

/* The instant of pacing_next_ms is the first that has room. */
static void the_next_instant_is_the_first_with_room(void **state)
{
    struct prng prng;

    (void)state;
    prng_seed(&prng, 2);
    for (int round = 0; round < 20000; round++) {
        int64_t now = 1000 + (int64_t)prng_below(&prng, 1000);
        struct pacing pacing;
        int64_t next;

        pacing_init(&pacing, 1 + prng_below(&prng, 2000 * PER_SECOND));
        pacing_take(&pacing, now, 1);
        now += (int64_t)prng_below(&prng, 5);
        next = pacing_next_ms(&pacing, now);
        assert_true(next >= now);
        assert_true(pacing_room(&pacing, next, 1) == 1);
        assert_true(next == now || pacing_room(&pacing, next - 1, 1) == 0);
    }
}

static void take_too_many(const void *argument)
{
    struct pacing pacing;

    (void)argument;
    pacing_init(&pacing, PER_SECOND);
    pacing_take(&pacing, 1000, 2);
}

static void taking_more_than_there_is_room_for_is_a_defect(void **state)
{
    (void)state;
    assert_true(is_defect(take_too_many, NULL));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(without_a_cap_there_is_always_room),
    cmocka_unit_test(calls_are_spaced_evenly),
    cmocka_unit_test(room_is_never_more_than_wanted),
    cmocka_unit_test(the_first_call_starts_at_once_and_alone),
    cmocka_unit_test(a_late_wake_up_is_made_up_for),
    cmocka_unit_test(a_pause_saves_up_nothing_more),
    cmocka_unit_test(less_than_one_call_a_second_is_possible),
    cmocka_unit_test(the_rate_is_reached_and_not_passed),
    cmocka_unit_test(no_pattern_of_wake_ups_passes_the_cap),
    cmocka_unit_test(the_next_instant_is_the_first_with_room),
    cmocka_unit_test(taking_more_than_there_is_room_for_is_a_defect),
};

OD_TEST_MAIN(tests)
