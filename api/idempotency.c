#include "api/idempotency.h"

#include <string.h>

#include <event2/buffer.h>

#include "api/exchange_private.h"
#include "api/guard.h"
#include "api/reply.h"
#include "api/server.h"
#include "api/table.h"
#include "base/check.h"
#include "base/instant.h"
#include "base/memory.h"
#include "model/key.h"
#include "storage/reader.h"

/* What uthash looks up: without gaps between its members. */
struct name {
    uint32_t organisation;
    uint8_t hash[KEY_HASH_BYTES];
};

_Static_assert(sizeof(struct name) == sizeof(uint32_t) + KEY_HASH_BYTES, "no gaps");

/* An exchange that waits for the one with its key. */
struct twin {
    uint64_t exchange; /* its number */
    uint8_t fingerprint[KEY_HASH_BYTES];
};

/* A key that is under way. */
struct idempotent {
    struct name name;
    struct idempotency_key key;
    uint8_t fingerprint[KEY_HASH_BYTES];
    bool is_open; /* the fingerprint is not known yet: the body has not ended */
    struct exchange *exchange;
    struct response response; /* status 0: not made yet. In the exchange's arena */
    bool is_held;             /* its own message stores it; it is sent then */
    struct twin *waiting;
    size_t waiting_count, waiting_room;
    UT_hash_handle hh;
};

/* ---- the keys under way ---- */

/* NOLINTBEGIN(readability-function-size): the size is that of uthash's macros */

static struct idempotent *find(const struct api *api, const struct name *name)
{
    struct idempotent *found;

    HASH_FIND(hh, api->idempotents, name, sizeof(*name), found);
    return found;
}

static void add(struct api *api, struct idempotent *idempotent)
{
    HASH_ADD(hh, api->idempotents, name, sizeof(idempotent->name), idempotent);
}

static void unlink_key(struct api *api, struct idempotent *idempotent)
{
    HASH_DEL(api->idempotents, idempotent);
}

/* NOLINTEND(readability-function-size) */

static struct name name_of(const struct idempotency_key *key)
{
    struct name name = {.organisation = key->organisation};

    memcpy(name.hash, key->hash, sizeof(name.hash));
    return name;
}

static void forget(struct idempotent *idempotent)
{
    unlink_key(idempotent->exchange->api, idempotent);
    idempotent->exchange->idempotent = NULL;
    sodium_memzero(&idempotent->key, sizeof(idempotent->key));
    memory_free(idempotent->waiting);
    memory_free(idempotent);
}

/* `fingerprint` NULL: it is not known yet. */
static void begin_key(struct exchange *exchange, const struct idempotency_key *key,
                      const uint8_t *fingerprint)
{
    struct idempotent *idempotent = memory_zero(1, sizeof(*idempotent));

    idempotent->name = name_of(key);
    idempotent->key = *key;
    idempotent->is_open = fingerprint == NULL;
    if (fingerprint != NULL) {
        memcpy(idempotent->fingerprint, fingerprint, KEY_HASH_BYTES);
    }
    idempotent->exchange = exchange;
    exchange->idempotent = idempotent;
    add(exchange->api, idempotent);
}

static bool is_same(const struct idempotent *idempotent, const uint8_t fingerprint[KEY_HASH_BYTES])
{
    return sodium_memcmp(idempotent->fingerprint, fingerprint, KEY_HASH_BYTES) == 0;
}

static void wait_for(struct idempotent *idempotent, const struct exchange *exchange,
                     const uint8_t fingerprint[KEY_HASH_BYTES])
{
    struct twin *twin;

    if (idempotent->waiting_count == idempotent->waiting_room) {
        idempotent->waiting_room = 2 * idempotent->waiting_room + 4;
        idempotent->waiting = memory_resize(idempotent->waiting, idempotent->waiting_room,
                                            sizeof(*idempotent->waiting));
    }
    twin = &idempotent->waiting[idempotent->waiting_count++];
    twin->exchange = exchange->number;
    memcpy(twin->fingerprint, fingerprint, KEY_HASH_BYTES);
}

/* ---- what is sent ---- */

static void send_response(struct exchange *exchange, const struct response *response)
{
    if (!slice_is_empty(response->location)) {
        exchange_add_header(exchange, "Location", arena_text(&exchange->arena, response->location));
    }
    exchange_send_response(exchange, response->status, response->body);
}

static bool has_request_id(const struct exchange *exchange)
{
    struct evhttp_request *request = exchange_request(exchange);

    return guard_is_request_id(
        slice_from(evhttp_find_header(evhttp_request_get_input_headers(request), "X-Request-Id")));
}

/* A client that names its request gets that name; else the replay has the first one's, which the
 * body of an error names. */
static void replay(struct exchange *exchange, const struct response *response,
                   struct slice request_id)
{
    if (!has_request_id(exchange) && guard_is_request_id(request_id)) {
        memcpy(exchange->request_id, request_id.data, request_id.size);
        exchange->request_id[request_id.size] = '\0';
    }
    exchange_add_header(exchange, "Idempotent-Replayed", "true");
    send_response(exchange, response);
}

