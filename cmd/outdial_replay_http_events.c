/* Events in batches:
 *
 * 1. Each call that is ready gives its events up to the first `started` or `released`, because what
 *    follows depends on the answer. While they are under way it gives no further ones, so a call's
 *    events arrive in their order, whatever the connections do.
 * 2. `started` or `released` that is answered `stale` or `refused` although the trace's daemon took
 * it goes back to its place: the lease was lost, or a pause window is open. The call is claimed
 * again. When the trace itself asks anew right behind, the answer stands.
 * 3. An accepted `released` gives the call up: its next event waits for another claim.
 */
#include "base/check.h"
#include "base/memory.h"
#include "cmd/outdial_replay_http_calls.h"
#include "cmd/outdialctl.h"

enum { STARTED_TRIES = 5 };

/* ---- taking ---- */

static void print_event(struct buf *out, const struct traced_call *call, const struct told *told)
{
    char id[UUID_TEXT_SIZE];

    uuid_print(&call->call_id, id);
    OD_CHECK(buf_printf(out, "%s{\"callId\":\"%s\"", out->data[out->size - 1] == '[' ? "" : ",",
                        id) == 0);
    OD_CHECK(buf_append(out, told->text, told->size) == 0);
    if (told->has_claim_id) {
        uuid_print(&call->claim_id, id);
        OD_CHECK(buf_printf(out, ",\"claimId\":\"%s\"", id) == 0);
    }
    OD_CHECK(buf_append_byte(out, '}') == 0);
}

/* The trace itself asks a second time for what was refused: the first time is over. */
static void drop_repeated(struct calls *calls, struct traced_call *call)
{
    struct told *told = call->first;

    if (told->type == TOLD_STARTED && told->tries > 0 && told->next != NULL &&
        told->next->type == TOLD_STARTED) {
        call->first = told->next;
        calls->events--;
        memory_free(told);
    }
}

static void take_events(struct calls *calls, struct traced_call *call, struct event_batch *batch)
{
    bool is_turn = false;

    drop_repeated(calls, call);
    while (call->first != NULL && !is_turn && batch->count < EVENTS_A_BATCH) {
        struct told *told = call->first;

        call->first = told->next;
        call->last = call->first != NULL ? call->last : NULL;
        told->next = NULL;
        is_turn = told->type == TOLD_STARTED || told->type == TOLD_RELEASED;
        print_event(&batch->body, call, told);
        batch->items[batch->count++] = (struct batched){call, told};
        calls->events--;
    }
    call->is_under_way = true;
}

struct event_batch *calls_take_batch(struct calls *calls)
{
    struct event_batch *batch;

    if (calls->ready_first == NULL) {
        return NULL;
    }
    batch = memory_zero(1, sizeof(*batch));
    buf_init(&batch->body);
    OD_CHECK(buf_append_text(&batch->body, "{\"events\":[") == 0);
    while (calls->ready_first != NULL && batch->count < EVENTS_A_BATCH) {
        struct traced_call *call = calls->ready_first;

        calls->ready_first = call->next_ready;
        if (calls->ready_first == NULL) {
            calls->ready_last = NULL;
        }
        call->is_ready = false;
        if (call->first != NULL && call->is_claimed && !call->is_under_way) {
            take_events(calls, call, batch);
        }
    }
    OD_CHECK(buf_append_text(&batch->body, "]}") == 0);
    if (batch->count == 0) {
        calls_free_batch(batch);
        return NULL;
    }
    return batch;
}

void calls_free_batch(struct event_batch *batch)
{
    buf_deinit(&batch->body);
    memory_free(batch);
}

/* ---- answers ---- */

static enum told_status status_of(const json_t *result)
{
    static const char *const words[] = {"accepted", "duplicate", "stale",
                                        "refused",  "unknown",   "invalid"};
    const char *word = ctl_text(result, "status");

    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(word, words[i]) == 0) {
            return (enum told_status)i;
        }
    }
    return TOLD_NOTHING;
}

static void put_back(struct calls *calls, struct traced_call *call, struct told *told)
{
    told->tries++;
    told->next = call->first;
    call->first = told;
    call->last = call->last != NULL ? call->last : told;
    call->is_claimed = false;
    calls->events++;
}

/* Whether the event goes again: it has been put back then. */
static bool goes_again(struct calls *calls, struct traced_call *call, struct told *told,
                       enum told_status status)
{
    bool is_lost = status == TOLD_STALE || status == TOLD_REFUSED;

    if ((told->type != TOLD_STARTED && told->type != TOLD_RELEASED) || !is_lost ||
        told->expect == EXPECT_NO_CHANGE || call->has_ended || told->tries + 1 >= STARTED_TRIES) {
        return false;
    }
    put_back(calls, call, told);
    calls->account->events_again++;
    return true;
}

static void hear_event(struct calls *calls, struct traced_call *call, struct told *told,
                       enum told_status status)
{
    account_event(calls->account, told->type, status, told->expect, call->has_ended);
    if (told->type == TOLD_RESULT && status == TOLD_ACCEPTED && !call->has_ended) {
        call->has_ended = true;
        calls->account->calls_ended++;
    }
    if (told->type == TOLD_RELEASED && status == TOLD_ACCEPTED) {
        call->is_claimed = false;
    }
}

void calls_hear_batch(struct calls *calls, struct event_batch *batch, const json_t *answer,
                      int64_t now_ms)
{
    const json_t *results = json_object_get(answer, "results");

    for (size_t i = 0; i < batch->count; i++) {
        struct traced_call *call = batch->items[i].call;
        struct told *told = batch->items[i].told;
        enum told_status status = status_of(json_array_get(results, i));

        if (!goes_again(calls, call, told, status)) {
            hear_event(calls, call, told, status);
            memory_free(told);
        }
    }
    /* Only now: filing may forget calls that have ended. */
    for (size_t i = 0; i < batch->count; i++) {
        struct traced_call *call = batch->items[i].call;

        if (i > 0 && batch->items[i - 1].call == call) {
            continue;
        }
        call->is_under_way = false;
        calls_file(calls, call, now_ms);
    }
    calls_free_batch(batch);
}
