/* An execution as it is shown, and when it dials next.
 *
 * nextDialAt is the first instant from now on at which the execution can start a call, as far as
 * is known: when its first contact or, in live mode, trigger is due and the pace allows another
 * call, when its gateway has backed off, and, in a pause window, when the last open window ends.
 * Calls that are queued count where one of the last two keeps them back; else they have had their
 * turn. Caps are not looked at, as nobody knows when a call ends.
 */
#include "api/render.h"

#include "api/execution_text.h"
#include "api/render_parts.h"
#include "base/check.h"
#include "base/instant.h"
#include "engine/diagnose.h"
#include "model/lifecycle.h"
#include "model/pause_window.h"

/* When the first row of an index is due; INSTANT_NEVER: there is none. */
static int64_t first_due_at(struct render_context *context, enum table index, uint32_t execution)
{
    struct key prefix = key_u32(execution), key;
    struct slice raw;
    int error = reader_seek(context->reader, index, &prefix, &prefix, &key, &raw);

    if (error == 0) {
        return key_due_at(&key);
    }
    if (error != OD_ENOTFOUND && context->error == 0) {
        context->error = error;
    }
    return INSTANT_NEVER;
}

/* The first instant from `at` on that is in no window; INSTANT_NEVER when windows never end. */
static int64_t windows_end(const struct pause_windows *windows, const struct zone_table *zone,
                           int64_t at)
{
    while (at != INSTANT_NEVER && pause_window_is_open(windows, zone, at)) {
        at = pause_window_next_change(windows, zone, at);
    }
    return at;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* When the first contact or trigger is due; INSTANT_NEVER: there is none. */
static int64_t first_turn(struct render_context *context, const struct execution_settings *settings)
{
    return earlier(first_due_at(context, TABLE_DUE, settings->number),
                   first_due_at(context, TABLE_TRIGGER_DUE, settings->number));
}

/* When one that runs has the next call to start, pause windows aside; INSTANT_NEVER: none. */
static int64_t next_turn(struct render_context *context, const struct execution_settings *settings,
                         bool is_in_window)
{
    struct engine *engine = context->exchange->engine;
    struct diagnosis seen;
    int64_t at;

    engine_diagnose(engine, settings->number, &seen);
    at = later(later(first_turn(context, settings), seen.paced_until), seen.organisation_until);
    if (seen.queued > 0 && (is_in_window || seen.gateway_until != 0)) {
        at = 0;
    }
    return later(later(at, seen.gateway_until), engine_now(engine));
}

/* 0: it does not dial. */
static int64_t next_dial_at(struct render_context *context,
                            const struct execution_settings *settings,
                            const struct execution_state *state, const struct zone_table *zone)
{
    bool has_windows = settings->has_pause_windows && zone != NULL;
    int64_t now = engine_now(context->exchange->engine), at;

    if (state->status == EXECUTION_SCHEDULED) {
        at = later(later(now, settings->start_at), first_turn(context, settings));
    } else if (state->status == EXECUTION_RUNNING) {
        at = next_turn(context, settings,
                       has_windows && pause_window_is_open(&settings->windows, zone, now));
    } else {
        return 0;
    }
    if (at != INSTANT_NEVER && has_windows) {
        at = windows_end(&settings->windows, zone, at);
    }
    return settings->stop_at != 0 && at >= settings->stop_at ? 0 : at;
}

int64_t render_next_dial_at(struct render_context *context,
                            const struct execution_settings *settings,
                            const struct execution_state *state)
{
    const struct zone_table *zone = NULL;
    int64_t at;

    if (settings->has_pause_windows) {
        zone = engine_zone_table(context->exchange->engine, settings->timezone);
    }
    at = next_dial_at(context, settings, state, zone);
    return at == INSTANT_NEVER ? 0 : at;
}

int64_t render_window_end(struct render_context *context, const struct execution_settings *settings)
{
    struct engine *engine = context->exchange->engine;
    const struct zone_table *zone;
    int64_t now = engine_now(engine);

    if (!settings->has_pause_windows) {
        return 0;
    }
    zone = engine_zone_table(engine, settings->timezone);
    if (zone == NULL || !pause_window_is_open(&settings->windows, zone, now)) {
        return 0;
    }
    return windows_end(&settings->windows, zone, now);
}

void render_counters(json_t *json, const struct execution_counters *counters)
{
    json_put(json, "totalContacts", json_integer((json_int_t)counters->total));
    json_put(json, "contactsCompleted", json_integer((json_int_t)counters->completed));
    json_put(json, "contactsFailed", json_integer((json_int_t)counters->failed));
    json_put(json, "contactsPending", json_integer((json_int_t)counters->pending));
    json_put(json, "contactsInProgress", json_integer((json_int_t)counters->in_progress));
    json_put(json, "contactsSkipped", json_integer((json_int_t)counters->skipped));
}

/* One for each rule; none once the execution has ended. */
static void find_node_counts(struct render_context *context,
                             const struct execution_settings *settings,
                             const struct execution_state *state, struct execution_facts *facts)
{
    struct key key = key_u32(settings->number);
    struct node_counters row;

    facts->has_node_counters = settings->rule_count > 0 && !execution_has_ended(state->status);
    if (!facts->has_node_counters || !render_get(context, TABLE_NODE_COUNTERS, &key, &row)) {
        return;
    }
    if (row.count == settings->rule_count) {
        facts->node_counts = row.counts;
    } else {
        context->error = OD_ECORRUPT;
    }
}

void render_execution_text(struct render_context *context,
                           const struct execution_settings *settings,
                           const struct execution_state *state, struct buf *out)
{
    struct engine *engine = context->exchange->engine;
    struct execution_facts facts = {0};
    const struct zone_table *zone = NULL;

    if (!execution_has_ended(state->status) && settings->has_pause_windows) {
        zone = engine_zone_table(engine, settings->timezone);
        facts.in_pause_window =
            zone != NULL && pause_window_is_open(&settings->windows, zone, engine_now(engine));
    }
    facts.next_dial_at = next_dial_at(context, settings, state, zone);
    find_node_counts(context, settings, state, &facts);
    execution_print(out, context, settings, state, &facts);
}

json_t *render_execution(struct render_context *context, const struct execution_settings *settings,
                         const struct execution_state *state)
{
    struct buf text;
    json_t *json;

    buf_init(&text);
    render_execution_text(context, settings, state, &text);
    json = json_loadb(text.data, text.size, 0, NULL);
    OD_CHECK(json != NULL);
    buf_deinit(&text);
    return json;
}
