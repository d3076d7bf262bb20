/* The contract describes the routes that there are, and no other; the headers that its files are
 * asked for with. */
#include "api/reference.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "api/routes.h"
#include "tests/support/od_test.h"

enum { PATH_SIZE = 128, METHODS = 4, ROUTES_MAX = 512 };

static const struct {
    enum evhttp_cmd_type method;
    const char *name;
} methods[METHODS] = {{EVHTTP_REQ_GET, "get"},
                      {EVHTTP_REQ_POST, "post"},
                      {EVHTTP_REQ_PATCH, "patch"},
                      {EVHTTP_REQ_DELETE, "delete"}};

struct fixture {
    json_t *contract;
    const struct route *routes[ROUTES_MAX];
    size_t count;
};

static void add_routes(struct fixture *fixture, const struct route *table)
{
    for (; table->path != NULL; table++) {
        /* The page's own files are no contract. */
        if (strncmp(table->path, "/docs/", 6) != 0) {
            assert_true(fixture->count < ROUTES_MAX);
            fixture->routes[fixture->count++] = table;
        }
    }
}

static int set_up(void **state)
{
    static struct fixture fixture;
    struct slice text = reference_file(REFERENCE_CONTRACT).plain;

    memset(&fixture, 0, sizeof(fixture));
    fixture.contract = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(fixture.contract);
    add_routes(&fixture, routes_ops);
    add_routes(&fixture, routes_test_clock);
    for (const struct route *const *table = routes_all; *table != NULL; table++) {
        add_routes(&fixture, *table);
    }
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    json_decref(fixture->contract);
    return 0;
}

/* "/api/programs/:id" as the contract writes it: "/api/programs/{id}". */
static void contract_path(const char *path, char out[PATH_SIZE])
{
    size_t size = 0;
    bool is_inside = false;

    for (;; path++) {
        assert_true(size + 2 < PATH_SIZE);
        if (is_inside && (*path == '/' || *path == '\0')) {
            out[size++] = '}';
            is_inside = false;
        }
        if (*path == ':') {
            is_inside = true;
            out[size++] = '{';
            continue;
        }
        out[size++] = *path;
        if (*path == '\0') {
            return;
        }
    }
}

static const char *method_name(enum evhttp_cmd_type method)
{
    for (size_t i = 0; i < METHODS; i++) {
        if (methods[i].method == method) {
            return methods[i].name;
        }
    }
    fail_msg("a method that this test does not know");
    return "";
}

/* Follows {"$ref": "#/components/KIND/NAME"}. */
static json_t *resolve(json_t *contract, json_t *node)
{
    const char *reference = json_string_value(json_object_get(node, "$ref"));
    char kind[PATH_SIZE], name[PATH_SIZE];

    if (reference == NULL) {
        return node;
    }
    assert_int_equal(sscanf(reference, "#/components/%63[^/]/%63[^/]", kind, name), 2);
    node = json_object_get(json_object_get(contract, "components"), kind);
    node = json_object_get(node, name);
    assert_non_null(node);
    return node;
}

/* The operation of a route; NULL: the contract has none. */
static json_t *operation_of(const struct fixture *fixture, const struct route *route)
{
    char path[PATH_SIZE];
    json_t *item;

    contract_path(route->path, path);
    item = json_object_get(json_object_get(fixture->contract, "paths"), path);
    return json_object_get(item, method_name(route->method));
}

static bool has_parameter(const struct fixture *fixture, json_t *operation, const char *in,
                          const char *name)
{
    json_t *parameter;
    size_t i;

    json_array_foreach(json_object_get(operation, "parameters"), i, parameter)
    {
        json_t *resolved = resolve(fixture->contract, parameter);

        if (strcmp(json_string_value(json_object_get(resolved, "name")), name) == 0 &&
            strcmp(json_string_value(json_object_get(resolved, "in")), in) == 0) {
            return true;
        }
    }
    return false;
}

static void each_route_is_in_the_contract(void **state)
{
    const struct fixture *fixture = *state;

    for (size_t i = 0; i < fixture->count; i++) {
        const struct route *route = fixture->routes[i];

        if (operation_of(fixture, route) == NULL) {
            fail_msg("%s %s is a route, and not in api/openapi.yaml", method_name(route->method),
                     route->path);
        }
    }
}

static bool is_route(const struct fixture *fixture, const char *path, const char *method)
{
    for (size_t i = 0; i < fixture->count; i++) {
        char text[PATH_SIZE];

        contract_path(fixture->routes[i]->path, text);
        if (strcmp(text, path) == 0 &&
            strcmp(method_name(fixture->routes[i]->method), method) == 0) {
            return true;
        }
    }
    return false;
}

static void assert_is_route(const struct fixture *fixture, const char *path, const char *method)
{
    if (!is_route(fixture, path, method)) {
        fail_msg("%s %s is in api/openapi.yaml, and no route", method, path);
    }
}

static void each_operation_is_a_route(void **state)
{
    const struct fixture *fixture = *state;
    const char *path, *name;
    json_t *item, *operation;
    size_t count = 0;

    json_object_foreach(json_object_get(fixture->contract, "paths"), path, item)
    {
        json_object_foreach(item, name, operation)
        {
            if (strcmp(name, "parameters") == 0) {
                continue;
            }
            count++;
            assert_is_route(fixture, path, name);
        }
    }
    assert_int_equal(count, fixture->count);
}

