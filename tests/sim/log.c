#include "tests/sim/log.h"

#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "tests/sim/sim.h"

const struct slice log_node_names[LOG_NODES] = {SLICE_INIT("menu"), SLICE_INIT("bye"),
                                                SLICE_INIT("a node")};

unsigned log_node_of(struct slice name)
{
    unsigned node = 0;

    while (node < LOG_NODES && !slice_equal(name, log_node_names[node])) {
        node++;
    }
    return node;
}

static struct fact *add(struct sim *sim, enum fact_kind kind)
{
    struct sim_log *log = &sim->filling;

    if (log->count == log->room) {
        log->room = log->room == 0 ? 1024 : 2 * log->room;
        log->facts = memory_resize(log->facts, log->room, sizeof(*log->facts));
    }
    log->facts[log->count].kind = kind;
    return &log->facts[log->count++];
}

/* ---- messages ---- */

static void set_credits(struct told_message *told, const struct organisation *given, bool is_set)
{
    told->sets_credits = is_set;
    told->is_limited = given->has_credits;
    told->amount = given->has_credits ? given->credits : 0;
    told->organisation = given->number; /* not of a patch */
    told->id = given->id;
}

static void on_message(void *context, const struct message *message)
{
    struct sim *sim = context;
    struct told_message *told = &add(sim, FACT_MESSAGE)->message;

    told->type = message->type;
    told->actor = message->actor;
    told->at = message->at;
    told->mono = message->mono;
    told->exchange = message->exchange;
    told->is_derived = message->is_derived;
    told->sets_credits = false;
    sim_count(sim, COUNT_MESSAGES);
    switch ((int)message->type) {
    case MESSAGE_NODE_EXECUTED:
        told->node = log_node_of(message->payload.event->node.node_id);
        told->event = *message->payload.event;
        break;
    case MESSAGE_CALL_STARTED:
    case MESSAGE_CALL_RESULT:
    case MESSAGE_CALL_RELEASED: told->event = *message->payload.event; break;
    case MESSAGE_DEMAND: told->demand = message->payload.demand; break;
    case MESSAGE_GRANT: told->amount = message->payload.grant.calls; break;
    case MESSAGE_CREDITS_ADD:
        told->amount = message->payload.credits.amount;
        told->organisation = message->payload.credits.organisation;
        break;
    case MESSAGE_ORGANISATION_CREATE:
        set_credits(told, message->payload.organisation,
                    message->payload.organisation->has_credits);
        break;
    case MESSAGE_ORGANISATION_PATCH: {
        const struct organisation_patch *patch = message->payload.organisation_patch;

        set_credits(told, &patch->value, (patch->present & ORGANISATION_CREDITS) != 0);
        break;
    }
    default: break;
    }
}

/* ---- rows ---- */

static const struct execution_settings *keep_settings(struct sim *sim,
                                                      const struct execution_settings *settings)
{
    struct execution_settings *kept = arena_alloc(&sim->memory, sizeof(*kept));
    struct arena *memory = &sim->memory;
    struct auto_pause_rule *rules =
        arena_alloc(memory, (settings->rule_count + 1) * sizeof(*rules));
    size_t weekly = settings->windows.weekly_count * sizeof(struct weekly_window);
    size_t advanced = settings->windows.advanced_count * sizeof(struct instant_window);

    *kept = *settings;
    for (size_t i = 0; i < settings->rule_count; i++) {
        rules[i] = settings->rules[i];
        rules[i].node_id = log_node_names[log_node_of(rules[i].node_id)];
    }
    kept->rules = rules;
    kept->timezone = arena_copy(memory, settings->timezone);
    kept->gateway = arena_copy(memory, settings->gateway);
    kept->windows.weekly =
        (const void *)arena_copy(memory, slice_make((const void *)settings->windows.weekly, weekly))
            .data;
    kept->windows.advanced =
        (const void *)arena_copy(memory,
                                 slice_make((const void *)settings->windows.advanced, advanced))
            .data;
    kept->dids =
        (const void *)arena_copy(memory, slice_make((const void *)settings->dids,
                                                    settings->did_count * sizeof(*settings->dids)))
            .data;
    return kept;
}

