/* "calls are granted round robin, first among organisations": of two organisations that want calls
 * of the same gateway, and that nothing else keeps back, none is ahead of the other by more than a
 * turn. */
#include <string.h>

#include "tests/sim/sim.h"

enum { AHEAD_MAX = 2 }; /* one has had its turn, and the other has it in the next batch */

/* No limit of its own that would take it out of the round. */
static bool is_free(const struct model_organisation *organisation)
{
    return organisation->exists && organisation->cap == 0 && !organisation->is_limited &&
           !organisation->has_rate;
}

static void forget(struct model_shares *shares, uint32_t organisation)
{
    for (uint32_t o = 0; o <= MODEL_ORGANISATIONS; o++) {
        shares->ahead[o][organisation] = shares->ahead[organisation][o] = 0;
    }
}

static void want(struct model *model, struct model_execution *x, uint32_t gateway, uint32_t calls)
{
    uint32_t before = x->wants_at;

    model->shares[before].wanted[x->organisation] -= x->wanted;
    x->wants_at = gateway;
    x->wanted = calls;
    model->shares[gateway].wanted[x->organisation] += calls;
    if (model->shares[before].wanted[x->organisation] == 0) {
        forget(&model->shares[before], x->organisation);
    }
}

static void on_granted(struct model *model, struct model_execution *x, uint32_t calls)
{
    struct model_shares *shares = &model->shares[x->wants_at];

    for (uint32_t o = 1; o <= MODEL_ORGANISATIONS; o++) {
        if (o != x->organisation && shares->wanted[o] > 0) {
            shares->ahead[x->organisation][o] += calls;
            shares->ahead[o][x->organisation] -= calls;
        }
    }
    want(model, x, x->wants_at, x->wanted > calls ? x->wanted - calls : 0);
}

void shares_on_message(struct sim *sim, const struct told_message *message)
{
    struct model_execution *x = NULL;

    if (message->type == MESSAGE_DEMAND) {
        x = model_find(&sim->model, message->demand.execution);
        if (x != NULL && message->demand.gateway < MODEL_GATEWAYS) {
            want(&sim->model, x, message->demand.gateway,
                 message->demand.is_gone ? 0 : message->demand.calls);
        }
    } else if (message->type == MESSAGE_GRANT) {
        x = model_find(&sim->model, message->actor.number);
        if (x != NULL) {
            on_granted(&sim->model, x, (uint32_t)message->amount);
        }
    }
}

void shares_on_start(struct model *model)
{
    memset(model->shares, 0, sizeof(model->shares));
    for (uint32_t i = 0; i < model->execution_count; i++) {
        model->executions[i]->wanted = 0;
    }
}

static void check(struct sim *sim, struct model_shares *shares, uint32_t a, uint32_t b)
{
    const struct model_organisation *organisations = sim->model.organisations;

    if (shares->wanted[a] == 0 || shares->wanted[b] == 0) {
        return;
    }
    if (!is_free(&organisations[a]) || !is_free(&organisations[b])) {
        shares->ahead[a][b] = shares->ahead[b][a] = 0;
        return;
    }
    if (shares->ahead[a][b] > AHEAD_MAX || shares->ahead[b][a] > AHEAD_MAX) {
        sim_fail(sim, "organisation %u is %lld calls ahead of %u: they want %llu and %llu", a,
                 (long long)shares->ahead[a][b], b, (unsigned long long)shares->wanted[a],
                 (unsigned long long)shares->wanted[b]);
    }
    sim_count(sim, COUNT_SHARED);
}

void shares_on_closed(struct sim *sim)
{
    for (uint32_t g = 0; g < MODEL_GATEWAYS; g++) {
        for (uint32_t a = 1; a <= MODEL_ORGANISATIONS; a++) {
            for (uint32_t b = a + 1; b <= MODEL_ORGANISATIONS; b++) {
                check(sim, &sim->model.shares[g], a, b);
            }
        }
    }
}
