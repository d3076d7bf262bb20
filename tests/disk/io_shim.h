/* What the preloaded library and the programs around it share. All numbers are the machine's own.
 */
#ifndef OUTDIAL_TESTS_DISK_IO_SHIM_H
#define OUTDIAL_TESTS_DISK_IO_SHIM_H

#include <stdint.h>

/* Kinds of records. */
#define SHIM_RECORD_WRITE       'W' /* to data.mdb; durable with the next sync */
#define SHIM_RECORD_HEAD        'H' /* the same by the descriptor that syncs each write */
#define SHIM_RECORD_SYNCED      'S' /* what was written before has reached the disk */
#define SHIM_RECORD_HEAD_SYNCED 'D' /* the last head has */
#define SHIM_RESPONSE           'R' /* an HTTP response is about to leave: its first bytes */

/* In the trace, before `size` bytes. */
struct shim_record {
    uint32_t kind, size;
    uint64_t offset;
};

enum shim_failure { SHIM_WORKS, SHIM_EIO, SHIM_ENOSPC, SHIM_SHORT };

enum shim_call { SHIM_NO_CALL, SHIM_WRITE, SHIM_HEAD, SHIM_SYNC };

/* tests/disk/shim.py has the same. */
struct shim_control {
    uint64_t at;          /* the call that fails, counted from 1; 0: none */
    uint64_t failure;     /* enum shim_failure */
    uint64_t is_for_good; /* all after it too */
    uint64_t calls;       /* written by the library */
    uint64_t failed_call; /* enum shim_call: the first that failed; written by the library */
};

#endif
