/* gateways/simulator_calls: the table and the pool against a plain array. */
#include "gateways/simulator_calls.h"

#include "base/hash.h"
#include "tests/support/od_test.h"

enum {
    EXECUTIONS = 3,
    ENTRIES = 4000,
    STEPS = 60000,
};

static void a_call_is_found_until_it_is_removed(void **state)
{
    struct simulated_calls calls;
    struct simulated_call *call;

    (void)state;
    simulated_calls_init(&calls);
    assert_null(simulated_calls_find(&calls, 1, 2));
    call = simulated_calls_add(&calls, 1, 2);
    assert_non_null(call);
    assert_int_equal(call->execution, 1);
    assert_int_equal(call->entry, 2);
    assert_int_equal(call->attempt, 0);
    assert_ptr_equal(simulated_calls_find(&calls, 1, 2), call);
    assert_null(simulated_calls_find(&calls, 2, 1));
    assert_int_equal(heap_insert(&calls.heap, &call->step, 5), 0);
    simulated_calls_remove(&calls, call);
    assert_null(simulated_calls_find(&calls, 1, 2));
    assert_null(heap_first(&calls.heap));
    simulated_calls_deinit(&calls);
}

static void many_calls_come_and_go(void **state)
{
    static struct simulated_call *expected[EXECUTIONS][ENTRIES];
    struct simulated_calls calls;
    struct prng prng;
    size_t count = 0;

    (void)state;
    simulated_calls_init(&calls);
    prng_seed(&prng, 1);
    for (size_t i = 0; i < STEPS; i++) {
        uint32_t execution = (uint32_t)prng_below(&prng, EXECUTIONS);
        uint32_t entry = (uint32_t)prng_below(&prng, ENTRIES);
        struct simulated_call **slot = &expected[execution][entry];

        assert_ptr_equal(simulated_calls_find(&calls, execution, entry), *slot);
        if (*slot == NULL) {
            *slot = simulated_calls_add(&calls, execution, entry);
            assert_non_null(*slot);
            assert_int_equal(heap_insert(&calls.heap, &(*slot)->step, (int64_t)i), 0);
            count++;
        } else if (prng_below(&prng, 2) == 0) {
            simulated_calls_remove(&calls, *slot);
            *slot = NULL;
            count--;
        }
        assert_int_equal(calls.count, count);
        assert_int_equal(heap_count(&calls.heap), count);
    }
    assert_true(count > 2048);
    simulated_calls_deinit(&calls);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_call_is_found_until_it_is_removed),
    cmocka_unit_test(many_calls_come_and_go),
};

OD_TEST_MAIN(tests)
