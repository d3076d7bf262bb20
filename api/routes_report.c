/* The report of an execution: sums that the execution keeps (model/report.h), so that the report of
 * a million calls costs as much as that of one.
 *
 * An execution that was launched before there were reports has kept none: its calls and contacts
 * are walked in slices, and there is no series of minutes.
 */
#include "api/report_walk.h"
#include "api/routes_execution_lists.h"
#include "api/routes_records.h"
#include "base/check.h"
#include "base/instant.h"
#include "model/names.h"
#include "model/report.h"
#include "storage/reader.h"

enum {
    MINUTES_MAX = 1440, /* of the series: the newest ones */
    WALK_ROWS = 1000,   /* of a slice */
    DECIMALS = 10000,   /* of rates and averages */
};

struct report_state {
    const struct execution_view *execution;
    uint32_t first_minute, last_minute; /* of the series */
    bool is_kept;
    struct execution_report report;
    struct report_walk walk; /* where none is kept */
};

/* ---- parts of the answer ---- */

/* a / b, to four decimals; null when b is 0. */
static json_t *quotient(uint64_t a, uint64_t b)
{
    uint64_t scaled;

    if (b == 0) {
        return json_null();
    }
    scaled = (uint64_t)((double)a / (double)b * DECIMALS + 0.5);
    return json_real((double)scaled / DECIMALS);
}

static json_t *count_json(uint64_t count)
{
    return json_integer((json_int_t)count);
}

static json_t *totals_json(const struct report_state *state)
{
    const struct execution_counters *n = &state->execution->state.counters;
    json_t *json = json_new_object();

    json_put(json, "contacts", count_json(n->total));
    json_put(json, "completed", count_json(n->completed));
    json_put(json, "failed", count_json(n->failed));
    json_put(json, "pending", count_json(n->pending));
    json_put(json, "inProgress", count_json(n->in_progress));
    json_put(json, "skipped", count_json(n->skipped));
    json_put(json, "calls", count_json(report_calls(&state->report) + n->in_progress));
    return json;
}

static json_t *outcomes_json(const struct execution_report *report)
{
    json_t *json = json_new_object();

    for (int outcome = OUTCOME_ANSWERED; outcome <= OUTCOME_TIMEOUT; outcome++) {
        json_put(json, outcome_name((enum outcome)outcome),
                 count_json(report->outcomes.at[outcome]));
    }
    return json;
}

static json_t *attempts_json(const struct execution_report *report)
{
    json_t *json = json_new_object(), *distribution = json_new_array();
    unsigned max = 0;

    for (unsigned i = 0; i < REPORT_COUNTS; i++) {
        if (report->attempts.at[i] > 0) {
            json_t *item = json_new_object();

            json_put(item, "attempts", json_integer(i));
            json_put(item, "contacts", count_json(report->attempts.at[i]));
            json_put_item(distribution, item);
            max = i;
        }
    }
    json_put(json, "average", quotient(report_attempts(report), report_contacts(report)));
    json_put(json, "max", max > 0 ? json_integer(max) : json_null());
    json_put(json, "distribution", distribution);
    return json;
}

static json_t *talk_json(const struct execution_report *report)
{
    json_t *json = json_new_object();

    json_put(json, "total", count_json(report->talk_seconds));
    json_put(json, "average", quotient(report->talk_seconds, report->talk_calls));
    return json;
}

