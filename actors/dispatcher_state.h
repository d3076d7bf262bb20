/* Inside of the dispatcher: its tables, and what its files share. Nobody else includes this. */
#ifndef OUTDIAL_ACTORS_DISPATCHER_STATE_H
#define OUTDIAL_ACTORS_DISPATCHER_STATE_H

#include "actors/dispatcher.h"
#include "model/pacing.h"

enum {
    GRANT_PASS_CALLS = 256, /* calls granted by one DISPATCH: about 2 ms of a turn */
    CLAIM_CALLS_MAX = 1000,
    BACK_OFF_MAX_MS = 60 * 60 * 1000, /* of a gateway, by one event */
};

struct waiting_claim {
    uint64_t exchange;
    uint32_t max;
    struct uuid claim_id;
};

struct dispatcher_gateway {
    struct fair_share wanting; /* executions that want to queue calls */
    struct fair_share offered; /* executions with calls on offer */
    uint32_t in_flight, on_offer;
    int64_t back_off_until_mono;
    struct waiting_claim *claims; /* in order of arrival */
    uint32_t claim_count, claim_room;
    bool has_been_claimed;
    int64_t claimed_mono; /* when a claim came or was given up last */
};

struct dispatcher_tenant {
    uint32_t number, in_flight, cap; /* cap 0: none */
    struct pacing pacing;
    struct credits credits; /* as the row, or ahead of it until the batch closes */
    bool is_dirty;          /* the row has to be saved */
    uint32_t next_dirty;    /* slot; INDEX32_NONE: the last one */
};

/* A ring of the calls on offer of one execution, oldest first. */
struct dispatcher_queue {
    uint32_t execution;
    struct offered_call *calls;
    uint32_t head, count, room;
    uint32_t next_free;
};

struct dispatch_step {
    struct dispatcher *d;
    const struct message *m;
    struct view *view;
    struct effects *out;
};

/* ---- dispatcher.c ---- */

struct dispatcher_tenant *dispatcher_tenant_of(const struct dispatch_step *s,
                                               uint32_t organisation);
void dispatcher_ask(
    const struct dispatch_step *s); /* a DISPATCH to itself, unless one is under way */
void dispatcher_wake_at(const struct dispatch_step *s, int64_t mono);

/* ---- dispatcher_credits.c ---- */

void dispatcher_load_credits(const struct dispatch_step *s, struct dispatcher_tenant *tenant,
                             const struct organisation *organisation);
bool dispatcher_has_credit(const struct dispatcher_tenant *tenant);
void dispatcher_reserve_credit(const struct dispatch_step *s, struct dispatcher_tenant *tenant);
void dispatcher_settle_credits(const struct dispatch_step *s, struct dispatcher_tenant *tenant,
                               const struct call_room *room);
void dispatcher_on_credits_set(const struct dispatch_step *s);
void dispatcher_on_credits_add(const struct dispatch_step *s);

/* ---- dispatcher_grant.c ---- */

void dispatcher_on_dispatch(const struct dispatch_step *s);

/* ---- dispatcher_claim.c ---- */

void dispatcher_on_offered(const struct dispatch_step *s);
void dispatcher_on_withdrawn(const struct dispatch_step *s);
void dispatcher_on_claim(const struct dispatch_step *s);
void dispatcher_on_claim_given_up(const struct dispatch_step *s);
void dispatcher_serve(const struct dispatch_step *s, uint32_t index);

#endif
