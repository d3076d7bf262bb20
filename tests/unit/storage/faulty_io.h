/* Faults in LMDB's system calls: the test program's own pwrite and fdatasync come before libc's.
 * Include in one .c of a program.
 */
#ifndef OUTDIAL_TESTS_UNIT_STORAGE_FAULTY_IO_H
#define OUTDIAL_TESTS_UNIT_STORAGE_FAULTY_IO_H

#include <errno.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A write below this size is one of the meta page's fields; pages are written whole. */
enum { FAULTY_META_BYTES = 1024 };

static atomic_bool faulty_meta_write, faulty_sync;

ssize_t faulty_pwrite(int fd, const void *bytes, size_t size, off_t offset) __asm__("pwrite");
int faulty_fdatasync(int fd) __asm__("fdatasync");

ssize_t faulty_pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    if (atomic_load(&faulty_meta_write) && size < FAULTY_META_BYTES) {
        errno = EIO;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, bytes, size, offset);
}

int faulty_fdatasync(int fd)
{
    if (atomic_load(&faulty_sync)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

#endif
