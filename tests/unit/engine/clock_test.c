/* engine/clock: the test clock stands still, the real one goes on. */
#include "engine/clock.h"

#include <time.h>

#include "base/instant.h"
#include "tests/support/od_test.h"

static void a_test_clock_stands_still(void **state)
{
    struct clock clock;
    int64_t mono;

    (void)state;
    clock_open_test(&clock, 1000);
    mono = clock_mono(&clock);
    assert_true(mono > 0);
    (void)clock_refresh(&clock);
    assert_int_equal(clock_now(&clock), 1000);
    assert_int_equal(clock_mono(&clock), mono);
}

static void mono_moves_along_with_the_test_clock(void **state)
{
    struct clock clock;
    int64_t mono;

    (void)state;
    clock_open_test(&clock, 0);
    mono = clock_mono(&clock);
    clock_advance_to(&clock, 7 * MS_PER_DAY);
    assert_int_equal(clock_now(&clock), 7 * MS_PER_DAY);
    assert_int_equal(clock_mono(&clock), mono + 7 * MS_PER_DAY);
    clock_advance_to(&clock, INSTANT_MAX);
    assert_int_equal(clock_now(&clock), INSTANT_MAX);
    assert_int_equal(clock_mono(&clock), mono + INSTANT_MAX);
}

static void a_test_clock_does_not_go_back(void **state)
{
    struct clock clock;
    int64_t mono;

    (void)state;
    clock_open_test(&clock, 5000);
    mono = clock_mono(&clock);
    clock_advance_to(&clock, 4999);
    clock_advance_to(&clock, 5000);
    assert_int_equal(clock_now(&clock), 5000);
    assert_int_equal(clock_mono(&clock), mono);
}

static int64_t system_ms(clockid_t id)
{
    struct timespec time;

    assert_int_equal(clock_gettime(id, &time), 0);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void a_real_clock_is_the_systems(void **state)
{
    struct clock clock;
    int64_t now = system_ms(CLOCK_REALTIME);
    int64_t mono = system_ms(CLOCK_BOOTTIME);

    (void)state;
    clock_open_real(&clock);
    assert_in_range(clock_now(&clock), now, system_ms(CLOCK_REALTIME));
    assert_in_range(clock_mono(&clock), mono, system_ms(CLOCK_BOOTTIME));
}

static void a_real_clock_is_the_same_until_it_is_refreshed(void **state)
{
    struct clock clock;
    int64_t mono;
    int64_t until;

    (void)state;
    clock_open_real(&clock);
    mono = clock_mono(&clock);
    until = clock_mono_ns() + 3 * INT64_C(1000000);
    while (clock_mono_ns() < until) {
    }
    assert_int_equal(clock_mono(&clock), mono);
    assert_false(clock_refresh(&clock));
    assert_true(clock_mono(&clock) > mono);
}

static void a_real_clock_sees_that_its_process_stood_still(void **state)
{
    struct clock clock;

    (void)state;
    clock_open_real(&clock);
    clock.mono -= CLOCK_GAP_MS; /* as if it had been taken so long ago */
    assert_true(clock_refresh(&clock));
    assert_false(clock_refresh(&clock));
}

static void a_clock_that_is_set_by_hand_goes_as_it_is_told(void **state)
{
    struct clock clock;

    (void)state;
    clock_open_by_hand(&clock, 1000, 50);
    assert_false(clock_refresh(&clock));
    clock_set(&clock, 400, 90); /* the wall clock may go back */
    assert_int_equal(clock_now(&clock), 400);
    assert_int_equal(clock_mono(&clock), 90);
    assert_false(clock_refresh(&clock));
    assert_int_equal(clock_now(&clock), 400);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_test_clock_stands_still),
    cmocka_unit_test(mono_moves_along_with_the_test_clock),
    cmocka_unit_test(a_test_clock_does_not_go_back),
    cmocka_unit_test(a_real_clock_is_the_systems),
    cmocka_unit_test(a_real_clock_is_the_same_until_it_is_refreshed),
    cmocka_unit_test(a_real_clock_sees_that_its_process_stood_still),
    cmocka_unit_test(a_clock_that_is_set_by_hand_goes_as_it_is_told),
};

OD_TEST_MAIN(tests)
