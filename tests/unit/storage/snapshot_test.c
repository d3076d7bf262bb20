/* Committed rows under up to four batches, against one sorted array that had it all at once. */
#include "storage/snapshot.h"

#include "model/records.h"
#include "storage/record.h"
#include "tests/support/od_test.h"
#include "tests/unit/storage/model_rows.h"
#include "tests/unit/storage/store_fixture.h"

#define TABLE TABLE_MEMBER

enum { ROUNDS = 60 };

static void say(struct batch *batch, struct model_rows *model, struct prng *prng, size_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct key key = model_key(prng);

        if (prng_below(prng, 2) == 0) {
            batch_delete(batch, TABLE, &key);
            model_remove(model, &key);
        } else {
            uint32_t number = (uint32_t)prng_next(prng);

            batch_put(batch, TABLE, &key, &(struct member){.added_at = number});
            model_put(model, (struct model_row){.key = key, .number = number});
        }
    }
}

static void assert_rows(struct store_fixture *f, const struct snapshot *snapshot,
                        const struct model_rows *model, struct prng *prng)
{
    for (unsigned i = 0; i < 100; i++) {
        struct key key = model_key(prng);
        const struct model_row *row = model_find(model, &key);
        struct member member;
        int code = snapshot_get(snapshot, TABLE, &key, &f->arena, &member);

        assert_int_equal(code, row != NULL ? 0 : OD_ENOTFOUND);
        assert_true(row == NULL || member.added_at == row->number);
    }
}

/* From a key on, with a prefix, to the end of it. */
static void assert_walk(struct store_fixture *f, const struct snapshot *snapshot,
                        const struct model_rows *model, const struct key *prefix, struct key from)
{
    struct member member;
    struct slice raw;
    struct key key;

    for (size_t i = model_seek(model, &from); i < model->count; i++) {
        if (!key_has_prefix(&model->rows[i].key, prefix)) {
            continue;
        }
        assert_int_equal(snapshot_seek(snapshot, TABLE, prefix, &from, &key, &raw), 0);
        assert_int_equal(key_compare(&key, &model->rows[i].key), 0);
        assert_int_equal(record_decode(TABLE, &key, raw, &f->arena, &member), 0);
        assert_int_equal(member.added_at, model->rows[i].number);
        from = key_after(&key);
    }
    assert_int_equal(snapshot_seek(snapshot, TABLE, prefix, &from, &key, &raw), OD_ENOTFOUND);
}

static void assert_same(struct store_fixture *f, const struct snapshot *snapshot,
                        const struct model_rows *model, struct prng *prng)
{
    struct key empty = key_empty();

    assert_rows(f, snapshot, model, prng);
    assert_walk(f, snapshot, model, &empty, empty);
    for (unsigned i = 0; i < 20; i++) {
        struct key prefix = model_key(prng);

        prefix.size = (uint8_t)prng_below(prng, prefix.size);
        assert_walk(f, snapshot, model, &prefix, model_key(prng));
    }
    arena_reset(&f->arena);
}

static void batches_lie_over_committed_rows(void **state)
{
    struct store_fixture *f = *state;

    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        struct snapshot snapshot = {.reader = f->reader};
        struct batch *batches[SNAPSHOT_BATCHES_MAX];
        struct model_rows model = {0};
        struct prng prng;

        prng_seed(&prng, seed);
        for (unsigned i = 0; i < SNAPSHOT_BATCHES_MAX; i++) {
            batches[i] = batch_new();
        }
        /* Rows of earlier rounds stay: the model starts with them. */
        assert_int_equal(reader_begin(f->reader, &f->error), 0);
        for (struct key from = key_empty(), key;;) {
            struct member member;
            struct slice raw;

            if (reader_seek(f->reader, TABLE, &(struct key){0}, &from, &key, &raw) != 0) {
                break;
            }
            assert_int_equal(record_decode(TABLE, &key, raw, &f->arena, &member), 0);
            model_put(&model, (struct model_row){.key = key, .number = (uint32_t)member.added_at});
            from = key_after(&key);
        }
        snapshot.batch_count = (size_t)prng_below(&prng, SNAPSHOT_BATCHES_MAX + 1);
        for (size_t i = snapshot.batch_count; i-- > 0;) {
            snapshot.batches[i] = batches[i];
            say(batches[i], &model, &prng, (size_t)prng_below(&prng, 200));
        }
        assert_same(f, &snapshot, &model, &prng);
        reader_end(f->reader);

        /* The oldest ones become durable; that they are still laid over it changes nothing. */
        for (size_t i = snapshot.batch_count; i-- > snapshot.batch_count / 2;) {
            struct writer_result result;

            writer_submit(f->writer, batches[i]);
            writer_wait(f->writer, &result);
            assert_int_equal(result.code, 0);
        }
        assert_int_equal(reader_begin(f->reader, &f->error), 0);
        assert_same(f, &snapshot, &model, &prng);
        snapshot.batch_count /= 2;
        assert_same(f, &snapshot, &model, &prng);
        reader_end(f->reader);
        for (unsigned i = 0; i < SNAPSHOT_BATCHES_MAX; i++) {
            batch_free(batches[i]);
        }
        model_free(&model);
    }
}

/* A thousand deletes in front of the first row that is left. */
static void deleted_rows_are_passed_over(void **state)
{
    struct store_fixture *f = *state;
    struct snapshot snapshot = {.reader = f->reader, .batches = {f->batch}, .batch_count = 1};
    struct key prefix = key_u32(1), key;
    struct slice raw;

    for (uint32_t i = 0; i < 1001; i++) {
        key = key_entry(1, i);
        batch_put(f->batch, TABLE, &key, &(struct member){.added_at = i});
    }
    assert_int_equal(store_fixture_commit(f), 0);
    for (uint32_t i = 0; i < 1000; i++) {
        key = key_entry(1, i);
        batch_delete(f->batch, TABLE, &key);
    }
    assert_int_equal(reader_begin(f->reader, &f->error), 0);
    assert_int_equal(snapshot_seek(&snapshot, TABLE, &prefix, &prefix, &key, &raw), 0);
    assert_int_equal(key_u32_at(&key, 4), 1000);
    key = key_entry(1, 1000);
    batch_delete(f->batch, TABLE, &key);
    assert_int_equal(snapshot_seek(&snapshot, TABLE, &prefix, &prefix, &key, &raw), OD_ENOTFOUND);
    reader_end(f->reader);
}

#define CASE(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(batches_lie_over_committed_rows),
    CASE(deleted_rows_are_passed_over),
};
OD_TEST_MAIN(tests)
