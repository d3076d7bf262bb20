/* The life of a connection:
 *
 *   evhttp accepts --connection_bufferevent--> fresh --adopt--> by_evcon --on_close--> freed
 *
 * Bytes are seen in on_input, as they enter the input buffer and before evhttp's own callback. On a
 * breach of the guard, what belongs to the bad message is cut from the buffer, so evhttp never acts
 * on it; good messages in front of it are answered first. Then the error is written to the socket
 * beside evhttp, our half of it is shut, and what the client still sends is dropped for a few
 * seconds (a reset would take the error from a client that has not read it yet). The client's end,
 * or the deadline, is what evhttp sees, and it frees the connection.
 */
#include "api/connection.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <uthash.h>
#include <utlist.h>

#include "api/addresses.h"
#include "api/held.h"
#include "api/refusal.h"
#include "api/server.h"
#include "base/check.h"
#include "base/memory.h"
#include "engine/metrics.h"

enum {
    HEADER_SECONDS = 10,         /* from the first byte of a message to the end of its headers */
    BODY_SECONDS = 10,           /* and one more for each … */
    BODY_BYTES_A_SECOND = 65536, /* … of these */
    LINGER_SECONDS = 5,
    EXTENTS_MAX = 16 /* of the bytes of one read; libevent reads into up to 4 */
};

struct connection {
    struct connections *all;
    struct http *http;
    struct bufferevent *bufferevent;
    struct evhttp_connection *evcon; /* NULL: fresh */
    struct evbuffer_cb_entry *input_callback;
    struct guard guard;
    struct exchange *exchange; /* the one that waits; NULL: none */
    struct held held;          /* by the input buffer */
    uint64_t answered;         /* messages whose responses have been written */
    uint64_t deadline;         /* in the seconds of `connections`; 0: none */
    uint64_t deadline_of;      /* the message and phase for which it was set */
    bool is_cutting;           /* the input buffer is being changed by ourselves */
    bool is_refused;           /* the error has been written */
    struct connection *next;   /* among the fresh */
    UT_hash_handle hh;
};

/* NOLINTBEGIN(readability-function-size): the size is that of uthash's macros */

static void put_by_evcon(struct connections *all, struct connection *connection)
{
    HASH_ADD_PTR(all->by_evcon, evcon, connection);
}

static void delete_by_evcon(struct connections *all, struct connection *connection)
{
    HASH_DEL(all->by_evcon, connection);
}

static struct connection *find_by_evcon(const struct connections *all,
                                        const struct evhttp_connection *evcon)
{
    struct connection *connection;

    HASH_FIND_PTR(all->by_evcon, &evcon, connection);
    return connection;
}

/* NOLINTEND(readability-function-size) */

/* ---- refusing ---- */

/* Writes the error beside evhttp and shuts our half. A socket that does not take these few hundred
 * bytes at once is one whose client does not read. */
static void refuse(struct connection *connection)
{
    evutil_socket_t fd = bufferevent_getfd(connection->bufferevent);

    connection->is_refused = true;
    connection->deadline = connection->all->second + LINGER_SECONDS;
    refusal_send(connection->all->api, fd, &connection->guard, connection->http->is_ops);
    (void)shutdown(fd, SHUT_WR);
}

/* Stops a connection for a reason that the guard does not know. */
static void break_off(struct connection *connection, enum fault_code code, const char *message)
{
    connection->guard.phase = GUARD_BROKEN;
    connection->guard.code = code;
    connection->guard.message = message;
    refuse(connection);
}

/* Leaves the first `keep` bytes of the input buffer. */
static void cut(struct connection *connection, size_t keep)
{
    struct evbuffer *input = bufferevent_get_input(connection->bufferevent);
    struct evbuffer *kept = NULL;

    connection->is_cutting = true;
    if (keep > 0) {
        kept = evbuffer_new();
        OD_CHECK(kept != NULL);
        (void)evbuffer_remove_buffer(input, kept, keep);
    }
    (void)evbuffer_drain(input, evbuffer_get_length(input));
    if (kept != NULL) {
        (void)evbuffer_add_buffer(input, kept);
        evbuffer_free(kept);
    }
    connection->is_cutting = false;
}

/* ---- bytes ---- */

