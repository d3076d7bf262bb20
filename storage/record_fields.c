/* One field table a record kind. To add a field: a new key, and a new version in the table below
 * when an older program must not read such records. To remove one: leave its key unused for ever.
 */
#include "storage/record_fields.h"

#include <stddef.h>

#include "model/records.h"

#define MEMBER(record, member) (((const struct record *)0)->member)
#define PRIVATE(key, type, record, member, max, privacy)                                           \
    {                                                                                              \
        key, FIELD_##type, sizeof(MEMBER(record, member)), offsetof(struct record, member),        \
            PRIVACY_##privacy, max, #member                                                        \
    }
#define FIELD(key, type, record, member, max) PRIVATE(key, type, record, member, max, NONE)
#define BOOL(key, record, member)             FIELD(key, BOOL, record, member, 1)
#define U16(key, record, member)              FIELD(key, UINT, record, member, UINT16_MAX)
#define U32(key, record, member)              FIELD(key, UINT, record, member, UINT32_MAX)
#define U64(key, record, member)              FIELD(key, UINT, record, member, UINT64_MAX)
#define I64(key, record, member)              FIELD(key, INT, record, member, 0)
#define UUID(key, record, member)             FIELD(key, UUID, record, member, 0)
#define TEXT(key, record, member)             FIELD(key, TEXT, record, member, 0)

/* Texts that may tell of a person. */
#define PHONE(key, record, member)     PRIVATE(key, TEXT, record, member, 0, PHONE)
#define NAME(key, record, member)      PRIVATE(key, TEXT, record, member, 0, TEXT)
#define FREE_TEXT(key, record, member) PRIVATE(key, TEXT, record, member, 0, FREE)

/* An enum, up to its last constant. */
#define ENUM(key, record, member, last) FIELD(key, UINT, record, member, last)

/* A list takes up its pointer and its count as one struct record_list. */
#define PRIVATE_LIST(key, type, record, pointer, privacy)                                          \
    {                                                                                              \
        key, FIELD_##type, sizeof(struct record_list), offsetof(struct record, pointer),           \
            PRIVACY_##privacy, 0, #pointer                                                         \
    }
#define LIST(key, type, record, pointer) PRIVATE_LIST(key, type, record, pointer, NONE)
#define LIST_LAYOUT(record, pointer, count)                                                        \
    _Static_assert(offsetof(struct record, count) ==                                               \
                       offsetof(struct record, pointer) + sizeof(const void *),                    \
                   "the count follows the pointer")

LIST_LAYOUT(contact, attributes, attribute_count);
LIST_LAYOUT(program, did_pool, did_count);
LIST_LAYOUT(execution_settings, dids, did_count);
LIST_LAYOUT(call_log, calls, count);
LIST_LAYOUT(program, rules, rule_count);
LIST_LAYOUT(execution_settings, rules, rule_count);
LIST_LAYOUT(node_counters, counts, count);

static const struct record_field meta_fields[] = {
    U64(1, meta, number),
    TEXT(2, meta, text),
};

static const struct record_field number_row_fields[] = {
    U32(1, number_row, number),
};

static const struct record_field owned_id_fields[] = {
    U32(1, owned_id, owner),
    UUID(2, owned_id, id),
};

static const struct record_field organisation_fields[] = {
    U32(1, organisation, number),
    UUID(2, organisation, id),
    NAME(3, organisation, name),
    TEXT(4, organisation, timezone),
    BOOL(5, organisation, has_credits),
    I64(6, organisation, credits),
    U32(7, organisation, max_concurrent_calls),
    U64(8, organisation, calls_per_second_micro),
    I64(9, organisation, created_at),
    I64(10, organisation, updated_at),
};

static const struct record_field kept_response_fields[] = {
    PRIVATE(1, HASH, kept_response, fingerprint, 0, HASH),
    U32(2, kept_response, status),
    TEXT(3, kept_response, location),
    TEXT(4, kept_response, request_id),
    NAME(5, kept_response, body),
    I64(6, kept_response, created_at),
};

static const struct record_field credits_fields[] = {
    BOOL(1, credits, is_limited),
    I64(2, credits, balance),
    U64(3, credits, reserved),
};

static const struct record_field api_key_fields[] = {
    UUID(1, api_key, id),
    U32(2, api_key, owner),
    ENUM(3, api_key, role, ROLE_WORKER),
    NAME(4, api_key, name),
    PRIVATE(5, HASH, api_key, hash, 0, HASH),
    I64(6, api_key, created_at),
};

