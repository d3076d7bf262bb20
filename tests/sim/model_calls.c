/* A call is queued, moves, and ends: judged when its rows are on disk, by the rules of api.md. */
#include <string.h>

#include "base/instant.h"
#include "model/lifecycle.h"
#include "tests/sim/sim.h"

static unsigned gateway_of(const struct model_execution *x)
{
    return x->is_pull ? MODEL_WORKER : MODEL_SIMULATOR;
}

static struct model_organisation *organisation_of(struct sim *sim, const struct model_execution *x)
{
    return &sim->model.organisations[x->organisation];
}

/* ---- queued ---- */

/* No more than its pace, with a short catch-up: of the calls of one life of the engine, the n-th
 * before this one is n slots away. */
static void check_pace(struct sim *sim, struct model_execution *x)
{
    uint64_t rate = x->settings->pacing.calls_per_second_micro;
    int64_t mono = sim->model.now->mono;

    if (rate == 0) {
        return;
    }
    for (uint32_t n = 1; n <= x->queued_count && n < MODEL_PACE; n++) {
        int64_t before = x->queued_mono[(x->queued_count - n) % MODEL_PACE];

        SIM_REQUIRE(sim, mono - before + 21 >= (int64_t)(n * UINT64_C(1000000000) / rate));
    }
    x->queued_mono[x->queued_count++ % MODEL_PACE] = mono;
}

static void check_room(struct sim *sim, const struct model_execution *x)
{
    const struct model_organisation *organisation = organisation_of(sim, x);
    const struct config *config = sim->config;
    uint32_t cap = x->settings->pacing.max_concurrent_calls;
    const uint32_t *live = sim->model.gateway_live;

    SIM_REQUIRE(sim, cap == 0 || x->live < cap);
    SIM_REQUIRE(sim, organisation->cap == 0 || organisation->live < organisation->cap);
    SIM_REQUIRE(sim, live[gateway_of(x)] < config->gateway_settings[gateway_of(x)].max_calls);
    SIM_REQUIRE(sim, live[0] + live[1] < config->max_calls);
}

static bool has_other_call(const struct model_execution *x, uint32_t entry)
{
    for (uint32_t n = 0; n < x->entry_count; n++) {
        if (n != entry && x->entries[n].is_live &&
            x->entries[n].contact == x->entries[entry].contact) {
            return true;
        }
    }
    return false;
}

static void check_moment(struct sim *sim, const struct model_execution *x, uint32_t n)
{
    const struct model_entry *entry = &x->entries[n];
    const struct model_contact *contact = &sim->model.contacts[entry->contact];
    int64_t at = sim->model.now->at;

    SIM_REQUIRE(sim, x->status == EXECUTION_RUNNING);
    SIM_REQUIRE(sim, !x->is_paused);
    SIM_REQUIRE(sim, !x->is_over_threshold);
    SIM_REQUIRE(sim, !rules_has_ended(x));
    SIM_REQUIRE(sim, x->settings->start_at <= x->seen_at);
    SIM_REQUIRE(sim, !rules_is_closed(x, at));
    SIM_REQUIRE(sim, contact->exists && contact->may_be_called);
    SIM_REQUIRE(sim, x->is_live || entry->expected_at <= at);
    SIM_REQUIRE(sim, !x->is_live || !has_other_call(x, n));
}

static void reserve_credit(struct sim *sim, const struct model_execution *x, bool has_credit)
{
    struct model_organisation *organisation = organisation_of(sim, x);

    SIM_REQUIRE(sim, has_credit == organisation->is_limited);
    if (has_credit) {
        organisation->balance--;
        organisation->reserved++;
    }
}

static bool is_did_usable(const struct model *model, const struct model_execution *x, uint32_t did)
{
    for (uint32_t i = 0; i < model->did_count && did < x->settings->did_count; i++) {
        const struct model_did *each = &model->dids[i];

        if (each->exists && uuid_equal(&each->id, &x->settings->dids[did].id)) {
            return each->is_active && (each->owner == 0 || each->owner == x->organisation);
        }
    }
    return false;
}

