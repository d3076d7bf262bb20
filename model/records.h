/* The nouns of the domain as they are stored: plain structs, one a table (model/tables.h).
 *
 * Texts are borrowed slices: whoever decodes a record says in which arena they live. Instants are
 * milliseconds since 1970 (base/instant.h); 0 means "not yet" where a field says optional. Status
 * fields are changed only through model/lifecycle.
 */
#ifndef OUTDIAL_MODEL_RECORDS_H
#define OUTDIAL_MODEL_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/id.h"

/* ---- small rows of indexes ---- */

struct number_row {
    uint32_t number;
};

struct owned_id {
    uint32_t owner;
    struct uuid id;
};

/* META rows: a number or a text, by name. */
struct meta {
    uint64_t number;
    struct slice text;
};

/* JOB rows: long work cut into slices. `kind` is enum job_kind. */
enum job_kind {
    JOB_EMPTY_AUDIENCE = 1,
    JOB_REMOVE_EXECUTION = 20,
};

struct job {
    uint32_t kind;
    uint32_t organisation;
    uint32_t number; /* JOB_EMPTY_AUDIENCE: the audience's; JOB_REMOVE_EXECUTION: the execution's */
    struct uuid program_id; /* JOB_REMOVE_EXECUTION of one in live mode: its triggers lie there */
};

/* ---- answers that are kept for an Idempotency-Key ---- */

enum {
    KEY_HASH_BYTES = 32,
    KEPT_RESPONSE_HOURS = 24 /* then it counts as absent, whether it has been removed or not */
};

/* The first response to a POST with an Idempotency-Key, which is given again to the same request.
 * Of the key and of the request there are only hashes, and the body is encrypted under the key's
 * text: a body may show what must not lie in a store, such as a new API key. */
struct kept_response {
    uint8_t fingerprint[KEY_HASH_BYTES]; /* of the request */
    uint32_t status;                     /* of HTTP */
    struct slice location;               /* a header; empty: none */
    struct slice request_id;             /* of the first request */
    struct slice body;                   /* encrypted JSON (api/idempotency.c); empty: no body */
    int64_t created_at;
};

/* ---- platform ---- */

struct organisation {
    uint32_t number;
    struct uuid id;
    struct slice name;
    struct slice timezone; /* an IANA name */
    bool has_credits;      /* as in a body; stored by older programs only, see struct credits */
    int64_t credits;
    uint32_t max_concurrent_calls;   /* 0: no cap */
    uint64_t calls_per_second_micro; /* calls per second × 10^6; 0: no cap */
    int64_t created_at, updated_at;
};

/* The credits of an organisation, which are the dispatcher's to change. No row: what the
 * organisation's own row says, as older programs have written it, and nothing is reserved. */
struct credits {
    bool is_limited;   /* false: unlimited */
    int64_t balance;   /* what is free; a reserved credit has left it */
    uint64_t reserved; /* by live calls: as many as have has_credit */
};

enum role {
    ROLE_ADMIN = 1,
    ROLE_ORG = 2,
    ROLE_WORKER = 3,
};

struct api_key {
    struct uuid id;
    uint32_t owner; /* the organisation's number, 0 for the platform's own keys */
    enum role role;
    struct slice name;
    uint8_t hash[32]; /* keyed BLAKE2b of the key's text */
    int64_t created_at;
};

enum did_status {
    DID_ACTIVE = 1,
    DID_INACTIVE = 2,
};

struct did {
    struct uuid id;
    uint32_t owner;      /* the organisation's number; 0: shared by all */
    struct slice number; /* E.164 */
    enum did_status status;
    int64_t created_at, updated_at;
};

/* ---- directory: what belongs to one organisation ---- */

enum attribute_type {
    ATTRIBUTE_STRING = 1,
    ATTRIBUTE_NUMBER = 2,
    ATTRIBUTE_BOOLEAN = 3,
    ATTRIBUTE_DATE = 4,
};

struct attribute {
    struct uuid id;
    struct slice name;
    enum attribute_type type;
    uint32_t program_count; /* programs whose triggerCondition uses it */
    int64_t created_at;
};

