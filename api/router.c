#include "api/router.h"

#include <string.h>

#include "api/admission.h"
#include "api/idempotency.h"
#include "api/query.h"
#include "api/routes.h"
#include "api/server.h"
#include "base/check.h"
#include "base/memory.h"

enum {
    SEGMENTS_MAX = 8 /* of a path */
};

/* A path cut at its slashes. */
struct segments {
    size_t count;
    struct slice items[SEGMENTS_MAX];
};

struct compiled_route {
    const struct route *route;
    struct segments segments;
    bool is_on_main, is_on_ops; /* the listeners that have it */
};

struct router {
    struct compiled_route *routes;
    size_t count;
};

/* In the order of an Allow header. */
static const struct {
    enum evhttp_cmd_type method;
    const char *name;
} methods[] = {
    {EVHTTP_REQ_GET, "GET"},     {EVHTTP_REQ_POST, "POST"},     {EVHTTP_REQ_PUT, "PUT"},
    {EVHTTP_REQ_PATCH, "PATCH"}, {EVHTTP_REQ_DELETE, "DELETE"},
};

const char *router_method_name(enum evhttp_cmd_type method)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (methods[i].method == method) {
            return methods[i].name;
        }
    }
    return "other";
}

/* ---- paths ---- */

/* False for a path of more segments than any route has. */
static bool split(struct slice path, struct segments *out)
{
    out->count = 0;
    while (path.size > 0) {
        const char *end;

        path = slice_make(path.data + 1, path.size - 1);
        end = memchr(path.data, '/', path.size);
        if (out->count == SEGMENTS_MAX) {
            return false;
        }
        out->items[out->count] =
            slice_make(path.data, end != NULL ? (size_t)(end - path.data) : path.size);
        path = slice_make(path.data + out->items[out->count].size,
                          path.size - out->items[out->count].size);
        out->count++;
    }
    return true;
}

static bool is_id(struct slice segment)
{
    return segment.size > 0 && segment.data[0] == ':';
}

/* An id matches whatever stands there; whether it is one is judged after the key. */
static bool matches(const struct segments *pattern, const struct segments *path)
{
    if (pattern->count != path->count) {
        return false;
    }
    for (size_t i = 0; i < pattern->count; i++) {
        if (is_id(pattern->items[i]) ? slice_is_empty(path->items[i])
                                     : !slice_equal(pattern->items[i], path->items[i])) {
            return false;
        }
    }
    return true;
}

static bool is_served(const struct compiled_route *route, bool is_ops)
{
    return is_ops ? route->is_on_ops : route->is_on_main;
}

static struct slice path_of(struct slice target)
{
    const char *question = target.size > 0 ? memchr(target.data, '?', target.size) : NULL;

    return slice_make(target.data,
                      question != NULL ? (size_t)(question - target.data) : target.size);
}

/* ---- the tables ---- */

static size_t add_table(struct router *router, const struct route *table, bool is_on_main,
                        bool is_on_ops)
{
    size_t count = 0;

    for (; table->path != NULL; table++, count++) {
        struct compiled_route *to;

        if (router->routes == NULL) {
            continue;
        }
        to = &router->routes[router->count++];
        to->route = table;
        to->is_on_main = is_on_main;
        to->is_on_ops = is_on_ops;
        OD_CHECK(split(slice_from(table->path), &to->segments));
    }
    return count;
}

static size_t add_tables(struct router *router, bool has_test_clock, bool has_ops_listener)
{
    size_t count = add_table(router, routes_ops, !has_ops_listener, has_ops_listener);

    if (has_test_clock) {
        count += add_table(router, routes_test_clock, true, false);
    }
    for (const struct route *const *table = routes_all; *table != NULL; table++) {
        count += add_table(router, *table, true, false);
    }
    return count;
}

struct router *router_new(bool has_test_clock, bool has_ops_listener)
{
    struct router *router = memory_zero(1, sizeof(*router));
    size_t count = add_tables(router, has_test_clock, has_ops_listener);

    router->routes = memory_zero(count, sizeof(*router->routes));
    (void)add_tables(router, has_test_clock, has_ops_listener);
    return router;
}

void router_free(struct router *router)
{
    if (router != NULL) {
        memory_free(router->routes);
        memory_free(router);
    }
}

/* A path whose ids are none is no path of that route: "/api/contacts/import" is not a contact. */
static bool has_ids(const struct segments *pattern, const struct segments *path)
{
    struct uuid id;

    for (size_t i = 0; i < pattern->count; i++) {
        if (is_id(pattern->items[i]) && !uuid_parse(path->items[i], &id)) {
            return false;
        }
    }
    return true;
}

bool router_allow(const struct router *router, struct slice target, bool is_ops, struct buf *out)
{
    struct segments path;
    unsigned allowed = 0;
    size_t begun = out->size;

    if (!split(path_of(target), &path)) {
        return false;
    }
    for (size_t i = 0; i < router->count; i++) {
        const struct segments *pattern = &router->routes[i].segments;

        if (is_served(&router->routes[i], is_ops) && matches(pattern, &path) &&
            has_ids(pattern, &path)) {
            allowed |= (unsigned)router->routes[i].route->method;
        }
    }
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if ((allowed & (unsigned)methods[i].method) != 0) {
            int error = buf_printf(out, "%s%s", out->size > begun ? ", " : "", methods[i].name);

            OD_CHECK(error == 0);
        }
    }
    return allowed != 0;
}

/* ---- the checks, in their order ---- */

