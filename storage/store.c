/* Opening, in this order, each step undone if a later one fails:
 *
 *   1. the folder; our lock on DATA/lock, before LMDB touches its own files (LMDB's locks do not
 *      keep a second environment of the same process out, and closing that would drop ours)
 *   2. the file's two heads, before LMDB believes them (storage/page_meta.h)
 *   3. the environment; slots of readers that died are given back
 *   4. the file's length against its meta page (storage/store_file.c)
 *   5. the daemon's: a guard against faults (storage/guard.h), then every page and checksum
 *      (storage/verifier.h)
 *   6. tables, versions and migrations in one transaction (storage/store_schema.c)
 *   7. our process number into DATA/lock: also the sign that a store was once made here
 */
#include "storage/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "storage/guard.h"
#include "storage/page_meta.h"
#include "storage/store_lmdb.h"
#include "storage/verifier.h"

enum {
    STORE_READERS_MAX = 126,
    STORE_PATH_MAX = 4096,
};

#define STORE_MAP_SIZE_DEFAULT (UINT64_C(64) << 30)

struct store {
    char *directory;
    MDB_env *env;
    struct verifier *verifier; /* NULL: the walk has ended */
    int lock_fd;               /* -1: read only */
    bool is_read_only, is_new, was_made;
    MDB_dbi tables[TABLE_COUNT];
};

/* ---- the folder and its lock ---- */

/* The path of a file of the folder; false when it is too long. */
static bool path_make(const struct store *store, const char *name, char path[STORE_PATH_MAX])
{
    int length = snprintf(path, STORE_PATH_MAX, "%s/%s", store->directory, name);

    return length > 0 && length < STORE_PATH_MAX;
}

/* The process that is written in the lock file; 0: none is. */
static long lock_owner(int fd)
{
    char text[24] = "";
    ssize_t size = pread(fd, text, sizeof(text) - 1, 0);

    return size > 0 ? strtol(text, NULL, 10) : 0;
}

static int lock_take(struct store *store, struct od_error *error)
{
    char path[STORE_PATH_MAX];
    long owner;

    if (!path_make(store, "lock", path)) {
        return od_error_set(error, OD_EIO, "the path is too long");
    }
    store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (store->lock_fd < 0) {
        return od_error_set(error, OD_EIO, "lock: %s", strerrordesc_np(errno));
    }
    owner = lock_owner(store->lock_fd);
    store->was_made = owner != 0;
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) == 0) {
        return 0;
    }
    if (errno != EWOULDBLOCK) {
        return od_error_set(error, OD_EIO, "lock: %s", strerrordesc_np(errno));
    }
    if (owner == 0) {
        return od_error_set(error, OD_ELOCKED, "in use by another process");
    }
    return od_error_set(error, OD_ELOCKED, "in use by process %ld", owner);
}

static int lock_sign(const struct store *store, struct od_error *error)
{
    char text[24];
    int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

    if (ftruncate(store->lock_fd, 0) != 0 ||
        pwrite(store->lock_fd, text, (size_t)length, 0) != length) {
        return od_error_set(error, errno == ENOSPC ? OD_EFULL : OD_EIO, "lock: %s",
                            strerrordesc_np(errno));
    }
    return 0;
}

static int folder_prepare(struct store *store, struct od_error *error)
{
    char path[STORE_PATH_MAX];
    struct stat file;

    if (!path_make(store, "data.mdb", path)) {
        return od_error_set(error, OD_EIO, "the path is too long");
    }
    if (store->is_read_only) {
        if (stat(path, &file) != 0) {
            return od_error_set(error, errno == ENOENT ? OD_ENOTFOUND : OD_EIO,
                                "there is no store: data.mdb: %s", strerrordesc_np(errno));
        }
        return 0;
    }
    if (mkdir(store->directory, 0700) != 0 && errno != EEXIST) {
        return od_error_set(error, OD_EIO, "cannot be made: %s", strerrordesc_np(errno));
    }
    return lock_take(store, error);
}

/* LMDB would take an empty file for a new store, and so hide the loss of the old one. */
static int emptiness_check(const struct store *store, struct od_error *error)
{
    char path[STORE_PATH_MAX];
    struct stat file;

    if (path_make(store, "data.mdb", path) && stat(path, &file) == 0 && file.st_size == 0 &&
        (store->is_read_only || store->was_made)) {
        return od_error_set(error, OD_ECORRUPT,
                            "data.mdb is empty: restore a backup, or remove it to start anew");
    }
    return 0;
}

/* A file that is there must have the heads of a store. */
static int heads_check(const struct store *store, struct od_error *error)
{
    struct page_metas metas;
    char path[STORE_PATH_MAX];
    struct stat file;
    int fd, code = 0;

    if (!path_make(store, "data.mdb", path)) {
        return od_error_set(error, OD_EIO, "the path is too long");
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT
                   ? 0
                   : od_error_set(error, OD_EIO, "data.mdb: %s", strerrordesc_np(errno));
    }
    if (fstat(fd, &file) != 0) {
        code = od_error_set(error, OD_EIO, "size of data.mdb: %s", strerrordesc_np(errno));
    } else if (file.st_size > 0) {
        code = page_metas_read(fd, &metas, error);
    }
    close(fd);
    return code;
}

/* ---- the environment ---- */

static int env_configure(const struct store *store, const struct store_options *options)
{
    uint64_t map_size = options->map_size_bytes;
    int code;

    if (map_size == 0 && !store->is_read_only) {
        map_size = STORE_MAP_SIZE_DEFAULT;
    }
    code = mdb_env_set_maxdbs(store->env, TABLE_COUNT);
    if (code == 0) {
        code = mdb_env_set_maxreaders(store->env, STORE_READERS_MAX);
    }
    if (code == 0 && map_size != 0) {
        uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

        code = mdb_env_set_mapsize(store->env, (size_t)((map_size + page - 1) / page * page));
    }
    return code;
}

