/* The world as the actors see it: rows through a snapshot with the unfinished batches over it, and
 * effects into the batch that is being filled, its outbox and the mailbox. Then the dispatch of a
 * message to its actor.
 */
#include <unistd.h>

#include "actors/directory.h"
#include "actors/platform.h"
#include "base/check.h"
#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/recording.h"
#include "storage/record.h"
#include "storage/row_digest.h"

/* Exchanges of push gateways: the top bit, and the gateway's index. */
#define GATEWAY_EXCHANGE (UINT64_C(1) << 63)

/* ---- the view ---- */

static struct engine *engine_of_view(struct view *view)
{
    return ((struct world_view *)(void *)view)->engine;
}

static struct snapshot snapshot_now(const struct engine *engine)
{
    struct snapshot snapshot = {.reader = engine->reader, .batch_count = 1};

    snapshot.batches[0] = engine->filling->batch;
    if (engine->writing != NULL) {
        snapshot.batches[snapshot.batch_count++] = engine->writing->batch;
    }
    return snapshot;
}

/* A store that cannot be read must not be guessed at: the process says so and ends at once, as by
 * kill -9, which loses nothing that was answered. */
static void stop_unless_readable(int code, enum table table)
{
    if (code != 0 && code != OD_ENOTFOUND) {
        log_error("the store cannot be read: run outdialctl check, restore the backup",
                  FIELD_TEXT("table", table_name(table)),
                  FIELD_TEXT("reason", od_error_text(code)));
        _exit(EXIT_STORE);
    }
}

static bool world_get(struct view *view, enum table table, const struct key *key, void *record)
{
    struct snapshot snapshot = snapshot_now(engine_of_view(view));
    int code = snapshot_get(&snapshot, table, key, view->arena, record);

    stop_unless_readable(code, table);
    return code == 0;
}

static bool world_seek(struct view *view, enum table table, const struct key *prefix,
                       const struct key *from, struct key *key, void *record)
{
    struct snapshot snapshot = snapshot_now(engine_of_view(view));
    struct slice raw;
    int code = snapshot_seek(&snapshot, table, prefix, from, key, &raw);

    if (code == 0 && record != NULL) {
        code = record_decode(table, key, raw, view->arena, record);
    }
    stop_unless_readable(code, table);
    return code == 0;
}

static const struct zone_table *world_zone(struct view *view, struct slice name)
{
    struct engine *engine = engine_of_view(view);
    const struct zone_table *table;

    if (engine->replay != NULL) {
        return replay_zone(engine->replay, name);
    }
    table = zones_table(engine->zones, name, clock_now(&engine->clock));
    recording_zone(engine, name, table);
    return table;
}

/* ---- the effects ---- */

static struct engine *engine_of_effects(struct effects *effects)
{
    return ((struct world_effects *)(void *)effects)->engine;
}

static void count_digest(struct engine *engine, enum table table, bool is_delete,
                         const struct key *key, struct slice value)
{
    engine->digest = row_digest_add(
        engine->digest,
        row_digest(table, is_delete, slice_make((const char *)key->bytes, key->size), value));
}

static void world_put(struct effects *effects, enum table table, const struct key *key,
                      const void *record)
{
    struct engine *engine = engine_of_effects(effects);
    const struct engine_watch *watch = engine->steps.watch;

    if (watch != NULL) {
        watch->on_put(watch->context, table, key, record);
    }
    batch_put(engine->filling->batch, table, key, record);
    if (engine->counts_digest) {
        count_digest(engine, table, false, key, batch_last_value(engine->filling->batch));
    }
    if (table == TABLE_CALL) {
        const struct call *call = record;

        if (call->late_outcome != OUTCOME_NONE) {
            metrics_add(&engine->metrics, METRIC_LATE_RESULTS, 1);
        } else {
            metrics_add(&engine->metrics, METRIC_ATTEMPTS, 1);
            metrics_add_outcome(&engine->metrics, call->outcome, 1);
        }
    }
}

static void world_delete(struct effects *effects, enum table table, const struct key *key)
{
    struct engine *engine = engine_of_effects(effects);
    const struct engine_watch *watch = engine->steps.watch;

    if (watch != NULL) {
        watch->on_delete(watch->context, table, key);
    }
    batch_delete(engine->filling->batch, table, key);
    if (table == TABLE_EXECUTION) { /* removed, perhaps in the batch in which its last call ended */
        registry_forget(&engine->registry, key_u32_at(key, 0));
    }
    if (engine->counts_digest) {
        count_digest(engine, table, true, key, SLICE(""));
    }
}

