/* Opening: what is made, what is refused and in which words, and what errors mean. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "model/records.h"
#include "storage/child.h"
#include "storage/record.h"
#include "storage/store_lmdb.h"
#include "tests/support/od_test.h"
#include "tests/unit/storage/store_fixture.h"

static struct key text_key(const char *text)
{
    return key_text(slice_from(text));
}

static int meta_get(struct store_fixture *f, const char *name, struct meta *meta)
{
    struct key key = text_key(name);
    int code;

    assert_int_equal(reader_begin(f->reader, &f->error), 0);
    code = reader_get(f->reader, TABLE_META, &key, &f->arena, meta);
    reader_end(f->reader);
    return code;
}

static void meta_put(struct store_fixture *f, const char *name, uint64_t number)
{
    struct key key = text_key(name);

    batch_put(f->batch, TABLE_META, &key, &(struct meta){.number = number});
    assert_int_equal(store_fixture_commit(f), 0);
}

static void path_of(const struct store_fixture *f, const char *name, char path[128])
{
    (void)snprintf(path, 128, "%s/%s", f->directory, name);
}

static unsigned mode_of(const struct store_fixture *f, const char *name)
{
    struct stat status;
    char path[128];

    path_of(f, name, path);
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 0777;
}

/* The store must be refused so, with this in its text, beside the folder's name. */
static void assert_refused(struct store_fixture *f, int code, const char *text)
{
    struct store *store;

    assert_int_equal(store_open(&f->options, &store, &f->error), code);
    assert_non_null(strstr(f->error.text, f->directory));
    if (strstr(f->error.text, text) == NULL) {
        fail_msg("%s", f->error.text);
    }
}

/* ---- a good store ---- */

static void the_first_opening_makes_folder_files_and_rows(void **state)
{
    struct store_fixture *f = *state;
    struct meta meta;
    struct uuid id;

    assert_int_equal(rmdir(f->directory), 0);
    assert_int_equal(store_fixture_open(f), 0);
    assert_int_equal(mode_of(f, "."), 0700);
    assert_int_equal(mode_of(f, "data.mdb"), 0600);
    assert_int_equal(mode_of(f, "lock.mdb"), 0600);
    assert_int_equal(mode_of(f, "lock"), 0600);
    assert_string_equal(store_directory(f->store), f->directory);
    assert_int_equal(meta_get(f, "schema.contacts", &meta), 0);
    assert_int_equal(meta.number, record_version(TABLE_CONTACT));
    assert_int_equal(meta_get(f, "store.id", &meta), 0);
    assert_true(uuid_parse(meta.text, &id));
}

/* Promise 1 holds through a loss of power only when LMDB syncs data and meta page of each commit,
 * and never through a writable map (reliability.md 2.3). A kill would not show the difference. */
static void each_commit_is_synced(void **state)
{
    struct store_fixture *f = *state;
    unsigned flags = 0;

    f->options.is_volatile = false;
    assert_int_equal(store_fixture_open(f), 0);
    assert_int_equal(mdb_env_get_flags(store_env(f->store), &flags), 0);
    assert_int_equal(flags & (MDB_NOSYNC | MDB_NOMETASYNC | MDB_MAPASYNC | MDB_WRITEMAP), 0);
}

static void the_id_of_a_store_stays(void **state)
{
    struct store_fixture *f = *state;
    struct meta first, second;

    assert_int_equal(store_fixture_open(f), 0);
    assert_int_equal(meta_get(f, "store.id", &first), 0);
    store_fixture_close(f);
    assert_int_equal(store_fixture_open(f), 0);
    assert_int_equal(meta_get(f, "store.id", &second), 0);
    assert_true(slice_equal(first.text, second.text));
}

static void a_store_is_new_until_something_is_stored(void **state)
{
    struct store_fixture *f = *state;

    assert_int_equal(store_fixture_open(f), 0);
    assert_true(store_is_new(f->store));
    store_fixture_close(f);
    assert_int_equal(store_fixture_open(f), 0);
    assert_true(store_is_new(f->store));
    meta_put(f, "clock", 1);
    store_fixture_close(f);
    assert_int_equal(store_fixture_open(f), 0);
    assert_false(store_is_new(f->store));
}

