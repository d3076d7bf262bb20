#include "api/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/exchange_private.h"
#include "api/server.h"
#include "api/table.h"
#include "base/check.h"
#include "base/memory.h"
#include "model/rate_limit.h"

/* A key that has been used lately. */
struct key_use {
    uint8_t hash[AUTH_HASH_BYTES];
    struct rate_bucket bucket;
    uint32_t in_flight;
    UT_hash_handle hh;
};

/* NOLINTBEGIN(readability-function-size): the size is that of uthash's macros */

static struct key_use *find_or_add(struct api *api, const uint8_t hash[AUTH_HASH_BYTES])
{
    struct key_use *use;

    HASH_FIND(hh, api->key_uses, hash, AUTH_HASH_BYTES, use);
    if (use == NULL) {
        use = memory_zero(1, sizeof(*use));
        memcpy(use->hash, hash, AUTH_HASH_BYTES);
        HASH_ADD(hh, api->key_uses, hash, AUTH_HASH_BYTES, use);
    }
    return use;
}

static void remove_use(struct api *api, struct key_use *use)
{
    HASH_DEL(api->key_uses, use);
    memory_free(use);
}

/* NOLINTEND(readability-function-size) */

static void add_number(struct exchange *exchange, const char *name, uint32_t number)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "%" PRIu32, number);
    exchange_add_header(exchange, name, text);
}

static void add_headers(struct exchange *exchange, const struct rate_limit *limit,
                        const struct rate_state *state)
{
    add_number(exchange, "RateLimit-Limit", limit->burst);
    add_number(exchange, "RateLimit-Remaining", state->remaining);
    add_number(exchange, "RateLimit-Reset", state->reset_seconds);
}

static bool refuse(struct exchange *exchange, uint32_t retry_after, const char *what)
{
    add_number(exchange, "Retry-After", retry_after);
    exchange_send_fault(exchange, FAULT_RATE_LIMITED, "%s", what);
    return false;
}

bool limits_enter(struct exchange *exchange, const struct caller *caller)
{
    const struct config *config = engine_config(exchange->engine);
    const struct rate_limit limit = {config->requests_per_minute, config->requests_burst};
    int64_t now = engine_real_mono_ns();
    struct rate_state state = {.is_allowed = true};
    bool is_crowded;
    struct key_use *use;

    if (limit.per_minute == 0 && config->requests_in_flight == 0) {
        return true;
    }
    OD_CHECK(exchange->own->key_use == NULL);
    use = find_or_add(exchange->api, caller->hash);
    is_crowded = config->requests_in_flight != 0 && use->in_flight >= config->requests_in_flight;
    if (limit.per_minute != 0) {
        state = is_crowded ? rate_look(&limit, &use->bucket, now)
                           : rate_take(&limit, &use->bucket, now);
        add_headers(exchange, &limit, &state);
    }
    if (is_crowded) {
        return refuse(exchange, 1, "The key has too many requests in flight");
    }
    if (!state.is_allowed) {
        return refuse(exchange, state.retry_after_seconds, "The key sends too many requests");
    }
    exchange->own->key_use = use;
    use->in_flight++;
    return true;
}

void limits_leave(struct exchange *exchange)
{
    struct key_use *use = exchange->own->key_use;

    if (use != NULL) {
        OD_CHECK(use->in_flight > 0);
        use->in_flight--;
        exchange->own->key_use = NULL;
    }
}

void limits_second(struct api *api)
{
    int64_t now = engine_real_mono_ns();
    struct key_use *use = api->key_uses;

    while (use != NULL) {
        struct key_use *next = use->hh.next;

        if (use->in_flight == 0 && rate_is_full(&use->bucket, now)) {
            remove_use(api, use);
        }
        use = next;
    }
}

void limits_deinit(struct api *api)
{
    while (api->key_uses != NULL) {
        remove_use(api, api->key_uses);
    }
}
