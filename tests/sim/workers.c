/* Workers: they claim calls, ask for the permission to dial, and tell what happened; and they lose,
 * repeat, delay and reorder what they say, die with their claims, and come back late.
 *
 * What they never do is break the contract of a gateway (docs/worker-contract.md): they dial on
 * `accepted` only, once, or on `duplicate` if they know that they have not dialled; and a call that
 * they gave back they do not dial. So the model may count their dials: one for each permission.
 */
#include <string.h>

#include "base/check.h"
#include "tests/sim/web.h"

static const enum outcome outcomes[] = {OUTCOME_ANSWERED,  OUTCOME_ANSWERED, OUTCOME_ANSWERED,
                                        OUTCOME_VOICEMAIL, OUTCOME_BUSY,     OUTCOME_NO_ANSWER,
                                        OUTCOME_REJECTED,  OUTCOME_ERROR,    OUTCOME_TIMEOUT};

/* ---- events ---- */

static struct call_event *event_of(struct arena *arena, const struct known_call *call)
{
    struct call_event *event = arena_zalloc(arena, sizeof(*event));

    event->entry = call->entry;
    event->attempt = call->attempt;
    event->tag = call->tag;
    return event;
}

static void post_event(struct sim *sim, struct known_call *call, enum message_type type,
                       struct call_event *event, struct arena *arena)
{
    union payload payload = {.event = event};
    uint32_t index = (uint32_t)(call - sim->calls);
    uint64_t exchange;

    if (web_is_next(sim)) {
        web_add_event(sim, call->execution, index, type, event);
        arena_free(arena);
        return;
    }
    exchange = clients_post(sim, REQUEST_EVENT, type, call->execution, &payload, arena, index);

    sim->requests[exchange].claim_id = call->claim_id;
}

static void post_started(struct sim *sim, struct known_call *call)
{
    struct arena *arena = arena_new();
    struct call_event *event = event_of(arena, call);

    event->started.claim_id = call->claim_id;
    post_event(sim, call, MESSAGE_CALL_STARTED, event, arena);
}

static void post_node(struct sim *sim, struct known_call *call, uint64_t seq)
{
    struct arena *arena = arena_new();
    struct call_event *event = event_of(arena, call);
    unsigned node = below(sim, LOG_NODES + 1);

    event->node.node_id = node < LOG_NODES ? log_node_names[node] : SLICE("elsewhere");
    event->node.seq = seq;
    post_event(sim, call, MESSAGE_NODE_EXECUTED, event, arena);
}

static void post_result(struct sim *sim, struct known_call *call)
{
    struct arena *arena = arena_new();
    struct call_event *event = event_of(arena, call);

    event->result.outcome = outcomes[below(sim, sizeof(outcomes) / sizeof(outcomes[0]))];
    event->result.has_duration = event->result.outcome == OUTCOME_ANSWERED;
    event->result.duration_seconds = below(sim, 300);
    call->is_over = true;
    post_event(sim, call, MESSAGE_CALL_RESULT, event, arena);
}

/* A worker may say whose claim it gives back, and the tail of an old protocol does not. */
static void post_released(struct sim *sim, struct known_call *call)
{
    struct arena *arena = arena_new();
    struct call_event *event = event_of(arena, call);

    event->released.retry_after_seconds = chance(sim, 30) ? between(sim, 1, 30) : 0;
    event->released.claim_id = chance(sim, 70) ? call->claim_id : UUID_NIL;
    call->is_over = true;
    post_event(sim, call, MESSAGE_CALL_RELEASED, event, arena);
}

/* ---- claims ---- */

void workers_claim(struct sim *sim, uint32_t max, bool waits)
{
    union payload payload;

    payload.claim = (struct claim){.gateway = SLICE("worker"),
                                   .max = max,
                                   .waits = waits,
                                   .claim_id = engine_new_id(sim->engine)};
    clients_post(sim, REQUEST_CLAIM, MESSAGE_CLAIM, 0, &payload, NULL, 0);
}

void workers_take(struct sim *sim, const struct known_call *call)
{
    sim->calls[sim->next_call++ % SIM_KNOWN_CALLS] = *call;
}

void workers_on_claimed(struct sim *sim, const struct reply *reply)
{
    bool is_gone = chance(sim, 5); /* the API gives back what a client that has gone was given */

    for (size_t i = 0; i < reply->claimed.count; i++) {
        const struct claimed_call *claimed = &reply->claimed.calls[i];
        const struct model_execution *x = model_find(&sim->model, claimed->execution);
        struct known_call *call = &sim->calls[sim->next_call % SIM_KNOWN_CALLS];

        SIM_REQUIRE(sim, x != NULL);
        workers_take(sim, &(struct known_call){.is_there = true,
                                               .execution = claimed->execution,
                                               .entry = claimed->entry,
                                               .tag = x->tag,
                                               .attempt = claimed->attempt,
                                               .claim_id = claimed->claim_id});
        if (is_gone) {
            post_released(sim, call);
            call->is_there = false;
        }
    }
}

