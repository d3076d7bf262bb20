/* Messages: the only way in which an actor's state changes (engine.md, "One way through").
 *
 * A message is {at, mono, actor, type, payload}. `at` is the wall clock in milliseconds, which may
 * step; `mono` is a clock that never goes back. Both are given when the message enters and are all
 * the time that a handler knows. Payload pointers are borrowed: they live until the message has
 * been handled. docs/messages.md lists each payload and is checked against this file.
 */
#ifndef OUTDIAL_MODEL_MESSAGE_H
#define OUTDIAL_MODEL_MESSAGE_H

#include "base/error.h"
#include "model/records.h"
#include "model/zone_table.h"

enum actor_kind_id {
    ACTOR_PLATFORM = 1,        /* number 0: organisations, API keys, DIDs */
    ACTOR_DIRECTORY = 2,       /* number: the organisation's */
    ACTOR_EXECUTION = 3,       /* number: the execution's */
    ACTOR_DISPATCHER = 4,      /* number 0: offers, claims, capacity, fair sharing */
    ACTOR_EVERY_EXECUTION = 5, /* an address: each execution that is in memory */
    ACTOR_RETENTION = 6,       /* number 0: removes what has been kept long enough */
};

struct actor_name {
    enum actor_kind_id kind;
    uint32_t number;
};

