#include "tests/fuzz/api_world.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/http_struct.h>
#include <sodium.h>

#include "api/connection_private.h"
#include "api/exchange_private.h"
#include "api/reply.h"
#include "api/routes.h"
#include "api/server.h"
#include "base/instant.h"
#include "base/log.h"
#include "engine/zones.h"
#include "gateways/kinds.h"
#include "storage/record.h"
#include "tests/fuzz/api_actors.h"
#include "tests/fuzz/api_world_rows.h"

enum {
    VARIANTS = 4, /* of a resource's ids */
    ID_COUNTER_START = 10000, /* of what an input makes */
    NUMBER_START = 1000,
    TARGET_SIZE = 512,
    ROUTES_MAX = 256,
    POSTED_MAX = 1100, /* a body of call events has 1000 */
    BODY_MAX = PARSER_BODY_BYTES_MIN - 1,
};

#define ADMIN_KEY "fuzz-admin-key"
#define START     INT64_C(1767607200000) /* 2026-01-05T10:00:00Z, a Monday */

struct posted {
    struct message message;
    struct arena *arena;
};

static struct {
    char directory[64];
    struct config config;
    struct engine *engine;
    struct api *api;
    struct connection connection;
    char worker_key[AUTH_KEY_TEXT_SIZE];
    bool is_open; /* the world stands still */
    uint32_t next_id, next_number;
    struct posted posted[POSTED_MAX];
    size_t posted_count;
    uint64_t exchange;
    struct api_answer answer;
} world;

/* ---- ids ---- */

static struct uuid id_of(uint32_t n)
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

/* A route's path with its ids. */
static void print_path(const char *path, unsigned variant, char out[TARGET_SIZE])
{
    struct slice before = SLICE("");
    size_t used = 0;

    while (*path != '\0') {
        struct slice segment = slice_make(path + 1, strcspn(path + 1, "/"));
        char id[UUID_TEXT_SIZE];
        struct slice shown = segment;

        if (segment.size > 0 && segment.data[0] == ':') {
            struct uuid uuid = id_of(resource_id(before, variant));

            uuid_print(&uuid, id);
            shown = slice_from(id);
        }
        used += (size_t)snprintf(out + used, TARGET_SIZE - used, "/%.*s", SLICE_ARGS(shown));
        before = segment;
        path += 1 + segment.size;
    }
}

/* ---- what is caught ---- */

/* NOLINTBEGIN(bugprone-reserved-identifier): the names are the linker's */

void __real_engine_post(struct engine *engine, const struct message *message, struct arena *arena);
void __wrap_engine_post(struct engine *engine, const struct message *message, struct arena *arena);
struct uuid __wrap_engine_new_id(struct engine *engine);
uint32_t __real_engine_next_number(struct engine *engine, enum table table);
uint32_t __wrap_engine_next_number(struct engine *engine, enum table table);
bool __wrap_engine_advance(struct engine *engine, int64_t to,
                           void (*done)(void *context, int64_t now), void *context);
void __wrap_evhttp_send_reply(struct evhttp_request *request, int status, const char *reason,
                              struct evbuffer *body);
void __wrap_evhttp_send_reply_start(struct evhttp_request *request, int status, const char *reason);
void __wrap_evhttp_send_reply_chunk_with_cb(struct evhttp_request *request, struct evbuffer *body,
                                            void (*done)(struct evhttp_connection *, void *),
                                            void *context);
void __wrap_evhttp_send_reply_end(struct evhttp_request *request);
evutil_socket_t __wrap_connection_fd(const struct connection *connection);
void __wrap_exchange_watch_client(struct exchange *exchange);
bool __wrap_exchange_client_is_there(const struct exchange *exchange);
size_t __wrap_exchange_stream_unsent(const struct exchange *exchange);

void __wrap_engine_post(struct engine *engine, const struct message *message, struct arena *arena)
{
    struct posted *posted = &world.posted[world.posted_count];

    if (!world.is_open) {
        __real_engine_post(engine, message, arena);
        return;
    }
    OD_CHECK(world.posted_count < POSTED_MAX);
    OD_CHECK(message_actor_kind(message->type) == message->actor.kind);
    *posted = (struct posted){*message, arena};
    posted->message.at = engine_now(engine);
    posted->message.mono = engine_mono(engine);
    world.posted_count++;
    world.answer.has_posted = true;
}

struct uuid __wrap_engine_new_id(struct engine *engine)
{
    (void)engine;
    return id_of(world.next_id++);
}

uint32_t __wrap_engine_next_number(struct engine *engine, enum table table)
{
    return world.is_open ? world.next_number++ : __real_engine_next_number(engine, table);
}