/* Feeds the last `size` bytes of the input. Returns how many passed. */
static size_t feed(struct connection *connection, struct evbuffer *input, size_t size)
{
    struct evbuffer_iovec extents[EXTENTS_MAX];
    struct evbuffer_ptr from;
    size_t passed = 0;
    int count;

    if (guard_may_skip(&connection->guard, size)) {
        guard_skip(&connection->guard, size);
        return size;
    }
    if (evbuffer_ptr_set(input, &from, evbuffer_get_length(input) - size, EVBUFFER_PTR_SET) != 0) {
        return 0;
    }
    count = evbuffer_peek(input, (ev_ssize_t)size, &from, extents, EXTENTS_MAX);
    OD_CHECK(count >= 0);
    OD_CHECK(count <= EXTENTS_MAX);
    for (int i = 0; i < count && connection->guard.phase != GUARD_BROKEN; i++) {
        size_t length = extents[i].iov_len < size - passed ? extents[i].iov_len : size - passed;

        passed += guard_feed(&connection->guard, extents[i].iov_base, length);
    }
    return passed;
}

/* A deadline for the headers and one for the body of each message; set once for each. */
static void set_deadline(struct connection *connection)
{
    const struct guard *guard = &connection->guard;
    bool is_body = guard->phase == GUARD_BODY;
    uint64_t of = 2 * guard->messages + (is_body ? 2 : 1);

    if (guard->message_bytes == 0) {
        connection->deadline = 0;
    } else if (connection->deadline == 0 || connection->deadline_of != of) {
        connection->deadline =
            connection->all->second + 1 +
            (is_body ? BODY_SECONDS + guard->body_left / BODY_BYTES_A_SECOND : HEADER_SECONDS);
        connection->deadline_of = of;
    }
}

static void adopt(struct connection *connection);

/* Judges bytes that were added at the end of the input. */
static void on_bytes(struct connection *connection, struct evbuffer *input, size_t size)
{
    struct guard *guard = &connection->guard;
    size_t passed = feed(connection, input, size);

    if (guard->phase == GUARD_BROKEN) {
        size_t good = evbuffer_get_length(input) - size + passed;

        cut(connection, good > guard->message_bytes ? good - guard->message_bytes : 0);
        if (guard->messages == connection->answered) {
            refuse(connection);
        }
    } else if (held_is_too_much(&connection->held, connection->all->body_limit)) {
        cut(connection, 0);
        break_off(connection, FAULT_UNAVAILABLE, "Too many bodies are being received");
    } else {
        set_deadline(connection);
    }
}

static void on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *context)
{
    struct connection *connection = context;

    if (connection->is_cutting) {
        return;
    }
    if (info->n_added > 0 && connection->evcon == NULL) {
        adopt(connection);
    }
    held_set(&connection->held, evbuffer_get_length(input));
    if (info->n_added == 0) {
        return;
    }
    if (connection->guard.phase == GUARD_BROKEN) {
        cut(connection, evbuffer_get_length(input) - info->n_added);
    } else {
        on_bytes(connection, input, info->n_added);
    }
    held_set(&connection->held, evbuffer_get_length(input));
}

void connection_on_complete(struct evhttp_request *request, void *context)
{
    struct connection *connection = context;

    (void)request;
    connection->answered++;
    if (connection->guard.phase == GUARD_BROKEN && !connection->is_refused &&
        connection->guard.messages == connection->answered) {
        refuse(connection);
    }
}

/* ---- life ---- */

static void on_close(struct evhttp_connection *evcon, void *context)
{
    struct connection *connection = context;
    struct connections *all = connection->all;

    (void)evcon;
    exchange_enter(all->api);
    if (connection->exchange != NULL) {
        exchange_abandon(connection->exchange);
    }
    held_set(&connection->held, 0);
    (void)evbuffer_remove_cb_entry(bufferevent_get_input(connection->bufferevent),
                                   connection->input_callback);
    delete_by_evcon(all, connection);
    addresses_remove(&all->addresses, connection->held.address);
    all->count--;
    metrics_set(engine_metrics(all->api->engine), METRIC_HTTP_CONNECTIONS, all->count);
    guard_deinit(&connection->guard);
    memory_free(connection);
    exchange_leave(all->api);
}

/* evhttp could not use the bufferevent and has freed it, but for our reference. */
static void drop(struct connection *connection)
{
    held_set(&connection->held, 0);
    bufferevent_decref(connection->bufferevent);
    guard_deinit(&connection->guard);
    memory_free(connection);
}

