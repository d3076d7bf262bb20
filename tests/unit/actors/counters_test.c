/* Counters: one for each rule, kept through other rules, and in a store that can be another. */
#include "actors/counters.h"

#include "tests/support/memory_world.h"
#include "tests/support/od_test.h"

enum { EXECUTION = 4 };

struct fixture {
    struct world *world;
    struct counters counters;
};

static const struct auto_pause_rule rules[] = {
    {SLICE_INIT("menu"), 3, true}, {SLICE_INIT("bye"), 5, false}, {SLICE_INIT("men"), 1, false}};

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    f->world = world_new();
    counters_init(&f->counters, &counter_store_embedded);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    counters_deinit(&f->counters);
    world_free(f->world);
    test_free(f);
    return 0;
}

static void load(struct fixture *f, size_t rule_count)
{
    counters_deinit(&f->counters);
    counters_load(&f->counters, world_view(f->world), EXECUTION, rule_count);
}

static void save(struct fixture *f)
{
    counters_save(&f->counters, EXECUTION, world_effects(f->world));
}

static void assert_row(struct fixture *f, size_t count, uint64_t first, uint64_t second)
{
    struct key key = key_u32(EXECUTION);
    struct node_counters row;

    assert_true(world_get(f->world, TABLE_NODE_COUNTERS, &key, &row));
    assert_int_equal(row.count, count);
    assert_int_equal(row.counts[0], first);
    assert_int_equal(row.counts[1], second);
}

static void a_rule_is_found_by_its_whole_node(void **state)
{
    size_t index = 9;

    (void)state;
    assert_true(counters_find(rules, 3, SLICE("men"), &index));
    assert_int_equal(index, 2);
    assert_true(counters_find(rules, 3, SLICE("menu"), &index));
    assert_int_equal(index, 0);
    assert_false(counters_find(rules, 3, SLICE("menus"), &index));
    assert_false(counters_find(rules, 3, SLICE(""), &index));
    assert_false(counters_find(rules, 0, SLICE("menu"), &index));
    assert_int_equal(index, 0);
}

static void they_are_saved_when_they_have_changed(void **state)
{
    struct fixture *f = *state;

    load(f, 2);
    save(f);
    assert_string_equal(world_print(f->world), "");
    assert_int_equal(counters_add(&f->counters, 1), 1);
    assert_int_equal(counters_add(&f->counters, 1), 2);
    assert_int_equal(counters_add(&f->counters, 0), 1);
    save(f);
    save(f);
    assert_string_equal(world_print(f->world), "put node_counters 4\n");
    assert_row(f, 2, 1, 2);
    load(f, 2);
    assert_int_equal(counters_add(&f->counters, 1), 3);
    counters_reset(&f->counters, 0);
    save(f);
    assert_row(f, 2, 0, 3);
}

static void other_rules_keep_the_counters_of_nodes_that_stay(void **state)
{
    static const struct auto_pause_rule other[] = {
        {SLICE_INIT("new"), 1, true}, {SLICE_INIT("bye"), 2, true}, {SLICE_INIT("menu"), 2, true}};
    struct fixture *f = *state;

    load(f, 3);
    counters_add(&f->counters, 0);
    counters_add(&f->counters, 1);
    counters_add(&f->counters, 1);
    counters_add(&f->counters, 2);
    counters_replace(&f->counters, rules, other, 3);
    assert_int_equal(f->counters.counts[0], 0);
    assert_int_equal(f->counters.counts[1], 2);
    assert_int_equal(f->counters.counts[2], 1);
    counters_replace(&f->counters, other, other + 1, 1);
    assert_int_equal(f->counters.count, 1);
    assert_int_equal(f->counters.counts[0], 2);
}

static void no_rules_and_an_end_leave_no_row(void **state)
{
    struct key key = key_u32(EXECUTION);
    struct fixture *f = *state;

    load(f, 2);
    counters_add(&f->counters, 0);
    save(f);
    counters_replace(&f->counters, rules, NULL, 0);
    save(f);
    assert_false(world_has(f->world, TABLE_NODE_COUNTERS, &key));
    counters_replace(&f->counters, NULL, rules, 2);
    save(f);
    assert_row(f, 2, 0, 0);
    counters_clear(&f->counters);
    assert_int_equal(f->counters.count, 0);
    save(f);
    assert_false(world_has(f->world, TABLE_NODE_COUNTERS, &key));
    world_print(f->world);
    save(f);
    assert_string_equal(world_print(f->world), "");
}

/* ---- another store ---- */

static uint64_t kept[2];
static bool is_removed;

static void other_load(struct view *view, uint32_t execution, uint64_t *counts, size_t count)
{
    (void)view;
    assert_int_equal(execution, EXECUTION);
    memcpy(counts, kept, count * sizeof(*counts));
}

static void other_save(struct effects *out, uint32_t execution, const uint64_t *counts,
                       size_t count)
{
    (void)out;
    assert_int_equal(execution, EXECUTION);
    memcpy(kept, counts, count * sizeof(*counts));
}

static void other_remove(struct effects *out, uint32_t execution)
{
    (void)out;
    assert_int_equal(execution, EXECUTION);
    is_removed = true;
}

static void they_may_be_kept_elsewhere(void **state)
{
    static const struct counter_store other = {other_load, other_save, other_remove};
    struct fixture *f = *state;

    counters_deinit(&f->counters);
    counters_init(&f->counters, &other);
    load(f, 2);
    counters_add(&f->counters, 1);
    save(f);
    load(f, 2);
    assert_int_equal(f->counters.counts[1], 1);
    counters_clear(&f->counters);
    save(f);
    assert_true(is_removed);
    assert_string_equal(world_print(f->world), "");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_rule_is_found_by_its_whole_node),
    CASE(they_are_saved_when_they_have_changed),
    CASE(other_rules_keep_the_counters_of_nodes_that_stay),
    CASE(no_rules_and_an_end_leave_no_row),
    CASE(they_may_be_kept_elsewhere),
};

OD_TEST_MAIN(tests)
