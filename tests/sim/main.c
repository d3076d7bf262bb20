/* sim: runs seeds of the simulation, or one again (docs/testing.md). */
#include <argp.h>
#include <ftw.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "tests/sim/jobs.h"
#include "tests/sim/shrink.h"

#define ZIC "/usr/sbin/zic"

enum {
    STEPS_DEFAULT = 300,
    SEEDS_DEFAULT = 1000,
    SEEDS_OF_EVERYTHING = 2000, /* so many must have exercised all that is counted */
};

extern char **environ;

struct options {
    uint64_t seeds, seed;
    uint32_t steps;
    unsigned jobs;
    double minutes;
    bool is_large, has_seed, tells, shrinks;
    const char *without;
};

/* ---- what is said ---- */

static const char *const count_texts[COUNTS] = {

#define COUNT(constant, text) [COUNT_##constant] = (text),
    SIM_COUNTS(COUNT)
#undef COUNT
};

/* Returns how many have never happened. */
static unsigned print_counts(const struct result *result, unsigned jobs)
{
    unsigned missing = 0;

    for (unsigned i = 0; i < COUNTS; i++) {
        (void)printf("%14llu  %s\n", (unsigned long long)result->counts[i], count_texts[i]);
        missing += result->counts[i] == 0;
    }
    (void)printf("%14.0f  messages a second and job, %u jobs, %.1f s\n",
                 (double)result->counts[COUNT_MESSAGES] / result->seconds / jobs, jobs,
                 result->seconds);
    return missing;
}

/* The line that repeats it, and its story. */
static void print_failure(const struct plan *plan, const struct failure *failure, uint32_t steps,
                          const struct sim_skips *skips, bool is_shrunk)
{
    struct failure again;

    (void)printf("seed %llu: %s\n", (unsigned long long)failure->seed, failure->text);
    (void)printf("reproduce: ./dev sim --seed %llu --steps %u", (unsigned long long)failure->seed,
                 steps);
    if (is_shrunk) {
        (void)printf(" --without ");
        skips_print(skips, steps, stdout);
    }
    (void)printf("\n");
    if (is_shrunk) {
        (void)fflush(stdout);
        jobs_run_one(plan, failure->seed, steps, skips, true, &again);
    }
}

static int report(const struct plan *plan, const struct failure *failure, bool shrinks)
{
    static struct sim_skips skips;
    uint32_t steps = plan->steps;

    print_failure(plan, failure, steps, &skips, false);
    if (!shrinks) {
        return 1;
    }
    (void)printf("shrinking…\n");
    (void)fflush(stdout);
    shrink(plan, failure, &steps, &skips);
    print_failure(plan, failure, steps, &skips, true);
    return 1;
}

/* ---- the two ways to run ---- */

static int run_one(const struct plan *plan, const struct options *options)
{
    static struct sim_skips skips;
    struct failure failure;

    if (options->without != NULL && !skips_parse(options->without, &skips)) {
        (void)fprintf(stderr, "sim: --without: not a list of steps: %s\n", options->without);
        return 2;
    }
    jobs_run_one(plan, options->seed, options->steps, &skips,
                 options->tells || options->without != NULL, &failure);
    if (!failure.has_failed) {
        (void)printf("seed %llu: nothing is broken\n", (unsigned long long)options->seed);
        return 0;
    }
    if (options->without != NULL || options->tells) {
        (void)printf("seed %llu: %s\n", (unsigned long long)failure.seed, failure.text);
        return 1;
    }
    return report(plan, &failure, options->shrinks);
}

static int run_many(const struct plan *plan, bool shrinks)
{
    struct result result;
    unsigned missing;

    jobs_run(plan, &result);
    missing = print_counts(&result, plan->jobs);
    if (result.failure.has_failed) {
        return report(plan, &result.failure, shrinks);
    }
    if (missing > 0 && result.counts[COUNT_SEEDS] >= SEEDS_OF_EVERYTHING) {
        (void)printf("%u of these never happened: the simulation does not try them\n", missing);
        return 1;
    }
    return 0;
}

/* ---- the machine ---- */

