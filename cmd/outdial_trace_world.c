/* How the world lives:
 *
 *   1. organisations, contacts, audiences and programs are made (outdial_trace_world_make.c);
 *   2. what is to come lies in a heap by its instant. The engine is brought to the first one, does
 *      what is due on its own, and stands still; then everything of that instant is posted;
 *   3. answers plan the next things (outdial_trace_world_calls.c);
 *   4. each few seconds somebody looks which executions have ended. With the last one the world
 * ends.
 *
 * A step posts nothing before the engine has come to rest, so the order of all messages follows
 * from the seed alone.
 */
#include "cmd/outdial_trace_world.h"

#include "base/check.h"
#include "base/instant.h"
#include "base/memory.h"
#include "cmd/outdial_trace_world_parts.h"
#include "engine/steps.h"

enum {
    WATCH_MS = 5000,
    FIRST_LAUNCH_MS = 1000,
    LAUNCH_GAP_MS = 1000,
    PAUSE_MS = 30000,
    DEED_DELAY_MIN_MS = 5000, /* after the launch */
    DEED_DELAY_MAX_MS = 60000,
    QUESTIONS = 64,
};

/* ---- the engine ---- */

/* Turns and commits until nothing waits: what was posted is durable, and answered. */
static int rest(struct world *world)
{
    struct engine *engine = world->engine;
    int status;

    while (engine_wants_turn(engine) || engine_is_committing(engine)) {
        int code = 0;

        if (engine_wants_turn(engine)) {
            engine_run_turn(engine);
        } else {
            code = engine_commit(engine);
            engine_hear_commit(engine);
        }
        if (code != 0) {
            return od_error_set(world->error, code, "a commit failed: %s", od_error_text(code));
        }
        if (engine_is_broken(engine, &status)) {
            return od_error_set(world->error, OD_EIO, "the engine has ended itself, with %d",
                                status);
        }
    }
    return 0;
}

/* The next instant at which anything is due by itself. */
static int64_t next_due(const struct world *world)
{
    struct wake wake = engine_wake(world->engine);
    int64_t now = engine_now(world->engine);
    int64_t at = wake.at;

    if (wake.mono != INSTANT_NEVER) {
        int64_t mono_at = instant_add(now, wake.mono - engine_mono(world->engine));

        at = mono_at < at ? mono_at : at;
    }
    return at > now ? at : now;
}

static void move_clock(struct world *world, int64_t to)
{
    int64_t passed = to - engine_now(world->engine);

    engine_set_clock(world->engine, to, engine_mono(world->engine) + passed, CLOCK_GOES_ON);
}

int world_settle(struct world *world, int64_t to)
{
    int code = rest(world);

    while (code == 0 && engine_now(world->engine) < to) {
        int64_t due = next_due(world);

        move_clock(world, due < to ? due : to);
        code = rest(world);
    }
    world->progress.at = engine_now(world->engine);
    world->question_count = 0;
    world->is_waiting_new = false;
    return code != 0 ? code : world->code;
}

uint64_t world_post(struct world *world, struct actor_name actor, enum message_type type,
                    const union payload *payload, struct arena *arena, struct world_call *call)
{
    struct message message = {
        .actor = actor, .type = type, .exchange = engine_next_exchange(world->engine)};

    if (payload != NULL) {
        message.payload = *payload;
    }
    if (world->question_count == 0) {
        world->first_exchange = message.exchange;
    }
    if (world->question_count == world->question_room) {
        world->question_room = world->question_room == 0 ? QUESTIONS : 2 * world->question_room;
        world->questions =
            memory_resize(world->questions, world->question_room, sizeof(*world->questions));
    }
    world->questions[world->question_count++] = (struct world_question){.type = type, .call = call};
    world->progress.messages++;
    engine_post(world->engine, &message, arena);
    return message.exchange;
}

/* What the world asks for is all right, but for what an execution that has ended in the meantime
 * refuses. */
static bool may_be_refused(enum message_type type)
{
    return type == MESSAGE_PAUSE || type == MESSAGE_RESUME || type == MESSAGE_CANCEL;
}

