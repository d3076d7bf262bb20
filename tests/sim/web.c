/* Requests on their way through the API, and what befalls their clients. */
#include "tests/sim/web.h"

#include <string.h>

#include "api/api.h"
#include "api/exchange_private.h"
#include "api/idempotency.h"
#include "api/reply.h"
#include "api/router.h"
#include "api/server.h"
#include "base/check.h"
#include "base/memory.h"
#include "tests/sim/web_seam.h"

enum { SLICES_MAX = 100 };

/* ---- requests under way ---- */

struct ask *web_find(struct sim *sim, uint64_t exchange)
{
    for (size_t i = sim->web != NULL ? sim->web->count : 0; i > 0; i--) {
        if (sim->web->asks[i - 1]->exchange == exchange) {
            return sim->web->asks[i - 1];
        }
    }
    return NULL;
}

static struct ask *find_request(struct web *web, const struct evhttp_request *request)
{
    for (size_t i = web->count; i > 0; i--) {
        if (web->asks[i - 1]->request == request) {
            return web->asks[i - 1];
        }
    }
    return NULL;
}

static struct ask *add(struct web *web, uint64_t exchange, const struct evhttp_request *request)
{
    struct ask *ask = memory_zero(1, sizeof(*ask));

    if (web->count == web->room) {
        web->room = web->room == 0 ? 64 : 2 * web->room;
        web->asks = memory_resize(web->asks, web->room, sizeof(struct ask *));
    }
    ask->exchange = exchange;
    ask->request = request;
    ask->is_there = true;
    ask->give_up_mono = INSTANT_NEVER;
    web->asks[web->count++] = ask;
    return ask;
}

void web_forget(struct sim *sim, struct ask *ask)
{
    struct web *web = sim->web;
    size_t i = 0;

    while (web->asks[i] != ask) {
        i++;
    }
    web->count--;
    memmove(&web->asks[i], &web->asks[i + 1], (web->count - i) * sizeof(struct ask *));
    memory_free(ask->parts);
    memory_free(ask);
}

static void forget_all(struct sim *sim)
{
    while (sim->web->count > 0) {
        web_forget(sim, sim->web->asks[sim->web->count - 1]);
    }
}

/* ---- what the API says ---- */

static void on_answer(void *context, const struct evhttp_request *request,
                      const struct api_seam_answer *answer)
{
    struct sim *sim = context;
    struct ask *ask;

    if (sim->web->is_dying) {
        return; /* nobody hears it */
    }
    ask = find_request(sim->web, request);
    SIM_REQUIRE(sim, ask != NULL); /* nobody is answered twice */
    web_judge(sim, ask, answer);
    clients_forget(sim, ask->exchange);
    web_forget(sim, ask);
}

static void on_watch(void *context, struct exchange *exchange)
{
    web_find(context, exchange->number)->is_watched = true;
}

static bool is_there(void *context, const struct exchange *exchange)
{
    const struct ask *ask = web_find(context, exchange->number);

    return ask != NULL && ask->is_there;
}

/* ---- life ---- */

void web_choose(struct sim *sim)
{
    unsigned kind = below(sim, 100);

    web_seam_watch(sim);
    if (kind >= 24) {
        return;
    }
    sim->web = memory_zero(1, sizeof(*sim->web));
    sim->web->percent = kind < 17 ? 100 : between(sim, 10, 90);
    buf_init(&sim->web->events);
    sim_count(sim, COUNT_WEB_SEEDS);
}

void web_free(struct sim *sim)
{
    if (sim->web == NULL) {
        return;
    }
    buf_deinit(&sim->web->events);
    memory_free(sim->web->asks);
    memory_free(sim->web);
    sim->web = NULL;
}

void web_begin_life(struct sim *sim)
{
    struct od_error error;

    if (sim->web == NULL) {
        return;
    }
    api_seam = (struct api_seam){
        .context = sim, .on_answer = on_answer, .on_watch = on_watch, .is_there = is_there};
    if (api_open(sim->engine, &sim->web->api, &error) != 0) {
        sim_fail(sim, "the API cannot be opened: %s", error.text);
    }
}

void web_end_life(struct sim *sim)
{
    if (sim->web == NULL) {
        return;
    }
    sim->web->is_dying = true;
    api_close(sim->web->api);
    forget_all(sim);
    sim->web->is_dying = false;
    sim->web->api = NULL;
    buf_clear(&sim->web->events);
    sim->web->part_count = 0;
}

bool web_is_next(struct sim *sim)
{
    return sim->web != NULL && (sim->web->percent == 100 || chance(sim, sim->web->percent));
}

/* ---- a request ---- */

