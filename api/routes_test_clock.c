/* The test clock (api.md, "Test clock"): these routes exist only when the engine runs on one. */
#include "api/body.h"
#include "api/json.h"
#include "api/routes.h"
#include "api/server.h"
#include "base/instant.h"

static void send_now(struct exchange *exchange, int64_t now)
{
    json_t *body = json_new_object();

    json_put(body, "now", json_from_instant(now));
    exchange_send_json(exchange, 200, body);
}

static void get_clock(struct exchange *exchange)
{
    send_now(exchange, engine_now(exchange->engine));
}

/* The client may have gone by then, so its exchange is looked up. */
static void on_advanced(void *context, int64_t now)
{
    struct api *api = context;
    struct exchange *exchange = exchange_find(api, api->advance_exchange);

    exchange_enter(api);
    api->advance_exchange = 0;
    if (exchange != NULL) {
        send_now(exchange, now);
    }
    exchange_leave(api);
}

/* Reads where the clock is to go: by seconds, or to an instant. */
static int64_t read_target(struct exchange *exchange, struct body_value *root)
{
    const double seconds_max = (double)INSTANT_MAX / MS_PER_SECOND;
    int64_t now = engine_now(exchange->engine);
    struct body_value place;
    double seconds = 0;
    int64_t to = now;
    enum property by = body_get(root, "seconds", PROPERTY_OPTIONAL, &place);
    enum property until;

    if (by == PROPERTY_GIVEN && value_number(&place, 0, seconds_max, &seconds)) {
        to = now + (int64_t)(seconds * MS_PER_SECOND + 0.5);
        if (to > INSTANT_MAX) {
            value_fault(&place, "must not lead beyond the year 9999");
        }
    }
    until = body_instant(root, "to", PROPERTY_OPTIONAL, &to);
    if (until == PROPERTY_GIVEN && to < now) {
        body_fault(root, "to", "must not be before the clock's time");
    }
    if ((by == PROPERTY_GIVEN || by == PROPERTY_FAULTY) ==
        (until == PROPERTY_GIVEN || until == PROPERTY_FAULTY)) {
        faults_add(&exchange->faults, SLICE(""), "must have either seconds or to");
    }
    body_close(root);
    return to;
}

static void advance(struct exchange *exchange)
{
    struct api *api = exchange->api;
    struct body_value root;
    const char *reason;
    int64_t to;

    body_open(&root, exchange->body, &exchange->faults, &exchange->arena);
    to = read_target(exchange, &root);
    if (faults_any(&exchange->faults)) {
        exchange_send_faults(exchange);
    } else if (!engine_is_ready(exchange->engine, &reason)) {
        exchange_send_fault(exchange, FAULT_UNAVAILABLE, "%s", reason);
    } else if (!engine_advance(exchange->engine, to, on_advanced, api)) {
        exchange_send_fault(exchange, FAULT_CONFLICT, "The clock is being advanced already");
    } else {
        api->advance_exchange = exchange->number;
    }
}

const struct route routes_test_clock[] = {
    {.method = EVHTTP_REQ_GET,
     .path = "/api/test-clock",
     .access = ACCESS_ADMIN,
     .handle = get_clock},
    {.method = EVHTTP_REQ_POST,
     .path = "/api/test-clock/advance",
     .access = ACCESS_ADMIN,
     .body = ROUTE_BODY_JSON,
     .handle = advance},
    {.path = NULL},
};
