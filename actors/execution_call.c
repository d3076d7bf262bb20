/* A call from its offer to its end (engine.md, "A call's life"; api.md, "Worker gateway").
 *
 *     queued ─ CALL_CLAIMED ─▶ claimed ─ CALL_STARTED ─▶ started ─ CALL_RESULT ─▶ ended
 *        ▲  ▲                   │ lease over, CALL_RELEASED  │        silent: ended(timeout), in
 * doubt │  └───────────────────┘                            │ └──────────── CALL_STARTED refused,
 * CALL_RELEASED ──┘
 *
 * Every event that is answered `accepted` has changed the live call's row; the first result wins;
 * what comes later is `stale`, and kept on the call when it says something else.
 */
#include "actors/execution_step.h"
#include "base/check.h"
#include "base/instant.h"
#include "model/lifecycle.h"

enum {
    PUSH_RETRY_MS = 1000 /* before a call that a push gateway gave back is pushed again */
};

static void answer(const struct step *s, enum event_status status, const char *message,
                   int64_t dial_by)
{
    struct reply reply = {.exchange = s->m->exchange, .kind = REPLY_EVENT};

    reply.event.part = s->m->payload.event->part;
    reply.event.status = status;
    reply.event.message = message;
    reply.event.dial_by = dial_by;
    effect_reply(s->out, &reply);
}

static void put_live(const struct step *s, const struct flight *flight)
{
    struct key key = key_entry(s->e->number, flight->row.entry);

    effect_put(s->out, TABLE_LIVE_CALL, &key, &flight->row);
}

/* Back to the queue under the same call id. */
static void requeue(const struct step *s, struct flight *flight, int64_t not_before_mono)
{
    if (flight->row.status != CALL_QUEUED) {
        lifecycle_call(&flight->row.status, CALL_QUEUED);
    }
    flight->row.started_at = 0;
    flight->row.dial_by = 0;
    flight->row.lease_expires_at = 0;
    put_live(s, flight);
    execution_withhold(s, flight, not_before_mono);
    execution_touch(s);
}

/* ---- which call does an event mean? ---- */

/* A call that was refused, and its contact skipped, leaves no row: no attempt was used up. Its
 * worker may ask once more, when the answer was lost. */
static bool may_have_been_skipped(const struct step *s)
{
    const struct call_event *event = s->m->payload.event;
    struct key key = key_entry(s->e->number, event->entry);
    struct entry entry;

    return event->tag == call_tag_of_era(&s->e->settings.id, s->e->state.era) &&
           view_get(s->view, TABLE_ENTRY, &key, &entry) && entry.status == ENTRY_SKIPPED &&
           event->attempt == entry.attempts + 1;
}

/* The live call that the event names. NULL: answered already, as `unknown` or `stale`, or through
 * `late` for one that has ended. */
static struct flight *find_flight(const struct step *s,
                                  void (*late)(const struct step *s, struct call *call))
{
    const struct call_event *event = s->m->payload.event;
    struct flight *flight = flights_find(&s->e->flights, event->entry);
    struct key key = key_call(s->e->number, event->entry, event->attempt);
    const struct uuid *id = &s->e->settings.id;
    struct call call;

    if (flight != NULL && flight->row.attempt == event->attempt &&
        event->tag == call_tag_of_era(id, flight->row.era)) {
        if (flight->list != FLIGHTS_IN_DOUBT) {
            return flight;
        }
        execution_end_in_doubt(s, flight); /* its turn, before what is said of it */
    }
    if (view_get(s->view, TABLE_CALL, &key, &call) && event->tag == call_tag_of_era(id, call.era)) {
        late(s, &call);
    } else {
        answer(s, may_have_been_skipped(s) ? EVENT_STALE : EVENT_UNKNOWN, NULL, 0);
    }
    return NULL;
}

static void late_event(const struct step *s, struct call *call)
{
    (void)call;
    answer(s, EVENT_STALE, NULL, 0);
}

static void late_result(const struct step *s, struct call *call)
{
    const struct call_event *event = s->m->payload.event;
    struct key key = key_call(s->e->number, call->entry, call->attempt);

    if (event->result.outcome == call->outcome && !call->in_doubt) {
        answer(s, EVENT_DUPLICATE, NULL, 0);
        return;
    }
    if (call->late_outcome == OUTCOME_NONE) {
        call->late_outcome = event->result.outcome;
        effect_put(s->out, TABLE_CALL, &key, call);
    }
    answer(s, EVENT_STALE, NULL, 0);
}

static void late_node(const struct step *s, struct call *call)
{
    bool is_known = s->m->payload.event->node.seq <= call->last_seq;

    answer(s, is_known ? EVENT_DUPLICATE : EVENT_STALE, NULL, 0);
}

