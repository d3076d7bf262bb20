/* The workers: they claim calls as the arrival shape says, ask for each permission, tell what
 * happened, and sometimes do it wrong.
 *
 * At most one claim waits. While it does, nobody else claims: there is nothing to be had.
 */
#include "base/check.h"
#include "base/instant.h"
#include "base/memory.h"
#include "cmd/outdial_trace_world_parts.h"

enum {
    CLAIM_WAIT_MS = 20000,
    BURST_MS = 10000,
    BURST_CLAIM = 100, /* calls a claim at most */
    START_MIN_MS = 20,
    START_MAX_MS = 400,
    RING_MIN_MS = 1000,
    RING_MAX_MS = 8000,
    TALK_MIN_MS = 5000,
    TALK_MAX_MS = 90000,
    NODES_MAX = 3,
    REPEAT_MS = 1000,
    RELEASE_SECONDS = 2,
};

/* ---- arrivals ---- */

/* The negative natural logarithm of (x + 1) / 2^32, in 2^-24ths. By squaring, a bit a step, and in
 * whole numbers: a double would depend on the machine in its last bits. */
static uint64_t negative_log(uint32_t x)
{
    const uint64_t ln2 = 11629080; /* × 2^-24 */
    uint64_t mantissa = (uint64_t)x + 1;
    uint64_t log2 = 32;
    uint64_t fraction = 0;

    while (mantissa < UINT64_C(1) << 32) {
        mantissa <<= 1;
        log2--;
    }
    mantissa >>= 1; /* from 1 up to 2, in 2^-31sts */
    for (unsigned i = 0; i < 24; i++) {
        mantissa = mantissa * mantissa >> 31;
        fraction <<= 1;
        if (mantissa >= UINT64_C(1) << 32) {
            mantissa >>= 1;
            fraction |= 1;
        }
    }
    return ((32 << 24) - (log2 << 24) - fraction) * ln2 >> 24;
}

/* Microseconds up to the next claim, of `calls` calls. */
static int64_t arrival_gap(struct world *world, uint32_t calls)
{
    const struct world_options *options = world->options;
    uint64_t mean_us = UINT64_C(1000000) * calls / options->rate;

    switch (options->arrival) {
    case ARRIVAL_CONSTANT: break;
    case ARRIVAL_POISSON:
        return (int64_t)(mean_us * negative_log((uint32_t)prng_next(&world->prng)) >> 24);
    case ARRIVAL_BURST: return INT64_C(1000) * BURST_MS;
    }
    return (int64_t)mean_us;
}

static void claim(struct world *world, uint32_t calls)
{
    const union payload payload = {.claim = {.gateway = SLICE("worker"),
                                             .max = calls,
                                             .waits = !world->has_waiting_claim,
                                             .claim_id = engine_new_id(world->engine)}};
    uint64_t exchange = world_post(world, (struct actor_name){ACTOR_DISPATCHER, 0}, MESSAGE_CLAIM,
                                   &payload, NULL, NULL);

    if (!world->has_waiting_claim) {
        world->has_waiting_claim = true;
        world->is_waiting_new = true;
        world->waiting_exchange = exchange;
    }
}

static void claim_burst(struct world *world)
{
    uint64_t left = (uint64_t)world->options->rate * BURST_MS / MS_PER_SECOND;

    while (left > 0) {
        uint32_t calls = left < BURST_CLAIM ? (uint32_t)left : BURST_CLAIM;

        claim(world, calls);
        left -= calls;
    }
}

void world_on_arrival(struct world *world)
{
    uint32_t batch = world->options->batch;

    if (!world->has_waiting_claim || world->is_waiting_new) {
        if (world->options->arrival == ARRIVAL_BURST) {
            claim_burst(world);
        } else {
            claim(world, batch);
        }
        if (!heap_contains(&world->events, &world->give_up.node)) {
            world_plan(world, &world->give_up, world->progress.at + CLAIM_WAIT_MS);
        } else {
            heap_move(&world->events, &world->give_up.node, world->progress.at + CLAIM_WAIT_MS);
        }
    }
    world->arrival_us += arrival_gap(world, batch);
    world_plan(world, &world->arrival, world->arrival_us / 1000);
}

void world_on_give_up(struct world *world)
{
    struct message message = {.actor = {ACTOR_DISPATCHER, 0}, .type = MESSAGE_CLAIM_GIVEN_UP};

    if (!world->has_waiting_claim) {
        return;
    }
    message.exchange = world->waiting_exchange;
    world->progress.messages++;
    engine_post(world->engine, &message, NULL);
}

/* ---- calls ---- */

static enum outcome draw_outcome(struct world *world)
{
    uint64_t total = 0, drawn;

    for (unsigned i = 0; i < WORLD_OUTCOMES; i++) {
        total += world->options->weights[i];
    }
    drawn = prng_below(&world->prng, total);
    for (unsigned i = 0; i < WORLD_OUTCOMES; i++) {
        if (drawn < world->options->weights[i]) {
            return (enum outcome)i;
        }
        drawn -= world->options->weights[i];
    }
    return OUTCOME_NONE; /* never: the weights are the total */
}

static enum call_fault draw_fault(struct world *world)
{
    if (prng_below(&world->prng, WORLD_PART) >= world->options->faults) {
        return CALL_SOUND;
    }
    return (enum call_fault)world_between(world, CALL_LOST, CALL_RESULT_TWICE);
}

static void plan_call(struct world *world, struct world_call *call, enum call_stage stage,
                      uint32_t after_ms)
{
    call->stage = stage;
    world_plan(world, &call->event, world->progress.at + after_ms);
}

