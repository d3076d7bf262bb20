/* The life of a connection:
 *
 *   evhttp accepts --connection_bufferevent--> fresh --adopt--> by_evcon --on_close--> freed
 *
 * On a breach of the guard, good messages in front of it are answered first. Then the error is
 * written to the socket beside evhttp, our half of it is shut, and what the client still sends is
 * dropped for a few seconds (a reset would take the error from a client that has not read it yet).
 * The client's end, or the deadline, is what evhttp sees, and it frees the connection.
 */
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <utlist.h>

#include "api/addresses.h"
#include "api/connection_private.h"
#include "api/refusal.h"
#include "api/server.h"
#include "api/tls.h"
#include "base/check.h"
#include "base/memory.h"
#include "engine/metrics.h"

enum { LINGER_SECONDS = 5 };

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

/* Nothing more is sent. */
static void end_half(struct connection *connection)
{
    if (connection->is_tls) {
        tls_end(connection->bufferevent);
    }
    (void)shutdown(connection_fd(connection), SHUT_WR);
}

static void on_refusal_written(struct bufferevent *bufferevent, void *context)
{
    struct connection *connection = context;

    (void)bufferevent;
    end_half(connection);
}

static void on_refused_event(struct bufferevent *bufferevent, short what, void *context)
{
    struct connection *connection = context;

    connection->refused_event(bufferevent, what, connection->refused_context);
}

/* Under TLS the error must go through the bufferevent. evhttp's callbacks would take its being
 * written for the end of a response of their own. */
static void send_refusal_by_tls(struct connection *connection, struct slice response)
{
    bufferevent_getcb(connection->bufferevent, NULL, NULL, &connection->refused_event,
                      &connection->refused_context);
    bufferevent_setcb(connection->bufferevent, NULL, on_refusal_written, on_refused_event,
                      connection);
    (void)bufferevent_write(connection->bufferevent, response.data, response.size);
    (void)bufferevent_enable(connection->bufferevent, EV_READ | EV_WRITE);
}

/* Writes the error beside evhttp and shuts our half. A socket that does not take these few hundred
 * bytes at once is one whose client does not read. */
void connection_refuse(struct connection *connection)
{
    evutil_socket_t fd = connection_fd(connection);
    struct buf response;

    connection->is_refused = true;
    connection->deadline = connection->all->second + LINGER_SECONDS;
    buf_init(&response);
    refusal_print(connection->all->api, &connection->guard, connection->http->is_ops, &response);
    if (connection->is_tls && tls_is_open(connection->bufferevent)) {
        send_refusal_by_tls(connection, buf_slice(&response));
    } else if (connection->is_tls) {
        (void)shutdown(fd, SHUT_RDWR); /* there is nobody to tell yet */
    } else {
        (void)send(fd, response.data, response.size, MSG_DONTWAIT | MSG_NOSIGNAL);
        (void)shutdown(fd, SHUT_WR);
    }
    buf_deinit(&response);
}

/* Stops a connection for a reason that the guard does not know. */
void connection_break_off(struct connection *connection, enum fault_code code, const char *message)
{
    connection->guard.phase = GUARD_BROKEN;
    connection->guard.code = code;
    connection->guard.message = message;
    connection_refuse(connection);
}

static void on_refuse_later(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    connection_refuse(context);
}

/* evhttp is about to take its callbacks back, which an error under TLS must replace. */
static void refuse_behind_response(struct connection *connection)
{
    if (!connection->is_tls) {
        connection_refuse(connection);
        return;
    }
    if (connection->refuse_later == NULL) {
        connection->refuse_later =
            evtimer_new(engine_base(connection->all->api->engine), on_refuse_later, connection);
        OD_CHECK(connection->refuse_later != NULL);
    }
    event_active(connection->refuse_later, EV_TIMEOUT, 0);
}

/* The answer has been written and the rest of the body is still on its way: our half ends, and what
 * comes is dropped. evhttp would close both halves, so the headers that tell it to are taken away;
 * the client has read ours. */
static void linger(struct connection *connection, struct evhttp_request *request)
{
    struct evkeyvalq *asked = evhttp_request_get_input_headers(request);

    connection->guard.phase = GUARD_BROKEN;
    connection->is_refused = true;
    connection->deadline = connection->all->second + LINGER_SECONDS;
    connection_drop_input(connection);
    (void)evhttp_remove_header(evhttp_request_get_output_headers(request), "Connection");
    (void)evhttp_remove_header(asked, "Connection");
    if (evhttp_add_header(asked, "Connection", "keep-alive") == 0) {
        end_half(connection);
    }
}

void connection_on_complete(struct evhttp_request *request, void *context)
{
    struct connection *connection = context;

    connection->answered++;
    connection->idle_second = connection->all->second;
    connection->writing_until = 0;
    if (taken_body_end(connection)) {
        linger(connection, request);
    } else if (connection->guard.phase != GUARD_BROKEN) {
        connection_go_on(connection);
    } else if (!connection->is_refused && connection->guard.messages == connection->answered) {
        refuse_behind_response(connection);
    }
}

/* ---- life ---- */

