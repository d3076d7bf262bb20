/* The dispatcher: who may queue calls now, and what is on offer to whom.
 *
 * Room is counted for the machine, each gateway and each organisation: an execution says its
 * DEMAND, gets a GRANT when it is its turn (actors/fair_share) and there is room, and the room
 * comes back by CALL_OVER. For pull gateways it also keeps the calls on offer and the claims that
 * wait for them. All of this is derived from what executions say, so nothing is stored: after a
 * start they say it again (CALLS_UNDER_WAY, CALLS_OFFERED, DEMAND).
 *
 * It is also the arbiter of credits, which are stored (CREDITS): a GRANT to an execution of an
 * organisation with a finite balance reserves a credit for each call, in the batch in which the
 * calls are queued, and CALL_OVER says what became of them. So executions of one organisation share
 * its balance exactly.
 */
#ifndef OUTDIAL_ACTORS_DISPATCHER_H
#define OUTDIAL_ACTORS_DISPATCHER_H

#include "actors/actor.h"
#include "actors/fair_share.h"
#include "base/index32.h"

struct dispatcher_gateway;
struct dispatcher_tenant;
struct dispatcher_queue;

struct dispatcher {
    const struct actor_settings *settings;
    struct dispatcher_gateway *gateways; /* one for each configured gateway */
    struct dispatcher_tenant *tenants;   /* organisations, by slot */
    struct index32 tenant_index;
    uint32_t tenant_count, tenant_room;
    uint32_t first_dirty;            /* a tenant whose credits have changed; INDEX32_NONE: none */
    struct dispatcher_queue *queues; /* calls on offer of an execution, by slot */
    struct index32 queue_index;
    uint32_t queue_room, queue_free;
    uint32_t in_flight;     /* rooms taken on this machine */
    bool is_dispatch_sent;  /* a DISPATCH is under way to itself */
    uint32_t first_gateway; /* whose turn comes first in the next pass */
    int64_t
        wake_mono; /* when waiting demand or claims can go on; INSTANT_NEVER: only by a message */
};

/* `settings` is borrowed for the dispatcher's life. */
void dispatcher_init(struct dispatcher *d, const struct actor_settings *settings);
void dispatcher_deinit(struct dispatcher *d);

/* Handles a message for ACTOR_DISPATCHER, or a TICK. */
void dispatcher_handle(struct dispatcher *d, const struct message *m, struct view *view,
                       struct effects *out);

/* Puts the CREDITS rows that have changed. The engine calls it when a batch closes: once a commit,
 * not once a call. */
void dispatcher_save(struct dispatcher *d, struct effects *out);

struct wake dispatcher_wake(const struct dispatcher *d);

/* What keeps an organisation's next call for a gateway back at `mono`; 0 where nothing does. */
struct dispatcher_limits {
    uint32_t tenant_cap;        /* the organisation's calls in flight are as many */
    uint64_t tenant_rate_micro; /* its calls per second × 10^6, and when the next may be queued */
    int64_t tenant_until_mono;
    uint32_t gateway_limit; /* calls in flight or on offer of the gateway or the machine: as many */
    int64_t back_off_until_mono; /* the gateway gets none before */
    bool has_worker; /* pull: a claim waits, or one came or was given up within a minute */
};

/* For diagnostics (dispatcher_limits.c). `gateway` is the index of a configured one. */
void dispatcher_find_limits(const struct dispatcher *d, uint32_t organisation, uint32_t gateway,
                            int64_t mono, struct dispatcher_limits *out);

/* Calls in flight, and of a gateway: on offer and claims waiting. For metrics and tests. */
uint32_t dispatcher_in_flight(const struct dispatcher *d);
uint32_t dispatcher_on_offer(const struct dispatcher *d, uint32_t gateway);
uint32_t dispatcher_waiting_claims(const struct dispatcher *d, uint32_t gateway);

#endif
