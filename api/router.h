/* The router: from a request to its route's handler, through every check that routes have in
 * common.
 *
 * In this order, the first that fails answers: path (404), method (405 with Allow), key (401), its
 * limits (429), role (403), X-Organization-Id, ids in the path (the resource's 404), a used
 * Idempotency-Key (the stored response, or 422), content type (415), query parameters, headers and
 * body (400, all faults in one answer). A 415 or 400 becomes the resource's 404 when an id of the
 * path names nothing (api/path_names.h). What a handler gets is in struct exchange.
 *
 * Faults of the query may be in exchange->faults already when the handler of a list or of a body
 * runs: it adds what it finds, and answers when there are any (page_send, records_close_body).
 */
#ifndef OUTDIAL_API_ROUTER_H
#define OUTDIAL_API_ROUTER_H

#include <stdbool.h>
#include <stddef.h>

#include <event2/http.h>

#include "api/exchange.h"

struct router;

/* Whose keys may use a route. */
enum route_access {
    ACCESS_OPEN,         /* no key is asked for */
    ACCESS_ADMIN,        /* the platform */
    ACCESS_ORGANISATION, /* an org key, or an admin key with X-Organization-Id, which must be sent;
                          * exchange->organisation is never 0 */
    ACCESS_ORGANISATION_OR_ADMIN, /* the same, but an admin may leave X-Organization-Id out:
                                   * exchange->organisation is then 0 */
    ACCESS_WORKER,
};

enum route_body {
    ROUTE_BODY_NONE,     /* a body that is sent is not looked at */
    ROUTE_BODY_JSON,     /* a JSON object must be sent */
    ROUTE_BODY_STREAM,   /* the handler reads it as it comes (connection_take_body) */
    ROUTE_BODY_OPTIONAL, /* a JSON object may be sent; exchange->body is NULL when none was */
};

/* A query parameter that a route knows; all others are a ValidationError. */
struct route_query {
    const char *name;
    bool may_repeat;
};

struct route {
    enum evhttp_cmd_type method;
    const char *path; /* "/api/programs/:id/launch"; a segment that starts with ':' is an id */
    enum route_access access;
    enum route_body body;
    bool is_list;                    /* knows ?limit= and ?cursor=: exchange->page is filled in */
    const struct route_query *query; /* ends with a NULL name; NULL: none */
    /* For each id of the path, the fault of one that is no UUID. */
    enum fault_code not_found[ROUTE_IDS_MAX];
    void (*handle)(struct exchange *exchange);
};

/* Takes the tables of routes.h apart, once. Never NULL. */
struct router *router_new(bool has_test_clock, bool has_ops_listener);
void router_free(struct router *router);

/* Finds the route of the request and runs its handler, or answers with the error. */
void router_dispatch(struct exchange *exchange);

/* Goes on with the exchange whose large body has been parsed: the parser_done_fn of the API, whose
 * state is `context`. */
void router_body_parsed(void *context, uint64_t number, json_t *json,
                        const struct fault_list *faults);

/* Appends the methods of a path's routes as for an Allow header; false: no route has that path. The
 * query of the target, if any, is left out. */
bool router_allow(const struct router *router, struct slice target, bool is_ops, struct buf *out);

/* The method's name, for the log. */
const char *router_method_name(enum evhttp_cmd_type method);

#endif