static void world_send(struct effects *effects, const struct message *message)
{
    struct engine *engine = engine_of_effects(effects);
    struct message sent = *message;

    sent.at = engine->handled->at;
    sent.mono = engine->handled->mono;
    sent.is_derived = true;
    if (!sent.is_later) {
        mailbox_derive(&engine->mailbox, &sent);
    } else if ((engine->mode != ENGINE_DRAINING || /* else it is made again at the next start, */
                sent.exchange != 0) &&             /* unless somebody waits for what it leads to */
               engine->replay == NULL) {           /* the trace has it */
        struct letter letter = {.message = sent};

        /* It enters now: a chain of slices must not work for minutes at the instant of its first.
         */
        letter.message.at = clock_now(&engine->clock);
        letter.message.mono = clock_mono(&engine->clock);
        mailbox_post(&engine->mailbox, &letter);
    }
}

/* A response that is kept becomes a row in the batch of the reply's cause, before the next letter.
 */
static void keep_response(struct engine *engine, const struct reply *reply)
{
    struct message message = {.actor = {ACTOR_PLATFORM, 0}, .type = MESSAGE_RESPONSE_KEPT};

    if (engine->on_keep == NULL) {
        return;
    }
    message.payload.kept =
        engine->on_keep(engine->keep_context, reply->exchange, reply, &engine->memory);
    recording_kept(engine, message.payload.kept);
    if (message.payload.kept != NULL) {
        effect_send(&engine->effects.effects, &message);
    }
}

static void world_reply(struct effects *effects, const struct reply *reply)
{
    struct engine *engine = engine_of_effects(effects);
    const struct engine_watch *watch = engine->steps.watch;

    if ((reply->exchange & GATEWAY_EXCHANGE) == 0) {
        if (watch != NULL) {
            watch->on_reply(watch->context, reply);
        }
        keep_response(engine, outbox_put_reply(&engine->filling->outbox, reply));
        return;
    }
    const struct call_event *event = engine->handled->payload.event;
    const struct gateway_answer answer = {.execution = engine->handled->actor.number,
                                          .entry = event->entry,
                                          .attempt = event->attempt,
                                          .status = reply->event.status};

    if (watch != NULL) {
        watch->on_answer(watch->context, (uint32_t)(reply->exchange & UINT32_MAX), &answer);
    }
    outbox_put_answer(&engine->filling->outbox, (uint32_t)(reply->exchange & UINT32_MAX), &answer);
}

static void world_offer(struct effects *effects, const struct offer *offer)
{
    struct engine *engine = engine_of_effects(effects);

    outbox_put_offer(&engine->filling->outbox, offer);
    metrics_add(&engine->metrics, METRIC_CALLS_QUEUED, 1);
}

static void world_publish(struct effects *effects, uint32_t organisation)
{
    outbox_put_publish(&engine_of_effects(effects)->filling->outbox, organisation);
}

void world_init(struct engine *engine)
{
    static const struct view_ops view_ops = {world_get, world_seek, world_zone};
    static const struct effects_ops effects_ops = {world_put,   world_delete, world_send,
                                                   world_reply, world_offer,  world_publish};

    engine->view.view.ops = &view_ops;
    engine->view.view.arena = &engine->memory;
    engine->view.engine = engine;
    engine->effects.effects.ops = &effects_ops;
    engine->effects.engine = engine;
}

/* ---- dispatch ---- */

/* The launch of a large audience is answered batches later. What the answer will be is known now:
 * it is kept with the launch. */
static void keep_launch(struct engine *engine, const struct execution *execution)
{
    struct reply reply = {.exchange = execution->launch_exchange, .kind = REPLY_LAUNCHED};

    if (execution->launch_exchange != 0) {
        reply.launched = execution->settings.id;
        keep_response(engine, &reply);
    }
}

static void after_execution(struct engine *engine, struct resident *resident)
{
    if (resident->execution.is_dirty || execution_is_over(&resident->execution)) {
        registry_touch(&engine->registry, resident);
    }
    registry_arm(&engine->registry, resident);
}

/* An execution that has ended is loaded for one message, and leaves with the batch. */
static struct resident *find_execution(struct engine *engine, const struct message *m)
{
    struct resident *resident = registry_find(&engine->registry, m->actor.number);