static void refuse_reuse(struct exchange *exchange)
{
    exchange_send_fault(exchange, FAULT_IDEMPOTENCY_KEY_REUSED,
                        "The Idempotency-Key has been used with another request");
}

/* ---- the beginning ---- */

bool idempotency_read_key(struct exchange *exchange, struct idempotency_key *out)
{
    struct evhttp_request *request = exchange_request(exchange);
    const char *header =
        evhttp_find_header(evhttp_request_get_input_headers(request), "Idempotency-Key");

    if (header == NULL || evhttp_request_get_command(request) != EVHTTP_REQ_POST) {
        return false;
    }
    if (!idempotency_key_is_valid(slice_from(header))) {
        faults_add(&exchange->faults, SLICE("Idempotency-Key"),
                   "must have 1 to %d visible ASCII characters", IDEMPOTENCY_KEY_CHARACTERS_MAX);
        return false;
    }
    idempotency_key_derive(&exchange->api->auth, exchange->organisation, exchange->role,
                           slice_from(header), out);
    return true;
}

/* What is stored under the key. 0, OD_ENOTFOUND (also for a response that is too old), or what the
 * reader returned. */
static int find_stored(struct exchange *exchange, const struct idempotency_key *key,
                       struct kept_response *out)
{
    struct key at = key_idempotency(key->organisation, key->hash);
    int error = reader_get(exchange->reader, TABLE_IDEMPOTENCY, &at, &exchange->arena, out);

    if (error == 0 && engine_now(exchange->engine) - out->created_at >=
                          KEPT_RESPONSE_HOURS * INT64_C(3600) * MS_PER_SECOND) {
        return OD_ENOTFOUND;
    }
    return error;
}

bool idempotency_open_begin(struct exchange *exchange, const struct idempotency_key *key)
{
    struct name name = name_of(key);
    struct kept_response stored;

    if (find(exchange->api, &name) != NULL || find_stored(exchange, key, &stored) == 0) {
        return false;
    }
    begin_key(exchange, key, NULL);
    return true;
}

/* A failed commit may have forgotten the key; the exchange is then answered with 503 as all are. */
void idempotency_close(struct exchange *exchange, const uint8_t fingerprint[KEY_HASH_BYTES])
{
    if (exchange->idempotent != NULL) {
        memcpy(exchange->idempotent->fingerprint, fingerprint, KEY_HASH_BYTES);
        exchange->idempotent->is_open = false;
    }
}

static void answer_stored(struct exchange *exchange, const struct idempotency_key *key,
                          const uint8_t *fingerprint, const struct kept_response *stored)
{
    struct response response = {.status = (int)stored->status, .location = stored->location};

    if (sodium_memcmp(stored->fingerprint, fingerprint, KEY_HASH_BYTES) != 0) {
        refuse_reuse(exchange);
    } else if (!idempotency_open(key, stored->body, &exchange->arena, &response.body)) {
        exchange_send_unreadable(exchange, OD_ECORRUPT);
    } else {
        replay(exchange, &response, stored->request_id);
    }
}

bool idempotency_begin(struct exchange *exchange, const struct idempotency_key *key,
                       const uint8_t fingerprint[KEY_HASH_BYTES])
{
    struct name name = name_of(key);
    struct idempotent *twin = find(exchange->api, &name);
    struct kept_response stored;
    int error;

    if (twin != NULL) {
        if (twin->is_open || is_same(twin, fingerprint)) {
            wait_for(twin, exchange, fingerprint);
        } else {
            refuse_reuse(exchange);
        }
        return false;
    }
    error = find_stored(exchange, key, &stored);
    if (error == 0) {
        answer_stored(exchange, key, fingerprint, &stored);
        return false;
    }
    if (error != OD_ENOTFOUND) {
        exchange_send_unreadable(exchange, error);
        return false;
    }
    begin_key(exchange, key, fingerprint);
    return true;
}

static void fingerprint_of(struct exchange *exchange, const struct idempotency_key *key,
                           uint8_t out[KEY_HASH_BYTES])
{
    struct evhttp_request *request = exchange_request(exchange);
    struct evbuffer *input = evhttp_request_get_input_buffer(request);
    size_t size = evbuffer_get_length(input);
    struct idempotency_fingerprint fingerprint;

    idempotency_fingerprint_begin(&fingerprint, key, SLICE("POST"),
                                  slice_from(evhttp_request_get_uri(request)));
    if (size > 0) {
        idempotency_fingerprint_add(&fingerprint, evbuffer_pullup(input, -1), size);
    }
    idempotency_fingerprint_end(&fingerprint, out);
}

static bool is_open(const struct exchange *exchange, const struct idempotency_key *key)
{
    struct name name = name_of(key);
    const struct idempotent *twin = find(exchange->api, &name);

    return twin != NULL && twin->is_open;
}

bool idempotency_check(struct exchange *exchange)
{
    struct idempotency_key key;
    bool goes_on;

    if (!idempotency_read_key(exchange, &key)) {
        return true;
    }
    if (is_open(exchange, &key)) { /* by a route of another kind: this is another request */
        refuse_reuse(exchange);
        goes_on = false;
    } else {
        uint8_t fingerprint[KEY_HASH_BYTES];

        fingerprint_of(exchange, &key, fingerprint);
        goes_on = idempotency_begin(exchange, &key, fingerprint);
    }
    sodium_memzero(&key, sizeof(key));
    return goes_on;
}