static void free_parts(struct connection *connection)
{
    guard_deinit(&connection->guard);
    buf_deinit(&connection->head);
    taken_body_deinit(&connection->body);
    if (connection->refuse_later != NULL) {
        event_free(connection->refuse_later);
    }
    if (connection->coming != NULL) {
        evbuffer_free(connection->coming);
    }
}

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
    if (connection->is_tls) {
        tls_end(connection->bufferevent);
    }
    (void)evbuffer_remove_cb_entry(bufferevent_get_input(connection->bufferevent),
                                   connection->input_callback);
    delete_by_evcon(all, connection);
    addresses_remove(&all->addresses, connection->held.address);
    all->count--;
    metrics_set(engine_metrics(all->api->engine), METRIC_HTTP_CONNECTIONS, all->count);
    free_parts(connection);
    memory_free(connection);
    exchange_leave(all->api);
}

/* evhttp could not use the bufferevent and has freed it, but for our reference. */
static void drop(struct connection *connection)
{
    held_set(&connection->held, 0);
    bufferevent_decref(connection->bufferevent);
    free_parts(connection);
    memory_free(connection);
}

void connection_adopt(struct connection *connection)
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
    connection->idle_second = all->second;
    put_by_evcon(all, connection);
    connection->held.address = addresses_add(&all->addresses, evhttp_connection_get_addr(evcon));
    all->count++;
    metrics_set(engine_metrics(all->api->engine), METRIC_HTTP_CONNECTIONS, all->count);
    evhttp_connection_set_closecb(evcon, on_close, connection);
    (void)setsockopt(bufferevent_getfd(connection->bufferevent), IPPROTO_TCP, TCP_NODELAY, &one,
                     sizeof(one));
    bufferevent_decref(connection->bufferevent);
    if (all->count > all->max || connection->held.address->count > all->max_per_address) {
        connection_break_off(connection, FAULT_UNAVAILABLE, "Too many connections");
        (void)shutdown(connection_fd(connection), SHUT_RD);
    }
}

static void on_adopt(evutil_socket_t fd, short what, void *context)
{
    struct connections *all = context;

    (void)fd;
    (void)what;
    while (all->fresh != NULL) {
        connection_adopt(all->fresh);
    }
}

struct bufferevent *connection_bufferevent(struct event_base *base, void *context)
{
    struct http *http = context;
    struct connections *all = &http->api->connections;
    struct bufferevent *bufferevent =
        http->tls != NULL ? tls_bufferevent(http->tls, base) : bufferevent_socket_new(base, -1, 0);
    struct connection *connection;

    if (bufferevent == NULL) {
        return NULL;
    }
    connection = memory_zero(1, sizeof(*connection));
    connection->all = all;
    connection->http = http;
    connection->is_tls = http->tls != NULL;
    connection->held.all = &all->held_bytes;
    connection->bufferevent = bufferevent;
    connection->input_callback =
        evbuffer_add_cb(bufferevent_get_input(bufferevent), connection_on_input, connection);
    OD_CHECK(connection->input_callback != NULL);
    guard_init(&connection->guard, all->body_limit);
    buf_init(&connection->head);
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
        .config = config,
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
        connection_adopt(connections->fresh);
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
    if (exchange == NULL) {
        taken_body_drop(connection);
    }
}

void connection_on_piece(struct connection *connection)
{
    connection->writing_until = 0;
}

evutil_socket_t connection_fd(const struct connection *connection)
{
    return bufferevent_getfd(connection->bufferevent);
}

/* ---- deadlines ---- */

static bool is_late_sending(const struct connection *connection, uint64_t second)
{
    bool is_awaited =
        connection->exchange == NULL || (connection->body.is_begun && !connection->body.is_paused);

    return is_awaited && connection->deadline != 0 && connection->deadline <= second;
}

/* Nothing of HTTP is said before client and server have agreed on their TLS. */
static bool is_late_agreeing(const struct connection *connection, uint64_t second)
{
    return connection->is_tls && !tls_is_open(connection->bufferevent) &&
           connection->idle_second + connection->all->config->header_timeout_seconds < second;
}

static bool is_idle_too_long(const struct connection *connection, uint64_t second)
{
    const struct guard *guard = &connection->guard;

    return connection->exchange == NULL && guard->message_bytes == 0 &&
           guard->messages == connection->answered &&
           connection->idle_second + connection->all->config->idle_timeout_seconds < second;
}

static bool is_late_taking(struct connection *connection, uint64_t second)
{
    size_t left = evbuffer_get_length(bufferevent_get_output(connection->bufferevent));

    /* While an exchange waits, what is written is a stream of its own pace; but each piece of a
     * list has a deadline. */
    if (left == 0 ||
        (connection->exchange != NULL && !exchange_is_piecewise(connection->exchange))) {
        connection->writing_until = 0;
        return false;
    }
    if (connection->writing_until == 0) {
        connection->writing_until = second + 1 + connection->all->config->response_timeout_seconds +
                                    left / CONNECTION_BYTES_A_SECOND;
    }
    return connection->writing_until <= second;
}

void connections_second(struct connections *connections)
{
    struct connection *connection = connections->by_evcon;
    uint64_t second = ++connections->second;

    for (; connection != NULL; connection = connection->hh.next) {
        bool is_late_now = is_late_taking(connection, second);

        if (is_late_now || is_late_sending(connection, second) ||
            is_late_agreeing(connection, second) || is_idle_too_long(connection, second)) {
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
