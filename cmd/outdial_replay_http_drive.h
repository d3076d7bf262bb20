/* What the files of a drive share: reading (…_read.c), sending and hearing (…_send.c), and the loop
 * around them (outdial_replay_http.c). */
#ifndef OUTDIAL_CMD_OUTDIAL_REPLAY_HTTP_DRIVE_H
#define OUTDIAL_CMD_OUTDIAL_REPLAY_HTTP_DRIVE_H

#include "cmd/outdial_replay_http.h"
#include "cmd/outdial_replay_http_account.h"
#include "cmd/outdial_replay_http_calls.h"
#include "cmd/outdial_replay_http_lanes.h"
#include "cmd/outdial_replay_http_plan.h"
#include "cmd/outdial_replay_http_wire.h"

/* A gateway whose calls are claimed. */
struct claimer {
    struct slice name;
    struct buf body; /* of the claim under way */
    bool is_under_way;
    bool is_refused; /* the daemon does not have it */
    int64_t not_before_ns;
    /* On a test clock an empty answer stays the same until more is wanted or time has passed. */
    bool was_empty;
    size_t wanted_then;
    int64_t empty_at;
};

struct drive {
    const struct http_options *options;
    struct wire *wire;
    struct account account;
    struct id_map ids;
    struct lanes lanes;
    struct calls calls;
    struct plan plan;

    /* reading */
    struct trace_reader *reader;
    struct trace_record record; /* the next one to be driven, when `has_record` */
    bool has_record;
    enum expectation expect; /* of it */
    bool needs_calls;        /* it waits for the calls before it (plan_needs_calls) */
    bool is_gate;            /* and what was put last did: what is behind waits for it */
    int64_t waiting_ns;      /* since when it waits; 0: it does not */
    bool is_over;            /* there is no further one */
    bool has_end, is_lost;
    bool knows_digest;
    uint32_t digest; /* the running digest before the next message */

    /* time */
    bool has_begun;
    int64_t first_mono;   /* of the first message that is driven */
    int64_t begun_ns;     /* when that was */
    bool has_test_clock;  /* the daemon's */
    int64_t clock_begun;  /* the daemon's clock at that message */
    int64_t clock_at;     /* and now */
    int64_t clock_target; /* where it is being moved to; 0: it stands */

    /* sending */
    struct request_queue parked; /* told to come again later */
    struct event_batch *parked_batches;
    size_t batches; /* of events, under way */
    struct claimer *claimers;
    size_t claimer_count;
    int64_t progress_ms; /* when a claim or an event was answered last, by drive_now_ms */
    struct arena arena;

    bool is_closing; /* requests that are under way end without an answer */
    bool has_failed; /* and account.failure says why */
};

/* The drive ends here. Only the first reason counts. */
void drive_fail(struct drive *drive, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Of the clock by which calls are waited for. */
int64_t drive_now_ms(const struct drive *drive);

/* Gives up calls that have been wanted for --wait seconds, when as long nothing has gone on at all:
 * a daemon that is slow is not one that offers nothing. */
void drive_give_up(struct drive *drive);

/* ---- outdial_replay_http_read.c ---- */

/* Reads on while something can be put, and the time for it has come. Returns after how many
 * milliseconds there is something to be read again; -1: when something else has happened. */
int64_t drive_read(struct drive *drive);

/* ---- outdial_replay_http_send.c ---- */

/* Sends what can go. */
void drive_send(struct drive *drive);

/* Nothing is under way, and nothing can be sent. */
bool drive_is_idle(const struct drive *drive);

/* Moves the daemon's test clock. Nothing is under way. */
void drive_advance(struct drive *drive, int64_t to);

#endif