/* ---- keeping ---- */

static bool is_kept_status(int status)
{
    switch (status) {
    case 401:
    case 403:
    case 413:
    case 415:
    case 429: return false;
    default: return status < 500;
    }
}

/* What is stored of the response; in `arena`. */
static const struct response_kept *seal(const struct idempotent *idempotent, struct arena *arena)
{
    const struct response *response = &idempotent->response;
    struct response_kept *kept = arena_zalloc(arena, sizeof(*kept));

    kept->organisation = idempotent->key.organisation;
    memcpy(kept->hash, idempotent->key.hash, sizeof(kept->hash));
    memcpy(kept->response.fingerprint, idempotent->fingerprint, KEY_HASH_BYTES);
    kept->response.status = (uint32_t)response->status;
    kept->response.location = arena_copy(arena, response->location);
    kept->response.request_id = arena_copy(arena, slice_from(idempotent->exchange->request_id));
    kept->response.body = idempotency_seal(&idempotent->key, response->body, arena);
    return kept;
}

const struct response_kept *idempotency_keep(void *context, uint64_t number,
                                             const struct reply *reply, struct arena *arena)
{
    struct api *api = context;
    struct exchange *exchange;
    struct idempotent *idempotent;

    if (api->idempotents == NULL) {
        return NULL; /* as a rule */
    }
    exchange = exchange_find(api, number);
    idempotent = exchange != NULL ? exchange->idempotent : NULL;
    /* An execution's reply is rendered from rows that are put when the batch is closed. */
    if (idempotent == NULL || idempotent->response.status != 0 || exchange->on_reply != NULL ||
        reply->kind == REPLY_EXECUTION) {
        return NULL;
    }
    exchange->own->capture = &idempotent->response;
    reply_answer(exchange, reply);
    exchange->own->capture = NULL;
    if (!is_kept_status(idempotent->response.status)) {
        idempotent->response = (struct response){0};
        return NULL;
    }
    return seal(idempotent, arena);
}

/* The headers of a held response are there already. */
static void send_own(const struct idempotent *idempotent)
{
    const struct response *response = &idempotent->response;

    if (idempotent->is_held) {
        exchange_send_response(idempotent->exchange, response->status, response->body);
    } else {
        send_response(idempotent->exchange, response);
    }
}

bool idempotency_answer(struct exchange *exchange)
{
    const struct idempotent *idempotent = exchange->idempotent;

    if (idempotent == NULL || idempotent->response.status == 0) {
        return false;
    }
    send_own(idempotent);
    return true;
}

bool idempotency_may_send(struct exchange *exchange, int status, struct slice body)
{
    struct idempotent *idempotent = exchange->idempotent;
    struct message message;

    if (idempotent == NULL || idempotent->is_open || idempotent->response.status != 0 ||
        !is_kept_status(status) || (status >= 400 && !exchange->own->has_posted)) {
        return true;
    }
    idempotent->response =
        (struct response){status, exchange->own->location, arena_copy(&exchange->arena, body)};
    idempotent->is_held = true;
    exchange->on_reply = NULL;
    exchange->on_gone = NULL;
    exchange_stop_waiting(exchange->own);
    message = exchange_message(exchange, MESSAGE_RESPONSE_KEPT, 0);
    message.payload.kept = seal(idempotent, exchange_payload(exchange));
    exchange_post(exchange, &message); /* refused: it is sent at once, and not kept */
    return false;
}

/* ---- the end ---- */

bool idempotency_needs(const struct exchange *exchange)
{
    const struct idempotent *idempotent = exchange->idempotent;

    return idempotent != NULL && !idempotent->is_open && exchange->on_gone == NULL;
}

void idempotency_finished(struct exchange *exchange)
{
    struct idempotent *idempotent = exchange->idempotent;
    struct slice request_id = slice_from(exchange->request_id);

    if (idempotent == NULL) {
        return;
    }
    for (size_t i = 0; i < idempotent->waiting_count; i++) {
        struct exchange *twin = exchange_find(exchange->api, idempotent->waiting[i].exchange);

        if (twin == NULL) {
            continue;
        }
        if (idempotent->response.status == 0) {
            exchange_send_fault(twin, FAULT_UNAVAILABLE, IDEMPOTENCY_NOT_DONE);
        } else if (is_same(idempotent, idempotent->waiting[i].fingerprint)) {
            replay(twin, &idempotent->response, request_id);
        } else {
            refuse_reuse(twin);
        }
    }
    forget(idempotent);
}

void idempotency_drop(struct api *api)
{
    struct idempotent *idempotent = api->idempotents;

    while (idempotent != NULL) {
        struct idempotent *next = idempotent->hh.next;

        if (idempotent->is_held) { /* what it tells was durable before */
            send_own(idempotent);
        } else {
            forget(idempotent);
        }
        idempotent = next;
    }
}
