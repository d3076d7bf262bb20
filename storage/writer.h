/* The writer: a thread that owns LMDB's write transactions and commits one batch at a time.
 *
 * The reactor hands over a batch when the writer is idle, fills the next one meanwhile, and is told
 * of the end by an eventfd. A batch either is on disk as a whole or not at all.
 */
#ifndef OUTDIAL_STORAGE_WRITER_H
#define OUTDIAL_STORAGE_WRITER_H

#include "storage/batch.h"
#include "storage/store.h"

struct writer;

struct writer_result {
    int code; /* 0: durable. OD_EFULL, OD_EIO, OD_EPANIC: nothing of the batch is on disk
                 (OD_EPANIC: unknown) */
    struct od_error error;
    int64_t commit_ns; /* how long the transaction took */
};

/* Starts the thread with all signals blocked but those of its own faults. *out is the caller's to
 * close. */
int writer_open(struct store *store, struct writer **out, struct od_error *error);

/* A writer without a thread: writer_step commits, and whoever calls it decides when. For what runs
 * an engine by hand (engine/steps.h). */
int writer_open_stepped(struct store *store, struct writer **out, struct od_error *error);

/* Carries out the batch under way, of which there is one: its result can then be taken. The hook is
 * called in the caller's thread. For a stepped writer only. Returns the result's code. */
int writer_step(struct writer *writer);

/* Waits for the batch under way, then ends the thread. A stepped writer drops a batch that has not
 * been carried out, as a crash would. */
void writer_close(struct writer *writer);

/* Readable when a result can be taken; -1 for a stepped writer. */
int writer_eventfd(const struct writer *writer);

bool writer_is_idle(const struct writer *writer);

/* Hands over; the writer must be idle. The batch is borrowed until its result has been taken. */
void writer_submit(struct writer *writer, struct batch *batch);

/* Takes the result of the batch under way, if it has ended: true, and the writer is idle again. */
bool writer_take(struct writer *writer, struct writer_result *out);

/* Blocks until the batch under way has ended and takes its result; for start, drain and tests,
 * never on a running reactor. A stepped writer carries it out, if nobody has. */
void writer_wait(struct writer *writer, struct writer_result *out);

/* For tests: called in the writer's thread before a commit with a running number from 1; a non-zero
 * return refuses the batch as if LMDB had returned that operating code. NULL removes it. */
void writer_set_hook(struct writer *writer, int (*hook)(void *context, uint64_t number),
                     void *context);

#endif
