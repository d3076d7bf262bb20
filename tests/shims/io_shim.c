/* A library to preload into outdiald, between it and the kernel: it watches data.mdb, records what
 * reaches it, or lets one of its system calls fail.
 *
 *   OUTDIAL_SHIM_TRACE=FILE     records, one after the other, struct shim_record and its bytes:
 *                               each write before it is done, each sync when it has been done, and
 *                               each HTTP response before it leaves
 *   OUTDIAL_SHIM_NO_SYNC=1      syncs are not recorded, as if the disk had lied (the test's own
 * test) OUTDIAL_SHIM_CONTROL=FILE   a struct shim_control, mapped: call number `at` from now on
 * fails
 *
 * Calls within the library go to the kernel directly.
 */
#include "../disk/io_shim.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    FDS_MAX = 4096,
    RESPONSE_MAX = 1024,
};

static unsigned char watched[FDS_MAX]; /* by descriptor: a struct shim_watch */

enum { WATCH_NONE, WATCH_DATA, WATCH_SYNCED /* opened with O_DSYNC */ };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int trace = -1;
static bool records_syncs = true;
static struct shim_control *control;

/* ---- what is asked for ---- */

static void __attribute__((constructor)) shim_start(void)
{
    const char *path = getenv("OUTDIAL_SHIM_TRACE");

    if (path != NULL) {
        trace = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
                             0600);
    }
    records_syncs = getenv("OUTDIAL_SHIM_NO_SYNC") == NULL;
    path = getenv("OUTDIAL_SHIM_CONTROL");
    if (path != NULL) {
        int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
        void *mapped = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

        control = mapped == MAP_FAILED ? NULL : mapped;
        (void)syscall(SYS_close, fd);
    }
}

static int watch_of(int fd)
{
    return fd >= 0 && fd < FDS_MAX ? watched[fd] : WATCH_NONE;
}

static void watch(int fd, const char *path, int flags)
{
    size_t size = strlen(path);
    bool is_data = size >= 8 && strcmp(path + size - 8, "data.mdb") == 0;

    if (fd >= 0 && fd < FDS_MAX) {
        watched[fd] = !is_data ? WATCH_NONE : (flags & O_DSYNC) != 0 ? WATCH_SYNCED : WATCH_DATA;
    }
}

/* ---- the record ---- */

static void record(char kind, off_t offset, const struct iovec *parts, int count, size_t size)
{
    struct shim_record head = {.kind = (uint32_t)(unsigned char)kind, .offset = (uint64_t)offset};
    size_t left = size;

    if (trace < 0) {
        return;
    }
    head.size = (uint32_t)size;
    pthread_mutex_lock(&mutex);
    (void)syscall(SYS_write, trace, &head, sizeof(head));
    for (int i = 0; i < count && left > 0; i++) {
        size_t part = parts[i].iov_len < left ? parts[i].iov_len : left;

        (void)syscall(SYS_write, trace, parts[i].iov_base, part);
        left -= part;
    }
    pthread_mutex_unlock(&mutex);
}

static void record_sync(char kind)
{
    if (records_syncs) {
        record(kind, 0, NULL, 0, 0);
    }
}

static size_t size_of(const struct iovec *parts, int count)
{
    size_t size = 0;

    for (int i = 0; i < count; i++) {
        size += parts[i].iov_len;
    }
    return size;
}

static void record_response(const struct iovec *parts, int count)
{
    size_t size = size_of(parts, count);

    if (count > 0 && parts[0].iov_len > 9 && memcmp(parts[0].iov_base, "HTTP/1.1 ", 9) == 0) {
        record(SHIM_RESPONSE, 0, parts, count, size < RESPONSE_MAX ? size : RESPONSE_MAX);
    }
}

/* ---- failing ---- */

/* Counts a call on data.mdb; returns how it is to fail. */
static enum shim_failure failure_now(enum shim_call call)
{
    enum shim_failure failure = SHIM_WORKS;

