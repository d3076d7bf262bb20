/* What leaves an actor: messages, replies and offers as lines (tests/support/memory_world_print.h).
 */
#include <inttypes.h>

#include "base/check.h"
#include "base/instant.h"
#include "model/names.h"
#include "storage/record.h"
#include "tests/support/memory_world_print.h"

static const char *const actor_names[] = {
    [ACTOR_PLATFORM] = "platform",
    [ACTOR_DIRECTORY] = "directory",
    [ACTOR_EXECUTION] = "execution",
    [ACTOR_DISPATCHER] = "dispatcher",
    [ACTOR_EVERY_EXECUTION] = "every_execution",
    [ACTOR_RETENTION] = "retention",
};

/* ---- messages ---- */

static void say_dispatcher_payload(struct buf *out, const struct message *message)
{
    const union payload *payload = &message->payload;

    if (message->type == MESSAGE_DEMAND) {
        SAY(out, " execution=%" PRIu32 " gateway=%" PRIu32 " calls=%" PRIu32 "%s",
            payload->demand.execution, payload->demand.gateway, payload->demand.calls,
            payload->demand.is_gone ? " gone" : "");
    } else if (message->type == MESSAGE_CALLS_OFFERED) {
        SAY(out, " execution=%" PRIu32 " gateway=%" PRIu32, payload->offered.execution,
            payload->offered.gateway);
        for (size_t i = 0; i < payload->offered.count; i++) {
            SAY(out, " %" PRIu32 "/%u", payload->offered.calls[i].entry,
                (unsigned)payload->offered.calls[i].attempt);
        }
    } else if (message->type == MESSAGE_CALLS_UNDER_WAY || message->type == MESSAGE_CALL_OVER) {
        SAY(out, " execution=%" PRIu32 " gateway=%" PRIu32 " count=%" PRIu32,
            payload->room.execution, payload->room.gateway, payload->room.count);
        if (payload->room.credits_spent + payload->room.credits_returned > 0) {
            SAY(out, " spent=%" PRIu32 " returned=%" PRIu32, payload->room.credits_spent,
                payload->room.credits_returned);
        }
    } else if (message->type == MESSAGE_CREDITS_SET || message->type == MESSAGE_CREDITS_ADD) {
        SAY(out, " organisation=%" PRIu32, payload->credits.organisation);
        if (message->type == MESSAGE_CREDITS_ADD || payload->credits.is_limited) {
            SAY(out, " %" PRId64, payload->credits.amount);
        } else {
            SAY(out, " unlimited");
        }
    } else if (message->type == MESSAGE_CALLS_WITHDRAWN && payload->room.is_all) {
        SAY(out, " execution=%" PRIu32 " gateway=%" PRIu32 " all", payload->room.execution,
            payload->room.gateway);
    } else if (message->type == MESSAGE_CALLS_WITHDRAWN) {
        SAY(out, " execution=%" PRIu32 " gateway=%" PRIu32 " %" PRIu32 "/%u",
            payload->room.execution, payload->room.gateway, payload->room.call.entry,
            (unsigned)payload->room.call.attempt);
    } else if (message->type == MESSAGE_GATEWAY_BACK_OFF) {
        SAY(out, " gateway=%" PRIu32 " until=%" PRId64, payload->back_off.gateway,
            payload->back_off.until_mono);
    } else if (message->type == MESSAGE_ORGANISATION_CHANGED) {
        SAY(out, " %.*s max=%" PRIu32 " cps_micro=%" PRIu64,
            SLICE_ARGS(payload->organisation->name), payload->organisation->max_concurrent_calls,
            payload->organisation->calls_per_second_micro);
    }
}

static void say_execution_payload(struct buf *out, const struct message *message)
{
    const union payload *payload = &message->payload;

    if (message->type == MESSAGE_LAUNCH) {
        SAY(out, " audience=%" PRIu32 " contacts=%" PRIu64 " zone=%.*s dids=",
            payload->launch.settings->audience, payload->launch.audience_contacts,
            SLICE_ARGS(payload->launch.settings->timezone));
        for (size_t i = 0; i < payload->launch.settings->did_count; i++) {
            SAY(out, "%s%.*s", i > 0 ? "," : "",
                SLICE_ARGS(payload->launch.settings->dids[i].number));
        }
    } else if (message->type == MESSAGE_GRANT) {
        SAY(out, " %" PRIu32 "%s", payload->grant.calls,
            payload->grant.has_credits ? " with credits" : "");
    } else if (message->type == MESSAGE_CALL_CLAIMED) {
        SAY(out, " %" PRIu32 "/%u", payload->claimed.entry, (unsigned)payload->claimed.attempt);
    } else if (message->type == MESSAGE_DID_CHANGED) {
        story_id(out, " ", &payload->did_changed.id);
        SAY(out, " owner=%" PRIu32 "%s", payload->did_changed.owner,
            payload->did_changed.is_usable ? " usable" : "");
    }
}

static void say_directory_payload(struct buf *out, const struct message *message)
{
    if (message->type == MESSAGE_STATUS_CHANGED) {
        SAY(out, " execution=%" PRIu32 " %s", message->payload.status->execution,
            execution_status_name(message->payload.status->status));
    }
    if (message->type == MESSAGE_EXECUTION_ENDED) {
        SAY(out, " execution=%" PRIu32, message->payload.ended.execution);
    } else if (message->type == MESSAGE_EMPTY_AUDIENCE_SLICE) {
        SAY(out, " audience=%" PRIu32, message->payload.slice.number);
    }
}

