/* A reference for the execution and the dispatcher: what must be true of whatever they do, told
 * from the outside.
 *
 * It watches a stage. Rows that are put and deleted are mirrored, what was answered is remembered,
 * and each new fact is judged by rules that are written down here anew, naively: may this contact
 * be queued now, was this permission due to this worker, do the counters say what the rows say. A
 * broken rule ends the test with its text.
 */
#ifndef OUTDIAL_TESTS_PROPERTY_EXECUTION_MODEL_H
#define OUTDIAL_TESTS_PROPERTY_EXECUTION_MODEL_H

#include <inttypes.h>
#include <stdio.h>

#include "base/instant.h"
#include "model/lifecycle.h"
#include "tests/support/od_test.h"
#include "tests/support/stage.h"

enum {
    MODEL_EXECUTIONS = 4,
    MODEL_ENTRIES = 40,
    MODEL_ORGANISATIONS = 3,
    MODEL_DIDS = 6,
    MODEL_ATTEMPTS = 64,
    MODEL_EXCHANGES = 4096,
    MODEL_WINDOWS = 4,
    MODEL_PACE = 256,
    MODEL_RULES = 3,
};

struct model_entry {
    struct uuid contact_id;
    enum entry_status status;
    uint32_t attempts; /* ended */
    enum outcome outcomes[MODEL_ATTEMPTS + 1];
    bool is_due;
    int64_t due_at;      /* of the due row */
    int64_t expected_at; /* by this model; INSTANT_NEVER: no further attempt */

    bool is_live, has_ended_now; /* …_now: in this closure */
    bool has_claim, is_claimed_now, is_permitted;
    enum call_status call_status;
    struct uuid claim_id, given_claim_id;
    uint64_t last_seq;
    uint32_t leases;
    int64_t not_before_mono; /* given back by a push gateway: not offered again before */
    bool has_credit;
    bool was_offered; /* handed to a gateway or a worker at least once in this attempt */
};

struct model_execution {
    uint32_t number, organisation;
    bool is_pull, is_launched, is_paused, is_cancelled, is_resumed_now;
    struct execution_settings settings; /* its arrays are below */
    struct pool_did dids[MODEL_DIDS];
    uint32_t did_numbers[MODEL_DIDS];
    struct weekly_window weekly[MODEL_WINDOWS];
    struct instant_window advanced[MODEL_WINDOWS];
    struct auto_pause_rule launch_rules[MODEL_RULES], rules[MODEL_RULES]; /* as launched, as now */
    uint64_t counts[MODEL_RULES];
    size_t rule_count;
    bool is_over_threshold; /* a rule has fired, and no resume came after it */
    char reason[64], saved_reason[64];
    struct execution_state state; /* as saved */
    int64_t seen_at;              /* the latest wall instant of a message that it has handled */
    int64_t last_at;              /* of the last one */
    bool is_touched;
    struct model_entry entries[MODEL_ENTRIES];
    uint32_t entry_count, live;
    int64_t queued_mono[MODEL_PACE]; /* since the last start of the process */
    uint32_t queued_count;
};

struct model_organisation {
    uint32_t cap, live;
    bool is_paced;
    bool is_limited;
    int64_t balance, reserved, spent, granted; /* credits; granted: in all */
    int64_t returned_now;
};

struct model {
    uint64_t seed;
    struct stage *stage;
    struct model_organisation organisations[MODEL_ORGANISATIONS + 1]; /* by number */
    uint32_t organisation_count;
    struct model_execution executions[MODEL_EXECUTIONS];
    uint32_t execution_count;
    bool is_did_active[MODEL_DIDS];
    uint32_t gateway_live[STAGE_GATEWAYS];
    int64_t back_off_until_mono[STAGE_GATEWAYS];
    bool has_stepped_back;
    bool is_starting; /* after a crash, until the TICKs of the start are handled */
    const struct message *now;
    bool is_replied[MODEL_EXCHANGES], is_waiting[MODEL_EXCHANGES];
    uint64_t last_exchange, wanted_exchange;
    uint64_t digest; /* of all that was seen */
};

