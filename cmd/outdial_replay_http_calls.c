/* A call that has ended is kept for a while, because a worker may tell of it once more; the oldest
 * are forgotten. A call that is claimed and of which the trace has not said anything yet is kept
 * for as long as it takes. So memory grows with the calls of which something is still to come. */
#include "cmd/outdial_replay_http_calls.h"

#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/memory.h"
#include "cmd/outdialctl.h"
#include "model/names.h"

enum { BUCKETS = 1024, ENDED_KEPT = 65536 };

void calls_open(struct calls *calls, struct id_map *ids, struct account *account)
{
    *calls = (struct calls){.account = account, .ids = ids, .bucket_count = BUCKETS};
    ids_init(&calls->numbers);
    calls->buckets = memory_zero(BUCKETS, sizeof(struct traced_call *));
}

/* ---- the table ---- */

static size_t bucket_of(const struct calls *calls, uint32_t execution, uint32_t entry,
                        uint16_t attempt)
{
    return (size_t)(hash_number((uint64_t)execution << 32 | entry) + attempt) &
           (calls->bucket_count - 1);
}

static void grow(struct calls *calls)
{
    struct traced_call **old = calls->buckets;
    size_t old_count = calls->bucket_count;

    calls->bucket_count = 2 * old_count;
    calls->buckets = memory_zero(calls->bucket_count, sizeof(struct traced_call *));
    for (size_t i = 0; i < old_count; i++) {
        while (old[i] != NULL) {
            struct traced_call *call = old[i];
            size_t at = bucket_of(calls, call->execution, call->entry, call->attempt);

            old[i] = call->next_in_bucket;
            call->next_in_bucket = calls->buckets[at];
            calls->buckets[at] = call;
        }
    }
    memory_free(old);
}

/* Finds the call, or makes it. */
static struct traced_call *get(struct calls *calls, uint32_t execution, uint32_t entry,
                               uint16_t attempt)
{
    size_t at = bucket_of(calls, execution, entry, attempt);
    struct traced_call *call = calls->buckets[at];

    while (call != NULL &&
           (call->execution != execution || call->entry != entry || call->attempt != attempt)) {
        call = call->next_in_bucket;
    }
    if (call != NULL) {
        return call;
    }
    if (calls->count >= calls->bucket_count) {
        grow(calls);
        at = bucket_of(calls, execution, entry, attempt);
    }
    call = memory_zero(1, sizeof(*call));
    call->execution = execution;
    call->entry = entry;
    call->attempt = attempt;
    call->next_in_bucket = calls->buckets[at];
    calls->buckets[at] = call;
    calls->count++;
    return call;
}

static void forget(struct calls *calls, struct traced_call *call)
{
    struct traced_call **link =
        &calls->buckets[bucket_of(calls, call->execution, call->entry, call->attempt)];

    while (*link != call) {
        link = &(*link)->next_in_bucket;
    }
    *link = call->next_in_bucket;
    calls->count--;
    memory_free(call);
}

/* Frees the events that queue. The call is to be filed anew. */
static size_t drop_events(struct calls *calls, struct traced_call *call)
{
    size_t dropped = 0;

    while (call->first != NULL) {
        struct told *told = call->first;

        call->first = told->next;
        memory_free(told);
        dropped++;
    }
    call->last = NULL;
    calls->events -= dropped;
    return dropped;
}

void calls_close(struct calls *calls)
{
    struct account *account = calls->account;

    for (size_t i = 0; i < calls->bucket_count; i++) {
        while (calls->buckets[i] != NULL) {
            struct traced_call *call = calls->buckets[i];

            calls->buckets[i] = call->next_in_bucket;
            account->calls_unmentioned += call->is_claimed && !call->is_mentioned;
            account->calls_never_offered += call->is_wanted;
            account->never_offered += drop_events(calls, call);
            memory_free(call);
        }
    }
    account->calls_foreign += calls->stranger_count;
    memory_free(calls->buckets);
    memory_free(calls->strangers);
    ids_deinit(&calls->numbers);
}

/* ---- calls that have ended ---- */

