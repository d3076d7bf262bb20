/* Server-sent events (docs/api.md, "Events"): of all executions of the organisation, and of one. */
#include "api/routes.h"

#include <inttypes.h>

#include "api/event_text.h"
#include "api/routes_execution_lists.h"
#include "api/routes_records.h"
#include "api/server.h"
#include "base/check.h"
#include "model/lifecycle.h"
#include "storage/record.h"

enum {
    MISSED_LOOKED_AT = 1000 /* events, to see whether any of an ended execution was missed */
};

/* What the organisation's events are, and what the client has of them. */
struct place {
    uint64_t last;   /* 0: none was ever given */
    uint64_t oldest; /* that is kept; last + 1: none is */
    bool has_id;
    uint64_t id; /* of Last-Event-ID */
};

/* False, with the exchange answered, when the header is none of ours. */
static bool read_last_event_id(struct exchange *exchange, struct place *place)
{
    const char *text = evhttp_find_header(
        evhttp_request_get_input_headers(exchange_request(exchange)), "Last-Event-ID");

    place->has_id = text != NULL && text[0] != '\0';
    if (place->has_id && !event_id_parse(slice_from(text), &place->id)) {
        faults_add(&exchange->faults, SLICE("Last-Event-ID"), "must be the id of an event");
        exchange_send_faults(exchange);
        return false;
    }
    return true;
}

static bool read_place(struct exchange *exchange, struct place *place)
{
    struct key prefix = key_u32(exchange->organisation), key;
    struct event_head head = {0};
    struct slice raw;
    int error;

    if (!read_last_event_id(exchange, place)) {
        return false;
    }
    error = reader_get(exchange->reader, TABLE_EVENT_HEAD, &prefix, &exchange->arena, &head);
    if (error == 0 || error == OD_ENOTFOUND) {
        place->last = head.last;
        place->oldest = head.last + 1;
        error = reader_seek(exchange->reader, TABLE_EVENT, &prefix, &prefix, &key, &raw);
    }
    if (error == 0) {
        place->oldest = key_u64_at(&key, sizeof(uint32_t));
    }
    if (error != 0 && error != OD_ENOTFOUND) {
        exchange_send_unreadable(exchange, error);
        return false;
    }
    return true;
}

/* True when events that the client asks for are not there. */
static bool is_gap(const struct place *place)
{
    return place->has_id && (place->id > place->last || place->id + 1 < place->oldest);
}

static void open_stream(struct exchange *exchange, const struct place *place,
                        struct event_stream_start *start)
{
    struct api *api = exchange->api;
    struct buf text;

    if (api->is_stopping) {
        exchange_send_fault(exchange, FAULT_UNAVAILABLE, "The service is stopping");
        return;
    }
    if (!event_streams_have_room(&api->streams, exchange->organisation)) {
        exchange_send_fault(exchange, FAULT_UNAVAILABLE, "Too many streams of events are open");
        return;
    }
    start->next = place->last + 1;
    if (place->has_id && place->id <= place->last) {
        start->next = is_gap(place) ? place->oldest : place->id + 1;
    }
    buf_init(&text);
    event_print_start(&text, start->next - 1);
    if (is_gap(place)) {
        event_print_reset(&text, place->id, start->next - 1);
    }
    event_stream_open(exchange, start, buf_slice(&text));
    buf_deinit(&text);
}

static void on_organisation(struct exchange *exchange)
{
    struct event_stream_start start = {0};
    struct place place = {0};

    if (read_place(exchange, &place)) {
        open_stream(exchange, &place, &start);
    }
}

/* True when a client that comes back with an id has had all there will ever be. It looks at a
 * bounded number of events: behind more of them it answers with a stream, which ends soon. */
static bool has_all(struct exchange *exchange, const struct place *place,
                    const struct execution_view *execution)
{
    struct key prefix = key_u32(exchange->organisation);
    struct key from = key_event(exchange->organisation, place->id + 1), key;
    struct slice raw;
    int code;

    if (!place->has_id || is_gap(place) || !execution_has_ended(execution->state.status) ||
        execution->state.counters.in_progress > 0) {
        return false;
    }
    code = reader_seek(exchange->reader, TABLE_EVENT, &prefix, &from, &key, &raw);
    for (unsigned i = 0; code == 0 && i < MISSED_LOOKED_AT; i++) {
        struct status_event event;

        if (record_decode(TABLE_EVENT, &key, raw, &exchange->arena, &event) != 0 ||
            event.execution == execution->settings.number) {
            return false;
        }
        code = reader_next(exchange->reader, TABLE_EVENT, &prefix, &key, &raw);
    }
    return code == OD_ENOTFOUND;
}

static void on_execution(struct exchange *exchange)
{
    struct execution_view execution;
    struct place place = {0};

    if (!find_execution(exchange, &execution) || !read_place(exchange, &place)) {
        return;
    }
    if (has_all(exchange, &place, &execution)) {
        exchange_send_nothing(exchange);
        return;
    }
    struct event_stream_start start = {.execution = execution.settings.number,
                                       .execution_id = execution.settings.id,
                                       .program_id = execution.settings.program_id};
    open_stream(exchange, &place, &start);
}

const struct route routes_events[] = {
    {.method = EVHTTP_REQ_GET,
     .path = "/api/events",
     .access = ACCESS_ORGANISATION,
     .handle = on_organisation},
    {.method = EVHTTP_REQ_GET,
     .path = "/api/program-executions/:id/events",
     .access = ACCESS_ORGANISATION,
     .not_found = {FAULT_EXECUTION_NOT_FOUND},
     .handle = on_execution},
    {.path = NULL},
};