static void refuse_route(struct exchange *exchange, struct slice target)
{
    struct buf allow;

    buf_init(&allow);
    if (router_allow(exchange->api->router, target, exchange_is_ops(exchange), &allow)) {
        exchange_add_header(exchange, "Allow", arena_text(&exchange->arena, buf_slice(&allow)));
        exchange_send_fault(exchange, FAULT_METHOD_NOT_ALLOWED,
                            "The path does not have this method, only %.*s",
                            SLICE_ARGS(buf_slice(&allow)));
    } else {
        exchange_send_fault(exchange, FAULT_ROUTE_NOT_FOUND, "There is no such path");
    }
    buf_deinit(&allow);
}

/* Whether the path is written out in a table: "/api/contacts/upsert" is never a contact. */
static bool is_written_out(const struct router *router, const struct segments *path, bool is_ops)
{
    for (size_t i = 0; i < router->count; i++) {
        const struct segments *pattern = &router->routes[i].segments;
        bool is_equal = is_served(&router->routes[i], is_ops) && pattern->count == path->count;

        for (size_t j = 0; is_equal && j < path->count; j++) {
            is_equal = slice_equal(pattern->items[j], path->items[j]);
        }
        if (is_equal) {
            return true;
        }
    }
    return false;
}

/* The first route, in the order of the tables, that has the path and the method; NULL: none. */
static const struct compiled_route *find_route(const struct exchange *exchange,
                                               const struct segments *path)
{
    const struct router *router = exchange->api->router;
    enum evhttp_cmd_type method = evhttp_request_get_command(exchange_request(exchange));
    bool is_ops = exchange_is_ops(exchange);

    for (size_t i = 0; i < router->count; i++) {
        const struct compiled_route *route = &router->routes[i];

        if (route->route->method == method && is_served(route, is_ops) &&
            matches(&route->segments, path)) {
            bool is_other =
                !has_ids(&route->segments, path) && is_written_out(router, path, is_ops);

            return is_other ? NULL : route;
        }
    }
    return NULL;
}

/* False, with the exchange answered, when one is no UUID. */
static bool check_ids(struct exchange *exchange, const struct compiled_route *route,
                      const struct segments *path)
{
    unsigned count = 0;

    for (size_t i = 0; i < path->count; i++) {
        if (!is_id(route->segments.items[i])) {
            continue;
        }
        OD_CHECK(count < ROUTE_IDS_MAX);
        if (!uuid_parse(path->items[i], &exchange->ids[count])) {
            exchange_send_not_found_text(exchange, exchange->route->not_found[count],
                                         arena_text(&exchange->arena, path->items[i]));
            return false;
        }
        count++;
    }
    exchange->id_count = count;
    return true;
}

/* Faults stay in the exchange, to be answered with those of the body and of the cursor. */
static void read_query(struct exchange *exchange, struct slice target)
{
    size_t path_size = path_of(target).size;

    if (path_size < target.size) {
        query_read(exchange, slice_make(target.data + path_size + 1, target.size - path_size - 1));
    } else {
        query_read(exchange, SLICE(""));
    }
}

/* A handler that reads a body or sends a list finds faults of its own, and answers all of them. For
 * the others this is the place. False, with the exchange answered, when there is a fault. */
static bool check_faults(struct exchange *exchange)
{
    if (!faults_any(&exchange->faults) || exchange->body != NULL || exchange->route->is_list) {
        return true;
    }
    exchange_send_faults(exchange);
    return false;
}

static void end_read(struct exchange *exchange)
{
    if (exchange->reader != NULL) {
        engine_end_read(exchange->engine, exchange->reader);
        exchange->reader = NULL;
    }
}

/* Every check in its order; false when one has failed and the exchange has been answered, or when
 * it waits for its body to be parsed. */
static bool check(struct exchange *exchange, const struct compiled_route *route,
                  const struct segments *path, struct slice target)
{
    if (!admission_check_key(exchange) || !check_ids(exchange, route, path)) {
        return false;
    }
    read_query(exchange, target);
    if (exchange->route->body != ROUTE_BODY_STREAM && !idempotency_check(exchange)) {
        return false;
    }
    return admission_check_body(exchange) == BODY_READ && check_faults(exchange);
}

void router_dispatch(struct exchange *exchange)
{
    struct slice target = slice_from(evhttp_request_get_uri(exchange_request(exchange)));
    const struct compiled_route *route = NULL;
    struct segments path;

    if (split(path_of(target), &path)) {
        route = find_route(exchange, &path);
    }
    if (route == NULL) {
        refuse_route(exchange, target);
        return;
    }
    exchange->route = route->route;
    if (check(exchange, route, &path, target)) {
        exchange->route->handle(exchange);
    }
    end_read(exchange);
}

/* Faults of a thread's list become the exchange's own. */
static void take_faults(struct exchange *exchange, const struct fault_list *faults)
{
    for (size_t i = 0; i < faults->count; i++) {
        faults_add(&exchange->faults, arena_copy(&exchange->arena, faults->items[i].path), "%.*s",
                   SLICE_ARGS(faults->items[i].message));
    }
}

void router_body_parsed(void *context, uint64_t number, json_t *json,
                        const struct fault_list *faults)
{
    struct api *api = context;
    struct exchange *exchange = exchange_find(api, number);

    if (exchange == NULL) { /* its client has gone */
        parser_discard(api->parser, json);
        return;
    }
    exchange_enter(api);
    exchange->body = json;
    take_faults(exchange, faults);
    exchange->reader = engine_begin_read(exchange->engine);
    if (exchange->reader == NULL) {
        exchange_send_fault(exchange, FAULT_UNAVAILABLE, "The store cannot be read now");
    } else if (admission_check_object(exchange) && check_faults(exchange)) {
        exchange->route->handle(exchange);
    }
    end_read(exchange);
    exchange_leave(api);
}
