/* Operations: is it alive, can it work, what does it count? (api.md, "Operations") */
#include "api/routes.h"

#include "api/json.h"
#include "api/server.h"
#include "base/check.h"
#include "engine/metrics.h"

static void send_status(struct exchange *exchange, int status, const char *text, const char *reason)
{
    json_t *body = json_new_object();

    json_put(body, "status", json_from_slice(slice_from(text)));
    if (reason != NULL) {
        json_put(body, "reason", json_from_slice(slice_from(reason)));
    }
    exchange_send_json(exchange, status, body);
}

static void healthz(struct exchange *exchange)
{
    send_status(exchange, 200, "ok", NULL);
}

static void readyz(struct exchange *exchange)
{
    const char *reason = NULL;

    if (api_is_ready(exchange->api, &reason)) {
        send_status(exchange, 200, "ready", NULL);
        return;
    }
    exchange_add_header(exchange, "Retry-After", "1");
    send_status(exchange, 503, "unavailable", reason);
}

static void show_metrics(struct exchange *exchange)
{
    struct buf text;
    int error;

    buf_init(&text);
    error = metrics_print(engine_metrics(exchange->engine), &text);
    OD_CHECK(error == 0);
    exchange_send_text(exchange, "text/plain; version=0.0.4; charset=utf-8", buf_slice(&text));
    buf_deinit(&text);
}

const struct route routes_ops[] = {
    {.method = EVHTTP_REQ_GET, .path = "/healthz", .handle = healthz},
    {.method = EVHTTP_REQ_GET, .path = "/readyz", .handle = readyz},
    {.method = EVHTTP_REQ_GET, .path = "/metrics", .handle = show_metrics},
    {.path = NULL},
};
