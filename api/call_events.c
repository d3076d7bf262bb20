/* A batch of events:
 *
 * 1. The body's frame is judged as every body is: a fault there is a ValidationError.
 * 2. Each event is judged on its own. One that is malformed, or names no call that could be, gets
 *    its status here; each other becomes a message to the execution that its call's id names.
 * 3. Replies come one an event, with the event's index as their part. When the last is in, the
 *    answer has all of them, in the order of the body.
 */
#include "api/call_events.h"

#include "api/body.h"
#include "api/json.h"
#include "base/check.h"
#include "base/instant.h"

enum {
    EVENTS_MAX = 1000,
    EVENT_TEXT_MAX = 255, /* characters of a node's id, a detail, a reason */
    DURATION_MAX = 7 * 24 * 3600,
    RETRY_AFTER_MAX = 24 * 3600,
};

/* One event and its answer. */
struct part {
    json_t *call_id; /* the text that was sent, borrowed from the body; NULL: none */
    bool is_answered;
    enum event_status status;
    struct slice message;
    int64_t dial_by;
};

struct batch_of_events {
    struct part *parts;
    size_t count;
    size_t waiting; /* parts without an answer */
};

static const struct body_word event_types[] = {
    {"started", MESSAGE_CALL_STARTED},
    {"node_executed", MESSAGE_NODE_EXECUTED},
    {"result", MESSAGE_CALL_RESULT},
    {"released", MESSAGE_CALL_RELEASED},
    {NULL, 0},
};

static const struct body_word outcomes[] = {
    {"answered", OUTCOME_ANSWERED}, {"voicemail", OUTCOME_VOICEMAIL},
    {"busy", OUTCOME_BUSY},         {"no_answer", OUTCOME_NO_ANSWER},
    {"rejected", OUTCOME_REJECTED}, {"error", OUTCOME_ERROR},
    {"timeout", OUTCOME_TIMEOUT},   {NULL, 0},
};

/* ---- the answer ---- */

static const char *status_word(enum event_status status)
{
    switch (status) {
    case EVENT_ACCEPTED: return "accepted";
    case EVENT_DUPLICATE: return "duplicate";
    case EVENT_STALE: return "stale";
    case EVENT_REFUSED: return "refused";
    case EVENT_UNKNOWN: return "unknown";
    case EVENT_INVALID: return "invalid";
    }
    OD_CHECK(!"a status without a word");
    return "";
}

static int print_text(struct slice text, struct buf *out)
{
    json_t *json = json_from_slice(text);
    int error = json_print(json, out);

    json_decref(json);
    return error;
}

/* As text at once: this answer is the one that a busy engine gives most often. */
static int print_part(const struct part *part, struct buf *out)
{
    int error = buf_append_text(out, "{\"callId\":");

    if (error == 0) {
        error =
            part->call_id != NULL ? json_print(part->call_id, out) : buf_append_text(out, "null");
    }
    if (error == 0) {
        error = buf_printf(out, ",\"status\":\"%s\"", status_word(part->status));
    }
    if (error == 0 && !slice_is_empty(part->message)) {
        error = buf_append_text(out, ",\"message\":");
        error = error == 0 ? print_text(part->message, out) : error;
    }
    if (error == 0 && part->dial_by != 0) {
        char at[INSTANT_TEXT_SIZE];

        instant_print(part->dial_by, at);
        error = buf_printf(out, ",\"dialBy\":\"%s\"", at);
    }
    return error == 0 ? buf_append_byte(out, '}') : error;
}

static void answer_when_complete(struct exchange *exchange)
{
    const struct batch_of_events *batch = exchange->state;
    struct buf text;
    int error;

    if (batch->waiting > 0) {
        return;
    }
    buf_init(&text);
    error = buf_append_text(&text, "{\"results\":[");
    for (size_t i = 0; i < batch->count && error == 0; i++) {
        error = i > 0 ? buf_append_byte(&text, ',') : 0;
        error = error == 0 ? print_part(&batch->parts[i], &text) : error;
    }
    error = error == 0 ? buf_append_text(&text, "]}") : error;
    OD_CHECK(error == 0);
    exchange_send_json_text(exchange, 200, buf_slice(&text));
    buf_deinit(&text);
}

static void on_reply(struct exchange *exchange, const struct reply *reply)
{
    struct batch_of_events *batch = exchange->state;
    struct part *part;

    if (reply->kind == REPLY_FAULT) {
        /* Some events may have been taken: the worker sends all again, and hears "duplicate". */
        exchange_send_reply_fault(exchange, reply);
        return;
    }
    OD_CHECK(reply->kind == REPLY_EVENT);
    OD_CHECK(reply->event.part < batch->count);
    part = &batch->parts[reply->event.part];
    if (part->is_answered) {
        return;
    }
    part->is_answered = true;
    part->status = reply->event.status;
    part->message = slice_from(reply->event.message);
    part->dial_by = reply->event.dial_by;
    batch->waiting--;
    answer_when_complete(exchange);
}

/* ---- one event ---- */

static void read_started(struct body_value *root, struct call_event *event)
{
    body_uuid(root, "claimId", PROPERTY_REQUIRED, &event->started.claim_id);
}