static int env_open(struct store *store, const struct store_options *options,
                    struct od_error *error)
{
    unsigned flags = MDB_NOTLS;
    int dead = 0;
    int code;

    flags |= store->is_read_only ? MDB_RDONLY : 0;
    flags |= options->is_volatile ? MDB_NOSYNC : 0;
    flags |= options->is_mapped ? MDB_WRITEMAP : 0;
    code = mdb_env_create(&store->env);
    if (code == 0) {
        code = env_configure(store, options);
    }
    if (code == 0) {
        code = mdb_env_open(store->env, store->directory, flags, 0600);
    }
    if (code == ENOMEM) {
        return od_error_set(error, OD_ENOMEM,
                            "the map's address space is refused: lower the map size, or lift "
                            "ulimit -v and vm.overcommit_memory=2");
    }
    if (code != 0) {
        return store_error(store, code, "open data.mdb", error);
    }
    code = mdb_reader_check(store->env, &dead);
    if (code != 0) {
        return store_error(store, code, "check readers", error);
    }
    return store_file_check(store->env, store->directory, error);
}

/* Pages and checksums, before a table is used. */
static int pages_check(struct store *store, const struct store_options *options,
                       struct od_error *error)
{
    const struct verifier_listener listener = {options->damage_context, options->on_page_damage};
    uint64_t damages = 0;
    int code = 0;

    if (options->on_page_damage != NULL) {
        code = verifier_walk(store->env, false, &listener, &damages, error);
        return code == 0 && damages > 0
                   ? od_error_set(error, OD_ECORRUPT, "%llu damages", (unsigned long long)damages)
                   : code;
    }
    if (options->on_damage != NULL) {
        code = guard_open(store->env, options->on_damage, options->damage_context);
    }
    if (code != 0) {
        return od_error_set(error, OD_EIO, "guard: %s", mdb_strerror(code));
    }
    return verifier_open(store->env, options->on_damage, options->damage_context, &store->verifier,
                         error);
}

static int tables_prepare(struct store *store, struct od_error *error)
{
    MDB_txn *txn;
    int code = mdb_txn_begin(store->env, NULL, store->is_read_only ? MDB_RDONLY : 0, &txn);
    int result;

    if (code != 0) {
        return store_error(store, code, "begin", error);
    }
    result = store_schema_open(txn, store->is_read_only, store->tables, &code, error);
    if (result == 0) {
        code = store_schema_is_new(txn, store->tables, &store->is_new);
    }
    if (result != 0 || code != 0) {
        mdb_txn_abort(txn);
        return code != 0 ? store_error(store, code, "open tables", error) : result;
    }
    code = mdb_txn_commit(txn); /* of a read transaction too, else its handles would be closed */
    return code != 0 ? store_error(store, code, "commit tables", error) : 0;
}

/* Makes the names of new files as durable as what they hold. */
static int folder_sync(const struct store *store, struct od_error *error)
{
    int fd = open(store->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = 0;

    if (fd < 0 || fsync(fd) != 0) {
        result = od_error_set(error, OD_EIO, "sync: %s", strerrordesc_np(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    return result;
}

static int store_start(struct store *store, const struct store_options *options,
                       struct od_error *error)
{
    int result = folder_prepare(store, error);

    if (result == 0) {
        result = emptiness_check(store, error);
    }
    if (result == 0) {
        result = heads_check(store, error);
    }
    if (result == 0) {
        result = env_open(store, options, error);
    }
    if (result == 0) {
        result = pages_check(store, options, error);
    }
    if (result == 0) {
        result = tables_prepare(store, error);
    }
    if (result == 0 && !store->is_read_only) {
        result = folder_sync(store, error);
    }
    if (result == 0 && !store->is_read_only) {
        result = lock_sign(store, error);
    }
    return result;
}

int store_open(const struct store_options *options, struct store **out, struct od_error *error)
{
    struct store *store = memory_zero(1, sizeof(*store));
    size_t size = strlen(options->directory) + 1;
    int result;

    store->directory = memory_zero(size, 1);
    memcpy(store->directory, options->directory, size);
    store->is_read_only = options->is_read_only;
    store->lock_fd = -1;
    result = store_start(store, options, error);
    if (result != 0) {
        od_error_prefix(error, "store %s", options->directory);
        store_close(store);
        return result;
    }
    *out = store;
    return 0;
}

void store_close(struct store *store)
{
    if (store == NULL) {
        return;
    }
    verifier_close(store->verifier);
    if (store->env != NULL) {
        guard_close(store->env);
        mdb_env_close(store->env);
    }
    if (store->lock_fd >= 0) {
        close(store->lock_fd);
    }
    memory_free(store->directory);
    memory_free(store);
}

/* ---- what others ask ---- */

const char *store_directory(const struct store *store)
{
    return store->directory;
}

bool store_is_new(const struct store *store)
{
    return store->is_new;
}

uint64_t store_bytes(const struct store *store)
{
    MDB_envinfo info;
    MDB_stat page;

    if (mdb_env_info(store->env, &info) != 0 || mdb_env_stat(store->env, &page) != 0) {
        return 0;
    }
    return (uint64_t)(info.me_last_pgno + 1) * page.ms_psize;
}

MDB_env *store_env(const struct store *store)
{
    return store->env;
}

MDB_dbi store_dbi(const struct store *store, enum table table)
{
    return store->tables[table];
}

void store_clear_dead_readers(struct store *store)
{
    int dead = 0;

    (void)mdb_reader_check(store->env, &dead);
}
