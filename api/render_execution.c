/* An execution as JSON, and when it dials next.
 *
 * nextDialAt is the first instant from now on at which the execution can start a call, as far as
 * its own settings say: when its first contact or, in live mode, trigger is due, or, in a pause
 * window, when the last open window ends. Capacity is not looked at.
 */
#include "api/render.h"

#include "api/render_parts.h"
#include "base/instant.h"
#include "model/lifecycle.h"
#include "model/names.h"
#include "model/pause_window.h"

/* When the first pending contact, or trigger, is due; INSTANT_NEVER: there is none. */
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

/* 0: it does not dial. */
static int64_t next_dial_at(struct render_context *context,
                            const struct execution_settings *settings,
                            const struct execution_state *state, const struct zone_table *zone)
{
    int64_t at = engine_now(context->exchange->engine);

    if (state->status == EXECUTION_SCHEDULED) {
        at = later(at, settings->start_at);
    } else if (state->status != EXECUTION_RUNNING) {
        return 0;
    }
    at = later(at, earlier(first_due_at(context, TABLE_DUE, settings->number),
                           first_due_at(context, TABLE_TRIGGER_DUE, settings->number)));
    if (at != INSTANT_NEVER && settings->has_pause_windows && zone != NULL) {
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

static void put_times(json_t *json, struct render_context *context,
                      const struct execution_settings *settings,
                      const struct execution_state *state)
{
    struct engine *engine = context->exchange->engine;
    const struct zone_table *zone = NULL;
    bool is_paused = false;

    if (!execution_has_ended(state->status) && settings->has_pause_windows) {
        zone = engine_zone_table(engine, settings->timezone);
        is_paused =
            zone != NULL && pause_window_is_open(&settings->windows, zone, engine_now(engine));
    }
    json_put(json, "scheduledStartAt", json_from_instant_or_null(settings->start_at));
    json_put(json, "scheduledStopAt", json_from_instant_or_null(settings->stop_at));
    json_put(json, "actualStartAt", json_from_instant_or_null(state->actual_start_at));
    json_put(json, "actualEndAt", json_from_instant_or_null(state->actual_end_at));
    json_put(json, "inPauseWindow", json_boolean(is_paused));
    json_put(json, "nextDialAt",
             json_from_instant_or_null(next_dial_at(context, settings, state, zone)));
}

/* One for each rule; none once the execution has ended. */
static json_t *render_node_counters(struct render_context *context,
                                    const struct execution_settings *settings,
                                    const struct execution_state *state)
{
    struct key key = key_u32(settings->number);
    json_t *json = json_new_object();
    struct node_counters row;
    bool is_counted;

    if (settings->rule_count == 0 || execution_has_ended(state->status)) {
        return json;
    }
    is_counted = render_get(context, TABLE_NODE_COUNTERS, &key, &row);
    if (is_counted && row.count != settings->rule_count) {
        context->error = OD_ECORRUPT;
        return json;
    }
    for (size_t i = 0; i < settings->rule_count; i++) {
        struct slice name = settings->rules[i].node_id;
        char *text = arena_alloc(context->arena, name.size + 1);

        memcpy(text, name.data, name.size);
        text[name.size] = '\0';
        json_put(json, text, json_integer(is_counted ? (json_int_t)row.counts[i] : 0));
    }
    return json;
}

json_t *render_execution(struct render_context *context, const struct execution_settings *settings,
                         const struct execution_state *state)
{
    json_t *json = json_new_object();

    json_put(json, "id", json_from_uuid(&settings->id));
    json_put(json, "programId", json_from_uuid(&settings->program_id));
    json_put(json, "organizationId", json_from_uuid(&settings->organisation_id));
    json_put(json, "audienceId", json_from_uuid(&settings->audience_id));
    json_put(json, "flowId", json_from_uuid(&settings->flow_id));
    json_put(json, "mode", json_from_slice(slice_from(program_mode_name(settings->mode))));
    json_put(json, "status", json_from_slice(slice_from(execution_status_name(state->status))));
    json_put(json, "statusReason", json_from_slice_or_null(state->status_reason));
    render_counters(json, &state->counters);
    json_put(json, "retryStrategy", render_retry(&settings->retry));
    json_put(json, "pauseWindows",
             render_windows(context, settings->has_pause_windows, &settings->windows));
    json_put(json, "autoPauseRules", render_rules(context, settings->rules, settings->rule_count));
    json_put(json, "nodeCounters", render_node_counters(context, settings, state));
    put_times(json, context, settings, state);
    json_put(json, "createdAt", json_from_instant(settings->created_at));
    json_put(json, "updatedAt", json_from_instant(state->updated_at));
    return json;
}