/* MESSAGE(constant, name, actor kind) */
#define MESSAGES(MESSAGE)                                                                          \
    MESSAGE(ORGANISATION_CREATE, "organisation_create", ACTOR_PLATFORM)                            \
    MESSAGE(ORGANISATION_PATCH, "organisation_patch", ACTOR_PLATFORM)                              \
    MESSAGE(API_KEY_CREATE, "api_key_create", ACTOR_PLATFORM)                                      \
    MESSAGE(API_KEY_DELETE, "api_key_delete", ACTOR_PLATFORM)                                      \
    MESSAGE(DID_CREATE, "did_create", ACTOR_PLATFORM)                                              \
    MESSAGE(DID_PATCH, "did_patch", ACTOR_PLATFORM)                                                \
    MESSAGE(DID_DELETE, "did_delete", ACTOR_PLATFORM)                                              \
    MESSAGE(RESPONSE_KEPT, "response_kept", ACTOR_PLATFORM)                                        \
    MESSAGE(RESTORE_TOLD, "restore_told", ACTOR_PLATFORM)                                          \
    MESSAGE(ATTRIBUTE_CREATE, "attribute_create", ACTOR_DIRECTORY)                                 \
    MESSAGE(ATTRIBUTE_DELETE, "attribute_delete", ACTOR_DIRECTORY)                                 \
    MESSAGE(REMOVE_ATTRIBUTE_SLICE, "remove_attribute_slice", ACTOR_DIRECTORY)                     \
    MESSAGE(CONTACT_CREATE, "contact_create", ACTOR_DIRECTORY)                                     \
    MESSAGE(CONTACT_PATCH, "contact_patch", ACTOR_DIRECTORY)                                       \
    MESSAGE(CONTACT_DELETE, "contact_delete", ACTOR_DIRECTORY)                                     \
    MESSAGE(CONTACTS_UPSERT, "contacts_upsert", ACTOR_DIRECTORY)                                   \
    MESSAGE(CONTACTS_IMPORT, "contacts_import", ACTOR_DIRECTORY)                                   \
    MESSAGE(AUDIENCE_CREATE, "audience_create", ACTOR_DIRECTORY)                                   \
    MESSAGE(AUDIENCE_PATCH, "audience_patch", ACTOR_DIRECTORY)                                     \
    MESSAGE(AUDIENCE_DELETE, "audience_delete", ACTOR_DIRECTORY)                                   \
    MESSAGE(MEMBERS_ADD, "members_add", ACTOR_DIRECTORY)                                           \
    MESSAGE(MEMBERS_REMOVE, "members_remove", ACTOR_DIRECTORY)                                     \
    MESSAGE(EMPTY_AUDIENCE_SLICE, "empty_audience_slice", ACTOR_DIRECTORY)                         \
    MESSAGE(FLOW_CREATE, "flow_create", ACTOR_DIRECTORY)                                           \
    MESSAGE(FLOW_PATCH, "flow_patch", ACTOR_DIRECTORY)                                             \
    MESSAGE(FLOW_DELETE, "flow_delete", ACTOR_DIRECTORY)                                           \
    MESSAGE(PROGRAM_CREATE, "program_create", ACTOR_DIRECTORY)                                     \
    MESSAGE(PROGRAM_PATCH, "program_patch", ACTOR_DIRECTORY)                                       \
    MESSAGE(PROGRAM_DELETE, "program_delete", ACTOR_DIRECTORY)                                     \
    MESSAGE(PROGRAM_LAUNCH, "program_launch", ACTOR_DIRECTORY)                                     \
    MESSAGE(EXECUTION_ENDED, "execution_ended", ACTOR_DIRECTORY)                                   \
    MESSAGE(STATUS_CHANGED, "status_changed", ACTOR_DIRECTORY)                                     \
    MESSAGE(LAUNCH, "launch", ACTOR_EXECUTION)                                                     \
    MESSAGE(SNAPSHOT_SLICE, "snapshot_slice", ACTOR_EXECUTION)                                     \
    MESSAGE(SKIP_SLICE, "skip_slice", ACTOR_EXECUTION)                                             \
    MESSAGE(TRIGGER_SLICE, "trigger_slice", ACTOR_EXECUTION)                                       \
    MESSAGE(CONTACTS_CHANGED, "contacts_changed", ACTOR_EXECUTION)                                 \
    MESSAGE(TICK, "tick", ACTOR_EXECUTION)                                                         \
    MESSAGE(GRANT, "grant", ACTOR_EXECUTION)                                                       \
    MESSAGE(NO_CREDITS, "no_credits", ACTOR_EXECUTION)                                             \
    MESSAGE(CALL_CLAIMED, "call_claimed", ACTOR_EXECUTION)                                         \
    MESSAGE(CALL_STARTED, "call_started", ACTOR_EXECUTION)                                         \
    MESSAGE(NODE_EXECUTED, "node_executed", ACTOR_EXECUTION)                                       \
    MESSAGE(CALL_RESULT, "call_result", ACTOR_EXECUTION)                                           \
    MESSAGE(CALL_RELEASED, "call_released", ACTOR_EXECUTION)                                       \
    MESSAGE(PAUSE, "pause", ACTOR_EXECUTION)                                                       \
    MESSAGE(RESUME, "resume", ACTOR_EXECUTION)                                                     \
    MESSAGE(CANCEL, "cancel", ACTOR_EXECUTION)                                                     \
    MESSAGE(DID_CHANGED, "did_changed", ACTOR_EXECUTION)                                           \
    MESSAGE(ZONE_RULES, "zone_rules", ACTOR_EXECUTION)                                             \
    MESSAGE(CLOCK_GAP, "clock_gap", ACTOR_EXECUTION)                                               \
    MESSAGE(RESTORED, "restored", ACTOR_EXECUTION)                                                 \
    MESSAGE(DEMAND, "demand", ACTOR_DISPATCHER)                                                    \
    MESSAGE(CALLS_OFFERED, "calls_offered", ACTOR_DISPATCHER)                                      \
    MESSAGE(CALLS_UNDER_WAY, "calls_under_way", ACTOR_DISPATCHER)                                  \
    MESSAGE(CALLS_WITHDRAWN, "calls_withdrawn", ACTOR_DISPATCHER)                                  \
    MESSAGE(CALL_OVER, "call_over", ACTOR_DISPATCHER)                                              \
    MESSAGE(GATEWAY_BACK_OFF, "gateway_back_off", ACTOR_DISPATCHER)                                \
    MESSAGE(CLAIM, "claim", ACTOR_DISPATCHER)                                                      \
    MESSAGE(CLAIM_GIVEN_UP, "claim_given_up", ACTOR_DISPATCHER)                                    \
    MESSAGE(ORGANISATION_CHANGED, "organisation_changed", ACTOR_DISPATCHER)                        \
    MESSAGE(CREDITS_SET, "credits_set", ACTOR_DISPATCHER)                                          \
    MESSAGE(CREDITS_ADD, "credits_add", ACTOR_DISPATCHER)                                          \
    MESSAGE(DISPATCH, "dispatch", ACTOR_DISPATCHER)                                                \
    MESSAGE(REMOVE_EXECUTION_SLICE, "remove_execution_slice", ACTOR_RETENTION)

enum message_type {

#define MESSAGE(constant, name, kind) MESSAGE_##constant,
    MESSAGES(MESSAGE)
#undef MESSAGE
        MESSAGE_TYPE_COUNT
};

/* ---- patches: the properties present, by bit; a cleared optional one is present and empty ---- */

enum organisation_field {
    ORGANISATION_NAME = 1 << 0,
    ORGANISATION_TIMEZONE = 1 << 1,
    ORGANISATION_MAX_CONCURRENT_CALLS = 1 << 2,
    ORGANISATION_CALLS_PER_SECOND = 1 << 3,
    ORGANISATION_CREDITS = 1 << 4,
};

