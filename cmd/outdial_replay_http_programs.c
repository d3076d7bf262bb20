/* The body of a program, and the rules of a resume. */
#include "base/instant.h"
#include "cmd/outdial_replay_http_plan.h"
#include "model/names.h"

enum { MINUTES_AN_HOUR = 60, WEEKDAYS = 7 };

/* 0 is none. */
static int64_t moved(const struct plan *plan, int64_t at)
{
    return at == 0 ? 0 : instant_add(at, plan->shift_ms);
}

static void put_instant(const struct plan *plan, struct http_request *request, const char *name,
                        int64_t at)
{
    write_name(request, name);
    if (at == 0) {
        write_null(request);
    } else {
        write_instant(request, moved(plan, at));
    }
}

static void put_retry(const struct plan *plan, struct http_request *request,
                      const struct retry_strategy *retry)
{
    write_name(request, "retryStrategy");
    write_open(request, '{');
    write_name(request, "type");
    write_text(request, retry->type == RETRY_FIXED_DELAY ? SLICE("fixed_delay")
                        : retry->type == RETRY_SCHEDULED ? SLICE("scheduled")
                                                         : SLICE("none"));
    if (retry->type == RETRY_FIXED_DELAY) {
        write_name(request, "delayMinutes");
        write_integer(request, retry->delay_ms / MS_PER_MINUTE);
        write_name(request, "maxRetries");
        write_integer(request, retry->max_retries);
    } else if (retry->type == RETRY_SCHEDULED) {
        write_name(request, "retryDates");
        write_open(request, '[');
        for (uint32_t i = 0; i < retry->date_count && i < RETRY_DATES_MAX; i++) {
            write_instant(request, moved(plan, retry->dates[i]));
        }
        write_shut(request, ']');
    }
    write_shut(request, '}');
}

static void put_minute(struct http_request *request, const char *name, unsigned minute)
{
    write_name(request, name);
    write_open(request, '{');
    write_name(request, "hour");
    write_integer(request, minute / MINUTES_AN_HOUR);
    write_name(request, "minute");
    write_integer(request, minute % MINUTES_AN_HOUR);
    write_shut(request, '}');
}

static void put_weekday(struct http_request *request, const struct pause_windows *windows,
                        unsigned weekday)
{
    write_name(request, weekday_name(weekday));
    write_open(request, '[');
    for (size_t i = 0; i < windows->weekly_count; i++) {
        if (windows->weekly[i].weekday == weekday) {
            write_open(request, '{');
            put_minute(request, "startAt", windows->weekly[i].start_minute);
            put_minute(request, "endAt", windows->weekly[i].end_minute);
            write_shut(request, '}');
        }
    }
    write_shut(request, ']');
}

static void put_windows(const struct plan *plan, struct http_request *request,
                        const struct program *program)
{
    const struct pause_windows *windows = &program->windows;

    write_name(request, "pauseWindows");
    if (!program->has_pause_windows) {
        write_null(request);
        return;
    }
    write_open(request, '{');
    for (unsigned weekday = 0; weekday < WEEKDAYS; weekday++) {
        put_weekday(request, windows, weekday);
    }
    write_name(request, "advanced");
    write_open(request, '[');
    for (size_t i = 0; i < windows->advanced_count; i++) {
        write_open(request, '{');
        write_name(request, "startAt");
        write_instant(request, moved(plan, windows->advanced[i].start_at));
        write_name(request, "endAt");
        write_instant(request, moved(plan, windows->advanced[i].end_at));
        write_shut(request, '}');
    }
    write_shut(request, ']');
    write_shut(request, '}');
}

static void put_pacing(struct http_request *request, const struct pacing_settings *pacing)
{
    write_name(request, "pacing");
    write_open(request, '{');
    if (pacing->max_concurrent_calls > 0) {
        write_name(request, "maxConcurrentCalls");
        write_integer(request, pacing->max_concurrent_calls);
    }
    if (pacing->calls_per_second_micro > 0) {
        write_name(request, "callsPerSecond");
        write_micro(request, pacing->calls_per_second_micro);
    }
    write_shut(request, '}');
}

