#include "actors/dispatcher_state.h"

enum {
    WORKER_GONE_MS = 60000 /* since the last claim came or was given up: twice the longest wait */
};

static void of_tenant(const struct dispatcher *d, uint32_t organisation, int64_t mono,
                      struct dispatcher_limits *out)
{
    uint32_t slot = index32_find(&d->tenant_index, organisation);
    const struct dispatcher_tenant *tenant;

    if (slot == INDEX32_NONE) {
        return; /* it has never wanted a call */
    }
    tenant = &d->tenants[slot];
    if (tenant->cap != 0 && tenant->in_flight >= tenant->cap) {
        out->tenant_cap = tenant->cap;
    }
    if (pacing_room(&tenant->pacing, mono, 1) == 0) {
        out->tenant_rate_micro = tenant->pacing.per_second_micro;
        out->tenant_until_mono = pacing_next_ms(&tenant->pacing, mono);
    }
}

static void of_gateway(const struct dispatcher *d, uint32_t index, int64_t mono,
                       struct dispatcher_limits *out)
{
    const struct gateway_settings *settings = &d->settings->gateways[index];
    const struct dispatcher_gateway *gateway = &d->gateways[index];

    if (gateway->in_flight >= settings->max_calls) {
        out->gateway_limit = settings->max_calls;
    } else if (settings->is_pull && gateway->on_offer >= settings->max_offered) {
        out->gateway_limit = settings->max_offered;
    } else if (d->in_flight >= d->settings->max_calls) {
        out->gateway_limit = d->settings->max_calls;
    }
    if (gateway->back_off_until_mono > mono) {
        out->back_off_until_mono = gateway->back_off_until_mono;
    }
    out->has_worker = !settings->is_pull || gateway->claim_count > 0 ||
                      (gateway->has_been_claimed && mono - gateway->claimed_mono < WORKER_GONE_MS);
}

void dispatcher_find_limits(const struct dispatcher *d, uint32_t organisation, uint32_t gateway,
                            int64_t mono, struct dispatcher_limits *out)
{
    *out = (struct dispatcher_limits){0};
    of_tenant(d, organisation, mono, out);
    of_gateway(d, gateway, mono, out);
}
