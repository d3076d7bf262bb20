/* API keys: 256 random bits, of which only a keyed hash is stored (api.md, "Authentication"). */
#ifndef OUTDIAL_API_AUTH_H
#define OUTDIAL_API_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "model/records.h"
#include "storage/reader.h"

enum {
    AUTH_HASH_BYTES = 32,
    AUTH_KEY_TEXT_SIZE = 47, /* "od_", 43 characters of base64url, NUL */
};

struct auth {
    uint8_t secret[32]; /* of this store: keys the hashes of API keys and the checks of cursors */
    bool has_environment_key;
    uint8_t environment_hash[AUTH_HASH_BYTES];
};

/* Who asks. */
struct caller {
    enum role role;
    uint32_t organisation;         /* number; 0: the platform's keys */
    uint8_t hash[AUTH_HASH_BYTES]; /* of the key */
};

/* Derives the secret from the store's id, and takes the key of the environment (OUTDIAL_ADMIN_KEY;
 * NULL or empty: none). */
void auth_init(struct auth *auth, struct slice store_id, const char *environment_key);

/* The hash under which a key's text is stored. */
void auth_hash(const struct auth *auth, struct slice key, uint8_t out[AUTH_HASH_BYTES]);

/* Makes a new key of 256 random bits and prints it. */
void auth_new_key(char out[AUTH_KEY_TEXT_SIZE]);

/* The key that the two headers give (either may be NULL); false when there is none, when the
 * Authorization is not a Bearer, or when both give different keys. The key borrows from them. */
bool auth_key_of(const char *authorization, const char *x_api_key, struct slice *key);

/* Looks the key up. 0 with *out written, OD_ENOTFOUND for a key that is unknown or revoked, or what
 * the reader returned. */
int auth_lookup(const struct auth *auth, struct reader *reader, struct slice key,
                struct caller *out);

#endif