#define REQUIRE(model, condition) model_require(model, condition, __LINE__, #condition)

static inline void model_require(const struct model *model, bool condition, int line,
                                 const char *text)
{
    if (!condition) {
        if (model->stage->tells) {
            (void)fputs(stage_story(model->stage), stderr);
        }
        fail_msg("OUTDIAL_SEED=%" PRIu64 " reproduces: line %d: %s (%s to %u)", model->seed, line,
                 text, model->now != NULL ? message_type_name(model->now->type) : "no message",
                 model->now != NULL ? model->now->actor.number : 0);
    }
}

static inline struct model_execution *model_find(struct model *model, uint32_t number)
{
    return number >= 1 && number <= model->execution_count ? &model->executions[number - 1] : NULL;
}

static inline struct model_entry *model_entry(struct model *model, struct model_execution *x,
                                              uint32_t entry)
{
    REQUIRE(model, x != NULL && entry < MODEL_ENTRIES);
    return &x->entries[entry];
}

/* ---- naive rules ---- */

/* "from startAt up to but not including endAt; endAt 23:59 means the end of the day; an endAt not
 * after startAt runs into the next day (equal: a full 24 hours)", in UTC. */
static inline bool model_weekly_covers(const struct weekly_window *window, int64_t at)
{
    int64_t today = at / MS_PER_DAY;

    for (int64_t day = today - 1; day <= today; day++) {
        int64_t start = day * MS_PER_DAY + window->start_minute * MS_PER_MINUTE;
        int64_t end = day * MS_PER_DAY + window->end_minute * MS_PER_MINUTE;

        if ((day + 4) % 7 != window->weekday) { /* 1970-01-01 was a Thursday */
            continue;
        }
        if (window->end_minute <= window->start_minute) {
            end += MS_PER_DAY;
        } else if (window->end_minute == 23 * 60 + 59) {
            end += MS_PER_MINUTE;
        }
        if (start <= at && at < end) {
            return true;
        }
    }
    return false;
}

static inline bool model_is_closed(const struct model_execution *x, int64_t at)
{
    for (size_t i = 0; i < x->settings.windows.weekly_count; i++) {
        if (model_weekly_covers(&x->weekly[i], at)) {
            return true;
        }
    }
    for (size_t i = 0; i < x->settings.windows.advanced_count; i++) {
        if (x->advanced[i].start_at <= at && at < x->advanced[i].end_at) {
            return true;
        }
    }
    return false;
}

static inline bool model_may_be_called(struct model *model, const struct model_execution *x,
                                       const struct uuid *contact_id)
{
    struct key key = key_owned(x->organisation, contact_id);
    struct contact contact;

    return world_get(model->stage->world, TABLE_CONTACT, &key, &contact) && !contact.do_not_call;
}

static inline bool model_has_stopped(const struct model_execution *x)
{
    return x->settings.stop_at != 0 && x->settings.stop_at <= x->seen_at;
}

static inline bool model_has_ended(const struct model_execution *x)
{
    return x->is_cancelled || model_has_stopped(x) || execution_has_ended(x->state.status);
}

static inline int64_t model_retry_at(const struct retry_strategy *retry, uint32_t attempts,
                                     int64_t failed_at)
{
    int64_t best = INSTANT_NEVER;

    if (retry->type == RETRY_FIXED_DELAY && attempts < retry->max_retries + 1) {
        best = failed_at + retry->delay_ms;
    }
    for (uint32_t i = 0; retry->type == RETRY_SCHEDULED && i < retry->date_count; i++) {
        if (retry->dates[i] > failed_at && retry->dates[i] < best) {
            best = retry->dates[i];
        }
    }
    return best;
}

static inline uint32_t model_attempts_max(const struct model *model,
                                          const struct retry_strategy *retry)
{
    switch (retry->type) {
    case RETRY_NONE: return 1;
    case RETRY_FIXED_DELAY: return retry->max_retries + 1;
    case RETRY_SCHEDULED: /* a clock that is set back makes a date come again */
        return model->has_stepped_back ? MODEL_ATTEMPTS : retry->date_count + 1;
    }
    return 0;
}

