/* A small store in which everything agrees: an organisation with six contacts, and executions that
 * run, are being cancelled, and are over.
 */
#ifndef OUTDIAL_TESTS_UNIT_STORAGE_CHECK_WORLD_H
#define OUTDIAL_TESTS_UNIT_STORAGE_CHECK_WORLD_H

#include "model/records.h"
#include "tests/unit/storage/store_fixture.h"

enum {
    WORLD_ORGANISATION = 1,
    WORLD_AUDIENCE = 10, /* numbers */
    WORLD_EMPTIED = 11,
    WORLD_REMOVED = 4,
    WORLD_RUNNING = 5,
    WORLD_CANCELLED = 6,
    WORLD_OVER = 7,
    WORLD_CONTACTS = 6,
    WORLD_AT = 1000000,
};

/* Ids by kind, so that no two are the same. */
static inline struct uuid world_id(char kind, uint8_t number)
{
    return (struct uuid){.bytes = {(uint8_t)kind, [15] = number}};
}

static inline struct uuid world_contact(uint8_t number)
{
    return world_id('c', number);
}

static inline void world_owned(struct batch *batch, enum table table, const struct key *key,
                               uint32_t owner, struct uuid id)
{
    batch_put(batch, table, key, &(struct owned_id){owner, id});
}

static inline void world_number(struct batch *batch, enum table table, struct key key,
                                uint32_t number)
{
    batch_put(batch, table, &key, &(struct number_row){number});
}

static inline void world_api_key(struct batch *batch, uint32_t owner, uint8_t number)
{
    struct api_key api_key = {.id = world_id('k', number),
                              .owner = owner,
                              .role = owner == 0 ? ROLE_ADMIN : ROLE_ORG,
                              .hash = {number, 1}};
    struct key key = key_owned(owner, &api_key.id), by_hash = key_hash(api_key.hash);

    batch_put(batch, TABLE_API_KEY, &key, &api_key);
    world_owned(batch, TABLE_API_KEY_BY_HASH, &by_hash, owner, api_key.id);
}

static inline void world_did(struct batch *batch, uint32_t owner, uint8_t number)
{
    char text[] = "+10000000";
    struct did did = {.id = world_id('d', number), .owner = owner, .status = DID_ACTIVE};
    struct key key = key_owned(owner, &did.id), by_number;

    text[8] = (char)('0' + number);
    did.number = slice_from(text);
    by_number = key_text(did.number);
    batch_put(batch, TABLE_DID, &key, &did);
    world_number(batch, TABLE_DID_OWNER, key_uuid(&did.id), owner);
    world_owned(batch, TABLE_DID_BY_NUMBER, &by_number, owner, did.id);
}

/* A response that is kept, and its place in the index. */
static inline void world_kept_response(struct batch *batch, uint32_t owner, uint8_t number)
{
    const uint8_t hash[KEY_HASH_BYTES] = {number, 1, 2};
    struct kept_response kept = {.fingerprint = {number},
                                 .status = 201,
                                 .request_id = SLICE("one"),
                                 .body = SLICE("sealed"),
                                 .created_at = WORLD_AT};
    struct key key = key_idempotency(owner, hash);
    struct key by_time = key_idempotency_by_time(WORLD_AT, owner, hash);

    batch_put(batch, TABLE_IDEMPOTENCY, &key, &kept);
    batch_put(batch, TABLE_IDEMPOTENCY_BY_TIME, &by_time, &(struct due_row){0});
}

static inline void world_platform(struct batch *batch)
{
    struct organisation organisation = {.number = WORLD_ORGANISATION,
                                        .id = world_id('o', 1),
                                        .name = SLICE("One"),
                                        .timezone = SLICE("UTC")};
    struct key key = key_u32(WORLD_ORGANISATION);

    batch_put(batch, TABLE_ORGANISATION, &key, &organisation);
    world_number(batch, TABLE_ORGANISATION_BY_ID, key_uuid(&organisation.id), WORLD_ORGANISATION);
    world_api_key(batch, 0, 1);
    world_api_key(batch, WORLD_ORGANISATION, 2);
    world_did(batch, 0, 1);
    world_did(batch, WORLD_ORGANISATION, 2);
    world_kept_response(batch, 0, 1);
    world_kept_response(batch, WORLD_ORGANISATION, 2);
}

