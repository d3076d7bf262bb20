/* The reference's judgement of answers, and of what stands when a batch has closed
 * (execution_model.h). */
#ifndef OUTDIAL_TESTS_PROPERTY_EXECUTION_JUDGE_H
#define OUTDIAL_TESTS_PROPERTY_EXECUTION_JUDGE_H

#include "base/hash.h"
#include "tests/property/execution_counts.h"

static inline void model_digest(struct model *model, uint64_t value)
{
    model->digest = (model->digest ^ value) * UINT64_C(0x100000001b3);
}

/* ---- answers to events ---- */

static inline void model_check_permit(struct model *model, struct model_execution *x,
                                      struct model_entry *entry, const struct call_event *event,
                                      const struct reply *reply)
{
    REQUIRE(model, entry->is_live && event->attempt == entry->attempts + 1);
    REQUIRE(model, !entry->is_permitted);
    REQUIRE(model, !model_is_closed(x, model->now->at));
    REQUIRE(model, model_may_be_called(model, x, &entry->contact_id));
    REQUIRE(model, event->from_gateway == !x->is_pull);
    if (x->is_pull) {
        REQUIRE(model, entry->has_claim && uuid_equal(&event->started.claim_id, &entry->claim_id));
    }
    REQUIRE(model, reply->event.dial_by == model->now->at + model->stage->settings.dial_by_ms);
    entry->is_permitted = true;
}

static inline void model_check_refusal(struct model *model, struct model_execution *x,
                                       struct model_entry *entry, const struct reply *reply)
{
    struct key key = key_owned(x->organisation, &entry->contact_id);
    bool is_deleted = !world_has(model->stage->world, TABLE_CONTACT, &key);
    const char *reason = reply->event.message;

    if (strcmp(reason, "pause_window") == 0) {
        REQUIRE(model, model_is_closed(x, model->now->at));
    } else if (strcmp(reason, "contact_deleted") == 0) {
        REQUIRE(model, is_deleted);
    } else {
        REQUIRE(model, strcmp(reason, "do_not_call") == 0 && !is_deleted);
        REQUIRE(model, !model_may_be_called(model, x, &entry->contact_id));
    }
    entry->is_permitted = false;
    entry->not_before_mono = 0; /* whoever asks may be offered it */
}

static inline void model_on_back_off(struct model *model, const struct model_execution *x,
                                     const struct call_event *event)
{
    int64_t *until = &model->back_off_until_mono[x->is_pull ? STAGE_WORKER : STAGE_SIMULATOR];
    int64_t said = model->now->mono + event->released.retry_after_seconds * MS_PER_SECOND;

    if (event->released.retry_after_seconds > 0 && said > *until) {
        *until = said;
    }
}

static inline void model_on_event(struct model *model, const struct call_event *event,
                                  const struct reply *reply)
{
    struct model_execution *x = model_find(model, model->now->actor.number);
    bool is_accepted = reply->event.status == EVENT_ACCEPTED;

    if (x == NULL || event->entry >= x->entry_count) {
        REQUIRE(model, reply->event.status == EVENT_UNKNOWN);
        return;
    }
    struct model_entry *entry = &x->entries[event->entry];

    REQUIRE(model, reply->event.status != EVENT_INVALID);
    if (reply->event.status == EVENT_REFUSED) {
        REQUIRE(model, model->now->type == MESSAGE_CALL_STARTED);
        model_check_refusal(model, x, entry, reply);
    } else if (is_accepted && model->now->type == MESSAGE_CALL_STARTED) {
        model_check_permit(model, x, entry, event, reply);
    } else if (is_accepted && model->now->type == MESSAGE_CALL_RELEASED) {
        /* nobody takes a call from another who may be dialling */
        REQUIRE(model, !entry->is_permitted || !x->is_pull || entry->leases == 1 ||
                           uuid_equal(&event->released.claim_id, &entry->claim_id));
        entry->is_permitted = false;
        model_on_back_off(model, x, event);
        entry->not_before_mono = x->is_pull ? 0 : model->now->mono + MS_PER_SECOND;
    } else if (is_accepted && model->now->type == MESSAGE_NODE_EXECUTED) {
        REQUIRE(model, entry->is_live && event->node.seq > entry->last_seq);
        entry->last_seq = event->node.seq;
        model_count_node(model, x, event->node.node_id);
    } else if (is_accepted) { /* the first result, and it is the one on the call's row */
        REQUIRE(model, entry->has_ended_now && event->attempt == entry->attempts);
        REQUIRE(model, entry->was_offered || !x->is_pull);
        REQUIRE(model, entry->outcomes[event->attempt] == event->result.outcome);
    } else if (model->now->type == MESSAGE_CALL_STARTED && reply->event.status == EVENT_DUPLICATE) {
        REQUIRE(model, entry->is_permitted);
        REQUIRE(model, !x->is_pull || uuid_equal(&event->started.claim_id, &entry->claim_id));
    }
}

