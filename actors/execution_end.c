/* The end of a call: the CALL row in, the LIVE_CALL row out, and what becomes of the contact:
 * completed, due again, failed, or skipped. Its room is free again.
 */
#include "actors/execution_step.h"
#include "base/check.h"
#include "base/instant.h"
#include "model/lifecycle.h"
#include "model/retry.h"

static void put_call(const struct step *s, const struct live_call *live,
                     const struct call_ending *end)
{
    struct call call = {.entry = live->entry,
                        .attempt = live->attempt,
                        .contact_id = live->contact_id,
                        .to = live->to,
                        .did = live->did,
                        .outcome = end->outcome,
                        .detail = end->detail,
                        .has_duration = end->has_duration,
                        .duration_seconds = end->duration_seconds,
                        .in_doubt = end->in_doubt,
                        .last_seq = live->last_seq,
                        .leases = live->leases,
                        .claim_id = live->claim_id,
                        .queued_at = live->queued_at,
                        .started_at = live->started_at,
                        .ended_at = s->m->at,
                        .era = live->era};
    struct key key = key_call(s->e->number, live->entry, live->attempt);

    effect_put(s->out, TABLE_CALL, &key, &call);
    execution_report_ended(s, &call);
}

/* What becomes of the contact: completed, due again, or failed. */
static void put_entry(const struct step *s, const struct live_call *live, enum outcome outcome)
{
    struct execution *e = s->e;
    struct execution_counters *n = &e->state.counters;
    struct entry entry = {
        .contact_id = live->contact_id, .attempts = live->attempt, .last_outcome = outcome};
    struct key key = key_entry(e->number, live->entry);
    int64_t next_at = INSTANT_NEVER;

    if (outcome != OUTCOME_ANSWERED && !execution_has_ended(e->state.status)) {
        next_at = retry_next_at(&e->settings.retry, live->attempt, s->m->at);
    }
    n->in_progress--;
    if (outcome == OUTCOME_ANSWERED) {
        entry.status = ENTRY_COMPLETED;
        n->completed++;
    } else if (next_at == INSTANT_NEVER) {
        entry.status = ENTRY_FAILED;
        n->failed++;
    } else {
        const struct due_row due = {0};
        struct key due_key = key_due(e->number, next_at, live->entry);

        entry.status = ENTRY_PENDING_RETRY;
        entry.next_attempt_at = next_at;
        n->pending++;
        effect_put(s->out, TABLE_DUE, &due_key, &due);
        execution_add_due(e, next_at, live->entry);
    }
    entry.completed_at = entry.status == ENTRY_PENDING_RETRY ? 0 : s->m->at;
    effect_put(s->out, TABLE_ENTRY, &key, &entry);
    if (entry.status != ENTRY_PENDING_RETRY) {
        execution_report_finished(s, entry.attempts);
    }
}

/* The call leaves the live ones: its row goes, its room is free, and the credit that was reserved
 * for it is spent or returned. */
static void leave(const struct step *s, struct flight *flight, bool is_answered)
{
    struct execution *e = s->e;
    struct key key = key_entry(e->number, flight->row.entry);
    struct call_room over = {.count = 1};

    if (flight->list == FLIGHTS_ON_OFFER && e->gateway_is_pull) {
        struct message message = {.actor = {ACTOR_DISPATCHER, 0}, .type = MESSAGE_CALLS_WITHDRAWN};

        message.payload.room = (struct call_room){.execution = e->number,
                                                  .organisation = e->settings.organisation,
                                                  .gateway = e->gateway,
                                                  .call = {flight->row.entry, flight->row.attempt}};
        effect_send(s->out, &message);
    }
    if (flight->row.has_credit) {
        over.credits_spent = is_answered ? 1 : 0;
        over.credits_returned = is_answered ? 0 : 1;
    }
    effect_delete(s->out, TABLE_LIVE_CALL, &key);
    execution_call_is_over(s, &flight->row.contact_id);
    flights_remove(&e->flights, flight);
    execution_send_room(s, &over, MESSAGE_CALL_OVER);
    execution_touch(s);
}

void execution_end_call(const struct step *s, struct flight *flight, const struct call_ending *end)
{
    lifecycle_call(&flight->row.status, CALL_ENDED);
    put_call(s, &flight->row, end);
    put_entry(s, &flight->row, end->outcome);
    leave(s, flight, end->outcome == OUTCOME_ANSWERED);
}

void execution_end_in_doubt(const struct step *s, struct flight *flight)
{
    const struct call_ending in_doubt = {.outcome = OUTCOME_TIMEOUT, .in_doubt = true};

    execution_end_call(s, flight, &in_doubt);
}

/* Refused because the contact may not be called at all: no attempt is used up. */
void execution_skip_call(const struct step *s, struct flight *flight)
{
    struct key key = key_entry(s->e->number, flight->row.entry);
    struct entry entry;

    OD_CHECK(view_get(s->view, TABLE_ENTRY, &key, &entry));
    lifecycle_entry(&entry.status, ENTRY_SKIPPED);
    entry.next_attempt_at = 0;
    entry.completed_at = s->m->at;
    effect_put(s->out, TABLE_ENTRY, &key, &entry);
    s->e->state.counters.in_progress--;
    s->e->state.counters.skipped++;
    leave(s, flight, false);
}
