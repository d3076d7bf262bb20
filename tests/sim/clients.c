/* Clients: what they asked, and what becomes of a request whose answer never came.
 *
 * A request with an Idempotency-Key is repeated until it is answered. Before it is posted again the
 * kept response is looked for, as the API does (api/idempotency.c): the simulation stands below
 * HTTP, so that look-up and the text of the response are its own, and the row and its place in the
 * batch are the engine's.
 */
#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "model/key.h"
#include "storage/reader.h"
#include "tests/sim/sim.h"

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

/* NOLINTNEXTLINE(readability-function-size): its parameters are a message */
uint64_t clients_post(struct sim *sim, enum request_kind kind, enum message_type type,
                      uint32_t actor, const union payload *payload, struct arena *arena,
                      uint32_t index)
{
    uint64_t exchange = engine_next_exchange(sim->engine);
    const struct message message = {.actor = {message_actor_kind(type), actor},
                                    .type = type,
                                    .exchange = exchange,
                                    .payload = *payload};

    SIM_REQUIRE(sim, exchange < SIM_EXCHANGES);
    sim->last_exchange = exchange;
    sim->requests[exchange] =
        (struct request){.kind = kind, .type = type, .is_waiting = true, .index = index};
    sim_count(sim, COUNT_REQUESTS);
    if (kind == REQUEST_FOREIGN) {
        sim_count(sim, COUNT_FOREIGN);
    }
    engine_post(sim->engine, &message, arena);
    return exchange;
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
        if (sim->requests[i].is_waiting) {
            SIM_REQUIRE(sim, sim->requests[i].durable == 0);
            forget(sim, &sim->requests[i]);
            sim_count(sim, COUNT_UNAVAILABLE);
        }
    }
    log_clear(&sim->filling);
    log_clear(&sim->writing);
    model_on_start(sim);
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
        return;
    }
    SIM_REQUIRE(sim, exchange > 0 && exchange <= sim->last_exchange);
    request = &sim->requests[exchange];
    SIM_REQUIRE(sim, request->is_waiting); /* nobody is answered twice */
    if (is_unavailable(reply)) {
        SIM_REQUIRE(sim, request->durable == 0);
        forget(sim, request);
        sim_count(sim, COUNT_UNAVAILABLE);
        return;
    }
    SIM_REQUIRE(sim, request->durable == 1); /* durable before visible */
    request->is_waiting = false;
    if (reply->kind == REPLY_FAULT) {
        sim_count(sim, COUNT_REFUSED);
    }
    if (request->kind == REQUEST_KEYED) {
        on_keyed(sim, request, reply);
    } else if (request->kind == REQUEST_CLAIM && reply->kind == REPLY_CLAIMED) {
        workers_on_claimed(sim, reply);
    } else if (request->kind == REQUEST_EVENT && reply->kind == REPLY_EVENT) {
        workers_on_event(sim, request, reply);
    }
}

/* ---- idempotency ---- */

const struct response_kept *clients_on_keep(void *context, uint64_t exchange,
                                            const struct reply *reply, struct arena *arena)
{
    struct sim *sim = context;
    const struct request *request = &sim->requests[exchange];
    struct response_kept *kept;

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

static void post_keyed(struct sim *sim, uint32_t index)
{
    struct keyed_request *key = &sim->keys[index];
    union payload payload;

    key->is_in_flight = true;
    key->tries++;
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

static void new_key(struct sim *sim, const struct keyed_request *made)
{
    uint32_t index = sim->next_key % SIM_KEYS;
    struct keyed_request *key = &sim->keys[index];

    if (key->is_used && !key->is_done) {
        return; /* too many wait */
    }
    *key = *made;
    key->is_used = true;
    for (unsigned i = 0; i < KEY_HASH_BYTES; i += 8) {
        uint64_t random = prng_next(&sim->prng);

        memcpy(key->hash + i, &random, sizeof(random));
    }
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
        if (find_kept(sim, key, &response)) {
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
