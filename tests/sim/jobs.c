#include "tests/sim/jobs.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"

enum { PROGRESS_MS = 500 };

/* What the processes share. */
struct shared {
    atomic_uint_fast64_t next; /* seed */
    atomic_bool is_over;
    struct sim_slot slots[JOBS_MAX + 1];
};

static struct shared *share(void)
{
    struct shared *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    OD_CHECK(shared != MAP_FAILED);
    return shared;
}

static double now_s(void)
{
    struct timespec now;

    OD_CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- a process ---- */

/* One for all seeds of a process: it is large, and needs no zeros. */
static struct request requests[SIM_EXCHANGES];

/* NOLINTNEXTLINE(readability-function-size): its parameters are a run */
static void run_seed(const struct plan *plan, struct sim_slot *slot, unsigned job, uint64_t seed,
                     uint32_t steps, const struct sim_skips *skips, bool tells)
{
    struct sim *sim = memory_zero(1, sizeof(*sim));

    slot->seed = seed;
    slot->text[0] = '\0';
    sim->seed = seed;
    sim->slot = slot;
    sim->requests = requests;
    sim->zones = plan->zones;
    sim->tells = tells;
    (void)snprintf(sim->folder, sizeof(sim->folder), "%s/%u", plan->folder, job);
    OD_CHECK(mkdir(sim->folder, 0700) == 0 || access(sim->folder, W_OK) == 0);
    sim_run(sim, steps, plan->is_large, skips);
    memory_free(sim);
}

static void quiet(bool is_silent)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    OD_CHECK(null >= 0);
    log_open(LOG_LEVEL_ERROR, LOG_TEXT_FORMAT, null);
    if (is_silent) {
        OD_CHECK(dup2(null, STDERR_FILENO) >= 0);
    }
}

static void work(const struct plan *plan, struct shared *shared, unsigned job)
{
    quiet(false);
    pages_keep_heap();
    while (!atomic_load(&shared->is_over)) {
        uint64_t n = atomic_fetch_add(&shared->next, 1);

        if (plan->count != 0 && n >= plan->count) {
            return;
        }
        run_seed(plan, &shared->slots[job], job, plan->first + n, plan->steps, NULL, false);
    }
}

static void read_failure(const struct sim_slot *slot, int status, struct failure *failure)
{
    failure->has_failed = true;
    failure->seed = slot->seed;
    failure->step = slot->step;
    failure->status = status;
    memcpy(failure->text, slot->text, sizeof(failure->text));
    if (WIFSIGNALED(status)) {
        (void)snprintf(failure->text, sizeof(failure->text), "step %u: signal %d", slot->step,
                       WTERMSIG(status));
    } else if (slot->text[0] == '\0') {
        (void)snprintf(failure->text, sizeof(failure->text), "step %u: exit status %d", slot->step,
                       WEXITSTATUS(status));
    }
}

/* ---- the parent ---- */

static void add_counts(const struct shared *shared, unsigned jobs, uint64_t counts[COUNTS])
{
    memset(counts, 0, COUNTS * sizeof(counts[0]));
    for (unsigned job = 0; job < jobs; job++) {
        for (unsigned i = 0; i < COUNTS; i++) {
            counts[i] += shared->slots[job].counts[i];
        }
    }
}

static void show_progress(const struct plan *plan, const struct shared *shared, double seconds)
{
    uint64_t counts[COUNTS];

    add_counts(shared, plan->jobs, counts);
    (void)fprintf(stderr, "\r%llu seeds, %.1f million messages, %.0f messages/s a job ",
                  (unsigned long long)counts[COUNT_SEEDS], (double)counts[COUNT_MESSAGES] / 1e6,
                  (double)counts[COUNT_MESSAGES] / seconds / plan->jobs);
}

/* One of the processes has ended; true: all have. */
static bool reap(struct shared *shared, pid_t *children, unsigned jobs, struct result *result)
{
    unsigned left = 0;

    for (unsigned job = 0; job < jobs; job++) {
        int status;

        if (children[job] == 0) {
            continue;
        }
        if (waitpid(children[job], &status, WNOHANG) != children[job]) {
            left++;
            continue;
        }
        children[job] = 0;
        if (status != 0 && !result->failure.has_failed) {
            read_failure(&shared->slots[job], status, &result->failure);
            atomic_store(&shared->is_over, true); /* the others end their seeds */
        }
    }
    return left == 0;
}

static pid_t start(const struct plan *plan, struct shared *shared, unsigned job)
{
    pid_t child = fork();

    OD_CHECK(child >= 0);
    if (child == 0) {
        work(plan, shared, job);
        exit(0); // NOLINT(concurrency-mt-unsafe): leaks are looked for at the exit
    }
    return child;
}

void jobs_run(const struct plan *plan, struct result *result)
{
    struct shared *shared = share();
    pid_t children[JOBS_MAX] = {0};
    double begun = now_s();

    memset(result, 0, sizeof(*result));
    (void)fflush(NULL);
    for (unsigned job = 0; job < plan->jobs; job++) {
        children[job] = start(plan, shared, job);
    }
    while (!reap(shared, children, plan->jobs, result)) {
        double seconds = now_s() - begun;

        (void)poll(NULL, 0, seconds < 2 ? 10 : PROGRESS_MS);
        if (plan->shows_progress) {
            show_progress(plan, shared, seconds);
        }
        if (plan->minutes > 0 && seconds > plan->minutes * 60) {
            atomic_store(&shared->is_over, true);
        }
    }
    result->seconds = now_s() - begun;
    add_counts(shared, plan->jobs, result->counts);
    if (plan->shows_progress) {
        (void)fprintf(stderr, "\r%70s\r", "");
    }
    OD_CHECK(munmap(shared, sizeof(*shared)) == 0);
}

void jobs_run_one(const struct plan *plan, uint64_t seed, uint32_t steps,
                  const struct sim_skips *skips, bool tells, struct failure *failure)
{
    struct shared *shared = share();
    pid_t child;
    int status;

    (void)fflush(NULL);
    child = fork();
    OD_CHECK(child >= 0);
    if (child == 0) {
        quiet(!tells);
        run_seed(plan, &shared->slots[0], JOBS_MAX, seed, steps, skips, tells);
        exit(0); // NOLINT(concurrency-mt-unsafe): leaks are looked for at the exit
    }
    OD_CHECK(waitpid(child, &status, 0) == child);
    memset(failure, 0, sizeof(*failure));
    if (status != 0) {
        read_failure(&shared->slots[0], status, failure);
    }
    OD_CHECK(munmap(shared, sizeof(*shared)) == 0);
}
