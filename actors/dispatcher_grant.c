/* Room is given out: a pass over those who want to queue calls, turn by turn, until the room, the
 * pass, or the wish is used up.
 *
 * Grants are added up during the pass, so that an execution gets one message for all its turns.
 * What limits a tenant (its cap, its calls per second) makes it pass its turn, and nobody else's.
 * An execution whose tenant has no credit left is told so, after the last grant that it got, and
 * forgotten: it pauses, and says its demand again when it is resumed.
 */
#include "actors/dispatcher_state.h"
#include "base/check.h"
#include "base/instant.h"

struct grant {
    uint32_t execution;
    struct call_grant granted;
};

struct pass {
    struct grant *grants;
    uint32_t grant_count;
    uint32_t *without_credits; /* executions */
    uint32_t without_count;
    uint32_t turns; /* calls granted, and executions without credits */
};

static uint32_t gateway_room(const struct dispatch_step *s, uint32_t index)
{
    const struct gateway_settings *settings = &s->d->settings->gateways[index];
    const struct dispatcher_gateway *gateway = &s->d->gateways[index];
    uint32_t machine = s->d->settings->max_calls;
    uint32_t room =
        settings->max_calls > gateway->in_flight ? settings->max_calls - gateway->in_flight : 0;
    uint32_t machine_room = machine > s->d->in_flight ? machine - s->d->in_flight : 0;

    if (gateway->back_off_until_mono > s->m->mono) {
        return 0;
    }
    if (settings->is_pull) {
        uint32_t offer_room = settings->max_offered > gateway->on_offer
                                  ? settings->max_offered - gateway->on_offer
                                  : 0;

        room = offer_room < room ? offer_room : room;
    }
    return machine_room < room ? machine_room : room;
}

/* May the tenant queue one more call now? When only its pace forbids it, the dispatcher wakes for
 * it. */
static bool tenant_has_room(const struct dispatch_step *s, const struct dispatcher_tenant *tenant)
{
    if (tenant->cap != 0 && tenant->in_flight >= tenant->cap) {
        return false;
    }
    if (pacing_room(&tenant->pacing, s->m->mono, 1) == 0) {
        dispatcher_wake_at(s, pacing_next_ms(&tenant->pacing, s->m->mono));
        return false;
    }
    return true;
}

static void add_turn(struct pass *pass, uint32_t execution, bool has_credits)
{
    for (uint32_t i = 0; i < pass->grant_count; i++) {
        if (pass->grants[i].execution == execution) {
            pass->grants[i].granted.calls++;
            return;
        }
    }
    pass->grants[pass->grant_count++] = (struct grant){execution, {1, has_credits}};
}

static void give_turn(const struct dispatch_step *s, struct dispatcher_gateway *gateway,
                      struct dispatcher_tenant *tenant, struct pass *pass, uint32_t execution)
{
    fair_share_take(&gateway->wanting);
    pacing_take(&tenant->pacing, s->m->mono, 1);
    tenant->in_flight++;
    gateway->in_flight++;
    s->d->in_flight++;
    dispatcher_reserve_credit(s, tenant);
    add_turn(pass, execution, tenant->credits.is_limited);
}

static void give_turns(const struct dispatch_step *s, uint32_t index, struct pass *pass)
{
    struct dispatcher_gateway *gateway = &s->d->gateways[index];
    uint32_t room = gateway_room(s, index);
    uint32_t passed = 0;
    uint32_t organisation;
    uint32_t execution;

    while (room > 0 && pass->turns < GRANT_PASS_CALLS &&
           passed < fair_share_groups(&gateway->wanting) &&
           fair_share_next(&gateway->wanting, &organisation, &execution)) {
        struct dispatcher_tenant *tenant = dispatcher_tenant_of(s, organisation);

        if (!tenant_has_room(s, tenant)) {
            fair_share_pass(&gateway->wanting);
            passed++;
            continue;
        }
        passed = 0;
        pass->turns++;
        if (dispatcher_has_credit(tenant)) {
            give_turn(s, gateway, tenant, pass, execution);
            room--;
        } else {
            fair_share_want(&gateway->wanting, organisation, execution, 0);
            pass->without_credits[pass->without_count++] = execution;
        }
    }
}

void dispatcher_on_dispatch(const struct dispatch_step *s)
{
    uint32_t gateways = s->d->settings->gateway_count;
    struct pass pass = {
        .grants = arena_alloc(s->view->arena, GRANT_PASS_CALLS * sizeof(struct grant)),
        .without_credits = arena_alloc(s->view->arena, GRANT_PASS_CALLS * sizeof(uint32_t))};

    OD_CHECK(gateways > 0);
    s->d->is_dispatch_sent = false;
    for (uint32_t i = 0; i < gateways; i++) {
        give_turns(s, (s->d->first_gateway + i) % gateways, &pass);
    }
    s->d->first_gateway = (s->d->first_gateway + 1) % gateways; /* a busy one starves no other */
    for (uint32_t i = 0; i < pass.grant_count; i++) {
        struct message grant = {.actor = {ACTOR_EXECUTION, pass.grants[i].execution},
                                .type = MESSAGE_GRANT};

        grant.payload.grant = pass.grants[i].granted;
        effect_send(s->out, &grant);
    }
    for (uint32_t i = 0; i < pass.without_count; i++) {
        struct message message = {.actor = {ACTOR_EXECUTION, pass.without_credits[i]},
                                  .type = MESSAGE_NO_CREDITS};

        effect_send(s->out, &message);
    }
    if (pass.turns == GRANT_PASS_CALLS) {
        dispatcher_ask(s);
    }
}
