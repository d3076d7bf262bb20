/* Paths and their ids, and which route a line means. */
#include <stdio.h>

#include "api/routes.h"
#include "tests/fuzz/api_world_private.h"

enum {
    VARIANTS = 4, /* of a resource's ids */
    ROUTES_MAX = 256,
};

/* ---- ids ---- */

struct uuid api_world_id(uint32_t n)
{
    char text[UUID_TEXT_SIZE];
    struct uuid id;

    (void)snprintf(text, sizeof(text), "00000000-0000-7000-8000-%012u", n);
    OD_CHECK(uuid_parse(slice_from(text), &id));
    return id;
}

/* What the id behind a segment of a path can be: the first is the usual one. */
static const struct {
    const char *segment;
    uint32_t ids[VARIANTS];
} resources[] = {
    {"organizations", {100, 110, 999, 100}},
    {"api-keys", {120, 121, 999, 120}},
    {"dids", {200, 201, 202, 999}},
    {"custom-attributes", {300, 303, 304, 999}},
    {"contacts", {400, 401, 410, 402}},
    {"audiences", {500, 501, 510, 999}},
    {"flows", {600, 601, 610, 999}},
    {"programs", {700, 701, 702, 703}},
    {"program-executions", {803, 801, 999, 803}},
};

static uint32_t resource_id(struct slice segment, unsigned variant)
{
    for (size_t i = 0; i < sizeof(resources) / sizeof(resources[0]); i++) {
        if (slice_equal_text(segment, resources[i].segment)) {
            return resources[i].ids[variant % VARIANTS];
        }
    }
    return 999;
}

void api_world_print_path(const char *path, unsigned variant, char out[API_WORLD_PATH_SIZE])
{
    struct slice before = SLICE("");
    size_t used = 0;

    while (*path != '\0') {
        struct slice segment = slice_make(path + 1, strcspn(path + 1, "/"));
        char id[UUID_TEXT_SIZE];
        struct slice shown = segment;

        if (segment.size > 0 && segment.data[0] == ':') {
            struct uuid uuid = api_world_id(resource_id(before, variant));

            uuid_print(&uuid, id);
            shown = slice_from(id);
        }
        used +=
            (size_t)snprintf(out + used, API_WORLD_PATH_SIZE - used, "/%.*s", SLICE_ARGS(shown));
        before = segment;
        path += 1 + segment.size;
    }
}

/* ---- routes ---- */

static size_t wanted_routes(bool (*is_wanted)(const struct route *),
                            const struct route *out[ROUTES_MAX])
{
    size_t count = 0;

    for (const struct route *route = routes_test_clock; route->path != NULL; route++) {
        if (is_wanted(route)) {
            out[count++] = route;
        }
    }
    for (const struct route *const *table = routes_all; *table != NULL; table++) {
        for (const struct route *route = *table; route->path != NULL; route++) {
            OD_CHECK(count < ROUTES_MAX);
            if (is_wanted(route)) {
                out[count++] = route;
            }
        }
    }
    return count;
}

static bool is_named(const struct route *route, struct slice line)
{
    const char *method = router_method_name(route->method);
    size_t size = strlen(method);

    return line.size > size && memcmp(line.data, method, size) == 0 && line.data[size] == ' ' &&
           slice_equal_text(slice_make(line.data + size + 1, line.size - size - 1), route->path);
}

const struct route *api_world_route(struct slice line, bool (*is_wanted)(const struct route *),
                                    unsigned *variant)
{
    const struct route *routes[ROUTES_MAX];
    size_t count = wanted_routes(is_wanted, routes);

    OD_CHECK(count > 0);
    *variant = 0;
    if (line.size > 2 && line.data[line.size - 2] == ' ') {
        *variant = (unsigned char)line.data[line.size - 1] - (unsigned)'0';
        line.size -= 2;
    }
    for (size_t i = 0; i < count; i++) {
        if (is_named(routes[i], line)) {
            return routes[i];
        }
    }
    return routes[fuzz_byte(&line) % count];
}

const struct route *api_world_route_named(const char *name)
{
    struct slice line = slice_from(name);

    for (const struct route *const *table = routes_all; *table != NULL; table++) {
        for (const struct route *route = *table; route->path != NULL; route++) {
            if (is_named(route, line)) {
                return route;
            }
        }
    }
    (void)fprintf(stderr, "fuzz: there is no route \"%s\"\n", name);
    abort();
}
