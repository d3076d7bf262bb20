#include "tests/seam/api_seam.h"

#include <string.h>

#include <event2/buffer.h>
#include <event2/http_struct.h>

#include "api/connection_private.h"
#include "api/exchange.h"
#include "api/server.h"
#include "base/check.h"

struct api_seam api_seam;

static struct connection nowhere;

/* ---- requests ---- */

struct evhttp_request *api_seam_request(enum evhttp_cmd_type method, const char *target,
                                        struct slice body)
{
    struct evhttp_request *request = evhttp_request_new(NULL, NULL);

    OD_CHECK(request != NULL);
    request->kind = EVHTTP_REQUEST;
    request->type = method;
    request->uri = strdup(target);
    OD_CHECK(request->uri != NULL);
    OD_CHECK(evbuffer_add(evhttp_request_get_input_buffer(request), body.data, body.size) == 0);
    return request;
}

void api_seam_add_header(struct evhttp_request *request, const char *name, const char *value)
{
    OD_CHECK(evhttp_add_header(evhttp_request_get_input_headers(request), name, value) == 0);
}

struct exchange *api_seam_begin(struct api *api, struct evhttp_request *request)
{
    nowhere.http = &api->http;
    return exchange_new(api, request, &nowhere);
}

/* ---- what is caught ---- */

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names */

void __wrap_evhttp_send_reply(struct evhttp_request *request, int status, const char *reason,
                              struct evbuffer *body);
void __wrap_evhttp_send_reply_start(struct evhttp_request *request, int status, const char *reason);
void __wrap_evhttp_send_reply_chunk_with_cb(struct evhttp_request *request, struct evbuffer *body,
                                            void (*done)(struct evhttp_connection *, void *),
                                            void *context);
void __wrap_evhttp_send_reply_end(struct evhttp_request *request);
evutil_socket_t __wrap_connection_fd(const struct connection *connection);
void __wrap_exchange_watch_client(struct exchange *exchange);
bool __wrap_exchange_client_is_there(const struct exchange *exchange);
size_t __wrap_exchange_stream_unsent(const struct exchange *exchange);

static struct slice bytes_of(struct evbuffer *buffer)
{
    size_t size = evbuffer_get_length(buffer);

    return size > 0 ? slice_make((const char *)evbuffer_pullup(buffer, -1), size) : SLICE("");
}

static void give_answer(struct evhttp_request *request, int status, bool has_begun)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    const char *type = evhttp_find_header(headers, "Content-Type");
    struct api_seam_answer answer = {.status = status,
                                     .has_begun = has_begun,
                                     .type = type != NULL ? type : "",
                                     .location = evhttp_find_header(headers, "Location")};

    answer.has_id = evhttp_find_header(headers, "X-Request-Id") != NULL;
    answer.is_replayed = evhttp_find_header(headers, "Idempotent-Replayed") != NULL;
    answer.body = has_begun ? SLICE("") : bytes_of(evhttp_request_get_output_buffer(request));
    if (api_seam.on_answer != NULL) {
        api_seam.on_answer(api_seam.context, request, &answer);
    }
}

/* A request without a connection is its receiver's to free. */
void __wrap_evhttp_send_reply(struct evhttp_request *request, int status, const char *reason,
                              struct evbuffer *body) /* cppcheck-suppress constParameter */
{
    (void)reason;
    OD_CHECK(body == NULL);
    give_answer(request, status, false);
    evhttp_request_free(request);
}

void __wrap_evhttp_send_reply_start(struct evhttp_request *request, int status, const char *reason)
{
    (void)reason;
    give_answer(request, status, true);
}

void __wrap_evhttp_send_reply_chunk_with_cb(struct evhttp_request *request, struct evbuffer *body,
                                            void (*done)(struct evhttp_connection *, void *),
                                            void *context)
{
    (void)request;
    (void)done;
    (void)context;
    if (api_seam.on_piece != NULL) {
        api_seam.on_piece(api_seam.context, bytes_of(body));
    }
    (void)evbuffer_drain(body, evbuffer_get_length(body));
}

void __wrap_evhttp_send_reply_end(struct evhttp_request *request)
{
    evhttp_request_free(request);
}

evutil_socket_t __wrap_connection_fd(const struct connection *connection)
{
    (void)connection;
    return -1;
}

void __wrap_exchange_watch_client(struct exchange *exchange)
{
    OD_CHECK(exchange->on_gone != NULL);
    if (api_seam.on_watch != NULL) {
        api_seam.on_watch(api_seam.context, exchange);
    }
}

bool __wrap_exchange_client_is_there(const struct exchange *exchange)
{
    return api_seam.is_there == NULL || api_seam.is_there(api_seam.context, exchange);
}

size_t __wrap_exchange_stream_unsent(const struct exchange *exchange)
{
    (void)exchange;
    return 0;
}

/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */
