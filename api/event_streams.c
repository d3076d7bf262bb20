/* The life of a stream:
 *
 *   event_stream_open --> in the list of all <--> in the queue (has something to read)
 *                                |
 *                                +--> over, drained, revoked: the body ends
 *                                +--> its client takes nothing: cut off
 *                                +--> its client has gone
 *
 * The queue is worked through in turn, one piece a stream, for a few milliseconds at a time; then
 * other events of the loop have their turn. A stream whose output is full leaves the queue and is
 * put back when its client has taken all of it.
 */
#include "api/event_streams.h"

#include <utlist.h>

#include "api/admission.h"
#include "api/event_stream.h"
#include "api/event_text.h"
#include "api/limits.h"
#include "api/server.h"
#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/metrics.h"

enum {
    UNSENT_MAX = 64 * 1024, /* a stream with more than this is not read for */
    RUN_PIECES = 16,        /* before other events have their turn: about 2 ms */
    DROP_LOG_MS = 10000,
};

/* ---- the queue ---- */

static void want_run(struct event_streams *streams)
{
    static const struct timeval at_once = {0, 0};

    if (!evtimer_pending(streams->run, NULL)) {
        OD_CHECK(evtimer_add(streams->run, &at_once) == 0);
    }
}

static void queue(struct event_streams *streams, struct event_stream *stream)
{
    if (!stream->is_queued) {
        stream->is_queued = true;
        DL_APPEND2(streams->queue, stream, prev_in_queue, next_in_queue);
        want_run(streams);
    }
}

/* NOLINTNEXTLINE(readability-function-size): the size is that of utlist's macro */
static void unqueue(struct event_streams *streams, struct event_stream *stream)
{
    if (stream->is_queued) {
        stream->is_queued = false;
        DL_DELETE2(streams->queue, stream, prev_in_queue, next_in_queue);
    }
}

/* ---- the end of a stream ---- */

static void free_stream(struct event_streams *streams, struct event_stream *stream)
{
    unqueue(streams, stream);
    DL_DELETE2(streams->all, stream, prev_of_all, next_of_all);
    streams->count--;
    metrics_set(engine_metrics(streams->api->engine), METRIC_EVENT_STREAMS, streams->count);
    stream->exchange->on_gone = NULL;
    stream->exchange->on_drained = NULL;
    memory_free(stream->told);
    memory_free(stream);
}

static void end_stream(struct event_streams *streams, struct event_stream *stream)
{
    struct exchange *exchange = stream->exchange;

    free_stream(streams, stream);
    exchange_stream_end(exchange);
}

static void on_gone(struct exchange *exchange)
{
    struct event_streams *streams = &exchange->api->streams;

    free_stream(streams, exchange->state);
    if (!exchange_is_over(exchange)) {
        exchange_stream_end(exchange);
    }
}

/* ---- reading on ---- */

static void send_text(struct event_stream *stream, struct slice text)
{
    stream->sent_bytes += text.size;
    stream->sent_second = stream->exchange->api->streams.second;
    exchange_stream_send(stream->exchange, text);
}

/* Reads a piece and sends it. The stream may have ended when this returns. */
static void advance(struct event_streams *streams, struct event_stream *stream)
{
    struct reader *reader;
    struct buf text;
    int code;

    if (exchange_stream_unsent(stream->exchange) > UNSENT_MAX) {
        return; /* on_drained puts it back */
    }
    reader = engine_begin_read(streams->api->engine);
    if (reader == NULL) {
        return; /* the next tick tries again */
    }
    buf_init(&text);
    code = event_stream_read(stream, reader, &text);
    engine_end_read(streams->api->engine, reader);
    if (text.size > 0) {
        send_text(stream, buf_slice(&text));
    }
    buf_deinit(&text);
    if (code != 0) {
        log_error("a row cannot be read", FIELD_TEXT("request", stream->exchange->request_id),
                  FIELD_TEXT("reason", od_error_text(code)));
    }
    if (code != 0 || stream->is_over) {
        end_stream(streams, stream);
    } else if (!stream->is_at_end || stream->wants_states) {
        queue(streams, stream);
    }
}

static void on_run(evutil_socket_t fd, short what, void *context)
{
    struct event_streams *streams = context;

    (void)fd;
    (void)what;
    exchange_enter(streams->api);
    for (unsigned i = 0; i < RUN_PIECES && streams->queue != NULL; i++) {
        struct event_stream *stream = streams->queue;

        unqueue(streams, stream);
        advance(streams, stream);
    }
    if (streams->queue != NULL) {
        want_run(streams);
    }
    exchange_leave(streams->api);
}

static void on_drained(struct exchange *exchange)
{
    struct event_stream *stream = exchange->state;

    if (!stream->is_at_end || stream->wants_states) {
        queue(&exchange->api->streams, stream);
    }
}

void event_streams_published(void *context, uint32_t organisation)
{
    struct api *api = context;
    struct event_stream *stream;

    DL_FOREACH2(api->streams.all, stream, next_of_all)
    {
        if (stream->organisation == organisation) {
            stream->is_at_end = false;
            queue(&api->streams, stream);
        }
    }
}