static void bytes_grow_with_rows(void **state)
{
    struct store_fixture *f = *state;
    uint64_t before;

    assert_int_equal(store_fixture_open(f), 0);
    before = store_bytes(f->store);
    assert_true(before > 0);
    for (uint32_t i = 0; i < 5000; i++) {
        struct key key = key_u32(i);

        batch_put(f->batch, TABLE_MEMBER, &key, &(struct member){.added_at = i});
    }
    assert_int_equal(store_fixture_commit(f), 0);
    assert_true(store_bytes(f->store) > before + 100000);
}

/* ---- the lock ---- */

static void a_second_daemon_is_refused_by_name(void **state)
{
    struct store_fixture *f = *state;
    char owner[32];

    assert_int_equal(store_fixture_open(f), 0);
    (void)snprintf(owner, sizeof(owner), "in use by process %ld", (long)getpid());
    assert_refused(f, OD_ELOCKED, owner);
    store_fixture_close(f);
    assert_int_equal(store_fixture_open(f), 0);
}

static int open_and_die(void *context)
{
    struct store_fixture *f = context;
    struct store *store;

    if (store_open(&f->options, &store, &f->error) != 0) {
        return 1;
    }
    abort();
}

static void the_lock_of_a_dead_daemon_is_gone(void **state)
{
    struct store_fixture *f = *state;

    assert_int_equal(child_wait(child_start(open_and_die, f)), -SIGABRT);
    assert_int_equal(store_fixture_open(f), 0);
}

/* ---- read only ---- */

static int read_beside(void *context)
{
    struct store_fixture *f = context;
    struct key key = text_key("clock");
    struct reader *reader;
    struct store *store;
    struct meta meta;
    bool is_read;

    f->options.is_read_only = true;
    if (store_open(&f->options, &store, &f->error) != 0 ||
        reader_open(store, &reader, &f->error) != 0 || reader_begin(reader, &f->error) != 0) {
        return 1;
    }
    is_read = reader_get(reader, TABLE_META, &key, &f->arena, &meta) == 0 && meta.number == 42;
    reader_end(reader);
    reader_close(reader);
    store_close(store);
    return is_read ? 0 : 2;
}

static void tools_read_beside_the_daemon(void **state)
{
    struct store_fixture *f = *state;

    assert_int_equal(store_fixture_open(f), 0);
    meta_put(f, "clock", 42);
    assert_int_equal(child_wait(child_start(read_beside, f)), 0);
    meta_put(f, "clock", 43); /* the daemon goes on */
}

static void tools_do_not_make_a_store(void **state)
{
    struct store_fixture *f = *state;
    char path[128];

    f->options.is_read_only = true;
    assert_refused(f, OD_ENOTFOUND, "there is no store");
    path_of(f, "lock.mdb", path);
    assert_int_equal(access(path, F_OK), -1);
    path_of(f, "lock", path);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(rmdir(f->directory), 0);
    assert_refused(f, OD_ENOTFOUND, "there is no store");
}

/* ---- versions ---- */

static void a_newer_table_is_refused_by_name(void **state)
{
    struct store_fixture *f = *state;

    assert_int_equal(store_fixture_open(f), 0);
    meta_put(f, "schema.contacts", record_version(TABLE_CONTACT) + 6);
    store_fixture_close(f);
    assert_refused(f, OD_EVERSION,
                   "table contacts has schema version 7, this program knows up to 1");
    f->options.is_read_only = true;
    assert_refused(f, OD_EVERSION, "table contacts");
}

static void an_unknown_table_is_refused_by_name(void **state)
{
    struct store_fixture *f = *state;

    assert_int_equal(store_fixture_open(f), 0);
    meta_put(f, "schema.holograms", 1);
    store_fixture_close(f);
    assert_refused(f, OD_EVERSION, "table holograms is unknown");
}

