/* A copy that says that it is one, and the era that its first opening begins. */
#include "storage/restore.h"

#include <errno.h>

#include "base/instant.h"
#include "storage/store_lmdb.h"
#include "tests/support/od_test.h"
#include "tests/unit/storage/store_fixture.h"

#define MADE_AT INT64_C(1767607200000)

/* The store, closed, becomes a copy. */
static void mark(struct store_fixture *f)
{
    char path[128];

    store_fixture_close(f);
    (void)snprintf(path, sizeof(path), "%s/data.mdb", f->directory);
    assert_int_equal(restore_mark(path, MADE_AT), 0);
}

static bool find(struct store_fixture *f, const char *name, struct meta *meta)
{
    struct key key = key_text(slice_from(name));
    int code;

    assert_int_equal(reader_begin(f->reader, &f->error), 0);
    code = reader_get(f->reader, TABLE_META, &key, &f->arena, meta);
    reader_end(f->reader);
    assert_true(code == 0 || code == OD_ENOTFOUND);
    return code == 0;
}

static void put(struct store_fixture *f, const char *name, const struct meta *meta)
{
    struct key key = key_text(slice_from(name));
    struct writer_result result;

    batch_clear(f->batch);
    batch_put(f->batch, TABLE_META, &key, meta);
    writer_submit(f->writer, f->batch);
    writer_wait(f->writer, &result);
    assert_int_equal(result.code, 0);
}

static void a_store_of_its_own_has_no_era(void **state)
{
    struct store_fixture *f = *state;
    struct meta meta;

    assert_false(find(f, META_RESTORE, &meta));
    store_fixture_close(f);
    assert_int_equal(store_fixture_open(f), 0);
    assert_false(find(f, META_RESTORE, &meta));
}

static void the_first_opening_of_a_copy_begins_an_era(void **state)
{
    struct store_fixture *f = *state;
    const struct uuid none = UUID_NIL;
    struct meta first, again;

    mark(f);
    assert_int_equal(store_fixture_open(f), 0);
    assert_true(find(f, META_RESTORE, &first));
    assert_true(first.number <= UINT32_MAX);
    assert_int_not_equal(call_tag_of_era(&none, (uint32_t)first.number), 0);
    assert_true(slice_equal_text(first.text, "2026-01-05T10:00:00.000Z"));
    assert_false(find(f, META_BACKUP, &again));
    store_fixture_close(f); /* as if it had crashed: it is the same era, and still to be told */
    assert_int_equal(store_fixture_open(f), 0);
    assert_true(find(f, META_RESTORE, &again));
    assert_true(again.number == first.number);
    assert_true(slice_equal(again.text, first.text));
}

static void each_restore_begins_another(void **state)
{
    struct store_fixture *f = *state;
    struct meta before = {.number = 0}, meta;

    for (int i = 0; i < 3; i++) {
        mark(f);
        assert_int_equal(store_fixture_open(f), 0);
        assert_true(find(f, META_RESTORE, &meta));
        assert_true(meta.number != before.number);
        assert_true(meta.text.size > 0);
        before = (struct meta){.number = meta.number};
        put(f, META_RESTORE, &before); /* told */
    }
}

static void reading_alone_begins_nothing(void **state)
{
    struct store_fixture *f = *state;
    struct meta meta;

    mark(f);
    f->options.is_read_only = true;
    assert_int_equal(store_fixture_open(f), 0);
    assert_true(find(f, META_BACKUP, &meta));
    assert_true((int64_t)meta.number == MADE_AT);
    assert_false(find(f, META_RESTORE, &meta));
    store_fixture_close(f);
    f->options.is_read_only = false;
    assert_int_equal(store_fixture_open(f), 0);
}

static void what_is_no_copy_cannot_be_marked(void **state)
{
    struct store_fixture *f = *state;
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/none.mdb", f->directory);
    assert_int_equal(restore_mark(path, MADE_AT), ENOENT);
    assert_int_not_equal(access(path, F_OK), 0);
    (void)snprintf(path, sizeof(path), "%s/lock", f->directory);
    assert_int_not_equal(restore_mark(path, MADE_AT), 0);
}

static void no_file_is_left_beside_it(void **state)
{
    struct store_fixture *f = *state;
    char path[128];

    mark(f);
    (void)snprintf(path, sizeof(path), "%s/data.mdb-lock", f->directory);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(store_fixture_open(f), 0);
}

#define CASE(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_store_of_its_own_has_no_era),    CASE(the_first_opening_of_a_copy_begins_an_era),
    CASE(each_restore_begins_another),      CASE(reading_alone_begins_nothing),
    CASE(what_is_no_copy_cannot_be_marked), CASE(no_file_is_left_beside_it),
};
OD_TEST_MAIN(tests)
