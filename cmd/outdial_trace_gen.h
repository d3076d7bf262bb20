/* What runs the engine of `outdial-trace gen` (outdial_trace_engine.c). */
#ifndef OUTDIAL_CMD_OUTDIAL_TRACE_GEN_H
#define OUTDIAL_CMD_OUTDIAL_TRACE_GEN_H

#include <stdint.h>

#include "base/error.h"
#include "cmd/outdial_trace_world.h"

struct gen_target {
    const char *path; /* of the trace */
    int64_t start_at; /* of the test clock */
};

/* From here on libsodium's random bytes follow from the seed. To be called before sodium_init. */
void gen_seed_random(uint64_t seed);

/* Lives through the world on a store in a temporary folder, which is removed, and records it to the
 * target. 0 or an operating code with *error; the file is then removed. */
int gen_run_world(const struct gen_target *target, const struct world_options *options,
                  void (*on_progress)(void *context, const struct world_progress *progress),
                  void *context, struct od_error *error);

#endif