bool __wrap_engine_advance(struct engine *engine, int64_t to,
                           void (*done)(void *context, int64_t now), void *context)
{
    (void)done;
    (void)context;
    OD_CHECK(to >= engine_now(engine));
    OD_CHECK(to <= INSTANT_MAX);
    return false;
}

static void keep_headers(struct evhttp_request *request)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    const char *type = evhttp_find_header(headers, "Content-Type");

    (void)snprintf(world.answer.type, sizeof(world.answer.type), "%s", type != NULL ? type : "");
    world.answer.has_id = evhttp_find_header(headers, "X-Request-Id") != NULL;
}

static void keep_body(struct evbuffer *body)
{
    size_t size = evbuffer_get_length(body);

    OD_CHECK(buf_reserve(&world.answer.body, size) == 0);
    (void)evbuffer_remove(body, world.answer.body.data + world.answer.body.size, size);
    world.answer.body.size += size;
}

/* A request without a connection is its receiver's to free. */
void __wrap_evhttp_send_reply(struct evhttp_request *request, int status, const char *reason,
                              struct evbuffer *body)
{
    (void)reason;
    OD_CHECK(body == NULL);
    OD_CHECK(world.answer.status == 0);
    world.answer.status = status;
    keep_headers(request);
    keep_body(evhttp_request_get_output_buffer(request));
    evhttp_request_free(request);
}

void __wrap_evhttp_send_reply_start(struct evhttp_request *request, int status, const char *reason)
{
    (void)reason;
    OD_CHECK(world.answer.status == 0);
    world.answer.status = status;
    world.answer.has_begun = true;
    keep_headers(request);
}

void __wrap_evhttp_send_reply_chunk_with_cb(struct evhttp_request *request, struct evbuffer *body,
                                            void (*done)(struct evhttp_connection *, void *),
                                            void *context)
{
    (void)request;
    (void)done;
    (void)context;
    OD_CHECK(world.answer.has_begun);
    keep_body(body);
}

void __wrap_evhttp_send_reply_end(struct evhttp_request *request)
{
    evhttp_request_free(request);
}

evutil_socket_t __wrap_connection_fd(const struct connection *connection)
{
    (void)connection;
    return -1;
}

void __wrap_exchange_watch_client(struct exchange *exchange)
{
    OD_CHECK(exchange->on_gone != NULL);
}

bool __wrap_exchange_client_is_there(const struct exchange *exchange)
{
    (void)exchange;
    return true;
}

size_t __wrap_exchange_stream_unsent(const struct exchange *exchange)
{
    (void)exchange;
    return 0;
}

/* NOLINTEND(bugprone-reserved-identifier) */

/* ---- a request ---- */

static void add_header(struct evhttp_request *request, const char *name, const char *value)
{
    OD_CHECK(evhttp_add_header(evhttp_request_get_input_headers(request), name, value) == 0);
}

static void add_headers(struct evhttp_request *request, const struct api_request *asked)
{
    char organisation[UUID_TEXT_SIZE];
    struct uuid id = id_of(asked->organisation != 0 ? asked->organisation : 100);

    uuid_print(&id, organisation);
    add_header(request, "X-API-Key",
               asked->route->access == ACCESS_WORKER ? world.worker_key : ADMIN_KEY);
    if (asked->route->access == ACCESS_ORGANISATION ||
        (asked->route->access == ACCESS_ORGANISATION_OR_ADMIN && asked->variant % 2 == 0)) {
        add_header(request, "X-Organization-Id", organisation);
    }
    if (asked->body.size > 0) {
        add_header(request, "Content-Type",
                   asked->content_type != NULL ? asked->content_type : "application/json");
    }
    if (asked->accept != NULL) {
        add_header(request, "Accept", asked->accept);
    }
}

/* With a target that evhttp would take over, which guard_fuzz looks after. */
static struct evhttp_request *request_of(const struct api_request *asked)
{
    struct evhttp_request *request = evhttp_request_new(NULL, NULL);
    struct slice body = asked->body;
    char path[TARGET_SIZE];
    struct buf target;

    OD_CHECK(request != NULL);
    print_path(asked->route->path, asked->variant, path);
    buf_init(&target);
    OD_CHECK(buf_printf(&target, "%s%s%.*s", path, asked->query.size > 0 ? "?" : "",
                        SLICE_ARGS(asked->query)) == 0);
    OD_CHECK(buf_append_byte(&target, '\0') == 0);
    request->kind = EVHTTP_REQUEST;
    request->type = asked->route->method;
    request->uri = strdup(target.data);
    OD_CHECK(request->uri != NULL);
    buf_deinit(&target);
    add_headers(request, asked);
    body.size = body.size <= BODY_MAX ? body.size : BODY_MAX;
    OD_CHECK(evbuffer_add(evhttp_request_get_input_buffer(request), body.data, body.size) == 0);
    return request;
}