/* ---- answers ---- */

static void dial(struct sim *sim, struct known_call *call)
{
    call->has_dialled = true;
    model_on_dial(sim, call->execution, call->entry, call->attempt);
}

void workers_on_event(struct sim *sim, uint32_t index, const struct uuid *claim_id,
                      enum message_type type, enum event_status status, int64_t dial_by)
{
    struct known_call *call = &sim->calls[index];
    bool is_permission;

    if (!call->is_there || !uuid_equal(&call->claim_id, claim_id) || type != MESSAGE_CALL_STARTED ||
        chance(sim, 10)) {
        return; /* it has died or gone on, or the network lost the answer */
    }
    if (status == EVENT_ACCEPTED && call->dial_by == 0) {
        call->dial_by = dial_by;
    }
    is_permission = status == EVENT_ACCEPTED || status == EVENT_DUPLICATE;
    if (is_permission && !call->has_dialled && !call->is_over && chance(sim, 85)) {
        dial(sim, call);
    } else if (!is_permission) {
        call->is_over = true;
    }
}

/* ---- moves ---- */

/* One of the last ones that any of them was given. */
static struct known_call *some_call(struct sim *sim)
{
    uint32_t given = sim->next_call;
    struct known_call *call;

    if (given == 0) {
        return NULL;
    }
    call = &sim->calls[below(sim, given < SIM_KNOWN_CALLS ? given : SIM_KNOWN_CALLS)];
    return call->is_there ? call : NULL;
}

/* What no worker should send: another claim's, another store's, of no call at all. */
static void post_nonsense(struct sim *sim, const struct known_call *call)
{
    struct known_call wrong = *call;
    struct arena *arena = arena_new();
    struct call_event *event;
    union payload payload;

    switch (below(sim, 4)) {
    case 0: wrong.claim_id.bytes[15] ^= 1; break;
    case 1: wrong.tag ^= 1; break;
    case 2: wrong.entry += 1000000; break;
    default: wrong.execution += 1000; break;
    }
    event = event_of(arena, &wrong);
    event->started.claim_id = wrong.claim_id;
    if (web_is_next(sim)) {
        web_add_event(sim, wrong.execution, SIM_KNOWN_CALLS, MESSAGE_CALL_STARTED, event);
        arena_free(arena);
        return;
    }
    payload.event = event;
    clients_post(sim, REQUEST_EVENT, MESSAGE_CALL_STARTED, wrong.execution, &payload, arena, 0);
}

/* Events of a call, mostly in their order. What a worker has given back or ended it may repeat, and
 * it may tell another outcome than before. */
static void move_call(struct sim *sim, struct known_call *call)
{
    unsigned what = below(sim, 100);

    if (what < 4) {
        post_nonsense(sim, call);
    } else if (call->is_over) {
        if (what < 30) {
            post_result(sim, call); /* late, or again */
        } else if (what < 50) {
            post_node(sim, call, call->seq);
        } else if (what < 80) {
            call->is_there = false;
        }
    } else if (!call->has_dialled) {
        if (what < 70) {
            post_started(sim, call);
        } else if (what < 78) {
            post_released(sim, call);
        } else if (what < 84) {
            post_result(sim, call); /* it never heard of its permission */
        }
    } else if (what < 50) {
        call->seq += between(sim, 1, 3);
        post_node(sim, call, call->seq);
    } else if (what < 60) {
        post_node(sim, call, call->seq); /* again */
    } else if (what < 90) {
        post_result(sim, call);
    }
}

void workers_move(struct sim *sim)
{
    uint32_t moves = between(sim, 1, 48);

    for (uint32_t i = 0; i < moves; i++) {
        struct known_call *call = some_call(sim);

        if (call == NULL) {
            continue;
        }
        move_call(sim, call);
        if (chance(sim, 6)) {
            move_call(sim, call);
        }
    }
    web_send_events(sim);
}

void workers_forget(struct sim *sim)
{
    sim_count(sim, COUNT_WORKERS_DIED);
    for (uint32_t i = 0; i < SIM_KNOWN_CALLS; i++) {
        if (chance(sim, 40)) {
            sim->calls[i].is_there = false;
        }
    }
}

bool workers_work_on(struct sim *sim)
{
    bool is_any = false;

    for (uint32_t i = 0; i < SIM_KNOWN_CALLS; i++) {
        struct known_call *call = &sim->calls[i];

        if (!call->is_there || call->is_over) {
            continue;
        }
        is_any = true;
        if (!call->has_dialled && call->dial_by == 0) {
            post_started(sim, call);
        } else {
            post_result(sim, call);
        }
    }
    web_send_events(sim);
    return is_any;
}