/* ---- time ---- */

void event_streams_tick(struct event_streams *streams)
{
    struct event_stream *stream;

    DL_FOREACH2(streams->all, stream, next_of_all)
    {
        stream->wants_states = true;
        queue(streams, stream);
    }
}

/* False when the client has taken nothing for too long, though there was something to take. */
static bool client_takes(const struct event_streams *streams, struct event_stream *stream)
{
    uint64_t limit = engine_config(streams->api->engine)->slow_client_seconds;
    size_t unsent = exchange_stream_unsent(stream->exchange);
    uint64_t taken = stream->sent_bytes > unsent ? stream->sent_bytes - unsent : 0;

    if (unsent == 0 || taken > stream->taken_bytes) {
        stream->taken_bytes = taken;
        stream->taken_second = streams->second;
    }
    return streams->second - stream->taken_second <= limit;
}

static void drop(struct event_streams *streams, struct event_stream *stream)
{
    static struct log_limit limit = LOG_LIMIT_INIT(DROP_LOG_MS);
    struct exchange *exchange = stream->exchange;

    log_limited(&limit, LOG_LEVEL_WARN, "a stream of events is dropped: its client does not read",
                FIELD_TEXT("request", exchange->request_id),
                FIELD_UINT("unsent", exchange_stream_unsent(exchange)));
    metrics_add(engine_metrics(streams->api->engine), METRIC_EVENT_STREAMS_DROPPED, 1);
    free_stream(streams, stream);
    exchange_stream_cut(exchange);
}

/* A key that was revoked meanwhile. A store that cannot be read now says nothing about it. */
static bool key_holds(const struct event_streams *streams, const struct event_stream *stream)
{
    struct reader *reader = engine_begin_read(streams->api->engine);
    bool holds;

    if (reader == NULL) {
        return true;
    }
    holds = admission_key_holds(stream->exchange, reader);
    engine_end_read(streams->api->engine, reader);
    return holds;
}

static void look_after(struct event_streams *streams, struct event_stream *stream)
{
    uint64_t heartbeat = engine_config(streams->api->engine)->heartbeat_seconds;
    struct buf text;

    if (!client_takes(streams, stream)) {
        drop(streams, stream);
        return;
    }
    if (streams->second % heartbeat == 0 && !key_holds(streams, stream)) {
        end_stream(streams, stream);
        return;
    }
    if (streams->second - stream->sent_second >= heartbeat &&
        exchange_stream_unsent(stream->exchange) == 0) {
        buf_init(&text);
        event_print_heartbeat(&text);
        send_text(stream, buf_slice(&text));
        buf_deinit(&text);
    }
}

void event_streams_second(struct event_streams *streams)
{
    struct event_stream *stream, *next;

    streams->second++;
    exchange_enter(streams->api);
    DL_FOREACH_SAFE2(streams->all, stream, next, next_of_all)
    {
        look_after(streams, stream);
    }
    exchange_leave(streams->api);
}

/* ---- life ---- */

bool event_streams_have_room(const struct event_streams *streams, uint32_t organisation)
{
    const struct config *config = engine_config(streams->api->engine);
    const struct event_stream *stream;
    uint32_t own = 0;

    DL_FOREACH2(streams->all, stream, next_of_all)
    {
        own += stream->organisation == organisation ? 1 : 0;
    }
    return streams->count < config->max_streams && own < config->max_streams_per_organization;
}

void event_stream_open(struct exchange *exchange, const struct event_stream_start *start,
                       struct slice text)
{
    struct event_streams *streams = &exchange->api->streams;
    struct event_stream *stream = memory_zero(1, sizeof(*stream));

    stream->exchange = exchange;
    stream->of = *start;
    stream->organisation = exchange->organisation;
    stream->next = start->next;
    stream->wants_states = true;
    stream->sent_bytes = text.size;
    stream->sent_second = stream->taken_second = streams->second;
    DL_APPEND2(streams->all, stream, prev_of_all, next_of_all);
    streams->count++;
    metrics_set(engine_metrics(exchange->engine), METRIC_EVENT_STREAMS, streams->count);
    exchange->state = stream;
    exchange->on_gone = on_gone;
    exchange->on_drained = on_drained;
    limits_leave(exchange); /* a stream has no end; max_streams bounds them */
    exchange_stream_begin(exchange, "text/event-stream", text);
    exchange_watch_client(exchange);
    queue(streams, stream);
}

void event_streams_init(struct event_streams *streams, struct api *api)
{
    *streams = (struct event_streams){.api = api};
    streams->run = evtimer_new(engine_base(api->engine), on_run, streams);
    OD_CHECK(streams->run != NULL);
}

void event_streams_stop(struct event_streams *streams)
{
    exchange_enter(streams->api);
    while (streams->all != NULL) {
        end_stream(streams, streams->all);
    }
    exchange_leave(streams->api);
}

void event_streams_deinit(struct event_streams *streams)
{
    OD_CHECK(streams->all == NULL);
    event_free(streams->run);
}
