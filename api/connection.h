/* Connections: what is known of each client's socket beside evhttp's own state: the guard over its
 * bytes, its address (for the limits), the exchange under way, its deadline.
 *
 * evhttp tells of a new connection only by asking for a bufferevent, and of its end only by the
 * close callback of its evhttp_connection, which does not exist yet at that time. So a connection
 * is made in connection_bufferevent and adopted, with its evhttp_connection found as the argument
 * of the bufferevent's callbacks, a moment later in the same round of the loop, before any byte is
 * read.
 */
#ifndef OUTDIAL_API_CONNECTION_H
#define OUTDIAL_API_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>

#include "base/error.h"

struct api;
struct exchange;
struct http;
struct address_count;
struct connection;

/* All connections of an API. */
struct connections {
    struct api *api;
    struct connection *by_evcon;     /* a uthash */
    struct connection *fresh;        /* made and not adopted yet; a list */
    struct address_count *addresses; /* a uthash by address */
    struct event *adopt;
    const struct config *config;
    uint64_t body_limit;
    uint32_t count, max, max_per_address;
    uint64_t held_bytes; /* of all input buffers */
    uint64_t second;     /* counts up, for deadlines */
};

void connections_init(struct connections *connections, struct api *api);

/* All connections must have been freed by evhttp. */
void connections_deinit(struct connections *connections);

/* evhttp_set_bevcb's callback; the context is the struct http that accepts. */
struct bufferevent *connection_bufferevent(struct event_base *base, void *context);

/* The connection that a request came on. */
struct connection *connection_of(struct connections *connections, struct evhttp_request *request);

/* True for the listener of operations. */
bool connection_is_ops(const struct connection *connection);

/* The exchange that is waiting on the connection; NULL: none. */
void connection_set_exchange(struct connection *connection, struct exchange *exchange);

/* The next piece of a response is about to be written: its deadline begins anew. */
void connection_on_piece(struct connection *connection);

evutil_socket_t connection_fd(const struct connection *connection);

/* ---- bodies that evhttp does not read (connection_body.c) ---- */

/* True when the body of the request that evhttp hands over comes through the calls below: it is
 * chunked, or streamed. */
bool connection_has_body(const struct connection *connection);

/* True for one that may have any length: its request is answered while it comes. */
bool connection_body_is_streamed(const struct connection *connection);

/* Begins to read it; the exchange's on_body is called when more of it has come, when it is whole
 * and when it is broken, but not before this returns. */
void connection_take_body(struct connection *connection);

/* What has come; whoever uses it drains it. */
struct evbuffer *connection_body(const struct connection *connection);

/* True when nothing more will come. */
bool connection_body_is_whole(const struct connection *connection);

/* True when an answer now comes before the end of the body: the connection ends with it. */
bool connection_awaits_body(const struct connection *connection);

/* True when what came breaks the rules; then `code` and `message` (static) say which. */
bool connection_body_is_broken(const struct connection *connection, enum fault_code *code,
                               const char **message);

/* Lets a client send the body that asked whether it may. */
void connection_continue(struct connection *connection);

/* Stops to read, and goes on. */
void connection_pause_body(struct connection *connection, bool is_paused);

/* evhttp's callback for when it has written a whole response; the context is the connection. */
void connection_on_complete(struct evhttp_request *request, void *context);

/* Each second: shuts down what is past its deadline. */
void connections_second(struct connections *connections);

/* True while a response is being written on any of them. */
bool connections_are_writing(const struct connections *connections);

#endif
