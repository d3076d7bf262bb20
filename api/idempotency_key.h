/* Idempotency keys: what is derived from a key's text, and what is stored of a request and of its
 * response.
 *
 * Three things come from the text, by keyed BLAKE2b under the store's secret: the hash under which
 * the response is stored, the key of the request's fingerprint, and the key that the body is
 * encrypted with (XSalsa20-Poly1305). The text itself is stored nowhere. So who reads the store and
 * cannot guess the text learns neither the request nor the body.
 */
#ifndef OUTDIAL_API_IDEMPOTENCY_KEY_H
#define OUTDIAL_API_IDEMPOTENCY_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include <sodium.h>

#include "api/auth.h"
#include "base/arena.h"
#include "base/buf.h"
#include "model/records.h"

enum { IDEMPOTENCY_KEY_CHARACTERS_MAX = 255 };

struct idempotency_key {
    uint32_t organisation; /* 0: the platform's */
    uint8_t hash[KEY_HASH_BYTES];
    uint8_t request_key[crypto_generichash_KEYBYTES];
    uint8_t body_key[crypto_secretbox_KEYBYTES];
};

/* 1 to 255 visible ASCII characters. */
bool idempotency_key_is_valid(struct slice text);

/* Derives all of it. Keys of organisations are an organisation's own; those of the platform are the
 * role's. */
void idempotency_key_derive(const struct auth *auth, uint32_t organisation, enum role role,
                            struct slice text, struct idempotency_key *out);

/* ---- the fingerprint of a request, of which the body may come in pieces ---- */

struct idempotency_fingerprint {
    crypto_generichash_state state;
};

/* Begins with the method and the target (path and query, as sent). */
void idempotency_fingerprint_begin(struct idempotency_fingerprint *fingerprint,
                                   const struct idempotency_key *key, struct slice method,
                                   struct slice target);
void idempotency_fingerprint_add(struct idempotency_fingerprint *fingerprint, const void *bytes,
                                 size_t size);
void idempotency_fingerprint_end(struct idempotency_fingerprint *fingerprint,
                                 uint8_t out[KEY_HASH_BYTES]);

/* ---- bodies ---- */

/* Encrypts a body into the arena; an empty one stays empty. */
struct slice idempotency_seal(const struct idempotency_key *key, struct slice body,
                              struct arena *arena);

/* The body again, in the arena; false when it has not been sealed under this key. */
bool idempotency_open(const struct idempotency_key *key, struct slice sealed, struct arena *arena,
                      struct slice *out);

#endif