struct exchange *api_world_begin(const struct api_request *asked)
{
    struct exchange *exchange;

    buf_clear(&world.answer.body);
    world.answer = (struct api_answer){.body = world.answer.body};
    if (world.is_open) {
        world.next_id = ID_COUNTER_START;
        world.next_number = NUMBER_START;
    }
    exchange_enter(world.api);
    exchange = exchange_new(world.api, request_of(asked), &world.connection);
    exchange->route = asked->route;
    exchange->organisation = 1;
    world.exchange = exchange->number;
    exchange_leave(world.api);
    return exchange;
}

void api_world_end(struct exchange *exchange)
{
    exchange_enter(world.api);
    exchange_abandon(exchange);
    exchange_leave(world.api);
}

const struct api_answer *api_world_send_faults(struct exchange *exchange)
{
    world.answer.status = 0;
    buf_clear(&world.answer.body);
    exchange_enter(world.api);
    exchange_send_faults(exchange);
    exchange_leave(world.api);
    return &world.answer;
}

/* Hands what has been posted to the actors, and what they reply to the API. */
static void deliver(void)
{
    size_t done = 0;

    /* A reply may make the API post again. */
    for (; done < world.posted_count; done++) {
        const struct message *message = &world.posted[done].message;
        const struct reply *replies;
        size_t count = api_actors_handle(message, &replies);

        for (size_t i = 0; i < count; i++) {
            OD_CHECK(replies[i].exchange == world.exchange);
            reply_arrived(world.api, replies[i].exchange, &replies[i]);
        }
    }
    for (size_t i = 0; i < world.posted_count; i++) {
        arena_free(world.posted[i].arena);
    }
    world.posted_count = 0;
    api_actors_rewind();
}

bool api_world_handle(const struct message *message, struct reply *reply)
{
    struct message timed = *message;
    const struct reply *replies;
    size_t count;

    timed.at = engine_now(world.engine);
    timed.mono = engine_mono(world.engine);
    count = api_actors_handle(&timed, &replies);
    if (count > 0) {
        *reply = replies[0];
    }
    return count > 0;
}

const struct api_answer *api_world_ask(const struct api_request *asked)
{
    struct exchange *exchange = api_world_begin(asked);
    uint64_t number = exchange->number;

    exchange_enter(world.api);
    exchange->organisation = 0;
    router_dispatch(exchange);
    exchange_leave(world.api);
    if (world.is_open) {
        deliver();
    }
    while (!world.is_open && world.answer.status == 0) {
        OD_CHECK(event_base_loop(engine_base(world.engine), EVLOOP_ONCE) == 0);
    }
    exchange = exchange_find(world.api, number);
    if (exchange != NULL) {
        api_world_end(exchange);
    }
    if (world.is_open) {
        deliver(); /* what an end posts */
    }
    return &world.answer;
}

/* ---- what is true of any answer ---- */

static bool is_expected(int status)
{
    static const int expected[] = {200, 201, 204, 304, 400, 404, 405, 409, 415, 422};

    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        if (status == expected[i]) {
            return true;
        }
    }
    return false;
}

static void check_details(const json_t *details)
{
    size_t i;
    json_t *detail;

    OD_CHECK(json_array_size(details) > 0);
    json_array_foreach(details, i, detail)
    {
        const char *message = json_string_value(json_object_get(detail, "message"));

        OD_CHECK(json_is_string(json_object_get(detail, "path")));
        OD_CHECK(message != NULL);
        OD_CHECK(message[0] != '\0');
    }
}

/* The one body of all errors (api.md, "Errors"). */
static void check_error(const json_t *json, int status)
{
    const char *error = json_string_value(json_object_get(json, "error"));
    const char *message = json_string_value(json_object_get(json, "message"));

    OD_CHECK(json_integer_value(json_object_get(json, "statusCode")) == status);
    OD_CHECK(json_is_string(json_object_get(json, "requestId")));
    OD_CHECK(error != NULL);
    OD_CHECK(message != NULL);
    OD_CHECK(message[0] != '\0');
    if (strcmp(error, "ValidationError") == 0) {
        OD_CHECK(status == 400);
        check_details(json_object_get(json, "details"));
    } else {
        OD_CHECK(json_object_get(json, "details") == NULL);
    }
}

static void check_body(const struct api_answer *answer)
{
    json_error_t error;
    json_t *json = json_loadb(answer->body.data, answer->body.size, JSON_REJECT_DUPLICATES, &error);

    OD_CHECK(json != NULL);
    if (answer->status >= 400) {
        check_error(json, answer->status);
    }
    json_decref(json);
}