static const struct record_field did_fields[] = {
    UUID(1, did, id),        U32(2, did, owner),
    PHONE(3, did, number),   ENUM(4, did, status, DID_INACTIVE),
    I64(5, did, created_at), I64(6, did, updated_at),
};

static const struct record_field attribute_fields[] = {
    UUID(1, attribute, id),
    TEXT(2, attribute, name),
    ENUM(3, attribute, type, ATTRIBUTE_DATE),
    U32(4, attribute, program_count),
    I64(5, attribute, created_at),
};

static const struct record_field contact_fields[] = {
    UUID(1, contact, id),
    PHONE(2, contact, primary_phone),
    NAME(3, contact, first_name),
    NAME(4, contact, last_name),
    NAME(5, contact, full_name),
    NAME(6, contact, primary_email),
    TEXT(7, contact, timezone),
    BOOL(8, contact, do_not_call),
    PRIVATE_LIST(9, ATTRIBUTES, contact, attributes, ATTRIBUTES),
    I64(10, contact, created_at),
    I64(11, contact, updated_at),
};

static const struct record_field audience_fields[] = {
    UUID(1, audience, id),           U32(2, audience, number),        NAME(3, audience, name),
    U64(4, audience, contact_count), U32(5, audience, program_count), I64(6, audience, created_at),
    I64(7, audience, updated_at),
};

static const struct record_field member_fields[] = {
    I64(1, member, added_at),
};

static const struct record_field flow_fields[] = {
    UUID(1, flow, id),         NAME(2, flow, name),         FREE_TEXT(3, flow, nodes),
    TEXT(4, flow, start_node), U32(5, flow, program_count), I64(6, flow, created_at),
    I64(7, flow, updated_at),
};

static const struct record_field program_fields[] = {
    UUID(1, program, id),
    NAME(2, program, name),
    UUID(3, program, flow_id),
    LIST(4, UUIDS, program, did_pool),
    ENUM(5, program, mode, MODE_LIVE),
    UUID(6, program, audience_id),
    I64(7, program, start_at),
    I64(8, program, stop_at),
    FIELD(9, RETRY, program, retry, 0),
    BOOL(10, program, has_pause_windows),
    FIELD(11, WINDOWS, program, windows, 0),
    FIELD(12, PACING, program, pacing, 0),
    TEXT(13, program, gateway),
    ENUM(14, program, status, PROGRAM_ARCHIVED),
    BOOL(15, program, is_deleted),
    U32(16, program, active_execution),
    I64(17, program, created_at),
    I64(18, program, updated_at),
    FIELD(19, TRIGGER, program, trigger, 0),
    LIST(20, RULES, program, rules),
    UUID(21, program, active_flow),
};

static const struct record_field execution_settings_fields[] = {
    U32(1, execution_settings, number),
    UUID(2, execution_settings, id),
    U32(3, execution_settings, organisation),
    UUID(4, execution_settings, organisation_id),
    UUID(5, execution_settings, program_id),
    UUID(6, execution_settings, audience_id),
    U32(7, execution_settings, audience),
    UUID(8, execution_settings, flow_id),
    ENUM(9, execution_settings, mode, MODE_LIVE),
    TEXT(10, execution_settings, timezone),
    TEXT(11, execution_settings, gateway),
    PRIVATE_LIST(12, POOL_DIDS, execution_settings, dids, POOL),
    FIELD(13, RETRY, execution_settings, retry, 0),
    BOOL(14, execution_settings, has_pause_windows),
    FIELD(15, WINDOWS, execution_settings, windows, 0),
    FIELD(16, PACING, execution_settings, pacing, 0),
    I64(17, execution_settings, start_at),
    I64(18, execution_settings, stop_at),
    I64(19, execution_settings, created_at),
    LIST(20, RULES, execution_settings, rules),
    FIELD(21, TRIGGER, execution_settings, trigger, 0),
};

static const struct record_field execution_state_fields[] = {
    ENUM(1, execution_state, status, EXECUTION_CANCELLED),
    TEXT(2, execution_state, status_reason),
    FIELD(3, COUNTERS, execution_state, counters, 0),
    BOOL(4, execution_state, snapshot_done),
    UUID(5, execution_state, snapshot_cursor),
    U32(6, execution_state, next_entry),
    BOOL(7, execution_state, skip_done),
    U32(8, execution_state, did_next),
    I64(9, execution_state, actual_start_at),
    I64(10, execution_state, actual_end_at),
    I64(11, execution_state, updated_at),
    U32(14, execution_state, next_trigger),
    BOOL(15, execution_state, launch_done),
    U32(20, execution_state, era),
};

