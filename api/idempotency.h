/* Idempotency-Key: a POST that is sent twice is done once, and answered twice (api.md,
 * "Idempotency").
 *
 * 1. The router hands over each POST with the header. A response that is stored for it is given
 *    again; another request under the same key is 422; a request whose twin is under way waits for
 *    the twin's answer. Otherwise the exchange goes on, and its key is under way.
 * 2. When an actor replies, in the turn that decides, the response is made and goes into the batch
 *    of the transition as a row (engine_set_keeper). It leaves when that batch is durable, as made.
 * 3. A response that no single reply makes (a claim, a batch of events, the test clock) is stored
 * by a message of its own when it is ready, and leaves when that is durable. What it tells is
 * durable before; a crash in between lets the second request be done, which those routes allow.
 * 4. A client that goes away takes nothing with it: its exchange lives on without a connection
 * until its response has been stored.
 *
 * Kept is what an actor has decided, a refusal too, and every success. Faults that are found before
 * anything was posted are not, nor 401, 403, 413, 415, 429 and all 5xx: the same key may be used
 * again.
 */
#ifndef OUTDIAL_API_IDEMPOTENCY_H
#define OUTDIAL_API_IDEMPOTENCY_H

#include "api/exchange.h"
#include "api/idempotency_key.h"

struct idempotent;

/* A response as it will be sent. */
struct response {
    int status;
    struct slice location; /* empty: none */
    struct slice body;     /* JSON; empty: none */
};

/* Reads the header of a POST: false when there is none, or a bad one, which is then among the
 * exchange's faults. The key must be wiped after use (sodium_memzero). */
bool idempotency_read_key(struct exchange *exchange, struct idempotency_key *out);

#define IDEMPOTENCY_NOT_DONE "The request with this Idempotency-Key has not been done"

/* For a route that takes its body as it comes, so that its fingerprint is known at the end alone;
 * while exchange->reader is there. True: the key is under way now, and whoever else sends it waits
 * until idempotency_close has been called and the exchange answered. False: a response is stored
 * under it, or it is under way: the body may only be compared, and idempotency_begin says what
 * becomes of the exchange when it has ended. */
bool idempotency_open_begin(struct exchange *exchange, const struct idempotency_key *key);

/* Its body has ended: the exchange, if its key is still under way, has this fingerprint. */
void idempotency_close(struct exchange *exchange, const uint8_t fingerprint[KEY_HASH_BYTES]);

/* Looks the request up, by its key and fingerprint, while exchange->reader is there. True: the
 * exchange goes on. False: it has been answered, or it waits for its twin. */
bool idempotency_begin(struct exchange *exchange, const struct idempotency_key *key,
                       const uint8_t fingerprint[KEY_HASH_BYTES]);

/* All of it for a request whose body is there as a whole. */
bool idempotency_check(struct exchange *exchange);

/* ---- for reply.c, exchange.c and api.c ---- */

/* The keep_fn of the engine; `context` is the struct api. */
const struct response_kept *idempotency_keep(void *context, uint64_t number,
                                             const struct reply *reply, struct arena *arena);

/* Sends the response that has been stored, or was to be; false when there is none. */
bool idempotency_answer(struct exchange *exchange);

/* A response is about to be sent. False: it is to be stored first, and is sent then. */
bool idempotency_may_send(struct exchange *exchange, int status, struct slice body);

/* Whether the exchange must live on without its client. */
bool idempotency_needs(const struct exchange *exchange);

/* The exchange is over: who waits for it is answered. */
void idempotency_finished(struct exchange *exchange);

/* What was under way is lost (a failed commit), or will never be answered (the end). */
void idempotency_drop(struct api *api);

#endif