/* What belongs to the other organisation has this in its text; a fault that repeats a name may show it too. */
#define FOREIGN "Elsewhere"

void api_world_check(const struct api_request *request, const struct api_answer *answer)
{
    struct slice body = buf_slice(&answer->body);

    if (answer->status == 0) {
        OD_CHECK(answer->has_posted || request->route->method == EVHTTP_REQ_GET);
        return;
    }
    OD_CHECK(is_expected(answer->status));
    OD_CHECK(answer->has_id);
    if (answer->status == 204 || answer->status == 304) {
        OD_CHECK(body.size == 0);
    } else if (strncmp(answer->type, "application/json", 16) == 0) {
        check_body(answer);
    }
    if (request->route->access == ACCESS_ORGANISATION && !fuzz_contains(request->body, "lse") &&
        !fuzz_contains(request->query, "lse") && !fuzz_contains(request->query, "%")) {
        OD_CHECK(!fuzz_contains(body, FOREIGN));
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

/* ---- the store ---- */

static const struct route *route_named(const char *name)
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

static void run_step(const struct api_world_step *step)
{
    struct api_request request = {
        .route = route_named(step->route),
        .variant = step->variant,
        .organisation = step->organisation,
        .body = slice_from(step->body),
    };
    const struct api_answer *answer;

    world.next_id = step->id;
    answer = api_world_ask(&request);
    if (answer->status < 200 || answer->status >= 300) {
        (void)fprintf(stderr, "fuzz: %s %s: %d %.*s\n", step->route, step->body, answer->status,
                      SLICE_ARGS(buf_slice(&answer->body)));
        abort();
    }
    if (getenv("OUTDIAL_FUZZ_SHOW") != NULL) {
        (void)fprintf(stderr, "%s: %d %.*s\n", step->route, answer->status,
                      SLICE_ARGS(buf_slice(&answer->body)));
    }
}

/* The worker's key is random, and known from its answer only. */
static void take_worker_key(void)
{
    struct api_request request = {.route = route_named("POST /api/api-keys"),
                                  .body = SLICE("{\"name\":\"worker\",\"role\":\"worker\"}")};
    const struct api_answer *answer;
    json_t *json;

    world.next_id = 121;
    answer = api_world_ask(&request);
    json = json_loadb(answer->body.data, answer->body.size, 0, NULL);
    OD_CHECK(json != NULL);
    OD_CHECK(snprintf(world.worker_key, sizeof(world.worker_key), "%s",
                      json_string_value(json_object_get(json, "key"))) == AUTH_KEY_TEXT_SIZE - 1);
    json_decref(json);
}

static int remove_file(const char *path, const struct stat *what, int type, struct FTW *where)
{
    (void)what;
    (void)type;
    (void)where;
    return remove(path);
}

static void open_engine(void)
{
    struct od_error error;

    (void)snprintf(world.directory, sizeof(world.directory), "%s/outdial-fuzz-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    OD_CHECK(mkdtemp(world.directory) != NULL);
    config_defaults(&world.config, gateway_kinds);
    world.config.data_dir = world.directory;
    world.config.map_size_bytes = UINT64_C(64) << 20;
    world.config.listen = "127.0.0.1:0";
    world.config.has_test_clock = true;
    world.config.test_clock_at = START;
    OD_CHECK(setenv("OUTDIAL_ADMIN_KEY", ADMIN_KEY, 1) == 0);
    if (engine_open(&world.config, &world.engine, &error) != 0 ||
        api_open(world.engine, &world.api, &error) != 0) {
        (void)fprintf(stderr, "fuzz: %s\n", error.text);
        abort();
    }
}

void api_world_open(void)
{
    const char *reason;

    log_open(LOG_LEVEL_ERROR, LOG_TEXT_FORMAT, open("/dev/null", O_WRONLY | O_CLOEXEC));
    buf_init(&world.answer.body);
    open_engine();
    world.connection.http = &world.api->http;
    while (!api_is_ready(world.api, &reason)) {
        OD_CHECK(event_base_loop(engine_base(world.engine), EVLOOP_ONCE) == 0);
    }
    /* The same cursors in each run. */
    auth_init(&world.api->auth, SLICE("fuzz"), ADMIN_KEY);
    take_worker_key();
    for (const struct api_world_step *step = api_world_steps; step->route != NULL; step++) {
        run_step(step);
    }
    api_actors_open(world.engine);
    OD_CHECK(nftw(world.directory, remove_file, 8, FTW_DEPTH | FTW_PHYS) == 0);
    world.is_open = true;
}
