/* Programs as JSON. */
#include "tests/sim/web.h"

#include "base/check.h"
#include "base/instant.h"
#include "model/names.h"

#define PUT(out, ...) OD_CHECK(buf_printf(out, __VA_ARGS__) == 0)

static void put_instant(struct buf *out, const char *name, int64_t at)
{
    char text[INSTANT_TEXT_SIZE];

    if (at == 0) {
        PUT(out, ",\"%s\":null", name);
        return;
    }
    instant_print(at, text);
    PUT(out, ",\"%s\":\"%s\"", name, text);
}

static void put_uuid(struct buf *out, const char *name, const struct uuid *id)
{
    char text[UUID_TEXT_SIZE];

    uuid_print(id, text);
    PUT(out, ",\"%s\":\"%s\"", name, text);
}

static void put_retry(struct buf *out, const struct retry_strategy *retry)
{
    PUT(out, ",\"retryStrategy\":{\"type\":\"%s\"", retry_type_name(retry->type));
    if (retry->type == RETRY_FIXED_DELAY) {
        PUT(out, ",\"delayMinutes\":%u,\"maxRetries\":%u",
            retry->delay_ms / (uint32_t)MS_PER_MINUTE, retry->max_retries);
    } else if (retry->type == RETRY_SCHEDULED) {
        PUT(out, ",\"retryDates\":[");
        for (uint32_t i = 0; i < retry->date_count; i++) {
            char text[INSTANT_TEXT_SIZE];

            instant_print(retry->dates[i], text);
            PUT(out, "%s\"%s\"", i > 0 ? "," : "", text);
        }
        PUT(out, "]");
    }
    PUT(out, "}");
}

static void put_time(struct buf *out, const char *name, unsigned minute)
{
    PUT(out, "\"%s\":{\"hour\":%u,\"minute\":%u}", name, minute / 60, minute % 60);
}

static void put_day(struct buf *out, const struct pause_windows *windows, unsigned weekday)
{
    const char *comma = "";

    PUT(out, "\"%s\":[", weekday_name(weekday));
    for (size_t i = 0; i < windows->weekly_count; i++) {
        if (windows->weekly[i].weekday == weekday) {
            PUT(out, "%s{", comma);
            put_time(out, "startAt", windows->weekly[i].start_minute);
            PUT(out, ",");
            put_time(out, "endAt", windows->weekly[i].end_minute);
            PUT(out, "}");
            comma = ",";
        }
    }
    PUT(out, "],");
}

static void put_windows(struct buf *out, const struct program *program)
{
    const struct pause_windows *windows = &program->windows;

    if (!program->has_pause_windows) {
        PUT(out, ",\"pauseWindows\":null");
        return;
    }
    PUT(out, ",\"pauseWindows\":{");
    for (unsigned weekday = 0; weekday < 7; weekday++) {
        put_day(out, windows, weekday);
    }
    PUT(out, "\"advanced\":[");
    for (size_t i = 0; i < windows->advanced_count; i++) {
        char start[INSTANT_TEXT_SIZE], end[INSTANT_TEXT_SIZE];

        instant_print(windows->advanced[i].start_at, start);
        instant_print(windows->advanced[i].end_at, end);
        PUT(out, "%s{\"startAt\":\"%s\",\"endAt\":\"%s\"}", i > 0 ? "," : "", start, end);
    }
    PUT(out, "]}");
}

void web_put_rules(struct buf *out, const struct auto_pause_rule *rules, size_t count)
{
    PUT(out, "[");
    for (size_t i = 0; i < count; i++) {
        PUT(out, "%s{\"nodeId\":\"%.*s\",\"threshold\":%llu,\"resetOnResume\":%s}",
            i > 0 ? "," : "", SLICE_ARGS(rules[i].node_id), (unsigned long long)rules[i].threshold,
            rules[i].reset_on_resume ? "true" : "false");
    }
    PUT(out, "]");
}

static void put_trigger(struct buf *out, const struct trigger_condition *trigger)
{
    PUT(out, ",\"triggerCondition\":{\"attributeName\":\"%.*s\",\"offsetMinutes\":%d,",
        SLICE_ARGS(trigger->attribute_name), trigger->offset_minutes);
    if (trigger->has_time_of_day) {
        put_time(out, "timeOfDay", trigger->minute_of_day);
        PUT(out, ",");
    }
    PUT(out, "\"recurrence\":\"%s\"}", recurrence_name(trigger->recurrence));
}

static void put_pacing(struct buf *out, const struct pacing_settings *pacing)
{
    PUT(out, ",\"pacing\":{\"maxConcurrentCalls\":");
    if (pacing->max_concurrent_calls != 0) {
        PUT(out, "%u", pacing->max_concurrent_calls);
    } else {
        PUT(out, "null");
    }
    if (pacing->calls_per_second_micro != 0) {
        PUT(out, ",\"callsPerSecond\":%g", (double)pacing->calls_per_second_micro / 1e6);
    }
    PUT(out, "}");
}

static void put_pool(struct buf *out, const struct program *program)
{
    PUT(out, ",\"didPool\":[");
    for (size_t i = 0; i < program->did_count; i++) {
        char text[UUID_TEXT_SIZE];

        uuid_print(&program->did_pool[i], text);
        PUT(out, "%s\"%s\"", i > 0 ? "," : "", text);
    }
    PUT(out, "]");
}

/* What a PATCH of the simulation has. */
static void put_common(struct buf *out, const struct program *program)
{
    put_retry(out, &program->retry);
    put_windows(out, program);
    put_instant(out, "startAt", program->start_at);
    put_instant(out, "stopAt", program->stop_at);
}

void web_put_program(struct buf *out, const struct program *program)
{
    PUT(out, "{\"name\":\"%.*s\",\"mode\":\"%s\",\"gateway\":\"%.*s\"", SLICE_ARGS(program->name),
        program_mode_name(program->mode), SLICE_ARGS(program->gateway));
    put_uuid(out, "flowId", &program->flow_id);
    put_uuid(out, "audienceId", &program->audience_id);
    put_pool(out, program);
    put_pacing(out, &program->pacing);
    PUT(out, ",\"autoPauseRules\":");
    web_put_rules(out, program->rules, program->rule_count);
    if (program->mode == MODE_LIVE) {
        put_trigger(out, &program->trigger);
    }
    put_common(out, program);
    PUT(out, "}");
}

void web_put_program_patch(struct buf *out, const struct program *program)
{
    PUT(out, "{\"name\":\"Winter\"");
    put_common(out, program);
    PUT(out, "}");
}