static void adopt(struct connection *connection)
{
    struct connections *all = connection->all;
    int one = 1;
    void *evcon;

    LL_DELETE(all->fresh, connection);
    bufferevent_getcb(connection->bufferevent, NULL, NULL, NULL, &evcon);
    if (evcon == NULL) {
        drop(connection);
        return;
    }
    connection->evcon = evcon;
    put_by_evcon(all, connection);
    connection->held.address = addresses_add(&all->addresses, evhttp_connection_get_addr(evcon));
    all->count++;
    metrics_set(engine_metrics(all->api->engine), METRIC_HTTP_CONNECTIONS, all->count);
    evhttp_connection_set_closecb(evcon, on_close, connection);
    (void)setsockopt(bufferevent_getfd(connection->bufferevent), IPPROTO_TCP, TCP_NODELAY, &one,
                     sizeof(one));
    bufferevent_decref(connection->bufferevent);
    if (all->count > all->max || connection->held.address->count > all->max_per_address) {
        break_off(connection, FAULT_UNAVAILABLE, "Too many connections");
        (void)shutdown(connection_fd(connection), SHUT_RD);
    }
}

static void on_adopt(evutil_socket_t fd, short what, void *context)
{
    struct connections *all = context;

    (void)fd;
    (void)what;
    while (all->fresh != NULL) {
        adopt(all->fresh);
    }
}

struct bufferevent *connection_bufferevent(struct event_base *base, void *context)
{
    struct http *http = context;
    struct connections *all = &http->api->connections;
    struct bufferevent *bufferevent = bufferevent_socket_new(base, -1, 0);
    struct connection *connection;

    if (bufferevent == NULL) {
        return NULL;
    }
    connection = memory_zero(1, sizeof(*connection));
    connection->all = all;
    connection->http = http;
    connection->held.all = &all->held_bytes;
    connection->bufferevent = bufferevent;
    connection->input_callback =
        evbuffer_add_cb(bufferevent_get_input(bufferevent), on_input, connection);
    OD_CHECK(connection->input_callback != NULL);
    guard_init(&connection->guard, all->body_limit);
    bufferevent_incref(bufferevent);
    LL_PREPEND(all->fresh, connection);
    event_active(all->adopt, EV_TIMEOUT, 0);
    return bufferevent;
}

void connections_init(struct connections *connections, struct api *api)
{
    const struct config *config = engine_config(api->engine);

    *connections = (struct connections){
        .api = api,
        .body_limit = config->body_limit_bytes,
        .max = config->max_connections,
        .max_per_address = config->max_connections_per_address,
        .adopt = event_new(engine_base(api->engine), -1, 0, on_adopt, connections),
    };
    OD_CHECK(connections->adopt != NULL);
}

void connections_deinit(struct connections *connections)
{
    while (connections->fresh != NULL) {
        adopt(connections->fresh);
    }
    OD_CHECK(connections->by_evcon == NULL);
    event_free(connections->adopt);
}

/* ---- what others ask ---- */

struct connection *connection_of(struct connections *connections, struct evhttp_request *request)
{
    struct connection *connection =
        find_by_evcon(connections, evhttp_request_get_connection(request));

    OD_CHECK(connection != NULL);
    return connection;
}

bool connection_is_ops(const struct connection *connection)
{
    return connection->http->is_ops;
}

void connection_set_exchange(struct connection *connection, struct exchange *exchange)
{
    connection->exchange = exchange;
}

evutil_socket_t connection_fd(const struct connection *connection)
{
    return bufferevent_getfd(connection->bufferevent);
}

void connections_second(struct connections *connections)
{
    const struct connection *connection = connections->by_evcon;

    connections->second++;
    for (; connection != NULL; connection = connection->hh.next) {
        if (connection->exchange == NULL && connection->deadline != 0 &&
            connection->deadline <= connections->second) {
            (void)shutdown(connection_fd(connection), SHUT_RDWR);
        }
    }
}

bool connections_are_writing(const struct connections *connections)
{
    const struct connection *connection = connections->by_evcon;

    for (; connection != NULL; connection = connection->hh.next) {
        if (evbuffer_get_length(bufferevent_get_output(connection->bufferevent)) > 0) {
            return true;
        }
    }
    return false;
}
