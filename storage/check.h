/* `outdialctl check`: is every row of a store sound, and do the rows agree with each other?
 *
 * Sound: the key has its table's size, keys ascend, the value decodes under its checksum, and each
 * table has as many rows as its tree says. Agreed: the counters of each execution against its
 * contacts and calls, the due index against the contacts, the lists of executions against their
 * states, members against memberships and counts, and every index against what it points to.
 *
 * Works on a store at rest, and beside a running daemon: one read transaction sees one committed
 * state, in which all of this must hold. (While it lasts the daemon cannot reuse freed pages, so
 * the file may grow.)
 */
#ifndef OUTDIAL_STORAGE_CHECK_H
#define OUTDIAL_STORAGE_CHECK_H

#include <stdint.h>

#include "base/error.h"
#include "storage/store.h"

/* How many findings are told; all are counted. */
enum { CHECK_TOLD_MAX = 1000 };

struct check_listener {
    void *context;
    /* A finding, as "entries 3/17: is pending and has no due row". */
    void (*on_finding)(void *context, const char *text);
    /* Some thousand rows further on. NULL: nobody looks. */
    void (*on_progress)(void *context, uint64_t rows, uint64_t rows_in_all);
};

/* Checks the store in the folder. The work is done in a child process, since a damaged page ends
 * the process that reads it; such an end is a finding that says "page damaged". Returns 0 with the
 * number of findings, or, when the store cannot be opened at all, an error as of store_open. */
int check_run(const char *directory, const struct check_listener *listener, uint64_t *findings,
              struct od_error *error);

/* The same with a store that is open, in this process, which a damaged page ends; without progress.
 * For the simulation, which checks a small store many times. An error as of reader_begin. */
int check_store(struct store *store, const struct check_listener *listener, uint64_t *findings,
                struct od_error *error);

#endif
