#include "base/index32.h"

#include "base/hash.h"
#include "tests/support/od_test.h"

enum { NUMBERS = 512, STEPS = 200000 };

static void an_empty_index_finds_nothing(void **state)
{
    (void)state;
    struct index32 index;

    index32_init(&index);
    assert_int_equal(index32_find(&index, 0), INDEX32_NONE);
    index32_deinit(&index);
}

static void it_agrees_with_an_array_through_random_changes(void **state)
{
    (void)state;
    struct index32 index;
    struct prng random;
    uint32_t model[NUMBERS];

    for (uint32_t i = 0; i < NUMBERS; i++) {
        model[i] = INDEX32_NONE;
    }
    index32_init(&index);
    prng_seed(&random, 7);
    for (uint32_t step = 0; step < STEPS; step++) {
        uint32_t which = (uint32_t)prng_below(&random, NUMBERS);
        uint32_t number = which * UINT32_C(0x01000193);

        assert_int_equal(index32_find(&index, number), model[which]);
        if (model[which] == INDEX32_NONE) {
            index32_add(&index, number, step);
            model[which] = step;
        } else {
            index32_remove(&index, number);
            model[which] = INDEX32_NONE;
        }
    }
    for (uint32_t which = 0; which < NUMBERS; which++) {
        assert_int_equal(index32_find(&index, which * UINT32_C(0x01000193)), model[which]);
    }
    index32_deinit(&index);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_empty_index_finds_nothing),
    cmocka_unit_test(it_agrees_with_an_array_through_random_changes),
};

OD_TEST_MAIN(tests)