/* ---- a contact is queued ---- */

/* No more than its pace, with a short catch-up: of the calls of one process, the n-th before this
 * one is n slots away. */
static inline void model_check_pace(struct model *model, struct model_execution *x)
{
    uint64_t rate = x->settings.pacing.calls_per_second_micro;
    int64_t mono = model->now->mono;

    if (rate == 0) {
        return;
    }
    for (uint32_t n = 1; n <= x->queued_count && n < MODEL_PACE; n++) {
        int64_t before = x->queued_mono[(x->queued_count - n) % MODEL_PACE];
        int64_t slots_ms = (int64_t)(n * UINT64_C(1000000000) / rate);

        REQUIRE(model, mono - before + 21 >= slots_ms);
    }
    x->queued_mono[x->queued_count++ % MODEL_PACE] = mono;
}

static inline void model_check_room(struct model *model, struct model_execution *x)
{
    const struct model_organisation *organisation = &model->organisations[x->organisation];
    const struct stage *stage = model->stage;
    uint32_t gateway = x->is_pull ? STAGE_WORKER : STAGE_SIMULATOR;
    uint32_t cap = x->settings.pacing.max_concurrent_calls;

    REQUIRE(model, cap == 0 || x->live < cap);
    REQUIRE(model, organisation->cap == 0 || organisation->live < organisation->cap);
    REQUIRE(model, model->gateway_live[gateway] < stage->gateways[gateway].max_calls);
    REQUIRE(model, model->gateway_live[0] + model->gateway_live[1] < stage->settings.max_calls);
}

static inline void model_on_queued(struct model *model, struct model_execution *x,
                                   struct model_entry *entry, const struct live_call *row)
{
    bool was_running = x->state.status == EXECUTION_RUNNING || x->is_resumed_now;
    bool starts = x->state.status == 0 || x->state.status == EXECUTION_SCHEDULED;

    REQUIRE(model, row->status == CALL_QUEUED && row->attempt == entry->attempts + 1);
    REQUIRE(model, row->attempt <= model_attempts_max(model, &x->settings.retry));
    REQUIRE(model, was_running || (starts && x->settings.start_at <= x->seen_at));
    REQUIRE(model, !x->is_paused && !model_has_ended(x));
    REQUIRE(model, !model_is_closed(x, model->now->at));
    REQUIRE(model, model_may_be_called(model, x, &row->contact_id));
    REQUIRE(model, entry->expected_at <= model->now->at);
    REQUIRE(model, model->is_did_active[x->did_numbers[row->did] - 1]);
    model_check_room(model, x);
    model_check_pace(model, x);
    REQUIRE(model, row->has_credit == model->organisations[x->organisation].is_limited);
    if (row->has_credit) {
        REQUIRE(model, model->organisations[x->organisation].balance > 0);
        model->organisations[x->organisation].balance--;
        model->organisations[x->organisation].reserved++;
    }
    entry->has_credit = row->has_credit;
    entry->is_live = true;
    entry->has_claim = entry->is_permitted = entry->was_offered = false;
    entry->last_seq = 0;
    entry->not_before_mono = 0;
    x->live++;
    model->organisations[x->organisation].live++;
    model->gateway_live[x->is_pull ? STAGE_WORKER : STAGE_SIMULATOR]++;
}

/* ---- rows ---- */

static inline void model_put_live(struct model *model, const struct key *key,
                                  const struct live_call *row)
{
    struct model_execution *x = model_find(model, key_u32_at(key, 0));
    struct model_entry *entry = model_entry(model, x, key_u32_at(key, 4));

    if (!entry->is_live) {
        model_on_queued(model, x, entry, row);
    }
    REQUIRE(model, row->attempt == entry->attempts + 1); /* one live call a contact */
    if (row->status == CALL_CLAIMED && entry->call_status != CALL_CLAIMED) {
        REQUIRE(model, entry->call_status == CALL_QUEUED && x->is_pull);
        entry->claim_id = row->claim_id;
        entry->has_claim = true;
    }
    entry->call_status = row->status;
    entry->leases = row->leases;
}

