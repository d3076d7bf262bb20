/* Clients: what they asked, and what becomes of a request whose answer never came.
 *
 * A request with an Idempotency-Key is repeated until it is answered. One that goes over HTTP
 * (web.h) is answered by the API, which looks for the kept response itself. Another is a message:
 * before it is posted again the kept response is looked for here, as api/idempotency.c does, and
 * the text of the response is made here, too; the row and its place in the batch are the engine's.
 */
#include <string.h>

#include <sodium.h>

#include "api/idempotency.h"
#include "base/check.h"
#include "base/memory.h"
#include "model/key.h"
#include "storage/reader.h"
#include "tests/sim/web.h"

/* ---- exchanges ---- */

static void forget(struct sim *sim, struct request *request)
{
    if (request->kind == REQUEST_KEYED) {
        sim->keys[request->index].is_in_flight = false;
    }
    request->is_waiting = false;
}

void clients_begin_life(struct sim *sim)
{
    for (uint64_t i = 1; i <= sim->last_exchange; i++) {
        if (sim->requests[i].is_waiting) {
            forget(sim, &sim->requests[i]);
            sim_count(sim, COUNT_UNANSWERED);
        }
    }
    sim->last_exchange = 0;
}

void clients_forget(struct sim *sim, uint64_t exchange)
{
    forget(sim, &sim->requests[exchange]);
}

void clients_note(struct sim *sim, uint64_t exchange, enum request_kind kind,
                  enum message_type type, uint32_t index)
{
    SIM_REQUIRE(sim, exchange < SIM_EXCHANGES);
    sim->last_exchange = exchange;
    sim->requests[exchange] =
        (struct request){.kind = kind, .type = type, .is_waiting = true, .index = index};
    sim_count(sim, COUNT_REQUESTS);
    if (kind == REQUEST_FOREIGN) {
        sim_count(sim, COUNT_FOREIGN);
    }
}

void clients_note_post(struct sim *sim, const struct message *message)
{
    if (message->exchange == 0) { /* the API's own */
        SIM_REQUIRE(sim, sim->web != NULL && message->type == MESSAGE_CALL_RELEASED);
        sim->web->released++;
        return;
    }
    if (message->exchange > sim->last_exchange) { /* the API's first key */
        clients_note(sim, message->exchange, REQUEST_WRITE, message->type, 0);
        sim->requests[message->exchange].is_web = true;
    }
    sim->requests[message->exchange].posted++;
}

/* NOLINTNEXTLINE(readability-function-size): its parameters are a message */
uint64_t clients_post_past(struct sim *sim, enum request_kind kind, enum message_type type,
                           uint32_t actor, const union payload *payload, struct arena *arena,
                           uint32_t index)
{
    uint64_t exchange = engine_next_exchange(sim->engine);
    const struct message message = {.actor = {message_actor_kind(type), actor},
                                    .type = type,
                                    .exchange = exchange,
                                    .payload = *payload};

    clients_note(sim, exchange, kind, type, index);
    engine_post(sim->engine, &message, arena);
    return exchange;
}

/* NOLINTNEXTLINE(readability-function-size): its parameters are a message */
uint64_t clients_post(struct sim *sim, enum request_kind kind, enum message_type type,
                      uint32_t actor, const union payload *payload, struct arena *arena,
                      uint32_t index)
{
    if (kind == REQUEST_KEYED ? sim->keys[index].is_web
                              : kind != REQUEST_EVENT && web_is_next(sim)) {
        uint64_t exchange = web_ask(sim, kind, type, actor, payload, index);

        arena_free(arena);
        return exchange;
    }
    return clients_post_past(sim, kind, type, actor, payload, arena, index);
}

/* ---- answers that are let out ---- */

static bool is_unavailable(const struct reply *reply)
{
    return reply->kind == REPLY_FAULT && reply->fault.code == FAULT_UNAVAILABLE;
}

/* A commit was refused: whoever waits has heard 503, and nothing of it was done. */
static void on_dropped(struct sim *sim)
{
    for (uint64_t i = 1; i <= sim->last_exchange; i++) {
        if (sim->requests[i].is_waiting && !sim->requests[i].is_web) {
            SIM_REQUIRE(sim, sim->requests[i].durable == 0);
            forget(sim, &sim->requests[i]);
            sim_count(sim, COUNT_UNAVAILABLE);
        }
    }
    log_clear(&sim->filling);
    log_clear(&sim->writing);
    model_on_start(sim);
}