    if (resident != NULL) {
        return resident;
    }
    resident = registry_add(&engine->registry, m->actor.number);
    if (m->type == MESSAGE_LAUNCH) {
        execution_init(&resident->execution, m->actor.number);
        return resident;
    }
    if (execution_load(&resident->execution, m->actor.number, &engine->settings, &engine->view.view,
                       m->mono)) {
        resident->told = resident->execution.state.status;
        return resident;
    }
    registry_remove(&engine->registry, resident);
    return NULL;
}

static void answer_missing(struct engine *engine, const struct message *m)
{
    struct effects *out = &engine->effects.effects;

    switch ((int)m->type) {
    case MESSAGE_CALL_STARTED:
    case MESSAGE_NODE_EXECUTED:
    case MESSAGE_CALL_RESULT:
    case MESSAGE_CALL_RELEASED: {
        struct reply reply = {.exchange = m->exchange, .kind = REPLY_EVENT};

        reply.event.part = m->payload.event->part;
        reply.event.status = EVENT_UNKNOWN;
        effect_reply(out, &reply);
        break;
    }
    default:
        effect_reply_fault(out, m->exchange, FAULT_EXECUTION_NOT_FOUND,
                           SLICE("Execution not found"));
    }
}

static void handle_execution(struct engine *engine, const struct message *m)
{
    struct resident *resident = find_execution(engine, m);

    if (resident == NULL) {
        answer_missing(engine, m);
        return;
    }
    execution_handle(&resident->execution, &engine->settings, m, &engine->view.view,
                     &engine->effects.effects);
    if (m->type == MESSAGE_LAUNCH) {
        keep_launch(engine, &resident->execution);
    }
    after_execution(engine, resident);
}

static void handle_every_execution(struct engine *engine, const struct message *m)
{
    for (uint32_t i = 0; i < engine->registry.count; i++) {
        struct message each = *m;

        each.actor =
            (struct actor_name){ACTOR_EXECUTION, engine->registry.slots[i]->execution.number};
        handle_execution(engine, &each);
    }
}

void world_handle(struct engine *engine, const struct message *message)
{
    struct view *view = &engine->view.view;
    struct effects *out = &engine->effects.effects;

    engine->handled = message;
    if (engine->steps.watch != NULL) {
        engine->steps.watch->on_message(engine->steps.watch->context, message);
    }
    switch (message->actor.kind) {
    case ACTOR_PLATFORM: platform_handle(message, view, out); break;
    case ACTOR_DIRECTORY: directory_handle(&engine->settings, message, view, out); break;
    case ACTOR_EXECUTION: handle_execution(engine, message); break;
    case ACTOR_DISPATCHER:
        if (message->type == MESSAGE_TICK) {
            engine->dispatcher_is_ticked = false;
        }
        dispatcher_handle(&engine->dispatcher, message, view, out);
        break;
    case ACTOR_EVERY_EXECUTION: handle_every_execution(engine, message); break;
    case ACTOR_RETENTION:
        if (message->type == MESSAGE_TICK) {
            engine->retention_is_ticked = false;
        }
        retention_handle(&engine->retention, &engine->settings, message, view, out);
        break;
    }
    engine->handled = NULL;
    engine->filling->messages++;
    metrics_add(&engine->metrics, METRIC_MESSAGES, 1);
}

void gateway_post(struct engine *engine, enum message_type type, uint32_t execution,
                  const struct call_event *event)
{
    struct letter letter = {.message = {.actor = {ACTOR_EXECUTION, execution},
                                        .type = type,
                                        .at = clock_now(&engine->clock),
                                        .mono = clock_mono(&engine->clock)},
                            .event = *event,
                            .has_event = true};

    if (type == MESSAGE_CALL_STARTED) {
        struct resident *resident = registry_find(&engine->registry, execution);

        letter.message.exchange =
            GATEWAY_EXCHANGE | (resident != NULL ? resident->execution.gateway : UINT32_MAX);
    } else if (type == MESSAGE_NODE_EXECUTED) {
        letter.arena = arena_new();
        letter.event.node.node_id = arena_copy(letter.arena, event->node.node_id);
    } else if (type == MESSAGE_CALL_RESULT && event->result.detail.size > 0) {
        letter.arena = arena_new();
        letter.event.result.detail = arena_copy(letter.arena, event->result.detail);
    } else if (type == MESSAGE_CALL_RELEASED && event->released.reason.size > 0) {
        letter.arena = arena_new();
        letter.event.released.reason = arena_copy(letter.arena, event->released.reason);
    }
    mailbox_post(&engine->mailbox, &letter);
    turn_wanted(engine);
}
