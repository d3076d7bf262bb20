/* The end of a run: disks, clocks and workers are well again, and whatever has begun must come to
 * its end. What is left then is what nobody would ever finish.
 */
#include "base/check.h"
#include "model/lifecycle.h"
#include "tests/sim/sim.h"

enum {
    ROUNDS_MAX = 3000,
    ROUNDS_OF_CALLING = 100, /* before what goes on is cancelled */
};

static bool is_over(const struct model_execution *x)
{
    return !x->exists || (execution_has_ended(x->status) && x->live == 0 && x->due == 0);
}

static bool all_are_over(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->model.execution_count; i++) {
        if (!is_over(sim->model.executions[i])) {
            return false;
        }
    }
    return true;
}

static void control(struct sim *sim, const struct model_execution *x, enum message_type type)
{
    union payload payload = {.resume = {.has_rules = false}};

    clients_post(sim, REQUEST_CONTROL, type, x->number, &payload, NULL, 0);
}

/* Organisations get credits, and DIDs work. */
static void heal(struct sim *sim)
{
    for (uint32_t o = 1; o <= MODEL_ORGANISATIONS; o++) {
        if (sim->model.organisations[o].is_limited) {
            clients_add_credits(sim, o, 1000);
        }
    }
    for (uint32_t i = 0; i < sim->model.did_count; i++) {
        struct arena *arena = arena_new();
        struct did_patch *patch = arena_zalloc(arena, sizeof(*patch));
        union payload payload = {.did_patch = patch};

        patch->id = sim->model.dids[i].id;
        patch->present = DID_STATUS;
        patch->status = DID_ACTIVE;
        clients_post(sim, REQUEST_WRITE, MESSAGE_DID_PATCH, 0, &payload, arena, 0);
    }
}

/* What is paused is resumed, but for the live ones, which never end by themselves; those, and what
 * pauses again and again, are cancelled. */
static void push_on(struct sim *sim, unsigned round)
{
    for (uint32_t i = 0; i < sim->model.execution_count; i++) {
        const struct model_execution *x = sim->model.executions[i];

        if (is_over(x) || execution_has_ended(x->status)) {
            continue;
        }
        if (round > ROUNDS_OF_CALLING || (x->is_live && round > 20)) {
            control(sim, x, MESSAGE_CANCEL);
        } else if (execution_is_paused(x->status)) {
            control(sim, x, MESSAGE_RESUME);
        }
    }
}

static bool pass_to_next(struct sim *sim)
{
    struct wake wake = engine_wake(sim->engine);
    int64_t due = wake.at;

    if (wake.mono != INSTANT_NEVER && sim->at + (wake.mono - sim->mono) < due) {
        due = sim->at + (wake.mono - sim->mono);
    }
    if (due == INSTANT_NEVER) {
        return false;
    }
    if (due > sim->at) {
        world_pass_until(sim, due, 0);
    } else {
        world_pass_until(sim, sim->at + 1, 0);
    }
    return true;
}

static void check_end(struct sim *sim)
{
    for (uint32_t o = 1; o <= MODEL_ORGANISATIONS; o++) {
        SIM_REQUIRE(sim, sim->model.organisations[o].reserved == 0);
        SIM_REQUIRE(sim, sim->model.organisations[o].live == 0);
    }
    SIM_REQUIRE(sim, sim->model.gateway_live[0] + sim->model.gateway_live[1] == 0);
    for (uint64_t i = 1; i <= sim->last_exchange; i++) {
        SIM_REQUIRE(sim, !sim->requests[i].is_waiting || sim->requests[i].kind == REQUEST_CLAIM);
    }
    SIM_REQUIRE(sim, clients_are_all_answered(sim));
}

void finale_run(struct sim *sim)
{
    unsigned round = 0;

    sim->is_disk_full = sim->is_disk_slow = false;
    sim->refusal = 0;
    engine_limit_turns(sim->engine, 1000, 1000);
    world_rest(sim);
    heal(sim);
    world_rest(sim);
    while (!all_are_over(sim) || !clients_are_all_answered(sim)) {
        SIM_REQUIRE(sim, ++round < ROUNDS_MAX); /* something never ends */
        clients_repeat(sim);
        push_on(sim, round);
        workers_claim(sim, SIM_KNOWN_CALLS, false);
        world_rest(sim);
        if (!workers_work_on(sim) && !pass_to_next(sim)) {
            world_pass_until(sim, sim->at + MS_PER_HOUR, 0);
        }
        world_rest(sim);
        if (round % 4 == 0) {
            world_pass_until(sim, sim->at + MS_PER_MINUTE, 0);
        }
    }
    check_end(sim);
    world_crash(sim);
    world_rest(sim);
    world_check(sim);
}