static const struct record_field status_event_fields[] = {
    U32(1, status_event, execution),
    UUID(2, status_event, execution_id),
    UUID(3, status_event, program_id),
    ENUM(4, status_event, status, EXECUTION_CANCELLED),
    TEXT(5, status_event, status_reason),
    FIELD(6, COUNTERS, status_event, counters, 0),
    I64(7, status_event, at),
    I64(8, status_event, filed_at),
};

static const struct record_field event_head_fields[] = {
    U64(1, event_head, last),
    I64(2, event_head, last_at),
};

static const struct record_field node_counters_fields[] = {
    LIST(1, NODE_COUNTS, node_counters, counts),
};

static const struct record_field entry_fields[] = {
    UUID(1, entry, contact_id),     ENUM(2, entry, status, ENTRY_SKIPPED),
    U32(3, entry, attempts),        ENUM(4, entry, last_outcome, OUTCOME_TIMEOUT),
    I64(5, entry, next_attempt_at), I64(6, entry, completed_at),
};

static const struct record_field due_row_fields[] = {
    FIELD(1, UINT, due_row, reserved, UINT8_MAX),
};

static const struct record_field live_call_fields[] = {
    U32(1, live_call, entry),
    U16(2, live_call, attempt),
    ENUM(3, live_call, status, CALL_ENDED),
    UUID(4, live_call, contact_id),
    PHONE(5, live_call, to),
    U32(6, live_call, did),
    UUID(7, live_call, claim_id),
    U16(8, live_call, leases),
    BOOL(9, live_call, released),
    U64(10, live_call, last_seq),
    I64(11, live_call, queued_at),
    I64(12, live_call, lease_expires_at),
    I64(13, live_call, started_at),
    I64(14, live_call, dial_by),
    U16(15, live_call, lapses),
    BOOL(16, live_call, has_credit),
    U32(20, live_call, era),
};

static const struct record_field call_fields[] = {
    U32(1, call, entry),
    U16(2, call, attempt),
    UUID(3, call, contact_id),
    PHONE(4, call, to),
    U32(5, call, did),
    ENUM(6, call, outcome, OUTCOME_TIMEOUT),
    FREE_TEXT(7, call, detail),
    BOOL(8, call, has_duration),
    U32(9, call, duration_seconds),
    BOOL(10, call, in_doubt),
    ENUM(11, call, late_outcome, OUTCOME_TIMEOUT),
    U64(12, call, last_seq),
    U16(13, call, leases),
    UUID(14, call, claim_id),
    I64(15, call, queued_at),
    I64(16, call, started_at),
    I64(17, call, ended_at),
    U32(20, call, era),
};

static const struct record_field trigger_fields[] = {
    UUID(1, trigger, contact_id),
    ENUM(2, trigger, status, TRIGGER_CANCELLED),
    I64(3, trigger, fired_at),
};

static const struct record_field contact_trigger_fields[] = {
    U32(1, contact_trigger, serial),     ENUM(2, contact_trigger, status, TRIGGER_CANCELLED),
    I64(3, contact_trigger, due_at),     TEXT(4, contact_trigger, value),
    I64(5, contact_trigger, fired_due),  BOOL(6, contact_trigger, has_call),
    U32(7, contact_trigger, call_entry),
};

static const struct record_field call_log_fields[] = {
    LIST(1, LOGGED_CALLS, call_log, calls),
};

static const struct record_field execution_report_fields[] = {
    U64(1, execution_report, log_rows),
    FIELD(2, COUNTS, execution_report, outcomes, 0),
    FIELD(3, COUNTS, execution_report, attempts, 0),
    I64(4, execution_report, first_call_at),
    I64(5, execution_report, last_call_at),
    U64(6, execution_report, talk_calls),
    U64(7, execution_report, talk_seconds),
};

static const struct record_field call_minute_fields[] = {
    U64(1, call_minute, calls),
    U64(2, call_minute, answered),
};

static const struct record_field job_fields[] = {
    U32(1, job, kind),          U32(2, job, organisation),  U32(3, job, number),
    UUID(4, job, program_id),   UUID(5, job, attribute_id), TEXT(6, job, attribute_name),
    UUID(7, job, last_contact), U64(8, job, contacts),
};

/* The schema version of a table whose records have changed in a way that an older program would
 * misread. All others are at 1. */
enum { RECORD_VERSION = 1 };

#define TABLE(constant, name, record, scanned)                                                     \
    [TABLE_##constant] = {                                                                         \
        name,    sizeof(struct record), RECORD_VERSION,                                            \
        scanned, record##_fields,       sizeof(record##_fields) / sizeof(record##_fields[0])},

const struct record_kind record_kinds[TABLE_COUNT] = {TABLES(TABLE)};
