/* Start, pause, resume, stop, cancel, completion; and what happens to those who are not called any
 * more. */
#include "actors/execution_step.h"
#include "base/check.h"
#include "base/instant.h"
#include "model/lifecycle.h"
#include "model/names.h"

static void refuse_state(const struct step *s, const char *verb)
{
    const struct execution *e = s->e;

    effect_reply_fault(s->out, s->m->exchange, FAULT_INVALID_EXECUTION_STATE,
                       arena_printf(s->view->arena, "The execution is %s; it cannot be %s",
                                    execution_status_name(e->state.status), verb));
}

/* After stop or cancel: the counters say already that the pending are skipped; their rows follow in
 * slices. */
static void skip_pending(const struct step *s)
{
    struct execution *e = s->e;

    e->state.snapshot_done = true;
    e->next_due_at = INSTANT_NEVER;
    if (e->launch_exchange != 0) {
        execution_on_snapshot_slice(s); /* answers the launch */
    }
    execution_send_slice(s, MESSAGE_SKIP_SLICE);
}

void execution_keep_time(const struct step *s)
{
    struct execution *e = s->e;

    if (e->state.status == EXECUTION_SCHEDULED && e->settings.start_at <= s->m->at) {
        execution_set_status(s, EXECUTION_RUNNING, SLICE(""));
    }
    if (e->settings.stop_at != 0 && e->settings.stop_at <= s->m->at &&
        !execution_has_ended(e->state.status)) {
        execution_set_status(s, EXECUTION_STOPPED, SLICE("stop_at"));
        skip_pending(s);
    }
}

void execution_on_pause(const struct step *s)
{
    if (s->e->state.status != EXECUTION_RUNNING) {
        refuse_state(s, "paused");
        return;
    }
    execution_set_status(s, EXECUTION_PAUSED, SLICE(""));
    execution_reply(s);
}

void execution_on_resume(const struct step *s)
{
    if (!execution_is_paused(s->e->state.status)) {
        refuse_state(s, "resumed");
        return;
    }
    if (s->m->payload.resume.has_rules) {
        execution_replace_rules(s, &s->m->payload.resume);
    }
    if (s->e->state.status == EXECUTION_PAUSED_THRESHOLD) {
        execution_reset_counters(s);
    }
    execution_set_status(s, EXECUTION_RUNNING, SLICE(""));
    execution_finish(s); /* it may be over, or have no DID: the answer says so */
    execution_reply(s);
}

void execution_on_cancel(const struct step *s)
{
    enum execution_status status = s->e->state.status;

    if (status == EXECUTION_COMPLETED || status == EXECUTION_STOPPED) {
        refuse_state(s, "cancelled");
        return;
    }
    if (status != EXECUTION_CANCELLED) {
        execution_set_status(s, EXECUTION_CANCELLED, SLICE(""));
        skip_pending(s);
    }
    effect_reply_nothing(s->out, s->m->exchange);
}

void execution_on_skip_slice(const struct step *s)
{
    struct execution *e = s->e;
    struct key prefix = key_u32(e->number);
    struct key from = prefix;
    struct key due;

    for (unsigned i = 0; i < SKIP_SLICE_ROWS && !e->state.skip_done; i++) {
        struct entry entry;

        if (!view_seek(s->view, TABLE_DUE, &prefix, &from, &due, NULL)) {
            e->state.skip_done = execution_cancel_triggers(s, SKIP_SLICE_ROWS - i);
            break;
        }
        struct key key = key_entry(e->number, key_due_entry(&due));

        OD_CHECK(view_get(s->view, TABLE_ENTRY, &key, &entry));
        lifecycle_entry(&entry.status, ENTRY_SKIPPED);
        entry.next_attempt_at = 0;
        entry.completed_at = e->state.actual_end_at;
        effect_put(s->out, TABLE_ENTRY, &key, &entry);
        effect_delete(s->out, TABLE_DUE, &due);
        execution_stop_waiting(s, &due, &entry.contact_id);
        from = key_after(&due);
    }
    execution_touch(s);
    if (!e->state.skip_done) {
        execution_send_slice(s, MESSAGE_SKIP_SLICE);
    }
}

void execution_on_did_changed(const struct step *s)
{
    struct execution *e = s->e;
    const struct did_changed *change = &s->m->payload.did_changed;
    bool is_usable =
        change->is_usable && (change->owner == 0 || change->owner == e->settings.organisation);

    for (uint32_t i = 0; i < e->settings.did_count; i++) {
        if (uuid_equal(&e->settings.dids[i].id, &change->id) &&
            (e->did_is_usable[i] != 0) != is_usable) {
            e->did_is_usable[i] = is_usable;
            e->usable_dids = is_usable ? e->usable_dids + 1 : e->usable_dids - 1;
        }
    }
}

void execution_finish(const struct step *s)
{
    struct execution *e = s->e;
    const struct execution_counters *n = &e->state.counters;

    if (e->state.status == EXECUTION_RUNNING && e->state.snapshot_done && n->pending == 0 &&
        n->in_progress == 0 && e->settings.mode == MODE_BATCH) {
        execution_set_status(s, EXECUTION_COMPLETED, SLICE(""));
        e->state.skip_done = true;
    }
    if (e->state.status == EXECUTION_RUNNING && e->usable_dids == 0 && n->pending > 0) {
        execution_set_status(s, EXECUTION_PAUSED, SLICE("empty_did_pool"));
    }
    if (execution_is_over(e) && !e->is_over_said) {
        struct key key = key_organisation_execution(e->settings.organisation, e->number);
        struct message gone = {.actor = {ACTOR_DISPATCHER, 0}, .type = MESSAGE_DEMAND};

        effect_delete(s->out, TABLE_ACTIVE_EXECUTION, &key);
        key = key_ended_execution(e->state.actual_end_at, e->number);
        effect_put(s->out, TABLE_ENDED_EXECUTION, &key, &(struct due_row){0});
        gone.payload.demand = (struct demand){.execution = e->number,
                                              .organisation = e->settings.organisation,
                                              .gateway = e->gateway,
                                              .is_gone = true};
        if (e->has_gateway) {
            effect_send(s->out, &gone);
        }
        e->is_over_said = true;
    }
}