/* ---- claims ---- */

void execution_on_call_claimed(const struct step *s)
{
    const struct call_claimed *claimed = &s->m->payload.claimed;
    struct flight *flight = flights_find(&s->e->flights, claimed->entry);

    /* The claim may have met a window's first instant, and the call is withheld since just now: it
     * is leased all the same, as the answer says, and its permission will be refused. */
    if (flight == NULL || flight->row.attempt != claimed->attempt ||
        flight->row.status != CALL_QUEUED) {
        return;
    }
    lifecycle_call(&flight->row.status, CALL_CLAIMED);
    (void)execution_renew_did(s->e, flight);
    flight->row.claim_id = claimed->claim_id;
    flight->row.leases++;
    flight->row.released = false;
    flight->row.lease_expires_at = s->m->at + s->settings->lease_ms;
    put_live(s, flight);
    flights_move(&s->e->flights, flight, FLIGHTS_LEASED, s->m->mono + s->settings->lease_ms);
}

/* ---- the permission to dial ---- */

static const char *why_refused(const struct step *s, const struct flight *flight)
{
    struct key key = key_owned(s->e->settings.organisation, &flight->row.contact_id);
    struct contact contact;

    if (!view_get(s->view, TABLE_CONTACT, &key, &contact)) {
        return "contact_deleted";
    }
    if (contact.do_not_call) {
        return "do_not_call";
    }
    return s->e->window_is_open ? "pause_window" : NULL;
}

static void permit(const struct step *s, struct flight *flight)
{
    const char *reason = why_refused(s, flight);

    if (reason == NULL) {
        lifecycle_call(&flight->row.status, CALL_STARTED);
        flight->row.started_at = s->m->at;
        flight->row.dial_by = s->m->at + s->settings->dial_by_ms;
        put_live(s, flight);
        flights_move(&s->e->flights, flight, FLIGHTS_STARTED, s->m->mono);
        answer(s, EVENT_ACCEPTED, NULL, flight->row.dial_by);
        return;
    }
    if (s->e->window_is_open && reason[0] == 'p') {
        requeue(s, flight, 0);
    } else {
        execution_skip_call(s, flight);
    }
    answer(s, EVENT_REFUSED, reason, 0);
}

void execution_on_call_started(const struct step *s)
{
    const struct call_event *event = s->m->payload.event;
    struct flight *flight = find_flight(s, late_event);

    if (flight == NULL) {
        return;
    }
    bool is_holder = event->from_gateway
                         ? !s->e->gateway_is_pull
                         : s->e->gateway_is_pull && flight->row.status != CALL_QUEUED &&
                               uuid_equal(&event->started.claim_id, &flight->row.claim_id);
    if (!is_holder) {
        answer(s, EVENT_STALE, NULL, 0);
    } else if (flight->row.status == CALL_STARTED) {
        flights_move(&s->e->flights, flight, FLIGHTS_STARTED, s->m->mono);
        answer(s, EVENT_DUPLICATE, NULL, flight->row.dial_by);
    } else {
        permit(s, flight);
    }
}

/* ---- other events ---- */

/* True when somebody has, or had, the call: it may have happened. */
static bool was_handed_out(const struct step *s, const struct flight *flight)
{
    return !s->e->gateway_is_pull || flight->row.leases > 0;
}

/* True when its last holder has said `released` and nobody has claimed it since: no one has it, and
 * its phone did not ring. (One whose lease lapsed, or whose `started` was refused, may have been
 * dialled all the same: its holder has not said that it was not.) */
static bool is_given_back(const struct step *s, const struct flight *flight)
{
    return s->e->gateway_is_pull && flight->row.status == CALL_QUEUED && flight->row.released;
}

void execution_on_node_executed(const struct step *s)
{
    const struct call_event *event = s->m->payload.event;
    struct flight *flight = find_flight(s, late_node);

    if (flight == NULL) {
        return;
    }
    if (!was_handed_out(s, flight) || flight->row.status == CALL_QUEUED) {
        answer(s, EVENT_STALE, NULL, 0);
        return;
    }
    if (flight->row.status == CALL_STARTED) { /* a repeated event is a sign of life, too */
        flights_move(&s->e->flights, flight, FLIGHTS_STARTED, s->m->mono);
    }
    if (event->node.seq <= flight->row.last_seq) {
        answer(s, EVENT_DUPLICATE, NULL, 0);
        return;
    }
    flight->row.last_seq = event->node.seq;
    put_live(s, flight);
    execution_count_node(s, event->node.node_id);
    answer(s, EVENT_ACCEPTED, NULL, 0);
}

