/* Why an execution does not dial, as far as only the actors' memory tells: room and pace. */
#ifndef OUTDIAL_ENGINE_DIAGNOSE_H
#define OUTDIAL_ENGINE_DIAGNOSE_H

#include "engine/engine.h"

/* Instants are of the wall clock, as engine_now; 0 and false where nothing keeps calls back. */
struct diagnosis {
    bool has_work;    /* false: the execution is not in memory, as it has no work left */
    bool has_gateway; /* its gateway is configured */
    bool has_worker;  /* that gateway has somebody who takes calls */
    uint32_t usable_dids;
    uint32_t queued;     /* calls that wait to be claimed or permitted */
    uint32_t cap;        /* its own maxConcurrentCalls is reached */
    uint64_t rate_micro; /* its own calls per second × 10^6, and when the next may be queued */
    int64_t paced_until;
    uint32_t organisation_cap;
    uint64_t organisation_rate_micro;
    int64_t organisation_until;
    uint32_t gateway_limit;
    int64_t gateway_until; /* it backs off */
};

/* Looks at an execution by its number, now. */
void engine_diagnose(struct engine *engine, uint32_t execution, struct diagnosis *out);

#endif
