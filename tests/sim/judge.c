/* The judgement of messages and answers, in the order in which actors handled and said them, and of
 * what stands when a batch has closed. */
#include <string.h>

#include "base/memory.h"
#include "model/lifecycle.h"
#include "tests/sim/sim.h"
#include "tests/sim/web.h"

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
    shares_on_message(sim, message);
    if (message->actor.kind == ACTOR_EXECUTION) {
        x = existing(sim, message->actor.number);
        if (x != NULL) {
            see(x, message->at);
            model_change(model, x);
        }
        return;
    }
    if (message->actor.kind == ACTOR_EVERY_EXECUTION) {
        model->all_told_at = message->at;
    }
    for (uint32_t i = 0; message->actor.kind == ACTOR_EVERY_EXECUTION && i < model->execution_count;
         i++) {
        see(model->executions[i], message->at);
        model_change(model, model->executions[i]);
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
        /* Of executions that are told the time one by one, another may lead the dispatcher to serve
         * a claim before this one has withdrawn its calls. No permission follows. */
        SIM_REQUIRE(sim, !rules_is_closed(x, x->last_at) || (x->last_at == sim->model.now->at &&
                                                             x->last_at == sim->model.all_told_at));
        entry->is_claimed_now = true;
        entry->given_claim_id = call->claim_id;
        entry->was_handed_out = true;
        model_touch(x, call->entry);
        model_change(&sim->model, x);
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

/* Its stop may come with the very message that is refused. */
static bool stops_now(const struct model_execution *x)
{
    return x->settings->stop_at != 0 && x->settings->stop_at <= x->seen_at;
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
        SIM_REQUIRE(sim, type != MESSAGE_PAUSE || x->status != EXECUTION_RUNNING || stops_now(x));
        SIM_REQUIRE(sim, type != MESSAGE_RESUME || !execution_is_paused(x->status) || stops_now(x));
        SIM_REQUIRE(sim, type != MESSAGE_CANCEL || x->status == EXECUTION_COMPLETED ||
                             x->status == EXECUTION_STOPPED || stops_now(x));
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

/* A patch names it by its id. */
static struct model_organisation *organisation_of(struct sim *sim, const struct told_message *now)
{
    uint32_t number = now->organisation;

    for (uint32_t o = 1; number == 0 && o <= MODEL_ORGANISATIONS; o++) {
        number = uuid_equal(&sim->model.organisations[o].id, &now->id) ? o : 0;
    }
    return &sim->model.organisations[number];
}

static void on_organisation(struct sim *sim, const struct told_reply *reply)
{
    const struct told_message *now = sim->model.now;
    struct model_organisation *organisation = organisation_of(sim, now);

    if (now->sets_credits && reply->kind == REPLY_RECORD) {
        organisation->granted += now->amount - organisation->balance;
        organisation->balance = now->amount;
        organisation->is_limited = now->is_limited;
    }
}

/* ---- answers ---- */

static struct told_answer told_of(const struct told_reply *reply)
{
    return (struct told_answer){.is_told = true,
                                .is_new = reply->is_new,
                                .flag = reply->flag,
                                .kind = reply->kind,
                                .fault = reply->fault,
                                .table = reply->table,
                                .id = reply->id,
                                .credits = reply->credits,
                                .count = (uint32_t)reply->claimed_count,
                                .changed = reply->changed,
                                .unchanged = reply->unchanged,
                                .status = reply->execution_status};
}

static void note_keyed(struct sim *sim, const struct request *request)
{
    struct keyed_request *key = &sim->keys[request->index];

    if (request->told.kind == REPLY_LAUNCHED) { /* judge_on_launched has heard of it */
        SIM_REQUIRE(sim, key->told.is_told && uuid_equal(&key->told.id, &request->told.id));
        return;
    }
    key->told = request->told;
    key->told_at = key->latest_at = sim->model.now->at;
    if (request->told.kind != REPLY_FAULT) {
        key->done++;
        key->done_at = sim->model.now->at;
        SIM_REQUIRE(sim, key->done == 1); /* once, whatever crashed when */
    }
}

void judge_on_launched(struct sim *sim, const struct uuid *id)
{
    const struct told_message *now = sim->model.now;
    const struct request *request = &sim->requests[now->exchange];
    struct keyed_request *key;

    if (now->exchange == 0 || request->kind != REQUEST_KEYED) {
        return;
    }
    key = &sim->keys[request->index];
    key->told = (struct told_answer){.is_told = true, .kind = REPLY_LAUNCHED, .id = *id};
    key->told_at = key->done_at = key->latest_at = now->at;
    key->done++;
    SIM_REQUIRE(sim, key->done == 1);
}

/* It is on disk: it may be let out, once. */
static void note_reply(struct sim *sim, const struct told_reply *reply)
{
    struct request *request;

    if (reply->exchange == 0) {
        return;
    }
    SIM_REQUIRE(sim, reply->exchange <= sim->last_exchange);
    request = &sim->requests[reply->exchange];
    SIM_REQUIRE(sim, request->durable < request->posted);
    SIM_REQUIRE(sim, request->is_web || (request->is_waiting && request->durable == 0));
    request->durable++;
    if (sim->model.now->type == MESSAGE_RESPONSE_KEPT) {
        return; /* of a response that was made before */
    }
    if (request->kind == REQUEST_FOREIGN) {
        SIM_REQUIRE(sim, reply->kind == REPLY_FAULT);
    }
    request->told = told_of(reply);
    if (request->kind == REQUEST_EVENTS) {
        web_note_event(sim, reply);
    } else if (request->kind == REQUEST_KEYED) {
        note_keyed(sim, request);
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
        closed_judge(sim);
    }
}

void model_on_start(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->model.execution_count; i++) {
        sim->model.executions[i]->queued_count = 0;
        begin_anew(sim->model.executions[i], sim->mono);
    }
    shares_on_start(&sim->model);
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

void model_init(struct sim *sim, const struct model_limits *most)
{
    struct model *model = &sim->model;

    model->most = *most;
    model->contacts = memory_zero(most->contacts, sizeof(*model->contacts));
    model->contact_slot_count = 4 * most->contacts;
    model->contact_slots = memory_zero(model->contact_slot_count, sizeof(uint32_t));
    model->programs = memory_zero(most->programs, sizeof(*model->programs));
    model->members = memory_zero(most->members, sizeof(*model->members));
    model->executions = memory_zero(most->executions, sizeof(struct model_execution *));
    model->changed = memory_zero(most->executions, sizeof(struct model_execution *));
}

void model_free(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->model.execution_count; i++) {
        memory_free(sim->model.executions[i]->entries);
        memory_free(sim->model.executions[i]->touched);
        memory_free(sim->model.executions[i]);
    }
    sim->model.execution_count = 0;
    memory_free(sim->model.contacts);
    memory_free(sim->model.contact_slots);
    memory_free(sim->model.programs);
    memory_free(sim->model.members);
    memory_free(sim->model.executions);
    memory_free(sim->model.changed);
    memory_free(sim->model.by_number);
}