static void on_reply(void *context, uint64_t exchange, const struct reply *reply)
{
    struct world *world = context;
    const struct world_question *question;

    if (reply->kind == REPLY_CLAIMED) {
        if (world->has_waiting_claim && exchange == world->waiting_exchange) {
            world->has_waiting_claim = false;
        }
        world_on_claimed(world, reply);
        return;
    }
    if (exchange < world->first_exchange ||
        exchange - world->first_exchange >= world->question_count) {
        return; /* to everyone: the engine has failed, and says so itself */
    }
    question = &world->questions[exchange - world->first_exchange];
    if (reply->kind == REPLY_EVENT && question->call != NULL) {
        world_on_answer(world, question->call, reply->event.status);
    } else if (reply->kind == REPLY_FAULT && !may_be_refused(question->type) && world->code == 0) {
        world->code =
            od_error_set(world->error, OD_EINVAL, "%s was refused: %.*s",
                         message_type_name(question->type), SLICE_ARGS(reply->fault.message));
    }
}

/* ---- plans ---- */

uint32_t world_between(struct world *world, uint32_t low, uint32_t high)
{
    return low + (uint32_t)prng_below(&world->prng, (uint64_t)high - low + 1);
}

void world_plan(struct world *world, struct world_event *event, int64_t at)
{
    OD_CHECK(heap_insert(&world->events, &event->node, at) == 0);
}

static void plan_deed(struct world *world, struct world_execution *execution, enum world_deed deed,
                      int64_t at)
{
    struct world_event *event = memory_zero(1, sizeof(*event));

    heap_node_init(&event->node);
    event->deed = deed;
    event->execution = execution;
    world_plan(world, event, at);
}

/* The executions that are paused and those that are cancelled are spread over all. */
static bool is_chosen(uint32_t index, uint32_t chosen, uint32_t all)
{
    return (uint64_t)(index + 1) * chosen / all != (uint64_t)index * chosen / all;
}

static void plan_all(struct world *world)
{
    const struct world_options *options = world->options;
    int64_t launch = engine_now(world->engine) + FIRST_LAUNCH_MS;

    for (uint32_t i = 0; i < options->executions; i++, launch += LAUNCH_GAP_MS) {
        struct world_execution *execution = &world->executions[i];

        plan_deed(world, execution, DEED_LAUNCH, launch);
        if (is_chosen(i, options->pauses, options->executions)) {
            int64_t at = launch + world_between(world, DEED_DELAY_MIN_MS, DEED_DELAY_MAX_MS);

            plan_deed(world, execution, DEED_PAUSE, at);
            plan_deed(world, execution, DEED_RESUME, at + PAUSE_MS);
        }
        if (is_chosen(options->executions - 1 - i, options->cancels, options->executions)) {
            plan_deed(world, execution, DEED_CANCEL,
                      launch + world_between(world, DEED_DELAY_MIN_MS, DEED_DELAY_MAX_MS));
        }
    }
    world->arrival = (struct world_event){.deed = DEED_ARRIVAL};
    world->give_up = (struct world_event){.deed = DEED_GIVE_UP};
    world->watch = (struct world_event){.deed = DEED_WATCH};
    heap_node_init(&world->arrival.node);
    heap_node_init(&world->give_up.node);
    heap_node_init(&world->watch.node);
    world->arrival_us = 1000 * (engine_now(world->engine) + FIRST_LAUNCH_MS);
    world_plan(world, &world->arrival, world->arrival_us / 1000);
    world_plan(world, &world->watch, engine_now(world->engine) + WATCH_MS);
}

/* ---- deeds ---- */

static void control(struct world *world, struct world_event *event, enum message_type type)
{
    const union payload payload = {.resume = {.has_rules = false}};

    (void)world_post(world, (struct actor_name){ACTOR_EXECUTION, event->execution->number}, type,
                     &payload, NULL, NULL);
}

static bool is_end(enum execution_status status)
{
    return status == EXECUTION_COMPLETED || status == EXECUTION_STOPPED ||
           status == EXECUTION_CANCELLED;
}

static int look(struct world *world, struct reader *reader, struct world_execution *execution,
                struct arena *arena)
{
    struct key key = key_u32(execution->number);
    struct execution_state state;
    int code = reader_get(reader, TABLE_EXECUTION_STATE, &key, arena, &state);

