/* Dialling: from a due contact to a call on offer.
 *
 * 1. When the execution may dial (running, no window open, something due, room by its own caps) it
 * tells the dispatcher its demand. Fair sharing and the caps of others decide, and a GRANT comes
 * back.
 * 2. GRANT walks the due index from its front: each contact is looked at again (deleted,
 * do-not-call: skipped), gets the next usable DID, and its call is `queued`: a LIVE_CALL row in,
 * the DUE row out.
 * 3. The call is offered: pushed to the gateway when that row is durable, or put on offer for
 * claims. What a grant could not use is given back, so that others can have it.
 */
#include <string.h>

#include "actors/execution_step.h"
#include "base/check.h"
#include "base/instant.h"
#include "model/lifecycle.h"
#include "model/pause_window.h"

enum {
    GRANT_SKIP_ROWS = 256 /* contacts that a grant may pass over beyond its calls */
};

/* ---- due ---- */

void execution_add_due(struct execution *e, int64_t due_at, uint32_t entry)
{
    struct key key = key_due(e->number, due_at, entry);

    if (due_at < e->next_due_at) {
        e->next_due_at = due_at;
    }
    if (key_compare(&key, &e->due_from) < 0) {
        e->due_from = key;
    }
}

/* ---- windows ---- */

/* A window has opened: nothing stays on offer for claims. (A pushed call is stopped at its
 * permission.) */
static void withdraw_offers(const struct step *s)
{
    struct execution *e = s->e;
    struct message message = {.actor = {ACTOR_DISPATCHER, 0}, .type = MESSAGE_CALLS_WITHDRAWN};
    struct flight *flight;

    if (!e->gateway_is_pull || e->flights.listed[FLIGHTS_ON_OFFER] == 0) {
        return;
    }
    while ((flight = flights_first(&e->flights, FLIGHTS_ON_OFFER)) != NULL) {
        flights_move(&e->flights, flight, FLIGHTS_WITHHELD, 0);
    }
    message.payload.room = (struct call_room){.execution = e->number,
                                              .organisation = e->settings.organisation,
                                              .gateway = e->gateway,
                                              .is_all = true};
    effect_send(s->out, &message);
}

void execution_refresh_window(const struct step *s)
{
    struct execution *e = s->e;
    bool was_open = e->window_is_open;

    if (!e->settings.has_pause_windows ||
        (s->m->at >= e->window_checked_at && s->m->at < e->window_changes_at)) {
        return;
    }
    e->window_checked_at = s->m->at;
    if (e->zone == NULL && e->settings.windows.weekly_count > 0) {
        e->window_is_open = true; /* unknown rules: nobody is called until they come */
        e->window_changes_at = INSTANT_NEVER;
    } else {
        e->window_is_open = pause_window_is_open(&e->settings.windows, e->zone, s->m->at);
        e->window_changes_at = pause_window_next_change(&e->settings.windows, e->zone, s->m->at);
    }
    if (e->window_is_open && !was_open) {
        withdraw_offers(s);
    } else if (!e->window_is_open && was_open && e->flights.listed[FLIGHTS_WITHHELD] > 0) {
        e->withheld_until_mono = 0;
    }
}

/* ---- offers ---- */

static void push_offer(const struct step *s, const struct flight *flight, bool is_resumed)
{
    const struct execution *e = s->e;
    struct offer offer = {.gateway = e->gateway,
                          .execution = e->number,
                          .organisation = e->settings.organisation,
                          .entry = flight->row.entry,
                          .attempt = flight->row.attempt,
                          .tag = call_tag_of_era(&e->settings.id, flight->row.era),
                          .is_resumed = is_resumed,
                          .was_started = flight->row.status == CALL_STARTED,
                          .to = flight->row.to,
                          .from = e->settings.dids[flight->row.did].number,
                          .at = s->m->at,
                          .mono = s->m->mono};

    effect_offer(s->out, &offer);
}

static void send_offered(const struct step *s, const struct offered_call *calls, size_t count)
{
    struct execution *e = s->e;
    struct message message = {.actor = {ACTOR_DISPATCHER, 0}, .type = MESSAGE_CALLS_OFFERED};

    if (count == 0) {
        return;
    }
    message.payload.offered = (struct calls_offered){.execution = e->number,
                                                     .organisation = e->settings.organisation,
                                                     .gateway = e->gateway,
                                                     .calls = calls,
                                                     .count = count};
    effect_send(s->out, &message);
}

void execution_withhold(const struct step *s, struct flight *flight, int64_t until_mono)
{
    flights_move(&s->e->flights, flight, FLIGHTS_WITHHELD, until_mono);
    if (until_mono < s->e->withheld_until_mono) {
        s->e->withheld_until_mono = until_mono;
    }
}

