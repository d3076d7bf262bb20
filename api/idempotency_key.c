#include "api/idempotency_key.h"

#include <string.h>

#include "base/check.h"

_Static_assert(KEY_HASH_BYTES >= crypto_generichash_BYTES_MIN &&
                   KEY_HASH_BYTES <= crypto_generichash_BYTES_MAX,
               "a hash of BLAKE2b");

bool idempotency_key_is_valid(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '!' || text.data[i] > '~') {
            return false;
        }
    }
    return text.size >= 1 && text.size <= IDEMPOTENCY_KEY_CHARACTERS_MAX;
}

enum { DERIVED_BYTES = 32 };

_Static_assert((int)KEY_HASH_BYTES == (int)DERIVED_BYTES, "one size");
_Static_assert(crypto_generichash_KEYBYTES == DERIVED_BYTES, "one size");
_Static_assert(crypto_secretbox_KEYBYTES == DERIVED_BYTES, "one size");

/* A hash for one purpose of a text of one owner. */
static void derive(const struct auth *auth, uint8_t purpose, uint32_t organisation, enum role role,
                   struct slice text, uint8_t out[DERIVED_BYTES])
{
    const uint8_t owner[] = {purpose,
                             organisation == 0 ? (uint8_t)role : 0,
                             (uint8_t)(organisation >> 24),
                             (uint8_t)(organisation >> 16),
                             (uint8_t)(organisation >> 8),
                             (uint8_t)organisation};
    static const char context[] = "outdial idempotency key";
    crypto_generichash_state state;

    OD_CHECK(crypto_generichash_init(&state, auth->secret, sizeof(auth->secret), DERIVED_BYTES) ==
             0);
    (void)crypto_generichash_update(&state, (const unsigned char *)context, sizeof(context));
    (void)crypto_generichash_update(&state, owner, sizeof(owner));
    (void)crypto_generichash_update(&state, (const unsigned char *)text.data, text.size);
    (void)crypto_generichash_final(&state, out, DERIVED_BYTES);
}

void idempotency_key_derive(const struct auth *auth, uint32_t organisation, enum role role,
                            struct slice text, struct idempotency_key *out)
{
    out->organisation = organisation;
    derive(auth, 1, organisation, role, text, out->hash);
    derive(auth, 2, organisation, role, text, out->request_key);
    derive(auth, 3, organisation, role, text, out->body_key);
}

/* ---- fingerprints ---- */

void idempotency_fingerprint_begin(struct idempotency_fingerprint *fingerprint,
                                   const struct idempotency_key *key, struct slice method,
                                   struct slice target)
{
    static const char end = '\0'; /* in neither of them */

    OD_CHECK(crypto_generichash_init(&fingerprint->state, key->request_key,
                                     sizeof(key->request_key), KEY_HASH_BYTES) == 0);
    idempotency_fingerprint_add(fingerprint, method.data, method.size);
    idempotency_fingerprint_add(fingerprint, &end, 1);
    idempotency_fingerprint_add(fingerprint, target.data, target.size);
    idempotency_fingerprint_add(fingerprint, &end, 1);
}

void idempotency_fingerprint_add(struct idempotency_fingerprint *fingerprint, const void *bytes,
                                 size_t size)
{
    (void)crypto_generichash_update(&fingerprint->state, bytes, size);
}

void idempotency_fingerprint_end(struct idempotency_fingerprint *fingerprint,
                                 uint8_t out[KEY_HASH_BYTES])
{
    (void)crypto_generichash_final(&fingerprint->state, out, KEY_HASH_BYTES);
}

/* ---- bodies: nonce, then what secretbox makes ---- */

struct slice idempotency_seal(const struct idempotency_key *key, struct slice body,
                              struct arena *arena)
{
    size_t size = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + body.size;
    unsigned char *sealed;

    if (slice_is_empty(body)) {
        return SLICE("");
    }
    sealed = arena_alloc(arena, size);
    randombytes_buf(sealed, crypto_secretbox_NONCEBYTES);
    (void)crypto_secretbox_easy(sealed + crypto_secretbox_NONCEBYTES,
                                (const unsigned char *)body.data, body.size, sealed, key->body_key);
    return slice_make((const char *)sealed, size);
}

bool idempotency_open(const struct idempotency_key *key, struct slice sealed, struct arena *arena,
                      struct slice *out)
{
    const unsigned char *bytes = (const unsigned char *)sealed.data;
    const size_t overhead = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
    unsigned char *body;

    if (slice_is_empty(sealed)) {
        *out = SLICE("");
        return true;
    }
    if (sealed.size <= overhead) {
        return false;
    }
    body = arena_alloc(arena, sealed.size - overhead);
    if (crypto_secretbox_open_easy(body, bytes + crypto_secretbox_NONCEBYTES,
                                   sealed.size - crypto_secretbox_NONCEBYTES, bytes,
                                   key->body_key) != 0) {
        return false;
    }
    *out = slice_make((const char *)body, sealed.size - overhead);
    return true;
}