static void an_older_store_is_migrated_by_the_daemon_alone(void **state)
{
    struct store_fixture *f = *state;
    struct key key = text_key("schema.flows");
    struct meta meta;

    assert_int_equal(store_fixture_open(f), 0);
    batch_delete(f->batch, TABLE_META, &key);
    assert_int_equal(store_fixture_commit(f), 0);
    store_fixture_close(f);
    f->options.is_read_only = true;
    assert_refused(f, OD_EVERSION, "start outdiald once");
    f->options.is_read_only = false;
    assert_int_equal(store_fixture_open(f), 0);
    assert_int_equal(meta_get(f, "schema.flows", &meta), 0);
    assert_int_equal(meta.number, record_version(TABLE_FLOW));
}

static void a_missing_table_is_made_by_the_daemon_alone(void **state)
{
    struct store_fixture *f = *state;
    MDB_txn *txn;

    assert_int_equal(store_fixture_open(f), 0);
    assert_int_equal(mdb_txn_begin(store_env(f->store), NULL, 0, &txn), 0);
    assert_int_equal(mdb_drop(txn, store_dbi(f->store, TABLE_JOB), 1), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    store_fixture_close(f);
    f->options.is_read_only = true;
    assert_refused(f, OD_EVERSION, "a table is missing");
    f->options.is_read_only = false;
    assert_int_equal(store_fixture_open(f), 0);
}

static void a_damaged_version_is_refused(void **state)
{
    struct store_fixture *f = *state;
    struct key key = text_key("schema.flows");
    MDB_val name = store_key(&key), value = {4, (char[]){1, 2, 3, 4}};
    MDB_txn *txn;

    assert_int_equal(store_fixture_open(f), 0);
    assert_int_equal(mdb_txn_begin(store_env(f->store), NULL, 0, &txn), 0);
    assert_int_equal(mdb_put(txn, store_dbi(f->store, TABLE_META), &name, &value, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    store_fixture_close(f);
    assert_refused(f, OD_ECORRUPT, "of meta: row schema.flows has a wrong checksum");
}

/* ---- damaged files ---- */

static void fill_and_close(struct store_fixture *f)
{
    assert_int_equal(store_fixture_open(f), 0);
    for (uint32_t i = 0; i < 5000; i++) {
        struct key key = key_u32(i);

        batch_put(f->batch, TABLE_MEMBER, &key, &(struct member){.added_at = i});
    }
    assert_int_equal(store_fixture_commit(f), 0);
    store_fixture_close(f);
}

static void a_file_that_was_cut_off_is_refused(void **state)
{
    struct store_fixture *f = *state;
    struct stat status;
    char path[128];

    fill_and_close(f);
    path_of(f, "data.mdb", path);
    assert_int_equal(stat(path, &status), 0);
    for (off_t pages = status.st_size / 4096 - 1; pages >= 2; pages = pages * 3 / 4) {
        assert_int_equal(truncate(path, pages * 4096 + pages % 3), 0);
        assert_refused(f, OD_ECORRUPT, "cut off");
    }
    assert_int_equal(truncate(path, 4096), 0);
    assert_refused(f, OD_ECORRUPT, "");
    assert_int_equal(truncate(path, 100), 0);
    assert_refused(f, OD_ECORRUPT, "");
    assert_int_equal(truncate(path, 0), 0);
    assert_refused(f, OD_ECORRUPT, "is empty");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(store_fixture_open(f), 0);
}

/* A daemon that died while it made its first store may start again. */
static void an_empty_file_of_an_unfinished_first_opening_is_used(void **state)
{
    struct store_fixture *f = *state;
    char path[128];
    int fd;

    path_of(f, "data.mdb", path);
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(store_fixture_open(f), 0);
}

static void a_file_of_something_else_is_refused(void **state)
{
    struct store_fixture *f = *state;
    char path[128];
    FILE *file;

    path_of(f, "data.mdb", path);
    file = fopen(path, "w");
    assert_non_null(file);
    for (unsigned i = 0; i < 2000; i++) {
        assert_true(fputs("not a store\n", file) >= 0);
    }
    assert_int_equal(fclose(file), 0);
    assert_refused(f, OD_ECORRUPT, "data.mdb");
}

/* LMDB leaves pages unwritten that a transaction took and gave back; when they are its last ones
 * the file is shorter than its meta page says, and healthy. */
static void a_file_that_misses_free_pages_only_is_opened(void **state)
{
    struct store_fixture *f = *state;
    struct stat status;
    char path[128];
    bool is_short = false;

    path_of(f, "data.mdb", path);
    assert_int_equal(store_fixture_open(f), 0);
    for (uint32_t rows = 100; !is_short && rows < 5000; rows += 100) {
        MDB_val name = {sizeof(rows), &rows}, value = {300, path};
        char text[300] = "";
        MDB_txn *txn;

        value.mv_data = text;
        assert_int_equal(mdb_txn_begin(store_env(f->store), NULL, 0, &txn), 0);
        for (uint32_t i = 0; i < 2 * rows; i++) {
            uint32_t number = i % rows;

            name.mv_data = &number;
            assert_int_equal(i < rows
                                 ? mdb_put(txn, store_dbi(f->store, TABLE_JOB), &name, &value, 0)
                                 : mdb_del(txn, store_dbi(f->store, TABLE_JOB), &name, NULL),
                             0);
        }
        assert_int_equal(mdb_txn_commit(txn), 0);
        assert_int_equal(stat(path, &status), 0);
        is_short = (uint64_t)status.st_size < store_bytes(f->store);
    }
    assert_true(is_short);
    store_fixture_close(f);
    assert_int_equal(store_fixture_open(f), 0);
}

static void a_folder_that_cannot_be_made_is_named(void **state)
{
    struct store_fixture *f = *state;
    char path[128];

    path_of(f, "a/b", path);
    f->options.directory = path;
    assert_refused(f, OD_EIO, "cannot be made");
}

static void a_map_that_does_not_fit_is_named(void **state)
{
    struct store_fixture *f = *state;

    f->options.map_size_bytes = UINT64_C(1) << 60;
    assert_refused(f, OD_ENOMEM, "map size");
}

/* ---- errors ---- */

static void errors_have_their_meaning(void **state)
{
    static const struct {
        int from, to;
    } cases[] = {
        {MDB_MAP_FULL, OD_EFULL},
        {ENOSPC, OD_EFULL},
        {EDQUOT, OD_EFULL},
        {EFBIG, OD_EFULL},
        {EIO, OD_EIO},
        {MDB_TXN_FULL, OD_EIO},
        {MDB_PANIC, OD_EPANIC},
        {MDB_MAP_RESIZED, OD_EPANIC},
        {MDB_CORRUPTED, OD_ECORRUPT},
        {MDB_PAGE_NOTFOUND, OD_ECORRUPT},
        {MDB_INVALID, OD_ECORRUPT},
        {MDB_VERSION_MISMATCH, OD_EVERSION},
        {ENOMEM, OD_ENOMEM},
        {MDB_READERS_FULL, OD_EIO},
        {EACCES, OD_EIO},
    };
    struct store_fixture *f = *state;

    assert_int_equal(store_fixture_open(f), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(store_error(f->store, cases[i].from, "test", &f->error), cases[i].to);
        assert_int_equal(strncmp(f->error.text, "test: ", 6), 0);
    }
}

#define CASE(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, store_fixture_prepare, store_fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(the_first_opening_makes_folder_files_and_rows),
    CASE(each_commit_is_synced),
    CASE(the_id_of_a_store_stays),
    CASE(a_store_is_new_until_something_is_stored),
    CASE(bytes_grow_with_rows),
    CASE(a_second_daemon_is_refused_by_name),
    CASE(the_lock_of_a_dead_daemon_is_gone),
    CASE(tools_read_beside_the_daemon),
    CASE(tools_do_not_make_a_store),
    CASE(a_newer_table_is_refused_by_name),
    CASE(an_unknown_table_is_refused_by_name),
    CASE(an_older_store_is_migrated_by_the_daemon_alone),
    CASE(a_missing_table_is_made_by_the_daemon_alone),
    CASE(a_damaged_version_is_refused),
    CASE(a_file_that_was_cut_off_is_refused),
    CASE(an_empty_file_of_an_unfinished_first_opening_is_used),
    CASE(a_file_of_something_else_is_refused),
    CASE(a_file_that_misses_free_pages_only_is_opened),
    CASE(a_folder_that_cannot_be_made_is_named),
    CASE(a_map_that_does_not_fit_is_named),
    CASE(errors_have_their_meaning),
};
OD_TEST_MAIN(tests)