static void read_node(struct body_value *root, struct call_event *event)
{
    int64_t seq = 0;

    body_text(root, "nodeId", PROPERTY_REQUIRED, 1, EVENT_TEXT_MAX, &event->node.node_id);
    body_integer(root, "seq", PROPERTY_REQUIRED, 1, INT64_MAX, &seq);
    event->node.seq = (uint64_t)seq;
}

static void read_result(struct body_value *root, struct call_event *event)
{
    int outcome = 0;
    struct body_value value;
    double duration = 0;

    body_word(root, "outcome", PROPERTY_REQUIRED, outcomes, &outcome);
    event->result.outcome = (enum outcome)outcome;
    event->result.has_duration =
        body_get(root, "durationSeconds", PROPERTY_OPTIONAL, &value) == PROPERTY_GIVEN &&
        value_number(&value, 0, DURATION_MAX, &duration);
    event->result.duration_seconds = (uint32_t)(duration + 0.5); /* a fraction is no fault */
    body_text(root, "detail", PROPERTY_OPTIONAL, 0, EVENT_TEXT_MAX, &event->result.detail);
}

static void read_released(struct body_value *root, struct call_event *event)
{
    int64_t retry_after = 0;

    event->released.claim_id = UUID_NIL;
    body_uuid(root, "claimId", PROPERTY_OPTIONAL, &event->released.claim_id);
    body_text(root, "reason", PROPERTY_OPTIONAL, 0, EVENT_TEXT_MAX, &event->released.reason);
    body_integer(root, "retryAfterSeconds", PROPERTY_OPTIONAL, 0, RETRY_AFTER_MAX, &retry_after);
    event->released.retry_after_seconds = (uint32_t)retry_after;
}

/* Reads what belongs to the type, and the type into *type. */
static void read_event(struct body_value *root, int *type, struct uuid *call_id,
                       struct call_event *event)
{
    body_uuid(root, "callId", PROPERTY_REQUIRED, call_id);
    if (body_word(root, "type", PROPERTY_REQUIRED, event_types, type) != PROPERTY_GIVEN) {
        return;
    }
    switch (*type) {
    case MESSAGE_CALL_STARTED: read_started(root, event); break;
    case MESSAGE_NODE_EXECUTED: read_node(root, event); break;
    case MESSAGE_CALL_RESULT: read_result(root, event); break;
    default: read_released(root, event); break;
    }
    body_close(root);
}

static void settle(struct part *part, enum event_status status, struct slice message)
{
    part->is_answered = true;
    part->status = status;
    part->message = message;
}

/* The first fault says what is malformed. */
static void settle_invalid(struct exchange *exchange, struct part *part,
                           const struct fault_list *faults)
{
    const struct fault_detail *fault = &faults->items[0];

    settle(part, EVENT_INVALID,
           arena_printf(&exchange->arena, "%.*s%s%.*s", SLICE_ARGS(fault->path),
                        fault->path.size > 0 ? " " : "", SLICE_ARGS(fault->message)));
}

/* Turns the event of a part into a message and posts it, or settles the part. */
static void post_event(struct exchange *exchange, uint32_t index, json_t *json, struct part *part)
{
    struct call_event *event;
    struct fault_list faults;
    struct body_value root;
    struct call_name name;
    struct message message;
    struct uuid call_id;
    int type = 0;

    faults_init(&faults, &exchange->arena);
    if (!json_is_object(json)) {
        settle(part, EVENT_INVALID, SLICE("must be an object"));
        return;
    }
    part->call_id = json_object_get(json, "callId");
    if (!json_is_string(part->call_id)) {
        part->call_id = NULL; /* null in the answer */
    }
    event = arena_zalloc(exchange_payload(exchange), sizeof(*event));
    body_open(&root, json, &faults, exchange_payload(exchange));
    read_event(&root, &type, &call_id, event);
    if (faults_any(&faults)) {
        settle_invalid(exchange, part, &faults);
        return;
    }
    if (!call_id_read(&call_id, &name) || name.execution > UINT32_MAX || name.entry > UINT32_MAX ||
        name.attempt > UINT16_MAX) {
        settle(part, EVENT_UNKNOWN, SLICE(""));
        return;
    }
    event->entry = (uint32_t)name.entry;
    event->attempt = (uint16_t)name.attempt;
    event->tag = name.tag;
    event->part = index;
    message = exchange_message(exchange, (enum message_type)type, (uint32_t)name.execution);
    message.payload.event = event;
    exchange_post(exchange, &message);
}

/* ---- the route ---- */

void call_events_handle(struct exchange *exchange)
{
    struct batch_of_events *batch = arena_zalloc(&exchange->arena, sizeof(*batch));
    struct body_value root;
    struct body_value events;
    enum property found;

    body_open(&root, exchange->body, &exchange->faults, &exchange->arena);
    found = body_array(&root, "events", PROPERTY_REQUIRED, 1, EVENTS_MAX, &events);
    body_close(&root);
    if (found != PROPERTY_GIVEN || faults_any(&exchange->faults)) {
        exchange_send_faults(exchange);
        return;
    }
    batch->count = value_count(&events);
    batch->parts = arena_zalloc(&exchange->arena, batch->count * sizeof(*batch->parts));
    exchange->state = batch;
    exchange->on_reply = on_reply;
    for (size_t i = 0; i < batch->count; i++) {
        post_event(exchange, (uint32_t)i, json_array_get(events.json, i), &batch->parts[i]);
        batch->waiting += !batch->parts[i].is_answered;
    }
    answer_when_complete(exchange);
}
