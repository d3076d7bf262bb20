/* The life of an exchange:
 *
 *   exchange_new --> handler --> answered (exchange_send_…) --> exchange_leave frees
 *                       |             ^
 *                       v             | reply, on_timeout, on_gone
 *                    waiting ---------+
 *                       |
 *                       +--> abandoned: evhttp frees the connection under it
 *
 * While an exchange waits, evhttp does not read from its client, so a client that closes is not
 * seen. exchange_watch_client adds an event of our own on the socket (reliability.md 2.1): EV_READ
 * for the end of the stream and for resets, EV_CLOSED alone once the client has pipelined bytes,
 * which stay where they are. EV_READ of the bufferevent is never switched on meanwhile: evhttp
 * would end the process.
 */
#include "api/exchange.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <uthash.h>
#include <utlist.h>

#include "api/guard.h"
#include "api/json.h"
#include "api/server.h"
#include "base/check.h"
#include "base/memory.h"
#include "engine/metrics.h"

enum {
    ARENA_BLOCK = 2048,
    MESSAGE_SIZE = 512,    /* of a fault, with its NUL */
    RETRY_AFTER_SECONDS = 1,
};

struct exchange_private {
    struct exchange *exchange; /* the other half of the same memory */
    uint64_t number;
    struct evhttp_request *request; /* NULL: answered or abandoned */
    struct connection *connection;
    struct arena *payload;
    struct event *timer, *watch;
    struct exchange_private *next; /* among the finished */
    UT_hash_handle hh;
};

struct exchange_memory {
    struct exchange exchange;
    struct exchange_private own;
};

/* ---- the hash ---- */

static void put(struct api *api, struct exchange_private *own)
{
    HASH_ADD(hh, api->exchanges, number, sizeof(own->number), own);
}

static void unlink_number(struct api *api, struct exchange_private *own)
{
    HASH_DEL(api->exchanges, own);
}

struct exchange *exchange_find(struct api *api, uint64_t number)
{
    struct exchange_private *own;

    HASH_FIND(hh, api->exchanges, &number, sizeof(number), own);
    return own != NULL ? own->exchange : NULL;
}

void exchange_each(struct api *api, exchange_reply_fn visit, const struct reply *reply)
{
    struct exchange_private *own;
    struct exchange_private *next;

    HASH_ITER(hh, api->exchanges, own, next)
    {
        visit(own->exchange, reply);
    }
}

/* ---- life ---- */

void exchange_new_request_id(struct engine *engine, char out[REQUEST_ID_SIZE])
{
    struct uuid id = engine_new_id(engine);

    _Static_assert(UUID_TEXT_SIZE <= REQUEST_ID_SIZE, "a UUID fits");
    uuid_print(&id, out);
}

struct exchange *exchange_new(struct api *api, struct evhttp_request *request,
                              struct connection *connection)
{
    struct exchange_memory *memory = memory_zero(1, sizeof(*memory));
    struct exchange *exchange = &memory->exchange;
    struct exchange_private *own = &memory->own;
    struct slice sent = slice_from(
        evhttp_find_header(evhttp_request_get_input_headers(request), "X-Request-Id"));

    exchange->api = api;
    exchange->engine = api->engine;
    exchange->number = engine_next_exchange(api->engine);
    exchange->own = own;
    arena_init(&exchange->arena, ARENA_BLOCK);
    faults_init(&exchange->faults, &exchange->arena);
    if (guard_is_request_id(sent)) {
        memcpy(exchange->request_id, sent.data, sent.size);
    } else {
        exchange_new_request_id(api->engine, exchange->request_id);
    }
    own->exchange = exchange;
    own->number = exchange->number;
    own->request = request;
    own->connection = connection;
    put(api, own);
    connection_set_exchange(connection, exchange);
    evhttp_request_set_on_complete_cb(request, connection_on_complete, connection);
    return exchange;
}

static void stop_waiting(struct exchange_private *own)
{
    if (own->timer != NULL) {
        event_free(own->timer);
        own->timer = NULL;
    }
    if (own->watch != NULL) {
        event_free(own->watch);
        own->watch = NULL;
    }
}

/* Unlinks it; its memory goes with exchange_leave. */
static void finish(struct exchange *exchange)
{
    struct exchange_private *own = exchange->own;

    stop_waiting(own);
    unlink_number(exchange->api, own);
    connection_set_exchange(own->connection, NULL);
    own->request = NULL;
    own->connection = NULL;
    LL_PREPEND(exchange->api->finished, own);
}

void exchange_abandon(struct exchange *exchange)
{
    struct evhttp_request *request = exchange->own->request;

    finish(exchange);
    /* evhttp leaves a request that it has taken off its connection to who was given it. */
    if (evhttp_request_get_connection(request) == NULL) {
        evhttp_request_free(request);
    }
    if (exchange->on_gone != NULL) {
        exchange->on_gone(exchange);
    }
}

