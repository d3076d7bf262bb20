/* 1. decide the copy's path; refuse one that exists
 * 2. open the store read only, and a file under a temporary name beside the path, mode 0600
 * 3. LMDB copies one committed state into it, leaving free pages out
 * 4. the copy gets a row that says what it is (storage/restore.h)
 * 5. sync the file, give it its name unless the name exists by now, sync the folder
 *
 * Whatever fails, the temporary file goes.
 *
 * LMDB refuses to leave free pages out when it cannot account for every page (one that was lost by
 * an older transaction does no harm): then the file is copied as it is.
 */
#include "storage/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/restore.h"
#include "storage/store_lmdb.h"

struct copy {
    char part[BACKUP_PATH_MAX + 32]; /* the temporary name */
    int fd;
};

/* What a failed call on the copy means. */
static int copy_error(const char *path, int code, struct od_error *error)
{
    bool is_full = code == ENOSPC || code == EDQUOT || code == EFBIG;

    return od_error_set(error, is_full ? OD_EFULL : OD_EIO, "%s: %s", path, mdb_strerror(code));
}

/* ---- the path ---- */

static int path_decide(const char *target, char path[BACKUP_PATH_MAX], struct od_error *error)
{
    size_t size = strlen(target);
    bool ends_in_slash = size > 0 && target[size - 1] == '/';
    struct stat status;
    bool is_folder;
    int length;

    if (ends_in_slash && mkdir(target, 0700) != 0 && errno != EEXIST) {
        return copy_error(target, errno, error);
    }
    is_folder = stat(target, &status) == 0 && S_ISDIR(status.st_mode);
    length = snprintf(path, BACKUP_PATH_MAX, "%s%s%s", target,
                      is_folder && !ends_in_slash ? "/" : "", is_folder ? "data.mdb" : "");
    if (length <= 0 || length >= BACKUP_PATH_MAX) {
        return od_error_set(error, OD_EINVAL, "the target's path is empty or too long");
    }
    if (lstat(path, &status) == 0) {
        return od_error_set(error, OD_EINVAL, "%s exists, and nothing is overwritten", path);
    }
    return 0;
}

/* The name is taken over only if nothing has it, where the file system can promise that. */
static int path_take(const char *part, const char *path)
{
    struct stat status;

    if (renameat2(AT_FDCWD, part, AT_FDCWD, path, RENAME_NOREPLACE) == 0) {
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return errno;
    }
    if (lstat(path, &status) == 0) {
        return EEXIST;
    }
    return rename(part, path) == 0 ? 0 : errno;
}

static int folder_sync(const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[BACKUP_PATH_MAX];
    int fd, code;

    (void)snprintf(folder, sizeof(folder), "%.*s", slash != NULL ? (int)(slash - path) : 1,
                   slash != NULL ? path : ".");
    fd = open(slash == path ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    code = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    return code;
}

/* ---- the copy ---- */

static int copy_write(const struct store *store, struct copy *copy, bool *is_compact)
{
    int code = mdb_env_copyfd2(store_env(store), copy->fd, MDB_CP_COMPACT);

    *is_compact = code == 0;
    if (code != MDB_INCOMPATIBLE) {
        return code;
    }
    if (ftruncate(copy->fd, 0) != 0 || lseek(copy->fd, 0, SEEK_SET) != 0) {
        return errno;
    }
    return mdb_env_copyfd2(store_env(store), copy->fd, 0);
}

/* Writes the file under its temporary name, and then gives it its own. */
static int copy_make(const struct store *store, struct copy *copy, int64_t made_at,
                     struct backup *out)
{
    struct stat status;
    int code = copy_write(store, copy, &out->is_compact);

    if (code == 0) {
        code = restore_mark(copy->part, made_at);
    }
    if (code != 0) {
        return code;
    }
    if (fsync(copy->fd) != 0 || fstat(copy->fd, &status) != 0) {
        return errno;
    }
    out->bytes = (uint64_t)status.st_size;
    code = path_take(copy->part, out->path);
    return code != 0 ? code : folder_sync(out->path);
}

static int copy_run(const struct store *store, int64_t made_at, struct backup *out,
                    struct od_error *error)
{
    struct copy copy;
    int code;

    (void)snprintf(copy.part, sizeof(copy.part), "%s.part-%ld", out->path, (long)getpid());
    copy.fd = open(copy.part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (copy.fd < 0) {
        return copy_error(copy.part, errno, error);
    }
    code = copy_make(store, &copy, made_at, out);
    close(copy.fd);
    if (code != 0) {
        (void)unlink(copy.part);
        return code == MDB_CORRUPTED || code == MDB_PAGE_NOTFOUND
                   ? store_error(store, code, "copy", error)
                   : copy_error(out->path, code, error);
    }
    return 0;
}

int backup_run(const char *directory, const char *target, int64_t made_at, struct backup *out,
               struct od_error *error)
{
    struct store_options options = {.directory = directory, .is_read_only = true};
    struct store *store;
    int result;

    *out = (struct backup){.bytes = 0};
    result = path_decide(target, out->path, error);
    if (result == 0) {
        result = store_open(&options, &store, error);
    }
    if (result == 0) {
        result = copy_run(store, made_at, out, error);
        store_close(store);
    }
    if (result != 0) {
        od_error_prefix(error, "backup");
    }
    return result;
}