static inline void world_member(struct batch *batch, uint32_t audience, uint8_t contact,
                                struct uuid audience_id)
{
    struct uuid id = world_contact(contact);
    struct key key = key_member(audience, &id);

    batch_put(batch, TABLE_MEMBER, &key, &(struct member){WORLD_AT});
    key = key_membership(WORLD_ORGANISATION, &id, audience);
    world_owned(batch, TABLE_MEMBERSHIP, &key, WORLD_ORGANISATION, audience_id);
}

static inline void world_contact_put(struct batch *batch, uint8_t number)
{
    char phone[] = "+200000000";
    struct contact contact = {.id = world_contact(number)};
    struct key key = key_owned(WORLD_ORGANISATION, &contact.id);

    phone[9] = (char)('0' + number);
    contact.primary_phone = slice_from(phone);
    batch_put(batch, TABLE_CONTACT, &key, &contact);
    key = key_owned_text(WORLD_ORGANISATION, contact.primary_phone);
    world_owned(batch, TABLE_CONTACT_BY_PHONE, &key, WORLD_ORGANISATION, contact.id);
    world_member(batch, WORLD_AUDIENCE, number, world_id('a', 1));
}

static inline void world_directory(struct batch *batch)
{
    struct audience audience = {.id = world_id('a', 1),
                                .number = WORLD_AUDIENCE,
                                .contact_count = WORLD_CONTACTS,
                                .program_count = 1};
    struct attribute attribute = {
        .id = world_id('t', 1), .name = SLICE("born"), .type = ATTRIBUTE_DATE};
    struct flow flow = {.id = world_id('f', 1), .program_count = 1};
    struct job job = {
        .kind = JOB_EMPTY_AUDIENCE, .organisation = WORLD_ORGANISATION, .number = WORLD_EMPTIED};
    struct key key = key_owned(WORLD_ORGANISATION, &audience.id);

    batch_put(batch, TABLE_AUDIENCE, &key, &audience);
    for (unsigned i = 0; i < WORLD_CONTACTS; i++) {
        world_contact_put(batch, (uint8_t)i);
    }
    key = key_owned(WORLD_ORGANISATION, &attribute.id);
    batch_put(batch, TABLE_ATTRIBUTE, &key, &attribute);
    key = key_owned_text(WORLD_ORGANISATION, attribute.name);
    world_owned(batch, TABLE_ATTRIBUTE_BY_NAME, &key, WORLD_ORGANISATION, attribute.id);
    key = key_owned(WORLD_ORGANISATION, &flow.id);
    batch_put(batch, TABLE_FLOW, &key, &flow);
    key = key_text(SLICE("empty_audience/0000000011"));
    batch_put(batch, TABLE_JOB, &key, &job);
    world_member(batch, WORLD_EMPTIED, 0, world_id('a', 2));
}

static inline void world_programs(struct batch *batch)
{
    struct uuid pool[] = {world_id('d', 1), world_id('d', 2)};
    struct program program = {.id = world_id('p', 1),
                              .flow_id = world_id('f', 1),
                              .audience_id = world_id('a', 1),
                              .did_pool = pool,
                              .did_count = 2,
                              .mode = MODE_BATCH,
                              .status = PROGRAM_ACTIVE,
                              .active_execution = WORLD_RUNNING};
    struct program deleted = {.id = world_id('p', 2),
                              .flow_id = world_id('f', 9),
                              .audience_id = world_id('a', 9),
                              .is_deleted = true};
    struct key key = key_owned(WORLD_ORGANISATION, &program.id);

    batch_put(batch, TABLE_PROGRAM, &key, &program);
    key = key_owned(WORLD_ORGANISATION, &deleted.id);
    batch_put(batch, TABLE_PROGRAM, &key, &deleted);
}