void exchange_end_waits(struct api *api)
{
    struct exchange_private *own;
    struct exchange_private *next;

    HASH_ITER(hh, api->exchanges, own, next)
    {
        if (own->timer != NULL) {
            event_active(own->timer, EV_TIMEOUT, 0);
        }
    }
}

void exchange_enter(struct api *api)
{
    api->callbacks++;
}

void exchange_leave(struct api *api)
{
    struct exchange_private *own;
    struct exchange_private *next;

    OD_CHECK(api->callbacks > 0);
    api->callbacks--;
    if (api->callbacks > 0) {
        return;
    }
    LL_FOREACH_SAFE(api->finished, own, next)
    {
        struct exchange *exchange = own->exchange;

        json_decref(exchange->body);
        arena_free(own->payload);
        arena_deinit(&exchange->arena);
        memory_free(exchange); /* the first member of its memory */
    }
    api->finished = NULL;
}

bool exchange_is_over(const struct exchange *exchange)
{
    return exchange->own->request == NULL;
}

struct evhttp_request *exchange_request(const struct exchange *exchange)
{
    return exchange->own->request;
}

bool exchange_is_ops(const struct exchange *exchange)
{
    return connection_is_ops(exchange->own->connection);
}

/* ---- messages ---- */

struct arena *exchange_payload(struct exchange *exchange)
{
    if (exchange->own->payload == NULL) {
        exchange->own->payload = arena_new();
    }
    return exchange->own->payload;
}

struct message exchange_message(const struct exchange *exchange, enum message_type type,
                                uint32_t actor_number)
{
    return (struct message){
        .actor = {.kind = message_actor_kind(type), .number = actor_number},
        .type = type,
        .exchange = exchange->number,
    };
}

void exchange_post(struct exchange *exchange, const struct message *message)
{
    struct arena *payload = exchange->own->payload;

    exchange->own->payload = NULL;
    engine_post(exchange->engine, message, payload);
}

/* ---- answers ---- */

void exchange_add_header(struct exchange *exchange, const char *name, const char *value)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(exchange->own->request);
    int error = evhttp_add_header(headers, name, value);

    OD_CHECK(error == 0);
}

/* A client that asked with HEAD gets no body, and must be told how long it would have been. */
static void add_body(struct exchange *exchange, struct slice body)
{
    struct evhttp_request *request = exchange->own->request;
    char length[24];
    int error;

    if (evhttp_request_get_command(request) == EVHTTP_REQ_HEAD) {
        (void)snprintf(length, sizeof(length), "%zu", body.size);
        exchange_add_header(exchange, "Content-Length", length);
        return;
    }
    error = evbuffer_add(evhttp_request_get_output_buffer(request), body.data, body.size);
    OD_CHECK(error == 0);
}

static void send_bytes(struct exchange *exchange, int status, const char *content_type,
                       struct slice body)
{
    struct evhttp_request *request = exchange->own->request;

    OD_CHECK(request != NULL);
    if (content_type != NULL) {
        exchange_add_header(exchange, "Content-Type", content_type);
        add_body(exchange, body);
    }
    exchange_add_header(exchange, "X-Request-Id", exchange->request_id);
    if (exchange->api->is_stopping) {
        exchange_add_header(exchange, "Connection", "close");
    }
    metrics_add_http_status(engine_metrics(exchange->engine), status);
    finish(exchange);
    evhttp_send_reply(request, status, NULL, NULL);
}

static void send_buf(struct exchange *exchange, int status, struct buf *text, int error)
{
    OD_CHECK(error == 0);
    send_bytes(exchange, status, "application/json; charset=utf-8", buf_slice(text));
    buf_deinit(text);
}

void exchange_send_json(struct exchange *exchange, int status, json_t *body)
{
    struct buf text;
    int error;

    buf_init(&text);
    error = json_print(body, &text);
    json_decref(body);
    send_buf(exchange, status, &text, error);
}

void exchange_send_nothing(struct exchange *exchange)
{
    send_bytes(exchange, 204, NULL, SLICE(""));
}

void exchange_send_text(struct exchange *exchange, const char *content_type, struct slice text)
{
    send_bytes(exchange, 200, content_type, text);
}

static void send_fault(struct exchange *exchange, enum fault_code code, struct slice message,
                       const struct fault_detail *details, size_t count)
{
    struct buf text;
    char seconds[12];
    int error;

    if (code == FAULT_UNAVAILABLE) {
        (void)snprintf(seconds, sizeof(seconds), "%d", RETRY_AFTER_SECONDS);
        exchange_add_header(exchange, "Retry-After", seconds);
    } else if (code == FAULT_UNAUTHORIZED) {
        exchange_add_header(exchange, "WWW-Authenticate", "Bearer");
    }
    buf_init(&text);
    error = faults_print(code, message, details, count, exchange->request_id, &text);
    send_buf(exchange, fault_status(code), &text, error);
}

