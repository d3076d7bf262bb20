/* Bodies that evhttp does not read: those of chunks, and the import's, which may be of any length.
 *
 * 1. connection_input.c hands evhttp the header block without what speaks of a body, so evhttp
 * calls for the answer at once. What comes of the body is collected here.
 * 2. connection_take_body: evhttp has the request; it has stopped to read, and any read callback of
 *    its own would now end the process (reliability.md, finding 3). Ours take their place, and
 *    reading goes on. What happens to the socket is handed to evhttp's event callback, which then
 *    frees the connection as it does in all other cases.
 * 3. When the body is whole, evhttp's callbacks are put back and reading stops: from there on it is
 *    as if evhttp had read the body. The client's FIN is not read before the answer.
 * 4. An answer may come before the end of the body. What follows is dropped; once the answer has
 *    been written, our half of the connection is ended, and evhttp, which would close both halves,
 *    is kept from it (connection_linger).
 */
#include <string.h>

#include <event2/buffer.h>

#include "api/connection_private.h"
#include "api/server.h"
#include "base/check.h"

void taken_body_begin(struct connection *connection)
{
    struct taken_body *body = &connection->body;

    OD_CHECK(!body->is_active);
    *body = (struct taken_body){.is_active = true, .bytes = evbuffer_new()};
    OD_CHECK(body->bytes != NULL);
    body->is_streamed = connection->guard.is_streamed;
    body->expects_continue = connection->guard.expects_continue && !connection->guard.is_http_1_0;
    /* Without chunks and without a length there is none. */
    body->is_whole = !connection->guard.is_chunked && connection->guard.content_length == 0;
}

void taken_body_deinit(struct taken_body *body)
{
    if (body->bytes != NULL) {
        evbuffer_free(body->bytes);
    }
    *body = (struct taken_body){0};
}

/* Gives the callbacks back. */
static void give_back(struct connection *connection)
{
    struct taken_body *body = &connection->body;

    if (body->is_begun) {
        body->is_begun = false;
        (void)bufferevent_disable(connection->bufferevent, EV_READ);
        bufferevent_setcb(connection->bufferevent, body->read, body->write, body->event,
                          body->context);
    }
}

bool taken_body_end(struct connection *connection)
{
    bool is_coming = connection->body.is_active && !connection->body.is_whole;

    taken_body_deinit(&connection->body);
    return is_coming;
}

/* ---- while it comes ---- */

static void on_read(struct bufferevent *bufferevent, void *context)
{
    struct connection *connection = context;
    struct taken_body *body = &connection->body;
    struct api *api = connection->all->api;

    (void)bufferevent;
    if (body->is_whole || body->is_broken) {
        give_back(connection);
    }
    exchange_enter(api);
    if (connection->exchange != NULL) {
        connection->exchange->on_body(connection->exchange);
    }
    exchange_leave(api);
}

static void on_event(struct bufferevent *bufferevent, short what, void *context)
{
    struct connection *connection = context;
    bufferevent_event_cb event = connection->body.event;
    void *evhttp_context = connection->body.context;

    give_back(connection);
    event(bufferevent, what, evhttp_context);
}

void connection_take_body(struct connection *connection)
{
    struct taken_body *body = &connection->body;

    OD_CHECK(body->is_active && !body->is_begun);
    if (body->is_whole || body->is_broken) {
        return;
    }
    body->is_begun = true;
    bufferevent_getcb(connection->bufferevent, &body->read, &body->write, &body->event,
                      &body->context);
    bufferevent_setcb(connection->bufferevent, on_read, NULL, on_event, connection);
    (void)bufferevent_enable(connection->bufferevent, EV_READ);
}

/* ---- what exchanges ask ---- */

bool connection_has_body(const struct connection *connection)
{
    return connection->body.is_active;
}

bool connection_body_is_streamed(const struct connection *connection)
{
    return connection->body.is_streamed;
}

struct evbuffer *connection_body(const struct connection *connection)
{
    return connection->body.bytes;
}

bool connection_body_is_whole(const struct connection *connection)
{
    return connection->body.is_whole;
}

bool connection_awaits_body(const struct connection *connection)
{
    return connection->body.is_active && !connection->body.is_whole;
}

bool connection_body_is_broken(const struct connection *connection, enum fault_code *code,
                               const char **message)
{
    if (connection->body.is_broken) {
        *code = connection->guard.code;
        *message = connection->guard.message;
    }
    return connection->body.is_broken;
}

void connection_continue(struct connection *connection)
{
    static const char answer[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct taken_body *body = &connection->body;

    if (body->expects_continue && body->is_begun && evbuffer_get_length(body->bytes) == 0) {
        (void)bufferevent_write(connection->bufferevent, answer, sizeof(answer) - 1);
        (void)bufferevent_enable(connection->bufferevent, EV_WRITE);
    }
    body->expects_continue = false;
}

void connection_pause_body(struct connection *connection, bool is_paused)
{
    struct taken_body *body = &connection->body;

    if (!body->is_begun || body->is_paused == is_paused) {
        return;
    }
    body->is_paused = is_paused;
    if (is_paused) {
        (void)bufferevent_disable(connection->bufferevent, EV_READ);
    } else {
        connection_set_deadline(connection);
        (void)bufferevent_enable(connection->bufferevent, EV_READ);
    }
}

void taken_body_drop(struct connection *connection)
{
    struct taken_body *body = &connection->body;

    if (!body->is_active) {
        return;
    }
    give_back(connection);
    body->is_dropped = true;
    (void)evbuffer_drain(body->bytes, evbuffer_get_length(body->bytes));
    connection_count_held(connection);
}
