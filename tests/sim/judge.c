/* The judgement of messages and answers, in the order in which actors handled and said them, and of
 * what stands when a batch has closed. */
#include <string.h>

#include "base/memory.h"
#include "model/lifecycle.h"
#include "tests/sim/sim.h"

static struct model_execution *existing(struct sim *sim, uint32_t number)
{
    struct model_execution *x = model_find(&sim->model, number);

    return x != NULL && x->exists ? x : NULL;
}

/* ---- messages ---- */

static void see(struct model_execution *x, int64_t at)
{
    x->last_at = at;
    x->seen_at = at > x->seen_at ? at : x->seen_at;
}

/* Leases and signs of life count from now. */
static void begin_anew(struct model_execution *x, int64_t mono)
{
    for (uint32_t n = 0; n < x->entry_count; n++) {
        x->entries[n].sign_mono = mono;
    }
}

static void on_message(struct sim *sim, const struct told_message *message)
{
    struct model *model = &sim->model;
    struct model_execution *x;

    model->now = message;
    if (message->actor.kind == ACTOR_EXECUTION) {
        x = existing(sim, message->actor.number);
        if (x != NULL) {
            see(x, message->at);
        }
        return;
    }
    for (uint32_t i = 0; message->actor.kind == ACTOR_EVERY_EXECUTION && i < model->execution_count;
         i++) {
        see(model->executions[i], message->at);
        if (message->type == MESSAGE_CLOCK_GAP) {
            begin_anew(model->executions[i], message->mono);
        }
    }
}

/* ---- the permission to dial ---- */

static void check_permit(struct sim *sim, struct model_execution *x, struct model_entry *entry,
                         uint16_t attempt)
{
    const struct model_contact *contact = &sim->model.contacts[entry->contact];

    SIM_REQUIRE(sim, entry->is_live && attempt == entry->attempts + 1);
    SIM_REQUIRE(sim, !entry->is_permitted);
    SIM_REQUIRE(sim, !rules_is_closed(x, sim->model.now->at));
    SIM_REQUIRE(sim, contact->exists && contact->may_be_called);
    SIM_REQUIRE(sim, entry->call_status == CALL_STARTED);
    entry->is_permitted = true;
    sim_count(sim, COUNT_PERMITTED);
}

static void on_refused(struct sim *sim, const struct model_execution *x, struct model_entry *entry,
                       char why)
{
    const struct model_contact *contact = &sim->model.contacts[entry->contact];
    int64_t at = sim->model.now->at;

    if (why == 'p') {
        SIM_REQUIRE(sim, rules_is_closed(x, at) || rules_is_near_change(x, at));
        sim_count(sim, COUNT_REFUSED_WINDOW);
    } else {
        SIM_REQUIRE(sim, why == (contact->exists ? 'd' : 'c'));
        SIM_REQUIRE(sim, !contact->may_be_called);
        sim_count(sim, COUNT_REFUSED_CONTACT);
    }
    entry->is_permitted = false;
}

/* ---- answers to events ---- */

static void on_accepted(struct sim *sim, struct model_execution *x, struct model_entry *entry,
                        const struct told_reply *reply)
{
    const struct told_message *now = sim->model.now;
    const struct call_event *event = &now->event;

    switch ((int)now->type) {
    case MESSAGE_CALL_STARTED:
        SIM_REQUIRE(sim, x->is_pull && entry->has_claim);
        SIM_REQUIRE(sim, uuid_equal(&event->started.claim_id, &entry->claim_id));
        SIM_REQUIRE(sim, reply->dial_by ==
                             now->at + (int64_t)sim->config->dial_by_seconds * MS_PER_SECOND);
        check_permit(sim, x, entry, event->attempt);
        break;
    case MESSAGE_CALL_RELEASED: /* nobody takes a call from another who may be dialling */
        SIM_REQUIRE(sim, !entry->is_permitted || entry->leases == 1 ||
                             uuid_equal(&event->released.claim_id, &entry->claim_id));
        entry->is_permitted = false;
        entry->dials = 0;
        sim_count(sim, COUNT_RELEASED);
        break;
    case MESSAGE_NODE_EXECUTED:
        SIM_REQUIRE(sim, entry->is_live && event->node.seq == entry->last_seq); /* just now */
        break;
    case MESSAGE_CALL_RESULT: /* the first one, and it is the one on the call's row */
        SIM_REQUIRE(sim, entry->has_ended_now && event->attempt == entry->attempts);
        SIM_REQUIRE(sim, entry->was_handed_out);
        SIM_REQUIRE(sim,
                    event->attempt >= MODEL_ATTEMPTS ||
                        (enum outcome)entry->outcomes[event->attempt] == event->result.outcome);
        break;
    default: SIM_REQUIRE(sim, !"an event");
    }
}

