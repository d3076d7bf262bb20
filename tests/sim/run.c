/* One run: a world from a seed, its steps, its end. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/check.h"
#include "base/memory.h"
#include "tests/sim/sim.h"

enum { LARGE_EVERY = 2000, WIDE_OF_2000 = 14 };

/* ---- random bytes of the engine ---- */

static struct prng random_bytes;

static const char *bytes_name(void)
{
    return "simulation";
}

static uint32_t bytes_random(void)
{
    return (uint32_t)prng_next(&random_bytes);
}

static void bytes_fill(void *const out, const size_t size)
{
    for (size_t i = 0; i < size; i++) {
        ((uint8_t *)out)[i] = (uint8_t)prng_next(&random_bytes);
    }
}

static void seed_bytes(uint64_t seed)
{
    static struct randombytes_implementation seeded = {
        .implementation_name = bytes_name, .random = bytes_random, .buf = bytes_fill};

    prng_seed(&random_bytes, seed);
    OD_CHECK(randombytes_set_implementation(&seeded) == 0);
}

/* ---- words ---- */

void sim_fail(struct sim *sim, const char *format, ...)
{
    char text[SIM_TEXT_MAX - 64];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    (void)snprintf(sim->slot->text, sizeof(sim->slot->text), "step %u: %s (%s to %u)", sim->step,
                   text,
                   sim->model.now != NULL ? message_type_name(sim->model.now->type) : "no message",
                   sim->model.now != NULL ? sim->model.now->actor.number : 0);
    if (sim->tells) {
        (void)printf("      BROKEN: %s\n", sim->slot->text);
        (void)fflush(stdout);
    }
    _exit(SIM_BROKEN);
}

void sim_tell(struct sim *sim, const char *format, ...)
{
    char at[INSTANT_TEXT_SIZE];
    va_list arguments;

    if (!sim->tells) {
        return;
    }
    instant_print(sim->at, at);
    (void)printf("%5u %s ", sim->step, at);
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    (void)printf("\n");
}

/* ---- a run ---- */

/* Days on which clocks change somewhere, and an ordinary one. */
static int64_t choose_start(struct sim *sim)
{
    static const int64_t starts[] = {
        INT64_C(1804996800000), /* 2027-03-14: New York, Havana */
        INT64_C(1806769800000), /* 2027-04-03T23:30 UTC: Lord Howe */
        INT64_C(1822573800000), /* 2027-10-03 */
        INT64_C(1825563600000), /* 2027-11-07 */
        INT64_C(1812000000000),
    };

    return starts[below(sim, 5)] - (int64_t)below(sim, 36 * 3600000);
}

/* What the engine does between two moves: nothing, a little, or all that there is to do. */
static void let_work(struct sim *sim)
{
    unsigned how = below(sim, 100);
    uint32_t steps = how < 35 ? 0 : between(sim, 1, 24);

    engine_limit_turns(sim->engine, chance(sim, 40) ? between(sim, 1, 4) : 1000,
                       chance(sim, 40) ? between(sim, 1, 4) : 1000);
    if (how > 70 && !sim->is_disk_full && !sim->is_disk_slow) {
        world_rest(sim);
        return;
    }
    for (uint32_t i = 0; i < steps; i++) {
        bool may_commit = chance(sim, sim->is_disk_slow ? 3 : 40);

        if (!world_step(sim, may_commit) && may_commit) {
            break;
        }
    }
}

static void begin_step(struct sim *sim, uint32_t step)
{
    sim->step = step;
    sim->slot->step = step;
    prng_seed(&sim->prng,
              hash_number(sim->seed) ^ hash_number(step + UINT64_C(1) + (sim->seed << 20)));
}

static void choose_kind(struct sim *sim, bool is_large)
{
    static const struct model_limits limits[] = {
        [SIM_USUAL] = {.executions = 512, .contacts = 1024, .programs = 128, .members = 4096},
        [SIM_WIDE] = {.executions = 512, .contacts = 4096, .programs = 128, .members = 16384},
        [SIM_LARGE] = {.executions = 8192, .contacts = 2048, .programs = 4096, .members = 8192},
    };
    sim->kind = below(sim, 2000) < WIDE_OF_2000 ? SIM_WIDE : SIM_USUAL;
    if (is_large || sim->seed % LARGE_EVERY == LARGE_EVERY / 2) {
        sim->kind = SIM_LARGE; /* seldom, and in every run of so many */
    }
    model_init(sim, &limits[sim->kind]);
    sim_count(sim, COUNT_WIDE_SEEDS - SIM_WIDE + sim->kind);
}

void sim_run(struct sim *sim, uint32_t steps, bool is_large, const struct sim_skips *skips)
{
    begin_step(sim, 0);
    seed_bytes(sim->seed);
    choose_kind(sim, is_large);
    sim->at = choose_start(sim);
    sim->mono = MS_PER_DAY;
    arena_init(&sim->memory, 65536);
    world_begin(sim);
    moves_make_world(sim);
    for (uint32_t step = 1; step <= steps; step++) {
        if (skips != NULL && step < SIM_SKIPS_MAX && skips->is_skipped[step]) {
            continue;
        }
        begin_step(sim, step);
        moves_do(sim);
        let_work(sim);
        sim_count(sim, COUNT_STEPS);
    }
    begin_step(sim, steps + 1);
    finale_run(sim);
    sim_count(sim, COUNT_SEEDS);
    world_end(sim);
    arena_deinit(&sim->memory);
}
