/* The executions in memory and their timers. */
#include "engine/registry.h"

#include "base/hash.h"
#include "base/instant.h"
#include "tests/support/od_test.h"

static struct registry registry;

static int setup(void **state)
{
    (void)state;
    registry_init(&registry);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    registry_deinit(&registry);
    return 0;
}

/* One that waits for its start. */
static struct resident *add(uint32_t number, int64_t start_at)
{
    struct resident *resident = registry_add(&registry, number);

    execution_init(&resident->execution, number);
    resident->execution.state.status = EXECUTION_SCHEDULED;
    resident->execution.settings.start_at = start_at;
    return resident;
}

static void lease(struct resident *resident, int64_t until_mono)
{
    const struct live_call row = {.entry = 1, .attempt = 1, .status = CALL_CLAIMED};

    flights_add(&resident->execution.flights, &row, FLIGHTS_LEASED, until_mono);
}

static void executions_are_found_by_number(void **state)
{
    (void)state;
    assert_null(registry_find(&registry, 3));
    for (uint32_t i = 0; i < 300; i++) {
        add(i, 0);
    }
    for (uint32_t i = 0; i < 300; i++) {
        assert_int_equal(registry_find(&registry, i)->execution.number, i);
    }
    for (uint32_t i = 0; i < 300; i += 2) {
        registry_remove(&registry, registry_find(&registry, i));
    }
    assert_int_equal(registry.count, 150);
    for (uint32_t i = 0; i < 300; i++) {
        assert_int_equal(registry_find(&registry, i) != NULL, i % 2 == 1);
    }
}

static void timers_fire_in_their_order(void **state)
{
    struct resident *first = add(1, 5000);
    struct resident *second = add(2, 4000);
    struct resident *third = add(3, 5000);

    (void)state;
    assert_int_equal(registry_wake(&registry).at, INSTANT_NEVER);
    registry_arm(&registry, first);
    registry_arm(&registry, second);
    registry_arm(&registry, third);
    assert_int_equal(registry_wake(&registry).at, 4000);
    assert_null(registry_take_due(&registry, 3999, INT64_MAX));
    assert_ptr_equal(registry_take_due(&registry, 9000, 0), second);
    assert_ptr_equal(registry_take_due(&registry, 9000, 0), first); /* the order of arming */
    assert_ptr_equal(registry_take_due(&registry, 9000, 0), third);
    assert_null(registry_take_due(&registry, 9000, 0)); /* taken out: it is to be armed again */
    assert_int_equal(registry_wake(&registry).at, INSTANT_NEVER);
}

static void both_clocks_have_timers(void **state)
{
    struct resident *resident = add(1, 5000);

    (void)state;
    lease(resident, 700);
    registry_arm(&registry, resident);
    assert_int_equal(registry_wake(&registry).at, 5000);
    assert_int_equal(registry_wake(&registry).mono, 700);
    assert_null(registry_take_due(&registry, 4999, 699));
    assert_ptr_equal(registry_take_due(&registry, 0, 700), resident);
    assert_int_equal(registry_wake(&registry).at, 5000);
    assert_int_equal(registry_wake(&registry).mono, INSTANT_NEVER);
}

static void a_timer_moves_with_what_it_stands_for(void **state)
{
    struct resident *resident = add(1, 5000);

    (void)state;
    registry_arm(&registry, resident);
    resident->execution.settings.start_at = 2000;
    registry_arm(&registry, resident);
    assert_int_equal(registry_wake(&registry).at, 2000);
    resident->execution.state.status = EXECUTION_PAUSED;
    registry_arm(&registry, resident);
    assert_int_equal(registry_wake(&registry).at, INSTANT_NEVER);
}

static void who_leaves_takes_its_timers_along(void **state)
{
    struct resident *resident = add(1, 5000);

    (void)state;
    lease(resident, 700);
    registry_arm(&registry, resident);
    registry_remove(&registry, resident);
    assert_int_equal(registry_wake(&registry).at, INSTANT_NEVER);
    assert_int_equal(registry_wake(&registry).mono, INSTANT_NEVER);
    assert_null(registry_take_due(&registry, INT64_MAX, INT64_MAX));
}

static void who_is_forgotten_is_not_looked_at_any_more(void **state)
{
    struct resident *first = add(1, 100), *second = add(2, 200);

    (void)state;
    registry_arm(&registry, first);
    registry_touch(&registry, first);
    registry_touch(&registry, second);
    registry_forget(&registry, 1);
    registry_forget(&registry, 9); /* not in memory */
    assert_null(registry_find(&registry, 1));
    assert_int_equal(registry.touched_count, 1);
    assert_ptr_equal(registry.touched[0], second);
    assert_int_equal(registry_wake(&registry).at, INSTANT_NEVER);
}

static void who_is_touched_is_listed_once(void **state)
{
    struct resident *first = add(1, 0);
    struct resident *second = add(2, 0);

    (void)state;
    registry_touch(&registry, second);
    registry_touch(&registry, first);
    registry_touch(&registry, second);
    assert_int_equal(registry.touched_count, 2);
    assert_ptr_equal(registry.touched[0], second);
    assert_ptr_equal(registry.touched[1], first);
    registry_clear(&registry);
    assert_int_equal(registry.touched_count, 0);
    assert_int_equal(registry.count, 0);
}

enum { NUMBERS = 100, STEPS = 20000 };

/* Beside an array of due instants. */
static void timers_are_those_of_a_naive_model(void **state)
{
    int64_t due[NUMBERS];
    int64_t now = 0;
    struct prng prng;

    (void)state;
    prng_seed(&prng, 1);
    for (uint32_t i = 0; i < NUMBERS; i++) {
        due[i] = INSTANT_NEVER;
    }
    for (unsigned step = 0; step < STEPS; step++) {
        uint32_t number = (uint32_t)prng_below(&prng, NUMBERS);
        struct resident *resident = registry_find(&registry, number);
        int64_t earliest = INSTANT_NEVER;

        if (resident == NULL) {
            resident = add(number, now + (int64_t)prng_below(&prng, 1000));
            registry_arm(&registry, resident);
            due[number] = resident->execution.settings.start_at;
        } else if (prng_below(&prng, 3) == 0) {
            registry_remove(&registry, resident);
            due[number] = INSTANT_NEVER;
        } else {
            now += (int64_t)prng_below(&prng, 20);
            while ((resident = registry_take_due(&registry, now, 0)) != NULL) {
                assert_true(due[resident->execution.number] <= now);
                due[resident->execution.number] = INSTANT_NEVER;
            }
        }
        for (uint32_t i = 0; i < NUMBERS; i++) {
            earliest = due[i] < earliest ? due[i] : earliest;
        }
        assert_int_equal(registry_wake(&registry).at, earliest);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    CASE(executions_are_found_by_number),    CASE(timers_fire_in_their_order),
    CASE(both_clocks_have_timers),           CASE(a_timer_moves_with_what_it_stands_for),
    CASE(who_leaves_takes_its_timers_along), CASE(who_is_touched_is_listed_once),
    CASE(timers_are_those_of_a_naive_model), CASE(who_is_forgotten_is_not_looked_at_any_more),
};

OD_TEST_MAIN(tests)
