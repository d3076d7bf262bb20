/* Answers without an end, by evhttp's chunks.
 *
 *   exchange_stream_begin --> exchange_stream_send … --> exchange_stream_end
 *                                                    --> exchange_stream_cut
 *                                                    --> abandoned
 *
 * What the kernel holds for the client is bounded too, so that one that does not read is seen soon
 * and costs little.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "api/exchange_private.h"
#include "api/server.h"
#include "base/check.h"

enum {
    SOCKET_BUFFER_BYTES = 64 * 1024, /* the kernel takes twice as much, for itself */
    UNANSWERED_MS = 120000, /* a peer that does not acknowledge bytes for so long is not there */
};

static void ignore_reply(struct exchange *exchange, const struct reply *reply)
{
    (void)exchange;
    (void)reply;
}

static void bound_socket(evutil_socket_t fd)
{
    int size = SOCKET_BUFFER_BYTES;
    unsigned unanswered_ms = UNANSWERED_MS;

    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms, sizeof(unanswered_ms));
}

void exchange_stream_begin(struct exchange *exchange, const char *content_type, struct slice body)
{
    struct exchange_private *own = exchange->own;

    OD_CHECK(own->request != NULL);
    exchange->on_reply = ignore_reply;
    exchange_note_answer(exchange, HTTP_OK);
    exchange_add_header(exchange, "Content-Type", content_type);
    exchange_add_header(exchange, "Cache-Control", "no-store");
    exchange_add_header(exchange, "X-Request-Id", exchange->request_id);
    bound_socket(connection_fd(own->connection));
    evhttp_send_reply_start(own->request, HTTP_OK, NULL);
    exchange_stream_send(exchange, body);
}

/* The output has been written. The exchange is there: its end puts another callback in place. */
static void on_written(struct evhttp_connection *evcon, void *context)
{
    struct exchange *exchange = context;
    struct api *api = exchange->api;

    (void)evcon;
    exchange_enter(api);
    if (exchange->on_drained != NULL) {
        exchange->on_drained(exchange);
    }
    exchange_leave(api);
}

void exchange_stream_send(struct exchange *exchange, struct slice body)
{
    struct evbuffer *chunk = evbuffer_new();

    OD_CHECK(chunk != NULL);
    OD_CHECK(exchange->own->request != NULL);
    OD_CHECK(evbuffer_add(chunk, body.data, body.size) == 0);
    evhttp_send_reply_chunk_with_cb(exchange->own->request, chunk, on_written, exchange);
    evbuffer_free(chunk);
}

static struct evbuffer *output_of(const struct exchange *exchange)
{
    struct evhttp_connection *evcon = evhttp_request_get_connection(exchange->own->request);

    return bufferevent_get_output(evhttp_connection_get_bufferevent(evcon));
}

size_t exchange_stream_unsent(const struct exchange *exchange)
{
    return evbuffer_get_length(output_of(exchange));
}

void exchange_stream_end(struct exchange *exchange)
{
    struct evhttp_request *request = exchange->own->request;

    OD_CHECK(request != NULL);
    exchange_finish(exchange);
    evhttp_send_reply_end(request);
}

/* evhttp sees the error of the socket and frees the connection. No linger: the kernel forgets its
 * part of the unsent bytes at once. */
void exchange_stream_cut(struct exchange *exchange)
{
    static const struct linger none = {.l_onoff = 1};
    evutil_socket_t fd = connection_fd(exchange->own->connection);

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    exchange_stream_end(exchange);
    (void)shutdown(fd, SHUT_RDWR);
}