static void on_event_reply(struct sim *sim, const struct told_reply *reply)
{
    const struct told_message *now = sim->model.now;
    const struct call_event *event = &now->event;
    struct model_execution *x = existing(sim, now->actor.number);
    struct model_entry *entry;

    if (x == NULL || event->tag != x->tag || event->entry >= x->entry_count) {
        SIM_REQUIRE(sim, reply->status == EVENT_UNKNOWN);
        sim_count(sim, COUNT_UNKNOWN);
        return;
    }
    entry = &x->entries[event->entry];
    if (event->attempt >
        entry->queued_attempt) { /* the skipped one's next: nobody knows if it was */
        bool is_skipped = entry->status == ENTRY_SKIPPED && event->attempt == entry->attempts + 1;

        SIM_REQUIRE(sim, reply->status == (is_skipped ? EVENT_STALE : EVENT_UNKNOWN));
        sim_count(sim, COUNT_UNKNOWN);
        return;
    }
    if (entry->call_status == CALL_STARTED && event->attempt == entry->queued_attempt &&
        (reply->status == EVENT_ACCEPTED || reply->status == EVENT_DUPLICATE)) {
        entry->sign_mono = now->mono; /* "Any event renews a started call" */
    }
    switch (reply->status) {
    case EVENT_ACCEPTED: on_accepted(sim, x, entry, reply); break;
    case EVENT_REFUSED:
        SIM_REQUIRE(sim, now->type == MESSAGE_CALL_STARTED);
        on_refused(sim, x, entry, reply->why);
        break;
    case EVENT_DUPLICATE:
        SIM_REQUIRE(sim, now->type != MESSAGE_CALL_STARTED ||
                             (entry->is_permitted &&
                              uuid_equal(&event->started.claim_id, &entry->claim_id)));
        sim_count(sim, COUNT_DUPLICATE);
        break;
    case EVENT_STALE: sim_count(sim, COUNT_STALE); break;
    case EVENT_UNKNOWN: /* a contact that was skipped has no call any more */
        SIM_REQUIRE(sim, event->attempt > entry->attempts && !entry->is_live);
        sim_count(sim, COUNT_UNKNOWN);
        break;
    case EVENT_INVALID: SIM_REQUIRE(sim, !"an event of ours is valid");
    }
}

/* The answer to a push gateway. */
static void on_answer(struct sim *sim, const struct gateway_answer *answer)
{
    struct model_execution *x = existing(sim, answer->execution);
    struct model_entry *entry;

    if (x == NULL || answer->entry >= x->entry_count) {
        SIM_REQUIRE(sim, answer->status == EVENT_UNKNOWN);
        return;
    }
    entry = &x->entries[answer->entry];
    if (answer->status == EVENT_ACCEPTED) {
        SIM_REQUIRE(sim, !x->is_pull);
        check_permit(sim, x, entry, answer->attempt);
    } else if (answer->status == EVENT_REFUSED) {
        entry->is_permitted = false;
    }
}

/* ---- claims ---- */

static void on_claimed(struct sim *sim, const struct told_reply *reply)
{
    for (size_t i = 0; i < reply->claimed_count; i++) {
        const struct claimed_call *call = &reply->claimed[i];
        struct model_execution *x = existing(sim, call->execution);
        struct model_entry *entry;

        SIM_REQUIRE(sim, x != NULL && call->entry < x->entry_count);
        entry = &x->entries[call->entry];
        SIM_REQUIRE(sim, entry->is_live && x->is_pull && !entry->is_claimed_now);
        SIM_REQUIRE(sim, call->attempt == entry->attempts + 1);
        SIM_REQUIRE(sim, entry->call_status == CALL_QUEUED);
        SIM_REQUIRE(sim, !rules_is_closed(x, x->last_at));
        entry->is_claimed_now = true;
        entry->given_claim_id = call->claim_id;
        entry->was_handed_out = true;
        model_touch(x, call->entry);
        sim_count(sim, COUNT_CLAIMED);
    }
}

