#include "api/auth.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "base/check.h"

_Static_assert(AUTH_HASH_BYTES == sizeof(((struct api_key *)NULL)->hash), "one size of hash");

static void hash(uint8_t out[AUTH_HASH_BYTES], struct slice text, const uint8_t *key,
                 size_t key_size)
{
    int error = crypto_generichash(out, AUTH_HASH_BYTES, (const unsigned char *)text.data,
                                   text.size, key, key_size);

    OD_CHECK(error == 0);
}

void auth_init(struct auth *auth, struct slice store_id, const char *environment_key)
{
    struct slice key = slice_from(environment_key);

    *auth = (struct auth){0};
    hash(auth->secret, store_id, NULL, 0);
    if (!slice_is_empty(key)) {
        auth->has_environment_key = true;
        auth_hash(auth, key, auth->environment_hash);
    }
}

void auth_hash(const struct auth *auth, struct slice key, uint8_t out[AUTH_HASH_BYTES])
{
    hash(out, key, auth->secret, sizeof(auth->secret));
}

void auth_new_key(char out[AUTH_KEY_TEXT_SIZE])
{
    char text[AUTH_KEY_TEXT_SIZE - 3];
    uint8_t bytes[32];

    randombytes_buf(bytes, sizeof(bytes));
    (void)sodium_bin2base64(text, sizeof(text), bytes, sizeof(bytes),
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    (void)snprintf(out, AUTH_KEY_TEXT_SIZE, "od_%s", text);
    sodium_memzero(text, sizeof(text));
    sodium_memzero(bytes, sizeof(bytes));
}

/* The key of "Bearer <key>" (RFC 6750 2.1); the scheme in either case. */
static bool bearer(const char *authorization, struct slice *key)
{
    static const char scheme[] = "Bearer";
    const char *text = authorization + sizeof(scheme) - 1;

    if (strncasecmp(authorization, scheme, sizeof(scheme) - 1) != 0 || *text != ' ') {
        return false;
    }
    *key = slice_from(text + strspn(text, " "));
    return !slice_is_empty(*key);
}

bool auth_key_of(const char *authorization, const char *x_api_key, struct slice *key)
{
    struct slice first;
    struct slice second = slice_from(x_api_key);

    if (authorization == NULL) {
        *key = second;
        return !slice_is_empty(second);
    }
    if (!bearer(authorization, &first)) {
        return false;
    }
    if (x_api_key != NULL && !slice_equal(first, second)) {
        return false;
    }
    *key = first;
    return true;
}

int auth_lookup(const struct auth *auth, struct reader *reader, struct slice key,
                struct caller *out)
{
    uint8_t bytes[AUTH_HASH_BYTES];
    struct owned_id place;
    struct api_key row;
    struct arena arena;
    struct key at;
    int error;

    auth_hash(auth, key, bytes);
    if (auth->has_environment_key &&
        sodium_memcmp(bytes, auth->environment_hash, sizeof(bytes)) == 0) {
        *out = (struct caller){.role = ROLE_ADMIN};
        memcpy(out->hash, bytes, sizeof(bytes));
        return 0;
    }
    arena_init(&arena, 256);
    at = key_hash(bytes);
    error = reader_get(reader, TABLE_API_KEY_BY_HASH, &at, &arena, &place);
    if (error == 0) {
        at = key_owned(place.owner, &place.id);
        error = reader_get(reader, TABLE_API_KEY, &at, &arena, &row);
    }
    if (error == 0) {
        *out = (struct caller){.role = row.role, .organisation = row.owner};
        memcpy(out->hash, bytes, sizeof(bytes));
    }
    arena_deinit(&arena);
    return error;
}