void execution_on_call_result(const struct step *s)
{
    const struct call_event *event = s->m->payload.event;
    struct flight *flight = find_flight(s, late_result);
    const struct call_ending end = {.outcome = event->result.outcome,
                                    .detail = event->result.detail,
                                    .has_duration = event->result.has_duration,
                                    .duration_seconds = event->result.duration_seconds};

    if (flight == NULL) {
        return;
    }
    if (!was_handed_out(s, flight) || is_given_back(s, flight)) {
        answer(s, EVENT_STALE, NULL, 0);
        return;
    }
    execution_end_call(s, flight, &end);
    answer(s, EVENT_ACCEPTED, NULL, 0);
}

static void back_off(const struct step *s, uint32_t seconds)
{
    struct message message = {.actor = {ACTOR_DISPATCHER, 0}, .type = MESSAGE_GATEWAY_BACK_OFF};

    message.payload.back_off = (struct back_off){
        .gateway = s->e->gateway, .until_mono = s->m->mono + (int64_t)seconds * MS_PER_SECOND};
    effect_send(s->out, &message);
}

/* May this event give the call back? A worker repeats an event until it is answered, so a late copy
 * of an earlier holder's `released` must not take the call from a holder who may be dialling by now
 * (promise 2). With a claim id it is certain whose it is. Without one a permitted call is given
 * back only when it never had another holder. */
static bool may_release(const struct step *s, const struct flight *flight)
{
    const struct call_event *event = s->m->payload.event;
    bool says_claim = !uuid_is_nil(&event->released.claim_id);

    if (!s->e->gateway_is_pull) {
        return true;
    }
    if (flight->row.status == CALL_QUEUED) {
        return false;
    }
    if (says_claim) {
        return uuid_equal(&event->released.claim_id, &flight->row.claim_id);
    }
    return flight->row.status == CALL_CLAIMED || flight->row.leases == 1;
}

static bool was_released(const struct step *s, const struct flight *flight)
{
    const struct uuid *claim_id = &s->m->payload.event->released.claim_id;

    return flight->row.status == CALL_QUEUED && flight->row.released &&
           (uuid_is_nil(claim_id) || uuid_equal(claim_id, &flight->row.claim_id));
}

void execution_on_call_released(const struct step *s)
{
    const struct call_event *event = s->m->payload.event;
    struct flight *flight = find_flight(s, late_event);
    int64_t not_before = 0;

    if (flight == NULL) {
        return;
    }
    if (!may_release(s, flight)) {
        answer(s, was_released(s, flight) ? EVENT_DUPLICATE : EVENT_STALE, NULL, 0);
        return;
    }
    if (event->released.retry_after_seconds > 0 && s->e->has_gateway) {
        back_off(s, event->released.retry_after_seconds);
    }
    if (!s->e->gateway_is_pull) {
        int64_t wait = (int64_t)event->released.retry_after_seconds * MS_PER_SECOND;

        not_before = s->m->mono + (wait > PUSH_RETRY_MS ? wait : PUSH_RETRY_MS);
    }
    flight->row.released = true;
    requeue(s, flight, not_before);
    answer(s, EVENT_ACCEPTED, NULL, 0);
}

/* ---- time ---- */

static void expire_lease(const struct step *s, struct flight *flight)
{
    const struct call_ending undeliverable = {.outcome = OUTCOME_ERROR,
                                              .detail = SLICE("undeliverable")};

    flight->row.lapses++;
    if (flight->row.lapses >= s->settings->lease_limit) {
        execution_end_call(s, flight, &undeliverable);
    } else {
        requeue(s, flight, 0);
    }
}

void execution_expire(const struct step *s)
{
    struct execution *e = s->e;

    for (unsigned i = 0; i < EXPIRE_ROWS; i++) {
        struct flight *leased = flights_first(&e->flights, FLIGHTS_LEASED);
        struct flight *started = flights_first(&e->flights, FLIGHTS_STARTED);

        if (leased != NULL && leased->mono <= s->m->mono) {
            expire_lease(s, leased);
        } else if (started != NULL &&
                   instant_add(started->mono, e->call_timeout_ms) <= s->m->mono) {
            execution_end_in_doubt(s, started);
        } else {
            return;
        }
    }
}

/* The process stood still, and heard nobody meanwhile: as after a start, no lease ends within one
 * lease from now, and no call is silent yet (reliability.md 3, "Leases"). */
void execution_on_clock_gap(const struct step *s)
{
    struct flights *flights = &s->e->flights;
    struct flight *flight = flights_first(flights, FLIGHTS_LEASED);

    for (; flight != NULL; flight = flights_after(flights, flight)) {
        flight->mono = s->m->mono + s->settings->lease_ms;
    }
    flight = flights_first(flights, FLIGHTS_STARTED);
    for (; flight != NULL; flight = flights_after(flights, flight)) {
        flight->mono = s->m->mono;
    }
}
