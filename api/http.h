/* The listeners: evhttp on the engine's reactor (reliability.md 2.1). */
#ifndef OUTDIAL_API_HTTP_H
#define OUTDIAL_API_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "base/error.h"

struct api;

/* One listening socket and its evhttp. */
struct http {
    struct api *api;
    struct evhttp *evhttp;
    struct evconnlistener *listener; /* owned by evhttp */
    struct tls *tls;                 /* NULL: HTTP without TLS */
    bool is_ops;                     /* serves /healthz, /readyz and /metrics only */
    bool is_stopped;
    uint16_t port;
};

/* Listens on "ADDR:PORT". 0, OD_EINVAL or OD_ENOMEM. */
int http_open(struct http *http, struct api *api, const char *address, bool is_ops,
              struct od_error *error);

/* Ends the pause of a listener that could not accept. Called every 250 ms. */
void http_resume(struct http *http);

/* Accepts nothing more; open connections go on. */
void http_stop(struct http *http);

/* Closes the listener and every connection. Nothing when it was never opened. */
void http_close(struct http *http);

#endif
