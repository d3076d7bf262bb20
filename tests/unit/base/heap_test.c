#include "base/heap.h"

#include <stdlib.h>

#include "base/hash.h"
#include "tests/support/od_test.h"

#define NODES_MAX 2000

/* A heap and nodes that stand in it or not; node i is &nodes[i]. */
struct fixture {
    struct heap heap;
    struct heap_node nodes[NODES_MAX];
};

static int set_up(void **state)
{
    static struct fixture fixture;

    heap_init(&fixture.heap);
    for (size_t i = 0; i < NODES_MAX; i++) {
        heap_node_init(&fixture.nodes[i]);
    }
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    heap_deinit(&fixture->heap);
    return 0;
}

static void an_empty_heap_has_no_first(void **state)
{
    struct fixture *fixture = *state;

    assert_null(heap_first(&fixture->heap));
    assert_int_equal(heap_count(&fixture->heap), 0);
    assert_false(heap_contains(&fixture->heap, &fixture->nodes[0]));
}

static void the_earliest_comes_first(void **state)
{
    static const int64_t dues[] = {5, INT64_MAX, -3, 0, INT64_MIN, 7, 1};
    static const size_t expected[] = {4, 2, 3, 6, 0, 5, 1};
    struct fixture *fixture = *state;
    struct heap *heap = &fixture->heap;

    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(heap_insert(heap, &fixture->nodes[i], dues[i]), 0);
        assert_true(fixture->nodes[i].due == dues[i]);
    }
    for (size_t i = 0; i < 7; i++) {
        struct heap_node *first = heap_first(heap);

        assert_ptr_equal(first, &fixture->nodes[expected[i]]);
        heap_remove(heap, first);
    }
    assert_null(heap_first(heap));
}

static void equal_dues_keep_the_order_of_insertion(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = &fixture->heap;

    for (size_t i = 0; i < NODES_MAX; i++) {
        assert_int_equal(heap_insert(heap, &fixture->nodes[i], 10), 0);
    }
    for (size_t i = 0; i < NODES_MAX; i++) {
        assert_ptr_equal(heap_first(heap), &fixture->nodes[i]);
        heap_remove(heap, heap_first(heap));
    }
}

static void a_moved_node_goes_behind_those_of_its_new_due(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = &fixture->heap;
    static const size_t expected[] = {1, 2, 0};

    assert_int_equal(heap_insert(heap, &fixture->nodes[0], 5), 0);
    assert_int_equal(heap_insert(heap, &fixture->nodes[1], 10), 0);
    assert_int_equal(heap_insert(heap, &fixture->nodes[2], 10), 0);
    heap_move(heap, &fixture->nodes[0], 10);
    assert_int_equal(fixture->nodes[0].due, 10);
    for (size_t i = 0; i < 3; i++) {
        assert_ptr_equal(heap_first(heap), &fixture->nodes[expected[i]]);
        heap_remove(heap, heap_first(heap));
    }
}

static void a_node_moved_to_the_due_it_has_keeps_its_place(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = &fixture->heap;

    assert_int_equal(heap_insert(heap, &fixture->nodes[0], 10), 0);
    assert_int_equal(heap_insert(heap, &fixture->nodes[1], 10), 0);
    heap_move(heap, &fixture->nodes[0], 10);
    assert_ptr_equal(heap_first(heap), &fixture->nodes[0]);
}

static void a_node_is_contained_from_insertion_to_removal(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = &fixture->heap;
    struct heap_node *node = &fixture->nodes[0];
    struct heap other;

    heap_init(&other);
    assert_int_equal(heap_insert(&other, &fixture->nodes[1], 1), 0);
    assert_int_equal(heap_insert(heap, node, 1), 0);
    assert_true(heap_contains(heap, node));
    assert_false(heap_contains(&other, node));
    heap_move(heap, node, 2);
    assert_true(heap_contains(heap, node));
    heap_remove(heap, node);
    assert_false(heap_contains(heap, node));
    assert_true(node->index == HEAP_NONE);
    assert_int_equal(heap_insert(&other, node, 0), 0);
    assert_true(heap_contains(&other, node));
    heap_deinit(&other);
}