/* ---- other answers ---- */

static inline void model_on_claimed(struct model *model, const struct reply *reply)
{
    for (size_t i = 0; i < reply->claimed.count; i++) {
        const struct claimed_call *call = &reply->claimed.calls[i];
        struct model_execution *x = model_find(model, call->execution);
        struct model_entry *entry = model_entry(model, x, call->entry);

        REQUIRE(model, entry->is_live && x->is_pull && !entry->is_claimed_now);
        REQUIRE(model, call->attempt == entry->attempts + 1);
        REQUIRE(model, entry->call_status == CALL_QUEUED);
        /* what has seen that a window is open has nothing on offer */
        REQUIRE(model, !model_is_closed(x, x->last_at));
        entry->is_claimed_now = true; /* the lease is on disk with the answer: model_close_entry */
        entry->given_claim_id = call->claim_id;
        entry->was_offered = true;
        x->is_touched = true;
    }
}

static inline void model_on_control(struct model *model, const struct reply *reply)
{
    struct model_execution *x = model_find(model, model->now->actor.number);
    bool is_fault = reply->kind == REPLY_FAULT;

    if (x == NULL || x->state.status == 0) { /* its launch may have been lost in a crash */
        REQUIRE(model, is_fault && reply->fault.code == FAULT_EXECUTION_NOT_FOUND);
    } else if (is_fault) {
        REQUIRE(model, reply->fault.code == FAULT_INVALID_EXECUTION_STATE);
    } else if (model->now->type == MESSAGE_CANCEL) {
        REQUIRE(model, x->is_cancelled || !model_has_ended(x));
        x->is_cancelled = true;
    } else {
        enum execution_status status = reply->execution.state->status;

        REQUIRE(model, !model_has_ended(x));
        REQUIRE(model, reply->kind == REPLY_EXECUTION);
        x->is_paused = model->now->type == MESSAGE_PAUSE;
        x->is_resumed_now = !x->is_paused;
        REQUIRE(model, !x->is_paused || status == EXECUTION_PAUSED);
        if (x->is_resumed_now) {
            model_on_resumed(x, &model->now->payload.resume);
        }
    }
}

static inline void model_on_reply(void *context, const struct message *cause,
                                  const struct reply *reply)
{
    struct model *model = context;

    REQUIRE(model, reply->exchange < MODEL_EXCHANGES);
    REQUIRE(model, !model->is_replied[reply->exchange]);
    model->is_replied[reply->exchange] = true;
    model->is_waiting[reply->exchange] = false;
    model_digest(model, reply->exchange * 31 + reply->kind);
    switch ((int)reply->kind) {
    case REPLY_EVENT:
        model_digest(model, reply->event.status);
        model_on_event(model, cause->payload.event, reply);
        break;
    case REPLY_CLAIMED: model_on_claimed(model, reply); break;
    case REPLY_LAUNCHED: REQUIRE(model, cause->type == MESSAGE_LAUNCH); break;
    default:
        if (cause->type == MESSAGE_CREDITS_ADD) {
            model_on_credits_added(model, reply);
        } else {
            model_on_control(model, reply);
        }
    }
}

/* ---- when the batch has closed ---- */

static inline void model_close_entry(struct model *model, const struct model_execution *x,
                                     struct model_entry *entry)
{
    bool is_pending = entry->status == ENTRY_PENDING || entry->status == ENTRY_PENDING_RETRY;

