/* The replay driver: runs a trace through the same actors and store code as the engine, on the
 * trace's own times. Timers, gateways, the time-zone database and the actors' own `later` messages
 * are not used: the trace has all that they brought about.
 *
 * Everything runs on the caller's thread, but for the writer's; a stepped one has none.
 */
#ifndef OUTDIAL_ENGINE_REPLAY_H
#define OUTDIAL_ENGINE_REPLAY_H

#include "engine/histogram.h"
#include "traces/trace.h"

struct replay;

struct replay_options {
    const char *trace; /* a file, "-": standard input */
    const char *store; /* a folder with a copy of the store at the trace's start, which is changed;
                          NULL: an empty one of its own, removed at the end */
    uint64_t map_size_bytes; /* how large the store may become; 0: as large as a daemon's may */
    bool verify;             /* compare digests with the recorded ones */
    double speed;    /* a multiple of the time that passed when it was recorded; 0: at once */
    bool is_stepped; /* no thread, and a store that is not synced: for the simulation */
};

/* The first thing that came out otherwise than it was recorded. */
struct replay_difference {
    enum trace_kind kind; /* MESSAGE, COMMIT or END */
    uint64_t index; /* of the last message, from 1 on: the one that differs, or the one before */
    int64_t at;     /* of the record */
    struct actor_name actor;  /* MESSAGE */
    enum message_type type;   /* MESSAGE */
    uint64_t expected, found; /* digests; of a MESSAGE their low halves */
    bool is_state;            /* END: the digest of the store, not the running one */
};

struct replay_figures {
    uint64_t letters;  /* MESSAGE records */
    uint64_t messages; /* with those that followed from them */
    uint64_t commits, reloads;
    uint64_t transactions, operations; /* in which the commits were carried out; rows of these */
    int64_t first_at, last_at;         /* of messages; 0: there was none */
    int64_t busy_ns;                   /* in handling and closing batches */
    bool has_end, is_lost;             /* an END, a LOST record came */
    bool is_different;                 /* and `difference` says what */
    struct replay_difference difference;
    const struct histogram *types; /* by message type: ns of a letter with all that followed */
    const struct histogram *all;
};

/* Opens the trace, the store and an engine. Errors: as of trace_reader_open and store_open;
 * OD_EINVAL when with `verify` the store is not the one that the trace began at. */
int replay_open(const struct replay_options *options, struct replay **out, struct od_error *error);

/* Handles the next record. 0; OD_ENOTFOUND: the trace has ended; OD_ECORRUPT: it is cut off or
 * damaged here; others: the store. A difference is no error: it is in the figures, once, and what
 * follows is not compared any more. */
int replay_step(struct replay *replay, struct od_error *error);

/* Commits what is open, and gives the digest of the store. 0 or an error of the store. */
int replay_finish(struct replay *replay, uint64_t *state, struct od_error *error);

/* Waits for the store and removes a folder of its own. NULL is nothing. */
void replay_close(struct replay *replay);

const struct trace_header *replay_header(const struct replay *replay);
const struct replay_figures *replay_figures(const struct replay *replay);

/* Bytes of the trace that were read, and that it has; 0: not known. */
uint64_t replay_at(const struct replay *replay);
uint64_t replay_size(const struct replay *replay);

/* Where the store is. */
const char *replay_directory(const struct replay *replay);

/* Whether the trace began at the store that was given, or at an empty one where none was. */
bool replay_fits(const struct replay *replay);

#endif