void exchange_send_fault(struct exchange *exchange, enum fault_code code, const char *format, ...)
{
    char text[MESSAGE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    send_fault(exchange, code, slice_from(text), NULL, 0);
}

void exchange_send_faults(struct exchange *exchange)
{
    const struct fault_list *faults = &exchange->faults;
    const struct fault_detail *first = faults->items;
    struct slice message;

    OD_CHECK(faults_any(faults));
    message = arena_printf(&exchange->arena, "%.*s %.*s",
                           first->path.size > 0 ? (int)first->path.size : 8,
                           first->path.size > 0 ? first->path.data : "The body",
                           SLICE_ARGS(first->message));
    if (faults->count > 1) {
        message = arena_printf(&exchange->arena, "%.*s (and %zu more)", SLICE_ARGS(message),
                               faults->count - 1);
    }
    send_fault(exchange, FAULT_VALIDATION, message, faults->items, faults->count);
}

void exchange_send_reply_fault(struct exchange *exchange, const struct reply *reply)
{
    send_fault(exchange, reply->fault.code, reply->fault.message, reply->fault.details,
               reply->fault.detail_count);
}

/* "ProgramNotFoundError" is about a "Program"; two names have a space in them. */
static struct slice noun_of(enum fault_code code)
{
    static const char ending[] = "NotFoundError";
    struct slice name = slice_from(fault_name(code));

    switch ((int)code) {
    case FAULT_API_KEY_NOT_FOUND: return SLICE("API key");
    case FAULT_CUSTOM_ATTRIBUTE_NOT_FOUND: return SLICE("Custom attribute");
    case FAULT_DID_NOT_FOUND: return SLICE("DID");
    default: break;
    }
    OD_CHECK(name.size > sizeof(ending) - 1);
    return slice_make(name.data, name.size - (sizeof(ending) - 1));
}

void exchange_send_not_found(struct exchange *exchange, enum fault_code code,
                             const struct uuid *id)
{
    char text[UUID_TEXT_SIZE];

    uuid_print(id, text);
    exchange_send_fault(exchange, code, "%.*s %s not found", SLICE_ARGS(noun_of(code)), text);
}

void exchange_send_unreadable(struct exchange *exchange, int error)
{
    log_error("a row cannot be read", FIELD_TEXT("request", exchange->request_id),
              FIELD_TEXT("reason", od_error_text(error)));
    if (error == OD_ECORRUPT) {
        exchange_send_fault(exchange, FAULT_INTERNAL, "Something went wrong");
    } else {
        exchange_send_fault(exchange, FAULT_UNAVAILABLE, "The store cannot be read now");
    }
}

/* ---- waiting ---- */

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct exchange *exchange = context;
    struct api *api = exchange->api;

    (void)fd;
    (void)what;
    exchange_enter(api);
    exchange->on_timeout(exchange);
    exchange_leave(api);
}

void exchange_wait(struct exchange *exchange, uint32_t wait_ms)
{
    struct exchange_private *own = exchange->own;
    struct timeval after = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};

    OD_CHECK(own->timer == NULL);
    OD_CHECK(exchange->on_timeout != NULL);
    own->timer = evtimer_new(engine_base(exchange->engine), on_timer, exchange);
    OD_CHECK(own->timer != NULL);
    OD_CHECK(event_add(own->timer, &after) == 0);
}

static void on_socket(evutil_socket_t fd, short what, void *context);

static void arm(struct exchange *exchange, short what)
{
    struct exchange_private *own = exchange->own;

    if (own->watch != NULL) {
        event_free(own->watch);
    }
    own->watch = event_new(engine_base(exchange->engine), connection_fd(own->connection), what,
                           on_socket, exchange);
    OD_CHECK(own->watch != NULL);
    OD_CHECK(event_add(own->watch, NULL) == 0);
}

static void on_socket(evutil_socket_t fd, short what, void *context)
{
    struct exchange *exchange = context;
    struct api *api = exchange->api;
    char byte;
    ssize_t size;

    if ((what & EV_CLOSED) == 0) {
        size = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        if (size > 0) {
            arm(exchange, EV_CLOSED);
            return;
        }
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
            arm(exchange, EV_READ | EV_CLOSED);
            return;
        }
    }
    exchange_enter(api);
    stop_waiting(exchange->own);
    exchange->on_gone(exchange);
    exchange_leave(api);
}

void exchange_watch_client(struct exchange *exchange)
{
    OD_CHECK(exchange->on_gone != NULL);
    arm(exchange, EV_READ | EV_CLOSED);
}

bool exchange_client_is_there(const struct exchange *exchange)
{
    struct pollfd poll_fd = {.fd = connection_fd(exchange->own->connection),
                             .events = POLLRDHUP};

    return poll(&poll_fd, 1, 0) <= 0;
}

/* ---- query parameters ---- */

const struct slice *exchange_query(const struct exchange *exchange, const char *name)
{
    for (size_t i = 0; i < exchange->query_count; i++) {
        if (slice_equal_text(exchange->query[i].name, name)) {
            return &exchange->query[i].value;
        }
    }
    return NULL;
}
