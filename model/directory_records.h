/* The records of the platform and of the directories: organisations, keys, DIDs, contacts,
 * audiences, flows and programs, and small rows that belong to all. See model/records.h.
 */
#ifndef OUTDIAL_MODEL_DIRECTORY_RECORDS_H
#define OUTDIAL_MODEL_DIRECTORY_RECORDS_H

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

/* Names of META rows that say something to more than one layer. BACKUP is in copies only: a copy,
 * made at the instant `number`. RESTORE: `number` is the era of the store (0: no such row), `text`
 * the instant of the copy that was restored, until all executions have been told. */
#define META_BACKUP  "backup"
#define META_RESTORE "restore"

/* JOB rows: long work cut into slices. `kind` is enum job_kind. */
enum job_kind {
    JOB_EMPTY_AUDIENCE = 1,
    JOB_REMOVE_ATTRIBUTE = 2,
    JOB_REMOVE_EXECUTION = 20,
};

struct job {
    uint32_t kind;
    uint32_t organisation;
    uint32_t number; /* JOB_EMPTY_AUDIENCE: the audience's; JOB_REMOVE_EXECUTION: the execution's */
    struct uuid program_id; /* JOB_REMOVE_EXECUTION of one in live mode: its triggers lie there */
    /* JOB_REMOVE_ATTRIBUTE: which one, the last contact that has been looked at, and how many. */
    struct uuid attribute_id;
    struct slice attribute_name;
    struct uuid last_contact;
    uint64_t contacts;
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
    uint32_t program_count;  /* programs, not deleted, that use it; and active executions */
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
    struct uuid active_flow;   /* the flow of that one, which counts it; nil: none is active, or it
                                * was   launched by an older program, and is not counted */
    uint32_t new_audience;     /* never stored: the number of the audience that is to be made for it
                                * under audience_id; 0: it has one */
    int64_t created_at, updated_at;
    struct trigger_condition trigger; /* live mode */
};

#endif
