/* What would take the API to sockets, threads and the event loop, caught by the linker
 * (tests/CMakeLists.txt, --wrap). The event loop is never run but for slices of work. */
#include "tests/sim/web_seam.h"

#include "api/exchange_private.h"
#include "api/http.h"
#include "api/parser.h"
#include "base/check.h"
#include "tests/sim/web.h"

/* Calls have no context of the simulation; one runs in a process. */
static struct sim *watched;

void web_seam_watch(struct sim *sim)
{
    watched = sim;
}

struct event_base *web_seam_base(void)
{
    static struct event_base *base; /* of this process */

    if (base == NULL) {
        base = event_base_new();
        OD_CHECK(base != NULL);
    }
    return base;
}

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names */

void __real_engine_post(struct engine *engine, const struct message *message, struct arena *arena);
void __wrap_engine_post(struct engine *engine, const struct message *message, struct arena *arena);
struct event_base *__wrap_engine_base(struct engine *engine);
int __wrap_http_open(struct http *http, struct api *api, const char *address, bool is_ops,
                     struct od_error *error);
void __wrap_http_close(struct http *http);
void __wrap_http_stop(struct http *http);
void __wrap_http_resume(struct http *http);
int __wrap_parser_open(struct event_base *base, parser_done_fn done, void *context,
                       struct parser **out, struct od_error *error);
void __wrap_parser_close(struct parser *parser);
void __wrap_exchange_wait(struct exchange *exchange, uint32_t wait_ms);
void __real_exchange_stop_waiting(struct exchange_private *own);
void __wrap_exchange_stop_waiting(struct exchange_private *own);
void __wrap_exchange_end_waits(struct api *api);

void __wrap_engine_post(struct engine *engine, const struct message *message, struct arena *arena)
{
    clients_note_post(watched, message);
    __real_engine_post(engine, message, arena);
}

struct event_base *__wrap_engine_base(struct engine *engine)
{
    (void)engine;
    return web_seam_base();
}

int __wrap_http_open(struct http *http, struct api *api, const char *address, bool is_ops,
                     struct od_error *error)
{
    (void)address;
    (void)error;
    http->api = api;
    http->is_ops = is_ops;
    return 0;
}

void __wrap_http_close(struct http *http)
{
    (void)http;
}

void __wrap_http_stop(struct http *http)
{
    (void)http;
}

void __wrap_http_resume(struct http *http)
{
    (void)http;
}

/* Bodies of the simulation are small. */
int __wrap_parser_open(struct event_base *base, parser_done_fn done, void *context,
                       struct parser **out, struct od_error *error)
{
    (void)base;
    (void)done;
    (void)context;
    (void)error;
    *out = NULL;
    return 0;
}

void __wrap_parser_close(struct parser *parser)
{
    (void)parser;
}

void __wrap_exchange_wait(struct exchange *exchange, uint32_t wait_ms)
{
    struct ask *ask = web_find(watched, exchange->number);

    OD_CHECK(ask != NULL);
    OD_CHECK(exchange->on_timeout != NULL);
    ask->give_up_mono = watched->mono + (int64_t)wait_ms;
}

void __wrap_exchange_stop_waiting(struct exchange_private *own)
{
    struct ask *ask = web_find(watched, own->number);

    if (ask != NULL) {
        ask->give_up_mono = INSTANT_NEVER;
        ask->is_watched = false;
    }
    __real_exchange_stop_waiting(own);
}

void __wrap_exchange_end_waits(struct api *api)
{
    (void)api;
    web_end_waits(watched);
}

/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */
