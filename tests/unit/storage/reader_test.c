/* Reads of committed rows against a sorted array: single rows and walks in both directions. */
#include "model/records.h"
#include "storage/record.h"
#include "tests/support/od_test.h"
#include "tests/unit/storage/model_rows.h"
#include "tests/unit/storage/store_fixture.h"

#define TABLE TABLE_PROGRAM_EXECUTION

static void fill(struct store_fixture *f, struct model_rows *model, struct prng *prng, size_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct key key = model_key(prng);

        if (prng_below(prng, 3) == 0) {
            batch_delete(f->batch, TABLE, &key);
            model_remove(model, &key);
        } else {
            batch_put(f->batch, TABLE, &key, &(struct number_row){.number = i});
            model_put(model, (struct model_row){.key = key, .number = i});
        }
    }
    assert_int_equal(store_fixture_commit(f), 0);
}

static void assert_row(struct store_fixture *f, const struct model_row *row, const struct key *key,
                       struct slice raw)
{
    struct number_row read;

    assert_int_equal(key_compare(&row->key, key), 0);
    assert_int_equal(record_decode(TABLE, key, raw, &f->arena, &read), 0);
    assert_int_equal(read.number, row->number);
}

/* A prefix that several keys have: the beginning of one, perhaps all or nothing of it. */
static struct key random_prefix(struct prng *prng)
{
    struct key prefix = model_key(prng);

    prefix.size = (uint8_t)prng_below(prng, (uint64_t)prefix.size + 1);
    return prefix;
}

/* The model's answers; count: none. */
static size_t first_at(const struct model_rows *model, const struct key *prefix,
                       const struct key *from)
{
    for (size_t i = 0; i < model->count; i++) {
        if (key_compare(&model->rows[i].key, from) >= 0 &&
            key_has_prefix(&model->rows[i].key, prefix)) {
            return i;
        }
    }
    return model->count;
}

static size_t last_before(const struct model_rows *model, const struct key *prefix,
                          const struct key *before)
{
    for (size_t i = model->count; i-- > 0;) {
        if (key_compare(&model->rows[i].key, before) < 0 &&
            key_has_prefix(&model->rows[i].key, prefix)) {
            return i;
        }
    }
    return model->count;
}

static void single_rows_are_found(void **state)
{
    struct store_fixture *f = *state;
    struct model_rows model = {0};
    struct prng prng;
    uint64_t rows;

    prng_seed(&prng, 1);
    fill(f, &model, &prng, 500);
    assert_int_equal(reader_begin(f->reader, &f->error), 0);
    for (unsigned i = 0; i < 2000; i++) {
        struct key key = model_key(&prng);
        const struct model_row *row = model_find(&model, &key);
        struct number_row read;
        int code = reader_get(f->reader, TABLE, &key, &f->arena, &read);

        assert_int_equal(code, row != NULL ? 0 : OD_ENOTFOUND);
        assert_true(row == NULL || read.number == row->number);
    }
    assert_int_equal(reader_count(f->reader, TABLE, &rows), 0);
    assert_int_equal(rows, model.count);
    reader_end(f->reader);
    model_free(&model);
}

struct walk {
    struct key prefix, from, key;
    struct slice raw;
    bool is_backwards;
    size_t steps[2];
};

/* A seek, then steps while rows are found and the dice say so, each held against the model. */
static void assert_walk(struct store_fixture *f, const struct model_rows *model, struct prng *prng,
                        struct walk *w)
{
    size_t expected;
    int code;

    if (w->is_backwards) {
        code = reader_seek_before(f->reader, TABLE, &w->prefix, &w->from, &w->key, &w->raw);
        expected = last_before(model, &w->prefix, &w->from);
    } else {
        code = reader_seek(f->reader, TABLE, &w->prefix, &w->from, &w->key, &w->raw);
        expected = first_at(model, &w->prefix, &w->from);
    }
    while (code == 0 && expected < model->count) {
        assert_row(f, &model->rows[expected], &w->key, w->raw);
        w->steps[w->is_backwards]++;
        if (prng_below(prng, 3) == 0) {
            return;
        }
        w->from = model->rows[expected].key;
        if (w->is_backwards) {
            code = reader_previous(f->reader, TABLE, &w->prefix, &w->key, &w->raw);
            expected = last_before(model, &w->prefix, &w->from);
        } else {
            w->from = key_after(&w->from);
            code = reader_next(f->reader, TABLE, &w->prefix, &w->key, &w->raw);
            expected = first_at(model, &w->prefix, &w->from);
        }
    }
    assert_int_equal(code, OD_ENOTFOUND);
    assert_int_equal(expected, model->count);
}

/* Seeks from anywhere, steps in both directions, and repeated seeks, mixed at random, so that each
 * kind meets the place where another left the cursor. */