/* The parts of the key. False: the model does not look at this table. */
static bool tell_key(struct told_row *told, enum table table, const struct key *key)
{
    told->table = table;
    switch ((int)table) {
    case TABLE_EXECUTION:
    case TABLE_EXECUTION_STATE:
    case TABLE_NODE_COUNTERS:
    case TABLE_CREDITS:
    case TABLE_ORGANISATION: told->owner = key_u32_at(key, 0); return true;
    case TABLE_CONTACT:
    case TABLE_DID:
    case TABLE_PROGRAM:
    case TABLE_AUDIENCE:
    case TABLE_MEMBER:
        told->owner = key_u32_at(key, 0);
        told->id = key_uuid_at(key, 4);
        return true;
    case TABLE_ENTRY:
    case TABLE_LIVE_CALL:
        told->owner = key_u32_at(key, 0);
        told->entry = key_u32_at(key, 4);
        return true;
    case TABLE_CALL:
        told->owner = key_u32_at(key, 0);
        told->entry = key_u32_at(key, 4);
        told->attempt = key_u16_at(key, 8);
        return true;
    case TABLE_DUE:
        told->owner = key_u32_at(key, 0);
        told->entry = key_due_entry(key);
        told->due_at = key_due_at(key);
        return true;
    case TABLE_TRIGGER:
        told->owner = key_trigger_execution(key);
        told->entry = key_trigger_serial(key);
        told->due_at = key_trigger_due_at(key);
        return true;
    case TABLE_EVENT: return true;
    default: return false;
    }
}

static void tell_directory_record(struct told_row *told, const void *record)
{
    switch ((int)told->table) {
    case TABLE_CONTACT: told->flag = !((const struct contact *)record)->do_not_call; break;
    case TABLE_DID: told->flag = ((const struct did *)record)->status == DID_ACTIVE; break;
    case TABLE_AUDIENCE: told->number = ((const struct audience *)record)->number; break;
    case TABLE_ORGANISATION:
        told->id = ((const struct organisation *)record)->id;
        told->organisation.cap = ((const struct organisation *)record)->max_concurrent_calls;
        told->organisation.has_rate =
            ((const struct organisation *)record)->calls_per_second_micro != 0;
        break;
    case TABLE_PROGRAM:
        told->program.is_deleted = ((const struct program *)record)->is_deleted;
        told->program.active = ((const struct program *)record)->active_execution;
        break;
    default: break;
    }
}

static void tell_record(struct sim *sim, struct told_row *told, const void *record)
{
    switch ((int)told->table) {
    case TABLE_EXECUTION: told->settings = keep_settings(sim, record); break;
    case TABLE_EXECUTION_STATE:
        told->state = *(const struct execution_state *)record;
        told->state.status_reason = arena_copy(&sim->memory, told->state.status_reason);
        break;
    case TABLE_NODE_COUNTERS: {
        const struct node_counters *counters = record;

        memset(told->counts, 0, sizeof(told->counts));
        for (size_t i = 0; i < counters->count && i < LOG_NODES; i++) {
            told->counts[i] = counters->counts[i];
        }
        break;
    }
    case TABLE_CREDITS: told->credits = *(const struct credits *)record; break;
    case TABLE_ENTRY: told->entry_row = *(const struct entry *)record; break;
    case TABLE_LIVE_CALL: told->live = *(const struct live_call *)record; break;
    case TABLE_CALL: told->call = *(const struct call *)record; break;
    case TABLE_TRIGGER:
        told->trigger = ((const struct trigger *)record)->status;
        told->id = ((const struct trigger *)record)->contact_id;
        break;
    case TABLE_EVENT:
        told->owner = ((const struct status_event *)record)->execution;
        told->status = ((const struct status_event *)record)->status;
        break;
    default: tell_directory_record(told, record);
    }
}