/* Over HTTP a client hears of it when its answer is whole. */
static void on_web(struct sim *sim, uint64_t exchange, struct request *request,
                   const struct reply *reply)
{
    if (!is_unavailable(reply)) {
        SIM_REQUIRE(sim, request->released < request->durable); /* durable before visible */
        request->released++;
    }
    web_on_reply(sim, exchange, reply);
    if (web_find(sim, exchange) == NULL) {
        request->is_waiting = false; /* the first key's, or its client has gone */
    }
}

static void on_keyed(struct sim *sim, struct request *request, const struct reply *reply)
{
    struct keyed_request *key = &sim->keys[request->index];

    key->is_in_flight = false;
    key->is_done = true;
    SIM_REQUIRE(sim, key->done == (reply->kind == REPLY_FAULT ? 0U : 1U));
}

void clients_on_reply(void *context, uint64_t exchange, const struct reply *reply)
{
    struct sim *sim = context;
    struct request *request;

    if (exchange == ENGINE_EVERY_EXCHANGE) {
        on_dropped(sim);
        if (sim->web != NULL) {
            web_on_reply(sim, exchange, reply);
        }
        return;
    }
    SIM_REQUIRE(sim, exchange > 0 && exchange <= sim->last_exchange);
    request = &sim->requests[exchange];
    if (request->is_web) {
        on_web(sim, exchange, request, reply);
        return;
    }
    SIM_REQUIRE(sim, request->is_waiting); /* nobody is answered twice */
    if (is_unavailable(reply)) {
        SIM_REQUIRE(sim, request->durable == 0);
        forget(sim, request);
        sim_count(sim, COUNT_UNAVAILABLE);
        return;
    }
    SIM_REQUIRE(sim, request->durable == 1); /* durable before visible */
    request->released++;
    request->is_waiting = false;
    if (reply->kind == REPLY_FAULT) {
        sim_count(sim, COUNT_REFUSED);
    }
    if (request->kind == REQUEST_KEYED) {
        on_keyed(sim, request, reply);
    } else if (request->kind == REQUEST_CLAIM && reply->kind == REPLY_CLAIMED) {
        workers_on_claimed(sim, reply);
    } else if (request->kind == REQUEST_EVENT && reply->kind == REPLY_EVENT) {
        workers_on_event(sim, request->index, &request->claim_id, request->type,
                         reply->event.status, reply->event.dial_by);
    }
}

/* ---- idempotency ---- */

const struct response_kept *clients_on_keep(void *context, uint64_t exchange,
                                            const struct reply *reply, struct arena *arena)
{
    struct sim *sim = context;
    const struct request *request = &sim->requests[exchange];
    struct response_kept *kept;

    if (exchange != 0 && exchange <= sim->last_exchange && request->is_web) {
        return idempotency_keep(sim->web->api, exchange, reply, arena);
    }
    if (exchange == 0 || exchange > sim->last_exchange || request->kind != REQUEST_KEYED ||
        is_unavailable(reply)) {
        return NULL;
    }
    kept = arena_zalloc(arena, sizeof(*kept));
    kept->organisation = sim->keys[request->index].organisation;
    memcpy(kept->hash, sim->keys[request->index].hash, KEY_HASH_BYTES);
    kept->response.status = reply->kind == REPLY_FAULT ? 400 : 200;
    kept->response.request_id = SLICE("sim");
    kept->response.body = SLICE("{}");
    return kept;
}

static bool find_kept(struct sim *sim, const struct keyed_request *key,
                      struct kept_response *response)
{
    struct reader *reader = engine_begin_read(sim->engine);
    struct key row = key_idempotency(key->organisation, key->hash);
    struct arena arena;
    int code;

    SIM_REQUIRE(sim, reader != NULL);
    arena_init(&arena, 1024);
    code = reader_get(reader, TABLE_IDEMPOTENCY, &row, &arena, response);
    arena_deinit(&arena);
    engine_end_read(sim->engine, reader);
    SIM_REQUIRE(sim, code == 0 || code == OD_ENOTFOUND);
    return code == 0 &&
           response->created_at + KEPT_RESPONSE_HOURS * MS_PER_HOUR > engine_now(sim->engine);
}

