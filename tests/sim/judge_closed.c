/* The judgement of what stands when a batch has closed: counters against rows, statuses, credits.
 */
#include "model/lifecycle.h"
#include "tests/sim/sim.h"

static void close_entry(struct sim *sim, const struct model_execution *x, struct model_entry *entry)
{
    bool is_pending = entry->status == ENTRY_PENDING || entry->status == ENTRY_PENDING_RETRY;

    SIM_REQUIRE(sim, !entry->is_claimed_now);
    SIM_REQUIRE(sim, !entry->is_live || is_pending); /* the row says what was before the call */
    SIM_REQUIRE(sim, entry->dues == (is_pending && !entry->is_live ? 1 : 0));
    if (entry->has_ended_now && entry->attempts < MODEL_ATTEMPTS) {
        bool is_answered = entry->outcomes[entry->attempts] == OUTCOME_ANSWERED;
        bool was_retried = entry->expected_at != INSTANT_NEVER;

        SIM_REQUIRE(sim, (entry->status == ENTRY_COMPLETED) == is_answered);
        SIM_REQUIRE(sim, (entry->status == ENTRY_PENDING_RETRY) == was_retried ||
                             entry->status == ENTRY_SKIPPED);
    }
    SIM_REQUIRE(sim, !x->state.skip_done || entry->dues == 0);
    entry->has_ended_now = false;
    entry->is_touched = false;
}

/* "totalContacts = contactsCompleted + contactsFailed + contactsPending + contactsInProgress +
 * contactsSkipped", and each of them is what the rows say. */
static void check_counters(struct sim *sim, struct model_execution *x)
{
    const struct execution_counters *n = &x->state.counters;
    bool has_ended = execution_has_ended(x->state.status);
    uint64_t pending = has_ended ? 0 : x->due; /* skipped at once, and row by row later */

    SIM_REQUIRE(sim,
                n->total == n->completed + n->failed + n->pending + n->in_progress + n->skipped);
    SIM_REQUIRE(sim, n->total == x->entry_count);
    SIM_REQUIRE(sim, n->completed == x->by_status[ENTRY_COMPLETED]);
    SIM_REQUIRE(sim, n->failed == x->by_status[ENTRY_FAILED]);
    SIM_REQUIRE(sim, n->in_progress == x->live);
    SIM_REQUIRE(sim, n->pending == pending);
    SIM_REQUIRE(sim, n->skipped == x->by_status[ENTRY_SKIPPED] + (has_ended ? x->due : 0));
    SIM_REQUIRE(sim, !x->is_live || x->entry_count == x->fired); /* each firing is one entry */
    if (x->has_expected && x->state.snapshot_done) {
        SIM_REQUIRE(sim, n->total == x->expected_total);
        x->has_expected = false;
    }
}

static void check_status(struct sim *sim, const struct model_execution *x)
{
    enum execution_status status = x->state.status;
    const struct execution_counters *n = &x->state.counters;
    bool has_stopped = x->settings->stop_at != 0 && x->settings->stop_at <= x->seen_at;

    SIM_REQUIRE(sim, status == x->status); /* its events say the same */
    SIM_REQUIRE(sim, (status == EXECUTION_CANCELLED) == x->is_cancelled);
    SIM_REQUIRE(sim, !x->is_paused || status == EXECUTION_PAUSED || execution_has_ended(status) ||
                         status == EXECUTION_PAUSED_THRESHOLD);
    SIM_REQUIRE(sim, status != EXECUTION_STOPPED || has_stopped);
    SIM_REQUIRE(sim, !has_stopped || execution_has_ended(status));
    SIM_REQUIRE(sim, status != EXECUTION_COMPLETED || n->pending + n->in_progress == 0);
    SIM_REQUIRE(sim, status != EXECUTION_RUNNING || x->settings->start_at <= x->seen_at);
    SIM_REQUIRE(sim, (status == EXECUTION_PAUSED_THRESHOLD) ==
                         (x->is_over_threshold && !execution_has_ended(status)));
    /* Not left with nothing to do; the first contacts of a snapshot may all be passed over. */
    SIM_REQUIRE(sim, status != EXECUTION_RUNNING || x->is_live || !x->state.snapshot_done ||
                         n->pending + n->in_progress > 0);
    for (size_t i = 0; i < x->settings->rule_count && !execution_has_ended(status); i++) {
        SIM_REQUIRE(sim, x->saved[i] == x->counts[i]);
    }
}

static void check_credits(struct sim *sim)
{
    for (uint32_t o = 1; o <= MODEL_ORGANISATIONS; o++) {
        const struct model_organisation *organisation = &sim->model.organisations[o];

        SIM_REQUIRE(sim, organisation->saved.is_limited == organisation->is_limited);
        SIM_REQUIRE(sim, organisation->saved.balance == organisation->balance);
        SIM_REQUIRE(sim, (int64_t)organisation->saved.reserved == organisation->reserved);
        SIM_REQUIRE(sim, organisation->balance >= 0 && organisation->reserved >= 0);
        SIM_REQUIRE(sim, organisation->balance + organisation->reserved + organisation->spent ==
                             organisation->granted);
    }
}

void closed_judge(struct sim *sim)
{
    struct model *model = &sim->model;

    for (uint32_t i = 0; i < model->changed_count; i++) {
        struct model_execution *x = model->changed[i];

        x->is_changed = false;
        if (!x->exists) {
            continue;
        }
        for (uint32_t n = 0; n < x->touched_count; n++) {
            close_entry(sim, x, &x->entries[x->touched[n]]);
        }
        x->touched_count = 0;
        SIM_REQUIRE(sim, x->state.status != 0);
        check_counters(sim, x);
        check_status(sim, x);
    }
    model->changed_count = 0;
    check_credits(sim);
    shares_on_closed(sim);
}