void execution_offer_withheld(const struct step *s)
{
    struct execution *e = s->e;
    uint32_t withheld = e->flights.listed[FLIGHTS_WITHHELD];
    struct offered_call *calls;
    size_t count = 0;

    if (withheld == 0 || e->window_is_open || !e->has_gateway ||
        e->withheld_until_mono > s->m->mono) {
        return;
    }
    calls = arena_alloc(s->view->arena, withheld * sizeof(*calls));
    e->withheld_until_mono = INSTANT_NEVER;
    struct flight *next;
    for (struct flight *flight = flights_first(&e->flights, FLIGHTS_WITHHELD); flight != NULL;
         flight = next) {
        next = flights_after(&e->flights, flight);
        if (flight->mono > s->m->mono) {
            e->withheld_until_mono =
                flight->mono < e->withheld_until_mono ? flight->mono : e->withheld_until_mono;
            continue;
        }
        if (execution_renew_did(e, flight)) {
            struct key key = key_entry(e->number, flight->row.entry);

            effect_put(s->out, TABLE_LIVE_CALL, &key, &flight->row);
        }
        flights_move(&e->flights, flight, FLIGHTS_ON_OFFER, 0);
        if (e->gateway_is_pull) {
            calls[count++] = (struct offered_call){flight->row.entry, flight->row.attempt};
        } else {
            push_offer(s, flight, false);
        }
    }
    send_offered(s, calls, count);
}

void execution_send_slice(const struct step *s, enum message_type type)
{
    const struct message slice = {.actor = {ACTOR_EXECUTION, s->e->number},
                                  .type = type,
                                  .is_later = true,
                                  .exchange = s->e->launch_exchange};

    effect_send(s->out, &slice);
}

void execution_resume_work(const struct step *s)
{
    struct execution *e = s->e;

    e->is_resuming = false;
    if (execution_has_ended(e->state.status)) {
        if (!e->state.skip_done) {
            execution_send_slice(s, MESSAGE_SKIP_SLICE);
        }
    } else if (!e->state.snapshot_done && e->settings.mode == MODE_BATCH) {
        execution_send_slice(s, MESSAGE_SNAPSHOT_SLICE);
    }
    execution_send_room(s, &(struct call_room){.count = e->flights.count}, MESSAGE_CALLS_UNDER_WAY);
    if (!e->gateway_is_pull && e->has_gateway) {
        for (struct flight *flight = flights_first(&e->flights, FLIGHTS_STARTED); flight != NULL;
             flight = flights_after(&e->flights, flight)) {
            push_offer(s, flight, true);
        }
    }
    if (e->flights.listed[FLIGHTS_IN_DOUBT] > 0) {
        execution_send_restored(s);
    }
}

/* ---- demand ---- */

static uint32_t room_now(const struct step *s)
{
    const struct execution *e = s->e;
    uint32_t cap = e->settings.pacing.max_concurrent_calls;
    uint32_t room =
        e->state.counters.pending < DEMAND_MAX ? (uint32_t)e->state.counters.pending : DEMAND_MAX;

    if (e->state.status != EXECUTION_RUNNING || e->window_is_open || !e->has_gateway ||
        e->state.counters.pending == 0 || e->next_due_at > s->m->at) {
        return 0;
    }
    if (cap != 0) {
        uint32_t free = cap > e->flights.count ? cap - e->flights.count : 0;

        room = free < room ? free : room;
    }
    return pacing_room(&e->pacing, s->m->mono, room);
}

/* Said again only when it matters: from nothing, to nothing, or when it has doubled or halved. What
 * the dispatcher still holds of an old word would be granted, and spend its tenant's pace, in vain.
 */
static bool is_worth_saying(uint32_t said, uint32_t room)
{
    return room != said && (room == 0 || said == 0 || room >= 2 * said || said >= 2 * room);
}

void execution_tell_demand(const struct step *s)
{
    struct execution *e = s->e;
    uint32_t room = room_now(s);
    struct message message = {.actor = {ACTOR_DISPATCHER, 0}, .type = MESSAGE_DEMAND};

    if (!is_worth_saying(e->demand_said, room)) {
        return;
    }
    e->demand_said = room;
    message.payload.demand = (struct demand){.execution = e->number,
                                             .organisation = e->settings.organisation,
                                             .gateway = e->gateway,
                                             .calls = room};
    effect_send(s->out, &message);
}

/* ---- a grant ---- */

/* The pool's next usable DID; there is one. */
static uint32_t take_did(struct execution *e)
{
    uint32_t count = (uint32_t)e->settings.did_count;

    OD_CHECK(e->usable_dids > 0);
    for (;;) {
        uint32_t did = e->state.did_next % count;

        e->state.did_next = (did + 1) % count;
        if (e->did_is_usable[did]) {
            return did;
        }
    }
}

bool execution_renew_did(struct execution *e, struct flight *flight)
{
    if (e->did_is_usable[flight->row.did] || e->usable_dids == 0) {
        return false;
    }
    flight->row.did = take_did(e);
    return true;
}

static void skip_contact(const struct step *s, const struct key *key, struct entry *entry)
{
    struct execution_counters *n = &s->e->state.counters;

    lifecycle_entry(&entry->status, ENTRY_SKIPPED);
    entry->next_attempt_at = 0;
    entry->completed_at = s->m->at;
    effect_put(s->out, TABLE_ENTRY, key, entry);
    n->pending--;
    n->skipped++;
}