struct organisation_patch {
    uint32_t present;
    struct organisation value;
};

enum did_field {
    DID_STATUS = 1 << 0,
};

struct did_patch {
    struct uuid id;
    uint32_t present;
    enum did_status status;
};

enum contact_field {
    CONTACT_PRIMARY_PHONE = 1 << 0,
    CONTACT_FIRST_NAME = 1 << 1,
    CONTACT_LAST_NAME = 1 << 2,
    CONTACT_FULL_NAME = 1 << 3,
    CONTACT_PRIMARY_EMAIL = 1 << 4,
    CONTACT_TIMEZONE = 1 << 5,
    CONTACT_DO_NOT_CALL = 1 << 6,
    CONTACT_ATTRIBUTES = 1 << 7, /* attribute by attribute: given ones replace, is_null ones go */
    CONTACT_NO_ATTRIBUTES = 1 << 8, /* customAttributes: null: all go */
};

/* A new contact is a patch of nothing, too: `value.id` is the id of a contact that has to be made.
 */
struct contact_patch {
    uint32_t present;
    struct contact value;
};

enum program_field {
    PROGRAM_NAME = 1 << 0,
    PROGRAM_FLOW = 1 << 1,
    PROGRAM_DID_POOL = 1 << 2,
    PROGRAM_AUDIENCE = 1 << 3,
    PROGRAM_START_AT = 1 << 4,
    PROGRAM_STOP_AT = 1 << 5,
    PROGRAM_RETRY = 1 << 6,
    PROGRAM_PAUSE_WINDOWS = 1 << 7,
    PROGRAM_PACING = 1 << 8,
    PROGRAM_GATEWAY = 1 << 9,
    PROGRAM_STATUS = 1 << 10,
    PROGRAM_RULES = 1 << 11,
    PROGRAM_TRIGGER = 1 << 12,
};

struct program_patch {
    uint32_t present;
    struct program value;
};

enum flow_field {
    FLOW_NAME = 1 << 0,
    FLOW_NODES = 1 << 1,
    FLOW_START_NODE = 1 << 2,
};

struct flow_patch {
    uint32_t present;
    struct flow value;
};

/* ---- payloads ---- */

struct owned_name {
    struct uuid id;
    struct slice name;
};

struct id_list {
    struct uuid id; /* the audience; CONTACTS_CHANGED: none */
    const struct uuid *ids;
    size_t count;
};

struct contact_list {
    const struct contact_patch *contacts;
    size_t count;
};

/* The response to a POST with an Idempotency-Key of this hash. */
struct response_kept {
    uint32_t organisation; /* whose key it is; 0: the platform's */
    uint8_t hash[KEY_HASH_BYTES];
    struct kept_response response;
};

/* Rows of an import: each stands for itself. */
struct contact_import {
    const struct contact_patch *contacts;
    size_t count;
    bool has_audience; /* the contacts join it */
    struct uuid audience;
};

/* A program is to be launched as an execution with this number and id, made outside. */
struct launch_request {
    struct uuid program_id;
    uint32_t execution_number;
    struct uuid execution_id;
};

/* Settings for a new execution, and its zone's rules. */
struct launch {
    const struct execution_settings *settings;
    uint64_t audience_contacts;
};

struct execution_ended {
    struct uuid program_id;
    uint32_t execution;
};

struct slice_of_work {
    uint32_t number; /* EMPTY_AUDIENCE_SLICE: the audience; REMOVE_EXECUTION_SLICE: the execution */
    /* REMOVE_EXECUTION_SLICE: no row with a lower number is left of the table that it is at; or
     * all of these tables are done, and no trigger is left that was due before `due_from`. */
    uint32_t from;
    bool is_at_triggers;
    int64_t due_from;
};

/* RESUME: the rules that replace those of the execution first. */
struct resume {
    bool has_rules; /* false: they stay */
    const struct auto_pause_rule *rules;
    size_t rule_count;
};

/* Calls that may be queued. */
struct call_grant {
    uint32_t calls;
    bool has_credits; /* a credit is reserved for each of them */
};

/* CREDITS_SET: the balance of an organisation is `amount`, or unlimited. CREDITS_ADD: it changes by
 * `amount`. */
struct credits_change {
    uint32_t organisation;
    bool is_limited;
    int64_t amount;
};

/* Which call of the execution, and where its answer goes: item `part` of the exchange's answer. */
struct call_claimed {
    uint32_t entry;
    uint16_t attempt;
    struct uuid claim_id;
};