/* A key of its own, or the admin's; an Idempotency-Key is one of those that it comes with. */
static void add_organisation(struct sim *sim, struct evhttp_request *request, uint32_t number,
                             bool is_keyed)
{
    const struct model_organisation *organisation =
        number <= MODEL_ORGANISATIONS ? &sim->model.organisations[number] : NULL;
    const char *key = number <= MODEL_ORGANISATIONS ? sim->web->organisation_keys[number] : "";
    char id[UUID_TEXT_SIZE] = "00000000-0000-7000-8000-000000000000"; /* nobody's */

    if (key[0] != '\0' && !is_keyed && chance(sim, 50)) {
        api_seam_add_header(request, "X-API-Key", key);
        return;
    }
    if (organisation != NULL && organisation->exists) {
        uuid_print(&organisation->id, id);
    }
    api_seam_add_header(request, "X-API-Key", SIM_ADMIN_KEY);
    api_seam_add_header(request, "X-Organization-Id", id);
}

static void add_headers(struct sim *sim, struct evhttp_request *request, const struct asked *asked)
{
    if (asked->is_workers) {
        api_seam_add_header(request, "Authorization",
                            arena_text(&sim->memory, arena_printf(&sim->memory, "Bearer %s",
                                                                  sim->web->worker_key)));
    } else if (asked->organisation == 0) {
        api_seam_add_header(request, "X-API-Key", SIM_ADMIN_KEY);
    } else {
        add_organisation(sim, request, asked->organisation, asked->key != NULL);
    }
    if (asked->body.size > 0) {
        api_seam_add_header(request, "Content-Type", "application/json");
    }
    if (asked->key != NULL) {
        api_seam_add_header(request, "Idempotency-Key", asked->key);
    }
}

/* Work that goes in slices (a body of many contacts) goes to its end. */
static void work_on(struct sim *sim, uint64_t number)
{
    for (unsigned i = 0; i < SLICES_MAX; i++) {
        const struct exchange *exchange = exchange_find(sim->web->api, number);

        if (exchange == NULL || exchange->own->slice == NULL) {
            return;
        }
        OD_CHECK(event_base_loop(web_seam_base(), EVLOOP_NONBLOCK) >= 0);
    }
    sim_fail(sim, "a request that works on and on");
}

uint64_t web_send(struct sim *sim, struct asked *asked, enum request_kind kind,
                  enum message_type type, uint32_t index)
{
    struct api *api = sim->web->api;
    struct evhttp_request *request =
        api_seam_request(asked->method, asked->path, buf_slice(&asked->body));
    struct exchange *exchange;
    struct ask *ask;
    uint64_t number;

    add_headers(sim, request, asked);
    buf_deinit(&asked->body);
    exchange_enter(api);
    exchange = api_seam_begin(api, request);
    number = exchange->number;
    clients_note(sim, number, kind, type, index);
    sim->requests[number].is_web = true;
    ask = add(sim->web, number, request);
    ask->read = asked->read;
    ask->organisation = asked->organisation;
    ask->number = asked->number;
    ask->items = asked->items;
    ask->id = asked->id;
    ask->is_exact = engine_reads_all(sim->engine);
    if (sim->web->part_count > 0 && kind == REQUEST_EVENTS) {
        ask->part_count = sim->web->part_count;
        ask->parts = memory_resize(NULL, ask->part_count, sizeof(*ask->parts));
        memcpy(ask->parts, sim->web->parts, ask->part_count * sizeof(*ask->parts));
        sim->web->part_count = 0;
    }
    sim_count(sim, COUNT_WEB);
    router_dispatch(exchange);
    exchange_leave(api);
    work_on(sim, number);
    return number;
}

/* ---- keys ---- */

void web_make_keys(struct sim *sim)
{
    if (sim->web == NULL) {
        return;
    }
    for (uint32_t o = 0; o <= MODEL_ORGANISATIONS; o++) {
        struct asked asked = {.method = EVHTTP_REQ_POST, .number = o};

        if (o > 0 && !sim->model.organisations[o].exists) {
            continue;
        }
        buf_init(&asked.body);
        (void)snprintf(asked.path, sizeof(asked.path), "%s",
                       o == 0 ? "/api/api-keys" : "/api/organizations/%/api-keys");
        if (o > 0) {
            web_put_id(asked.path, &sim->model.organisations[o].id);
        }
        OD_CHECK(buf_printf(&asked.body, "{\"name\":\"sim\",\"role\":\"%s\"}",
                            o == 0 ? "worker" : "org") == 0);
        (void)web_send(sim, &asked, REQUEST_WRITE, MESSAGE_API_KEY_CREATE, o);
    }
    world_rest(sim);
    SIM_REQUIRE(sim, sim->web->worker_key[0] != '\0');
}

/* ---- replies ---- */

static uint32_t claims_of(struct sim *sim, const struct reply *reply)
{
    uint32_t count = 0;

    for (size_t i = 0; i < reply->claimed.count; i++) {
        const struct claimed_call *call = &reply->claimed.calls[i];
        const struct model_execution *x = model_find(&sim->model, call->execution);

        count += x != NULL && x->exists && x->entries[call->entry].is_live;
    }
    return count;
}

