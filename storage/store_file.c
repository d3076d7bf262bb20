/* Is the file as long as its meta page says? One that was cut off (an interrupted copy, a repaired
 * file system) is mapped all the same, and ends the process at the first page that is not there.
 *
 * A healthy file may be short too: LMDB does not write pages that a transaction both took and gave
 * back, and they may be its last ones. Such pages are on the free list, so
 *
 *   1. long enough: good, without looking further
 *   2. else walk the free list, in a child, since its own pages may be among the missing
 *   3. every missing page is free: good; anything else: cut off
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "storage/child.h"
#include "storage/store_lmdb.h"

struct store_tail {
    const char *directory;
    size_t first, count; /* the missing pages */
};

/* Marks the missing pages that an item of the free list names: a count, then page numbers. */
static size_t tail_mark(const struct store_tail *tail, const MDB_val *item, bool *is_free)
{
    const size_t *pages = item->mv_data;
    size_t marked = 0;

    for (size_t i = 1; i <= pages[0] && (i + 1) * sizeof(*pages) <= item->mv_size; i++) {
        size_t at = pages[i] - tail->first; /* wraps for pages below, which are not missing */

        if (at < tail->count && !is_free[at]) {
            is_free[at] = true;
            marked++;
        }
    }
    return marked;
}

static int tail_walk(const struct store_tail *tail, MDB_txn *txn)
{
    bool *is_free = memory_zero(tail->count, sizeof(*is_free));
    MDB_cursor *cursor = NULL;
    MDB_val key, item;
    size_t marked = 0;
    int code = mdb_cursor_open(txn, 0, &cursor); /* database 0 is the free list */

    while (code == 0) {
        code = mdb_cursor_get(cursor, &key, &item, MDB_NEXT);
        if (code == 0) {
            marked += tail_mark(tail, &item, is_free);
        }
    }
    if (cursor != NULL) {
        mdb_cursor_close(cursor);
    }
    memory_free(is_free);
    return code == MDB_NOTFOUND && marked == tail->count ? 0 : 1;
}

static int tail_check(void *context)
{
    const struct store_tail *tail = context;
    MDB_env *env = NULL;
    MDB_txn *txn = NULL;
    int result = 1;

    if (mdb_env_create(&env) == 0 &&
        mdb_env_open(env, tail->directory, MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS, 0) == 0 &&
        mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0) {
        result = tail_walk(tail, txn);
    }
    return result; /* the process ends here, and all of it with it */
}

int store_file_check(MDB_env *env, const char *directory, struct od_error *error)
{
    struct store_tail tail = {.directory = directory};
    struct stat file;
    MDB_envinfo info;
    MDB_stat page;
    size_t pages;
    pid_t child;
    int fd, code;

    code = mdb_env_info(env, &info);
    if (code == 0) {
        code = mdb_env_stat(env, &page);
    }
    if (code == 0) {
        code = mdb_env_get_fd(env, &fd);
    }
    if (code != 0) {
        return od_error_set(error, OD_EIO, "%s", mdb_strerror(code));
    }
    if (fstat(fd, &file) != 0) {
        return od_error_set(error, OD_EIO, "size of data.mdb: %s", strerrordesc_np(errno));
    }
    pages = info.me_last_pgno + 1;
    tail.first = (size_t)file.st_size / page.ms_psize;
    if (tail.first >= pages) {
        return 0;
    }
    tail.count = pages - tail.first;
    child = child_start(tail_check, &tail);
    if (child < 0) {
        return od_error_set(error, OD_EIO, "fork: %s", strerrordesc_np(-child));
    }
    if (child_wait(child) == 0) {
        return 0;
    }
    return od_error_set(error, OD_ECORRUPT,
                        "data.mdb was cut off: it has %zu pages of %u bytes, and its records say "
                        "%zu; restore a backup",
                        tail.first, page.ms_psize, pages);
}
