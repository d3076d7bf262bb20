#include "api/render_call.h"

#include "model/lifecycle.h"
#include "model/names.h"

/* ---- entries ---- */

enum entry_status entry_shown_status(const struct execution_view *execution,
                                     const struct entry_view *view)
{
    bool is_pending =
        view->entry.status == ENTRY_PENDING || view->entry.status == ENTRY_PENDING_RETRY;

    if (view->has_live_call) {
        return view->live_call.status == CALL_STARTED ? ENTRY_IN_CALL : ENTRY_QUEUED;
    }
    if (is_pending && execution_has_ended(execution->state.status)) {
        return ENTRY_SKIPPED;
    }
    return view->entry.status;
}

/* The number of the contact; of one that has been deleted, the number that was called last. */
static json_t *entry_phone(struct render_context *context, const struct execution_view *execution,
                           const struct entry_view *view)
{
    const struct execution_settings *settings = &execution->settings;
    struct key contact_key = key_owned(settings->organisation, &view->entry.contact_id);
    struct key call_key = key_call(settings->number, view->number, (uint16_t)view->entry.attempts);
    struct contact contact;
    struct call call;

    if (render_get(context, TABLE_CONTACT, &contact_key, &contact)) {
        return json_from_slice(contact.primary_phone);
    }
    if (view->has_live_call) {
        return json_from_slice(view->live_call.to);
    }
    if (view->entry.attempts > 0 && render_get(context, TABLE_CALL, &call_key, &call)) {
        return json_from_slice(call.to);
    }
    return json_null();
}

static json_t *render_outcome(enum outcome outcome)
{
    return outcome == OUTCOME_NONE ? json_null()
                                   : json_from_slice(slice_from(outcome_name(outcome)));
}

json_t *render_entry(struct render_context *context, const struct execution_view *execution,
                     const struct entry_view *view)
{
    const struct entry *entry = &view->entry;
    enum entry_status status = entry_shown_status(execution, view);
    int64_t completed_at = entry->completed_at;
    json_t *json = json_new_object();

    if (status == ENTRY_SKIPPED && completed_at == 0) {
        completed_at = execution->state.actual_end_at;
    }
    json_put(json, "contactId", json_from_uuid(&entry->contact_id));
    json_put(json, "primaryPhone", entry_phone(context, execution, view));
    json_put(json, "status", json_from_slice(slice_from(entry_status_name(status))));
    json_put(json, "attempts", json_integer(entry->attempts + (status == ENTRY_IN_CALL ? 1 : 0)));
    json_put(json, "lastOutcome", render_outcome(entry->last_outcome));
    json_put(json, "nextAttemptAt",
             status == ENTRY_PENDING_RETRY ? json_from_instant_or_null(entry->next_attempt_at)
                                           : json_null());
    json_put(json, "completedAt", json_from_instant_or_null(completed_at));
    return json;
}

/* ---- calls ---- */

/* What both kinds of call have: who, in which attempt, from which DID. */
static json_t *call_json(const struct execution_view *execution, const struct call_name *name,
                         const struct uuid *contact, uint32_t did)
{
    const struct execution_settings *settings = &execution->settings;
    struct uuid call_id = call_id_make(name);
    json_t *json = json_new_object();

    json_put(json, "callId", json_from_uuid(&call_id));
    json_put(json, "executionId", json_from_uuid(&settings->id));
    json_put(json, "contactId", json_from_uuid(contact));
    json_put(json, "attempt", json_integer(name->attempt));
    if (did < settings->did_count) {
        json_put(json, "from", json_from_slice(settings->dids[did].number));
        json_put(json, "didId", json_from_uuid(&settings->dids[did].id));
    } else {
        json_put(json, "from", json_null());
        json_put(json, "didId", json_null());
    }
    return json;
}

static void put_end(json_t *json, const struct call *call)
{
    json_put(json, "outcome", render_outcome(call->outcome));
    json_put(json, "detail", json_from_slice_or_null(call->detail));
    json_put(json, "durationSeconds",
             call->has_duration ? json_integer(call->duration_seconds) : json_null());
    json_put(json, "inDoubt", json_boolean(call->in_doubt));
    json_put(json, "lateOutcome", render_outcome(call->late_outcome));
    json_put(json, "queuedAt", json_from_instant_or_null(call->queued_at));
    json_put(json, "startedAt", json_from_instant_or_null(call->started_at));
    json_put(json, "endedAt", json_from_instant_or_null(call->ended_at));
}

json_t *render_call(const struct execution_view *execution, const struct call *call)
{
    const struct call_name name = {.execution = execution->settings.number,
                                   .attempt = call->attempt,
                                   .tag = call_tag_of_era(&execution->settings.id, call->era),
                                   .entry = call->entry};
    json_t *json = call_json(execution, &name, &call->contact_id, call->did);

    json_put(json, "status", json_from_slice(slice_from(call_status_name(CALL_ENDED))));
    json_put(json, "to", json_from_slice(call->to));
    put_end(json, call);
    return json;
}

json_t *render_live_call(const struct execution_view *execution, const struct live_call *call)
{
    const struct call none = {.queued_at = call->queued_at, .started_at = call->started_at};
    const struct call_name name = {.execution = execution->settings.number,
                                   .attempt = call->attempt,
                                   .tag = call_tag_of_era(&execution->settings.id, call->era),
                                   .entry = call->entry};
    json_t *json = call_json(execution, &name, &call->contact_id, call->did);

    json_put(json, "status", json_from_slice(slice_from(call_status_name(call->status))));
    json_put(json, "to", json_from_slice(call->to));
    put_end(json, &none);
    return json;
}
