#include "actors/dispatcher.h"

#include <string.h>

#include "actors/dispatcher_state.h"
#include "base/check.h"
#include "base/instant.h"
#include "base/memory.h"

void dispatcher_init(struct dispatcher *d, const struct actor_settings *settings)
{
    memset(d, 0, sizeof(*d));
    d->settings = settings;
    d->gateways = memory_zero(settings->gateway_count, sizeof(*d->gateways));
    for (uint32_t i = 0; i < settings->gateway_count; i++) {
        fair_share_init(&d->gateways[i].wanting);
        fair_share_init(&d->gateways[i].offered);
        d->gateways[i].back_off_until_mono = INT64_MIN;
    }
    index32_init(&d->tenant_index);
    index32_init(&d->queue_index);
    d->queue_free = INDEX32_NONE;
    d->first_dirty = INDEX32_NONE;
    d->wake_mono = INSTANT_NEVER;
}

void dispatcher_deinit(struct dispatcher *d)
{
    for (uint32_t i = 0; i < d->settings->gateway_count; i++) {
        fair_share_deinit(&d->gateways[i].wanting);
        fair_share_deinit(&d->gateways[i].offered);
        memory_free(d->gateways[i].claims);
    }
    for (uint32_t i = 0; i < d->queue_room; i++) {
        memory_free(d->queues[i].calls);
    }
    memory_free(d->gateways);
    memory_free(d->tenants);
    memory_free(d->queues);
    index32_deinit(&d->tenant_index);
    index32_deinit(&d->queue_index);
    memset(d, 0, sizeof(*d));
    d->first_dirty = INDEX32_NONE;
}

/* ---- tenants ---- */

static void set_caps(struct dispatcher_tenant *tenant, const struct organisation *organisation)
{
    tenant->cap = organisation->max_concurrent_calls;
    if (tenant->pacing.per_second_micro != organisation->calls_per_second_micro) {
        pacing_init(&tenant->pacing, organisation->calls_per_second_micro);
    }
}

struct dispatcher_tenant *dispatcher_tenant_of(const struct dispatch_step *s, uint32_t organisation)
{
    struct dispatcher *d = s->d;
    uint32_t slot = index32_find(&d->tenant_index, organisation);

    if (slot == INDEX32_NONE) {
        struct key key = key_u32(organisation);
        struct organisation row;

        if (d->tenant_count == d->tenant_room) {
            d->tenant_room = d->tenant_room == 0 ? 8 : d->tenant_room * 2;
            d->tenants = memory_resize(d->tenants, d->tenant_room, sizeof(*d->tenants));
        }
        slot = d->tenant_count++;
        d->tenants[slot] = (struct dispatcher_tenant){.number = organisation};
        pacing_init(&d->tenants[slot].pacing, 0);
        index32_add(&d->tenant_index, organisation, slot);
        if (view_get(s->view, TABLE_ORGANISATION, &key, &row)) {
            set_caps(&d->tenants[slot], &row);
            dispatcher_load_credits(s, &d->tenants[slot], &row);
        }
    }
    return &d->tenants[slot];
}

/* ---- what the handlers share ---- */

void dispatcher_ask(const struct dispatch_step *s)
{
    struct message message = {
        .actor = {ACTOR_DISPATCHER, 0}, .type = MESSAGE_DISPATCH, .is_later = true};

    if (!s->d->is_dispatch_sent) {
        s->d->is_dispatch_sent = true;
        effect_send(s->out, &message);
    }
}

void dispatcher_wake_at(const struct dispatch_step *s, int64_t mono)
{
    if (mono < s->d->wake_mono) {
        s->d->wake_mono = mono;
    }
}

static struct dispatcher_gateway *gateway_of(const struct dispatch_step *s, uint32_t gateway)
{
    OD_CHECK(gateway < s->d->settings->gateway_count);
    return &s->d->gateways[gateway];
}

/* ---- handlers ---- */

static void on_demand(const struct dispatch_step *s)
{
    const struct demand *demand = &s->m->payload.demand;
    struct dispatcher_gateway *gateway = gateway_of(s, demand->gateway);

    fair_share_want(&gateway->wanting, demand->organisation, demand->execution,
                    demand->is_gone ? 0 : demand->calls);
    if (demand->calls > 0) {
        dispatcher_ask(s);
    }
}

