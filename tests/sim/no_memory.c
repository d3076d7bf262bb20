/* Memory that is refused. The engine's own answer to that is the end of the process
 * (base/memory.h), so a copy of this process is made (fork), which goes on until an allocation of
 * the engine, the API or the libraries that they lend their memory to is refused. It shows that the
 * end comes at once, with its status, and that what was let out before was durable: all rules of
 * the simulation hold in the copy, too. Nothing is committed there; so what is on disk is what this
 * process knows, and the crash is made here.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "tests/sim/web.h"

enum { STEPS = 12, ALLOCATIONS_MAX = 100, PERCENT = 15 /* it costs as much as 100 messages */ };

static uint32_t allocations_left; /* until one is refused; 0: none ever is */

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);

static bool is_refused(void)
{
    return allocations_left > 0 && --allocations_left == 0;
}

void *__wrap_malloc(size_t size)
{
    return is_refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_refused() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return is_refused() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
    return is_refused() ? NULL : __real_reallocarray(old, count, size);
}

/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

static void go_on(struct sim *sim)
{
    allocations_left = 1 + below(sim, between(sim, 1, ALLOCATIONS_MAX)); /* most often soon */
    if (chance(sim, 80)) {
        workers_claim(sim, 10, false);
        workers_move(sim);
        web_read_something(sim);
        moves_control(sim);
    }
    world_work(sim, STEPS);
    _exit(0); /* there was enough for what there was to do */
}

void memory_move(struct sim *sim)
{
    uint64_t counts[COUNTS];
    pid_t child;
    int status;

    if (sim->records || !chance(sim, PERCENT)) {
        return; /* the trace's file would have two writers */
    }
    memcpy(counts, sim->slot->counts, sizeof(counts)); /* what the copy does is not counted */
    child = fork();
    SIM_REQUIRE(sim, child >= 0);
    if (child == 0) {
        go_on(sim);
    }
    SIM_REQUIRE(sim, waitpid(child, &status, 0) == child);
    memcpy(sim->slot->counts, counts, sizeof(counts));
    if (WIFEXITED(status) && WEXITSTATUS(status) == SIM_BROKEN) {
        _exit(SIM_BROKEN); /* the copy has said why */
    }
    SIM_REQUIRE(sim, WIFEXITED(status));
    if (WEXITSTATUS(status) == 0) {
        return;
    }
    SIM_REQUIRE(sim, WEXITSTATUS(status) == MEMORY_EXIT_STATUS);
    sim_count(sim, COUNT_NO_MEMORY);
    world_crash(sim);
}
