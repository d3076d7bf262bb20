/* While an exchange waits, evhttp does not read from its client, so a client that closes is not
 * seen. exchange_watch_client adds an event of our own on the socket (reliability.md 2.1): EV_READ
 * for the end of the stream and for resets, EV_CLOSED alone once the client has pipelined bytes,
 * which stay where they are. EV_READ of the bufferevent is never switched on meanwhile: evhttp
 * would end the process.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "api/exchange_private.h"
#include "api/server.h"
#include "base/check.h"

void exchange_stop_waiting(struct exchange_private *own)
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
    struct timeval after = {
        .tv_sec = wait_ms / 1000,
        .tv_usec = (suseconds_t)(wait_ms % 1000) * 1000,
    };

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

    if ((what & EV_CLOSED) == 0) {
        ssize_t size = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
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
    exchange_stop_waiting(exchange->own);
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
    struct pollfd poll_fd = {.fd = connection_fd(exchange->own->connection), .events = POLLRDHUP};

    return poll(&poll_fd, 1, 0) <= 0;
}

void exchange_end_waits(struct api *api)
{
    const struct exchange_private *own = api->exchanges;

    for (; own != NULL; own = own->hh.next) {
        if (own->timer != NULL) {
            event_active(own->timer, EV_TIMEOUT, 0);
        }
    }
}