static void on_queued(struct sim *sim, struct model_execution *x, uint32_t n,
                      const struct live_call *row)
{
    struct model_entry *entry = &x->entries[n];

    SIM_REQUIRE(sim, row->status == CALL_QUEUED);
    SIM_REQUIRE(sim, row->attempt == entry->attempts + 1);
    SIM_REQUIRE(sim, rules_may_attempt(&sim->model, &x->settings->retry, row->attempt));
    SIM_REQUIRE(sim, row->attempt > entry->queued_attempt);
    SIM_REQUIRE(sim, is_did_usable(&sim->model, x, row->did));
    check_moment(sim, x, n);
    check_room(sim, x);
    check_pace(sim, x);
    reserve_credit(sim, x, row->has_credit);
    entry->has_credit = row->has_credit;
    entry->is_live = true;
    entry->has_ended_now = false;
    entry->has_claim = entry->is_permitted = entry->was_handed_out = false;
    entry->last_seq = 0;
    entry->leases = 0;
    entry->call_status = CALL_QUEUED;
    entry->queued_attempt = row->attempt;
    entry->dials = 0;
    x->live++;
    organisation_of(sim, x)->live++;
    sim->model.gateway_live[gateway_of(x)]++;
    sim_count(sim, COUNT_QUEUED);
}

/* "Each time a node of a rule executes in any call of the execution, its counter goes up by one" */
static void count_node(struct model_execution *x, unsigned node)
{
    for (size_t i = 0; i < x->settings->rule_count && !rules_has_ended(x); i++) {
        const struct auto_pause_rule *rule = &x->settings->rules[i];

        if (node < LOG_NODES && slice_equal(rule->node_id, log_node_names[node])) {
            x->counts[i]++;
            x->is_over_threshold |= x->counts[i] == rule->threshold;
        }
    }
}

/* The event that is handled now is one of this entry's. */
static bool is_of(const struct sim *sim, uint32_t n)
{
    const struct told_message *now = sim->model.now;

    return (now->type == MESSAGE_CALL_STARTED || now->type == MESSAGE_CALL_RELEASED) &&
           now->event.entry == n;
}

/* A lease has ended: after its time, and not within a lease of a start or of a gap. */
static void check_lapse(struct sim *sim, const struct model_entry *entry)
{
    int64_t lease_ms = (int64_t)sim->config->lease_seconds * MS_PER_SECOND;

    SIM_REQUIRE(sim, sim->model.now->mono - entry->sign_mono >= lease_ms);
    sim_count(sim, COUNT_LAPSED);
}

void calls_put_live(struct sim *sim, struct model_execution *x, uint32_t n,
                    const struct live_call *row)
{
    struct model_entry *entry;

    SIM_REQUIRE(sim, n < x->entry_count);
    entry = &x->entries[n];
    model_touch(x, n);
    if (!entry->is_live) {
        on_queued(sim, x, n, row);
    }
    SIM_REQUIRE(sim, row->attempt == entry->attempts + 1); /* one live call a contact */
    SIM_REQUIRE(sim, row->leases >= entry->leases);
    if (row->status == CALL_CLAIMED && entry->call_status != CALL_CLAIMED) {
        SIM_REQUIRE(sim, entry->call_status == CALL_QUEUED && x->is_pull);
        SIM_REQUIRE(sim, entry->is_claimed_now); /* somebody is told of it, with this lease */
        SIM_REQUIRE(sim, uuid_equal(&entry->given_claim_id, &row->claim_id));
        entry->is_claimed_now = false;
        entry->claim_id = row->claim_id;
        entry->has_claim = true;
    }
    if (row->status == CALL_QUEUED && entry->call_status == CALL_CLAIMED && !is_of(sim, n)) {
        check_lapse(sim, entry);
    }
    if (row->status != entry->call_status) {
        entry->sign_mono = sim->model.now->mono;
    }
    if (row->status == CALL_QUEUED && !x->is_pull) {
        entry->is_permitted = false; /* given back; nobody is answered */
    }
    if (row->last_seq != entry->last_seq) {
        SIM_REQUIRE(sim, sim->model.now->type == MESSAGE_NODE_EXECUTED);
        SIM_REQUIRE(sim, row->last_seq > entry->last_seq);
        SIM_REQUIRE(sim, row->last_seq == sim->model.now->event.node.seq);
        entry->last_seq = row->last_seq;
        count_node(x, sim->model.now->node);
    }
    entry->call_status = row->status;
    entry->leases = row->leases;
}

/* ---- ended ---- */

