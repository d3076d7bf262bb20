/* The verbs of a view ask whoever implements it, and hand on what it says. */
#include "actors/view.h"

#include "model/calendar.h"
#include "tests/support/memory_world.h"
#include "tests/support/od_test.h"

static struct world *world;

static int setup(void **state)
{
    (void)state;
    world = world_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_free(world);
    return 0;
}

static void a_row_is_got_by_its_key(void **state)
{
    struct key key = key_entry(1, 2);
    struct entry entry = {.status = ENTRY_FAILED, .attempts = 3};

    (void)state;
    assert_false(view_get(world_view(world), TABLE_ENTRY, &key, &entry));
    world_put(world, TABLE_ENTRY, &key, &entry);
    entry.attempts = 0;
    assert_true(view_get(world_view(world), TABLE_ENTRY, &key, &entry));
    assert_int_equal(entry.attempts, 3);
}

static void rows_are_walked_in_order_within_a_prefix(void **state)
{
    static const uint32_t numbers[][2] = {{1, 9}, {2, 4}, {2, 6}, {3, 0}};
    const struct entry entry = {.status = ENTRY_PENDING};
    struct key prefix = key_u32(2);
    struct key at = prefix;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct key key = key_entry(numbers[i][0], numbers[i][1]);

        world_put(world, TABLE_ENTRY, &key, &entry);
    }
    assert_true(view_seek(world_view(world), TABLE_ENTRY, &prefix, &at, &at, NULL));
    assert_int_equal(key_u32_at(&at, 4), 4);
    at = key_after(&at);
    assert_true(view_seek(world_view(world), TABLE_ENTRY, &prefix, &at, &at, NULL));
    assert_int_equal(key_u32_at(&at, 4), 6);
    at = key_after(&at);
    assert_false(view_seek(world_view(world), TABLE_ENTRY, &prefix, &at, &at, NULL));
}

static void zones_are_found_by_name(void **state)
{
    (void)state;
    assert_ptr_equal(view_zone(world_view(world), SLICE("UTC")), &calendar_utc);
    assert_null(view_zone(world_view(world), SLICE("Atlantis")));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_row_is_got_by_its_key),
    CASE(rows_are_walked_in_order_within_a_prefix),
    CASE(zones_are_found_by_name),
};

OD_TEST_MAIN(tests)