/* The one that is over is the deleted program's. */
static inline void world_execution(struct batch *batch, uint32_t number, bool is_active,
                                   const struct execution_state *state)
{
    struct pool_did pool[] = {{world_id('d', 1), SLICE("+10000001")}};
    struct execution_settings settings = {.number = number,
                                          .id = world_id('e', (uint8_t)number),
                                          .organisation = WORLD_ORGANISATION,
                                          .program_id = world_id('p', is_active ? 1 : 2),
                                          .audience = WORLD_AUDIENCE,
                                          .dids = pool,
                                          .did_count = 1,
                                          .created_at = WORLD_AT};
    struct key key = key_u32(number);

    batch_put(batch, TABLE_EXECUTION, &key, &settings);
    batch_put(batch, TABLE_EXECUTION_STATE, &key, state);
    world_number(batch, TABLE_EXECUTION_BY_ID, key_uuid(&settings.id), number);
    world_number(batch, TABLE_PROGRAM_EXECUTION,
                 key_program_execution(WORLD_ORGANISATION, &settings.program_id, number), number);
    key = key_organisation_execution(WORLD_ORGANISATION, number);
    world_number(batch, TABLE_ORGANISATION_EXECUTION, key, number);
    if (is_active) {
        world_number(batch, TABLE_ACTIVE_EXECUTION, key, number);
    } else {
        key = key_ended_execution(state->actual_end_at, number);
        batch_put(batch, TABLE_ENDED_EXECUTION, &key, &(struct due_row){0});
    }
}

/* A contact of an execution, with `attempts` ended calls. */
static inline void world_entry(struct batch *batch, uint32_t execution, uint32_t number,
                               enum entry_status status, uint16_t attempts)
{
    struct entry entry = {
        .contact_id = world_contact((uint8_t)number), .status = status, .attempts = attempts};
    struct key key = key_entry(execution, number);

    if (status == ENTRY_PENDING_RETRY) {
        entry.next_attempt_at = WORLD_AT + 1000;
    }
    batch_put(batch, TABLE_ENTRY, &key, &entry);
    for (uint16_t attempt = 1; attempt <= attempts; attempt++) {
        struct call call = {.entry = number,
                            .attempt = attempt,
                            .contact_id = entry.contact_id,
                            .outcome = OUTCOME_BUSY};

        key = key_call(execution, number, attempt);
        batch_put(batch, TABLE_CALL, &key, &call);
    }
}

static inline void world_due(struct batch *batch, uint32_t execution, uint32_t number, int64_t at)
{
    struct key key = key_due(execution, at, number);

    batch_put(batch, TABLE_DUE, &key, &(struct due_row){0});
}

static inline void world_live(struct batch *batch, uint32_t execution, uint32_t number,
                              uint16_t attempt)
{
    struct live_call live = {.entry = number,
                             .attempt = attempt,
                             .contact_id = world_contact((uint8_t)number),
                             .status = attempt == 1 ? CALL_QUEUED : CALL_STARTED,
                             .to = SLICE("+200000000")};
    struct key key = key_entry(execution, number);

    batch_put(batch, TABLE_LIVE_CALL, &key, &live);
}

/* The first two of three events have been removed. */
static inline void world_events(struct batch *batch)
{
    struct status_event event = {.execution = WORLD_OVER,
                                 .execution_id = world_id('e', WORLD_OVER),
                                 .status = EXECUTION_COMPLETED,
                                 .at = WORLD_AT,
                                 .filed_at = WORLD_AT};
    struct event_head head = {.last = 3, .last_at = WORLD_AT};
    struct key key = key_event(WORLD_ORGANISATION, 3);

    batch_put(batch, TABLE_EVENT, &key, &event);
    key = key_event_by_time(WORLD_AT, WORLD_ORGANISATION, 3);
    batch_put(batch, TABLE_EVENT_BY_TIME, &key, &(struct due_row){0});
    key = key_u32(WORLD_ORGANISATION);
    batch_put(batch, TABLE_EVENT_HEAD, &key, &head);
}

