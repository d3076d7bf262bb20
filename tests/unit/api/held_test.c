/* Who is refused when too many bytes of unfinished messages are held. */
#include "api/held.h"

#include "tests/support/od_test.h"

enum { MIB = 1024 * 1024 };

static void an_address_is_refused_before_all_are(void **state)
{
    uint64_t all = 0;
    struct address_count one = {.count = 2}, other = {.count = 1};
    struct held a = {.all = &all, .address = &one}, b = a;
    struct held c = {.all = &all, .address = &other};

    (void)state;
    held_set(&a, HELD_BYTES_OF_ADDRESS_MAX - MIB);
    held_set(&b, MIB);
    held_set(&c, MIB);
    assert_false(held_is_too_much(&b, MIB));
    held_set(&b, MIB + 1);
    assert_true(held_is_too_much(&a, MIB));
    assert_true(held_is_too_much(&b, MIB));
    assert_false(held_is_too_much(&c, MIB));
    assert_false(held_is_too_much(&a, HELD_BYTES_OF_ADDRESS_MAX + 1));
    held_set(&a, 0);
    assert_false(held_is_too_much(&b, MIB));
    held_set(&b, 0);
    assert_int_equal(one.held_bytes, 0);
    assert_int_equal(all, MIB);
}

static void what_is_small_passes_whatever_others_hold(void **state)
{
    uint64_t all = HELD_BYTES_MAX;
    struct address_count one = {.count = 1};
    struct held held = {.all = &all, .address = &one};

    (void)state;
    held_set(&held, HELD_BYTES_LITTLE);
    assert_false(held_is_too_much(&held, MIB));
    held_set(&held, HELD_BYTES_LITTLE + 1);
    assert_true(held_is_too_much(&held, MIB));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_address_is_refused_before_all_are),
    cmocka_unit_test(what_is_small_passes_whatever_others_hold),
};

OD_TEST_MAIN(tests)
