/* The ordered index against a sorted array. */
#include "storage/order.h"

#include "tests/support/od_test.h"
#include "tests/unit/storage/model_rows.h"

struct fixture {
    struct order order;
    struct model_rows model;
    struct buf keys; /* where the bytes of the keys lie */
};

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    order_init(&f->order);
    buf_init(&f->keys);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    order_deinit(&f->order);
    buf_deinit(&f->keys);
    model_free(&f->model);
    test_free(f);
    return 0;
}

static void insert(struct fixture *f, const struct key *key, uint32_t number)
{
    uint32_t offset = (uint32_t)f->keys.size;
    uint32_t node;

    if (model_find(&f->model, key) != NULL) {
        return;
    }
    assert_int_equal(buf_append(&f->keys, key->bytes, key->size), 0);
    node = order_insert(&f->order, f->keys.data, offset, key->size, number);
    assert_true(node != 0);
    assert_int_equal(order_operation(&f->order, node), number);
    model_put(&f->model, (struct model_row){.key = *key, .number = number});
}

/* The whole list in order, and the first at or after some keys. */
static void assert_same(struct fixture *f, struct prng *prng)
{
    uint32_t node = order_seek(&f->order, f->keys.data, key_empty().bytes, 0);

    for (size_t i = 0; i < f->model.count; i++) {
        assert_true(node != 0);
        assert_int_equal(order_operation(&f->order, node), f->model.rows[i].number);
        node = order_next(&f->order, node);
    }
    assert_int_equal(node, 0);
    for (unsigned i = 0; i < 50; i++) {
        struct key key = model_key(prng);
        size_t at = model_seek(&f->model, &key);

        node = order_seek(&f->order, f->keys.data, key.bytes, key.size);
        assert_int_equal(node != 0, at < f->model.count);
        if (node != 0) {
            assert_int_equal(order_operation(&f->order, node), f->model.rows[at].number);
        }
    }
}

static void keys_in_any_order_are_sorted(void **state)
{
    struct fixture *f = *state;

    for (uint64_t seed = 0; seed < 300; seed++) {
        struct prng prng;
        size_t count;

        prng_seed(&prng, seed);
        count = (size_t)prng_below(&prng, 400);
        for (size_t i = 0; i < count; i++) {
            struct key key = model_key(&prng);

            insert(f, &key, (uint32_t)i);
        }
        assert_same(f, &prng);
        order_clear(&f->order, 1 << 20);
        buf_clear(&f->keys);
        f->model.count = 0;
    }
}

static void runs_of_ascending_and_descending_keys_are_sorted(void **state)
{
    struct fixture *f = *state;
    struct prng prng;

    prng_seed(&prng, 1);
    for (uint32_t run = 0; run < 60; run++) {
        uint32_t start = (uint32_t)prng_below(&prng, 2000);

        for (uint32_t i = 0; i < 50; i++) {
            struct key key = key_entry(run % 3, run % 2 == 0 ? start + i : start + 50 - i);

            insert(f, &key, run * 50 + i);
        }
    }
    assert_same(f, &prng);
}

static void a_number_can_be_replaced(void **state)
{
    struct fixture *f = *state;
    struct key key = key_u32(5);
    uint32_t node;

    insert(f, &key, 1);
    node = order_seek(&f->order, f->keys.data, key.bytes, key.size);
    order_set_operation(&f->order, node, 9);
    assert_int_equal(order_operation(&f->order, node), 9);
}

static void clearing_gives_large_memory_back(void **state)
{
    struct fixture *f = *state;

    for (uint32_t i = 0; i < 3000; i++) {
        struct key key = key_u32(i);

        insert(f, &key, i);
    }
    order_clear(&f->order, 16);
    assert_null(f->order.memory);
    assert_int_equal(order_seek(&f->order, f->keys.data, key_empty().bytes, 0), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    CASE(keys_in_any_order_are_sorted),
    CASE(runs_of_ascending_and_descending_keys_are_sorted),
    CASE(a_number_can_be_replaced),
    CASE(clearing_gives_large_memory_back),
};
OD_TEST_MAIN(tests)
