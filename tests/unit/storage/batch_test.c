/* A batch against a sorted array of what was said last of each key. */
#include "storage/batch.h"

#include "model/records.h"
#include "storage/record.h"
#include "tests/support/od_test.h"
#include "tests/unit/storage/model_rows.h"

/* A scanned table and one that is not. Their records are a number each. */
static const enum table tables[2] = {TABLE_MEMBER, TABLE_ORGANISATION_BY_ID};

struct fixture {
    struct batch *batch;
    struct model_rows models[2];
    struct arena arena;
    uint32_t number;
};

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    f->batch = batch_new();
    arena_init(&f->arena, 4096);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    batch_free(f->batch);
    model_free(&f->models[0]);
    model_free(&f->models[1]);
    arena_deinit(&f->arena);
    test_free(f);
    return 0;
}

static void say_put(struct fixture *f, unsigned table, const struct key *key)
{
    uint32_t number = ++f->number;

    if (table == 0) {
        batch_put(f->batch, tables[0], key, &(struct member){.added_at = number});
    } else {
        batch_put(f->batch, tables[1], key, &(struct number_row){.number = number});
    }
    model_put(&f->models[table], (struct model_row){.key = *key, .number = number});
}

static void say_deleted(struct fixture *f, unsigned table, const struct key *key)
{
    batch_delete(f->batch, tables[table], key);
    model_put(&f->models[table], (struct model_row){.key = *key, .is_deleted = true});
}

static void fill(struct fixture *f, struct prng *prng, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct key key = model_key(prng);
        unsigned table = (unsigned)prng_below(prng, 2);

        if (prng_below(prng, 3) == 0) {
            say_deleted(f, table, &key);
        } else {
            say_put(f, table, &key);
        }
    }
}

static void assert_number(struct fixture *f, unsigned table, const struct key *key,
                          struct slice value, uint32_t number)
{
    struct number_row row;
    struct member member;

    if (table == 0) {
        assert_int_equal(record_decode(tables[0], key, value, &f->arena, &member), 0);
        assert_int_equal(member.added_at, number);
    } else {
        assert_int_equal(record_decode(tables[1], key, value, &f->arena, &row), 0);
        assert_int_equal(row.number, number);
    }
}

static void assert_found(struct fixture *f, unsigned table, const struct key *key)
{
    const struct model_row *row = model_find(&f->models[table], key);
    struct slice value;

    switch (batch_find(f->batch, tables[table], key, &value)) {
    case BATCH_SILENT: assert_null(row); break;
    case BATCH_DELETED:
        assert_non_null(row);
        assert_true(row->is_deleted);
        break;
    case BATCH_PUT:
        assert_non_null(row);
        assert_false(row->is_deleted);
        assert_number(f, table, key, value, row->number);
        break;
    }
}

/* The scanned table from its start to its end, by repeated seeks. */
static void assert_walk(struct fixture *f)
{
    const struct model_rows *model = &f->models[0];
    struct key from = key_empty(), key;
    enum batch_answer answer;
    struct slice value;

    for (size_t i = 0; i < model->count; i++) {
        assert_true(batch_next(f->batch, tables[0], &from, &key, &answer, &value));
        assert_int_equal(key_compare(&key, &model->rows[i].key), 0);
        assert_int_equal(answer, model->rows[i].is_deleted ? BATCH_DELETED : BATCH_PUT);
        if (answer == BATCH_PUT) {
            assert_number(f, 0, &key, value, model->rows[i].number);
        }
        from = key_after(&key);
    }
    assert_false(batch_next(f->batch, tables[0], &from, &key, &answer, &value));
}

/* Each key once, with what was said last, in both tables together. */
static void assert_operations(struct fixture *f)
{
    struct batch_operation operation;
    size_t at = 0, count = 0;

    while (batch_read(f->batch, &at, &operation)) {
        unsigned table = operation.table == tables[0] ? 0 : 1;
        struct key key = key_empty();
        const struct model_row *row;

        key.size = (uint8_t)operation.key.size;
        memcpy(key.bytes, operation.key.data, operation.key.size);
        row = model_find(&f->models[table], &key);
        assert_true(row != NULL && row->is_deleted == operation.is_delete);
        if (row != NULL && !operation.is_delete) {
            assert_number(f, table, &key, operation.value, row->number);
        }
        count++;
    }
    assert_int_equal(count, f->models[0].count + f->models[1].count);
    assert_int_equal(count, batch_count(f->batch));
}

static void the_last_word_on_each_key_is_found(void **state)
{
    struct fixture *f = *state;

    for (uint64_t seed = 0; seed < 200; seed++) {
        struct prng prng;

        prng_seed(&prng, seed);
        fill(f, &prng, (size_t)prng_below(&prng, seed % 20 == 0 ? 5000 : 300));
        for (unsigned i = 0; i < 200; i++) {
            struct key key = model_key(&prng);

            assert_found(f, i % 2, &key);
        }
        assert_walk(f);
        assert_operations(f);
        batch_clear(f->batch);
        f->models[0].count = 0;
        f->models[1].count = 0;
        arena_reset(&f->arena);
    }
}

static void a_seek_finds_the_next_key_from_anywhere(void **state)
{
    struct fixture *f = *state;
    struct prng prng;

    prng_seed(&prng, 11);
    fill(f, &prng, 500);
    for (unsigned i = 0; i < 3000; i++) {
        struct key from = model_key(&prng), key;
        size_t at = model_seek(&f->models[0], &from);
        enum batch_answer answer;
        struct slice value;

        if (batch_next(f->batch, tables[0], &from, &key, &answer, &value)) {
            assert_true(at < f->models[0].count);
            assert_int_equal(key_compare(&key, &f->models[0].rows[at].key), 0);
        } else {
            assert_int_equal(at, f->models[0].count);
        }
    }
}

