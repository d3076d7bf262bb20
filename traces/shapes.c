/* One table a struct that messages carry. To add a field: a new key, ascending, never used again
 * for another; a reader of an older format then finds it absent, which is zero. */
#include <stddef.h>

#include "traces/shape.h"

#define MEMBER(record, member) (((const struct record *)0)->member)
#define FIELD(key, type, record, member, max, privacy)                                             \
    {                                                                                              \
        .field = {                                                                                 \
            key,                                                                                   \
            type,                                                                                  \
            sizeof(MEMBER(record, member)),                                                        \
            offsetof(struct record, member),                                                       \
            privacy,                                                                               \
            max,                                                                                   \
            #member                                                                                \
        }                                                                                          \
    }
#define BOOL(key, record, member) FIELD(key, FIELD_BOOL, record, member, 1, PRIVACY_NONE)
#define U16(key, record, member)  FIELD(key, FIELD_UINT, record, member, UINT16_MAX, PRIVACY_NONE)
#define U32(key, record, member)  FIELD(key, FIELD_UINT, record, member, UINT32_MAX, PRIVACY_NONE)
#define U64(key, record, member)  FIELD(key, FIELD_UINT, record, member, UINT64_MAX, PRIVACY_NONE)
#define I64(key, record, member)  FIELD(key, FIELD_INT, record, member, 0, PRIVACY_NONE)
#define UUID(key, record, member) FIELD(key, FIELD_UUID, record, member, 0, PRIVACY_NONE)
#define TEXT(key, record, member) FIELD(key, FIELD_TEXT, record, member, 0, PRIVACY_NONE)
#define SECRET(key, record, member, privacy)                                                       \
    FIELD(key, FIELD_TEXT, record, member, 0, PRIVACY_##privacy)

/* An enum, up to its last constant. */
#define ENUM(key, record, member, last) FIELD(key, FIELD_UINT, record, member, last, PRIVACY_NONE)

/* A list takes up its pointer and its count as one struct record_list. */
#define LIST_FIELD(key, type, record, pointer, max)                                                \
    {                                                                                              \
        key, type, sizeof(struct record_list), offsetof(struct record, pointer), PRIVACY_NONE,     \
            max, #pointer                                                                          \
    }
#define SIMPLE_LIST(key, type, record, pointer)                                                    \
    {                                                                                              \
        .field = LIST_FIELD(key, type, record, pointer, 0)                                         \
    }
#define LIST(key, record, pointer, of, most)                                                       \
    {                                                                                              \
        .field = LIST_FIELD(key, TRACE_LIST, record, pointer, most), .shape = &(of)                \
    }
#define LIST_LAYOUT(record, pointer, count)                                                        \
    _Static_assert(offsetof(struct record, count) ==                                               \
                       offsetof(struct record, pointer) + sizeof(const void *),                    \
                   "the count follows the pointer")
#define STRUCT(key, record, member, of)                                                            \
    {                                                                                              \
        .field = {key,                                                                             \
                  TRACE_STRUCT,                                                                    \
                  sizeof(MEMBER(record, member)),                                                  \
                  offsetof(struct record, member),                                                 \
                  PRIVACY_NONE,                                                                    \
                  0,                                                                               \
                  #member},                                                                        \
        .shape = &(of)                                                                             \
    }
#define RECORD(key, record, member, of)                                                            \
    {                                                                                              \
        .field = {key,                                                                             \
                  TRACE_RECORD,                                                                    \
                  sizeof(MEMBER(record, member)),                                                  \
                  offsetof(struct record, member),                                                 \
                  PRIVACY_NONE,                                                                    \
                  0,                                                                               \
                  #member},                                                                        \
        .table = TABLE_##of                                                                        \
    }
#define POINTER(key, record, member, of)                                                           \
    {                                                                                              \
        .field = {key,                                                                             \
                  TRACE_RECORD_POINTER,                                                            \
                  sizeof(void *),                                                                  \
                  offsetof(struct record, member),                                                 \
                  PRIVACY_NONE,                                                                    \
                  0,                                                                               \
                  #member},                                                                        \
        .table = TABLE_##of                                                                        \
    }
#define SHAPE(name, record)                                                                        \
    static const struct trace_shape name = {sizeof(struct record), name##_fields,                  \
                                            sizeof(name##_fields) / sizeof(name##_fields[0])}

/* A list is as long as its message may be large (TRACE_FRAME_MAX). */
#define ANY_COUNT UINT32_MAX

LIST_LAYOUT(contact, attributes, attribute_count);
LIST_LAYOUT(contact_list, contacts, count);
LIST_LAYOUT(contact_import, contacts, count);
LIST_LAYOUT(id_list, ids, count);
LIST_LAYOUT(resume, rules, rule_count);
LIST_LAYOUT(calls_offered, calls, count);

/* ---- patches ---- */

static const struct trace_field organisation_patch_fields[] = {
    U32(1, organisation_patch, present),
    RECORD(2, organisation_patch, value, ORGANISATION),
};
SHAPE(organisation_patch, organisation_patch);

static const struct trace_field did_patch_fields[] = {
    UUID(1, did_patch, id),
    U32(2, did_patch, present),
    ENUM(3, did_patch, status, DID_INACTIVE),
};
SHAPE(did_patch, did_patch);

/* A value in a patch may be null, and has the type that the client's JSON had. */
static const struct trace_field attribute_fields[] = {
    TEXT(1, attribute_value, name),
    ENUM(2, attribute_value, type, ATTRIBUTE_DATE),
    FIELD(3, FIELD_TEXT, attribute_value, text, 0, PRIVACY_VALUE),
    FIELD(4, TRACE_DOUBLE, attribute_value, number, 0, PRIVACY_NONE),
    BOOL(5, attribute_value, boolean),
    BOOL(6, attribute_value, is_null),
};
SHAPE(attribute, attribute_value);

static const struct trace_field contact_fields[] = {
    UUID(1, contact, id),
    SECRET(2, contact, primary_phone, PHONE),
    SECRET(3, contact, first_name, TEXT),
    SECRET(4, contact, last_name, TEXT),
    SECRET(5, contact, full_name, TEXT),
    SECRET(6, contact, primary_email, TEXT),
    TEXT(7, contact, timezone),
    BOOL(8, contact, do_not_call),
    LIST(9, contact, attributes, attribute, ANY_COUNT),
    I64(10, contact, created_at),
    I64(11, contact, updated_at),
};
SHAPE(contact, contact);

static const struct trace_field contact_patch_fields[] = {
    U32(1, contact_patch, present),
    STRUCT(2, contact_patch, value, contact),
};
SHAPE(contact_patch, contact_patch);

static const struct trace_field program_patch_fields[] = {
    U32(1, program_patch, present),
    RECORD(2, program_patch, value, PROGRAM),
    U32(3, program_patch, value.new_audience),
};
SHAPE(program_patch, program_patch);

/* The record, and what is never stored of it. */
static const struct trace_field program_fields[] = {
    {.field = {1, TRACE_RECORD, sizeof(struct program), 0, PRIVACY_NONE, 0, "program"},
     .table = TABLE_PROGRAM},
    U32(2, program, new_audience),
};
SHAPE(program, program);

static const struct trace_field flow_patch_fields[] = {
    U32(1, flow_patch, present),
    RECORD(2, flow_patch, value, FLOW),
};
SHAPE(flow_patch, flow_patch);

/* ---- other payloads ---- */

static const struct trace_field owned_id_fields[] = {
    U32(1, owned_id, owner),
    UUID(2, owned_id, id),
};
SHAPE(owned_id, owned_id);

static const struct trace_field owned_name_fields[] = {
    UUID(1, owned_name, id),
    SECRET(2, owned_name, name, TEXT),
};
SHAPE(owned_name, owned_name);

static const struct trace_field id_list_fields[] = {
    UUID(1, id_list, id),
    SIMPLE_LIST(2, FIELD_UUIDS, id_list, ids),
};
SHAPE(id_list, id_list);

static const struct trace_field contact_list_fields[] = {
    LIST(1, contact_list, contacts, contact_patch, ANY_COUNT),
};
SHAPE(contact_list, contact_list);

static const struct trace_field response_kept_fields[] = {
    U32(1, response_kept, organisation),
    FIELD(2, FIELD_HASH, response_kept, hash, 0, PRIVACY_NONE),
    RECORD(3, response_kept, response, IDEMPOTENCY),
};
const struct trace_shape trace_kept_shape = {sizeof(struct response_kept), response_kept_fields,
                                             sizeof(response_kept_fields) /
                                                 sizeof(response_kept_fields[0])};

static const struct trace_field contact_import_fields[] = {
    LIST(1, contact_import, contacts, contact_patch, ANY_COUNT),
    BOOL(2, contact_import, has_audience),
    UUID(3, contact_import, audience),
};
SHAPE(contact_import, contact_import);

static const struct trace_field launch_request_fields[] = {
    UUID(1, launch_request, program_id),
    U32(2, launch_request, execution_number),
    UUID(3, launch_request, execution_id),
};
SHAPE(launch_request, launch_request);

static const struct trace_field launch_fields[] = {
    POINTER(1, launch, settings, EXECUTION),
    U64(2, launch, audience_contacts),
};
SHAPE(launch, launch);

static const struct trace_field execution_ended_fields[] = {
    UUID(1, execution_ended, program_id),
    U32(2, execution_ended, execution),
};
SHAPE(execution_ended, execution_ended);

static const struct trace_field slice_fields[] = {
    U32(1, slice_of_work, number),
    U32(2, slice_of_work, from),
    BOOL(3, slice_of_work, is_at_triggers),
    I64(4, slice_of_work, due_from),
};
SHAPE(slice, slice_of_work);

static const struct trace_field resume_fields[] = {
    BOOL(1, resume, has_rules),
    SIMPLE_LIST(2, FIELD_RULES, resume, rules),
};
SHAPE(resume, resume);

static const struct trace_field grant_fields[] = {
    U32(1, call_grant, calls),
    BOOL(2, call_grant, has_credits),
};
SHAPE(grant, call_grant);

static const struct trace_field credits_fields[] = {
    U32(1, credits_change, organisation),
    BOOL(2, credits_change, is_limited),
    I64(3, credits_change, amount),
};
SHAPE(credits, credits_change);

static const struct trace_field did_changed_fields[] = {
    UUID(1, did_changed, id),
    BOOL(2, did_changed, is_usable),
    U32(3, did_changed, owner),
};
SHAPE(did_changed, did_changed);

static const struct trace_field demand_fields[] = {
    U32(1, demand, execution), U32(2, demand, organisation), U32(3, demand, gateway),
    U32(4, demand, calls),     BOOL(5, demand, is_gone),
};
SHAPE(demand, demand);

static const struct trace_field offered_call_fields[] = {
    U32(1, offered_call, entry),
    U16(2, offered_call, attempt),
};
SHAPE(offered_call, offered_call);

static const struct trace_field calls_offered_fields[] = {
    U32(1, calls_offered, execution),
    U32(2, calls_offered, organisation),
    U32(3, calls_offered, gateway),
    LIST(4, calls_offered, calls, offered_call, ANY_COUNT),
};
SHAPE(calls_offered, calls_offered);

static const struct trace_field room_fields[] = {
    U32(1, call_room, execution),     U32(2, call_room, organisation),
    U32(3, call_room, gateway),       U32(4, call_room, count),
    U32(5, call_room, credits_spent), U32(6, call_room, credits_returned),
    BOOL(7, call_room, is_all),       STRUCT(8, call_room, call, offered_call),
};
SHAPE(room, call_room);

static const struct trace_field back_off_fields[] = {
    U32(1, back_off, gateway),
    I64(2, back_off, until_mono),
};
SHAPE(back_off, back_off);

static const struct trace_field claim_fields[] = {
    TEXT(1, claim, gateway),
    U32(2, claim, max),
    BOOL(3, claim, waits),
    UUID(4, claim, claim_id),
};
SHAPE(claim, claim);

static const struct trace_field restored_fields[] = {
    U32(1, store_restored, era),
};
SHAPE(restored, store_restored);

/* ---- calls ---- */

static const struct trace_field claimed_fields[] = {
    U32(1, call_claimed, entry),
    U16(2, call_claimed, attempt),
    UUID(3, call_claimed, claim_id),
};
SHAPE(claimed, call_claimed);

#define EVENT                                                                                      \
    U32(1, call_event, entry), U16(2, call_event, attempt), U32(3, call_event, tag),               \
        U32(4, call_event, part), BOOL(5, call_event, from_gateway)

static const struct trace_field started_fields[] = {
    EVENT,
    UUID(6, call_event, started.claim_id),
};
SHAPE(started, call_event);

static const struct trace_field node_fields[] = {
    EVENT,
    TEXT(6, call_event, node.node_id),
    U64(7, call_event, node.seq),
};
SHAPE(node, call_event);

static const struct trace_field result_fields[] = {
    EVENT,
    ENUM(6, call_event, result.outcome, OUTCOME_TIMEOUT),
    BOOL(7, call_event, result.has_duration),
    U32(8, call_event, result.duration_seconds),
    SECRET(9, call_event, result.detail, FREE),
};
SHAPE(result, call_event);

static const struct trace_field released_fields[] = {
    EVENT,
    SECRET(6, call_event, released.reason, FREE),
    U32(7, call_event, released.retry_after_seconds),
    UUID(8, call_event, released.claim_id),
};
SHAPE(released, call_event);

/* ---- message types ---- */

#define NOTHING(type)       [MESSAGE_##type] = {.kind = TRACE_PAYLOAD_NONE}
#define VALUE(type, name)   [MESSAGE_##type] = {.kind = TRACE_PAYLOAD_VALUE, .shape = &(name)}
#define POINTED(type, name) [MESSAGE_##type] = {.kind = TRACE_PAYLOAD_POINTER, .shape = &(name)}
#define RECORDED(type, record)                                                                     \
    [MESSAGE_##type] = {.kind = TRACE_PAYLOAD_RECORD, .table = TABLE_##record}

const struct trace_payload trace_payloads[MESSAGE_TYPE_COUNT] = {
    RECORDED(ORGANISATION_CREATE, ORGANISATION),
    POINTED(ORGANISATION_PATCH, organisation_patch),
    RECORDED(API_KEY_CREATE, API_KEY),
    VALUE(API_KEY_DELETE, owned_id),
    RECORDED(DID_CREATE, DID),
    POINTED(DID_PATCH, did_patch),
    VALUE(DID_DELETE, owned_id),
    POINTED(RESPONSE_KEPT, trace_kept_shape),
    VALUE(RESTORE_TOLD, restored),
    RECORDED(ATTRIBUTE_CREATE, ATTRIBUTE),
    VALUE(ATTRIBUTE_DELETE, owned_id),
    VALUE(REMOVE_ATTRIBUTE_SLICE, owned_id),
    POINTED(CONTACT_CREATE, contact_patch),
    POINTED(CONTACT_PATCH, contact_patch),
    VALUE(CONTACT_DELETE, owned_id),
    POINTED(CONTACTS_UPSERT, contact_list),
    POINTED(CONTACTS_IMPORT, contact_import),
    RECORDED(AUDIENCE_CREATE, AUDIENCE),
    VALUE(AUDIENCE_PATCH, owned_name),
    VALUE(AUDIENCE_DELETE, owned_id),
    VALUE(MEMBERS_ADD, id_list),
    VALUE(MEMBERS_REMOVE, id_list),
    VALUE(EMPTY_AUDIENCE_SLICE, slice),
    RECORDED(FLOW_CREATE, FLOW),
    POINTED(FLOW_PATCH, flow_patch),
    VALUE(FLOW_DELETE, owned_id),
    POINTED(PROGRAM_CREATE, program),
    POINTED(PROGRAM_PATCH, program_patch),
    VALUE(PROGRAM_DELETE, owned_id),
    VALUE(PROGRAM_LAUNCH, launch_request),
    VALUE(EXECUTION_ENDED, execution_ended),
    RECORDED(STATUS_CHANGED, EVENT),
    VALUE(LAUNCH, launch),
    NOTHING(SNAPSHOT_SLICE),
    NOTHING(SKIP_SLICE),
    NOTHING(TRIGGER_SLICE),
    VALUE(CONTACTS_CHANGED, id_list),
    NOTHING(TICK),
    VALUE(GRANT, grant),
    NOTHING(NO_CREDITS),
    VALUE(CALL_CLAIMED, claimed),
    POINTED(CALL_STARTED, started),
    POINTED(NODE_EXECUTED, node),
    POINTED(CALL_RESULT, result),
    POINTED(CALL_RELEASED, released),
    NOTHING(PAUSE),
    VALUE(RESUME, resume),
    NOTHING(CANCEL),
    VALUE(DID_CHANGED, did_changed),
    [MESSAGE_ZONE_RULES] = {.kind = TRACE_PAYLOAD_ZONE},
    NOTHING(CLOCK_GAP),
    VALUE(RESTORED, restored),
    VALUE(DEMAND, demand),
    VALUE(CALLS_OFFERED, calls_offered),
    VALUE(CALLS_UNDER_WAY, room),
    VALUE(CALLS_WITHDRAWN, room),
    VALUE(CALL_OVER, room),
    VALUE(GATEWAY_BACK_OFF, back_off),
    VALUE(CLAIM, claim),
    NOTHING(CLAIM_GIVEN_UP),
    RECORDED(ORGANISATION_CHANGED, ORGANISATION),
    VALUE(CREDITS_SET, credits),
    VALUE(CREDITS_ADD, credits),
    NOTHING(DISPATCH),
    VALUE(REMOVE_EXECUTION_SLICE, slice),
};
