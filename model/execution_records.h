/* The records of executions: settings, what moves, contacts, calls, triggers, and what is counted
 * of them. See model/records.h for what all records have in common.
 */
#ifndef OUTDIAL_MODEL_EXECUTION_RECORDS_H
#define OUTDIAL_MODEL_EXECUTION_RECORDS_H

#include "model/directory_records.h"

enum execution_status {
    EXECUTION_SCHEDULED = 1,
    EXECUTION_RUNNING = 2,
    EXECUTION_PAUSED = 3,
    EXECUTION_PAUSED_NO_CREDITS = 4,
    EXECUTION_PAUSED_THRESHOLD = 5,
    EXECUTION_COMPLETED = 6,
    EXECUTION_STOPPED = 7,
    EXECUTION_CANCELLED = 8,
};

struct pool_did {
    struct uuid id;
    struct slice number;
};

/* The snapshot of settings taken at launch. A resume may replace the rules. */
struct execution_settings {
    uint32_t number;
    struct uuid id;
    uint32_t organisation;
    struct uuid organisation_id;
    struct uuid program_id;
    struct uuid audience_id;
    uint32_t audience; /* its number */
    struct uuid flow_id;
    enum program_mode mode;
    struct slice timezone;
    struct slice gateway;
    const struct pool_did *dids;
    size_t did_count;
    struct retry_strategy retry;
    bool has_pause_windows;
    struct pause_windows windows;
    struct pacing_settings pacing;
    int64_t start_at, stop_at; /* optional */
    const struct auto_pause_rule *rules;
    size_t rule_count;
    int64_t created_at;
    struct trigger_condition trigger; /* live mode */
};

/* How often the node of each rule has been executed: by the order of the execution's rules. Written
 * once a commit, like the state. No row: all are 0. */
struct node_counters {
    const uint64_t *counts;
    size_t count;
};

/* Exact at every durable instant (promise 5): total = completed + failed + pending + in_progress +
 * skipped. */
struct execution_counters {
    uint64_t total, completed, failed, pending, in_progress, skipped;
};

/* What moves, written once a commit. */
struct execution_state {
    enum execution_status status;
    struct slice status_reason; /* empty: none */
    struct execution_counters counters;
    bool snapshot_done;                     /* live mode: all contacts have been looked at */
    struct uuid snapshot_cursor;            /* the last member, or contact, taken */
    uint32_t next_entry;                    /* entries are numbered from 0 */
    bool skip_done;                         /* after stop or cancel: no due row is left */
    uint32_t did_next;                      /* index into the pool of the DID whose turn it is */
    int64_t actual_start_at, actual_end_at; /* optional */
    int64_t updated_at;
    uint32_t next_trigger; /* live mode: triggers are numbered from 0 */
    bool launch_done;      /* live mode: the first walk over the contacts is over */
    uint32_t era;          /* of the calls that it queues now (call_tag_of_era) */
};

/* An execution came to a status: what a stream of events tells. */
struct status_event {
    uint32_t execution; /* its number */
    struct uuid execution_id, program_id;
    enum execution_status status;
    struct slice status_reason;         /* empty: none */
    struct execution_counters counters; /* at that moment */
    int64_t at;
    int64_t filed_at; /* its place in EVENT_BY_TIME, which never goes back */
};

/* Where an organisation's events are: sequence numbers are given from 1 on. */
struct event_head {
    uint64_t last;
    int64_t last_at; /* where it is filed */
};

enum entry_status {
    ENTRY_PENDING = 1,
    ENTRY_PENDING_RETRY = 2,
    ENTRY_QUEUED = 3,  /* never stored: said of an entry that has a live call */
    ENTRY_IN_CALL = 4, /* likewise */
    ENTRY_COMPLETED = 5,
    ENTRY_FAILED = 6,
    ENTRY_SKIPPED = 7,
};

enum outcome {
    OUTCOME_NONE = 0,
    OUTCOME_ANSWERED = 1,
    OUTCOME_VOICEMAIL = 2,
    OUTCOME_BUSY = 3,
    OUTCOME_NO_ANSWER = 4,
    OUTCOME_REJECTED = 5,
    OUTCOME_ERROR = 6,
    OUTCOME_TIMEOUT = 7,
};

/* A contact in an execution. While it has a live call this row still says what was true before that
 * call, and the live_call row says the rest: one small row changes while a call is under way, this
 * one at its end. */
