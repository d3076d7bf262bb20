#include "engine/diagnose.h"

#include "base/instant.h"
#include "engine/engine_state.h"

/* A mono instant on the wall clock. */
static int64_t wall_of(const struct engine *engine, int64_t mono)
{
    return instant_add(clock_now(&engine->clock), mono - clock_mono(&engine->clock));
}

static void of_execution(const struct engine *engine, const struct execution *e,
                         struct diagnosis *out)
{
    uint32_t cap = e->settings.pacing.max_concurrent_calls;
    int64_t mono = clock_mono(&engine->clock);

    out->has_work = true;
    out->has_gateway = e->has_gateway;
    out->usable_dids = e->usable_dids;
    out->queued = e->flights.listed[FLIGHTS_ON_OFFER] + e->flights.listed[FLIGHTS_WITHHELD];
    if (cap != 0 && e->flights.count >= cap) {
        out->cap = cap;
    }
    if (pacing_room(&e->pacing, mono, 1) == 0) {
        out->rate_micro = e->pacing.per_second_micro;
        out->paced_until = wall_of(engine, pacing_next_ms(&e->pacing, mono));
    }
}

static void of_others(const struct engine *engine, const struct execution *e, struct diagnosis *out)
{
    struct dispatcher_limits limits;

    dispatcher_find_limits(&engine->dispatcher, e->settings.organisation, e->gateway,
                           clock_mono(&engine->clock), &limits);
    out->has_worker = limits.has_worker;
    out->organisation_cap = limits.tenant_cap;
    out->organisation_rate_micro = limits.tenant_rate_micro;
    out->organisation_until =
        limits.tenant_rate_micro != 0 ? wall_of(engine, limits.tenant_until_mono) : 0;
    out->gateway_limit = limits.gateway_limit;
    out->gateway_until =
        limits.back_off_until_mono != 0 ? wall_of(engine, limits.back_off_until_mono) : 0;
}

void engine_diagnose(struct engine *engine, uint32_t execution, struct diagnosis *out)
{
    const struct resident *resident = registry_find(&engine->registry, execution);

    *out = (struct diagnosis){0};
    if (resident == NULL || engine->dispatcher.settings == NULL) {
        return;
    }
    clock_refresh(&engine->clock);
    of_execution(engine, &resident->execution, out);
    if (resident->execution.has_gateway) {
        of_others(engine, &resident->execution, out);
    }
}