static void the_same_need_a_key(void **state)
{
    const struct fixture *fixture = *state;

    for (size_t i = 0; i < fixture->count; i++) {
        const struct route *route = fixture->routes[i];
        json_t *operation = operation_of(fixture, route);
        json_t *security = json_object_get(operation, "security");
        bool is_open = security != NULL && json_array_size(security) == 0;
        bool is_organisations =
            route->access == ACCESS_ORGANISATION || route->access == ACCESS_ORGANISATION_OR_ADMIN;

        if (is_open != (route->access == ACCESS_OPEN)) {
            fail_msg("%s %s: whether a key is needed", method_name(route->method), route->path);
        }
        if (has_parameter(fixture, operation, "header", "X-Organization-Id") != is_organisations) {
            fail_msg("%s %s: X-Organization-Id", method_name(route->method), route->path);
        }
    }
}

static size_t query_parameters(const struct fixture *fixture, json_t *operation)
{
    json_t *parameter;
    size_t i, count = 0;

    json_array_foreach(json_object_get(operation, "parameters"), i, parameter)
    {
        json_t *in = json_object_get(resolve(fixture->contract, parameter), "in");

        count += strcmp(json_string_value(in), "query") == 0;
    }
    return count;
}

static void assert_has_query(const struct fixture *fixture, json_t *operation,
                             const struct route *route, const char *name)
{
    if (!has_parameter(fixture, operation, "query", name)) {
        fail_msg("%s: the parameter %s is not in api/openapi.yaml", route->path, name);
    }
}

static void they_take_the_same_query_parameters(void **state)
{
    const struct fixture *fixture = *state;

    for (size_t i = 0; i < fixture->count; i++) {
        const struct route *route = fixture->routes[i];
        json_t *operation = operation_of(fixture, route);
        size_t count = route->is_list ? 2 : 0;

        if (route->is_list && (!has_parameter(fixture, operation, "query", "limit") ||
                               !has_parameter(fixture, operation, "query", "cursor"))) {
            fail_msg("%s: a list without limit or cursor", route->path);
        }
        for (const struct route_query *query = route->query; query != NULL && query->name != NULL;
             query++, count++) {
            assert_has_query(fixture, operation, route, query->name);
        }
        if (query_parameters(fixture, operation) != count) {
            fail_msg("%s: api/openapi.yaml has a parameter that the route has not", route->path);
        }
    }
}

static void they_take_the_same_bodies(void **state)
{
    const struct fixture *fixture = *state;

    for (size_t i = 0; i < fixture->count; i++) {
        const struct route *route = fixture->routes[i];
        json_t *operation = operation_of(fixture, route);
        json_t *body = json_object_get(operation, "requestBody");
        bool is_required = json_is_true(json_object_get(body, "required"));
        bool is_post = route->method == EVHTTP_REQ_POST;

        if ((body != NULL) != (route->body != ROUTE_BODY_NONE) ||
            (body != NULL && is_required != (route->body != ROUTE_BODY_OPTIONAL))) {
            fail_msg("%s %s: whether there is a body", method_name(route->method), route->path);
        }
        if (is_post != has_parameter(fixture, operation, "header", "Idempotency-Key")) {
            fail_msg("%s %s: Idempotency-Key", method_name(route->method), route->path);
        }
    }
}

static void a_file_has_a_hash_and_is_smaller_compressed(void **state)
{
    (void)state;
    for (enum reference_name name = REFERENCE_CONTRACT; name <= REFERENCE_STYLE; name++) {
        struct reference_file file = reference_file(name);

        assert_true(file.plain.size > 0);
        assert_true(file.gzip.size > 2 && file.gzip.size < file.plain.size);
        assert_memory_equal(file.gzip.data, "\x1f\x8b", 2);
        assert_int_equal(file.hash.size, 32);
        for (size_t i = 0; i < file.hash.size; i++) {
            assert_true(isxdigit((unsigned char)file.hash.data[i]));
        }
    }
}

static void gzip_is_taken_where_the_client_says_so(void **state)
{
    (void)state;
    assert_false(reference_takes_gzip(NULL));
    assert_false(reference_takes_gzip(""));
    assert_false(reference_takes_gzip("identity"));
    assert_false(reference_takes_gzip("gzipped, br"));
    assert_false(reference_takes_gzip("br;q=1, gzip;q=0"));
    assert_false(reference_takes_gzip("*, gzip;q=0.0"));
    assert_false(reference_takes_gzip("*;q=0"));
    assert_true(reference_takes_gzip("gzip"));
    assert_true(reference_takes_gzip("br , GZip ; q=0.5 "));
    assert_true(reference_takes_gzip("deflate, gzip, br, zstd"));
    assert_true(reference_takes_gzip("br, *"));
}

static void an_etag_is_found_in_a_list(void **state)
{
    struct slice etag = SLICE("\"abc\"");

    (void)state;
    assert_false(reference_etag_matches(NULL, etag));
    assert_false(reference_etag_matches("", etag));
    assert_false(reference_etag_matches("\"abcd\"", etag));
    assert_false(reference_etag_matches("abc", etag));
    assert_true(reference_etag_matches("\"abc\"", etag));
    assert_true(reference_etag_matches("\"x\", W/\"abc\"", etag));
    assert_true(reference_etag_matches("*", etag));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_route_is_in_the_contract),
    cmocka_unit_test(each_operation_is_a_route),
    cmocka_unit_test(the_same_need_a_key),
    cmocka_unit_test(they_take_the_same_query_parameters),
    cmocka_unit_test(they_take_the_same_bodies),
    cmocka_unit_test(a_file_has_a_hash_and_is_smaller_compressed),
    cmocka_unit_test(gzip_is_taken_where_the_client_says_so),
    cmocka_unit_test(an_etag_is_found_in_a_list),
};

OD_TEST_MAIN_FIXTURE(tests, set_up, tear_down)