struct entry {
    struct uuid contact_id;
    enum entry_status status;
    uint32_t attempts; /* attempts that have ended */
    enum outcome last_outcome;
    int64_t next_attempt_at; /* optional */
    int64_t completed_at;    /* optional: when it became completed, failed or skipped */
};

/* ---- live mode ---- */

enum trigger_status {
    TRIGGER_PENDING = 1,
    TRIGGER_FIRED = 2,
    TRIGGER_MISSED = 3,
    TRIGGER_CANCELLED = 4,
};

/* A moment at which a contact becomes due; its due instant and number are in the key. */
struct trigger {
    struct uuid contact_id;
    enum trigger_status status; /* a pending one of an execution that has ended is cancelled, too */
    int64_t fired_at;           /* optional */
};

/* What a live execution knows of a contact: its newest trigger, and its call. */
struct contact_trigger {
    uint32_t serial; /* of the newest trigger */
    enum trigger_status status;
    int64_t due_at;
    struct slice value;  /* of the attribute, as the trigger was made from it */
    int64_t fired_due;   /* the latest due instant that has fired; 0: none */
    bool has_call;       /* one of its entries is queued or under way */
    uint32_t call_entry; /* that one */
};

struct due_row {
    uint8_t reserved; /* the key says it all */
};

enum call_status {
    CALL_QUEUED = 1,  /* durable, waiting to be offered or on offer */
    CALL_CLAIMED = 2, /* under a lease, or taken by a push gateway */
    CALL_STARTED = 3, /* permitted to dial */
    CALL_ENDED = 4,
};

/* A call that is queued or under way. */
struct live_call {
    uint32_t entry; /* also in the key */
    uint16_t attempt;
    enum call_status status;
    struct uuid contact_id;
    struct slice to;      /* E.164 */
    uint32_t did;         /* index into the execution's pool */
    struct uuid claim_id; /* of the last claim */
    uint16_t leases;      /* leases given so far */
    uint16_t lapses;      /* leases that ended without `started` */
    bool released;        /* given back since the last claim */
    bool has_credit;      /* a credit of the organisation is reserved for it */
    uint64_t last_seq;    /* of node_executed */
    int64_t queued_at;
    int64_t lease_expires_at;    /* wall clock, for show */
    int64_t started_at, dial_by; /* optional */
    uint32_t era;                /* in which it was queued; another than its execution's: it was
                                    under way in a store that was restored, and is in doubt */
};

/* A call that has ended. */
struct call {
    uint32_t entry; /* also in the key */
    uint16_t attempt;
    struct uuid contact_id;
    struct slice to;
    uint32_t did; /* index into the execution's pool */
    enum outcome outcome;
    struct slice detail; /* empty: none */
    bool has_duration;
    uint32_t duration_seconds;
    bool in_doubt;
    enum outcome late_outcome; /* OUTCOME_NONE: none */
    uint64_t last_seq;
    uint16_t leases;
    struct uuid claim_id; /* of the last claim; nil for push gateways */
    int64_t queued_at, started_at, ended_at;
    uint32_t era; /* in which it was queued */
};

/* ---- the log and the report of an execution ---- */

enum {
    CALL_LOG_ROW_MAX = 250, /* calls of a row of the log: below the 2,000 bytes of a page's share */
    REPORT_COUNTS = 22,     /* outcomes, and attempts of a contact: 20 retries at most */
};

struct logged_call {
    uint32_t entry;
    uint16_t attempt;
};

/* Calls in the order in which they were queued. One that was skipped before it was permitted has
 * no other row. */
struct call_log {
    const struct logged_call *calls;
    size_t count;
};

struct report_counts {
    uint64_t at[REPORT_COUNTS];
};

/* Exact at every durable instant, as the counters are (model/report.h). */
struct execution_report {
    uint64_t log_rows;                   /* of its log: the serial of the next one */
    struct report_counts outcomes;       /* calls that have ended, by outcome */
    struct report_counts attempts;       /* completed and failed contacts, by their attempts */
    int64_t first_call_at, last_call_at; /* of ended calls; optional */
    uint64_t talk_calls, talk_seconds;   /* answered calls whose duration was told, and its sum */
};

/* The calls of an execution that ended in one minute; there is no row without one. */
struct call_minute {
    uint64_t calls, answered;
};

#endif
