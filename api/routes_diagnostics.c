/* Why an execution is or is not dialling now: its rows say what is due and what its status and its
 * windows forbid, the actors' memory what room and pace allow (engine/diagnose.h).
 *
 * How many pending contacts are due is counted in the due index from both of its ends at once, in
 * slices: it takes twice the steps of the smaller of the two parts, however long the other is.
 */
#include "api/routes_execution_lists.h"
#include "api/routes_records.h"
#include "base/instant.h"
#include "engine/diagnose.h"
#include "model/lifecycle.h"
#include "storage/reader.h"

enum { SLICE_STEPS = 1000 };

struct diagnostics {
    const struct execution_view *execution;
    int64_t now;
    struct key front, back; /* where the two walks stand */
    uint64_t due, not_due;  /* rows that they have passed */
    uint64_t pending;       /* all */
    int64_t next_due_at;    /* of those that are not due; 0: all are */
    struct diagnosis seen;
    json_t *reasons;
    bool is_blocked; /* for those that are due */
};

/* ---- counting ---- */

/* One step of each walk. True: one of them has met the first row of the other kind; `error` is set
 * when a row cannot be read. */
static bool step(struct reader *reader, struct diagnostics *d, int *error)
{
    struct key prefix = key_u32(d->execution->settings.number), key;
    struct slice raw;
    int code = reader_seek(reader, TABLE_DUE, &prefix, &d->front, &key, &raw);

    if (code == 0 && key_due_at(&key) <= d->now) {
        d->due++;
        d->front = key_after(&key);
    } else {
        *error = code == OD_ENOTFOUND ? 0 : code;
        d->not_due = d->pending > d->due ? d->pending - d->due : 0;
        return true;
    }
    code = reader_seek_before(reader, TABLE_DUE, &prefix, &d->back, &key, &raw);
    if (code == 0 && key_due_at(&key) > d->now) {
        d->not_due++;
        d->back = key;
        return false;
    }
    *error = code == OD_ENOTFOUND ? 0 : code;
    d->due = d->pending > d->not_due ? d->pending - d->not_due : 0;
    return true;
}

/* When the first of those that are not due will be. */
static int find_next_due(struct reader *reader, struct diagnostics *d)
{
    uint32_t number = d->execution->settings.number;
    struct key prefix = key_u32(number), from = key_due(number, d->now + 1, 0), key;
    struct slice raw;
    int code = reader_seek(reader, TABLE_DUE, &prefix, &from, &key, &raw);

    d->next_due_at = code == 0 ? key_due_at(&key) : 0;
    return code == OD_ENOTFOUND ? 0 : code;
}

/* ---- reasons ---- */

static void add_reason(struct diagnostics *d, const char *reason, uint64_t contacts, int64_t until,
                       json_t *limit)
{
    json_t *json = json_new_object();

    json_put(json, "reason", json_from_slice(slice_from(reason)));
    json_put(json, "contacts", json_integer((json_int_t)contacts));
    json_put(json, "until", json_from_instant_or_null(until));
    json_put(json, "limit", limit);
    json_put_item(d->reasons, json);
}

/* The same for what keeps everything back. */
static void add_block(struct diagnostics *d, const char *reason, uint64_t contacts, int64_t until,
                      json_t *limit)
{
    add_reason(d, reason, contacts, until, limit);
    d->is_blocked = true;
}

static void add_own_reasons(struct diagnostics *d, struct render_context *context)
{
    const struct execution_settings *settings = &d->execution->settings;
    enum execution_status status = d->execution->state.status;
    int64_t window_end = render_window_end(context, settings);

    if (status != EXECUTION_RUNNING) {
        add_block(d, "not_running", d->pending,
                  status == EXECUTION_SCHEDULED ? settings->start_at : 0, json_null());
    }
    if (execution_has_ended(status)) {
        return;
    }
    if (window_end != 0) {
        add_block(d, "pause_window", d->due + d->seen.queued, window_end, json_null());
    }
    if (d->not_due > 0) {
        add_reason(d, "retry_not_due", d->not_due, d->next_due_at, json_null());
    }
    if (status == EXECUTION_PAUSED_NO_CREDITS) {
        add_block(d, "no_credits", d->pending, 0, json_null());
    }
    if (d->seen.has_work && d->seen.usable_dids == 0) {
        add_block(d, "no_did", d->due, 0, json_null());
    }
}

