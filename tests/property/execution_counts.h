/* The reference for what is counted beside contacts: nodes and credits (execution_model.h).
 *
 * Naive again: a counter goes up by one with each accepted node event of an execution that goes on,
 * and a credit is free, reserved by a live call, or gone.
 */
#ifndef OUTDIAL_TESTS_PROPERTY_EXECUTION_COUNTS_H
#define OUTDIAL_TESTS_PROPERTY_EXECUTION_COUNTS_H

#include "tests/property/execution_model.h"

/* ---- nodes ---- */

static inline void model_count_node(struct model *model, struct model_execution *x,
                                    struct slice node_id)
{
    for (size_t i = 0; i < x->rule_count && !model_has_ended(x); i++) {
        if (!slice_equal(x->rules[i].node_id, node_id)) {
            continue;
        }
        x->counts[i]++;
        if (x->counts[i] == x->rules[i].threshold) {
            x->is_over_threshold = true;
            x->is_paused = false;
            (void)snprintf(x->reason, sizeof(x->reason), "node_threshold: %.*s reached %" PRIu64,
                           SLICE_ARGS(node_id), x->counts[i]);
        }
    }
    (void)model;
}

static inline void model_replace_rules(struct model_execution *x, const struct resume *resume)
{
    uint64_t counts[MODEL_RULES] = {0};

    for (size_t i = 0; i < resume->rule_count; i++) {
        for (size_t n = 0; n < x->rule_count; n++) {
            if (slice_equal(resume->rules[i].node_id, x->rules[n].node_id)) {
                counts[i] = x->counts[n];
            }
        }
    }
    memcpy(x->counts, counts, sizeof(counts));
    x->rule_count = resume->rule_count;
    for (size_t i = 0; i < resume->rule_count; i++) {
        x->rules[i] = resume->rules[i];
    }
}

/* "first replaces the rules if the body has some (counters of nodes that stay are kept), then sets
 * to zero the counters whose rule has resetOnResume", from paused_threshold alone. */
static inline void model_on_resumed(struct model_execution *x, const struct resume *resume)
{
    if (resume->has_rules) {
        model_replace_rules(x, resume);
    }
    for (size_t i = 0; i < x->rule_count && x->is_over_threshold; i++) {
        if (x->rules[i].reset_on_resume) {
            x->counts[i] = 0;
        }
    }
    x->is_over_threshold = false;
}

static inline void model_check_rules(struct model *model, const struct model_execution *x)
{
    struct key key = key_u32(x->number);
    struct execution_settings settings;
    struct node_counters row = {0};
    bool has_row = world_get(model->stage->world, TABLE_NODE_COUNTERS, &key, &row);
    bool has_ended = execution_has_ended(x->state.status);

    REQUIRE(model, (x->state.status == EXECUTION_PAUSED_THRESHOLD) ==
                       (x->is_over_threshold && !has_ended));
    REQUIRE(model, x->state.status != EXECUTION_PAUSED_THRESHOLD ||
                       slice_equal_text(x->state.status_reason, x->reason));
    REQUIRE(model, world_get(model->stage->world, TABLE_EXECUTION, &key, &settings));
    REQUIRE(model, settings.rule_count == x->rule_count);
    if (has_ended) {
        REQUIRE(model, !has_row);
        return;
    }
    REQUIRE(model, !has_row || row.count == x->rule_count);
    for (size_t i = 0; i < x->rule_count; i++) {
        REQUIRE(model, slice_equal(settings.rules[i].node_id, x->rules[i].node_id));
        REQUIRE(model, (has_row ? row.counts[i] : 0) == x->counts[i]);
    }
}

/* ---- credits ---- */

static inline void model_on_credits_set(struct model *model, const struct credits_change *change)
{
    struct model_organisation *organisation = &model->organisations[change->organisation];

    organisation->granted += change->amount - organisation->balance;
    organisation->balance = change->amount;
    organisation->is_limited = change->is_limited;
}

static inline void model_on_credits_added(struct model *model, const struct reply *reply)
{
    const struct credits_change *change = &model->now->payload.credits;
    struct model_organisation *organisation = &model->organisations[change->organisation];
    bool is_possible = organisation->is_limited && organisation->balance + change->amount >= 0;

    REQUIRE(model, (reply->kind == REPLY_CREDITS) == is_possible);
    if (is_possible) {
        organisation->balance += change->amount;
        organisation->granted += change->amount;
        REQUIRE(model, reply->credits == organisation->balance);
    } else {
        REQUIRE(model, reply->kind == REPLY_FAULT && reply->fault.code == FAULT_CONFLICT);
    }
}

/* It pauses because of credits only where there was somebody to call, and none left: but for what
 * others gave back in the same batch. */
static inline void model_on_no_credits(struct model *model, const struct model_execution *x)
{
    const struct model_organisation *organisation = &model->organisations[x->organisation];
    bool is_due = false;

    for (uint32_t i = 0; i < x->entry_count; i++) {
        is_due |= x->entries[i].is_due && x->entries[i].due_at <= model->now->at;
    }
    REQUIRE(model, is_due && organisation->is_limited);
    REQUIRE(model, organisation->balance <= organisation->returned_now);
    REQUIRE(model, !model_is_closed(x, model->now->at));
}

/* "reserve at dispatch, spend on answered, return otherwise": nothing is lost, nothing is made. */
static inline void model_check_credits(struct model *model)
{
    for (uint32_t o = 1; o <= model->organisation_count; o++) {
        struct model_organisation *organisation = &model->organisations[o];
        struct key key = key_u32(o);
        struct credits row = {0};

        (void)world_get(model->stage->world, TABLE_CREDITS, &key, &row);
        REQUIRE(model, row.is_limited == organisation->is_limited);
        REQUIRE(model, row.balance == organisation->balance && row.balance >= 0);
        REQUIRE(model, (int64_t)row.reserved == organisation->reserved);
        REQUIRE(model, organisation->balance + organisation->reserved + organisation->spent ==
                           organisation->granted);
        organisation->returned_now = 0;
    }
}

#endif
