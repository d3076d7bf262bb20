#include "api/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <event2/buffer.h>

#include "api/connection.h"
#include "api/guard.h"
#include "api/router.h"
#include "api/server.h"
#include "api/tls.h"
#include "base/check.h"
#include "base/log.h"

enum {
    BACKLOG = 1024,
    ACCEPT_ERROR_LOG_MS = 10000,
};

/* All that evhttp knows: a method that a path does not have is our 405, not its 501. */
static const ev_uint16_t all_methods = EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
                                       EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS |
                                       EVHTTP_REQ_TRACE | EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH;

/* A body of chunks: when it is whole, it is the request's as if evhttp had read it. */
static void on_chunks(struct exchange *exchange)
{
    struct connection *connection = exchange_connection(exchange);
    const char *message;
    enum fault_code code;

    if (connection_body_is_broken(connection, &code, &message)) {
        exchange_send_breach(exchange, code, message);
    } else if (connection_body_is_whole(connection)) {
        struct evbuffer *input = evhttp_request_get_input_buffer(exchange_request(exchange));
        int error = evbuffer_add_buffer(input, connection_body(connection));

        OD_CHECK(error == 0);
        router_dispatch(exchange);
    }
}

static void dispatch(struct exchange *exchange)
{
    struct connection *connection = exchange_connection(exchange);

    if (!connection_has_body(connection) || connection_body_is_streamed(connection)) {
        router_dispatch(exchange);
        return;
    }
    exchange->on_body = on_chunks;
    connection_take_body(connection);
    connection_continue(connection);
    on_chunks(exchange);
}

static void on_request(struct evhttp_request *request, void *context)
{
    struct http *http = context;
    struct api *api = http->api;
    struct connection *connection = connection_of(&api->connections, request);

    exchange_enter(api);
    dispatch(exchange_new(api, request, connection));
    exchange_leave(api);
}

/* With all descriptors in use, accept fails at once and for ever, and the listener would spin
 * (reliability.md, finding 4): it rests until the next http_resume. evhttp has put itself in as the
 * context of the listener's callbacks, so all that is known here is the listener. */
static void on_accept_error(struct evconnlistener *listener, void *context)
{
    static struct log_limit limit = LOG_LIMIT_INIT(ACCEPT_ERROR_LOG_MS);
    int error = EVUTIL_SOCKET_ERROR();

    (void)context;
    log_limited(&limit, LOG_LEVEL_WARN, "no connection can be accepted now",
                FIELD_TEXT("reason", strerrordesc_np(error)));
    (void)evconnlistener_disable(listener);
}

void http_resume(struct http *http)
{
    if (http->listener != NULL && !http->is_stopped) {
        (void)evconnlistener_enable(http->listener);
    }
}

static uint16_t port_of(evutil_socket_t fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in ip4;
        struct sockaddr_in6 ip6;
    } address;

    socklen_t size = sizeof(address);

    memset(&address, 0, sizeof(address));
    if (getsockname(fd, &address.any, &size) != 0) {
        return 0;
    }
    return ntohs(address.any.sa_family == AF_INET6 ? address.ip6.sin6_port : address.ip4.sin_port);
}

/* evutil_parse_sockaddr_port refuses port 0, which lets the system choose. */
static bool parse_address(const char *text, struct sockaddr_storage *out, int *size)
{
    struct sockaddr_in ip4 = {.sin_family = AF_INET};
    struct sockaddr_in6 ip6 = {.sin6_family = AF_INET6};
    char host[CONFIG_HOST_SIZE];
    uint16_t port;

    if (!config_split_address(text, host, &port)) {
        return false;
    }
    memset(out, 0, sizeof(*out));
    ip4.sin_port = ip6.sin6_port = htons(port);
    if (inet_pton(AF_INET, host, &ip4.sin_addr) == 1) {
        memcpy(out, &ip4, sizeof(ip4));
        *size = sizeof(ip4);
        return true;
    }
    if (inet_pton(AF_INET6, host, &ip6.sin6_addr) != 1) {
        return false;
    }
    memcpy(out, &ip6, sizeof(ip6));
    *size = sizeof(ip6);
    return true;
}

static struct evconnlistener *listen_on(struct event_base *base, const char *text)
{
    struct sockaddr_storage address;
    int size;

    if (!parse_address(text, &address, &size)) {
        errno = EINVAL;
        return NULL;
    }
    return evconnlistener_new_bind(
        base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
        BACKLOG, (struct sockaddr *)&address, size);
}

/* evhttp's own limits stand behind the guard's, which answers first and in JSON. */
static void set_up(struct http *http, const struct config *config)
{
    evhttp_set_bevcb(http->evhttp, connection_bufferevent, http);
    evhttp_set_gencb(http->evhttp, on_request, http);
    evhttp_set_allowed_methods(http->evhttp, all_methods);
    evhttp_set_max_headers_size(http->evhttp, (ev_ssize_t)2 * GUARD_HEADER_BYTES_MAX);
    evhttp_set_max_body_size(http->evhttp, (ev_ssize_t)config->body_limit_bytes);
    evconnlistener_set_error_cb(http->listener, on_accept_error);
}

int http_open(struct http *http, struct api *api, const char *address, bool is_ops,
              struct od_error *error)
{
    struct event_base *base = engine_base(api->engine);
    const struct config *config = engine_config(api->engine);

    *http = (struct http){.api = api, .is_ops = is_ops};
    if (!is_ops && config->tls_certificate[0] != '\0') {
        int code = tls_open(config->tls_certificate, config->tls_key, &http->tls, error);
        if (code != 0) {
            return code;
        }
    }
    http->listener = listen_on(base, address);
    if (http->listener == NULL) {
        return od_error_set(error, OD_EINVAL, "cannot listen on %s: %s", address,
                            strerrordesc_np(errno));
    }
    http->evhttp = evhttp_new(base);
    if (http->evhttp == NULL || evhttp_bind_listener(http->evhttp, http->listener) == NULL) {
        evconnlistener_free(http->listener);
        http->listener = NULL;
        http_close(http);
        return od_error_set(error, OD_ENOMEM, "out of memory");
    }
    set_up(http, config);
    http->port = port_of(evconnlistener_get_fd(http->listener));
    log_info("listening", FIELD_TEXT("for", is_ops ? "operations" : "requests"),
             FIELD_TEXT("address", address), FIELD_UINT("port", http->port),
             FIELD_TEXT("scheme", http->tls != NULL ? "https" : "http"));
    return 0;
}

void http_stop(struct http *http)
{
    http->is_stopped = true;
    if (http->listener != NULL) {
        (void)evconnlistener_disable(http->listener);
    }
}

void http_close(struct http *http)
{
    if (http->evhttp != NULL) {
        evhttp_free(http->evhttp);
    }
    tls_close(http->tls);
    http->evhttp = NULL;
    http->listener = NULL;
    http->tls = NULL;
}
