/* The push gateway of the simulation: the built-in simulator, with the model looking at each offer
 * as it leaves the engine. */
#include "gateways/kinds.h"
#include "tests/sim/sim.h"

/* A kind has no context of its own; one simulation runs in a process. */
static struct sim *watched;

static void on_offer(struct gateway_instance *instance, const struct offer *offer)
{
    model_on_offer(watched, offer);
    simulator_kind.offer(instance, offer);
}

const struct gateway_kind *const *carrier_kinds(struct sim *sim)
{
    static struct gateway_kind carrier;
    static const struct gateway_kind *kinds[] = {&carrier, &worker_kind, NULL};

    watched = sim;
    carrier = simulator_kind;
    carrier.offer = on_offer;
    return kinds;
}
