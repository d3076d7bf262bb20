/* What a failure of LMDB or of the system means for the daemon.
 *
 * A full disk shows as ENOSPC, as EFBIG under a limit of the file's size, and mostly as EIO, since
 * LMDB takes a short write for one. So EIO is looked at twice: with little room left it is a full
 * disk, which passes; with room it is a dying disk, which does not.
 */
#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/check.h"
#include "storage/store_lmdb.h"

/* Below this a file system counts as full: a batch is at most 16 MiB, and LMDB copies the pages
 * that it changes. */
#define STORE_ROOM_MIN (UINT64_C(64) << 20)

/* What the largest batch may take. */
#define STORE_BATCH_ROOM (UINT64_C(16) << 20)

/* The bytes that may still be written, as far as the system tells. */
static uint64_t room_left(const struct store *store)
{
    struct statvfs system;
    struct rlimit limit;
    struct stat file;
    uint64_t room = UINT64_MAX;
    int fd;

    if (statvfs(store_directory(store), &system) == 0) {
        room = (uint64_t)system.f_bavail * system.f_frsize;
    }
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        mdb_env_get_fd(store_env(store), &fd) == 0 && fstat(fd, &file) == 0) {
        uint64_t size = (uint64_t)file.st_size;
        uint64_t left = limit.rlim_cur > size ? limit.rlim_cur - size : 0;

        room = left < room ? left : room;
    }
    return room;
}

/* Pages that transactions gave back, as far as `enough`. */
static uint64_t free_pages(const struct store *store, uint64_t enough)
{
    MDB_cursor *cursor = NULL;
    MDB_txn *txn;
    MDB_val key, value;
    uint64_t pages = 0;
    size_t count;

    if (mdb_txn_begin(store_env(store), NULL, MDB_RDONLY, &txn) != 0) {
        return 0;
    }
    if (mdb_cursor_open(txn, 0, &cursor) == 0) { /* database 0 is the free list */
        while (pages < enough && mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
            memcpy(&count, value.mv_data, sizeof(count)); /* the first number of a row */
            pages += count;
        }
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    return pages;
}

/* Of a small map an eighth has to do. */
static bool has_map_room(const struct store *store)
{
    MDB_envinfo info;
    MDB_stat page;
    uint64_t room, unused, wanted;

    if (mdb_env_info(store_env(store), &info) != 0 || mdb_env_stat(store_env(store), &page) != 0) {
        return true;
    }
    room = info.me_mapsize / 8 < STORE_BATCH_ROOM ? info.me_mapsize / 8 : STORE_BATCH_ROOM;
    wanted = room / page.ms_psize;
    unused = info.me_mapsize / page.ms_psize - (info.me_last_pgno + 1);
    return unused >= wanted || unused + free_pages(store, wanted) >= wanted;
}

bool store_has_room(const struct store *store)
{
    struct statvfs system;

    if (statvfs(store_directory(store), &system) == 0 &&
        (uint64_t)system.f_bavail * system.f_frsize < STORE_BATCH_ROOM) {
        return false;
    }
    return has_map_room(store);
}

static bool is_full(const struct store *store, int code)
{
    switch (code) {
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return true;
    case EIO:
    case MDB_TXN_FULL: return room_left(store) < STORE_ROOM_MIN;
    default: return false;
    }
}

int store_error(const struct store *store, int code, const char *what, struct od_error *error)
{
    int result = OD_EIO;

    /* A key or value that LMDB cannot hold, or a handle that it does not know, was made here. */
    OD_CHECK(code != MDB_BAD_VALSIZE);
    OD_CHECK(code != MDB_BAD_DBI);
    OD_CHECK(code != MDB_KEYEXIST);
    if (is_full(store, code)) {
        return od_error_set(error, OD_EFULL, "%s: the %s is full (%s)", what,
                            code == MDB_MAP_FULL ? "map" : "disk", mdb_strerror(code));
    }
    switch (code) {
    case MDB_PANIC:
    case MDB_MAP_RESIZED: result = OD_EPANIC; break;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_INCOMPATIBLE:
    case MDB_CURSOR_FULL: result = OD_ECORRUPT; break;
    case MDB_VERSION_MISMATCH: result = OD_EVERSION; break;
    case ENOMEM: result = OD_ENOMEM; break;
    default: break;
    }
    return od_error_set(error, result, "%s: %s", what, mdb_strerror(code));
}
