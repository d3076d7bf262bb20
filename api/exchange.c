/* The life of an exchange:
 *
 *   exchange_new --> handler --> answered (exchange_send_…) --> exchange_leave frees
 *                       |             ^
 *                       v             | reply, on_timeout, on_gone
 *                    waiting ---------+
 *                       |
 *                       +--> abandoned: evhttp frees the connection under it
 */
#include "api/exchange.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/exchange_private.h"
#include "api/guard.h"
#include "api/limits.h"
#include "api/server.h"
#include "base/check.h"
#include "base/memory.h"

enum { ARENA_BLOCK = 2048 };

struct exchange_memory {
    struct exchange exchange;
    struct exchange_private own;
};

/* NOLINTBEGIN(readability-function-size): the size is that of uthash's macros */

static void put(struct api *api, struct exchange_private *own)
{
    HASH_ADD(hh, api->exchanges, number, sizeof(own->number), own);
}

static void unlink_number(struct api *api, struct exchange_private *own)
{
    HASH_DEL(api->exchanges, own);
}

struct exchange *exchange_find(struct api *api, uint64_t number)
{
    struct exchange_private *own;

    HASH_FIND(hh, api->exchanges, &number, sizeof(number), own);
    return own != NULL ? own->exchange : NULL;
}

/* NOLINTEND(readability-function-size) */

void exchange_each(struct api *api, exchange_reply_fn visit, const struct reply *reply)
{
    struct exchange_private *own = api->exchanges;

    while (own != NULL) {
        struct exchange_private *next = own->hh.next;

        if (!own->is_streaming) {
            visit(own->exchange, reply);
        }
        own = next;
    }
}

/* ---- life ---- */

void exchange_new_request_id(struct api *api, char out[REQUEST_ID_SIZE])
{
    (void)snprintf(out, REQUEST_ID_SIZE, "%016" PRIx64 "-%" PRIx64, api->request_id_bits,
                   ++api->request_ids);
}

struct exchange *exchange_new(struct api *api, struct evhttp_request *request,
                              struct connection *connection)
{
    struct exchange_memory *memory = memory_zero(1, sizeof(*memory));
    struct exchange *exchange = &memory->exchange;
    struct exchange_private *own = &memory->own;
    struct slice sent =
        slice_from(evhttp_find_header(evhttp_request_get_input_headers(request), "X-Request-Id"));

    exchange->api = api;
    exchange->engine = api->engine;
    exchange->number = engine_next_exchange(api->engine);
    exchange->own = own;
    arena_init(&exchange->arena, ARENA_BLOCK);
    faults_init(&exchange->faults, &exchange->arena);
    if (guard_is_request_id(sent)) {
        memcpy(exchange->request_id, sent.data, sent.size);
    } else {
        exchange_new_request_id(api, exchange->request_id);
    }
    own->exchange = exchange;
    own->number = exchange->number;
    own->request = request;
    own->connection = connection;
    put(api, own);
    connection_set_exchange(connection, exchange);
    evhttp_request_set_on_complete_cb(request, connection_on_complete, connection);
    return exchange;
}

/* From here on there is no request to answer. */
static void leave_connection(struct exchange_private *own)
{
    exchange_stop_waiting(own);
    if (own->connection != NULL) {
        connection_set_exchange(own->connection, NULL);
    }
    own->request = NULL;
    own->connection = NULL;
}

/* Unlinks it; its memory goes with exchange_leave. */
void exchange_finish(struct exchange *exchange)
{
    struct exchange_private *own = exchange->own;

    leave_connection(own);
    own->slice = NULL;
    if (own->slices != NULL) {
        event_free(own->slices);
        own->slices = NULL;
    }
    exchange->api->piecewise -= own->is_streaming;
    unlink_number(exchange->api, own);
    limits_leave(exchange);
    own->next = exchange->api->finished;
    exchange->api->finished = own;
    idempotency_finished(exchange);
}

void exchange_abandon(struct exchange *exchange)
{
    struct evhttp_request *request = exchange->own->request;

    if (idempotency_needs(exchange)) {
        leave_connection(exchange->own);
        exchange->own->is_alone = true;
    } else {
        exchange_finish(exchange);
    }
    /* evhttp leaves a request that it has taken off its connection to who was given it. */
    if (evhttp_request_get_connection(request) == NULL) {
        evhttp_request_free(request);
    }
    if (exchange->on_gone != NULL) {
        exchange->on_gone(exchange);
    }
}

void exchange_enter(struct api *api)
{
    api->callbacks++;
}

void exchange_leave(struct api *api)
{
    OD_CHECK(api->callbacks > 0);
    api->callbacks--;
    if (api->callbacks > 0) {
        return;
    }
    while (api->finished != NULL) {
        struct exchange_private *own = api->finished;
        struct exchange *exchange = own->exchange;

        api->finished = own->next;
        if (exchange->on_end != NULL) {
            exchange->on_end(exchange);
        }
        if (exchange->is_large) {
            parser_discard(api->parser, exchange->body);
        } else {
            json_decref(exchange->body);
        }
        arena_free(own->payload);
        arena_deinit(&exchange->arena);
        memory_free(exchange); /* the first member of its memory */
    }
}

bool exchange_is_over(const struct exchange *exchange)
{
    return exchange->own->request == NULL;
}

struct connection *exchange_connection(const struct exchange *exchange)
{
    return exchange->own->connection;
}

struct evhttp_request *exchange_request(const struct exchange *exchange)
{
    return exchange->own->request;
}

bool exchange_is_ops(const struct exchange *exchange)
{
    return connection_is_ops(exchange->own->connection);
}

/* ---- messages ---- */

struct arena *exchange_payload(struct exchange *exchange)
{
    if (exchange->own->payload == NULL) {
        exchange->own->payload = arena_new();
    }
    return exchange->own->payload;
}

struct message exchange_message(const struct exchange *exchange, enum message_type type,
                                uint32_t actor_number)
{
    return (struct message){
        .actor = {.kind = message_actor_kind(type), .number = actor_number},
        .type = type,
        .exchange = exchange->number,
    };
}

void exchange_post(struct exchange *exchange, const struct message *message)
{
    struct arena *payload = exchange->own->payload;

    exchange->own->payload = NULL;
    exchange->own->has_posted = true;
    engine_post(exchange->engine, message, payload);
}

/* ---- query parameters ---- */

const struct slice *exchange_query(const struct exchange *exchange, const char *name)
{
    for (size_t i = 0; i < exchange->query_count; i++) {
        if (slice_equal_text(exchange->query[i].name, name)) {
            return &exchange->query[i].value;
        }
    }
    return NULL;
}
