/* The answers of exchanges. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <event2/buffer.h>

#include "api/connection.h"
#include "api/exchange_private.h"
#include "api/json.h"
#include "api/path_names.h"
#include "api/server.h"
#include "base/check.h"
#include "base/log.h"
#include "engine/metrics.h"

#define RETRY_AFTER "1" /* seconds */
#define JSON_TYPE   "application/json; charset=utf-8"

enum {
    MESSAGE_SIZE = 512 /* of a fault, with its NUL */
};

void exchange_add_header(struct exchange *exchange, const char *name, const char *value)
{
    struct exchange_private *own = exchange->own;

    if (strcmp(name, "Location") == 0) {
        own->location = arena_copy(&exchange->arena, slice_from(value));
    }
    if (own->request != NULL && own->capture == NULL) {
        struct evkeyvalq *headers = evhttp_request_get_output_headers(own->request);
        int error = evhttp_add_header(headers, name, value);

        OD_CHECK(error == 0);
    }
}

/* Where the answer goes instead of to the client. */
static void capture(struct exchange *exchange, int status, struct slice body)
{
    struct exchange_private *own = exchange->own;

    *own->capture = (struct response){
        .status = status, .location = own->location, .body = arena_copy(&exchange->arena, body)};
}

/* A client that asked with HEAD gets no body, and must be told how long it would have been. */
static void add_body(struct exchange *exchange, struct slice body)
{
    struct evhttp_request *request = exchange->own->request;
    int error;

    if (evhttp_request_get_command(request) == EVHTTP_REQ_HEAD) {
        char length[24];

        (void)snprintf(length, sizeof(length), "%zu", body.size);
        exchange_add_header(exchange, "Content-Length", length);
        return;
    }
    error = evbuffer_add(evhttp_request_get_output_buffer(request), body.data, body.size);
    OD_CHECK(error == 0);
}

/* The path without its query, which may hold a phone number. */
static struct slice path_of(struct evhttp_request *request)
{
    const char *uri = evhttp_request_get_uri(request);

    return slice_make(uri, strcspn(uri, "?"));
}

void exchange_note_answer(const struct exchange *exchange, int status)
{
    struct evhttp_request *request = exchange->own->request;
    enum log_level level = status >= HTTP_INTERNAL ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG;

    metrics_add_http_status(engine_metrics(exchange->engine), status);
    log_event(level, "request", FIELD_TEXT("request", exchange->request_id),
              FIELD_TEXT("method", router_method_name(evhttp_request_get_command(request))),
              FIELD_SLICE("path", path_of(request)), FIELD_INT("status", status));
}

/* Ends an answer whose body, if it has one, has been added. */
static void finish(struct exchange *exchange, int status)
{
    struct evhttp_request *request = exchange->own->request;

    exchange_add_header(exchange, "X-Request-Id", exchange->request_id);
    if (exchange->api->is_stopping || connection_awaits_body(exchange->own->connection)) {
        exchange_add_header(exchange, "Connection", "close");
    }
    exchange_note_answer(exchange, status);
    exchange_finish(exchange);
    evhttp_send_reply(request, status, NULL, NULL);
}

static void send_bytes(struct exchange *exchange, int status, const char *content_type,
                       struct slice body)
{
    struct evhttp_request *request = exchange->own->request;

    if (exchange->own->capture != NULL) {
        capture(exchange, status, body);
        return;
    }
    if (!idempotency_may_send(exchange, status, body)) {
        return;
    }
    if (request == NULL) { /* its client has gone */
        OD_CHECK(exchange->own->is_alone);
        exchange_finish(exchange);
        return;
    }
    if (content_type != NULL) {
        exchange_add_header(exchange, "Content-Type", content_type);
        add_body(exchange, body);
    }
    finish(exchange, status);
}

void exchange_send_static(struct exchange *exchange, int status, const char *content_type,
                          struct slice body)
{
    struct evhttp_request *request = exchange->own->request;

    OD_CHECK(request != NULL);
    if (content_type != NULL) {
        int error = evbuffer_add_reference(evhttp_request_get_output_buffer(request), body.data,
                                           body.size, NULL, NULL);
        OD_CHECK(error == 0);
        exchange_add_header(exchange, "Content-Type", content_type);
    }
    finish(exchange, status);
}

void exchange_send_json_text(struct exchange *exchange, int status, struct slice body)
{
    send_bytes(exchange, status, JSON_TYPE, body);
}

void exchange_send_response(struct exchange *exchange, int status, struct slice body)
{
    send_bytes(exchange, status, slice_is_empty(body) ? NULL : JSON_TYPE, body);
}

static void send_buf(struct exchange *exchange, int status, struct buf *text, int error)
{
    OD_CHECK(error == 0);
    exchange_send_json_text(exchange, status, buf_slice(text));
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
    int error;

    if (code == FAULT_UNAVAILABLE) {
        exchange_add_header(exchange, "Retry-After", RETRY_AFTER);
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
    if (!path_names_something(exchange)) {
        return;
    }
    message = arena_printf(
        &exchange->arena, "%.*s %.*s", first->path.size > 0 ? (int)first->path.size : 8,
        first->path.size > 0 ? first->path.data : "The body", SLICE_ARGS(first->message));
    if (faults->count > 1) {
        message = arena_printf(&exchange->arena, "%.*s (and %zu more)", SLICE_ARGS(message),
                               faults->count - 1);
    }
    send_fault(exchange, FAULT_VALIDATION, message, faults->items, faults->count);
}

void exchange_send_breach(struct exchange *exchange, enum fault_code code, const char *message)
{
    struct fault_detail detail = {.path = SLICE("request"), .message = slice_from(message)};

    send_fault(exchange, code, detail.message, &detail, 1);
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

void exchange_send_not_found(struct exchange *exchange, enum fault_code code, const struct uuid *id)
{
    char text[UUID_TEXT_SIZE];

    uuid_print(id, text);
    exchange_send_not_found_text(exchange, code, text);
}

void exchange_send_not_found_text(struct exchange *exchange, enum fault_code code, const char *id)
{
    exchange_send_fault(exchange, code, "%.*s %.64s not found", SLICE_ARGS(noun_of(code)), id);
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
