#include "tests/support/memory_world_print.h"

#include <inttypes.h>

#include "base/check.h"
#include "base/instant.h"
#include "model/names.h"
#include "storage/record.h"

/* ---- keys ---- */

/* The parts of each table's key (model/tables.h): 2, 4, 8: a number of so many bytes, u: an id, i:
 * an instant, t: text, h: bytes. */
static const char *const key_parts[TABLE_COUNT] = {
    [TABLE_META] = "t",
    [TABLE_ORGANISATION] = "4",
    [TABLE_CREDITS] = "4",
    [TABLE_ORGANISATION_BY_ID] = "u",
    [TABLE_API_KEY] = "4u",
    [TABLE_API_KEY_BY_HASH] = "h",
    [TABLE_DID] = "4u",
    [TABLE_DID_OWNER] = "u",
    [TABLE_DID_BY_NUMBER] = "t",
    [TABLE_ATTRIBUTE] = "4u",
    [TABLE_ATTRIBUTE_BY_NAME] = "4t",
    [TABLE_CONTACT] = "4u",
    [TABLE_CONTACT_BY_PHONE] = "4t",
    [TABLE_AUDIENCE] = "4u",
    [TABLE_MEMBER] = "4u",
    [TABLE_MEMBERSHIP] = "4u4",
    [TABLE_FLOW] = "4u",
    [TABLE_PROGRAM] = "4u",
    [TABLE_EXECUTION] = "4",
    [TABLE_EXECUTION_STATE] = "4",
    [TABLE_NODE_COUNTERS] = "4",
    [TABLE_EXECUTION_BY_ID] = "u",
    [TABLE_PROGRAM_EXECUTION] = "4u4",
    [TABLE_ORGANISATION_EXECUTION] = "44",
    [TABLE_ACTIVE_EXECUTION] = "44",
    [TABLE_ENTRY] = "44",
    [TABLE_DUE] = "4i4",
    [TABLE_LIVE_CALL] = "44",
    [TABLE_CALL] = "442",
    [TABLE_EVENT] = "48",
    [TABLE_EVENT_HEAD] = "4",
    [TABLE_EVENT_BY_TIME] = "i48",
    [TABLE_ENDED_EXECUTION] = "i4",
    [TABLE_TRIGGER] = "4ui44",
    [TABLE_TRIGGER_DUE] = "4i4",
    [TABLE_CONTACT_TRIGGER] = "4u",
    [TABLE_WAITING] = "4u4",
    [TABLE_LIVE_EXECUTION] = "44",
    [TABLE_CALL_LOG] = "48",
    [TABLE_EXECUTION_REPORT] = "4",
    [TABLE_CALL_MINUTE] = "44",
    [TABLE_JOB] = "t",
    [TABLE_IDEMPOTENCY] = "4h",
    [TABLE_IDEMPOTENCY_BY_TIME] = "i4h",
};

void story_id(struct buf *out, const char *before, const struct uuid *id)
{
    char text[UUID_TEXT_SIZE];

    uuid_print(id, text);
    SAY(out, "%s%s", before, text);
}

static void say_instant(struct buf *out, const char *before, int64_t at)
{
    char text[INSTANT_TEXT_SIZE];

    if (at == 0) {
        return;
    }
    instant_print(at, text);
    SAY(out, "%s%s", before, text);
}

static void say_text(struct buf *out, const char *before, struct slice text)
{
    if (!slice_is_empty(text)) {
        SAY(out, "%s%.*s", before, SLICE_ARGS(text));
    }
}

/* Prints the part at the offset; returns the offset behind it. */
static unsigned say_key_part(struct buf *out, const struct key *key, char part, unsigned offset)
{
    struct uuid id;

    switch (part) {
    case '2': SAY(out, "%u", (unsigned)key_u16_at(key, offset)); return offset + 2;
    case '4': SAY(out, "%" PRIu32, key_u32_at(key, offset)); return offset + 4;
    case '8': SAY(out, "%" PRIu64, key_u64_at(key, offset)); return offset + 8;
    case 'u':
        id = key_uuid_at(key, offset);
        story_id(out, "", &id);
        return offset + 16;
    case 'i':
        say_instant(out, "", (int64_t)(key_u64_at(key, offset) ^ KEY_SIGN_BIT));
        return offset + 8;
    case 't':
        SAY(out, "%.*s", (int)(key->size - offset), (const char *)key->bytes + offset);
        return key->size;
    default:
        for (; offset < key->size; offset++) {
            SAY(out, "%02x", key->bytes[offset]);
        }
        return offset;
    }
}

static void say_key(struct buf *out, enum table table, const struct key *key)
{
    unsigned offset = 0;

    for (const char *part = key_parts[table]; part != NULL && *part != '\0'; part++) {
        if (offset > 0) {
            SAY(out, "/");
        }
        offset = say_key_part(out, key, *part, offset);
    }
}

/* ---- records ---- */

static void say_state(struct buf *out, const struct execution_state *state)
{
    const struct execution_counters *n = &state->counters;

    SAY(out, " %s", execution_status_name(state->status));
    say_text(out, " reason=", state->status_reason);
    SAY(out,
        " total=%" PRIu64 " completed=%" PRIu64 " failed=%" PRIu64 " pending=%" PRIu64
        " in_progress=%" PRIu64 " skipped=%" PRIu64,
        n->total, n->completed, n->failed, n->pending, n->in_progress, n->skipped);
    say_instant(out, " start=", state->actual_start_at);
    say_instant(out, " end=", state->actual_end_at);
    if (!state->snapshot_done) {
        SAY(out, " snapshot_open");
    }
    if (state->skip_done) {
        SAY(out, " skip_done");
    }
}

