/* Runs in processes of their own: what is broken ends one, and the next goes on. */
#ifndef OUTDIAL_TESTS_SIM_JOBS_H
#define OUTDIAL_TESTS_SIM_JOBS_H

#include "tests/sim/sim.h"

enum { JOBS_MAX = 64 };

/* A part of the work: seeds from `first` on, each with so many steps. */
struct plan {
    uint64_t first, count; /* count 0: until the time is over */
    uint32_t steps;
    unsigned jobs;
    double minutes; /* 0: no limit */
    const char *folder;
    struct zones *zones;
    bool is_large; /* all seeds are of that kind */
    bool shows_progress;
};

struct failure {
    bool has_failed;
    uint64_t seed;
    int status; /* of waitpid */
    uint32_t step;
    char text[SIM_TEXT_MAX];
};

struct result {
    struct failure failure;
    uint64_t counts[COUNTS];
    double seconds;
};

/* Runs all seeds of the plan on its jobs, until one fails. */
void jobs_run(const struct plan *plan, struct result *result);

/* Runs one seed in a process of its own. */
void jobs_run_one(const struct plan *plan, uint64_t seed, uint32_t steps,
                  const struct sim_skips *skips, bool tells, struct failure *failure);

#endif
