#include "api/api.h"

#include <signal.h>
#include <stdlib.h>

#include <sodium.h>

#include "api/idempotency.h"
#include "api/limits.h"
#include "api/reply.h"
#include "api/server.h"
#include "base/check.h"
#include "base/memory.h"
#include "storage/reader.h"

enum {
    TICKS_A_SECOND = 4,
    CLOSE_SECONDS_MAX = 5 /* for answers to be written to clients that read slowly */
};

/* Read before there is a second thread that could change it. */
static const char *environment_key(void)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nothing sets the environment */
    return getenv("OUTDIAL_ADMIN_KEY");
}

/* The API keys' hashes and the cursors belong to this store. */
static int open_auth(struct api *api, struct od_error *error)
{
    struct reader *reader = engine_begin_read(api->engine);
    struct key key = key_text(SLICE("store.id"));
    struct arena arena;
    struct meta meta;
    int code;

    if (reader == NULL) {
        return od_error_set(error, OD_EIO, "the store cannot be read");
    }
    arena_init(&arena, 256);
    code = reader_get(reader, TABLE_META, &key, &arena, &meta);
    if (code == 0) {
        auth_init(&api->auth, meta.text, environment_key());
    }
    arena_deinit(&arena);
    engine_end_read(api->engine, reader);
    if (code != 0) {
        return od_error_set(error, code, "the store's id: %s", od_error_text(code));
    }
    return 0;
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    struct api *api = context;

    (void)fd;
    (void)what;
    http_resume(&api->http);
    http_resume(&api->ops_http);
    api->ticks++;
    event_streams_tick(&api->streams);
    if (api->ticks % TICKS_A_SECOND == 0) {
        connections_second(&api->connections);
        limits_second(api);
        event_streams_second(&api->streams);
    }
    if (engine_is_draining(api->engine)) {
        api_stop(api);
    }
}

static int open_timer(struct api *api, struct od_error *error)
{
    struct timeval interval = {.tv_usec = 1000000 / TICKS_A_SECOND};

    api->tick = event_new(engine_base(api->engine), -1, EV_PERSIST, on_tick, api);
    if (api->tick == NULL || event_add(api->tick, &interval) != 0) {
        return od_error_set(error, OD_ENOMEM, "out of memory");
    }
    return 0;
}

static int open_parts(struct api *api, struct od_error *error)
{
    const struct config *config = engine_config(api->engine);
    int code = open_auth(api, error);

    if (code == 0) {
        code = open_timer(api, error);
    }
    if (code == 0) {
        code = http_open(&api->http, api, config->listen, false, error);
    }
    if (code == 0 && config->ops_listen[0] != '\0') {
        code = http_open(&api->ops_http, api, config->ops_listen, true, error);
    }
    if (code == 0) {
        code = first_key_open(api, error);
    }
    return code;
}

/* A client that closes while it is written to must not end the process. */
static void ignore_sigpipe(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    (void)sigaction(SIGPIPE, &ignore, NULL);
}

static void free_api(struct api *api)
{
    engine_set_replies(api->engine, NULL, NULL);
    engine_set_keeper(api->engine, NULL, NULL);
    engine_set_publish(api->engine, NULL, NULL);
    http_close(&api->http);
    http_close(&api->ops_http);
    connections_deinit(&api->connections);
    limits_deinit(api);
    event_streams_deinit(&api->streams);
    first_key_close(api);
    if (api->tick != NULL) {
        event_free(api->tick);
    }
    router_free(api->router);
    memory_free(api);
}

int api_open(struct engine *engine, struct api **out, struct od_error *error)
{
    const struct config *config = engine_config(engine);
    struct api *api;
    int code;

    if (sodium_init() < 0) {
        return od_error_set(error, OD_EIO, "no random numbers");
    }
    ignore_sigpipe();
    api = memory_zero(1, sizeof(*api));
    api->engine = engine;
    api->router = router_new(engine_has_test_clock(engine), config->ops_listen[0] != '\0');
    randombytes_buf(&api->request_id_bits, sizeof(api->request_id_bits));
    connections_init(&api->connections, api);
    event_streams_init(&api->streams, api);
    engine_set_replies(engine, reply_arrived, api);
    engine_set_keeper(engine, idempotency_keep, api);
    engine_set_publish(engine, event_streams_published, api);
    code = open_parts(api, error);
    if (code != 0) {
        od_error_prefix(error, "api");
        free_api(api);
        return code;
    }
    *out = api;
    return 0;
}

void api_stop(struct api *api)
{
    if (api->is_stopping) {
        return;
    }
    api->is_stopping = true;
    http_stop(&api->http);
    http_stop(&api->ops_http);
    exchange_end_waits(api);
    event_streams_stop(&api->streams);
}

/* No actor will answer any more. */
static void answer_unavailable(struct exchange *exchange, const struct reply *reply)
{
    (void)reply;
    exchange_send_fault(exchange, FAULT_UNAVAILABLE, "The service is stopping");
}

void api_close(struct api *api)
{
    struct timeval limit = {.tv_sec = CLOSE_SECONDS_MAX};
    struct event_base *base;

    if (api == NULL) {
        return;
    }
    api_stop(api);
    exchange_enter(api);
    idempotency_drop(api);
    exchange_each(api, answer_unavailable, NULL);
    exchange_leave(api);
    base = engine_base(api->engine);
    (void)event_base_loopexit(base, &limit);
    while (connections_are_writing(&api->connections) && event_base_loop(base, EVLOOP_ONCE) == 0 &&
           !event_base_got_exit(base)) {
    }
    free_api(api);
}

uint16_t api_port(const struct api *api)
{
    return api->http.port;
}

uint16_t api_ops_port(const struct api *api)
{
    return api->ops_http.port;
}

bool api_is_ready(const struct api *api, const char **reason)
{
    if (!api->first_key.is_durable) {
        *reason = "The first admin key is being stored";
        return false;
    }
    if (api->is_stopping) {
        *reason = "The service is stopping";
        return false;
    }
    return engine_is_ready(api->engine, reason);
}