static void say_entry(struct buf *out, const struct entry *entry)
{
    SAY(out, " %s attempts=%" PRIu32, entry_status_name(entry->status), entry->attempts);
    if (entry->last_outcome != OUTCOME_NONE) {
        SAY(out, " last=%s", outcome_name(entry->last_outcome));
    }
    say_instant(out, " next=", entry->next_attempt_at);
    say_instant(out, " done=", entry->completed_at);
}

static void say_live_call(struct buf *out, const struct live_call *call)
{
    SAY(out, " attempt=%u %s to=%.*s did=%" PRIu32, (unsigned)call->attempt,
        call_status_name(call->status), SLICE_ARGS(call->to), call->did);
    if (call->leases > 0) {
        SAY(out, " leases=%u", (unsigned)call->leases);
    }
    if (call->released) {
        SAY(out, " released");
    }
    say_instant(out, " started=", call->started_at);
}

static void say_call(struct buf *out, const struct call *call)
{
    SAY(out, " %s", outcome_name(call->outcome));
    say_text(out, " detail=", call->detail);
    if (call->has_duration) {
        SAY(out, " seconds=%" PRIu32, call->duration_seconds);
    }
    if (call->in_doubt) {
        SAY(out, " in_doubt");
    }
    if (call->late_outcome != OUTCOME_NONE) {
        SAY(out, " late=%s", outcome_name(call->late_outcome));
    }
    say_instant(out, " started=", call->started_at);
    say_instant(out, " ended=", call->ended_at);
}

static void say_contact(struct buf *out, const struct contact *contact)
{
    SAY(out, " %.*s", SLICE_ARGS(contact->primary_phone));
    if (contact->do_not_call) {
        SAY(out, " do_not_call");
    }
    if (contact->attribute_count > 0) {
        SAY(out, " attributes=%zu", contact->attribute_count);
    }
}

static void say_program(struct buf *out, const struct program *program)
{
    SAY(out, " %s", program_status_name(program->status));
    if (program->active_execution != 0) {
        SAY(out, " execution=%" PRIu32, program->active_execution);
    }
    if (program->is_deleted) {
        SAY(out, " deleted");
    }
}

static void say_did(struct buf *out, const struct did *did)
{
    SAY(out, " %.*s %s", SLICE_ARGS(did->number), did_status_name(did->status));
}

static void say_audience(struct buf *out, const struct audience *audience)
{
    SAY(out, " number=%" PRIu32 " contacts=%" PRIu64 " programs=%" PRIu32, audience->number,
        audience->contact_count, audience->program_count);
}

static void say_owned(struct buf *out, const struct owned_id *owned)
{
    SAY(out, " %" PRIu32, owned->owner);
    story_id(out, "/", &owned->id);
}

static void say_status_event(struct buf *out, const struct status_event *event)
{
    const struct execution_counters *n = &event->counters;

    SAY(out, " execution=%" PRIu32 " %s", event->execution, execution_status_name(event->status));
    say_text(out, " reason=", event->status_reason);
    SAY(out,
        " total=%" PRIu64 " completed=%" PRIu64 " failed=%" PRIu64 " pending=%" PRIu64
        " in_progress=%" PRIu64 " skipped=%" PRIu64,
        n->total, n->completed, n->failed, n->pending, n->in_progress, n->skipped);
}

static void say_small_record(struct buf *out, enum table table, const void *record)
{
    if (table == TABLE_FLOW) {
        SAY(out, " programs=%" PRIu32, ((const struct flow *)record)->program_count);
    } else if (table == TABLE_ORGANISATION) {
        const struct organisation *organisation = record;
        SAY(out, " %.*s", SLICE_ARGS(organisation->name));
    } else if (table == TABLE_EXECUTION_BY_ID || table == TABLE_ORGANISATION_BY_ID ||
               table == TABLE_DID_OWNER) {
        SAY(out, " %" PRIu32, ((const struct number_row *)record)->number);
    } else if (table == TABLE_API_KEY_BY_HASH || table == TABLE_DID_BY_NUMBER ||
               table == TABLE_ATTRIBUTE_BY_NAME || table == TABLE_CONTACT_BY_PHONE ||
               table == TABLE_MEMBERSHIP) {
        say_owned(out, record);
    }
}

void story_row(struct buf *out, enum table table, const struct key *key, const void *record)
{
    say_key(out, table, key);
    if (table == TABLE_EXECUTION_STATE) {
        say_state(out, record);
    } else if (table == TABLE_ENTRY) {
        say_entry(out, record);
    } else if (table == TABLE_LIVE_CALL) {
        say_live_call(out, record);
    } else if (table == TABLE_CALL) {
        say_call(out, record);
    } else if (table == TABLE_CONTACT) {
        say_contact(out, record);
    } else if (table == TABLE_PROGRAM) {
        say_program(out, record);
    } else if (table == TABLE_DID) {
        say_did(out, record);
    } else if (table == TABLE_AUDIENCE) {
        say_audience(out, record);
    } else if (table == TABLE_EVENT) {
        say_status_event(out, record);
    } else {
        say_small_record(out, table, record);
    }
    SAY(out, "\n");
}

void story_put(struct buf *out, enum table table, const struct key *key, const void *record)
{
    SAY(out, "put %s ", table_name(table));
    story_row(out, table, key, record);
}

void story_delete(struct buf *out, enum table table, const struct key *key)
{
    SAY(out, "delete %s ", table_name(table));
    say_key(out, table, key);
    SAY(out, "\n");
}
