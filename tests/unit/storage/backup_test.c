/* A backup is a store, of one moment, while another goes on being written; and it harms nothing. */
#include "storage/backup.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>

#include "storage/child.h"
#include "storage/record.h"
#include "storage/store_lmdb.h"
#include "tests/support/od_test.h"
#include "tests/unit/storage/check_heard.h"

/* When all copies are made. */
#define MADE_AT INT64_C(1767607200000)

/* Where copies go: a folder beside the store's. */
static void path_of(const struct store_fixture *f, const char *name, char path[128])
{
    (void)snprintf(path, 128, "%s.copies%s", f->directory, name);
}

static int setup(void **state)
{
    char path[128];

    if (check_world_setup(state) != 0) {
        return -1;
    }
    path_of(*state, "", path);
    return mkdir(path, 0700);
}

static int teardown(void **state)
{
    char path[128];

    path_of(*state, "", path);
    store_fixture_remove(path);
    return store_fixture_teardown(state);
}

static int entries_of(const char *path)
{
    DIR *folder = opendir(path);
    int count = -2; /* . and .. */

    assert_non_null(folder);
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

/* The daemon of the copy. */
static void assert_restores(struct store_fixture *f, const char *directory)
{
    struct store_fixture copy = {.options = {.directory = directory, .map_size_bytes = 1 << 26}};

    (void)snprintf(copy.directory, sizeof(copy.directory), "%.63s", directory);
    store_fixture_close(f);
    assert_int_equal(store_fixture_open(&copy), 0);
    assert_false(store_is_new(copy.store));
    store_fixture_close(&copy);
    assert_sound(&copy);
    assert_int_equal(store_fixture_open(f), 0);
}

/* What backup_run returns, and what it made. Within one process a folder is open once at a time, so
 * the fixture's store is closed meanwhile. */
static int backup(struct store_fixture *f, const char *target, struct backup *out)
{
    int code;

    store_fixture_close(f);
    code = backup_run(f->directory, target, MADE_AT, out, &f->error);
    assert_int_equal(store_fixture_open(f), 0);
    return code;
}

static void assert_backup(struct store_fixture *f, const char *target, bool is_compact)
{
    struct backup out;
    struct stat status;

    assert_int_equal(backup(f, target, &out), 0);
    assert_int_equal(out.is_compact, is_compact);
    assert_int_equal(stat(out.path, &status), 0);
    assert_int_equal(status.st_size, out.bytes);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void assert_refused(struct store_fixture *f, const char *target, int code, const char *text)
{
    char saved[sizeof(f->error.text)];
    struct backup out;

    store_fixture_close(f);
    assert_int_equal(backup_run(f->directory, target, MADE_AT, &out, &f->error), code);
    memcpy(saved, f->error.text, sizeof(saved));
    assert_int_equal(store_fixture_open(f), 0);
    assert_non_null(strstr(saved, text));
}

static void a_copy_into_a_folder_is_a_store(void **state)
{
    struct store_fixture *f = *state;
    char path[128];

    path_of(f, "/new/", path);
    assert_backup(f, path, true);
    assert_int_equal(entries_of(path), 1);
    path_of(f, "/new", path);
    assert_restores(f, path);
}

static void a_copy_into_a_file_is_put_into_a_folder(void **state)
{
    struct store_fixture *f = *state;
    char file[128], folder[128], data[128];

    path_of(f, "/backup.mdb", file);
    assert_backup(f, file, true);
    path_of(f, "/restored", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    path_of(f, "/restored/data.mdb", data);
    assert_int_equal(rename(file, data), 0);
    assert_restores(f, folder);
}

static void nothing_is_overwritten(void **state)
{
    struct store_fixture *f = *state;
    char path[128];

    path_of(f, "/backup.mdb", path);
    assert_backup(f, path, true);
    assert_refused(f, path, OD_EINVAL, "exists, and nothing is overwritten");
    assert_refused(f, f->directory, OD_EINVAL, "exists, and nothing is overwritten");
    path_of(f, "", path);
    assert_int_equal(entries_of(path), 1);
}

static void what_cannot_be_copied_is_said(void **state)
{
    struct store_fixture *f = *state;
    struct od_error error;
    struct backup out;
    char path[128];

    path_of(f, "/a/b", path);
    assert_refused(f, path, OD_EIO, "No such file or directory");
    path_of(f, "/file", path);
    assert_int_equal(backup_run("/nonexistent/folder", path, MADE_AT, &out, &error), OD_ENOTFOUND);
    assert_non_null(strstr(error.text, "backup: store /nonexistent/folder: there is no store"));
    assert_refused(f, "", OD_EINVAL, "empty or too long");
    path_of(f, "", path);
    assert_int_equal(entries_of(path), 0);
}

/* Where the first item of the free list lies in the file: its page holds its own number. */
static off_t free_list_place(struct store_fixture *f, size_t *count)
{
    MDB_cursor *cursor;
    MDB_val key, item;
    MDB_txn *txn;
    size_t page;
    const char *data;

    assert_int_equal(mdb_txn_begin(store_env(f->store), NULL, MDB_RDONLY, &txn), 0);
    assert_int_equal(mdb_cursor_open(txn, 0, &cursor), 0);
    assert_int_equal(mdb_cursor_get(cursor, &key, &item, MDB_FIRST), 0);
    data = item.mv_data;
    memcpy(count, data, sizeof(*count));
    memcpy(&page, data - (uintptr_t)data % 4096, sizeof(page));
    page = page * 4096 + (uintptr_t)data % 4096;
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    return (off_t)page;
}

static void a_store_that_lost_a_page_is_copied_as_it_is(void **state)
{
    struct store_fixture *f = *state;
    char target[128], path[128];
    size_t count;
    off_t place;
    int fd;

    world_make(f->batch);
    assert_int_equal(store_fixture_commit(f), 0);
    place = free_list_place(f, &count);
    assert_true(count > 0);
    count--;
    store_fixture_close(f);
    (void)snprintf(path, sizeof(path), "%s/data.mdb", f->directory);
    fd = open(path, O_RDWR);
    assert_int_equal(pwrite(fd, &count, sizeof(count), place), sizeof(count));
    close(fd);
    assert_int_equal(store_fixture_open(f), 0);
    path_of(f, "/new/", target);
    assert_backup(f, target, false);
    path_of(f, "/new", target);
    assert_restores(f, target);
}

struct full_disk {
    const char *directory, *target;
};

static int run_with_a_full_disk(void *context)
{
    const struct full_disk *task = context;
    struct rlimit limit;
    struct od_error error;
    struct backup out;

    if (getrlimit(RLIMIT_FSIZE, &limit) != 0) {
        return 1;
    }
    limit.rlim_cur = 16384;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0 || signal(SIGXFSZ, SIG_IGN) == SIG_ERR) {
        return 2;
    }
    return backup_run(task->directory, task->target, MADE_AT, &out, &error) == OD_EFULL ? 0 : 3;
}

static void a_full_disk_leaves_nothing_behind(void **state)
{
    struct store_fixture *f = *state;
    struct full_disk task = {.directory = f->directory};
    char path[128];

    path_of(f, "/backup.mdb", path);
    task.target = path;
    store_fixture_close(f);
    assert_int_equal(child_wait(child_start(run_with_a_full_disk, &task)), 0);
    assert_int_equal(store_fixture_open(f), 0);
    path_of(f, "", path);
    assert_int_equal(entries_of(path), 0);
}

/* ---- while a daemon writes ---- */

/* Two rows that change together, in one batch with others. */
static void put_pair(struct batch *batch, uint64_t number)
{
    struct key first = key_text(SLICE("first")), second = key_text(SLICE("second"));

    batch_put(batch, TABLE_META, &first, &(struct meta){.number = number});
    for (uint32_t j = 0; j < 100; j++) {
        struct key key = key_text(SLICE("filler/"));

        key_add_u32(&key, (uint32_t)(number * 7919 + j) % 5000);
        batch_put(batch, TABLE_META, &key, &(struct meta){.number = number});
    }
    batch_put(batch, TABLE_META, &second, &(struct meta){.number = number});
}

struct daemon {
    struct store_fixture *f;
    int ready[2], stop[2]; /* pipes */
};

/* Commits pairs until the pipe `stop` is closed; says when it has begun. */
static int write_pairs(void *context)
{
    struct daemon *d = context;
    struct pollfd stop = {.fd = d->stop[0], .events = POLLIN};
    struct store_fixture *f = d->f;
    struct writer_result result;

    close(d->stop[1]);
    if (store_open(&f->options, &f->store, &f->error) != 0 ||
        writer_open(f->store, &f->writer, &f->error) != 0) {
        return 1;
    }
    for (uint64_t number = 1; poll(&stop, 1, 0) == 0; number++) {
        batch_clear(f->batch);
        put_pair(f->batch, number);
        writer_submit(f->writer, f->batch);
        writer_wait(f->writer, &result);
        if (result.code != 0 || (number == 3 && write(d->ready[1], "r", 1) != 1)) {
            return 2;
        }
    }
    writer_close(f->writer);
    store_close(f->store);
    return 0;
}

static void assert_pair_is_whole(struct store_fixture *f, const char *directory)
{
    struct key first = key_text(SLICE("first")), second = key_text(SLICE("second"));
    struct store_fixture copy = {.options = {.directory = directory, .map_size_bytes = 1 << 26}};
    struct meta meta[2];

    (void)snprintf(copy.directory, sizeof(copy.directory), "%.63s", directory);
    assert_int_equal(store_fixture_open(&copy), 0);
    assert_int_equal(reader_begin(copy.reader, &copy.error), 0);
    assert_int_equal(reader_get(copy.reader, TABLE_META, &first, &f->arena, &meta[0]), 0);
    assert_int_equal(reader_get(copy.reader, TABLE_META, &second, &f->arena, &meta[1]), 0);
    reader_end(copy.reader);
    store_fixture_close(&copy);
    assert_true(meta[0].number >= 3);
    assert_true(meta[0].number == meta[1].number);
    assert_sound(&copy);
}

static void copies_made_while_a_daemon_writes_are_of_one_moment(void **state)
{
    struct store_fixture *f = *state;
    struct daemon d = {.f = f};
    struct backup out;
    char path[128], name[16], byte;
    pid_t child;

    store_fixture_close(f);
    assert_int_equal(pipe(d.ready), 0);
    assert_int_equal(pipe(d.stop), 0);
    child = child_start(write_pairs, &d);
    assert_true(child > 0);
    close(d.stop[0]);
    close(d.ready[1]);
    assert_int_equal(read(d.ready[0], &byte, 1), 1);
    for (int copy = 0; copy < 4; copy++) {
        (void)snprintf(name, sizeof(name), "/%d/", copy);
        path_of(f, name, path);
        assert_int_equal(backup_run(f->directory, path, MADE_AT, &out, &f->error), 0);
    }
    close(d.stop[1]);
    close(d.ready[0]);
    assert_int_equal(child_wait(child), 0);
    for (int copy = 0; copy < 4; copy++) {
        (void)snprintf(name, sizeof(name), "/%d", copy);
        path_of(f, name, path);
        assert_pair_is_whole(f, path);
    }
    assert_int_equal(store_fixture_open(f), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_copy_into_a_folder_is_a_store),
    CASE(a_copy_into_a_file_is_put_into_a_folder),
    CASE(nothing_is_overwritten),
    CASE(what_cannot_be_copied_is_said),
    CASE(a_store_that_lost_a_page_is_copied_as_it_is),
    CASE(a_full_disk_leaves_nothing_behind),
    CASE(copies_made_while_a_daemon_writes_are_of_one_moment),
};
OD_TEST_MAIN(tests)
