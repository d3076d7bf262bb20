/* A turn: messages -> actors -> batch and outbox. The heart of the engine.
 *
 * 1. The time is taken once, timers that are due become TICKs, and a read transaction is begun.
 * 2. A letter is handled, then all that follows from it, so that a cause and its consequences are
 * in one batch.
 * 3. When the writer is idle and the batch is a chunk, or the turn ends, the batch is closed: the
 * executions that were touched save their state, the dispatcher the credits, and the batch goes to
 * the writer. The next one fills meanwhile.
 * 4. A turn ends when nothing waits, when its budget is used up, or when the batch is full and the
 * writer is busy. What leaves the process waits in the outbox for the writer's word (release.c).
 */
#include "base/check.h"
#include "engine/engine_state.h"
#include "engine/recording.h"
#include "model/names.h"

void turn_wanted(struct engine *engine)
{
    static const struct timeval at_once = {0, 0};

    if (engine->steps.is_stepped) {
        engine->steps.is_turn_wanted = true;
    } else if (!evtimer_pending(engine->run_event, NULL)) {
        evtimer_add(engine->run_event, &at_once);
    }
}

static bool writer_is_free(const struct engine *engine)
{
    return engine->writing == NULL;
}

/* ---- closing a batch ---- */

static void log_status(struct resident *resident)
{
    const struct execution *e = &resident->execution;

    if (resident->told != e->state.status) {
        resident->told = e->state.status;
        log_info("execution", FIELD_UUID("execution", &e->settings.id),
                 FIELD_UUID("organization", &e->settings.organisation_id),
                 FIELD_TEXT("status", execution_status_name(e->state.status)),
                 FIELD_SLICE("reason", e->state.status_reason),
                 FIELD_UINT("contacts", e->state.counters.total),
                 FIELD_UINT("completed", e->state.counters.completed),
                 FIELD_UINT("failed", e->state.counters.failed),
                 FIELD_UINT("skipped", e->state.counters.skipped));
    }
}

void turn_save(struct engine *engine)
{
    struct registry *registry = &engine->registry;

    for (uint32_t i = 0; i < registry->touched_count; i++) {
        struct resident *resident = registry->touched[i];

        resident->is_listed = false;
        if (resident->execution.is_dirty) {
            log_status(resident);
            execution_save(&resident->execution, &engine->effects.effects);
        }
        if (execution_is_over(&resident->execution)) {
            registry_remove(registry, resident);
        }
    }
    registry->touched_count = 0;
    dispatcher_save(&engine->dispatcher, &engine->effects.effects);
}

static struct work *free_work(struct engine *engine)
{
    for (unsigned i = 0; i < 3; i++) {
        struct work *work = &engine->works[i];

        if (work != engine->filling && work != engine->writing && work != engine->releasing) {
            return work;
        }
    }
    OD_CHECK(!"a free batch");
    return NULL;
}

static void tell_closed(const struct engine *engine, bool has_rows)
{
    const struct engine_watch *watch = engine->steps.watch;

    if (watch != NULL) {
        watch->on_closed(watch->context, has_rows);
    }
}

void turn_submit(struct engine *engine)
{
    engine->writing = engine->filling;
    engine->filling = free_work(engine);
    writer_submit(engine->writer, engine->writing->batch);
}

/* A batch without rows has nothing to wait for but those before it. */
void turn_hand_over(struct engine *engine)
{
    OD_CHECK(engine->writing == NULL && mailbox_derived(&engine->mailbox) == 0);
    turn_save(engine);
    recording_commit(engine);
    if (batch_count(engine->filling->batch) > 0) {
        if (engine->clock.is_test) {
            advance_store_clock(engine);
        }
        tell_closed(engine, true);
        turn_submit(engine);
        return;
    }
    recording_flush(engine, engine->filling);
    if (!outbox_is_empty(&engine->filling->outbox) && engine->releasing == NULL) {
        tell_closed(engine, false);
        engine->releasing = engine->filling;
        engine->filling = free_work(engine);
        turn_wanted(engine);
    }
}

