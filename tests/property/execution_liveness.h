/* Nothing waits in vain: when all that is due has been done, whatever could go on has gone on. The
 * other half of the reference: execution_model.h says what must not happen, this what must not be
 * missing.
 */
#ifndef OUTDIAL_TESTS_PROPERTY_EXECUTION_LIVENESS_H
#define OUTDIAL_TESTS_PROPERTY_EXECUTION_LIVENESS_H

#include "tests/property/execution_judge.h"

static inline bool model_has_due_contact(const struct model_execution *x, int64_t at)
{
    for (uint32_t i = 0; i < x->entry_count; i++) {
        if (x->entries[i].is_due && x->entries[i].due_at <= at) {
            return true;
        }
    }
    return false;
}

static inline bool model_gateway_has_room(const struct model *model, uint32_t gateway)
{
    const struct stage *stage = model->stage;
    const struct gateway_settings *settings = &stage->gateways[gateway];

    return model->back_off_until_mono[gateway] <= stage->mono &&
           model->gateway_live[gateway] < settings->max_calls &&
           model->gateway_live[0] + model->gateway_live[1] < stage->settings.max_calls &&
           (!settings->is_pull ||
            dispatcher_on_offer(&stage->dispatcher, gateway) < settings->max_offered);
}

/* "When is the next call?" Paced ones are left out: their slots are looked at in model_check_pace.
 */
static inline bool model_could_dial(const struct model *model, const struct model_execution *x)
{
    const struct model_organisation *organisation = &model->organisations[x->organisation];
    uint32_t cap = x->settings.pacing.max_concurrent_calls;

    return x->state.status == EXECUTION_RUNNING && !model_is_closed(x, model->stage->at) &&
           model_has_due_contact(x, model->stage->at) && (cap == 0 || x->live < cap) &&
           (organisation->cap == 0 || organisation->live < organisation->cap) &&
           x->settings.pacing.calls_per_second_micro == 0 && !organisation->is_paced &&
           model_gateway_has_room(model, x->is_pull ? STAGE_WORKER : STAGE_SIMULATOR);
}

static inline void model_check_flights(const struct model *model, const struct model_execution *x,
                                       const struct execution *e)
{
    bool is_closed = model_is_closed(x, model->stage->at);
    int64_t mono = model->stage->mono;
    uint32_t queued = e->flights.listed[FLIGHTS_ON_OFFER] + e->flights.listed[FLIGHTS_WITHHELD];

    if (e->state.status == EXECUTION_RUNNING || queued > 0) {
        REQUIRE(model, e->window_is_open == is_closed);
    }
    for (const struct flight *flight = flights_first(&e->flights, FLIGHTS_WITHHELD); flight != NULL;
         flight = flights_after(&e->flights, flight)) {
        REQUIRE(model, is_closed || flight->mono > mono);
    }
    for (const struct flight *flight = flights_first(&e->flights, FLIGHTS_LEASED); flight != NULL;
         flight = flights_after(&e->flights, flight)) {
        REQUIRE(model, flight->mono > mono);
    }
    for (const struct flight *flight = flights_first(&e->flights, FLIGHTS_STARTED); flight != NULL;
         flight = flights_after(&e->flights, flight)) {
        REQUIRE(model, flight->mono + model->stage->settings.call_timeout_ms > mono);
    }
    REQUIRE(model, !is_closed || !e->gateway_is_pull || e->flights.listed[FLIGHTS_ON_OFFER] == 0);
}

static inline void model_check_liveness(struct model *model)
{
    struct dispatcher *d = &model->stage->dispatcher;

    model->now = NULL;
    for (uint32_t i = 0; i < model->execution_count; i++) {
        const struct model_execution *x = &model->executions[i];
        const struct execution *e = stage_find(model->stage, x->number);

        REQUIRE(model, !model_could_dial(model, x));
        REQUIRE(model,
                x->state.status != EXECUTION_SCHEDULED || x->settings.start_at > model->stage->at);
        if (e != NULL) {
            model_check_flights(model, x, e);
        }
    }
    REQUIRE(model, dispatcher_waiting_claims(d, STAGE_WORKER) == 0 ||
                       dispatcher_on_offer(d, STAGE_WORKER) == 0 ||
                       model->back_off_until_mono[STAGE_WORKER] > model->stage->mono);
}

#endif