void plan_rules(struct http_request *request, const struct auto_pause_rule *rules, size_t count)
{
    write_name(request, "autoPauseRules");
    write_open(request, '[');
    for (size_t i = 0; i < count; i++) {
        write_open(request, '{');
        write_name(request, "nodeId");
        write_text(request, rules[i].node_id);
        write_name(request, "threshold");
        write_integer(request, (int64_t)rules[i].threshold);
        write_name(request, "resetOnResume");
        write_boolean(request, rules[i].reset_on_resume);
        write_shut(request, '}');
    }
    write_shut(request, ']');
}

static void put_trigger(struct http_request *request, const struct trigger_condition *trigger)
{
    write_name(request, "triggerCondition");
    write_open(request, '{');
    write_name(request, "attributeName");
    write_text(request, trigger->attribute_name);
    write_name(request, "offsetMinutes");
    write_integer(request, trigger->offset_minutes);
    if (trigger->has_time_of_day) {
        put_minute(request, "timeOfDay", trigger->minute_of_day);
    }
    write_name(request, "recurrence");
    write_text(request, trigger->recurrence == RECURRENCE_YEARLY ? SLICE("yearly") : SLICE("once"));
    write_shut(request, '}');
}

/* What a program in live mode has got made for it is absent from the body, and comes in its
 * answer. */
static void put_audience(struct http_request *request, const struct program *program, bool is_new)
{
    if (program->new_audience != 0) {
        request->makes_audience = program->audience_id;
        if (!is_new) {
            write_name(request, "audienceId");
            write_null(request);
        }
        return;
    }
    write_name(request, "audienceId");
    write_id(request, &program->audience_id);
}

static void put_ids(struct http_request *request, const struct program *program, uint32_t present,
                    bool is_new)
{
    if (present & PROGRAM_FLOW) {
        write_name(request, "flowId");
        write_id(request, &program->flow_id);
    }
    if (present & PROGRAM_DID_POOL) {
        write_name(request, "didPool");
        write_open(request, '[');
        for (size_t i = 0; i < program->did_count; i++) {
            write_id(request, &program->did_pool[i]);
        }
        write_shut(request, ']');
    }
    if (present & PROGRAM_AUDIENCE) {
        put_audience(request, program, is_new);
    }
}

static void put_settings(const struct plan *plan, struct http_request *request,
                         const struct program *program, uint32_t present)
{
    if (present & PROGRAM_START_AT) {
        put_instant(plan, request, "startAt", program->start_at);
    }
    if (present & PROGRAM_STOP_AT) {
        put_instant(plan, request, "stopAt", program->stop_at);
    }
    if (present & PROGRAM_RETRY) {
        put_retry(plan, request, &program->retry);
    }
    if (present & PROGRAM_PAUSE_WINDOWS) {
        put_windows(plan, request, program);
    }
    if (present & PROGRAM_PACING) {
        put_pacing(request, &program->pacing);
    }
    if (present & PROGRAM_GATEWAY) {
        write_name(request, "gateway");
        write_text_or_null(request, program->gateway);
    }
    if (present & PROGRAM_RULES) {
        plan_rules(request, program->rules, program->rule_count);
    }
}

void plan_program(const struct plan *plan, struct http_request *request,
                  const struct program *program, uint32_t present, bool is_new)
{
    bool has_trigger = !slice_is_empty(program->trigger.attribute_name);

    write_open(request, '{');
    if (present & PROGRAM_NAME) {
        write_name(request, "name");
        write_text(request, program->name);
    }
    if (is_new) {
        write_name(request, "mode");
        write_text(request, program->mode == MODE_LIVE ? SLICE("live") : SLICE("batch"));
    }
    put_ids(request, program, present, is_new);
    put_settings(plan, request, program, present);
    if ((present & PROGRAM_TRIGGER) && has_trigger) {
        put_trigger(request, &program->trigger);
    }
    if (!is_new && (present & PROGRAM_STATUS)) {
        write_name(request, "status");
        write_text(request, SLICE("archived"));
    }
    write_shut(request, '}');
}
