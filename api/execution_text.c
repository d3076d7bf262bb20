#include "api/execution_text.h"

#include "api/render_parts.h"
#include "base/check.h"
#include "base/instant.h"
#include "model/names.h"

enum {
    TEXT_BYTES = 1536, /* of an execution with few rules and windows */
    DIGITS_MAX = 20
};

/* ---- pieces; a name comes with what stands before and behind it: `,"name":` ---- */

static void put(struct buf *out, struct slice text)
{
    OD_CHECK(buf_append_slice(out, text) == 0);
}

#define PUT(out, literal) put(out, SLICE(literal))

static void put_quoted(struct buf *out, struct slice text)
{
    PUT(out, "\"");
    put(out, text);
    PUT(out, "\"");
}

/* Takes over the value. */
static void put_value(struct buf *out, json_t *value)
{
    OD_CHECK(json_print(value, out) == 0);
    json_decref(value);
}

static bool is_plain(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];

        if (byte < ' ' || byte > '~' || byte == '"' || byte == '\\') {
            return false;
        }
    }
    return true;
}

/* An empty text is null. */
static void put_text(struct buf *out, struct slice text)
{
    if (text.size == 0) {
        PUT(out, "null");
    } else if (is_plain(text)) {
        put_quoted(out, text);
    } else {
        put_value(out, json_from_slice(text));
    }
}

static void put_word(struct buf *out, struct slice name, const char *word)
{
    put(out, name);
    put_quoted(out, slice_from(word));
}

static void put_id(struct buf *out, struct slice name, const struct uuid *id)
{
    char text[UUID_TEXT_SIZE];

    put(out, name);
    if (uuid_is_nil(id)) {
        PUT(out, "null");
        return;
    }
    uuid_print(id, text);
    put_quoted(out, slice_make(text, UUID_TEXT_SIZE - 1));
}

static void put_number(struct buf *out, struct slice name, uint64_t number)
{
    char digits[DIGITS_MAX];
    size_t at = DIGITS_MAX;

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    put(out, name);
    put(out, slice_make(digits + at, DIGITS_MAX - at));
}

static void put_instant(struct buf *out, struct slice name, int64_t at)
{
    char text[INSTANT_TEXT_SIZE];

    put(out, name);
    instant_print(at, text);
    put_quoted(out, slice_from(text));
}

static void put_instant_or_null(struct buf *out, struct slice name, int64_t at)
{
    if (at == 0 || at == INSTANT_NEVER) {
        put(out, name);
        PUT(out, "null");
    } else {
        put_instant(out, name, at);
    }
}

/* ---- groups of properties ---- */

static void put_identity(struct buf *out, const struct execution_settings *settings,
                         const struct execution_state *state)
{
    put_id(out, SLICE("{\"id\":"), &settings->id);
    put_id(out, SLICE(",\"programId\":"), &settings->program_id);
    put_id(out, SLICE(",\"organizationId\":"), &settings->organisation_id);
    put_id(out, SLICE(",\"audienceId\":"), &settings->audience_id);
    put_id(out, SLICE(",\"flowId\":"), &settings->flow_id);
    put_word(out, SLICE(",\"mode\":"), program_mode_name(settings->mode));
    put_word(out, SLICE(",\"status\":"), execution_status_name(state->status));
    PUT(out, ",\"statusReason\":");
    put_text(out, state->status_reason);
}

static void put_counters(struct buf *out, const struct execution_counters *counters)
{
    put_number(out, SLICE(",\"totalContacts\":"), counters->total);
    put_number(out, SLICE(",\"contactsCompleted\":"), counters->completed);
    put_number(out, SLICE(",\"contactsFailed\":"), counters->failed);
    put_number(out, SLICE(",\"contactsPending\":"), counters->pending);
    put_number(out, SLICE(",\"contactsInProgress\":"), counters->in_progress);
    put_number(out, SLICE(",\"contactsSkipped\":"), counters->skipped);
}

static void put_node_counters(struct buf *out, const struct execution_settings *settings,
                              const struct execution_facts *facts)
{
    PUT(out, "{");
    for (size_t i = 0; facts->has_node_counters && i < settings->rule_count; i++) {
        if (i > 0) {
            PUT(out, ",");
        }
        put_text(out, settings->rules[i].node_id);
        put_number(out, SLICE(":"), facts->node_counts != NULL ? facts->node_counts[i] : 0);
    }
    PUT(out, "}");
}

static void put_retry(struct buf *out, const struct retry_strategy *retry)
{
    PUT(out, ",\"retryStrategy\":");
    if (retry->type == RETRY_NONE) {
        PUT(out, "{\"type\":\"none\"}");
    } else if (retry->type == RETRY_FIXED_DELAY) {
        PUT(out, "{\"type\":\"fixed_delay\"");
        put_number(out, SLICE(",\"delayMinutes\":"), (uint64_t)(retry->delay_ms / MS_PER_MINUTE));
        put_number(out, SLICE(",\"maxRetries\":"), retry->max_retries);
        PUT(out, "}");
    } else {
        put_value(out, render_retry(retry));
    }
}

static void put_rules(struct buf *out, struct render_context *context,
                      const struct execution_settings *settings,
                      const struct execution_facts *facts)
{
    put_retry(out, &settings->retry);
    PUT(out, ",\"pauseWindows\":");
    if (!settings->has_pause_windows) {
        PUT(out, "null");
    } else {
        put_value(out, render_windows(context, true, &settings->windows));
    }
    PUT(out, ",\"autoPauseRules\":");
    if (settings->rule_count == 0) {
        PUT(out, "[]");
    } else {
        put_value(out, render_rules(context, settings->rules, settings->rule_count));
    }
    PUT(out, ",\"nodeCounters\":");
    put_node_counters(out, settings, facts);
}

static void put_times(struct buf *out, const struct execution_settings *settings,
                      const struct execution_state *state, const struct execution_facts *facts)
{
    put_instant_or_null(out, SLICE(",\"scheduledStartAt\":"), settings->start_at);
    put_instant_or_null(out, SLICE(",\"scheduledStopAt\":"), settings->stop_at);
    put_instant_or_null(out, SLICE(",\"actualStartAt\":"), state->actual_start_at);
    put_instant_or_null(out, SLICE(",\"actualEndAt\":"), state->actual_end_at);
    put(out, facts->in_pause_window ? SLICE(",\"inPauseWindow\":true")
                                    : SLICE(",\"inPauseWindow\":false"));
    put_instant_or_null(out, SLICE(",\"nextDialAt\":"), facts->next_dial_at);
    put_instant(out, SLICE(",\"createdAt\":"), settings->created_at);
    put_instant(out, SLICE(",\"updatedAt\":"), state->updated_at);
    PUT(out, "}");
}

void execution_print(struct buf *out, struct render_context *context,
                     const struct execution_settings *settings, const struct execution_state *state,
                     const struct execution_facts *facts)
{
    OD_CHECK(buf_reserve(out, TEXT_BYTES) == 0);
    put_identity(out, settings, state);
    put_counters(out, &state->counters);
    put_rules(out, context, settings, facts);
    put_times(out, settings, state, facts);
}
