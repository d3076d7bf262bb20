/* The simulator: a gateway that calls nobody, for demonstrations, tests and benchmarks.
 *
 * 1. offer: the call is noted and the permission to dial is asked for (CALL_STARTED), or the call
 *    is given back (CALL_RELEASED).
 * 2. answered: with the permission it rings; without, it is forgotten and will be offered again.
 * 3. run: at even times in the talk of an answered call its nodes are executed (NODE_EXECUTED), and
 *    at its end, or where the ringing ends, comes the CALL_RESULT.
 *
 *            offer                answered               run
 *     (none) ─────▶ asked ───────────────────▶ dialled ─────▶ dialled …
 *       ▲  offer, was_started ─────────────────▶ │               │ the last step
 *       └──────── not permitted, released ───────┴───────────────┘
 *
 * A call is "dialled" while it is in the heap. All that it does is a function of the call
 * (simulator_options.h), so a restart changes nothing but the time.
 */
#include <stdlib.h>

#include "base/check.h"
#include "base/instant.h"
#include "gateways/kinds.h"
#include "gateways/simulator_calls.h"
#include "gateways/simulator_options.h"

struct gateway_instance {
    struct gateway_host host; /* less its option */
    struct simulator_options options;
    struct simulated_calls calls;
    uint64_t releases; /* calls given back so far */
};

static int simulator_check(const struct gateway_host *host, struct od_error *error)
{
    struct simulator_options options;

    return simulator_options_read(host, &options, error);
}

static int simulator_open(const struct gateway_host *host, struct gateway_instance **out,
                          struct od_error *error)
{
    struct gateway_instance *instance = calloc(1, sizeof(*instance));
    int code;

    if (instance == NULL) {
        return od_error_set(error, OD_ENOMEM, "simulator: out of memory");
    }
    code = simulator_options_read(host, &instance->options, error);
    if (code != 0) {
        od_error_prefix(error, "simulator");
        free(instance);
        return code;
    }
    instance->host =
        (struct gateway_host){.engine = host->engine, .index = host->index, .post = host->post};
    simulated_calls_init(&instance->calls);
    *out = instance;
    return 0;
}

static void simulator_close(struct gateway_instance *instance)
{
    simulated_calls_deinit(&instance->calls);
    free(instance);
}

/* ---- what is posted ---- */

static void post(struct gateway_instance *instance, enum message_type type, uint32_t execution,
                 const struct call_event *event)
{
    instance->host.post(instance->host.engine, type, execution, event);
}

static struct call_event event_of(const struct simulated_call *call)
{
    return (struct call_event){
        .entry = call->entry, .attempt = call->attempt, .tag = call->tag, .from_gateway = true};
}

static void ask(struct gateway_instance *instance, const struct simulated_call *call)
{
    struct call_event event = event_of(call);

    event.started.claim_id = UUID_NIL;
    post(instance, MESSAGE_CALL_STARTED, call->execution, &event);
}

static void give_back(struct gateway_instance *instance, const struct offer *offer,
                      struct slice reason, uint32_t retry_after_seconds)
{
    struct call_event event = {
        .entry = offer->entry, .attempt = offer->attempt, .tag = offer->tag, .from_gateway = true};

    event.released.reason = reason;
    event.released.retry_after_seconds = retry_after_seconds;
    instance->releases++;
    post(instance, MESSAGE_CALL_RELEASED, offer->execution, &event);
}

static void post_node(struct gateway_instance *instance, struct simulated_call *call)
{
    struct call_event event = event_of(call);

    event.node.node_id = instance->options.nodes[call->nodes_done];
    call->nodes_done++;
    event.node.seq = call->nodes_done;
    post(instance, MESSAGE_NODE_EXECUTED, call->execution, &event);
}

static void post_result(struct gateway_instance *instance, const struct simulated_call *call)
{
    struct call_event event = event_of(call);

    event.result.outcome = (enum outcome)call->outcome;
    event.result.has_duration = call->outcome == OUTCOME_ANSWERED;
    event.result.duration_seconds = (call->talk_ms + 999) / 1000;
    if (call->outcome == OUTCOME_ERROR) {
        event.result.detail = SLICE("simulated");
    }
    post(instance, MESSAGE_CALL_RESULT, call->execution, &event);
}

/* ---- a call's steps ---- */

/* The nodes that the call executes in all. */
static uint32_t node_count(const struct gateway_instance *instance,
                           const struct simulated_call *call)
{
    return call->outcome == OUTCOME_ANSWERED ? instance->options.node_count : 0;
}

