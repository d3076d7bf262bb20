/* Calls on offer, and the claims of workers for them.
 *
 * 1. CALLS_OFFERED puts an execution's calls behind those it has on offer, and serves the claims
 * that wait.
 * 2. A claim takes calls turn by turn, first among organisations, then among their executions; each
 * call's execution hears CALL_CLAIMED in the same batch, so the answer leaves when the leases are
 * on disk.
 * 3. A claim that finds nothing waits in order of arrival, or is answered with an empty list.
 */
#include <string.h>

#include "actors/dispatcher_state.h"
#include "base/check.h"
#include "base/memory.h"

/* ---- queues ---- */

static struct dispatcher_queue *queue_find(const struct dispatcher *d, uint32_t execution)
{
    uint32_t slot = index32_find(&d->queue_index, execution);

    return slot == INDEX32_NONE ? NULL : &d->queues[slot];
}

static struct dispatcher_queue *queue_of(struct dispatcher *d, uint32_t execution)
{
    struct dispatcher_queue *queue = queue_find(d, execution);

    if (queue != NULL) {
        return queue;
    }
    if (d->queue_free == INDEX32_NONE) {
        uint32_t room = d->queue_room == 0 ? 8 : d->queue_room * 2;

        d->queues = memory_resize(d->queues, room, sizeof(*d->queues));
        for (uint32_t i = d->queue_room; i < room; i++) {
            d->queues[i] =
                (struct dispatcher_queue){.next_free = i + 1 < room ? i + 1 : INDEX32_NONE};
        }
        d->queue_free = d->queue_room;
        d->queue_room = room;
    }
    OD_CHECK(d->queues != NULL);
    uint32_t slot = d->queue_free;

    d->queue_free = d->queues[slot].next_free;
    d->queues[slot] = (struct dispatcher_queue){.execution = execution};
    index32_add(&d->queue_index, execution, slot);
    return &d->queues[slot];
}

/* An empty queue gives its memory back: an execution with nothing on offer costs nothing here. */
static void queue_drop(struct dispatcher *d, struct dispatcher_queue *queue)
{
    uint32_t slot = (uint32_t)(queue - d->queues);

    memory_free(queue->calls);
    index32_remove(&d->queue_index, queue->execution);
    *queue = (struct dispatcher_queue){.next_free = d->queue_free};
    d->queue_free = slot;
}

static void queue_push(struct dispatcher_queue *queue, struct offered_call call)
{
    if (queue->count == queue->room) {
        uint32_t room = queue->room == 0 ? 16 : queue->room * 2;
        struct offered_call *calls = memory_resize(NULL, room, sizeof(*calls));

        for (uint32_t i = 0; i < queue->count; i++) {
            calls[i] = queue->calls[(queue->head + i) & (queue->room - 1)];
        }
        memory_free(queue->calls);
        queue->calls = calls;
        queue->head = 0;
        queue->room = room;
    }
    queue->calls[(queue->head + queue->count) & (queue->room - 1)] = call;
    queue->count++;
}

static struct offered_call queue_pop(struct dispatcher_queue *queue)
{
    struct offered_call call = queue->calls[queue->head];

    queue->head = (queue->head + 1) & (queue->room - 1);
    queue->count--;
    return call;
}

/* Takes one call out of the middle. False: it is not on offer. */
static bool queue_remove(struct dispatcher_queue *queue, struct offered_call call)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < queue->count; i++) {
        struct offered_call at = queue->calls[(queue->head + i) & (queue->room - 1)];

        if (at.entry != call.entry || at.attempt != call.attempt) {
            queue->calls[(queue->head + kept++) & (queue->room - 1)] = at;
        }
    }
    bool was_there = kept < queue->count;

    queue->count = kept;
    return was_there;
}

/* ---- offers ---- */

void dispatcher_on_offered(const struct dispatch_step *s)
{
    const struct calls_offered *offered = &s->m->payload.offered;
    struct dispatcher_gateway *gateway = &s->d->gateways[offered->gateway];
    struct dispatcher_queue *queue = queue_of(s->d, offered->execution);

    for (size_t i = 0; i < offered->count; i++) {
        queue_push(queue, offered->calls[i]);
    }
    gateway->on_offer += (uint32_t)offered->count;
    fair_share_want(&gateway->offered, offered->organisation, offered->execution, queue->count);
    dispatcher_serve(s, offered->gateway);
}

void dispatcher_on_withdrawn(const struct dispatch_step *s)
{
    const struct call_room *room = &s->m->payload.room;
    struct dispatcher_gateway *gateway = &s->d->gateways[room->gateway];
    struct dispatcher_queue *queue = queue_find(s->d, room->execution);

    if (queue == NULL) {
        return;
    }
    uint32_t before = queue->count;

    if (room->is_all) {
        queue->count = 0;
    } else if (!queue_remove(queue, room->call)) {
        return;
    }
    gateway->on_offer -= before - queue->count;
    fair_share_want(&gateway->offered, room->organisation, room->execution, queue->count);
    if (queue->count == 0) {
        queue_drop(s->d, queue);
    }
    dispatcher_ask(s);
}

/* ---- claims ---- */

