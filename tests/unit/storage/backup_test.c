/* A backup is a store, of one moment, while another goes on being written; and it harms nothing. */
#include "storage/backup.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "storage/child.h"
#include "storage/record.h"
#include "storage/store_lmdb.h"
#include "tests/support/od_test.h"
#include "tests/unit/storage/check_heard.h"

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

/* backup_run opens the store, which a process may do once at a time: as outdialctl, a process of
 * its own does it here. */
struct task {
    const char *directory, *target;
    const char *expected; /* in the error's text; NULL: success */
    int code;
    bool is_plain; /* not compact */
};

static int run_in_child(void *context)
{
    const struct task *task = context;
    struct od_error error = {""};
    struct backup backup;
    struct stat status;
    int code = backup_run(task->directory, task->target, &backup, &error);

    if (code != task->code) {
        return 1;
    }
    if (code != 0) {
        return strstr(error.text, task->expected) != NULL ? 0 : 2;
    }
    if (backup.is_compact == task->is_plain) {
        return 7;
    }
    if (stat(backup.path, &status) != 0 || (uint64_t)status.st_size != backup.bytes) {
        return 3;
    }
    return (status.st_mode & 0777) == 0600 ? 0 : 4;
}

static void assert_backup(struct store_fixture *f, const char *target, int code,
                          const char *expected)
{
    struct task task = {f->directory, target, expected, code, false};

    assert_int_equal(child_wait(child_start(run_in_child, &task)), 0);
}

static void a_copy_into_a_folder_is_a_store(void **state)
{
    struct store_fixture *f = *state;
    char path[128];

    path_of(f, "/new/", path);
    assert_backup(f, path, 0, NULL);
    assert_int_equal(entries_of(path), 1);
    path_of(f, "/new", path);
    assert_restores(f, path);
}

static void a_copy_into_a_file_is_put_into_a_folder(void **state)
{
    struct store_fixture *f = *state;
    char file[128], folder[128], data[128];

    path_of(f, "/backup.mdb", file);
    assert_backup(f, file, 0, NULL);
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
    assert_backup(f, path, 0, NULL);
    assert_backup(f, path, OD_EINVAL, "exists, and nothing is overwritten");
    assert_backup(f, f->directory, OD_EINVAL, "exists, and nothing is overwritten");
    path_of(f, "", path);
    assert_int_equal(entries_of(path), 1);
}

static void what_cannot_be_copied_is_said(void **state)
{
    struct store_fixture *f = *state;
    struct od_error error;
    struct backup backup;
    char path[128];

    path_of(f, "/a/b", path);
    assert_backup(f, path, OD_EIO, "No such file or directory");
    path_of(f, "/file", path);
    assert_int_equal(backup_run("/nonexistent/folder", path, &backup, &error), OD_ENOTFOUND);
    assert_non_null(strstr(error.text, "backup: store /nonexistent/folder: there is no store"));
    assert_int_equal(backup_run(f->directory, "", &backup, &error), OD_EINVAL);
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
    struct task task = {f->directory, NULL, NULL, 0, true};
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
    task.target = target;
    assert_int_equal(child_wait(child_start(run_in_child, &task)), 0);
    path_of(f, "/new", target);
    assert_restores(f, target);
}

static int run_with_a_full_disk(void *context)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_FSIZE, &limit) != 0) {
        return 5;
    }
    limit.rlim_cur = 16384;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) {
        return 6;
    }
    (void)signal(SIGXFSZ, SIG_IGN);
    return run_in_child(context);
}

static void a_full_disk_leaves_nothing_behind(void **state)
{
    struct store_fixture *f = *state;
    struct task task = {f->directory, NULL, "File too large", OD_EFULL, false};
    char path[128];

    path_of(f, "/backup.mdb", path);
    task.target = path;
    assert_int_equal(child_wait(child_start(run_with_a_full_disk, &task)), 0);
    path_of(f, "", path);
    assert_int_equal(entries_of(path), 0);
}

/* Two rows always change together, in one batch; copies made meanwhile hold equal ones, and every
 * page of them is whole. */
static void copies_made_while_writing_are_of_one_moment(void **state)
{
    struct store_fixture *f = *state;
    struct key first = key_text(SLICE("first")), second = key_text(SLICE("second"));
    char path[128], folder[16];
    uint64_t number = 0;

    for (int copy = 0; copy < 4; copy++) {
        struct task task = {f->directory, path, NULL, 0, false};
        pid_t child;
        int code;

        (void)snprintf(folder, sizeof(folder), "/%d/", copy);
        path_of(f, folder, path);
        child = child_start(run_in_child, &task);
        assert_true(child > 0);
        for (unsigned i = 0; i < 50; i++) {
            number++;
            batch_put(f->batch, TABLE_META, &first, &(struct meta){.number = number});
            for (uint32_t j = 0; j < 100; j++) {
                struct key key = key_text(SLICE("filler/"));

                key_add_u32(&key, (uint32_t)(number * 7919 + j) % 5000);
                batch_put(f->batch, TABLE_META, &key, &(struct meta){.number = number});
            }
            batch_put(f->batch, TABLE_META, &second, &(struct meta){.number = number});
            assert_int_equal(store_fixture_commit(f), 0);
        }
        code = child_wait(child);
        assert_int_equal(code, 0);
    }
    store_fixture_close(f);
    for (int copy = 0; copy < 4; copy++) {
        struct store_fixture opened = {.batch = NULL};
        struct meta meta[2] = {{0}, {0}};

        (void)snprintf(folder, sizeof(folder), "/%d", copy);
        path_of(f, folder, path);
        (void)snprintf(opened.directory, sizeof(opened.directory), "%.63s", path);
        opened.options = (struct store_options){.directory = path, .map_size_bytes = 1 << 26};
        assert_int_equal(store_fixture_open(&opened), 0);
        assert_int_equal(reader_begin(opened.reader, &opened.error), 0);
        (void)reader_get(opened.reader, TABLE_META, &first, &f->arena, &meta[0]);
        (void)reader_get(opened.reader, TABLE_META, &second, &f->arena, &meta[1]);
        reader_end(opened.reader);
        store_fixture_close(&opened);
        assert_true(meta[0].number == meta[1].number);
        assert_sound(&opened);
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
    CASE(copies_made_while_writing_are_of_one_moment),
};
OD_TEST_MAIN(tests)
