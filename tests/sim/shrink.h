/* A failing seed made small: the fewest steps with which the same rule is still broken. */
#ifndef OUTDIAL_TESTS_SIM_SHRINK_H
#define OUTDIAL_TESTS_SIM_SHRINK_H

#include "tests/sim/jobs.h"

/* *steps and *skips become those of the shrunk run. */
void shrink(const struct plan *plan, const struct failure *failure, uint32_t *steps,
            struct sim_skips *skips);

/* "3-17,20": the steps that are skipped. */
void skips_print(const struct sim_skips *skips, uint32_t steps, FILE *out);
bool skips_parse(const char *text, struct sim_skips *skips);

#endif