/* Nobody is there any more to take the calls: each goes back at once, and does not wait for its
 * lease to end. */
static void check_given_back(struct sim *sim, const struct reply *reply, uint64_t before)
{
    uint32_t claims = claims_of(sim, reply);

    if (engine_reads_all(sim->engine)) {
        SIM_REQUIRE(sim, sim->web->released - before == claims);
    }
    sim_count(sim, COUNT_GIVEN_BACK);
}

void web_on_reply(struct sim *sim, uint64_t exchange, const struct reply *reply)
{
    const struct ask *ask = web_find(sim, exchange);
    bool is_there_now = ask != NULL && ask->is_there;
    uint64_t before = sim->web->released;

    sim->web->is_dropping = exchange == ENGINE_EVERY_EXCHANGE;
    reply_arrived(sim->web->api, exchange, reply);
    sim->web->is_dropping = false;
    if (reply->kind == REPLY_CLAIMED && reply->claimed.count > 0 && !is_there_now) {
        check_given_back(sim, reply, before);
    }
}

/* ---- time ---- */

static void time_out(struct sim *sim, struct ask *ask)
{
    struct exchange *exchange = exchange_find(sim->web->api, ask->exchange);

    ask->give_up_mono = INSTANT_NEVER;
    ask->is_timed_out = true;
    OD_CHECK(exchange != NULL);
    exchange_enter(sim->web->api);
    exchange->on_timeout(exchange);
    exchange_leave(sim->web->api);
}

static struct ask *find_due(const struct sim *sim, int64_t mono)
{
    for (size_t i = 0; i < sim->web->count; i++) {
        if (sim->web->asks[i]->give_up_mono <= mono) {
            return sim->web->asks[i];
        }
    }
    return NULL;
}

void web_time_passed(struct sim *sim)
{
    struct ask *ask;

    while (sim->web != NULL && (ask = find_due(sim, sim->mono)) != NULL) {
        time_out(sim, ask);
    }
}

int64_t web_next_mono(const struct sim *sim)
{
    int64_t next = INSTANT_NEVER;

    for (size_t i = 0; sim->web != NULL && i < sim->web->count; i++) {
        int64_t each = sim->web->asks[i]->give_up_mono;

        next = each < next ? each : next;
    }
    return next;
}

/* ---- clients that go ---- */

/* The socket says so, and the exchange hears it as from the event loop. */
static void goes_seen(struct sim *sim, struct ask *ask)
{
    struct exchange *exchange = exchange_find(sim->web->api, ask->exchange);

    exchange_enter(sim->web->api);
    exchange_stop_waiting(exchange->own);
    exchange->on_gone(exchange);
    exchange_leave(sim->web->api);
}

/* evhttp frees the connection under it. */
static void goes_with_connection(struct sim *sim, struct ask *ask)
{
    struct exchange *exchange = exchange_find(sim->web->api, ask->exchange);
    uint64_t number = ask->exchange;

    web_forget(sim, ask);
    clients_forget(sim, number);
    exchange_enter(sim->web->api);
    exchange_abandon(exchange);
    exchange_leave(sim->web->api);
}

void web_client_goes(struct sim *sim)
{
    struct ask *ask;

    if (sim->web == NULL || sim->web->count == 0) {
        return;
    }
    ask = sim->web->asks[below(sim, (uint32_t)sim->web->count)];
    if (!ask->is_there) {
        return;
    }
    sim_count(sim, COUNT_CLIENTS_GONE);
    ask->is_there = false;
    switch (below(sim, 3)) {
    case 0: break; /* unseen */
    case 1:
        if (ask->is_watched) {
            goes_seen(sim, ask);
        }
        break;
    default: goes_with_connection(sim, ask);
    }
}

/* ---- a drain ---- */

void web_stop(struct sim *sim)
{
    if (sim->web != NULL) {
        api_stop(sim->web->api);
    }
}

void web_end_waits(struct sim *sim)
{
    if (!sim->web->is_dying) {
        struct ask *ask;

        while ((ask = find_due(sim, INSTANT_NEVER - 1)) != NULL) {
            time_out(sim, ask);
        }
    }
}

/* ---- rest ---- */

void web_check_rest(struct sim *sim)
{
    const char *reason;

    if (sim->web == NULL || !engine_is_ready(sim->engine, &reason)) {
        return;
    }
    for (size_t i = 0; i < sim->web->count; i++) {
        const struct ask *ask = sim->web->asks[i];

        SIM_REQUIRE(sim, sim->requests[ask->exchange].kind == REQUEST_CLAIM);
        SIM_REQUIRE(sim, !ask->is_timed_out);
    }
}