void story_send(struct buf *out, const struct message *message)
{
    SAY(out, "send %s %" PRIu32 " %s", actor_names[message->actor.kind], message->actor.number,
        message_type_name(message->type));
    if (message->is_later) {
        SAY(out, " later");
    }
    if (message->exchange != 0) {
        SAY(out, " exchange=%" PRIu64, message->exchange);
    }
    switch (message->actor.kind) {
    case ACTOR_PLATFORM: break;
    case ACTOR_DIRECTORY: say_directory_payload(out, message); break;
    case ACTOR_EXECUTION:
    case ACTOR_EVERY_EXECUTION: say_execution_payload(out, message); break;
    case ACTOR_DISPATCHER: say_dispatcher_payload(out, message); break;
    case ACTOR_RETENTION:
        if (message->type == MESSAGE_REMOVE_EXECUTION_SLICE) {
            SAY(out, " execution=%" PRIu32 " from=%" PRIu32, message->payload.slice.number,
                message->payload.slice.from);
            if (message->payload.slice.is_at_triggers) {
                SAY(out, " due_from=%" PRId64, message->payload.slice.due_from);
            }
        }
        break;
    }
    SAY(out, "\n");
}

/* ---- replies ---- */

static void say_fault(struct buf *out, const struct reply *reply)
{
    SAY(out, " %d %s: %.*s", fault_status(reply->fault.code), fault_name(reply->fault.code),
        SLICE_ARGS(reply->fault.message));
    for (size_t i = 0; i < reply->fault.detail_count; i++) {
        SAY(out, " [%.*s: %.*s]", SLICE_ARGS(reply->fault.details[i].path),
            SLICE_ARGS(reply->fault.details[i].message));
    }
}

static void say_event(struct buf *out, const struct reply *reply)
{
    static const char *const names[] = {
        [EVENT_ACCEPTED] = "accepted", [EVENT_DUPLICATE] = "duplicate", [EVENT_STALE] = "stale",
        [EVENT_REFUSED] = "refused",   [EVENT_UNKNOWN] = "unknown",     [EVENT_INVALID] = "invalid",
    };

    SAY(out, " event %" PRIu32 " %s", reply->event.part, names[reply->event.status]);
    if (reply->event.message != NULL) {
        SAY(out, " (%s)", reply->event.message);
    }
    if (reply->event.dial_by != 0) {
        char text[INSTANT_TEXT_SIZE];
        instant_print(reply->event.dial_by, text);
        SAY(out, " dial_by=%s", text);
    }
}

static void say_claimed(struct buf *out, const struct reply *reply)
{
    SAY(out, " claimed");
    for (size_t i = 0; i < reply->claimed.count; i++) {
        const struct claimed_call *call = &reply->claimed.calls[i];
        SAY(out, " %" PRIu32 "/%" PRIu32 "/%u", call->execution, call->entry,
            (unsigned)call->attempt);
    }
}

void story_reply(struct buf *out, const struct reply *reply)
{
    SAY(out, "reply %" PRIu64 ":", reply->exchange);
    switch (reply->kind) {
    case REPLY_NOTHING: SAY(out, " 204"); break;
    case REPLY_FAULT: say_fault(out, reply); break;
    case REPLY_RECORD:
        SAY(out, " %d ", reply->record.is_new ? 201 : 200);
        SAY(out, "%s ", table_name(reply->record.table));
        story_row(out, reply->record.table, &reply->record.key, reply->record.record);
        return;
    case REPLY_UPSERTED:
        SAY(out, " created=%" PRIu64 " updated=%" PRIu64, reply->upserted.created,
            reply->upserted.updated);
        for (size_t i = 0; i < reply->upserted.count; i++) {
            SAY(out, " %.*s", SLICE_ARGS(reply->upserted.contacts[i].primary_phone));
        }
        break;
    case REPLY_IMPORTED:
        SAY(out, " created=%" PRIu64 " updated=%" PRIu64, reply->imported.created,
            reply->imported.updated);
        for (size_t i = 0; i < reply->imported.rejected_count; i++) {
            SAY(out, " [%zu: %.*s]", reply->imported.rejected[i].row,
                SLICE_ARGS(reply->imported.rejected[i].message));
        }
        break;
    case REPLY_MEMBERS_ADDED:
        SAY(out, " added=%" PRIu64 " present=%" PRIu64, reply->members.changed,
            reply->members.unchanged);
        break;
    case REPLY_MEMBERS_REMOVED: SAY(out, " removed=%" PRIu64, reply->members.changed); break;
    case REPLY_LAUNCHED: story_id(out, " launched ", &reply->launched); break;
    case REPLY_EXECUTION:
        SAY(out, " execution %" PRIu32 " %s", reply->execution.settings->number,
            execution_status_name(reply->execution.state->status));
        break;
    case REPLY_CREDITS: SAY(out, " credits %" PRId64, reply->credits); break;
    case REPLY_CLAIMED: say_claimed(out, reply); break;
    case REPLY_EVENT: say_event(out, reply); break;
    }
    SAY(out, "\n");
}

/* ---- offers ---- */

void story_offer(struct buf *out, const struct offer *offer)
{
    SAY(out, "offer %" PRIu32 ": %" PRIu32 "/%" PRIu32 "/%u to %.*s from %.*s%s%s\n",
        offer->gateway, offer->execution, offer->entry, (unsigned)offer->attempt,
        SLICE_ARGS(offer->to), SLICE_ARGS(offer->from), offer->is_resumed ? " resumed" : "",
        offer->was_started ? " started" : "");
}
