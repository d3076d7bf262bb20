/* The writer: whole batches or nothing, and what it says when the disk does not want to. */
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>

#include "model/records.h"
#include "storage/record.h"
#include "tests/support/od_test.h"
#include "tests/unit/storage/faulty_io.h"
#include "tests/unit/storage/store_fixture.h"

/* The test table: a number under a number. */
#define TABLE TABLE_PROGRAM_EXECUTION

static void put(struct store_fixture *f, uint32_t at, uint32_t number)
{
    struct key key = key_u32(at);

    batch_put(f->batch, TABLE, &key, &(struct number_row){.number = number});
}

/* What is committed under a key; 0: nothing. */
static uint32_t committed(struct store_fixture *f, uint32_t at)
{
    struct key key = key_u32(at);
    struct number_row row;
    int code;

    assert_int_equal(reader_begin(f->reader, &f->error), 0);
    code = reader_get(f->reader, TABLE, &key, &f->arena, &row);
    reader_end(f->reader);
    assert_true(code == 0 || code == OD_ENOTFOUND);
    return code == 0 ? row.number : 0;
}

static bool is_readable(int fd)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};

    return poll(&poller, 1, 0) == 1;
}

static void a_batch_is_committed_and_said(void **state)
{
    struct store_fixture *f = *state;
    struct pollfd poller = {.fd = writer_eventfd(f->writer), .events = POLLIN};
    struct writer_result result = {.code = 1};

    assert_true(writer_is_idle(f->writer));
    assert_false(writer_take(f->writer, &result));
    assert_false(is_readable(writer_eventfd(f->writer)));
    put(f, 1, 11);
    writer_submit(f->writer, f->batch);
    assert_false(writer_is_idle(f->writer));
    assert_int_equal(poll(&poller, 1, -1), 1);
    assert_true(writer_take(f->writer, &result));
    assert_int_equal(result.code, 0);
    assert_true(result.commit_ns > 0);
    assert_true(writer_is_idle(f->writer));
    assert_false(is_readable(writer_eventfd(f->writer)));
    assert_false(writer_take(f->writer, &result));
    assert_int_equal(committed(f, 1), 11);
}

static void operations_are_applied_in_their_order(void **state)
{
    struct store_fixture *f = *state;
    struct key one = key_u32(1), two = key_u32(2);

    put(f, 1, 11);
    put(f, 2, 22);
    assert_int_equal(store_fixture_commit(f), 0);
    put(f, 1, 12);
    batch_delete(f->batch, TABLE, &one);
    batch_delete(f->batch, TABLE, &two);
    put(f, 2, 23);
    assert_int_equal(store_fixture_commit(f), 0);
    assert_int_equal(committed(f, 1), 0);
    assert_int_equal(committed(f, 2), 23);
}

static void deleting_what_is_not_there_is_fine(void **state)
{
    struct store_fixture *f = *state;
    struct key key = key_u32(9);

    batch_delete(f->batch, TABLE, &key);
    assert_int_equal(store_fixture_commit(f), 0);
}

static void an_empty_batch_is_fine(void **state)
{
    assert_int_equal(store_fixture_commit(*state), 0);
}

static int refuse_the_second(void *context, uint64_t number)
{
    *(uint64_t *)context = number;
    return number == 2 ? OD_EFULL : 0;
}

static void a_refused_batch_leaves_nothing(void **state)
{
    struct store_fixture *f = *state;
    uint64_t number = 0;

    writer_set_hook(f->writer, refuse_the_second, &number);
    put(f, 1, 11);
    assert_int_equal(store_fixture_commit(f), 0);
    assert_int_equal(number, 1);
    put(f, 1, 12);
    put(f, 2, 22);
    assert_int_equal(store_fixture_commit(f), OD_EFULL);
    assert_true(f->error.text[0] != '\0');
    assert_int_equal(committed(f, 1), 11);
    assert_int_equal(committed(f, 2), 0);
    put(f, 3, 33);
    assert_int_equal(store_fixture_commit(f), 0);
    assert_int_equal(number, 3);
    writer_set_hook(f->writer, NULL, NULL);
    assert_int_equal(committed(f, 3), 33);
}

static void closing_waits_for_the_batch_under_way(void **state)
{
    struct store_fixture *f = *state;

    for (uint32_t i = 1; i <= 20000; i++) {
        put(f, i, i);
    }
    writer_submit(f->writer, f->batch);
    store_fixture_close(f);
    assert_int_equal(store_fixture_open(f), 0);
    assert_int_equal(committed(f, 20000), 20000);
}

/* ---- full ---- */

/* Rows of some size under numbers from `first` on. */
static void put_large(struct store_fixture *f, uint32_t first, uint32_t count)
{
    static char text[1500];
    struct contact contact = {.full_name = {text, sizeof(text)}};

    for (uint32_t i = 0; i < count; i++) {
        struct key key = key_u32(first + i);

        batch_put(f->batch, TABLE_CONTACT, &key, &contact);
    }
}

static void delete_large(struct store_fixture *f, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct key key = key_u32(first + i);

        batch_delete(f->batch, TABLE_CONTACT, &key);
    }
}

static int small_map_setup(void **state)
{
    struct store_fixture *f;

    if (store_fixture_prepare(state) != 0) {
        return -1;
    }
    f = *state;
    f->options.map_size_bytes = 4 << 20;
    return store_fixture_open(f);
}