static struct flight *queue_call(const struct step *s, const struct key *key,
                                 const struct entry *entry, struct slice phone)
{
    struct execution *e = s->e;
    struct live_call row = {.entry = key_u32_at(key, sizeof(uint32_t)),
                            .attempt = (uint16_t)(entry->attempts + 1),
                            .status = CALL_QUEUED,
                            .contact_id = entry->contact_id,
                            .to = phone,
                            .did = take_did(e),
                            .has_credit = s->m->payload.grant.has_credits,
                            .queued_at = s->m->at,
                            .era = e->state.era};

    effect_put(s->out, TABLE_LIVE_CALL, key, &row);
    execution_call_begins(s, row.entry, &row.contact_id);
    e->state.counters.pending--;
    e->state.counters.in_progress++;
    execution_report_queued(e, row.entry, row.attempt);
    return flights_add(&e->flights, &row, FLIGHTS_ON_OFFER, 0);
}

static void take_due(const struct step *s, const struct key *due)
{
    effect_delete(s->out, TABLE_DUE, due);
    s->e->due_from = key_after(due);
}

/* Looks at the contact of a due row again. False: it may not be called any more, and is skipped; or
 * it waits until its other call has ended. */
static bool may_dial(const struct step *s, const struct key *due, struct entry *entry,
                     struct contact *contact)
{
    struct key key = key_entry(s->e->number, key_due_entry(due));

    OD_CHECK(view_get(s->view, TABLE_ENTRY, &key, entry));
    struct key contact_key = key_owned(s->e->settings.organisation, &entry->contact_id);
    if (!view_get(s->view, TABLE_CONTACT, &contact_key, contact) || contact->do_not_call) {
        take_due(s, due);
        skip_contact(s, &key, entry);
        execution_wake_waiting(s, &entry->contact_id);
        return false;
    }
    if (execution_must_wait(s, key_due_entry(due), &entry->contact_id)) {
        take_due(s, due);
        return false;
    }
    return true;
}

/* Takes the contact of a due row. NULL: it was skipped, or waits until its other call has ended. */
static struct flight *dial(const struct step *s, const struct key *due)
{
    struct key key = key_entry(s->e->number, key_due_entry(due));
    struct entry entry;
    struct contact contact;

    if (!may_dial(s, due, &entry, &contact)) {
        return NULL;
    }
    take_due(s, due);
    return queue_call(s, &key, &entry, contact.primary_phone);
}

/* The first due row that may be dialled now; false: none, and next_due_at says when. */
static bool next_due(const struct step *s, struct key *due)
{
    struct execution *e = s->e;
    struct key prefix = key_u32(e->number);

    if (!view_seek(s->view, TABLE_DUE, &prefix, &e->due_from, due, NULL)) {
        e->next_due_at = INSTANT_NEVER;
        return false;
    }
    e->next_due_at = key_due_at(due);
    return e->next_due_at <= s->m->at;
}

void execution_on_grant(const struct step *s)
{
    struct execution *e = s->e;
    uint32_t granted = s->m->payload.grant.calls;
    uint32_t room = room_now(s);
    uint32_t calls_max = granted < room ? granted : room;
    struct offered_call *calls = arena_alloc(s->view->arena, (calls_max + 1) * sizeof(*calls));
    uint32_t used = 0;
    struct key due;

    e->demand_said = e->demand_said > granted ? e->demand_said - granted : 0;
    for (uint32_t rows = 0; used < calls_max && rows < calls_max + GRANT_SKIP_ROWS &&
                            e->usable_dids > 0 && next_due(s, &due);
         rows++) {
        struct flight *flight = dial(s, &due);

        if (flight == NULL) {
            continue;
        }
        if (e->gateway_is_pull) {
            calls[used] = (struct offered_call){flight->row.entry, flight->row.attempt};
        } else {
            push_offer(s, flight, false);
        }
        used++;
    }
    if (used == calls_max && used > 0) {
        next_due(s, &due);
    }
    if (used > 0) {
        pacing_take(&e->pacing, s->m->mono, used);
    }
    if (e->gateway_is_pull) {
        send_offered(s, calls, used);
    }
    execution_touch(s);
    execution_send_room(s,
                        &(struct call_room){.count = granted - used,
                                            .credits_returned = s->m->payload.grant.has_credits
                                                                    ? granted - used
                                                                    : 0},
                        MESSAGE_CALL_OVER);
}

/* It was its turn, and the organisation has no credit left to reserve: it pauses, if there is
 * somebody to call. Those whom it may not call any more need no credit to be skipped. */
void execution_on_no_credits(const struct step *s)
{
    struct execution *e = s->e;
    struct key due;

    e->demand_said = 0; /* the dispatcher has forgotten it */
    if (room_now(s) == 0) {
        return;
    }
    for (uint32_t rows = 0; rows < GRANT_SKIP_ROWS && e->usable_dids > 0 && next_due(s, &due);
         rows++) {
        struct entry entry;
        struct contact contact;

        if (may_dial(s, &due, &entry, &contact)) {
            execution_set_status(s, EXECUTION_PAUSED_NO_CREDITS, SLICE("no_credits"));
            return;
        }
        execution_touch(s);
    }
}
