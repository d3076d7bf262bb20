/* What a view answers: rows by key, rows in order, zones; and that it sees what effects have done.
 */
#include "actors/view.h"

#include "model/calendar.h"
#include "tests/support/memory_world.h"
#include "tests/support/od_test.h"

static int setup(void **state)
{
    struct world *world = world_new();
    const struct due_row row = {0};

    for (uint32_t entry = 0; entry < 3; entry++) {
        struct key key = key_due(7, 1000 - 100 * (int64_t)entry, entry);
        world_put(world, TABLE_DUE, &key, &row);
    }
    struct key other = key_due(8, 1, 0);
    world_put(world, TABLE_DUE, &other, &row);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    world_free(*state);
    return 0;
}

static void a_seek_walks_a_prefix_in_the_order_of_keys(void **state)
{
    struct view *view = world_view(*state);
    struct key prefix = key_u32(7), key = prefix;
    struct due_row row;
    uint32_t expected = 3;

    while (view_seek(view, TABLE_DUE, &prefix, &key, &key, &row)) {
        assert_int_equal(key_due_entry(&key), --expected);
        key = key_after(&key);
    }
    assert_int_equal(expected, 0);
}

static void a_seek_may_leave_the_record_out(void **state)
{
    struct view *view = world_view(*state);
    struct key prefix = key_u32(8), key;

    assert_true(view_seek(view, TABLE_DUE, &prefix, &prefix, &key, NULL));
    assert_int_equal(key_due_at(&key), 1);
    prefix = key_u32(9);
    assert_false(view_seek(view, TABLE_DUE, &prefix, &prefix, &key, NULL));
}

static void a_view_sees_what_was_put_and_deleted(void **state)
{
    struct world *world = *state;
    struct key key = key_u32(5);
    struct organisation organisation = {.number = 5, .name = SLICE_INIT("Atlas")}, read;

    assert_false(view_get(world_view(world), TABLE_ORGANISATION, &key, &read));
    effect_put(world_effects(world), TABLE_ORGANISATION, &key, &organisation);
    assert_true(view_get(world_view(world), TABLE_ORGANISATION, &key, &read));
    assert_true(slice_equal_text(read.name, "Atlas"));
    effect_delete(world_effects(world), TABLE_ORGANISATION, &key);
    assert_false(view_get(world_view(world), TABLE_ORGANISATION, &key, &read));
}

static void a_zone_is_found_by_its_name(void **state)
{
    struct view *view = world_view(*state);

    assert_ptr_equal(view_zone(view, SLICE("UTC")), &calendar_utc);
    assert_null(view_zone(view, SLICE("Africa/Casablanca")));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_seek_walks_a_prefix_in_the_order_of_keys),
    CASE(a_seek_may_leave_the_record_out),
    CASE(a_view_sees_what_was_put_and_deleted),
    CASE(a_zone_is_found_by_its_name),
};

OD_TEST_MAIN(tests)
