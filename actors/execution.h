/* The execution: one run of a program, from launch to its last call (engine.md, "Actors"; api.md,
 * "Executions").
 *
 * In memory: settings, counters and the live calls. The pending contacts stay in the store: the due
 * index is their queue, and a grant from the dispatcher takes the next ones from it. Everything
 * that a restart needs is in rows: EXECUTION, EXECUTION_STATE, EXECUTION_REPORT, NODE_COUNTERS,
 * ENTRY, DUE, LIVE_CALL; in live mode also TRIGGER, TRIGGER_DUE, CONTACT_TRIGGER, WAITING.
 *
 *     LAUNCH ── SNAPSHOT_SLICE… ─▶ DEMAND to the dispatcher ─▶ GRANT: contacts queued, offered to
 * the gateway CALL_CLAIMED ─▶ CALL_STARTED (permission) ─▶ NODE_EXECUTED… ─▶ CALL_RESULT:
 * completed, failed, or due again
 */
#ifndef OUTDIAL_ACTORS_EXECUTION_H
#define OUTDIAL_ACTORS_EXECUTION_H

#include "actors/actor.h"
#include "actors/counters.h"
#include "actors/flights.h"
#include "base/arena.h"
#include "model/pacing.h"

/* What its report counts, and the calls that the open batch has queued (execution_report.c). */
struct execution_tally {
    bool is_kept;  /* false: it was launched before there were reports */
    bool is_dirty; /* something has to be saved before the batch closes */
    struct execution_report row;
    bool has_minute, minute_is_dirty;
    uint32_t minute_number; /* of the row in `minute` */
    struct call_minute minute;
    struct logged_call *queued;
    uint32_t queued_count, queued_room;
};

/* Read freely; changed by execution_handle only. */
struct execution {
    uint32_t number;
    bool is_dirty;       /* the EXECUTION_STATE row has to be saved before the batch closes */
    struct arena memory; /* holds the settings */
    struct execution_settings settings;
    struct execution_state state;
    char *reason;             /* state.status_reason is in it; NULL: there is none */
    struct counters counters; /* of the rules, until it has ended */
    bool has_gateway;         /* false: its gateway is no longer configured */
    uint32_t gateway;
    bool gateway_is_pull;
    const struct zone_table *zone;
    uint8_t *did_is_usable; /* by index of the pool */
    uint32_t usable_dids;
    struct pacing pacing;
    struct flights flights;
    struct execution_tally report;
    struct key due_from;     /* no due row of this execution sorts before it */
    int64_t next_due_at;     /* no due row is earlier; INSTANT_NEVER: there is none */
    struct key trigger_from; /* the same of the pending triggers */
    int64_t next_trigger_at;
    bool is_firing, is_walking; /* a TRIGGER_SLICE, a SNAPSHOT_SLICE of live mode is on its way */
    uint64_t walked;            /* contacts looked at since it was loaded */
    bool window_is_open;        /* as of window_checked_at, up to window_changes_at */
    int64_t window_checked_at, window_changes_at;
    int64_t withheld_until_mono; /* the earliest of the withheld that wait for a time;
                                    INSTANT_NEVER: none */
    uint32_t demand_said;        /* what the dispatcher was told and has not granted yet */
    bool is_resuming; /* loaded: slices go on, calls under way are said and offered again */
    bool is_over_said;
    uint64_t launch_exchange;   /* waits for the first contacts of the snapshot */
    int64_t last_at, last_mono; /* of the last message */
    int64_t call_timeout_ms;    /* as configured */
};

/* Makes an execution that is about to get LAUNCH. */
void execution_init(struct execution *e, uint32_t number);

/* Frees what it holds. */
void execution_deinit(struct execution *e);

/* Makes an execution from its rows, at a start or when a message comes for one that is not in
 * memory. False: there is no such execution (then it is as after init). `mono` is now: leases and
 * signs of life count from it (reliability.md 3). */
bool execution_load(struct execution *e, uint32_t number, const struct actor_settings *settings,
                    struct view *view, int64_t mono);

/* Handles a message for ACTOR_EXECUTION. */
void execution_handle(struct execution *e, const struct actor_settings *settings,
                      const struct message *m, struct view *view, struct effects *out);

/* Puts the EXECUTION_STATE row, the report, the log of what was queued, and the counters of its
 * rules if they have changed; clears is_dirty. The engine calls it when a batch closes: once a
 * commit, not once a transition. */
void execution_save(struct execution *e, struct effects *out);

/* The next instants at which it wants a TICK. */
struct wake execution_wake(const struct execution *e);

/* True when nothing is left to do: it may leave the memory. */
bool execution_is_over(const struct execution *e);

/* The invariants that must hold after each message (OD_CHECK): the counter equation first. */
void execution_check(const struct execution *e);

#endif
