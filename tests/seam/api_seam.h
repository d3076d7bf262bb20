/* The API without sockets: requests that came over no connection, and answers that are caught where
 * evhttp would write them. For the fuzz targets (tests/fuzz/api_world.h) and the simulation
 * (tests/sim/web_seam.h), which have the real engine, routes, body readers and renderers between
 * the two.
 *
 *     struct evhttp_request *request = api_seam_request(EVHTTP_REQ_POST, "/api/contacts", body);
 *     struct exchange *exchange = api_seam_begin(api, request);
 *     router_dispatch(exchange)  ─▶ engine_post …
 *     reply_arrived              ─▶ api_seam.on_answer
 *
 * The calls that leave the API are caught by the linker (tests/CMakeLists.txt, --wrap).
 */
#ifndef OUTDIAL_TESTS_SEAM_API_SEAM_H
#define OUTDIAL_TESTS_SEAM_API_SEAM_H

#include <stdbool.h>

#include <event2/http.h>
#include <jansson.h>

#include "base/buf.h"

struct api;
struct exchange;

struct api_seam_answer {
    int status;
    bool has_begun;       /* as a stream, or in pieces: its body follows by on_piece */
    bool has_id;          /* X-Request-Id */
    bool is_replayed;     /* Idempotent-Replayed: true */
    const char *type;     /* Content-Type; empty: none */
    const char *location; /* NULL: none */
    struct slice body;
};

/* Who gets what is caught; those that are NULL get nothing. What is given is borrowed for the call;
 * `request` is freed behind an answer that has not merely begun. */
struct api_seam {
    void *context;
    void (*on_answer)(void *context, const struct evhttp_request *request,
                      const struct api_seam_answer *answer);
    void (*on_piece)(void *context, struct slice bytes);
    /* exchange_watch_client, and what exchange_client_is_there says (NULL: true). */
    void (*on_watch)(void *context, struct exchange *exchange);
    bool (*is_there)(void *context, const struct exchange *exchange);
};

extern struct api_seam api_seam;

/* A request with this target and body, and no headers. Never NULL. */
struct evhttp_request *api_seam_request(enum evhttp_cmd_type method, const char *target,
                                        struct slice body);
void api_seam_add_header(struct evhttp_request *request, const char *name, const char *value);

/* Begins its exchange, on a connection that is none. The caller dispatches it, between
 * exchange_enter and exchange_leave. */
struct exchange *api_seam_begin(struct api *api, struct evhttp_request *request);

/* What is true of any answer that is whole: NULL, or what is wrong with it. *json is its body,
 * which is the caller's then; NULL, where it is none, or there is a fault. */
const char *api_seam_fault_of(const struct api_seam_answer *answer, json_t **json);

#endif
