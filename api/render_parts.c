#include "api/render_parts.h"

#include "base/instant.h"
#include "model/names.h"

enum {
    MINUTES_PER_HOUR = 60,
    WINDOW_BYTES = 512, /* by the time it takes, which is more than its text */
    RULE_BYTES = 512,
};

json_t *render_retry(const struct retry_strategy *retry)
{
    json_t *json = json_new_object();

    json_put(json, "type", json_from_slice(slice_from(retry_type_name(retry->type))));
    if (retry->type == RETRY_FIXED_DELAY) {
        json_put(json, "delayMinutes", json_integer(retry->delay_ms / MS_PER_MINUTE));
        json_put(json, "maxRetries", json_integer(retry->max_retries));
    } else if (retry->type == RETRY_SCHEDULED) {
        json_t *dates = json_new_array();
        for (uint32_t i = 0; i < retry->date_count; i++) {
            json_put_item(dates, json_from_instant(retry->dates[i]));
        }
        json_put(json, "retryDates", dates);
    }
    return json;
}

static json_t *render_time(uint16_t minute)
{
    json_t *json = json_new_object();

    json_put(json, "hour", json_integer(minute / MINUTES_PER_HOUR));
    json_put(json, "minute", json_integer(minute % MINUTES_PER_HOUR));
    return json;
}

/* The array under the name, made when it is not yet there. */
static json_t *array_of(json_t *object, const char *name)
{
    json_t *array = json_object_get(object, name);

    if (array == NULL) {
        array = json_new_array();
        json_put(object, name, array);
    }
    return array;
}

json_t *render_windows(struct render_context *context, bool has,
                       const struct pause_windows *windows)
{
    json_t *json;

    if (!has) {
        return json_null();
    }
    context->bytes += (windows->weekly_count + windows->advanced_count) * WINDOW_BYTES;
    json = json_new_object();
    for (size_t i = 0; i < windows->weekly_count; i++) {
        const struct weekly_window *window = &windows->weekly[i];
        json_t *item = json_new_object();
        json_put(item, "startAt", render_time(window->start_minute));
        json_put(item, "endAt", render_time(window->end_minute));
        json_put_item(array_of(json, weekday_name(window->weekday)), item);
    }
    for (size_t i = 0; i < windows->advanced_count; i++) {
        json_t *item = json_new_object();
        json_put(item, "startAt", json_from_instant(windows->advanced[i].start_at));
        json_put(item, "endAt", json_from_instant(windows->advanced[i].end_at));
        json_put_item(array_of(json, "advanced"), item);
    }
    return json;
}

json_t *render_rules(struct render_context *context, const struct auto_pause_rule *rules,
                     size_t count)
{
    json_t *json = json_new_array();

    context->bytes += count * RULE_BYTES;
    for (size_t i = 0; i < count; i++) {
        json_t *item = json_new_object();
        json_put(item, "nodeId", json_from_slice(rules[i].node_id));
        json_put(item, "threshold", json_integer((json_int_t)rules[i].threshold));
        json_put(item, "resetOnResume", json_boolean(rules[i].reset_on_resume));
        json_put_item(json, item);
    }
    return json;
}

json_t *render_trigger_condition(const struct trigger_condition *trigger)
{
    json_t *json;

    if (slice_is_empty(trigger->attribute_name)) {
        return json_null();
    }
    json = json_new_object();
    json_put(json, "attributeName", json_from_slice(trigger->attribute_name));
    json_put(json, "offsetMinutes", json_integer(trigger->offset_minutes));
    json_put(json, "timeOfDay",
             trigger->has_time_of_day ? render_time(trigger->minute_of_day) : json_null());
    json_put(json, "recurrence", json_from_slice(slice_from(recurrence_name(trigger->recurrence))));
    return json;
}

json_t *render_pacing(const struct pacing_settings *pacing)
{
    json_t *json;

    if (pacing->max_concurrent_calls == 0 && pacing->calls_per_second_micro == 0) {
        return json_null();
    }
    json = json_new_object();
    if (pacing->max_concurrent_calls != 0) {
        json_put(json, "maxConcurrentCalls", json_integer(pacing->max_concurrent_calls));
    }
    if (pacing->calls_per_second_micro != 0) {
        json_put(json, "callsPerSecond", json_from_rate_or_null(pacing->calls_per_second_micro));
    }
    return json;
}
