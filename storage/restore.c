#include "storage/restore.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/id.h"
#include "base/instant.h"
#include "storage/store_lmdb.h"

enum { META_ARENA_BYTES = 1024 };

/* Room in the map for the pages that one row rewrites, and more than those. */
#define MAP_SPARE ((size_t)16 << 20)

/* ---- the copy ---- */

static int mark_put(MDB_env *env, int64_t made_at)
{
    const struct meta mark = {.number = (uint64_t)made_at};
    struct key key = key_text(SLICE(META_BACKUP));
    MDB_txn *txn;
    MDB_dbi meta;
    int code = mdb_txn_begin(env, NULL, 0, &txn);

    if (code != 0) {
        return code;
    }
    code = mdb_dbi_open(txn, "meta", 0, &meta);
    if (code == 0) {
        code = store_meta_put(txn, meta, &key, &mark);
    }
    if (code != 0) {
        mdb_txn_abort(txn);
        return code;
    }
    return mdb_txn_commit(txn);
}

/* The copy is nobody's yet: no lock file, which would be left beside it. */
static int copy_open(const char *path, MDB_env **env)
{
    struct stat status;
    int code;

    if (stat(path, &status) != 0) {
        return errno;
    }
    code = mdb_env_create(env);
    if (code != 0) {
        return code;
    }
    code = mdb_env_set_maxdbs(*env, 1);
    if (code == 0) {
        size_t room = ((size_t)status.st_size / MAP_SPARE + 2) * MAP_SPARE;

        code = mdb_env_set_mapsize(*env, room);
    }
    if (code == 0) {
        code = mdb_env_open(*env, path, MDB_NOSUBDIR | MDB_NOLOCK, 0600);
    }
    if (code != 0) {
        mdb_env_close(*env);
    }
    return code;
}

int restore_mark(const char *path, int64_t made_at)
{
    MDB_env *env = NULL;
    int code = copy_open(path, &env);

    if (code == 0) {
        code = mark_put(env, made_at);
        mdb_env_close(env);
    }
    return code;
}

/* ---- the first opening ---- */

/* Random, so that a backup that is restored twice begins two eras; another than the last one, and
 * one that changes the tags of calls. */
static int era_draw(uint64_t last, uint32_t *out)
{
    const struct uuid none = UUID_NIL;

    do {
        if (getrandom(out, sizeof(*out), 0) != (ssize_t)sizeof(*out)) {
            return EIO;
        }
    } while (*out == last || call_tag_of_era(&none, *out) == 0);
    return 0;
}

static int era_put(MDB_txn *txn, MDB_dbi meta, uint64_t last, uint64_t made_at)
{
    struct key key = key_text(SLICE(META_RESTORE));
    char text[INSTANT_TEXT_SIZE];
    struct meta restore = {.number = 0};
    uint32_t era;
    int code = era_draw(last, &era);

    instant_print((int64_t)made_at, text);
    restore.number = era;
    restore.text = slice_from(text);
    return code != 0 ? code : store_meta_put(txn, meta, &key, &restore);
}

int restore_begin(MDB_txn *txn, MDB_dbi meta)
{
    struct key mark_key = key_text(SLICE(META_BACKUP));
    struct key restore_key = key_text(SLICE(META_RESTORE));
    MDB_val name = store_key(&mark_key);
    struct meta mark, last = {.number = 0};
    struct arena arena;
    int code;

    arena_init(&arena, META_ARENA_BYTES);
    code = store_meta_get(txn, meta, &mark_key, &arena, &mark);
    if (code == MDB_NOTFOUND) {
        arena_deinit(&arena);
        return 0;
    }
    if (code == 0) {
        code = store_meta_get(txn, meta, &restore_key, &arena, &last);
        code = code == MDB_NOTFOUND ? 0 : code;
    }
    if (code == 0) {
        code = era_put(txn, meta, last.number, mark.number);
    }
    arena_deinit(&arena);
    return code != 0 ? code : mdb_del(txn, meta, &name, NULL);
}