/* The newest minutes of those that are asked for, oldest first. */
static json_t *minutes_json(struct render_context *context, const struct report_state *state)
{
    uint32_t number = state->execution->settings.number;
    struct key prefix = key_u32(number), key, at = key_call_minute(number, state->last_minute);
    json_t *minutes = json_new_array();
    struct slice raw;

    at = key_after(&at);
    while (context->error == 0 && json_array_size(minutes) < MINUTES_MAX) {
        int error =
            reader_seek_before(context->reader, TABLE_CALL_MINUTE, &prefix, &at, &key, &raw);
        struct call_minute minute;
        json_t *item;

        if (error != 0 || key_u32_at(&key, sizeof(uint32_t)) < state->first_minute) {
            context->error = error == OD_ENOTFOUND ? 0 : error;
            break;
        }
        if (!render_decode(context, TABLE_CALL_MINUTE, &key, raw, &minute)) {
            break;
        }
        item = json_new_object();
        json_put(item, "minute",
                 json_from_instant(key_u32_at(&key, sizeof(uint32_t)) * MS_PER_MINUTE));
        json_put(item, "calls", count_json(minute.calls));
        json_put(item, "answered", count_json(minute.answered));
        OD_CHECK(json_array_insert_new(minutes, 0, item) == 0);
        at = key;
    }
    return minutes;
}

static void answer(struct exchange *exchange, const struct report_state *state)
{
    struct render_context context = records_context(exchange);
    const struct execution_report *report = &state->report;
    json_t *json = json_new_object();

    json_put(json, "executionId", json_from_uuid(&state->execution->settings.id));
    json_put(json, "generatedAt", json_from_instant(engine_now(exchange->engine)));
    json_put(json, "totals", totals_json(state));
    json_put(json, "outcomes", outcomes_json(report));
    json_put(json, "answerRate",
             quotient(report->outcomes.at[OUTCOME_ANSWERED], report_calls(report)));
    json_put(json, "attemptsPerContact", attempts_json(report));
    json_put(json, "firstCallAt", json_from_instant_or_null(report->first_call_at));
    json_put(json, "lastCallAt", json_from_instant_or_null(report->last_call_at));
    json_put(json, "talkSeconds", talk_json(report));
    json_put(json, "callsPerMinute", state->is_kept ? minutes_json(&context, state) : json_null());
    records_send(exchange, &context, json);
}

/* ---- walking ---- */

static void walk_slice(struct exchange *exchange)
{
    struct report_state *state = exchange->state;
    struct arena arena;
    int error;

    arena_init(&arena, 4096);
    error = report_walk_rows(&state->walk, exchange->reader, &arena, WALK_ROWS);
    arena_deinit(&arena);
    if (error == OD_ENOTFOUND) {
        state->report = state->walk.report;
        answer(exchange, state);
    } else if (error != 0) {
        exchange_send_unreadable(exchange, error);
    }
}

/* ---- what is asked for ---- */

static bool read_instant(struct exchange *exchange, const char *name, int64_t *out)
{
    const struct slice *text = exchange_query(exchange, name);

    if (text == NULL) {
        return false;
    }
    if (!instant_parse(*text, out)) {
        faults_add(&exchange->faults, slice_from(name),
                   "must be an ISO 8601 time with an offset, such as 2026-11-23T20:53:57Z");
        return false;
    }
    return true;
}

static void read_range(struct exchange *exchange, struct report_state *state)
{
    int64_t from = 0, to = INSTANT_MAX;
    bool has_from = read_instant(exchange, "from", &from);
    bool has_to = read_instant(exchange, "to", &to);

    if (has_to && to <= (has_from ? from : 0)) {
        faults_add(&exchange->faults, SLICE("to"), "must be after from");
        return;
    }
    state->first_minute = report_minute(from);
    state->last_minute = report_minute(to - 1);
}

void send_report(struct exchange *exchange, const struct execution_view *execution)
{
    struct render_context context = records_context(exchange);
    struct report_state *state = arena_zalloc(&exchange->arena, sizeof(*state));
    struct key key = key_u32(execution->settings.number);

    state->execution = execution;
    report_walk_init(&state->walk, execution->settings.number);
    read_range(exchange, state);
    if (faults_any(&exchange->faults)) {
        exchange_send_faults(exchange);
        return;
    }
    state->is_kept = render_get(&context, TABLE_EXECUTION_REPORT, &key, &state->report);
    exchange->state = state;
    if (context.error != 0) {
        exchange_send_unreadable(exchange, context.error);
    } else if (state->is_kept) {
        answer(exchange, state);
    } else {
        exchange_work(exchange, walk_slice);
    }
}