/* What a job has left of an execution. */
static inline void world_removed(struct batch *batch)
{
    struct job job = {
        .kind = JOB_REMOVE_EXECUTION, .organisation = WORLD_ORGANISATION, .number = WORLD_REMOVED};
    struct key key = key_text(SLICE("remove_execution/0000000004"));

    batch_put(batch, TABLE_JOB, &key, &job);
    world_entry(batch, WORLD_REMOVED, 1, ENTRY_COMPLETED, 2);
}

/* The log and the report of the running execution: five calls that have ended, two under way. The
 * others have no report. */
static inline void world_report(struct batch *batch)
{
    static const struct logged_call first[] = {{0, 1}, {1, 1}, {4, 1}, {5, 1}};
    static const struct logged_call second[] = {{3, 1}, {4, 2}, {5, 2}};
    struct execution_report report = {
        .log_rows = 2, .outcomes = {.at = {[OUTCOME_BUSY] = 5}}, .attempts = {.at = {0, 1, 1}}};
    struct key key = key_call_log(WORLD_RUNNING, 0);

    batch_put(batch, TABLE_CALL_LOG, &key, &(struct call_log){first, 4});
    key = key_call_log(WORLD_RUNNING, 1);
    batch_put(batch, TABLE_CALL_LOG, &key, &(struct call_log){second, 3});
    key = key_call_minute(WORLD_RUNNING, 0);
    batch_put(batch, TABLE_CALL_MINUTE, &key, &(struct call_minute){.calls = 5});
    key = key_u32(WORLD_RUNNING);
    batch_put(batch, TABLE_EXECUTION_REPORT, &key, &report);
}

static inline void world_make(struct batch *batch)
{
    struct execution_state running = {.status = EXECUTION_RUNNING,
                                      .counters = {6, 1, 1, 2, 2, 0},
                                      .snapshot_done = true,
                                      .next_entry = 6};
    struct execution_state cancelled = {.status = EXECUTION_CANCELLED,
                                        .counters = {3, 0, 0, 0, 1, 2},
                                        .snapshot_done = true,
                                        .next_entry = 3};
    struct execution_state over = {.status = EXECUTION_COMPLETED,
                                   .counters = {1, 1, 0, 0, 0, 0},
                                   .snapshot_done = true,
                                   .skip_done = true,
                                   .next_entry = 1,
                                   .actual_end_at = WORLD_AT};

    world_platform(batch);
    world_directory(batch);
    world_programs(batch);
    world_execution(batch, WORLD_RUNNING, true, &running);
    world_entry(batch, WORLD_RUNNING, 0, ENTRY_COMPLETED, 1);
    world_entry(batch, WORLD_RUNNING, 1, ENTRY_PENDING_RETRY, 1);
    world_due(batch, WORLD_RUNNING, 1, WORLD_AT + 1000);
    world_entry(batch, WORLD_RUNNING, 2, ENTRY_PENDING, 0);
    world_due(batch, WORLD_RUNNING, 2, WORLD_AT);
    world_entry(batch, WORLD_RUNNING, 3, ENTRY_PENDING, 0);
    world_live(batch, WORLD_RUNNING, 3, 1);
    world_entry(batch, WORLD_RUNNING, 4, ENTRY_PENDING_RETRY, 1);
    world_live(batch, WORLD_RUNNING, 4, 2);
    world_entry(batch, WORLD_RUNNING, 5, ENTRY_FAILED, 2);
    world_report(batch);
    world_execution(batch, WORLD_CANCELLED, true, &cancelled);
    world_entry(batch, WORLD_CANCELLED, 0, ENTRY_SKIPPED, 0);
    world_entry(batch, WORLD_CANCELLED, 1, ENTRY_PENDING, 0);
    world_due(batch, WORLD_CANCELLED, 1, WORLD_AT);
    world_entry(batch, WORLD_CANCELLED, 2, ENTRY_PENDING, 0);
    world_live(batch, WORLD_CANCELLED, 2, 1);
    world_execution(batch, WORLD_OVER, false, &over);
    world_entry(batch, WORLD_OVER, 0, ENTRY_COMPLETED, 1);
    world_events(batch);
}

#endif