static void tell_execution(const struct dispatch_step *s, const struct claimed_call *call)
{
    struct message message = {.actor = {ACTOR_EXECUTION, call->execution},
                              .type = MESSAGE_CALL_CLAIMED};

    message.payload.claimed = (struct call_claimed){
        .entry = call->entry, .attempt = call->attempt, .claim_id = call->claim_id};
    effect_send(s->out, &message);
}

static void give_calls(const struct dispatch_step *s, uint32_t index,
                       const struct waiting_claim *claim)
{
    struct dispatcher_gateway *gateway = &s->d->gateways[index];
    uint32_t max = claim->max < gateway->on_offer ? claim->max : gateway->on_offer;
    struct claimed_call *calls;
    struct reply reply = {.exchange = claim->exchange, .kind = REPLY_CLAIMED};
    uint32_t organisation;
    uint32_t execution;
    uint32_t count = 0;

    max = max < CLAIM_CALLS_MAX ? max : CLAIM_CALLS_MAX;
    calls = arena_alloc(s->view->arena, (max + 1) * sizeof(*calls));
    while (count != max && fair_share_next(&gateway->offered, &organisation, &execution)) {
        struct dispatcher_queue *queue = queue_find(s->d, execution);

        OD_CHECK(queue != NULL && queue->count > 0);
        struct offered_call call = queue_pop(queue);

        fair_share_take(&gateway->offered);
        if (queue->count == 0) {
            queue_drop(s->d, queue);
        }
        calls[count] = (struct claimed_call){.execution = execution,
                                             .entry = call.entry,
                                             .attempt = call.attempt,
                                             .claim_id = claim_id_at(&claim->claim_id, count)};
        tell_execution(s, &calls[count]);
        count++;
    }
    gateway->on_offer -= count;
    reply.claimed.calls = calls;
    reply.claimed.count = count;
    effect_reply(s->out, &reply);
    if (count > 0) {
        dispatcher_ask(s);
    }
}

static bool can_serve(const struct dispatch_step *s, const struct dispatcher_gateway *gateway)
{
    return gateway->on_offer > 0 && gateway->back_off_until_mono <= s->m->mono;
}

void dispatcher_serve(const struct dispatch_step *s, uint32_t index)
{
    struct dispatcher_gateway *gateway = &s->d->gateways[index];
    uint32_t served = 0;

    while (served < gateway->claim_count && can_serve(s, gateway)) {
        give_calls(s, index, &gateway->claims[served++]);
    }
    if (served > 0) {
        gateway->claim_count -= served;
        memmove(gateway->claims, gateway->claims + served,
                gateway->claim_count * sizeof(*gateway->claims));
    }
}

static void wait(struct dispatcher_gateway *gateway, const struct waiting_claim *claim)
{
    if (gateway->claim_count == gateway->claim_room) {
        gateway->claim_room = gateway->claim_room == 0 ? 16 : gateway->claim_room * 2;
        gateway->claims =
            memory_resize(gateway->claims, gateway->claim_room, sizeof(*gateway->claims));
    }
    gateway->claims[gateway->claim_count++] = *claim;
}

static void answer_nothing(const struct dispatch_step *s, uint64_t exchange)
{
    struct reply reply = {.exchange = exchange, .kind = REPLY_CLAIMED};

    effect_reply(s->out, &reply);
}

static bool find_gateway(const struct dispatch_step *s, struct slice name, uint32_t *index)
{
    for (uint32_t i = 0; i < s->d->settings->gateway_count; i++) {
        if (slice_equal_text(name, s->d->settings->gateways[i].name)) {
            *index = i;
            return true;
        }
    }
    return false;
}

/* Somebody claims calls of the gateway, or did until now. */
static void note_worker(const struct dispatch_step *s, struct dispatcher_gateway *gateway)
{
    gateway->has_been_claimed = true;
    gateway->claimed_mono = s->m->mono;
}

void dispatcher_on_claim(const struct dispatch_step *s)
{
    const struct claim *claim = &s->m->payload.claim;
    const struct waiting_claim waiting = {
        .exchange = s->m->exchange, .max = claim->max, .claim_id = claim->claim_id};
    uint32_t index;

    if (!find_gateway(s, claim->gateway, &index)) {
        answer_nothing(s, s->m->exchange);
        return;
    }
    struct dispatcher_gateway *gateway = &s->d->gateways[index];

    note_worker(s, gateway);
    if (can_serve(s, gateway)) {
        give_calls(s, index, &waiting);
    } else if (claim->waits) {
        wait(gateway, &waiting);
    } else {
        answer_nothing(s, s->m->exchange);
    }
}

void dispatcher_on_claim_given_up(const struct dispatch_step *s)
{
    for (uint32_t i = 0; i < s->d->settings->gateway_count; i++) {
        struct dispatcher_gateway *gateway = &s->d->gateways[i];

        for (uint32_t n = 0; n < gateway->claim_count; n++) {
            if (gateway->claims[n].exchange == s->m->exchange) {
                gateway->claim_count--;
                note_worker(s, gateway);
                memmove(gateway->claims + n, gateway->claims + n + 1,
                        (gateway->claim_count - n) * sizeof(*gateway->claims));
                answer_nothing(s, s->m->exchange);
                return;
            }
        }
    }
}
