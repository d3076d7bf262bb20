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

bool store_has_disk_room(const struct store *store)
{
    struct statvfs system;

    return statvfs(store_directory(store), &system) != 0 ||
           (uint64_t)system.f_bavail * system.f_frsize >= STORE_BATCH_ROOM;
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
