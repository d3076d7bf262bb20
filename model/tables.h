/* The list of tables (LMDB named databases): name, record, key layout. The one place that names
 * them all.
 *
 * TABLE(constant, database name, record struct, scanned): `scanned` tables are walked in order by
 * actors, which must see their own uncommitted rows there; of the others actors only get single
 * rows by key.
 */
#ifndef OUTDIAL_MODEL_TABLES_H
#define OUTDIAL_MODEL_TABLES_H

#include <stdbool.h>

#define TABLES(TABLE)                                                                              \
    /* text -> meta: schema versions, the store's own id */                                        \
    TABLE(META, "meta", meta, false)                                                               \
    /* organisation u32 */                                                                         \
    TABLE(ORGANISATION, "organisations", organisation, false)                                      \
    /* organisation u32: written once a commit */                                                  \
    TABLE(CREDITS, "credits", credits, false)                                                      \
    /* id -> number */                                                                             \
    TABLE(ORGANISATION_BY_ID, "organisations_by_id", number_row, false)                            \
    /* (organisation u32 or 0 for the platform, id) */                                             \
    TABLE(API_KEY, "api_keys", api_key, false)                                                     \
    /* hash -> (owner, id) */                                                                      \
    TABLE(API_KEY_BY_HASH, "api_keys_by_hash", owned_id, false)                                    \
    /* (owner organisation u32 or 0 when shared, id) */                                            \
    TABLE(DID, "dids", did, false)                                                                 \
    /* id -> owner */                                                                              \
    TABLE(DID_OWNER, "did_owners", number_row, false)                                              \
    /* number text -> (owner, id) */                                                               \
    TABLE(DID_BY_NUMBER, "dids_by_number", owned_id, false)                                        \
    /* (organisation, id) */                                                                       \
    TABLE(ATTRIBUTE, "attributes", attribute, true)                                                \
    /* (organisation, name) -> (organisation, id) */                                               \
    TABLE(ATTRIBUTE_BY_NAME, "attributes_by_name", owned_id, false)                                \
    /* (organisation, id) */                                                                       \
    TABLE(CONTACT, "contacts", contact, true)                                                      \
    /* (organisation, E.164 text) -> (organisation, id) */                                         \
    TABLE(CONTACT_BY_PHONE, "contacts_by_phone", owned_id, false)                                  \
    /* (organisation, id) */                                                                       \
    TABLE(AUDIENCE, "audiences", audience, false)                                                  \
    /* (audience number u32, contact id) */                                                        \
    TABLE(MEMBER, "members", member, true)                                                         \
    /* (organisation, contact id, audience number u32) -> the audience's (organisation, id) */     \
    TABLE(MEMBERSHIP, "memberships", owned_id, true)                                               \
    /* (organisation, id) */                                                                       \
    TABLE(FLOW, "flows", flow, false)                                                              \
    /* (organisation, id) */                                                                       \
    TABLE(PROGRAM, "programs", program, false)                                                     \
    /* execution u32: settings, written at launch and when rules change */                         \
    TABLE(EXECUTION, "executions", execution_settings, false)                                      \
    /* execution u32: what moves, written once a commit */                                         \
    TABLE(EXECUTION_STATE, "execution_states", execution_state, false)                             \
    /* execution u32, while it has not ended: the counters of its rules */                         \
    TABLE(NODE_COUNTERS, "node_counters", node_counters, false)                                    \
    /* id -> number */                                                                             \
    TABLE(EXECUTION_BY_ID, "executions_by_id", number_row, false)                                  \
    /* (organisation, program id, execution u32) -> execution */                                   \
    TABLE(PROGRAM_EXECUTION, "program_executions", number_row, false)                              \
    /* (organisation, execution u32) -> execution */                                               \
    TABLE(ORGANISATION_EXECUTION, "organisation_executions", number_row, false)                    \
    /* (organisation, execution u32), only while there is work left for it (also the skipping      \
     * of contacts and calls under way after a cancel): what a start loads */                      \
    TABLE(ACTIVE_EXECUTION, "active_executions", number_row, false)                                \
    /* (execution u32, entry u32): a contact in an execution */                                    \
    TABLE(ENTRY, "entries", entry, true)                                                           \
    /* (execution u32, due i64, entry u32): the pending contacts, in the order of dialling */      \
    TABLE(DUE, "due", due_row, true)                                                               \
    /* (execution u32, entry u32): calls that are queued or under way */                           \
    TABLE(LIVE_CALL, "live_calls", live_call, true)                                                \
    /* (execution u32, entry u32, attempt u16): calls that have ended */                           \
    TABLE(CALL, "calls", call, false)                                                              \
    /* (organisation u32, sequence u64): changes of status, as its streams tell them */            \
    TABLE(EVENT, "events", status_event, false)                                                    \
    /* organisation u32 -> the sequence number given last */                                       \
    TABLE(EVENT_HEAD, "event_heads", event_head, false)                                            \
    /* (at i64, organisation u32, sequence u64): events, oldest first */                           \
    TABLE(EVENT_BY_TIME, "events_by_time", due_row, true)                                          \
    /* (ended at i64, execution u32): executions without work left, oldest end first */            \
    TABLE(ENDED_EXECUTION, "ended_executions", due_row, true)                                      \
    /* (organisation, program id, due i64, execution u32, serial u32): triggers as they are listed \
     */                                                                                            \
    TABLE(TRIGGER, "triggers", trigger, true)                                                      \
    /* (execution u32, due i64, serial u32): the pending triggers, in the order of firing */       \
    TABLE(TRIGGER_DUE, "trigger_due", due_row, true)                                               \
    /* (execution u32, contact id): its newest trigger, and its call */                            \
    TABLE(CONTACT_TRIGGER, "contact_triggers", contact_trigger, false)                             \
    /* (execution u32, contact id, entry u32): entries that are due and wait until another call    \
     * to the contact has ended; their due rows are at INSTANT_NEVER */                            \
    TABLE(WAITING, "waiting", due_row, true)                                                       \
    /* (organisation, execution u32): live executions that have not ended, which hear of changed   \
     * contacts */                                                                                 \
    TABLE(LIVE_EXECUTION, "live_executions", number_row, true)                                     \
    /* (execution u32, serial u64): the calls of an execution in the order in which they were      \
     * queued, some hundred a row */                                                               \
    TABLE(CALL_LOG, "call_logs", call_log, true)                                                   \
    /* execution u32: what its report counts, written once a commit. Executions that were launched \
     * before there were reports have none, and no log */                                          \
    TABLE(EXECUTION_REPORT, "execution_reports", execution_report, false)                          \
    /* (execution u32, minute u32 since 1970): the calls that ended in it */                       \
    TABLE(CALL_MINUTE, "call_minutes", call_minute, true)                                          \
    /* text -> job: long work that must go on after a crash, e.g. emptying a deleted audience */   \
    TABLE(JOB, "jobs", job, true)                                                                  \
    /* (organisation u32 or 0 for the platform, hash of an Idempotency-Key) */                     \
    TABLE(IDEMPOTENCY, "idempotency", kept_response, false)                                        \
    /* (created i64, organisation u32, hash): the same, for their removal */                       \
    TABLE(IDEMPOTENCY_BY_TIME, "idempotency_by_time", due_row, true)

enum table {

#define TABLE(constant, name, record, scanned) TABLE_##constant,
    TABLES(TABLE)
#undef TABLE
        TABLE_COUNT
};

#endif
