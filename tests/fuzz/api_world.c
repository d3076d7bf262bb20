#include "tests/fuzz/api_world.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

#include "api/exchange_private.h"
#include "api/reply.h"
#include "base/log.h"
#include "gateways/kinds.h"
#include "tests/fuzz/api_actors.h"
#include "tests/fuzz/api_world_private.h"
#include "tests/fuzz/api_world_rows.h"
#include "tests/seam/api_seam.h"

enum {
    ID_COUNTER_START = 10000, /* of what an input makes */
    NUMBER_START = 1000,
    BODY_MAX = PARSER_BODY_BYTES_MIN - 1,
};

#define ADMIN_KEY "fuzz-admin-key"
#define START     INT64_C(1767607200000) /* 2026-01-05T10:00:00Z, a Monday */

struct api_world api_world;

/* ---- a request ---- */

static void add_headers(struct evhttp_request *request, const struct api_request *asked)
{
    char organisation[UUID_TEXT_SIZE];
    struct uuid id = api_world_id(asked->organisation != 0 ? asked->organisation : 100);

    uuid_print(&id, organisation);
    api_seam_add_header(request, "X-API-Key",
                        asked->route->access == ACCESS_WORKER ? api_world.worker_key : ADMIN_KEY);
    if (asked->route->access == ACCESS_ORGANISATION ||
        (asked->route->access == ACCESS_ORGANISATION_OR_ADMIN && asked->variant % 2 == 0)) {
        api_seam_add_header(request, "X-Organization-Id", organisation);
    }
    if (asked->body.size > 0) {
        api_seam_add_header(request, "Content-Type",
                            asked->content_type != NULL ? asked->content_type : "application/json");
    }
    if (asked->accept != NULL) {
        api_seam_add_header(request, "Accept", asked->accept);
    }
}

/* With a target that evhttp would take over, which guard_fuzz looks after. */
static struct evhttp_request *request_of(const struct api_request *asked)
{
    struct evhttp_request *request;
    struct slice body = asked->body;
    char path[API_WORLD_PATH_SIZE];
    struct buf target;

    body.size = body.size <= BODY_MAX ? body.size : BODY_MAX;
    api_world_print_path(asked->route->path, asked->variant, path);
    buf_init(&target);
    OD_CHECK(buf_printf(&target, "%s%s%.*s", path, asked->query.size > 0 ? "?" : "",
                        SLICE_ARGS(asked->query)) == 0);
    OD_CHECK(buf_append_byte(&target, '\0') == 0);
    request = api_seam_request(asked->route->method, target.data, body);
    buf_deinit(&target);
    add_headers(request, asked);
    return request;
}

struct exchange *api_world_begin(const struct api_request *asked)
{
    struct exchange *exchange;

    buf_clear(&api_world.answer.body);
    api_world.answer = (struct api_answer){.body = api_world.answer.body};
    if (api_world.is_open) {
        api_world.next_id = ID_COUNTER_START;
        api_world.next_number = NUMBER_START;
    }
    exchange_enter(api_world.api);
    exchange = api_seam_begin(api_world.api, request_of(asked));
    exchange->route = asked->route;
    exchange->organisation = 1;
    api_world.exchange = exchange->number;
    exchange_leave(api_world.api);
    return exchange;
}

void api_world_end(struct exchange *exchange)
{
    exchange_enter(api_world.api);
    exchange_abandon(exchange);
    exchange_leave(api_world.api);
}

const struct api_answer *api_world_send_faults(struct exchange *exchange)
{
    api_world.answer.status = 0;
    buf_clear(&api_world.answer.body);
    exchange_enter(api_world.api);
    exchange_send_faults(exchange);
    exchange_leave(api_world.api);
    return &api_world.answer;
}