/* What becomes of the credit of a call that has ended. While there is no limit, it is gone. */
static void settle_credit(struct sim *sim, const struct model_execution *x,
                          const struct model_entry *entry)
{
    struct model_organisation *organisation = organisation_of(sim, x);
    bool is_answered = entry->has_ended_now && entry->attempts < MODEL_ATTEMPTS &&
                       entry->outcomes[entry->attempts] == OUTCOME_ANSWERED;

    if (!entry->has_credit) {
        return;
    }
    organisation->reserved--;
    if (is_answered) {
        organisation->spent++;
    } else if (organisation->is_limited) {
        organisation->balance++;
    } else {
        organisation->granted--;
    }
}

void calls_delete_live(struct sim *sim, struct model_execution *x, uint32_t n)
{
    struct model_entry *entry;

    SIM_REQUIRE(sim, n < x->entry_count);
    entry = &x->entries[n];
    SIM_REQUIRE(sim, entry->is_live);
    SIM_REQUIRE(sim, entry->has_ended_now || entry->status == ENTRY_SKIPPED);
    settle_credit(sim, x, entry);
    entry->is_live = entry->is_permitted = false;
    entry->call_status = CALL_ENDED;
    entry->leases = 0;
    x->live--;
    organisation_of(sim, x)->live--;
    sim->model.gateway_live[gateway_of(x)]--;
    model_touch(x, n);
}

/* The call ends by the result that is handled now, and not by its time. */
static bool is_told(const struct sim *sim, uint32_t n, uint16_t attempt)
{
    const struct told_message *now = sim->model.now;

    return now->type == MESSAGE_CALL_RESULT && now->event.entry == n &&
           now->event.attempt == attempt;
}

static void count_ended(struct sim *sim, const struct call *row)
{
    sim_count(sim, COUNT_ENDED);
    if (row->in_doubt) {
        sim_count(sim, COUNT_IN_DOUBT);
    }
    if (row->outcome == OUTCOME_ERROR && !is_told(sim, row->entry, row->attempt)) {
        sim_count(sim, COUNT_UNDELIVERABLE);
    }
}

/* Without a result a call ends in two ways: silent for too long, or by its last lease. */
static void check_untold(struct sim *sim, const struct model_entry *entry, const struct call *row)
{
    int64_t timeout_ms = (int64_t)sim->config->call_timeout_seconds * MS_PER_SECOND;

    if (row->outcome == OUTCOME_TIMEOUT) {
        SIM_REQUIRE(sim, entry->call_status == CALL_STARTED);
        SIM_REQUIRE(sim, sim->model.now->mono - entry->sign_mono >= timeout_ms);
    } else {
        SIM_REQUIRE(sim, row->outcome == OUTCOME_ERROR && entry->call_status == CALL_CLAIMED);
        check_lapse(sim, entry);
    }
}

void calls_put_ended(struct sim *sim, struct model_execution *x, uint32_t n, const struct call *row)
{
    struct model_entry *entry;

    SIM_REQUIRE(sim, n < x->entry_count);
    entry = &x->entries[n];
    if (row->attempt <= entry->attempts) { /* the first result wins */
        SIM_REQUIRE(sim, row->late_outcome != OUTCOME_NONE);
        SIM_REQUIRE(sim, row->attempt >= MODEL_ATTEMPTS ||
                             row->outcome == (enum outcome)entry->outcomes[row->attempt]);
        sim_count(sim, COUNT_LATE);
        return;
    }
    SIM_REQUIRE(sim, entry->is_live && row->attempt == entry->attempts + 1);
    SIM_REQUIRE(sim, row->outcome != OUTCOME_NONE && row->late_outcome == OUTCOME_NONE);
    SIM_REQUIRE(sim, row->in_doubt ==
                         (!is_told(sim, n, row->attempt) && row->outcome == OUTCOME_TIMEOUT));
    if (!is_told(sim, n, row->attempt)) {
        check_untold(sim, entry, row);
    }
    entry->attempts++;
    if (entry->attempts < MODEL_ATTEMPTS) {
        entry->outcomes[entry->attempts] = (uint8_t)row->outcome;
    }
    entry->has_ended_now = true;
    entry->expected_at = INSTANT_NEVER;
    if (row->outcome != OUTCOME_ANSWERED && !rules_has_ended(x)) {
        entry->expected_at =
            rules_retry_at(&x->settings->retry, entry->attempts, sim->model.now->at);
    }
    model_touch(x, n);
    count_ended(sim, row);
}