/* ---- pause, resume, cancel ---- */

/* "sets to zero the counters whose rule has resetOnResume", from paused_threshold alone. */
static void on_resumed(struct sim *sim, struct model_execution *x)
{
    for (size_t i = 0; i < x->settings->rule_count && x->is_over_threshold; i++) {
        if (x->settings->rules[i].reset_on_resume) {
            x->counts[i] = 0;
        }
    }
    x->is_over_threshold = false;
    x->is_paused = false;
    sim_count(sim, COUNT_RESUMED);
}

static void on_control(struct sim *sim, const struct told_reply *reply)
{
    enum message_type type = sim->model.now->type;
    struct model_execution *x = existing(sim, sim->model.now->actor.number);
    bool is_fault = reply->kind == REPLY_FAULT;

    if (x == NULL) { /* its launch may have been lost, and it may be removed */
        SIM_REQUIRE(sim, is_fault && reply->fault == FAULT_EXECUTION_NOT_FOUND);
    } else if (is_fault) {
        SIM_REQUIRE(sim, reply->fault == FAULT_INVALID_EXECUTION_STATE);
        SIM_REQUIRE(sim, type != MESSAGE_PAUSE || x->status != EXECUTION_RUNNING);
        SIM_REQUIRE(sim, type != MESSAGE_RESUME || !execution_is_paused(x->status));
        SIM_REQUIRE(sim, type != MESSAGE_CANCEL || x->status == EXECUTION_COMPLETED ||
                             x->status == EXECUTION_STOPPED);
    } else if (type == MESSAGE_CANCEL) {
        SIM_REQUIRE(sim, reply->kind == REPLY_NOTHING);
        x->is_cancelled = true;
    } else {
        SIM_REQUIRE(sim, reply->kind == REPLY_EXECUTION && !x->is_cancelled);
        if (type == MESSAGE_RESUME) {
            on_resumed(sim, x);
        } else {
            SIM_REQUIRE(sim, reply->execution_status == EXECUTION_PAUSED);
            x->is_paused = true;
            sim_count(sim, COUNT_PAUSED);
        }
    }
}

/* ---- credits ---- */

static void on_credits_added(struct sim *sim, const struct told_reply *reply)
{
    const struct told_message *now = sim->model.now;
    struct model_organisation *organisation = &sim->model.organisations[now->organisation];
    bool is_possible = organisation->is_limited && organisation->balance + now->amount >= 0;

    SIM_REQUIRE(sim, (reply->kind == REPLY_CREDITS) == is_possible);
    if (is_possible) {
        organisation->balance += now->amount;
        organisation->granted += now->amount;
        SIM_REQUIRE(sim, reply->credits == organisation->balance);
    }
}

static void on_organisation(struct sim *sim, const struct told_reply *reply)
{
    const struct told_message *now = sim->model.now;
    struct model_organisation *organisation = &sim->model.organisations[now->organisation];

    if (now->sets_credits && reply->kind == REPLY_RECORD) {
        organisation->granted += now->amount - organisation->balance;
        organisation->balance = now->amount;
        organisation->is_limited = now->is_limited;
    }
}

/* ---- answers ---- */

/* It is on disk: it may be let out, once. */
static void note_reply(struct sim *sim, const struct told_reply *reply)
{
    struct request *request;

    if (reply->exchange == 0) {
        return;
    }
    SIM_REQUIRE(sim, reply->exchange <= sim->last_exchange);
    request = &sim->requests[reply->exchange];
    SIM_REQUIRE(sim, request->is_waiting);
    SIM_REQUIRE(sim, request->durable == 0);
    request->durable++;
    if (request->kind == REQUEST_FOREIGN) {
        SIM_REQUIRE(sim, reply->kind == REPLY_FAULT);
    }
    if (request->kind == REQUEST_KEYED && reply->kind != REPLY_FAULT) {
        struct keyed_request *key = &sim->keys[request->index];

        key->done++;
        key->done_at = key->latest_at = sim->model.now->at;
        SIM_REQUIRE(sim, key->done == 1); /* once, whatever crashed when */
    }
}