static void keep_ended(struct calls *calls, struct traced_call *call)
{
    call->next_ended = NULL;
    if (calls->ended_last != NULL) {
        calls->ended_last->next_ended = call;
    } else {
        calls->ended_first = call;
    }
    calls->ended_last = call;
    calls->ended_count++;
    while (calls->ended_count > ENDED_KEPT) {
        struct traced_call *oldest = calls->ended_first;

        if (oldest == NULL || oldest->first != NULL || oldest->is_under_way || oldest->is_ready) {
            return;
        }
        calls->ended_first = oldest->next_ended;
        calls->ended_count--;
        forget(calls, oldest);
    }
}

/* ---- what it has and lacks ---- */

static void make_ready(struct calls *calls, struct traced_call *call)
{
    call->is_ready = true;
    call->next_ready = NULL;
    if (calls->ready_last != NULL) {
        calls->ready_last->next_ready = call;
    } else {
        calls->ready_first = call;
    }
    calls->ready_last = call;
}

void calls_file(struct calls *calls, struct traced_call *call, int64_t now_ms)
{
    bool has_something = call->first != NULL && !call->is_under_way;
    bool is_wanted = has_something && !call->is_claimed;

    if (is_wanted != call->is_wanted) {
        call->is_wanted = is_wanted;
        call->wanted_since = now_ms;
        calls->wanted = is_wanted ? calls->wanted + 1 : calls->wanted - 1;
    }
    if (has_something && call->is_claimed && !call->is_ready) {
        make_ready(calls, call);
    }
    if (call->has_ended && call->next_ended == NULL && calls->ended_last != call) {
        keep_ended(calls, call);
    }
}

size_t calls_give_up(struct calls *calls, int64_t before_ms)
{
    size_t given_up = 0;

    for (size_t i = 0; i < calls->bucket_count && calls->wanted > 0; i++) {
        for (struct traced_call *call = calls->buckets[i]; call != NULL;
             call = call->next_in_bucket) {
            if (call->is_wanted && call->wanted_since <= before_ms) {
                call->is_given_up = true;
                calls->account->calls_never_offered++;
                calls->account->never_offered += drop_events(calls, call);
                calls_file(calls, call, before_ms);
                given_up++;
            }
        }
    }
    return given_up;
}

/* ---- events of the trace ---- */

static void put_text(struct buf *out, const char *name, struct slice text)
{
    OD_CHECK(buf_printf(out, ",\"%s\":", name) == 0);
    json_quote(out, text);
}

/* From behind the call's id on, but for the claim's id and the end. */
static enum told_event print_event(struct buf *out, const struct message *message)
{
    const struct call_event *event = message->payload.event;
    enum outcome outcome = event->result.outcome;

    /* NOLINTNEXTLINE(clang-diagnostic-switch-enum): the four that workers send */
    switch ((int)message->type) {
    case MESSAGE_CALL_STARTED: put_text(out, "type", SLICE("started")); return TOLD_STARTED;
    case MESSAGE_NODE_EXECUTED:
        put_text(out, "type", SLICE("node_executed"));
        put_text(out, "nodeId", event->node.node_id);
        OD_CHECK(buf_printf(out, ",\"seq\":%" PRIu64, event->node.seq) == 0);
        return TOLD_NODE;
    case MESSAGE_CALL_RESULT:
        put_text(out, "type", SLICE("result"));
        put_text(out, "outcome",
                 slice_from(outcome >= OUTCOME_ANSWERED && outcome <= OUTCOME_TIMEOUT
                                ? outcome_name(outcome)
                                : "none"));
        if (event->result.has_duration) {
            OD_CHECK(buf_printf(out, ",\"durationSeconds\":%" PRIu32,
                                event->result.duration_seconds) == 0);
        }
        if (!slice_is_empty(event->result.detail)) {
            put_text(out, "detail", event->result.detail);
        }
        return TOLD_RESULT;
    default: break;
    }
    put_text(out, "type", SLICE("released"));
    OD_CHECK(buf_printf(out, ",\"retryAfterSeconds\":%" PRIu32,
                        event->released.retry_after_seconds) == 0);
    if (!slice_is_empty(event->released.reason)) {
        put_text(out, "reason", event->released.reason);
    }
    return TOLD_RELEASED;
}

static struct told *new_told(const struct message *message, enum expectation expect)
{
    struct told *told;
    struct buf text;
    enum told_event type;