/* Numbers are given one after the other, and launches are in the order of the executions. */
static struct world_execution *find_execution(struct world *world, uint32_t number)
{
    uint32_t index = number - world->executions[0].number;

    OD_CHECK(index < world->options->executions && world->executions[index].number == number);
    return &world->executions[index];
}

static void take_call(struct world *world, const struct claimed_call *claimed)
{
    struct world_execution *execution = find_execution(world, claimed->execution);
    struct world_call *call;
    enum call_fault fault = draw_fault(world);

    world->progress.calls++;
    if (fault == CALL_LOST) {
        return;
    }
    call = memory_zero(1, sizeof(*call));
    heap_node_init(&call->event.node);
    call->event.deed = DEED_CALL;
    call->event.call = call;
    call->execution = execution;
    call->entry = claimed->entry;
    call->attempt = claimed->attempt;
    call->claim_id = claimed->claim_id;
    call->fault = fault;
    call->outcome = draw_outcome(world);
    call->ring_ms = world_between(world, RING_MIN_MS, RING_MAX_MS);
    if (call->outcome == OUTCOME_ANSWERED) {
        call->talk_ms = world_between(world, TALK_MIN_MS, TALK_MAX_MS);
        call->nodes_left = world_between(world, 1, NODES_MAX);
    }
    plan_call(world, call, fault == CALL_RELEASED ? STAGE_RELEASE : STAGE_START,
              world_between(world, START_MIN_MS, START_MAX_MS));
}

void world_on_claimed(struct world *world, const struct reply *reply)
{
    for (size_t i = 0; i < reply->claimed.count; i++) {
        take_call(world, &reply->claimed.calls[i]);
    }
}

static struct call_event *new_event(const struct world_call *call, struct arena *arena)
{
    struct call_event *event = arena_zalloc(arena, sizeof(*event));

    event->entry = call->entry;
    event->attempt = call->attempt;
    event->tag = call_tag(&call->execution->id);
    return event;
}

static void post_event(struct world *world, struct world_call *call, enum message_type type,
                       const struct call_event *event, struct arena *arena)
{
    const union payload payload = {.event = event};

    (void)world_post(world, (struct actor_name){ACTOR_EXECUTION, call->execution->number}, type,
                     &payload, arena, call);
}

static void post_node(struct world *world, struct world_call *call)
{
    static const char *const nodes[NODES_MAX] = {"end", "question", "greeting"};
    struct arena *arena = arena_new();
    struct call_event *event = new_event(call, arena);

    call->nodes_left--;
    event->node.node_id = slice_from(nodes[call->nodes_left]);
    event->node.seq = ++call->seq;
    post_event(world, call, MESSAGE_NODE_EXECUTED, event, arena);
}

static void post_result(struct world *world, struct world_call *call)
{
    struct arena *arena = arena_new();
    struct call_event *event = new_event(call, arena);

    event->result.outcome = call->outcome;
    if (call->outcome == OUTCOME_ANSWERED) {
        event->result.has_duration = true;
        event->result.duration_seconds = call->talk_ms / MS_PER_SECOND;
    }
    post_event(world, call, MESSAGE_CALL_RESULT, event, arena);
}

void world_on_call(struct world *world, struct world_call *call)
{
    struct arena *arena;
    struct call_event *event;

    switch (call->stage) {
    case STAGE_START:
        arena = arena_new();
        event = new_event(call, arena);
        event->started.claim_id = call->claim_id;
        post_event(world, call, MESSAGE_CALL_STARTED, event, arena);
        return;
    case STAGE_RELEASE:
        arena = arena_new();
        event = new_event(call, arena);
        event->released.reason = SLICE("no channel");
        event->released.retry_after_seconds = RELEASE_SECONDS;
        event->released.claim_id = call->claim_id;
        post_event(world, call, MESSAGE_CALL_RELEASED, event, arena);
        return;
    case STAGE_NODE: post_node(world, call); return;
    case STAGE_RESULT:
    case STAGE_REPEAT: post_result(world, call); return;
    case STAGE_DONE: break;
    }
    OD_CHECK(!"a call that is over does nothing");
}

/* ---- answers ---- */

static void on_permitted(struct world *world, struct world_call *call)
{
    if (call->fault == CALL_STARTED_TWICE && !call->has_asked) {
        call->has_asked = true;
        plan_call(world, call, STAGE_START, START_MIN_MS);
    } else if (call->outcome == OUTCOME_TIMEOUT) {
        memory_free(call); /* never heard of again */
    } else if (call->outcome == OUTCOME_ANSWERED) {
        plan_call(world, call, STAGE_NODE, call->ring_ms);
    } else {
        plan_call(world, call, STAGE_RESULT, call->ring_ms);
    }
}

void world_on_answer(struct world *world, struct world_call *call, enum event_status status)
{
    bool is_over = status != EVENT_ACCEPTED && status != EVENT_DUPLICATE;

    /* NOLINTNEXTLINE(bugprone-branch-clone): the last one's end is its own */
    if (is_over || call->stage == STAGE_RELEASE || call->stage == STAGE_REPEAT) {
        memory_free(call);
    } else if (call->stage == STAGE_START) {
        on_permitted(world, call);
    } else if (call->stage == STAGE_NODE) {
        plan_call(world, call, call->nodes_left > 0 ? STAGE_NODE : STAGE_RESULT,
                  call->talk_ms / (NODES_MAX + 1));
    } else if (call->fault == CALL_RESULT_TWICE) {
        plan_call(world, call, STAGE_REPEAT, REPEAT_MS);
    } else {
        memory_free(call);
    }
}
