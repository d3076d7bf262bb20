/* The reasons of a diagnosis, in the order in which somebody would look for them: what the
 * execution is, what its settings forbid, what room and pace allow, what its gateway does.
 */
#include "api/render_diagnostics.h"

#include "api/json.h"
#include "model/lifecycle.h"

struct reasons {
    const struct diagnostics_facts *facts;
    json_t *list;
    bool is_blocked; /* for those that are due */
};

static void add_reason(struct reasons *r, const char *reason, uint64_t contacts, int64_t until,
                       json_t *limit)
{
    json_t *json = json_new_object();

    json_put(json, "reason", json_from_slice(slice_from(reason)));
    json_put(json, "contacts", json_integer((json_int_t)contacts));
    json_put(json, "until", json_from_instant_or_null(until));
    json_put(json, "limit", limit);
    json_put_item(r->list, json);
}

/* The same for what keeps everything back. */
static void add_block(struct reasons *r, const char *reason, uint64_t contacts, int64_t until,
                      json_t *limit)
{
    add_reason(r, reason, contacts, until, limit);
    r->is_blocked = true;
}

static void add_own_reasons(struct reasons *r)
{
    const struct diagnostics_facts *facts = r->facts;
    enum execution_status status = facts->status;

    if (status != EXECUTION_RUNNING) {
        add_block(r, "not_running", r->facts->pending,
                  status == EXECUTION_SCHEDULED ? facts->start_at : 0, json_null());
    }
    if (execution_has_ended(status)) {
        return;
    }
    if (facts->window_end != 0) {
        add_block(r, "pause_window", r->facts->due + r->facts->seen.queued, facts->window_end,
                  json_null());
    }
    if (r->facts->not_due > 0) {
        add_reason(r, "retry_not_due", r->facts->not_due, r->facts->next_due_at, json_null());
    }
    if (status == EXECUTION_PAUSED_NO_CREDITS) {
        add_block(r, "no_credits", r->facts->pending, 0, json_null());
    }
    if (r->facts->seen.has_work && r->facts->seen.usable_dids == 0) {
        add_block(r, "no_did", r->facts->due, 0, json_null());
    }
}

/* What keeps back those that are due: without any there is nothing to keep back. */
static void add_limits(struct reasons *r)
{
    const struct diagnosis *seen = &r->facts->seen;

    if (r->facts->due == 0) {
        return;
    }
    if (seen->cap != 0) {
        add_block(r, "max_concurrent_calls", r->facts->due, 0, json_integer(seen->cap));
    }
    if (seen->rate_micro != 0) {
        add_block(r, "calls_per_second", r->facts->due, seen->paced_until,
                  json_from_rate_or_null(seen->rate_micro));
    }
    if (seen->organisation_cap != 0) {
        add_block(r, "organization_limit", r->facts->due, 0, json_integer(seen->organisation_cap));
    } else if (seen->organisation_rate_micro != 0) {
        add_block(r, "organization_limit", r->facts->due, seen->organisation_until,
                  json_from_rate_or_null(seen->organisation_rate_micro));
    }
}

/* An entry of a contact that is being called keeps back no other: one call at a time. */
static void add_parked(struct reasons *r)
{
    if (r->facts->parked > 0) {
        add_reason(r, "max_concurrent_calls", r->facts->parked, 0, json_integer(1));
    }
}

/* Also for calls that are queued: they wait for the gateway, too. */
static void add_gateway_reasons(struct reasons *r)
{
    const struct diagnosis *seen = &r->facts->seen;
    uint64_t waiting = r->facts->due + seen->queued;

    if (!seen->has_work || waiting == 0) {
        return;
    }
    /* Nobody claims calls: that shows where some are on offer. */
    if (!seen->has_gateway || (!seen->has_worker && seen->queued > 0)) {
        add_block(r, "gateway_absent", waiting, 0, json_null());
    }
    if (seen->gateway_until != 0) {
        add_block(r, "gateway_busy", waiting, seen->gateway_until, json_null());
    } else if (seen->gateway_limit != 0 && r->facts->due > 0) {
        add_block(r, "gateway_busy", r->facts->due, 0, json_integer(seen->gateway_limit));
    }
}

json_t *render_diagnostics(const struct diagnostics_facts *facts)
{
    struct reasons reasons = {.facts = facts, .list = json_new_array()};
    json_t *json = json_new_object();

    add_own_reasons(&reasons);
    if (!execution_has_ended(facts->status)) {
        add_limits(&reasons);
        add_parked(&reasons);
        add_gateway_reasons(&reasons);
    }
    json_put(json, "dialling",
             json_boolean(!reasons.is_blocked && facts->due + facts->seen.queued > 0));
    json_put(json, "blockedBy", reasons.list);
    json_put(json, "nextDialAt", json_from_instant_or_null(facts->next_dial_at));
    return json;
}