/* What becomes of the credit of a call that has ended. While there is no limit, it is gone. */
static inline void model_settle_credit(struct model *model, const struct model_execution *x,
                                       const struct model_entry *entry)
{
    struct model_organisation *organisation = &model->organisations[x->organisation];
    bool is_spent = entry->has_ended_now && entry->outcomes[entry->attempts] == OUTCOME_ANSWERED;

    if (!entry->has_credit) {
        return;
    }
    organisation->reserved--;
    if (is_spent) {
        organisation->spent++;
    } else if (organisation->is_limited) {
        organisation->balance++;
    } else {
        organisation->granted--;
    }
}

static inline void model_delete_live(struct model *model, const struct key *key)
{
    struct model_execution *x = model_find(model, key_u32_at(key, 0));
    struct model_entry *entry = model_entry(model, x, key_u32_at(key, 4));

    REQUIRE(model, entry->is_live);
    REQUIRE(model, entry->has_ended_now || entry->status == ENTRY_SKIPPED);
    model_settle_credit(model, x, entry);
    entry->is_live = false;
    x->live--;
    model->organisations[x->organisation].live--;
    model->gateway_live[x->is_pull ? STAGE_WORKER : STAGE_SIMULATOR]--;
}

static inline void model_put_call(struct model *model, const struct key *key,
                                  const struct call *row)
{
    struct model_execution *x = model_find(model, key_u32_at(key, 0));
    struct model_entry *entry = model_entry(model, x, key_u32_at(key, 4));

    REQUIRE(model, row->attempt < MODEL_ATTEMPTS);
    if (row->attempt <= entry->attempts) { /* the first result wins */
        REQUIRE(model, row->outcome == entry->outcomes[row->attempt]);
        REQUIRE(model, row->late_outcome != OUTCOME_NONE);
        return;
    }
    REQUIRE(model, entry->is_live && row->attempt == entry->attempts + 1);
    REQUIRE(model, row->outcome != OUTCOME_NONE && row->late_outcome == OUTCOME_NONE);
    entry->attempts++;
    entry->outcomes[row->attempt] = row->outcome;
    entry->has_ended_now = true;
    entry->expected_at = INSTANT_NEVER;
    if (row->outcome != OUTCOME_ANSWERED && !model_has_ended(x)) {
        entry->expected_at = model_retry_at(&x->settings.retry, row->attempt, model->now->at);
    }
}

static inline bool model_is_final(enum entry_status status)
{
    return status == ENTRY_COMPLETED || status == ENTRY_FAILED || status == ENTRY_SKIPPED;
}

static inline void model_put_entry(struct model *model, const struct key *key,
                                   const struct entry *row)
{
    struct model_execution *x = model_find(model, key_u32_at(key, 0));
    uint32_t number = key_u32_at(key, 4);
    struct model_entry *entry = model_entry(model, x, number);

    if (number == x->entry_count) {
        x->entry_count++;
        entry->contact_id = row->contact_id;
        entry->expected_at = x->settings.created_at;
        REQUIRE(model, row->status == ENTRY_PENDING);
        REQUIRE(model, model_may_be_called(model, x, &row->contact_id));
    }
    REQUIRE(model, number < x->entry_count && !model_is_final(entry->status));
    REQUIRE(model, row->attempts == entry->attempts);
    REQUIRE(model, uuid_equal(&row->contact_id, &entry->contact_id));
    entry->status = row->status;
}

static inline void model_put_due(struct model *model, const struct key *key)
{
    struct model_execution *x = model_find(model, key_u32_at(key, 0));
    struct model_entry *entry = model_entry(model, x, key_due_entry(key));

    REQUIRE(model, !entry->is_due && key_due_at(key) == entry->expected_at);
    entry->is_due = true;
    entry->due_at = key_due_at(key);
}

static inline void model_delete_due(struct model *model, const struct key *key)
{
    struct model_execution *x = model_find(model, key_u32_at(key, 0));
    struct model_entry *entry = model_entry(model, x, key_due_entry(key));

    REQUIRE(model, entry->is_due && key_due_at(key) == entry->due_at);
    entry->is_due = false;
}

#endif