static void on_reply(struct sim *sim, const struct told_reply *reply)
{
    note_reply(sim, reply);
    if (reply->kind == REPLY_EVENT) {
        on_event_reply(sim, reply);
    } else if (reply->kind == REPLY_CLAIMED) {
        on_claimed(sim, reply);
    } else if (reply->kind != REPLY_LAUNCHED) {
        switch ((int)sim->model.now->type) {
        case MESSAGE_PAUSE:
        case MESSAGE_RESUME:
        case MESSAGE_CANCEL: on_control(sim, reply); break;
        case MESSAGE_CREDITS_ADD: on_credits_added(sim, reply); break;
        case MESSAGE_ORGANISATION_CREATE:
        case MESSAGE_ORGANISATION_PATCH: on_organisation(sim, reply); break;
        default: break;
        }
    }
}

/* ---- when a batch has closed ---- */

static void close_entry(struct sim *sim, const struct model_execution *x, struct model_entry *entry)
{
    bool is_pending = entry->status == ENTRY_PENDING || entry->status == ENTRY_PENDING_RETRY;

    SIM_REQUIRE(sim, !entry->is_claimed_now);
    SIM_REQUIRE(sim, !entry->is_live || is_pending); /* the row says what was before the call */
    SIM_REQUIRE(sim, entry->dues == (is_pending && !entry->is_live ? 1 : 0));
    if (entry->has_ended_now && entry->attempts < MODEL_ATTEMPTS) {
        bool is_answered = entry->outcomes[entry->attempts] == OUTCOME_ANSWERED;
        bool was_retried = entry->expected_at != INSTANT_NEVER;

        SIM_REQUIRE(sim, (entry->status == ENTRY_COMPLETED) == is_answered);
        SIM_REQUIRE(sim, (entry->status == ENTRY_PENDING_RETRY) == was_retried ||
                             entry->status == ENTRY_SKIPPED);
    }
    SIM_REQUIRE(sim, !x->state.skip_done || entry->dues == 0);
    entry->has_ended_now = false;
    entry->is_touched = false;
}

/* "totalContacts = contactsCompleted + contactsFailed + contactsPending + contactsInProgress +
 * contactsSkipped", and each of them is what the rows say. */
static void check_counters(struct sim *sim, struct model_execution *x)
{
    const struct execution_counters *n = &x->state.counters;
    bool has_ended = execution_has_ended(x->state.status);
    uint64_t pending = has_ended ? 0 : x->due; /* skipped at once, and row by row later */

    SIM_REQUIRE(sim,
                n->total == n->completed + n->failed + n->pending + n->in_progress + n->skipped);
    SIM_REQUIRE(sim, n->total == x->entry_count);
    SIM_REQUIRE(sim, n->completed == x->by_status[ENTRY_COMPLETED]);
    SIM_REQUIRE(sim, n->failed == x->by_status[ENTRY_FAILED]);
    SIM_REQUIRE(sim, n->in_progress == x->live);
    SIM_REQUIRE(sim, n->pending == pending);
    SIM_REQUIRE(sim, n->skipped == x->by_status[ENTRY_SKIPPED] + (has_ended ? x->due : 0));
    SIM_REQUIRE(sim, !x->is_live || x->entry_count == x->fired); /* each firing is one entry */
    if (x->has_expected && x->state.snapshot_done) {
        SIM_REQUIRE(sim, n->total == x->expected_total);
        x->has_expected = false;
    }
}

