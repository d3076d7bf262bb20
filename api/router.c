#include "api/router.h"

#include <string.h>
#include <strings.h>

#include <event2/buffer.h>

#include "api/json.h"
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

bool router_allow(const struct router *router, struct slice target, bool is_ops, struct buf *out)
{
    struct segments path;
    unsigned allowed = 0;
    size_t begun = out->size;

    if (!split(path_of(target), &path)) {
        return false;
    }
    for (size_t i = 0; i < router->count; i++) {
        if (is_served(&router->routes[i], is_ops) && matches(&router->routes[i].segments, &path)) {
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

/* ---- the checks, in their order; each returns false with the exchange answered ---- */

static bool refuse_method(struct exchange *exchange, struct slice target)
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
    return false;
}

static bool find_route(struct exchange *exchange, struct slice target, struct segments *path,
                       const struct compiled_route **out)
{
    const struct router *router = exchange->api->router;
    enum evhttp_cmd_type method = evhttp_request_get_command(exchange_request(exchange));
    bool is_ops = exchange_is_ops(exchange);

    if (!split(path_of(target), path)) {
        return refuse_method(exchange, target);
    }
    for (size_t i = 0; i < router->count; i++) {
        const struct compiled_route *route = &router->routes[i];

        if (route->route->method == method && is_served(route, is_ops) &&
            matches(&route->segments, path)) {
            exchange->route = route->route;
            *out = route;
            return true;
        }
    }
    return refuse_method(exchange, target);
}

static const char *header(const struct exchange *exchange, const char *name)
{
    return evhttp_find_header(evhttp_request_get_input_headers(exchange_request(exchange)), name);
}

static bool check_key(struct exchange *exchange, struct caller *caller)
{
    struct slice key;
    int error = OD_ENOTFOUND;

    if (auth_key_of(header(exchange, "Authorization"), header(exchange, "X-API-Key"), &key)) {
        error = auth_lookup(&exchange->api->auth, exchange->reader, key, caller);
    }
    if (error == OD_ENOTFOUND) {
        exchange_send_fault(exchange, FAULT_UNAUTHORIZED, "A valid API key is needed");
        return false;
    }
    if (error != 0) {
        exchange_send_unreadable(exchange, error);
        return false;
    }
    exchange->role = caller->role;
    return true;
}

static bool role_fits(enum route_access access, enum role role)
{
    switch (access) {
    case ACCESS_OPEN: return true;
    case ACCESS_ADMIN: return role == ROLE_ADMIN;
    case ACCESS_ORGANISATION:
    case ACCESS_ORGANISATION_OR_ADMIN: return role == ROLE_ADMIN || role == ROLE_ORG;
    case ACCESS_WORKER: return role == ROLE_WORKER;
    }
    return false;
}

static bool refuse_organisation(struct exchange *exchange)
{
    exchange_send_fault(exchange, FAULT_ORGANIZATION_NOT_FOUND,
                        "The organization that X-Organization-Id names was not found");
    return false;
}

/* Whose data: the key's own organisation, or the one that an admin names. An org key may name its
 * own; another's does not exist for it. */
static bool check_organisation(struct exchange *exchange, const struct caller *caller)
{
    const char *text = header(exchange, "X-Organization-Id");
    struct number_row row;
    struct uuid id;
    struct key key;
    int error;

    exchange->organisation = caller->organisation;
    if (exchange->route->access == ACCESS_ADMIN || exchange->route->access == ACCESS_WORKER) {
        return true;
    }
    if (text == NULL) {
        if (caller->role == ROLE_ORG || exchange->route->access == ACCESS_ORGANISATION_OR_ADMIN) {
            return true;
        }
        faults_add(&exchange->faults, SLICE("X-Organization-Id"),
                   "must name the organization, as the key is an admin's");
        exchange_send_faults(exchange);
        return false;
    }
    if (!uuid_parse(slice_from(text), &id)) {
        return refuse_organisation(exchange);
    }
    key = key_uuid(&id);
    error = reader_get(exchange->reader, TABLE_ORGANISATION_BY_ID, &key, &exchange->arena, &row);
    if (error != 0 && error != OD_ENOTFOUND) {
        exchange_send_unreadable(exchange, error);
        return false;
    }
    if (error == OD_ENOTFOUND ||
        (caller->role == ROLE_ORG && row.number != caller->organisation)) {
        return refuse_organisation(exchange);
    }
    exchange->organisation = row.number;
    return true;
}

static bool check_access(struct exchange *exchange)
{
    struct caller caller;

    if (exchange->route->access == ACCESS_OPEN) {
        return true;
    }
    if (!exchange->api->first_key.is_durable) {
        exchange_send_fault(exchange, FAULT_UNAVAILABLE, "The service is starting");
        return false;
    }
    exchange->reader = engine_begin_read(exchange->engine);
    if (exchange->reader == NULL) {
        exchange_send_fault(exchange, FAULT_UNAVAILABLE, "The store cannot be read now");
        return false;
    }
    if (!check_key(exchange, &caller)) {
        return false;
    }
    if (!role_fits(exchange->route->access, caller.role)) {
        exchange_send_fault(exchange, FAULT_FORBIDDEN, "The key's role may not do this");
        return false;
    }
    return check_organisation(exchange, &caller);
}

static bool check_ids(struct exchange *exchange, const struct compiled_route *route,
                      const struct segments *path)
{
    size_t count = 0;

    for (size_t i = 0; i < path->count; i++) {
        if (!is_id(route->segments.items[i])) {
            continue;
        }
        OD_CHECK(count < ROUTE_IDS_MAX);
        if (!uuid_parse(path->items[i], &exchange->ids[count])) {
            exchange_send_fault(exchange, exchange->route->not_found[count], "%.64s not found",
                                arena_text(&exchange->arena, path->items[i]));
            return false;
        }
        count++;
    }
    return true;
}

static bool check_query(struct exchange *exchange, struct slice target)
{
    size_t path_size = path_of(target).size;
    struct slice query = SLICE("");

    if (path_size < target.size) {
        query = slice_make(target.data + path_size + 1, target.size - path_size - 1);
    }
    query_read(exchange, query);
    if (faults_any(&exchange->faults)) {
        exchange_send_faults(exchange);
        return false;
    }
    return true;
}

/* application/json, in UTF-8 if it says so (RFC 8259 11; other parameters mean nothing). */
static bool is_json_type(const char *type)
{
    static const char json[] = "application/json";
    const char *charset;

    if (type == NULL || strncasecmp(type, json, sizeof(json) - 1) != 0) {
        return false;
    }
    type += sizeof(json) - 1;
    type += strspn(type, " \t");
    if (*type != '\0' && *type != ';') {
        return false;
    }
    charset = strcasestr(type, "charset=");
    if (charset == NULL) {
        return true;
    }
    charset += strlen("charset=");
    charset += *charset == '"';
    if (strncasecmp(charset, "utf-8", 5) != 0) {
        return false;
    }
    return charset[5] == '\0' || strchr("\"; \t", charset[5]) != NULL;
}

static bool check_body(struct exchange *exchange)
{
    struct evbuffer *input = evhttp_request_get_input_buffer(exchange_request(exchange));
    size_t size = evbuffer_get_length(input);
    struct slice text;

    if (exchange->route->body == ROUTE_BODY_NONE ||
        (exchange->route->body == ROUTE_BODY_OPTIONAL && size == 0)) {
        return true;
    }
    if (size > 0 && !is_json_type(header(exchange, "Content-Type"))) {
        exchange_send_fault(exchange, FAULT_UNSUPPORTED_MEDIA_TYPE,
                            "The body must be application/json");
        return false;
    }
    text = slice_make((const char *)evbuffer_pullup(input, -1), size);
    exchange->body = json_parse(text, &exchange->faults);
    if (exchange->body != NULL && !json_is_object(exchange->body)) {
        faults_add(&exchange->faults, SLICE(""), "must be a JSON object");
    }
    (void)evbuffer_drain(input, size);
    if (faults_any(&exchange->faults)) {
        exchange_send_faults(exchange);
        return false;
    }
    return true;
}

void router_dispatch(struct exchange *exchange)
{
    struct slice target = slice_from(evhttp_request_get_uri(exchange_request(exchange)));
    const struct compiled_route *route;
    struct segments path;

    if (find_route(exchange, target, &path, &route) && check_access(exchange) &&
        check_ids(exchange, route, &path) && check_query(exchange, target) &&
        check_body(exchange)) {
        exchange->route->handle(exchange);
    }
    if (exchange->reader != NULL) {
        engine_end_read(exchange->engine, exchange->reader);
        exchange->reader = NULL;
    }
}