    REQUIRE(model, !entry->is_claimed_now || (entry->has_claim && entry->is_live));
    REQUIRE(model, !entry->is_claimed_now || entry->call_status == CALL_CLAIMED);
    REQUIRE(model, !entry->is_claimed_now || uuid_equal(&entry->given_claim_id, &entry->claim_id));
    REQUIRE(model, !entry->is_live || is_pending); /* the entry's row says what was before */
    REQUIRE(model, entry->is_due == (is_pending && !entry->is_live));
    if (entry->has_ended_now) {
        enum outcome outcome = entry->outcomes[entry->attempts];
        bool retries = entry->expected_at != INSTANT_NEVER;

        REQUIRE(model, !entry->is_live);
        REQUIRE(model, (entry->status == ENTRY_COMPLETED) == (outcome == OUTCOME_ANSWERED));
        REQUIRE(model, (entry->status == ENTRY_PENDING_RETRY) == retries);
    }
    REQUIRE(model, entry->status != ENTRY_COMPLETED ||
                       entry->outcomes[entry->attempts] == OUTCOME_ANSWERED);
    REQUIRE(model, !x->state.skip_done || !entry->is_due);
    entry->has_ended_now = entry->is_claimed_now = false;
}

/* "totalContacts = contactsCompleted + contactsFailed + contactsPending + contactsInProgress +
 * contactsSkipped", and each of them is what the rows say. */
static inline void model_check_counters(struct model *model, const struct model_execution *x)
{
    const struct execution_counters *n = &x->state.counters;
    struct execution_counters counted = {.total = x->entry_count};

    for (uint32_t i = 0; i < x->entry_count; i++) {
        const struct model_entry *entry = &x->entries[i];

        counted.completed += entry->status == ENTRY_COMPLETED;
        counted.failed += entry->status == ENTRY_FAILED;
        counted.skipped += entry->status == ENTRY_SKIPPED;
        counted.in_progress += entry->is_live;
        counted.pending += entry->is_due;
    }
    if (execution_has_ended(
            x->state.status)) { /* skipped at once in the counters, then row by row */
        counted.skipped += counted.pending;
        counted.pending = 0;
    }
    REQUIRE(model, n->total == n->completed + n->failed + n->pending + n->in_progress + n->skipped);
    REQUIRE(model, n->total == counted.total && n->completed == counted.completed);
    REQUIRE(model, n->failed == counted.failed && n->pending == counted.pending);
    REQUIRE(model, n->in_progress == counted.in_progress && n->skipped == counted.skipped);
}

static inline void model_check_status(struct model *model, const struct model_execution *x)
{
    enum execution_status status = x->state.status;
    const struct execution_counters *n = &x->state.counters;

    REQUIRE(model, (status == EXECUTION_CANCELLED) == x->is_cancelled);
    REQUIRE(model, !x->is_paused || status == EXECUTION_PAUSED || execution_has_ended(status));
    REQUIRE(model, status != EXECUTION_STOPPED || model_has_stopped(x));
    REQUIRE(model, status != EXECUTION_COMPLETED || n->pending + n->in_progress == 0);
    REQUIRE(model, status != EXECUTION_RUNNING || x->settings.start_at <= x->seen_at);
    REQUIRE(model, !model_has_stopped(x) || execution_has_ended(status));
    /* it is not left running with nothing to do */
    REQUIRE(model, status != EXECUTION_RUNNING || n->pending + n->in_progress > 0);
}

/* Room and offers of the dispatcher are those of the executions. */
static inline void model_check_dispatcher(struct model *model)
{
    const struct dispatcher *d = &model->stage->dispatcher;
    uint32_t on_offer = 0;

    for (size_t i = 0; i < model->stage->resident_count; i++) {
        const struct execution *e = &model->stage->residents[i]->execution;

        execution_check(e);
        on_offer += e->gateway_is_pull ? e->flights.listed[FLIGHTS_ON_OFFER] : 0;
    }
    REQUIRE(model, dispatcher_in_flight(d) == model->gateway_live[0] + model->gateway_live[1]);
    REQUIRE(model, dispatcher_on_offer(d, STAGE_WORKER) == on_offer);
    REQUIRE(model, dispatcher_on_offer(d, STAGE_SIMULATOR) == 0);
}