static void check_status(struct sim *sim, const struct model_execution *x)
{
    enum execution_status status = x->state.status;
    const struct execution_counters *n = &x->state.counters;
    bool has_stopped = x->settings->stop_at != 0 && x->settings->stop_at <= x->seen_at;

    SIM_REQUIRE(sim, status == x->status); /* its events say the same */
    SIM_REQUIRE(sim, (status == EXECUTION_CANCELLED) == x->is_cancelled);
    SIM_REQUIRE(sim, !x->is_paused || status == EXECUTION_PAUSED || execution_has_ended(status) ||
                         status == EXECUTION_PAUSED_THRESHOLD);
    SIM_REQUIRE(sim, status != EXECUTION_STOPPED || has_stopped);
    SIM_REQUIRE(sim, !has_stopped || execution_has_ended(status));
    SIM_REQUIRE(sim, status != EXECUTION_COMPLETED || n->pending + n->in_progress == 0);
    SIM_REQUIRE(sim, status != EXECUTION_RUNNING || x->settings->start_at <= x->seen_at);
    SIM_REQUIRE(sim, (status == EXECUTION_PAUSED_THRESHOLD) ==
                         (x->is_over_threshold && !execution_has_ended(status)));
    SIM_REQUIRE(sim, status != EXECUTION_RUNNING || x->is_live ||
                         n->pending + n->in_progress > 0); /* not left with nothing to do */
    for (size_t i = 0; i < x->settings->rule_count && !execution_has_ended(status); i++) {
        SIM_REQUIRE(sim, x->saved[i] == x->counts[i]);
    }
}

static void check_credits(struct sim *sim)
{
    for (uint32_t o = 1; o <= MODEL_ORGANISATIONS; o++) {
        const struct model_organisation *organisation = &sim->model.organisations[o];

        SIM_REQUIRE(sim, organisation->saved.is_limited == organisation->is_limited);
        SIM_REQUIRE(sim, organisation->saved.balance == organisation->balance);
        SIM_REQUIRE(sim, (int64_t)organisation->saved.reserved == organisation->reserved);
        SIM_REQUIRE(sim, organisation->balance >= 0 && organisation->reserved >= 0);
        SIM_REQUIRE(sim, organisation->balance + organisation->reserved + organisation->spent ==
                             organisation->granted);
    }
}

static void on_closed(struct sim *sim)
{
    struct model *model = &sim->model;

    for (uint32_t i = 0; i < model->execution_count; i++) {
        struct model_execution *x = model->executions[i];

        if (!x->exists) {
            continue;
        }
        for (uint32_t n = 0; n < x->touched_count; n++) {
            close_entry(sim, x, &x->entries[x->touched[n]]);
        }
        x->touched_count = 0;
        SIM_REQUIRE(sim, x->state.status != 0);
        check_counters(sim, x);
        check_status(sim, x);
    }
    check_credits(sim);
}

/* ---- public ---- */

void model_hear(struct sim *sim, const struct sim_log *log, bool has_rows)
{
    for (size_t i = 0; i < log->count; i++) {
        const struct fact *fact = &log->facts[i];

        switch (fact->kind) {
        case FACT_MESSAGE: on_message(sim, &fact->message); break;
        case FACT_PUT: model_put(sim, &fact->row); break;
        case FACT_DELETE: model_delete(sim, &fact->row); break;
        case FACT_REPLY: on_reply(sim, &fact->reply); break;
        case FACT_ANSWER: on_answer(sim, &fact->answer); break;
        }
    }
    sim->model.now = NULL;
    if (has_rows) {
        on_closed(sim);
    }
}

void model_on_start(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->model.execution_count; i++) {
        sim->model.executions[i]->queued_count = 0;
        begin_anew(sim->model.executions[i], sim->mono);
    }
}

void model_on_offer(struct sim *sim, const struct offer *offer)
{
    struct model_execution *x = existing(sim, offer->execution);

    SIM_REQUIRE(sim, x != NULL && !x->is_pull && offer->entry < x->entry_count);
    SIM_REQUIRE(sim, offer->organisation == x->organisation);
    SIM_REQUIRE(sim, x->entries[offer->entry].queued_attempt >= offer->attempt);
    x->entries[offer->entry].was_handed_out = true;
}

void model_on_dial(struct sim *sim, uint32_t execution, uint32_t entry, uint16_t attempt)
{
    struct model_execution *x = existing(sim, execution);

    SIM_REQUIRE(sim, x != NULL && entry < x->entry_count);
    if (x->entries[entry].queued_attempt == attempt) {
        x->entries[entry].dials++;
        SIM_REQUIRE(sim, x->entries[entry].dials == 1);
    }
}

void model_free(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->model.execution_count; i++) {
        memory_free(sim->model.executions[i]->entries);
        memory_free(sim->model.executions[i]->touched);
        memory_free(sim->model.executions[i]);
    }
    sim->model.execution_count = 0;
}