static void post_once(struct sim *sim, uint32_t index)
{
    const struct keyed_request *key = &sim->keys[index];
    union payload payload;

    if (key->type == MESSAGE_CREDITS_ADD) {
        payload.credits =
            (struct credits_change){.organisation = key->organisation, .amount = key->amount};
        clients_post(sim, REQUEST_KEYED, key->type, 0, &payload, NULL, index);
        return;
    }
    payload.launch_request = (struct launch_request){
        .program_id = key->id,
        .execution_number = engine_next_number(sim->engine, TABLE_EXECUTION),
        .execution_id = engine_new_id(sim->engine)};
    clients_post(sim, REQUEST_KEYED, key->type, key->organisation, &payload, NULL, index);
}

static void post_keyed(struct sim *sim, uint32_t index)
{
    struct keyed_request *key = &sim->keys[index];

    key->is_in_flight = true;
    key->tries++;
    if (key->is_web && chance(sim, 10)) {
        sim_count(sim, COUNT_TWINS); /* it is sent twice at once */
        post_once(sim, index);
    }
    post_once(sim, index);
}

static void new_key(struct sim *sim, const struct keyed_request *made)
{
    uint32_t index = sim->next_key % SIM_KEYS;
    struct keyed_request *key = &sim->keys[index];

    if (key->is_used && !key->is_done) {
        return; /* too many wait */
    }
    *key = *made;
    key->is_used = true;
    key->is_web = web_is_next(sim);
    for (unsigned i = 0; i < KEY_HASH_BYTES; i += 8) {
        uint64_t random = prng_next(&sim->prng);

        memcpy(key->hash + i, &random, sizeof(random));
    }
    (void)sodium_bin2hex(key->text, sizeof(key->text), key->hash, sizeof(key->hash));
    sim->next_key++;
    post_keyed(sim, index);
}

void clients_add_credits(struct sim *sim, uint32_t organisation, int64_t amount)
{
    new_key(sim, &(struct keyed_request){
                     .type = MESSAGE_CREDITS_ADD, .organisation = organisation, .amount = amount});
}

void clients_launch(struct sim *sim, const struct model_program *program)
{
    new_key(sim, &(struct keyed_request){.type = MESSAGE_PROGRAM_LAUNCH,
                                         .organisation = program->organisation,
                                         .id = program->id});
}

void clients_repeat(struct sim *sim)
{
    for (uint32_t i = 0; i < SIM_KEYS; i++) {
        struct keyed_request *key = &sim->keys[i];
        struct kept_response response;

        if (!key->is_used || key->is_done || key->is_in_flight) {
            continue;
        }
        if (key->is_web) {
            if (key->told.is_told &&
                key->latest_at - key->told_at >= KEPT_RESPONSE_HOURS * MS_PER_HOUR) {
                key->is_done = true; /* its response may be gone, and it be done again */
            } else {
                post_keyed(sim, i);
            }
        } else if (find_kept(sim, key, &response)) {
            key->is_done = true;
            SIM_REQUIRE(sim, key->done == (response.status == 200 ? 1U : 0U));
            sim_count(sim, COUNT_REPLAYED);
        } else if (key->done > 0) { /* its response is kept for a day, in the same batch */
            SIM_REQUIRE(sim, key->latest_at - key->done_at >= KEPT_RESPONSE_HOURS * MS_PER_HOUR);
            key->is_done = true;
        } else {
            post_keyed(sim, i);
        }
    }
}

bool clients_are_all_answered(struct sim *sim)
{
    for (uint32_t i = 0; i < SIM_KEYS; i++) {
        if (sim->keys[i].is_used && !sim->keys[i].is_done) {
            return false;
        }
    }
    return true;
}

void clients_give_up(struct sim *sim)
{
    for (uint64_t i = 1; i <= sim->last_exchange; i++) {
        const struct request *request = &sim->requests[i];
        const struct message message = {
            .actor = {ACTOR_DISPATCHER, 0}, .type = MESSAGE_CLAIM_GIVEN_UP, .exchange = i};

        if (request->is_waiting && request->kind == REQUEST_CLAIM && !request->is_web) {
            engine_post(sim->engine, &message, NULL);
        }
    }
}