    if (code == OD_ENOTFOUND) {
        return 0; /* its launch has been posted in this very step */
    }
    if (code != 0) {
        return od_error_set(world->error, code, "execution %u cannot be read", execution->number);
    }
    world->progress.ended -= execution->ended;
    execution->ended = state.counters.completed + state.counters.failed + state.counters.skipped;
    world->progress.ended += execution->ended;
    execution->has_ended = is_end(state.status);
    world->progress.executions_ended += execution->has_ended;
    return 0;
}

static void watch(struct world *world)
{
    struct reader *reader = engine_begin_read(world->engine);
    struct arena arena;

    if (reader == NULL) {
        world->code = od_error_set(world->error, OD_EIO, "the store cannot be read");
        return;
    }
    arena_init(&arena, 1024);
    for (uint32_t i = 0; i < world->options->executions && world->code == 0; i++) {
        struct world_execution *execution = &world->executions[i];

        if (execution->is_launched && !execution->has_ended) {
            world->code = look(world, reader, execution, &arena);
        }
    }
    arena_deinit(&arena);
    engine_end_read(world->engine, reader);
    world_plan(world, &world->watch, world->progress.at + WATCH_MS);
}

static void act(struct world *world, struct world_event *event)
{
    switch (event->deed) {
    case DEED_ARRIVAL: world_on_arrival(world); return;
    case DEED_GIVE_UP: world_on_give_up(world); return;
    case DEED_WATCH: watch(world); return;
    case DEED_CALL: world_on_call(world, event->call); return;
    case DEED_LAUNCH: world_launch(world, event->execution); break;
    case DEED_PAUSE: control(world, event, MESSAGE_PAUSE); break;
    case DEED_RESUME: control(world, event, MESSAGE_RESUME); break;
    case DEED_CANCEL: control(world, event, MESSAGE_CANCEL); break;
    }
    memory_free(event);
}

static struct world_event *take_due(struct world *world)
{
    struct heap_node *node = heap_first(&world->events);

    if (node == NULL || node->due > world->progress.at) {
        return NULL;
    }
    heap_remove(&world->events, node);
    return (struct world_event *)(void *)node;
}

static int step(struct world *world)
{
    struct world_event *event;
    int code = world_settle(world, heap_first(&world->events)->due);

    while (code == 0 && (event = take_due(world)) != NULL) {
        act(world, event);
        code = world->code;
    }
    return code != 0 ? code : world_settle(world, world->progress.at);
}

int world_live(struct world *world,
               void (*on_progress)(void *context, const struct world_progress *progress),
               void *context, struct od_error *error)
{
    int64_t told = 0;
    int code;

    world->error = error;
    world->code = 0;
    code = world_settle(world, engine_now(world->engine));
    if (code == 0) {
        code = world_make(world);
    }
    if (code == 0) {
        plan_all(world);
    }
    while (code == 0 && world->progress.executions_ended < world->options->executions) {
        code = step(world);
        if (on_progress != NULL && world->progress.at >= told + WATCH_MS) {
            told = world->progress.at;
            on_progress(context, &world->progress);
        }
    }
    if (on_progress != NULL) {
        on_progress(context, &world->progress);
    }
    return code;
}

/* ---- life ---- */

struct world *world_new(struct engine *engine, const struct world_options *options)
{
    struct world *world = memory_zero(1, sizeof(*world));

    OD_CHECK(options->organisations > 0 && options->executions >= options->organisations);
    world->engine = engine;
    world->options = options;
    prng_seed(&world->prng, options->seed);
    heap_init(&world->events);
    world->organisations = memory_zero(options->organisations, sizeof(*world->organisations));
    world->executions = memory_zero(options->executions, sizeof(*world->executions));
    engine_set_replies(engine, on_reply, world);
    return world;
}

/* The events that stand in the world itself, or in a call, are not freed for themselves. */
void world_free(struct world *world)
{
    struct heap_node *node;

    while ((node = heap_first(&world->events)) != NULL) {
        struct world_event *event = (struct world_event *)(void *)node;

        heap_remove(&world->events, node);
        if (event->deed == DEED_CALL) {
            memory_free(event->call);
        } else if (event->execution != NULL) {
            memory_free(event);
        }
    }
    heap_deinit(&world->events);
    engine_set_replies(world->engine, NULL, NULL);
    memory_free(world->questions);
    memory_free(world->organisations);
    memory_free(world->executions);
    memory_free(world);
}