    if (control == NULL) {
        return SHIM_WORKS;
    }
    pthread_mutex_lock(&mutex);
    control->calls++;
    if (control->at != 0 && (control->calls == control->at ||
                             (control->is_for_good != 0 && control->calls > control->at))) {
        failure = (enum shim_failure)control->failure;
        if (control->failed_call == 0) {
            control->failed_call = (uint64_t)call;
        }
    }
    pthread_mutex_unlock(&mutex);
    return failure;
}

static bool fails(enum shim_failure failure)
{
    if (failure == SHIM_EIO || failure == SHIM_ENOSPC) {
        errno = failure == SHIM_EIO ? EIO : ENOSPC;
        return true;
    }
    return false;
}

/* ---- the calls ---- */

static int open_at(int folder, const char *path, int flags, unsigned mode)
{
    int fd = (int)syscall(SYS_openat, folder, path, flags, mode);

    watch(fd, path, flags);
    return fd;
}

static unsigned mode_of(int flags, va_list arguments)
{
    return (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(arguments, unsigned) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    unsigned mode;

    va_start(arguments, flags);
    mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list arguments;
    unsigned mode;

    va_start(arguments, flags);
    mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_at(AT_FDCWD, path, flags, mode);
}

int close(int fd)
{
    if (fd >= 0 && fd < FDS_MAX) {
        watched[fd] = WATCH_NONE;
    }
    return (int)syscall(SYS_close, fd);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    /* The parts of a call are not written to; the type is that of reads too. */
    struct iovec part = {.iov_len = size};
    enum shim_failure failure;
    ssize_t done;
    int kind = watch_of(fd);

    if (kind == WATCH_NONE) {
        return syscall(SYS_pwrite64, fd, bytes, size, offset);
    }
    memcpy(&part.iov_base, &bytes, sizeof(bytes));
    failure = failure_now(kind == WATCH_SYNCED ? SHIM_HEAD : SHIM_WRITE);
    if (fails(failure)) {
        return -1;
    }
    size = failure == SHIM_SHORT ? size / 2 : size;
    record(kind == WATCH_SYNCED ? SHIM_RECORD_HEAD : SHIM_RECORD_WRITE, offset, &part, 1, size);
    done = syscall(SYS_pwrite64, fd, bytes, size, offset);
    if (done >= 0 && kind == WATCH_SYNCED) {
        record_sync(SHIM_RECORD_HEAD_SYNCED);
    }
    return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t offset)
{
    return pwrite(fd, bytes, size, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    enum shim_failure failure;
    off_t offset;
    size_t size;

    if (watch_of(fd) == WATCH_NONE) {
        record_response(parts, count);
        return syscall(SYS_writev, fd, parts, count);
    }
    failure = failure_now(SHIM_WRITE);
    if (fails(failure)) {
        return -1;
    }
    offset = lseek(fd, 0, SEEK_CUR);
    size = size_of(parts, count);
    if (failure == SHIM_SHORT) { /* the first part, or half of it */
        size = count > 1 ? parts[0].iov_len : size / 2;
        record(SHIM_RECORD_WRITE, offset, parts, 1, size);
        return syscall(SYS_write, fd, parts[0].iov_base, size);
    }
    record(SHIM_RECORD_WRITE, offset, parts, count, size);
    return syscall(SYS_writev, fd, parts, count);
}

static int sync_by(long number, int fd)
{
    enum shim_failure failure;
    int done;

    if (watch_of(fd) == WATCH_NONE) {
        return (int)syscall(number, fd);
    }
    failure = failure_now(SHIM_SYNC);
    if (fails(failure == SHIM_SHORT ? SHIM_EIO : failure)) { /* there is no half of a sync */
        return -1;
    }
    done = (int)syscall(number, fd);
    if (done == 0) {
        record_sync(SHIM_RECORD_SYNCED);
    }
    return done;
}

int fdatasync(int fd)
{
    return sync_by(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    return sync_by(SYS_fsync, fd);
}