static inline void model_on_closed(void *context)
{
    struct model *model = context;

    if (model->stage->letters.count == 0) {
        model->is_starting = false;
    }
    for (uint32_t i = 0; i < model->execution_count; i++) {
        struct model_execution *x = &model->executions[i];
        const struct execution *e;

        if (!x->is_touched || x->state.status == 0) {
            continue;
        }
        x->is_touched = x->is_resumed_now = false;
        for (uint32_t n = 0; n < x->entry_count; n++) {
            model_close_entry(model, x, &x->entries[n]);
        }
        model_check_counters(model, x);
        model_check_status(model, x);
        model_check_rules(model, x);
        e = stage_find(model->stage, x->number);
        REQUIRE(model, (e != NULL ? e->flights.count : 0) == x->live);
    }
    if (model->wanted_exchange != 0) {
        REQUIRE(model, model->is_replied[model->wanted_exchange]);
        model->wanted_exchange = 0;
    }
    if (!model->is_starting) {
        model_check_dispatcher(model);
    }
    model_check_credits(model);
}

/* ---- the stage's other words ---- */

static inline void model_on_message(void *context, const struct message *message)
{
    struct model *model = context;
    struct model_execution *x = NULL;

    model->now = message;
    model_digest(model, (uint64_t)message->type << 32 | message->actor.number);
    model_digest(model, (uint64_t)message->at ^ (uint64_t)message->mono);
    if (message->type == MESSAGE_CREDITS_SET) {
        model_on_credits_set(model, &message->payload.credits);
    } else if (message->type == MESSAGE_CALL_OVER) {
        model->organisations[message->payload.room.organisation].returned_now +=
            message->payload.room.credits_returned;
    }
    if (message->actor.kind == ACTOR_EXECUTION) {
        x = model_find(model, message->actor.number);
    }
    for (uint32_t i = 0; i < model->execution_count; i++) {
        struct model_execution *each = &model->executions[i];
        bool is_addressed = each == x || (message->actor.kind == ACTOR_EVERY_EXECUTION &&
                                          stage_find(model->stage, each->number) != NULL);

        if (is_addressed && each->is_launched) {
            each->is_touched = true;
            each->last_at = message->at;
            each->seen_at = message->at > each->seen_at ? message->at : each->seen_at;
        }
    }
    if (!message->is_derived && message->exchange != 0 &&
        (message->type != MESSAGE_CLAIM || !message->payload.claim.waits)) {
        bool is_answered_elsewhere =
            message->type == MESSAGE_CLAIM_GIVEN_UP && !model->is_waiting[message->exchange];

        model->wanted_exchange = is_answered_elsewhere ? 0 : message->exchange;
    }
}

static inline void model_on_put(void *context, enum table table, const struct key *key,
                                const void *record)
{
    struct model *model = context;

    model_digest(model, hash_bytes(key->bytes, key->size) + (uint64_t)table);
    switch ((int)table) {
    case TABLE_LIVE_CALL: model_put_live(model, key, record); break;
    case TABLE_CALL: model_put_call(model, key, record); break;
    case TABLE_ENTRY: model_put_entry(model, key, record); break;
    case TABLE_DUE: model_put_due(model, key); break;
    case TABLE_EXECUTION_STATE: {
        struct model_execution *x = model_find(model, key_u32_at(key, 0));

        if (((const struct execution_state *)record)->status == EXECUTION_PAUSED_NO_CREDITS &&
            x->state.status != EXECUTION_PAUSED_NO_CREDITS) {
            model_on_no_credits(model, x);
        }
        x->state = *(const struct execution_state *)record;
        (void)snprintf(x->saved_reason, sizeof(x->saved_reason), "%.*s",
                       SLICE_ARGS(x->state.status_reason));
        x->state.status_reason = slice_from(x->saved_reason);
        x->is_touched = true;
        break;
    }
    default: break;
    }
}

static inline void model_on_delete(void *context, enum table table, const struct key *key)
{
    struct model *model = context;

    model_digest(model, hash_bytes(key->bytes, key->size) + 1000 + (uint64_t)table);
    if (table == TABLE_LIVE_CALL) {
        model_delete_live(model, key);
    } else if (table == TABLE_DUE) {
        model_delete_due(model, key);
    }
}

#endif
