/* What every kind of actor is to the engine: a state and pure functions over it. */
#ifndef OUTDIAL_ACTORS_ACTOR_H
#define OUTDIAL_ACTORS_ACTOR_H

#include "actors/effect.h"
#include "actors/view.h"
#include "model/message.h"

/* The next instants at which anything can change without a message; INSTANT_NEVER: never. The
 * engine sends TICK then. */
struct wake {
    int64_t at;   /* wall clock */
    int64_t mono; /* the clock that never goes back */
};

/* Settings of the engine that handlers need: data, the same for all actors, set at start. */
struct gateway_settings {
    const char *name;
    bool is_pull;         /* calls are claimed; else they are pushed */
    uint32_t max_calls;   /* in flight */
    uint32_t max_offered; /* pull: queued and not claimed */
};

struct actor_settings {
    int64_t lease_ms;
    int64_t call_timeout_ms;
    int64_t dial_by_ms;
    uint32_t lease_limit; /* an attempt ends `undeliverable` after so many leases */
    const struct gateway_settings *gateways; /* the first is the default */
    uint32_t gateway_count;
    uint32_t max_calls;         /* of the machine, in flight */
    int64_t keep_executions_ms; /* after their end; 0: for ever */
    int64_t keep_events_ms;     /* 0: for ever */
};

/* Functions of the execution actor and the others are declared in their own headers (execution.h,
 * dispatcher.h, directory.h, platform.h), all with this shape: void NOUN_handle(struct NOUN *state,
 * const struct message *m, struct view *view, struct effects *out);
 */

#endif
