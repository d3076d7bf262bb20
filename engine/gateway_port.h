/* What a gateway implements: a few functions, so that a new one is one file in gateways/ and one
 * line of registration.
 *
 * A push gateway is handed calls whose `queued` state is durable, and reports back by posting
 * messages (CALL_STARTED, NODE_EXECUTED, CALL_RESULT, CALL_RELEASED with from_gateway set). It
 * asks for the permission to dial with CALL_STARTED and is told by `answered`. A pull gateway only
 * says so: its calls are claimed through the API. Everything runs on the reactor's thread and must
 * not block.
 */
#ifndef OUTDIAL_ENGINE_GATEWAY_PORT_H
#define OUTDIAL_ENGINE_GATEWAY_PORT_H

#include "actors/effect.h"
#include "base/error.h"

struct engine;
struct gateway_instance; /* a gateway's own state */

/* One setting of a [gateway NAME] section that this kind understands. */
struct gateway_option {
    const char *key;
    const char *fallback; /* the default, as text */
    const char *comment;
    bool (*is_valid)(struct slice value);
};

/* What the engine gives to an instance, borrowed for the call of `open`: copy what is needed. For
 * `check` there are the options only. */
struct gateway_host {
    struct engine *engine;
    uint32_t index; /* among the configured gateways */

    /* gateway_post below: queues the message, so it may be called from any function of the kind.
     * By a pointer, because a gateway may not call into the engine (the link check of the layers),
     * and because in a test something else stands for the engine. */
    void (*post)(struct engine *engine, enum message_type type, uint32_t execution,
                 const struct call_event *event);

    /* The text of an option: option(option_context, key). Never NULL for a key of the kind. */
    const char *(*option)(const void *option_context, const char *key);
    const void *option_context;
};

/* The engine's answer to a CALL_STARTED of a push gateway, durable. */
struct gateway_answer {
    uint32_t execution, entry;
    uint16_t attempt;
    enum event_status status; /* dial on EVENT_ACCEPTED; on EVENT_DUPLICATE if certainly not yet */
    int64_t at, mono;         /* now */
};

struct gateway_kind {
    const char *name; /* the `kind` of a [gateway NAME] section */
    bool is_pull;
    const struct gateway_option *options; /* ends with a NULL key */

    /* Judges the options of one gateway together, each of which is valid by itself: 0, or OD_EINVAL
     * with the reason in *error. NULL: there is nothing to judge. */
    int (*check)(const struct gateway_host *host, struct od_error *error);

    /* Makes an instance of options that have been checked; *out may be NULL where a kind has no
     * state. 0 or an operating code with *error. */
    int (*open)(const struct gateway_host *host, struct gateway_instance **out,
                struct od_error *error);
    void (*close)(struct gateway_instance *instance);

    /* A durable call to be placed. The offer's texts are borrowed for the call. It may come again,
     * when what was posted got lost with a failed commit, or after a restart (is_resumed). Push
     * only. */
    void (*offer)(struct gateway_instance *instance, const struct offer *offer);

    /* The answer to a posted CALL_STARTED. Push only. */
    void (*answered)(struct gateway_instance *instance, const struct gateway_answer *answer);

    /* The mono instant (ms) at which the instance wants `run`; INSTANT_NEVER: not at all. Push
     * only. */
    int64_t (*wake)(const struct gateway_instance *instance);

    /* Does what is due at `mono`, at most `budget` pieces of it; posts messages. True when more is
     * due. Push only. */
    bool (*run)(struct gateway_instance *instance, int64_t at, int64_t mono, uint32_t budget);
};

/* Posts an event of a call to its execution. `event` is copied (its texts too). */
void gateway_post(struct engine *engine, enum message_type type, uint32_t execution,
                  const struct call_event *event);

/* The kinds that this program has; ends with NULL. In gateways/register.c. */
extern const struct gateway_kind *const gateway_kinds[];

#endif