static void on_under_way(const struct dispatch_step *s)
{
    const struct call_room *room = &s->m->payload.room;

    gateway_of(s, room->gateway)->in_flight += room->count;
    dispatcher_tenant_of(s, room->organisation)->in_flight += room->count;
    s->d->in_flight += room->count;
}

static void on_call_over(const struct dispatch_step *s)
{
    const struct call_room *room = &s->m->payload.room;
    struct dispatcher_tenant *tenant = dispatcher_tenant_of(s, room->organisation);

    if (room->count > 0) {
        struct dispatcher_gateway *gateway = gateway_of(s, room->gateway);

        OD_CHECK(gateway->in_flight >= room->count && tenant->in_flight >= room->count);
        gateway->in_flight -= room->count;
        tenant->in_flight -= room->count;
        s->d->in_flight -= room->count;
    }
    dispatcher_settle_credits(s, tenant, room);
    dispatcher_ask(s);
}

/* The gateway pauses for all organisations, so no single event may stop it for long: those who
 * still cannot dial say so again. */
static void on_back_off(const struct dispatch_step *s)
{
    const struct back_off *back_off = &s->m->payload.back_off;
    struct dispatcher_gateway *gateway = gateway_of(s, back_off->gateway);
    int64_t longest = s->m->mono + BACK_OFF_MAX_MS;
    int64_t until = back_off->until_mono < longest ? back_off->until_mono : longest;

    if (until > gateway->back_off_until_mono) {
        gateway->back_off_until_mono = until;
    }
    dispatcher_wake_at(s, gateway->back_off_until_mono);
}

static void on_organisation_changed(const struct dispatch_step *s)
{
    const struct organisation *organisation = s->m->payload.organisation;

    set_caps(dispatcher_tenant_of(s, organisation->number), organisation);
    dispatcher_ask(s);
}

static void on_tick(const struct dispatch_step *s)
{
    for (uint32_t i = 0; i < s->d->settings->gateway_count; i++) {
        int64_t until = s->d->gateways[i].back_off_until_mono;

        if (until > s->m->mono) {
            dispatcher_wake_at(s, until);
        }
        dispatcher_serve(s, i);
    }
    dispatcher_ask(s);
}

void dispatcher_handle(struct dispatcher *d, const struct message *m, struct view *view,
                       struct effects *out)
{
    const struct dispatch_step s = {.d = d, .m = m, .view = view, .out = out};

    switch ((int)m->type) {
    case MESSAGE_TICK: break;
    case MESSAGE_DEMAND: on_demand(&s); break;
    case MESSAGE_CALLS_OFFERED: dispatcher_on_offered(&s); break;
    case MESSAGE_CALLS_UNDER_WAY: on_under_way(&s); break;
    case MESSAGE_CALLS_WITHDRAWN: dispatcher_on_withdrawn(&s); break;
    case MESSAGE_CALL_OVER: on_call_over(&s); break;
    case MESSAGE_GATEWAY_BACK_OFF: on_back_off(&s); break;
    case MESSAGE_CLAIM: dispatcher_on_claim(&s); break;
    case MESSAGE_CLAIM_GIVEN_UP: dispatcher_on_claim_given_up(&s); break;
    case MESSAGE_ORGANISATION_CHANGED: on_organisation_changed(&s); break;
    case MESSAGE_CREDITS_SET: dispatcher_on_credits_set(&s); break;
    case MESSAGE_CREDITS_ADD: dispatcher_on_credits_add(&s); break;
    case MESSAGE_DISPATCH: dispatcher_on_dispatch(&s); break;
    default: OD_CHECK(!"a message that the dispatcher handles");
    }
    /* After the message, which may take calls off the offer: they are not to be given out before.
     */
    if (d->wake_mono <= m->mono) {
        d->wake_mono = INSTANT_NEVER; /* whoever still waits says so again */
        on_tick(&s);
    }
}

struct wake dispatcher_wake(const struct dispatcher *d)
{
    return (struct wake){.at = INSTANT_NEVER, .mono = d->wake_mono};
}

uint32_t dispatcher_in_flight(const struct dispatcher *d)
{
    return d->in_flight;
}

uint32_t dispatcher_on_offer(const struct dispatcher *d, uint32_t gateway)
{
    return d->gateways[gateway].on_offer;
}

uint32_t dispatcher_waiting_claims(const struct dispatcher *d, uint32_t gateway)
{
    return d->gateways[gateway].claim_count;
}