/* The tests' own time zones (tests/zoneinfo), so that no rule of the system's decides a seed. */
static void make_zones(const char *folder)
{
    const char *root = getenv("OUTDIAL_SOURCE_DIR"); // NOLINT(concurrency-mt-unsafe): no threads
    char source[1024], target[128];
    char *const arguments[] = {(char[]){"zic"}, (char[]){"-d"}, target, source, NULL};
    int status = -1;
    pid_t child;

    (void)snprintf(source, sizeof(source), "%s/tests/zoneinfo/source", root != NULL ? root : ".");
    (void)snprintf(target, sizeof(target), "%s/zones", folder);
    OD_CHECK(posix_spawn(&child, ZIC, NULL, NULL, arguments, environ) == 0);
    OD_CHECK(waitpid(child, &status, 0) == child && status == 0);
    OD_CHECK(setenv("TZDIR", target, 1) == 0);  // NOLINT(concurrency-mt-unsafe): no threads
    OD_CHECK(setenv("TMPDIR", folder, 1) == 0); // NOLINT(concurrency-mt-unsafe): of replays
    OD_CHECK(setenv("OUTDIAL_ADMIN_KEY", SIM_ADMIN_KEY, 1) == 0); // NOLINT(concurrency-mt-unsafe)
}

static int remove_one(const char *path, const struct stat *what, int type, struct FTW *where)
{
    (void)what;
    (void)type;
    (void)where;
    return remove(path);
}

static int run(const struct options *options)
{
    char folder[64];
    struct plan plan = {.first = options->seed,
                        .count = options->minutes > 0 ? 0 : options->seeds,
                        .steps = options->steps,
                        .jobs = options->jobs,
                        .minutes = options->minutes,
                        .folder = folder,
                        .is_large = options->is_large,
                        .shows_progress = isatty(STDERR_FILENO) == 1};
    struct od_error error;
    int status;

    (void)snprintf(folder, sizeof(folder), "%s/outdial-sim-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    OD_CHECK(mkdtemp(folder) != NULL);
    make_zones(folder);
    if (zones_open(&plan.zones, &error) != 0) {
        (void)fprintf(stderr, "sim: zones: %s\n", error.text);
        return 2;
    }
    status = options->has_seed ? run_one(&plan, options) : run_many(&plan, options->shrinks);
    zones_close(plan.zones);
    (void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return status;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case 'n': options->seeds = strtoull(argument, NULL, 10); return 0;
    case 'm': options->minutes = strtod(argument, NULL); return 0;
    case 's':
        options->seed = strtoull(argument, NULL, 10);
        options->has_seed = true;
        return 0;
    case 'f': options->seed = strtoull(argument, NULL, 10); return 0;
    case 'k': options->steps = (uint32_t)strtoul(argument, NULL, 10); return 0;
    case 'w': options->without = argument; return 0;
    case 'l': options->is_large = true; return 0;
    case 'j': options->jobs = (unsigned)strtoul(argument, NULL, 10); return 0;
    case 't': options->tells = true; return 0;
    case 'S': options->shrinks = false; return 0;
    case ARGP_KEY_END:
        if (options->jobs == 0 || options->jobs > JOBS_MAX || options->steps == 0 ||
            options->steps >= SIM_SKIPS_MAX) {
            argp_error(state, "a number is out of range"); // NOLINT(concurrency-mt-unsafe)
        }
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int main(int argc, char **argv)
{
    static const struct argp_option argument_options[] = {
        {"seeds", 'n', "N", 0, "So many seeds (1000)", 0},
        {"minutes", 'm', "M", 0, "As many as there is time for", 0},
        {"from", 'f', "S", 0, "The first of them (1)", 0},
        {"seed", 's', "S", 0, "This seed alone", 0},
        {"steps", 'k', "K", 0, "Steps of a seed (300)", 0},
        {"without", 'w', "LIST", 0, "With --seed: without these steps, as 3-17,20", 0},
        {"tell", 't', NULL, 0, "With --seed: tell each step", 0},
        {"no-shrink", 'S', NULL, 0, "Do not look for the fewest steps that fail", 0},
        {"large", 'l', NULL, 0, "Seeds of thousands of executions", 0},
        {"jobs", 'j', "J", 0, "Processes (as many as there are processors)", 0},
        {0}};
    static const struct argp argp = {
        argument_options, parse, NULL, "The whole engine but HTTP, simulated", NULL, NULL, NULL};
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct options options = {
        .seeds = SEEDS_DEFAULT,
        .seed = 1,
        .steps = STEPS_DEFAULT,
        .shrinks = true,
        .jobs = processors > 0 && processors <= JOBS_MAX ? (unsigned)processors : 1};

    /* There are no threads yet. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    (void)argp_parse(&argp, argc, argv, 0, NULL, &options);
    return run(&options);
}