struct call_event {
    uint32_t entry;
    uint16_t attempt;
    uint32_t tag;      /* of the call id; must be the execution's (base/id.h) */
    uint32_t part;     /* index in the answer */
    bool from_gateway; /* from a push gateway: no claim is asked for */

    union {
        struct {
            struct uuid claim_id;
        } started;

        struct {
            struct slice node_id;
            uint64_t seq;
        } node;

        struct {
            enum outcome outcome;
            bool has_duration;
            uint32_t duration_seconds;
            struct slice detail;
        } result;

        struct {
            struct slice reason;
            uint32_t retry_after_seconds;
            struct uuid claim_id; /* nil: not said */
        } released;
    };
};

struct did_changed {
    struct uuid id;
    bool is_usable; /* exists and is active; `owner` says for whom */
    uint32_t owner;
};

/* How many calls an execution could queue now. It replaces what was said before. */
struct demand {
    uint32_t execution, organisation, gateway;
    uint32_t calls;
    bool is_gone; /* the execution has ended: forget it */
};

struct offered_call {
    uint32_t entry;
    uint16_t attempt;
};

/* Calls of an execution to be put on offer at a pull gateway. Their room was granted, or said by
 * CALLS_UNDER_WAY. */
struct calls_offered {
    uint32_t execution, organisation, gateway;
    const struct offered_call *calls;
    size_t count;
};

/* CALLS_UNDER_WAY: calls found at a start take `count` rooms. CALL_OVER: `count` rooms are free
 * again (0 when its gateway is no longer configured, and takes none), and of the credits that were
 * reserved so many are spent or returned. CALLS_WITHDRAWN: nothing of the execution is on offer now
 * (is_all), or this one call is not. */
struct call_room {
    uint32_t execution, organisation, gateway;
    uint32_t count;
    uint32_t credits_spent, credits_returned;
    bool is_all;
    struct offered_call call;
};

struct back_off {
    uint32_t gateway;
    int64_t until_mono;
};

/* A backup was restored: the era of the store from now on (call_tag_of_era). */
struct store_restored {
    uint32_t era;
};

struct claim {
    struct slice gateway;
    uint32_t max;
    bool waits;           /* false: answer at once, with what there is */
    struct uuid claim_id; /* of the first call; the others follow from it (claim_id_at) */
};

union payload {
    const struct organisation *organisation;
    const struct organisation_patch *organisation_patch;
    const struct api_key *api_key;
    const struct did *did;
    const struct did_patch *did_patch;
    const struct attribute *attribute;
    const struct contact_patch *contact; /* CONTACT_CREATE, CONTACT_PATCH */
    const struct contact_list *contacts;
    const struct contact_import *import;
    const struct audience *audience;
    struct owned_name rename; /* AUDIENCE_PATCH */
    struct id_list members;
    struct id_list changed; /* CONTACTS_CHANGED: contacts that were made, changed or deleted */
    const struct flow *flow;
    const struct flow_patch *flow_patch;
    const struct program *program;
    const struct program_patch *program_patch;
    struct owned_id
        id; /* the …_DELETE messages: (owner of an API key, id); REMOVE_ATTRIBUTE_SLICE */
    const struct response_kept *kept;
    struct launch_request launch_request;
    struct launch launch;
    struct execution_ended ended;
    const struct status_event *status; /* STATUS_CHANGED */
    struct slice_of_work slice;
    struct resume resume;
    struct call_grant grant;
    struct credits_change credits;
    struct call_claimed claimed;
    const struct call_event
        *event; /* CALL_STARTED, NODE_EXECUTED, CALL_RESULT, CALL_RELEASED from a worker */
    struct did_changed did_changed;
    const struct zone_table *zone;
    struct demand demand;
    struct calls_offered offered;
    struct call_room room;
    struct back_off back_off;
    struct claim claim;
    struct store_restored restored; /* RESTORED, RESTORE_TOLD */
};

struct message {
    int64_t at, mono;
    struct actor_name actor;
    enum message_type type;
    bool is_derived; /* made by an actor, not from outside */
    bool is_later;   /* derived, and a batch may be closed before it: work that its own state makes
                      * again after a crash, such as the next slice; others are handled in the batch
                      * of their cause */
    uint64_t exchange; /* whom to answer, now or after what is later; 0: nobody */
    union payload payload;
};

const char *message_type_name(enum message_type type);

/* The kind of actor that handles the type. */
enum actor_kind_id message_actor_kind(enum message_type type);

/* The claim id of the n-th call of one claim: the first one's with n added to its last 64 bits. */
struct uuid claim_id_at(const struct uuid *first, uint32_t n);

#endif