static void reserving_makes_room_for_all(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = &fixture->heap;
    const struct heap_entry *entries;

    assert_int_equal(heap_reserve(heap, NODES_MAX), 0);
    entries = heap->entries;
    for (size_t i = 0; i < NODES_MAX; i++) {
        assert_int_equal(heap_insert(heap, &fixture->nodes[i], (int64_t)i), 0);
    }
    assert_ptr_equal(heap->entries, entries);
}

static void a_reserve_that_fails_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = &fixture->heap;
    struct heap before;

    assert_int_equal(heap_insert(heap, &fixture->nodes[0], 3), 0);
    before = *heap;
    assert_int_equal(heap_reserve(heap, SIZE_MAX), OD_ENOMEM);
    assert_int_equal(heap_reserve(heap, SIZE_MAX / 16), OD_ENOMEM);
    assert_memory_equal(heap, &before, sizeof(before));
    assert_ptr_equal(heap_first(heap), &fixture->nodes[0]);
}

/* The model: what should be in the heap, with the order in which it was put. */
struct expected {
    struct heap_node *node;
    int64_t due;
    uint64_t order;
};

static int compare_expected(const void *a, const void *b)
{
    const struct expected *left = a;
    const struct expected *right = b;

    if (left->due != right->due) {
        return left->due < right->due ? -1 : 1;
    }
    return (left->order > right->order) - (left->order < right->order);
}

/* Returns the earliest of the model, or NULL. */
static struct heap_node *first_expected(const struct expected *all, size_t count)
{
    const struct expected *first = NULL;

    for (size_t i = 0; i < count; i++) {
        if (first == NULL || compare_expected(&all[i], first) < 0) {
            first = &all[i];
        }
    }
    return first != NULL ? first->node : NULL;
}

/* Inserts, moves or removes node `i`, in the heap and in the model. */
static void change_both(struct fixture *fixture, struct expected *all, size_t *count, size_t i,
                        int64_t due, uint64_t order)
{
    struct heap_node *node = &fixture->nodes[i];
    size_t k = 0;

    if (!heap_contains(&fixture->heap, node)) {
        assert_int_equal(heap_insert(&fixture->heap, node, due), 0);
        all[(*count)++] = (struct expected){node, due, order};
        return;
    }
    while (all[k].node != node) {
        k++;
    }
    if (order % 3 == 0) {
        heap_remove(&fixture->heap, node);
        all[k] = all[--*count];
    } else {
        heap_move(&fixture->heap, node, due);
        if (all[k].due != due) {
            all[k] = (struct expected){node, due, order};
        }
    }
}

static void random_changes_give_the_order_of_a_sorted_copy(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = &fixture->heap;
    static struct expected all[NODES_MAX];
    struct prng prng;

    for (uint64_t seed = 0; seed < 60; seed++) {
        size_t nodes = (size_t)(seed < 30 ? seed + 1 : 300);
        uint64_t dues = seed % 2 == 0 ? 8 : UINT64_C(1) << 40;
        size_t count = 0;

        prng_seed(&prng, seed);
        for (uint64_t step = 0; step < 2000; step++) {
            change_both(fixture, all, &count, (size_t)prng_below(&prng, nodes),
                        (int64_t)prng_below(&prng, dues), step);
            assert_int_equal(heap_count(heap), count);
            assert_ptr_equal(heap_first(heap), first_expected(all, count));
        }
        qsort(all, count, sizeof(all[0]), compare_expected);
        for (size_t i = 0; i < count; i++) {
            struct heap_node *first = heap_first(heap);

            assert_ptr_equal(first, all[i].node);
            assert_true(first->due == all[i].due);
            heap_remove(heap, first);
        }
        assert_int_equal(heap_count(heap), 0);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(an_empty_heap_has_no_first, set_up, tear_down),
    cmocka_unit_test_setup_teardown(the_earliest_comes_first, set_up, tear_down),
    cmocka_unit_test_setup_teardown(equal_dues_keep_the_order_of_insertion, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_moved_node_goes_behind_those_of_its_new_due, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_node_moved_to_the_due_it_has_keeps_its_place, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_node_is_contained_from_insertion_to_removal, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(reserving_makes_room_for_all, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_reserve_that_fails_changes_nothing, set_up, tear_down),
    cmocka_unit_test_setup_teardown(random_changes_give_the_order_of_a_sorted_copy, set_up,
                                    tear_down),
};

OD_TEST_MAIN(tests)