/* When the call's next step is due: the n-th of N nodes at n / (N + 1) of the talk. */
static int64_t next_step_at(const struct gateway_instance *instance,
                            const struct simulated_call *call)
{
    uint32_t nodes = node_count(instance, call);
    int64_t answered_at = call->dialled_at + call->ring_ms;

    return answered_at + (int64_t)call->talk_ms * (call->nodes_done + 1) / (nodes + 1);
}

/* Does the next step of a call: a node, or the result, with which the call is forgotten. */
static bool take_step(struct gateway_instance *instance, struct simulated_call *call)
{
    if (call->nodes_done < node_count(instance, call)) {
        post_node(instance, call);
        return true;
    }
    post_result(instance, call);
    simulated_calls_remove(&instance->calls, call);
    return false;
}

/* The call may dial. */
static void dial(struct gateway_instance *instance, struct simulated_call *call, int64_t mono)
{
    struct simulated_fate fate =
        simulator_fate(&instance->options, call->tag, call->entry, call->attempt);
    int error;

    call->outcome = (uint8_t)fate.outcome;
    call->ring_ms = fate.ring_ms;
    call->talk_ms = fate.talk_ms;
    call->dialled_at = mono;
    if (instance->options.answer_instantly) {
        while (take_step(instance, call)) {
        }
        return;
    }
    error = heap_insert(&instance->calls.heap, &call->step, next_step_at(instance, call));
    OD_CHECK(error == 0);
}

/* ---- what the engine calls ---- */

static void simulator_offer(struct gateway_instance *instance, const struct offer *offer)
{
    struct simulated_call *call =
        simulated_calls_find(&instance->calls, offer->execution, offer->entry);

    /* The engine has given up what was an earlier attempt. */
    if (call != NULL && call->attempt != offer->attempt) {
        simulated_calls_remove(&instance->calls, call);
        call = NULL;
    }
    if (call != NULL) {
        if (!heap_contains(&instance->calls.heap, &call->step)) {
            ask(instance, call);
        }
        return;
    }
    if (!offer->was_started && simulator_releases(&instance->options, offer->tag, offer->entry,
                                                  offer->attempt, instance->releases)) {
        give_back(instance, offer, SLICE("simulated"), instance->options.release_retry_seconds);
        return;
    }
    call = simulated_calls_add(&instance->calls, offer->execution, offer->entry);
    if (call == NULL) {
        give_back(instance, offer, SLICE("out of memory"), 1);
        return;
    }
    call->attempt = offer->attempt;
    call->tag = offer->tag;
    if (offer->was_started) {
        dial(instance, call, offer->mono);
    } else {
        ask(instance, call);
    }
}

static void simulator_answered(struct gateway_instance *instance,
                               const struct gateway_answer *answer)
{
    struct simulated_call *call =
        simulated_calls_find(&instance->calls, answer->execution, answer->entry);

    if (call == NULL || call->attempt != answer->attempt ||
        heap_contains(&instance->calls.heap, &call->step)) {
        return;
    }
    /* A duplicate comes when it was asked twice; it is not in the heap, so it was not dialled. */
    if (answer->status == EVENT_ACCEPTED || answer->status == EVENT_DUPLICATE) {
        dial(instance, call, answer->mono);
    } else {
        simulated_calls_remove(&instance->calls, call);
    }
}

static int64_t simulator_wake(const struct gateway_instance *instance)
{
    const struct heap_node *first = heap_first(&instance->calls.heap);

    return first != NULL ? first->due : INSTANT_NEVER;
}

static bool simulator_run(struct gateway_instance *instance, int64_t at, int64_t mono,
                          uint32_t budget)
{
    struct heap *heap = &instance->calls.heap;

    (void)at;
    for (; budget > 0 && simulator_wake(instance) <= mono; budget--) {
        /* `step` is the first member. */
        struct simulated_call *call = (struct simulated_call *)(void *)heap_first(heap);

        if (take_step(instance, call)) {
            heap_move(heap, &call->step, next_step_at(instance, call));
        }
    }
    return simulator_wake(instance) <= mono;
}

const struct gateway_kind simulator_kind = {
    .name = "simulator",
    .is_pull = false,
    .options = simulator_option_table,
    .check = simulator_check,
    .open = simulator_open,
    .close = simulator_close,
    .offer = simulator_offer,
    .answered = simulator_answered,
    .wake = simulator_wake,
    .run = simulator_run,
};
