/* The world of `outdial-trace gen`: organisations that load contacts and launch programs, an
 * operator who pauses and cancels, and workers that claim calls and report what became of them.
 *
 * It says what comes from outside of the engine and nothing else; what follows from it the engine
 * itself decides, on a test clock, so a trace of such a run verifies. All is decided by one seed.
 * For cmd/outdial_trace_*.c only.
 */
#ifndef OUTDIAL_CMD_OUTDIAL_TRACE_WORLD_H
#define OUTDIAL_CMD_OUTDIAL_TRACE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/heap.h"
#include "engine/engine.h"

enum world_arrival {
    ARRIVAL_CONSTANT, /* a claim each batch/rate seconds */
    ARRIVAL_POISSON,  /* the same on average, with exponential gaps */
    ARRIVAL_BURST,    /* all claims of ten seconds at once */
};

enum {
    WORLD_OUTCOMES = OUTCOME_TIMEOUT + 1,
    WORLD_PART = 1000000, /* shares are in millionths */
    WORLD_RATE_MAX = 1000000,
};

struct world_options {
    uint64_t seed;
    uint32_t organisations, executions;
    uint64_t contacts;                /* of all executions together */
    uint64_t weights[WORLD_OUTCOMES]; /* of the outcomes, by enum outcome; timeout: never told */
    enum world_arrival arrival;
    uint32_t rate;    /* calls that the workers ask for, a second */
    uint32_t batch;   /* calls a claim */
    uint32_t retries; /* of a failed contact */
    uint32_t pauses;  /* executions that are paused for a while, once */
    uint32_t cancels; /* executions that are cancelled */
    uint32_t faults;  /* millionths of the calls with which a worker does something wrong */
    uint32_t first;   /* number of the first organisation, audience and execution */
    const char *timezone;
};

struct world;

/* Told now and then, and once at the end. */
struct world_progress {
    int64_t at;        /* the test clock */
    uint64_t messages; /* posted from outside */
    uint64_t contacts; /* loaded */
    uint64_t ended;    /* contacts that are completed, failed or skipped */
    uint32_t executions_ended;
    uint64_t calls; /* claimed */
};

/* Borrows the options. The engine stands on a test clock and has the gateway "worker". */
struct world *world_new(struct engine *engine, const struct world_options *options);
void world_free(struct world *world);

/* Lives until every execution has ended. `on_progress` may be NULL. Returns 0, or OD_EIO when the
 * engine has given up (its log says why), OD_EINVAL when it has refused something that it should
 * take, with *error. */
int world_live(struct world *world,
               void (*on_progress)(void *context, const struct world_progress *progress),
               void *context, struct od_error *error);

#endif