static void walks_agree_with_the_model(void **state)
{
    struct store_fixture *f = *state;
    struct model_rows model = {0};
    struct walk walk = {.key = key_empty()};
    struct prng prng;

    prng_seed(&prng, 2);
    for (unsigned round = 0; round < 20; round++) {
        fill(f, &model, &prng, round == 0 ? 0 : 100);
        assert_int_equal(reader_begin(f->reader, &f->error), 0);
        for (unsigned i = 0; i < 1000; i++) {
            uint64_t kind = prng_below(&prng, 5);

            walk.prefix = random_prefix(&prng);
            walk.is_backwards = kind > 2;
            walk.from = kind == 0 ? key_after(&walk.key) : model_key(&prng);
            assert_walk(f, &model, &prng, &walk);
        }
        reader_end(f->reader);
        arena_reset(&f->arena);
    }
    assert_true(walk.steps[0] > 2000);
    assert_true(walk.steps[1] > 2000);
    model_free(&model);
}

static void a_walk_by_seeks_meets_each_row(void **state)
{
    struct store_fixture *f = *state;
    struct key prefix = key_u32(1), from = prefix, key;
    struct slice raw;

    for (uint32_t i = 0; i < 1000; i++) {
        key = key_entry(1 + i % 2, i);
        batch_put(f->batch, TABLE, &key, &(struct number_row){.number = i});
    }
    assert_int_equal(store_fixture_commit(f), 0);
    assert_int_equal(reader_begin(f->reader, &f->error), 0);
    for (uint32_t i = 0; i < 1000; i += 2) {
        assert_int_equal(reader_seek(f->reader, TABLE, &prefix, &from, &key, &raw), 0);
        assert_int_equal(key_u32_at(&key, 4), i);
        from = key_after(&key);
    }
    assert_int_equal(reader_seek(f->reader, TABLE, &prefix, &from, &key, &raw), OD_ENOTFOUND);
    reader_end(f->reader);
}

static void the_last_row_of_a_prefix_is_before_all_that_follows(void **state)
{
    struct store_fixture *f = *state;
    struct key prefix = key_u32(1), everything = key_empty(), key;
    struct slice raw;

    everything.size = KEY_BYTES_MAX;
    memset(everything.bytes, 0xff, KEY_BYTES_MAX);
    for (uint32_t i = 0; i < 9; i++) {
        key = key_entry(i / 3, i);
        batch_put(f->batch, TABLE, &key, &(struct number_row){.number = i});
    }
    assert_int_equal(store_fixture_commit(f), 0);
    assert_int_equal(reader_begin(f->reader, &f->error), 0);
    assert_int_equal(reader_seek_before(f->reader, TABLE, &prefix, &everything, &key, &raw), 0);
    assert_int_equal(key_u32_at(&key, 4), 5);
    prefix = key_empty();
    assert_int_equal(reader_seek_before(f->reader, TABLE, &prefix, &everything, &key, &raw), 0);
    assert_int_equal(key_u32_at(&key, 4), 8);
    reader_end(f->reader);
}

static void a_bracket_sees_one_state(void **state)
{
    struct store_fixture *f = *state;
    struct key key = key_u32(1);
    struct number_row row;

    batch_put(f->batch, TABLE, &key, &(struct number_row){.number = 1});
    assert_int_equal(store_fixture_commit(f), 0);
    assert_int_equal(reader_begin(f->reader, &f->error), 0);
    batch_put(f->batch, TABLE, &key, &(struct number_row){.number = 2});
    assert_int_equal(store_fixture_commit(f), 0);
    assert_int_equal(reader_get(f->reader, TABLE, &key, &f->arena, &row), 0);
    assert_int_equal(row.number, 1);
    reader_end(f->reader);
    assert_int_equal(reader_begin(f->reader, &f->error), 0);
    assert_int_equal(reader_get(f->reader, TABLE, &key, &f->arena, &row), 0);
    assert_int_equal(row.number, 2);
    reader_end(f->reader);
}

static void several_readers_live_on_one_thread(void **state)
{
    struct store_fixture *f = *state;
    struct reader *other;

    assert_int_equal(reader_open(f->store, &other, &f->error), 0);
    assert_int_equal(reader_begin(f->reader, &f->error), 0);
    assert_int_equal(reader_begin(other, &f->error), 0);
    reader_end(f->reader);
    reader_end(other);
    reader_close(other);
}

#define CASE(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(single_rows_are_found),          CASE(walks_agree_with_the_model),
    CASE(a_walk_by_seeks_meets_each_row), CASE(the_last_row_of_a_prefix_is_before_all_that_follows),
    CASE(a_bracket_sees_one_state),       CASE(several_readers_live_on_one_thread),
};
OD_TEST_MAIN(tests)