/* What keeps back those that are due: without any there is nothing to keep back. */
static void add_limits(struct diagnostics *d)
{
    const struct diagnosis *seen = &d->seen;

    if (d->due == 0) {
        return;
    }
    if (seen->cap != 0) {
        add_block(d, "max_concurrent_calls", d->due, 0, json_integer(seen->cap));
    }
    if (seen->rate_micro != 0) {
        add_block(d, "calls_per_second", d->due, seen->paced_until,
                  json_from_rate_or_null(seen->rate_micro));
    }
    if (seen->organisation_cap != 0) {
        add_block(d, "organization_limit", d->due, 0, json_integer(seen->organisation_cap));
    } else if (seen->organisation_rate_micro != 0) {
        add_block(d, "organization_limit", d->due, seen->organisation_until,
                  json_from_rate_or_null(seen->organisation_rate_micro));
    }
}

/* Also for calls that are queued: they wait for the gateway, too. */
static void add_gateway_reasons(struct diagnostics *d)
{
    const struct diagnosis *seen = &d->seen;
    uint64_t waiting = d->due + seen->queued;

    if (!seen->has_work || waiting == 0) {
        return;
    }
    /* Nobody claims calls: that shows where some are on offer. */
    if (!seen->has_gateway || (!seen->has_worker && seen->queued > 0)) {
        add_block(d, "gateway_absent", waiting, 0, json_null());
    }
    if (seen->gateway_until != 0) {
        add_block(d, "gateway_busy", waiting, seen->gateway_until, json_null());
    } else if (seen->gateway_limit != 0 && d->due > 0) {
        add_block(d, "gateway_busy", d->due, 0, json_integer(seen->gateway_limit));
    }
}

static void answer(struct exchange *exchange, struct diagnostics *d)
{
    struct render_context context = records_context(exchange);
    const struct execution_view *execution = d->execution;
    json_t *json = json_new_object();

    d->reasons = json_new_array();
    add_own_reasons(d, &context);
    if (!execution_has_ended(execution->state.status)) {
        add_limits(d);
        add_gateway_reasons(d);
    }
    json_put(json, "dialling", json_boolean(!d->is_blocked && d->due + d->seen.queued > 0));
    json_put(json, "blockedBy", d->reasons);
    json_put(json, "nextDialAt",
             json_from_instant_or_null(
                 render_next_dial_at(&context, &execution->settings, &execution->state)));
    records_send(exchange, &context, json);
}

/* ---- the route ---- */

static void count_slice(struct exchange *exchange)
{
    struct diagnostics *d = exchange->state;
    bool is_done = execution_has_ended(d->execution->state.status);
    int error = 0;

    for (unsigned steps = 0; !is_done && steps < SLICE_STEPS; steps++) {
        is_done = step(exchange->reader, d, &error);
    }
    if (!is_done) {
        return;
    }
    if (error == 0) {
        error = find_next_due(exchange->reader, d);
    }
    if (error != 0) {
        exchange_send_unreadable(exchange, error);
        return;
    }
    engine_diagnose(exchange->engine, d->execution->settings.number, &d->seen);
    answer(exchange, d);
}

void send_diagnostics(struct exchange *exchange, const struct execution_view *execution)
{
    struct diagnostics *d = arena_zalloc(&exchange->arena, sizeof(*d));
    uint32_t number = execution->settings.number;

    d->execution = execution;
    d->now = engine_now(exchange->engine);
    d->pending = execution->state.counters.pending;
    d->front = key_u32(number);
    d->back = key_due(number, INT64_MAX, UINT32_MAX);
    exchange->state = d;
    exchange_work(exchange, count_slice);
}