static void on_put(void *context, enum table table, const struct key *key, const void *record)
{
    struct sim *sim = context;
    struct told_row told;

    if (tell_key(&told, table, key)) {
        tell_record(sim, &told, record);
        add(sim, FACT_PUT)->row = told;
    }
}

static void on_delete(void *context, enum table table, const struct key *key)
{
    struct told_row told;

    if (tell_key(&told, table, key)) {
        add(context, FACT_DELETE)->row = told;
    }
}

/* ---- answers ---- */

static void tell_record_reply(struct told_reply *told, const struct reply *reply)
{
    told->table = reply->record.table;
    told->is_new = reply->record.is_new;
    switch ((int)told->table) {
    case TABLE_CONTACT:
        told->flag = ((const struct contact *)reply->record.record)->do_not_call;
        told->id = key_uuid_at(&reply->record.key, 4);
        break;
    case TABLE_DID:
    case TABLE_PROGRAM:
    case TABLE_AUDIENCE:
    case TABLE_FLOW: told->id = key_uuid_at(&reply->record.key, 4); break;
    case TABLE_ORGANISATION:
        told->id = ((const struct organisation *)reply->record.record)->id;
        break;
    default: break;
    }
}

static void on_reply(void *context, const struct reply *reply)
{
    struct sim *sim = context;
    struct told_reply *told = &add(sim, FACT_REPLY)->reply;

    *told = (struct told_reply){.exchange = reply->exchange, .kind = reply->kind};
    switch ((int)reply->kind) {
    case REPLY_FAULT: told->fault = reply->fault.code; break;
    case REPLY_RECORD: tell_record_reply(told, reply); break;
    case REPLY_LAUNCHED: told->id = reply->launched; break;
    case REPLY_MEMBERS_ADDED:
    case REPLY_MEMBERS_REMOVED:
        told->changed = (uint32_t)reply->members.changed;
        told->unchanged = (uint32_t)reply->members.unchanged;
        break;
    case REPLY_EVENT:
        told->part = reply->event.part;
        told->status = reply->event.status;
        told->dial_by = reply->event.dial_by;
        if (reply->event.message != NULL) {
            told->why = reply->event.message[0];
        }
        break;
    case REPLY_CREDITS: told->credits = reply->credits; break;
    case REPLY_EXECUTION: told->execution_status = reply->execution.state->status; break;
    case REPLY_CLAIMED:
        told->claimed_count = reply->claimed.count;
        told->claimed =
            (const void *)arena_copy(
                &sim->memory, slice_make((const void *)reply->claimed.calls,
                                         reply->claimed.count * sizeof(*reply->claimed.calls)))
                .data;
        break;
    default: break;
    }
}

static void on_answer(void *context, uint32_t gateway, const struct gateway_answer *answer)
{
    (void)gateway;
    add(context, FACT_ANSWER)->answer = *answer;
}

/* What has no rows is let out at once, and what was before it is on disk. */
static void on_closed(void *context, bool has_rows)
{
    struct sim *sim = context;

    if (has_rows) {
        struct sim_log spare = sim->writing;

        SIM_REQUIRE(sim, spare.count == 0);
        sim->writing = sim->filling;
        sim->filling = spare;
    } else {
        model_hear(sim, &sim->filling, false);
        log_clear(&sim->filling);
    }
}

void log_watch(struct sim *sim, struct engine_watch *watch)
{
    *watch = (struct engine_watch){.context = sim,
                                   .on_message = on_message,
                                   .on_put = on_put,
                                   .on_delete = on_delete,
                                   .on_reply = on_reply,
                                   .on_answer = on_answer,
                                   .on_closed = on_closed};
}

void log_clear(struct sim_log *log)
{
    log->count = 0;
}

void log_free(struct sim_log *log)
{
    memory_free(log->facts);
    *log = (struct sim_log){0};
}