static void a_full_map_recovers_after_deletes(void **state)
{
    struct store_fixture *f = *state;
    uint32_t rows = 0;
    int code = 0;

    put(f, 1, 11);
    assert_int_equal(store_fixture_commit(f), 0);
    while (code == 0) {
        put_large(f, rows, 100);
        code = store_fixture_commit(f);
        rows += 100;
    }
    assert_int_equal(code, OD_EFULL);
    assert_non_null(strstr(f->error.text, "map is full"));
    assert_int_equal(committed(f, 1), 11); /* reads go on */
    delete_large(f, 0, rows - 100);
    assert_int_equal(store_fixture_commit(f), 0);
    put(f, 2, 22); /* pages that the last commit freed are for the one after the next */
    assert_int_equal(store_fixture_commit(f), 0);
    put_large(f, 0, 100);
    assert_int_equal(store_fixture_commit(f), 0);
    assert_int_equal(committed(f, 2), 22);
}

/* A full disk, without root: the file may not grow. The writer's thread has SIGXFSZ blocked. */
static void a_full_disk_recovers_with_room(void **state)
{
    struct store_fixture *f = *state;
    struct rlimit before, limit;
    int code = 0;

    put(f, 1, 11);
    assert_int_equal(store_fixture_commit(f), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 1 << 20;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    for (uint32_t rows = 0; code == 0 && rows < 10000; rows += 100) {
        put_large(f, rows, 100);
        code = store_fixture_commit(f);
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(code, OD_EFULL);
    assert_non_null(strstr(f->error.text, "disk is full"));
    assert_int_equal(committed(f, 1), 11);
    put_large(f, 0, 1000);
    assert_int_equal(store_fixture_commit(f), 0);
    store_fixture_close(f);
    assert_int_equal(store_fixture_open(f), 0);
    assert_int_equal(committed(f, 1), 11);
}

/* ---- a dying disk ---- */

static int durable_setup(void **state)
{
    return store_fixture_prepare(state) != 0 ? -1 : store_fixture_open(*state);
}

static void a_failed_sync_drops_that_batch_alone(void **state)
{
    struct store_fixture *f = *state;

    put(f, 1, 11);
    assert_int_equal(store_fixture_commit(f), 0);
    put(f, 1, 12);
    atomic_store(&faulty_sync, true);
    assert_int_equal(store_fixture_commit(f), OD_EIO);
    atomic_store(&faulty_sync, false);
    assert_int_equal(committed(f, 1), 11);
    put(f, 1, 13);
    assert_int_equal(store_fixture_commit(f), 0);
    assert_int_equal(committed(f, 1), 13);
}

static void a_failed_meta_write_asks_for_a_reopening(void **state)
{
    struct store_fixture *f = *state;

    put(f, 1, 11);
    assert_int_equal(store_fixture_commit(f), 0);
    put(f, 1, 12);
    atomic_store(&faulty_meta_write, true);
    assert_int_equal(store_fixture_commit(f), OD_EPANIC);
    atomic_store(&faulty_meta_write, false);
    assert_int_equal(reader_begin(f->reader, &f->error), OD_EPANIC);
    put(f, 1, 13);
    assert_int_equal(store_fixture_commit(f), OD_EPANIC);
    store_fixture_close(f);
    assert_int_equal(store_fixture_open(f), 0);
    assert_in_range(committed(f, 1), 11, 12);
}

static int refuse_second(void *context, uint64_t number)
{
    (void)context;
    return number == 2 ? OD_EFULL : 0;
}

static void a_stepped_writer_commits_when_it_is_told_to(void **state)
{
    struct store_fixture *f = *state;
    struct writer_result result;
    struct writer *writer;

    assert_int_equal(writer_open_stepped(f->store, &writer, &f->error), 0);
    assert_int_equal(writer_eventfd(writer), -1);
    writer_set_hook(writer, refuse_second, NULL);
    put(f, 1, 11);
    writer_submit(writer, f->batch);
    assert_false(writer_take(writer, &result));
    assert_int_equal(committed(f, 1), 0);
    assert_int_equal(writer_step(writer), 0);
    assert_int_equal(committed(f, 1), 11); /* on disk, and nobody has been told */
    assert_false(writer_is_idle(writer));
    assert_true(writer_take(writer, &result));
    assert_true(writer_is_idle(writer));

    batch_clear(f->batch);
    put(f, 1, 12);
    writer_submit(writer, f->batch);
    assert_int_equal(writer_step(writer), OD_EFULL);
    writer_wait(writer, &result);
    assert_int_equal(result.code, OD_EFULL);
    assert_int_equal(committed(f, 1), 11);
    writer_submit(writer, f->batch);
    writer_wait(writer, &result); /* carries it out */
    assert_int_equal(committed(f, 1), 12);
    batch_clear(f->batch);
    put(f, 1, 13);
    writer_submit(writer, f->batch);
    writer_close(writer); /* as a crash: nothing of it is on disk */
    assert_int_equal(committed(f, 1), 12);
}

#define CASE(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_batch_is_committed_and_said),
    CASE(operations_are_applied_in_their_order),
    CASE(deleting_what_is_not_there_is_fine),
    CASE(an_empty_batch_is_fine),
    CASE(a_refused_batch_leaves_nothing),
    CASE(closing_waits_for_the_batch_under_way),
    CASE(a_stepped_writer_commits_when_it_is_told_to),
    cmocka_unit_test_setup_teardown(a_full_map_recovers_after_deletes, small_map_setup,
                                    store_fixture_teardown),
    cmocka_unit_test_setup_teardown(a_full_disk_recovers_with_room, durable_setup,
                                    store_fixture_teardown),
    cmocka_unit_test_setup_teardown(a_failed_sync_drops_that_batch_alone, durable_setup,
                                    store_fixture_teardown),
    cmocka_unit_test_setup_teardown(a_failed_meta_write_asks_for_a_reopening, durable_setup,
                                    store_fixture_teardown),
};
OD_TEST_MAIN(tests)