/* Hands what has been posted to the actors, and what they reply to the API. */
static void deliver(void)
{
    size_t done = 0;

    /* A reply may make the API post again. */
    for (; done < api_world.posted_count; done++) {
        const struct message *message = &api_world.posted[done].message;
        const struct reply *replies;
        size_t count = api_actors_handle(message, &replies);

        for (size_t i = 0; i < count; i++) {
            OD_CHECK(replies[i].exchange == api_world.exchange);
            reply_arrived(api_world.api, replies[i].exchange, &replies[i]);
        }
    }
    for (size_t i = 0; i < api_world.posted_count; i++) {
        arena_free(api_world.posted[i].arena);
    }
    api_world.posted_count = 0;
    api_actors_rewind();
}

bool api_world_handle(const struct message *message, struct reply *reply)
{
    struct message timed = *message;
    const struct reply *replies;
    size_t count;

    timed.at = engine_now(api_world.engine);
    timed.mono = engine_mono(api_world.engine);
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

    exchange_enter(api_world.api);
    exchange->organisation = 0;
    router_dispatch(exchange);
    exchange_leave(api_world.api);
    if (api_world.is_open) {
        deliver();
    }
    while (!api_world.is_open && api_world.answer.status == 0) {
        OD_CHECK(event_base_loop(engine_base(api_world.engine), EVLOOP_ONCE) == 0);
    }
    exchange = exchange_find(api_world.api, number);
    if (exchange != NULL) {
        api_world_end(exchange);
    }
    if (api_world.is_open) {
        deliver(); /* what an end posts */
    }
    return &api_world.answer;
}

/* ---- the store ---- */

static void run_step(const struct api_world_step *step)
{
    struct api_request request = {
        .route = api_world_route_named(step->route),
        .variant = step->variant,
        .organisation = step->organisation,
        .body = slice_from(step->body),
    };
    const struct api_answer *answer;

    api_world.next_id = step->id;
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
    struct api_request request = {.route = api_world_route_named("POST /api/api-keys"),
                                  .body = SLICE("{\"name\":\"worker\",\"role\":\"worker\"}")};
    const struct api_answer *answer;
    json_t *json;

    api_world.next_id = 121;
    answer = api_world_ask(&request);
    json = json_loadb(answer->body.data, answer->body.size, 0, NULL);
    OD_CHECK(json != NULL);
    OD_CHECK(snprintf(api_world.worker_key, sizeof(api_world.worker_key), "%s",
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

    (void)snprintf(api_world.directory, sizeof(api_world.directory), "%s/outdial-fuzz-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    OD_CHECK(mkdtemp(api_world.directory) != NULL);
    config_defaults(&api_world.config, gateway_kinds);
    api_world.config.data_dir = api_world.directory;
    api_world.config.map_size_bytes = UINT64_C(64) << 20;
    api_world.config.listen = "127.0.0.1:0";
    api_world.config.has_test_clock = true;
    api_world.config.test_clock_at = START;
    OD_CHECK(setenv("OUTDIAL_ADMIN_KEY", ADMIN_KEY, 1) == 0);
    if (engine_open(&api_world.config, &api_world.engine, &error) != 0 ||
        api_open(api_world.engine, &api_world.api, &error) != 0) {
        (void)fprintf(stderr, "fuzz: %s\n", error.text);
        abort();
    }
}

void api_world_open(void)
{
    const char *reason;

    log_open(LOG_LEVEL_ERROR, LOG_TEXT_FORMAT, open("/dev/null", O_WRONLY | O_CLOEXEC));
    buf_init(&api_world.answer.body);
    api_world_catch();
    open_engine();
    while (!api_is_ready(api_world.api, &reason)) {
        OD_CHECK(event_base_loop(engine_base(api_world.engine), EVLOOP_ONCE) == 0);
    }
    /* The same cursors in each run. */
    auth_init(&api_world.api->auth, SLICE("fuzz"), ADMIN_KEY);
    take_worker_key();
    for (const struct api_world_step *step = api_world_steps; step->route != NULL; step++) {
        run_step(step);
    }
    api_actors_open(api_world.engine);
    OD_CHECK(nftw(api_world.directory, remove_file, 8, FTW_DEPTH | FTW_PHYS) == 0);
    api_world.is_open = true;
}