static void operations_come_in_their_order(void **state)
{
    struct fixture *f = *state;
    struct key first = key_u32(2), second = key_u32(1);
    struct batch_operation operation;
    size_t at = 0;

    say_put(f, 0, &first);
    say_deleted(f, 1, &second);
    say_put(f, 0, &second);
    say_deleted(f, 0, &first); /* replaces the first operation, and comes last */
    assert_true(batch_read(f->batch, &at, &operation));
    assert_true(operation.table == tables[1] && operation.is_delete);
    assert_true(batch_read(f->batch, &at, &operation));
    assert_true(operation.table == tables[0] && !operation.is_delete);
    assert_true(batch_read(f->batch, &at, &operation));
    assert_true(operation.table == tables[0] && operation.is_delete);
    assert_false(batch_read(f->batch, &at, &operation));
}

static void the_value_of_the_last_put_is_at_hand(void **state)
{
    struct fixture *f = *state;
    const struct key key = key_u32(7), other = key_u32(8);
    struct slice found;

    say_put(f, 1, &key);
    say_put(f, 1, &other);
    say_put(f, 1, &key); /* again: the newer one counts */
    assert_int_equal(batch_find(f->batch, tables[1], &key, &found), BATCH_PUT);
    assert_ptr_equal(batch_last_value(f->batch).data, found.data);
    assert_int_equal(batch_last_value(f->batch).size, found.size);
}

static void a_cleared_batch_is_silent(void **state)
{
    struct fixture *f = *state;
    struct key key = key_u32(1);
    enum batch_answer answer;
    struct slice value;
    size_t at = 0;

    say_put(f, 0, &key);
    assert_true(batch_bytes(f->batch) > 0);
    batch_clear(f->batch);
    assert_int_equal(batch_count(f->batch), 0);
    assert_int_equal(batch_bytes(f->batch), 0);
    assert_int_equal(batch_find(f->batch, tables[0], &key, &value), BATCH_SILENT);
    assert_false(batch_next(f->batch, tables[0], &key, &key, &answer, &value));
    assert_false(batch_read(f->batch, &at, &(struct batch_operation){0}));
}

/* An import: more than what is kept, and rows of some size. */
static void a_giant_batch_works_and_shrinks(void **state)
{
    struct fixture *f = *state;
    char *text = test_calloc(1, 3000);
    struct contact contact = {.full_name = {text, 3000}};
    struct slice value;

    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 150000; i++) {
            struct key key = key_entry(1, i * 7919U);

            say_put(f, 0, &key);
        }
        for (uint32_t i = 0; i < 3000; i++) {
            struct key key = key_u32(i);

            batch_put(f->batch, TABLE_CONTACT, &key, &contact);
        }
        assert_int_equal(batch_count(f->batch), 153000);
        assert_int_equal(
            batch_find(f->batch, TABLE_CONTACT, &(struct key){4, {0, 0, 1, 0}}, &value), BATCH_PUT);
        assert_true(value.size > 3000);
        assert_found(f, 0, &f->models[0].rows[0].key);
        batch_clear(f->batch);
        f->models[0].count = 0;
    }
    test_free(text);
}

/* Small batches after large ones, whose slots become fewer and more again: each knows its own keys,
 * and none of those before it. */
static void the_slots_follow_the_size(void **state)
{
    static const uint32_t sizes[] = {20000, 10, 10, 700, 10, 10, 10, 10, 3000, 2, 20000, 5, 1};
    struct fixture *f = *state;
    struct slice value;

    for (uint32_t round = 0; round < sizeof(sizes) / sizeof(sizes[0]); round++) {
        for (uint32_t i = 0; i < sizes[round]; i++) {
            struct key key = key_entry(round, i);

            batch_delete(f->batch, tables[0], &key);
        }
        assert_int_equal(batch_count(f->batch), sizes[round]);
        for (uint32_t i = 0; i < 20000; i++) {
            struct key key = key_entry(round, i), earlier = key_entry(round - 1, i);

            assert_int_equal(batch_find(f->batch, tables[0], &key, &value),
                             i < sizes[round] ? BATCH_DELETED : BATCH_SILENT);
            assert_int_equal(batch_find(f->batch, tables[0], &earlier, &value), BATCH_SILENT);
        }
        batch_clear(f->batch);
    }
}

/* Longer than the count of uses in a slot's tag is. */
static void a_batch_serves_for_ever(void **state)
{
    struct fixture *f = *state;
    struct slice value;

    for (uint32_t use = 0; use < 140000; use++) {
        struct key key = key_u32(use % 3), other = key_u32((use + 1) % 3);

        batch_delete(f->batch, tables[0], &key);
        if (batch_find(f->batch, tables[0], &key, &value) != BATCH_DELETED ||
            batch_find(f->batch, tables[0], &other, &value) != BATCH_SILENT) {
            fail_msg("use %u", use);
        }
        batch_clear(f->batch);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    CASE(the_last_word_on_each_key_is_found), CASE(a_seek_finds_the_next_key_from_anywhere),
    CASE(operations_come_in_their_order),     CASE(the_value_of_the_last_put_is_at_hand),
    CASE(a_cleared_batch_is_silent),          CASE(a_giant_batch_works_and_shrinks),
    CASE(the_slots_follow_the_size),          CASE(a_batch_serves_for_ever),
};
OD_TEST_MAIN(tests)
