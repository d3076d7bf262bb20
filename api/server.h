/* The API's state, which its files share. */
#ifndef OUTDIAL_API_SERVER_H
#define OUTDIAL_API_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "api/api.h"
#include "api/auth.h"
#include "api/connection.h"
#include "api/event_streams.h"
#include "api/exchange.h"
#include "api/first_key.h"
#include "api/http.h"
#include "api/router.h"
#include "engine/engine.h"

struct api {
    struct engine *engine;
    struct router *router;
    struct auth auth;
    struct first_key first_key;
    struct connections connections;
    struct event_streams streams;
    struct http http, ops_http;
    struct exchange_private *exchanges; /* a uthash by number: those without an answer yet */
    struct exchange_private *finished;  /* a list: answered, to be freed */
    struct idempotent *idempotents;     /* a uthash: Idempotency-Keys under way */
    struct key_use *key_uses;           /* a uthash: API keys used lately (api/limits.h) */
    struct event *tick;                 /* every 250 ms: listeners, deadlines, drain */
    uint32_t ticks;
    uint64_t request_id_bits, request_ids; /* of request ids: random, and given so far */
    uint64_t advance_exchange;             /* waits for the test clock to have moved; 0: none */
    uint32_t callbacks;                    /* of the reactor that are running, one in another */
    bool is_stopping;
};

#endif