    buf_init(&text);
    type = print_event(&text, message);
    told = memory_resize(NULL, 1, sizeof(*told) + text.size);
    *told = (struct told){
        .type = type,
        .expect = expect,
        .has_claim_id =
            type == TOLD_STARTED ||
            (type == TOLD_RELEASED && !uuid_is_nil(&message->payload.event->released.claim_id)),
        .size = text.size,
    };
    memcpy(told->text, text.data, text.size);
    buf_deinit(&text);
    return told;
}

bool calls_put(struct calls *calls, const struct message *message, enum expectation expect,
               int64_t now_ms)
{
    const struct call_event *event = message->payload.event;
    struct uuid number = ids_of_number(NUMBER_EXECUTION, message->actor.number);
    enum id_state state = ids_get(calls->ids, &number).state;
    struct traced_call *call;
    struct told *told;

    if (state != ID_KNOWN && state != ID_AWAITED) {
        return false;
    }
    call = get(calls, message->actor.number, event->entry, event->attempt);
    call->is_mentioned = true;
    if (call->is_given_up) {
        calls->account->never_offered++;
        return true;
    }
    told = new_told(message, expect);
    if (call->last != NULL) {
        call->last->next = told;
    } else {
        call->first = told;
    }
    call->last = told;
    calls->events++;
    calls_file(calls, call, now_ms);
    return true;
}

/* ---- calls of the daemon ---- */

static void take(struct calls *calls, uint32_t execution, const struct stranger *given)
{
    struct call_name name;
    struct traced_call *call;

    if (!call_id_read(&given->call_id, &name) || name.entry > UINT32_MAX ||
        name.attempt > UINT16_MAX) {
        calls->account->calls_foreign++;
        return;
    }
    call = get(calls, execution, (uint32_t)name.entry, (uint16_t)name.attempt);
    call->call_id = given->call_id;
    call->claim_id = given->claim_id;
    call->is_claimed = true;
    calls_file(calls, call, 0);
}

static bool take_known(struct calls *calls, const struct stranger *given)
{
    struct id_value number = ids_get(&calls->numbers, &given->execution);

    if (number.state == ID_KNOWN) {
        take(calls, ids_number(&number.live), given);
    }
    return number.state == ID_KNOWN;
}

static bool read_id(const json_t *object, const char *name, struct uuid *out)
{
    return uuid_parse(slice_from(ctl_text(object, name)), out);
}

size_t calls_hear_claim(struct calls *calls, const json_t *answer)
{
    const json_t *list = json_object_get(answer, "calls");
    size_t count = json_array_size(list);

    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(list, i);
        struct stranger given;

        if (!read_id(item, "executionId", &given.execution) ||
            !read_id(item, "callId", &given.call_id) ||
            !read_id(item, "claimId", &given.claim_id)) {
            continue;
        }
        if (json_is_true(json_object_get(item, "redelivered"))) {
            calls->account->calls_redelivered++;
        } else {
            calls->account->calls_claimed++;
        }
        if (take_known(calls, &given)) {
            continue;
        }
        if (calls->stranger_count == calls->stranger_room) {
            calls->stranger_room = calls->stranger_room == 0 ? 64 : 2 * calls->stranger_room;
            calls->strangers =
                memory_resize(calls->strangers, calls->stranger_room, sizeof(*calls->strangers));
        }
        calls->strangers[calls->stranger_count++] = given;
    }
    return count;
}

static void fail_execution(struct calls *calls, uint32_t execution, int64_t now_ms)
{
    for (size_t i = 0; i < calls->bucket_count; i++) {
        for (struct traced_call *call = calls->buckets[i]; call != NULL;
             call = call->next_in_bucket) {
            if (call->execution == execution && !call->is_under_way) {
                calls->account->not_there += drop_events(calls, call);
                calls_file(calls, call, now_ms);
            }
        }
    }
}

void calls_hear_launch(struct calls *calls, uint32_t execution, const struct uuid *live,
                       int64_t now_ms)
{
    struct uuid number = ids_of_number(NUMBER_EXECUTION, execution);
    size_t kept = 0;

    if (live == NULL) {
        fail_execution(calls, execution, now_ms);
        return;
    }
    ids_know(&calls->numbers, live, &number);
    for (size_t i = 0; i < calls->stranger_count; i++) {
        if (!take_known(calls, &calls->strangers[i])) {
            calls->strangers[kept++] = calls->strangers[i];
        }
    }
    calls->stranger_count = kept;
}