struct attribute_value {
    struct slice name;
    enum attribute_type type;
    struct slice text; /* ATTRIBUTE_STRING, ATTRIBUTE_DATE: as given */
    double number;
    bool boolean;
    bool is_null; /* only in a patch: remove the value */
};

struct contact {
    struct uuid id;
    struct slice primary_phone;                                             /* E.164 */
    struct slice first_name, last_name, full_name, primary_email, timezone; /* empty: absent */
    bool do_not_call;
    const struct attribute_value *attributes; /* by name, ascending */
    size_t attribute_count;
    int64_t created_at, updated_at;
};

struct audience {
    struct uuid id;
    uint32_t number;
    struct slice name;
    uint64_t contact_count;
    uint32_t program_count; /* programs, not deleted, that use it */
    int64_t created_at, updated_at;
};

struct member {
    int64_t added_at;
};

struct flow {
    struct uuid id;
    struct slice name;
    struct slice nodes;      /* compact JSON array, empty: known to the gateway only */
    struct slice start_node; /* empty: none */
    uint32_t program_count;  /* programs, not deleted, that use it */
    int64_t created_at, updated_at;
};

/* ---- programs ---- */

enum {
    RETRY_DATES_MAX = 20,
    DID_POOL_MAX = 1000,
    PAUSE_WINDOWS_MAX = 1000, /* weekly and advanced, each */
    AUTO_PAUSE_RULES_MAX = 100,
};

enum program_mode {
    MODE_BATCH = 1,
    MODE_LIVE = 2,
};

enum program_status {
    PROGRAM_DRAFT = 1,
    PROGRAM_ACTIVE = 2,
    PROGRAM_ARCHIVED = 3,
};

enum retry_type {
    RETRY_NONE = 1,
    RETRY_FIXED_DELAY = 2,
    RETRY_SCHEDULED = 3,
};

struct retry_strategy {
    enum retry_type type;
    uint32_t delay_ms; /* the API gives whole minutes */
    uint32_t max_retries;
    uint32_t date_count;
    int64_t dates[RETRY_DATES_MAX]; /* ascending */
};

/* A weekly window as given: wall-clock minutes of the day. The meaning of its edges is in
 * model/pause_window. */
struct weekly_window {
    uint8_t weekday; /* 0 is sunday */
    uint16_t start_minute, end_minute;
};

struct instant_window {
    int64_t start_at, end_at;
};

struct pause_windows {
    const struct weekly_window *weekly; /* as given: by weekday, then in the order of the body */
    size_t weekly_count;
    const struct instant_window *advanced;
    size_t advanced_count;
};

enum recurrence {
    RECURRENCE_ONCE = 1,
    RECURRENCE_YEARLY = 2,
};

/* Of a program in live mode; attribute_name is empty in batch mode. */
struct trigger_condition {
    struct slice attribute_name;
    int32_t offset_minutes;
    bool has_time_of_day;
    uint16_t minute_of_day;
    enum recurrence recurrence;
};

struct pacing_settings {
    uint32_t max_concurrent_calls;   /* 0: no cap */
    uint64_t calls_per_second_micro; /* calls per second × 10^6; 0: no cap */
};

/* The execution pauses when its counter of this node comes to the threshold. */
struct auto_pause_rule {
    struct slice node_id; /* of no other rule beside it */
    uint64_t threshold;   /* at least 1 */
    bool reset_on_resume; /* a resume from paused_threshold sets the counter to 0 */
};

struct program {
    struct uuid id;
    struct slice name;
    struct uuid flow_id;
    const struct uuid *did_pool;
    size_t did_count;
    enum program_mode mode;
    struct uuid audience_id;
    int64_t start_at, stop_at; /* optional */
    struct retry_strategy retry;
    bool has_pause_windows;
    struct pause_windows windows;
    struct pacing_settings pacing;
    struct slice gateway;                /* empty: the configuration's default */
    const struct auto_pause_rule *rules; /* in the order of the body */
    size_t rule_count;
    enum program_status status;
    bool is_deleted;
    uint32_t active_execution; /* its number; 0: none is active */
    uint32_t new_audience;     /* never stored: the number of the audience that is to be made for it
                                * under audience_id; 0: it has one */
    int64_t created_at, updated_at;
    struct trigger_condition trigger; /* live mode */
};

/* ---- executions ---- */

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