/* ---- handling ---- */

static bool batch_is_full(const struct engine *engine)
{
    return engine->filling->messages >= engine->config->batch_max_messages ||
           batch_bytes(engine->filling->batch) >= engine->config->batch_max_bytes;
}

/* Handles one message; false: none waits. */
static bool handle_next(struct engine *engine)
{
    struct message derived;

    if (mailbox_take_derived(&engine->mailbox, &derived)) {
        world_handle(engine, &derived);
        return true;
    }
    if (!mailbox_take_letter(&engine->mailbox, &engine->letter)) {
        return false;
    }
    world_handle(engine, &engine->letter.message);
    return true;
}

/* The letter and its consequences are done: their memory ends, and the batch may be closed here. */
static void close_letter(struct engine *engine)
{
    recording_letter(engine, &engine->letter.message);
    arena_free(engine->letter.arena);
    engine->letter.arena = NULL;
    arena_reset(&engine->memory);
    if (writer_is_free(engine) && batch_count(engine->filling->batch) >= CHUNK_OPERATIONS) {
        turn_hand_over(engine);
    }
}

static bool is_used_up(const struct engine *engine, int64_t started_ns, uint32_t letters)
{
    if (engine->steps.is_stepped) {
        return letters >= engine->steps.turn_letters;
    }
    return clock_mono_ns() - started_ns > TURN_BUDGET_NS;
}

static bool may_handle(const struct engine *engine)
{
    return engine->mode == ENGINE_READY || engine->mode == ENGINE_DRAINING;
}

static void handle_messages(struct engine *engine, int64_t started_ns)
{
    uint32_t letters = 0;
    struct od_error error;

    if (reader_begin(engine->reader, &error) != 0) {
        log_error("the store cannot be read", FIELD_TEXT("reason", error.text));
        engine->exit_status = EXIT_STORE;
        engine_leave(engine);
        return;
    }
    for (;;) {
        bool between = mailbox_derived(&engine->mailbox) == 0;

        if (between && ((batch_is_full(engine) && !writer_is_free(engine)) ||
                        is_used_up(engine, started_ns, letters))) {
            break;
        }
        if (!handle_next(engine)) {
            break;
        }
        if (mailbox_derived(&engine->mailbox) == 0) {
            close_letter(engine);
            letters++;
        }
    }
    reader_end(engine->reader);
}

bool turn_is_idle(const struct engine *engine)
{
    return mailbox_letters(&engine->mailbox) == 0 && mailbox_derived(&engine->mailbox) == 0 &&
           engine->writing == NULL && engine->releasing == NULL &&
           batch_count(engine->filling->batch) == 0 && outbox_is_empty(&engine->filling->outbox) &&
           engine->registry.touched_count == 0 && engine->dispatcher.first_dirty == INDEX32_NONE;
}

void turn_run(struct engine *engine)
{
    int64_t started_ns = clock_mono_ns();

    timers_take_time(engine);
    if (engine->releasing != NULL) {
        release_run(engine);
    }
    if (!may_handle(engine)) {
        return;
    }
    if (engine->mode == ENGINE_READY) {
        timers_fire(engine);
    }
    if (mailbox_letters(&engine->mailbox) > 0 || mailbox_derived(&engine->mailbox) > 0) {
        handle_messages(engine, started_ns);
    }
    if (writer_is_free(engine)) {
        turn_hand_over(engine);
    }
    if (mailbox_letters(&engine->mailbox) > 0 &&
        !(batch_is_full(engine) && !writer_is_free(engine))) {
        turn_wanted(engine);
    }
    if (turn_is_idle(engine)) {
        advance_step(engine);
    }
    timers_arm(engine);
    metrics_observe_ns(&engine->metrics, METRIC_TURN_TIME, clock_mono_ns() - started_ns);
}
