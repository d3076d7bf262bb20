/* Random worlds and random moves for the execution's properties. */
#ifndef OUTDIAL_TESTS_PROPERTY_EXECUTION_MOVES_H
#define OUTDIAL_TESTS_PROPERTY_EXECUTION_MOVES_H

#include <stdlib.h>

#include "base/hash.h"
#include "tests/property/execution_judge.h"

enum {
    MOVES_CALLS = 64,    /* calls that a gateway or a worker knows of */
    MOVES_CONTACTS = 64, /* contacts of an organisation; an audience takes the first ones */
};

/* What a worker or a push gateway remembers of a call that it was given, however long ago. */
struct known_call {
    uint32_t execution, entry;
    uint16_t attempt;
    struct uuid claim_id;
    bool from_gateway;
};

struct moves {
    struct prng prng;
    struct model model;
    struct known_call calls[MOVES_CALLS];
    uint32_t call_count; /* in all; the last MOVES_CALLS are known */
    uint32_t next_claim;
};

static inline uint32_t below(struct moves *m, uint32_t n)
{
    return (uint32_t)prng_below(&m->prng, n);
}

static inline uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static inline bool chance(struct moves *m, uint32_t percent)
{
    return below(m, 100) < percent;
}

static inline uint64_t next_exchange(struct moves *m)
{
    REQUIRE(&m->model, m->model.last_exchange + 1 < MODEL_EXCHANGES);
    return ++m->model.last_exchange;
}

/* ---- what was given to whom ---- */

static inline void know_call(struct moves *m, const struct known_call *call)
{
    m->calls[m->call_count++ % MOVES_CALLS] = *call;
}

static inline void moves_on_offer(void *context, const struct offer *offer)
{
    struct moves *m = context;
    const struct known_call call = {.execution = offer->execution,
                                    .entry = offer->entry,
                                    .attempt = offer->attempt,
                                    .from_gateway = true};
    struct model_execution *x = model_find(&m->model, offer->execution);
    struct model_entry *entry = model_entry(&m->model, x, offer->entry);

    REQUIRE(&m->model, entry->is_live && !x->is_pull && offer->attempt == entry->attempts + 1);
    REQUIRE(&m->model, offer->was_started == (entry->call_status == CALL_STARTED));
    REQUIRE(&m->model, offer->is_resumed || entry->not_before_mono <= m->model.stage->mono);
    entry->was_offered = true;
    know_call(m, &call);
}

static inline void moves_on_reply(void *context, const struct message *cause,
                                  const struct reply *reply)
{
    struct moves *m = context;

    model_on_reply(&m->model, cause, reply);
    for (size_t i = 0; reply->kind == REPLY_CLAIMED && i < reply->claimed.count; i++) {
        const struct claimed_call *claimed = &reply->claimed.calls[i];
        const struct known_call call = {.execution = claimed->execution,
                                        .entry = claimed->entry,
                                        .attempt = claimed->attempt,
                                        .claim_id = claimed->claim_id};

        know_call(m, &call);
    }
}

static inline void moves_on_message(void *context, const struct message *message)
{
    model_on_message(&((struct moves *)context)->model, message);
}

static inline void moves_on_put(void *context, enum table table, const struct key *key,
                                const void *record)
{
    model_on_put(&((struct moves *)context)->model, table, key, record);
}

static inline void moves_on_delete(void *context, enum table table, const struct key *key)
{
    model_on_delete(&((struct moves *)context)->model, table, key);
}

static inline void moves_on_closed(void *context)
{
    model_on_closed(&((struct moves *)context)->model);
}

/* ---- a random world ---- */

static inline uint32_t contact_id(uint32_t organisation, uint32_t n)
{
    return organisation * 1000 + n;
}

static inline void put_organisation(struct moves *m, uint32_t number)
{
    static const uint64_t paces[] = {0, 0, 0, 500000, 2000000, 100000000};
    uint32_t cap = chance(m, 50) ? 0 : 1 + below(m, 6);
    uint64_t pace = paces[below(m, 6)];

    m->model.organisations[number].cap = cap;
    m->model.organisations[number].is_paced = pace != 0;
    stage_put_organisation(m->model.stage, number, cap, pace);
}

static inline void make_world(struct moves *m, uint64_t seed)
{
    struct stage *stage = stage_new();

    memset(m, 0, sizeof(*m));
    prng_seed(&m->prng, seed);
    m->model.seed = seed;
    m->model.stage = stage;
    stage->tells = getenv("OUTDIAL_STORY") != NULL;
    stage->watch = (struct stage_watch){.context = m,
                                        .on_message = moves_on_message,
                                        .on_put = moves_on_put,
                                        .on_delete = moves_on_delete,
                                        .on_reply = moves_on_reply,
                                        .on_offer = moves_on_offer,
                                        .on_closed = moves_on_closed};
    stage->settings.lease_limit = 1 + below(m, 5);
    stage->settings.max_calls = chance(m, 70) ? 200 : 1 + below(m, 8);
    stage->gateways[STAGE_SIMULATOR].max_calls = chance(m, 70) ? 100 : 1 + below(m, 4);
    stage->gateways[STAGE_WORKER].max_calls = chance(m, 70) ? 100 : 1 + below(m, 4);
    stage->gateways[STAGE_WORKER].max_offered = chance(m, 70) ? 100 : 1 + below(m, 4);
    m->model.organisation_count = 1 + below(m, MODEL_ORGANISATIONS);
    for (uint32_t o = 1; o <= m->model.organisation_count; o++) {
        put_organisation(m, o);
        if (chance(m, 50)) {
            stage_set_credits(stage, o, below(m, 40));
        }
        for (uint32_t n = 1; n <= MODEL_ENTRIES; n++) {
            stage_put_contact(stage, o, 0, contact_id(o, n), chance(m, 5));
        }
    }
    for (uint32_t d = 1; d <= MODEL_DIDS; d++) {
        m->model.is_did_active[d - 1] = chance(m, 90);
        stage_put_did(stage, 0, d, m->model.is_did_active[d - 1] ? DID_ACTIVE : DID_INACTIVE);
    }
}

/* ---- a random execution ---- */

static inline void choose_retry(struct moves *m, struct retry_strategy *retry)
{
    int64_t date = m->model.stage->at - MS_PER_HOUR;

    retry->type = RETRY_NONE + below(m, 3);
    if (retry->type == RETRY_FIXED_DELAY) {
        retry->delay_ms = (1 + below(m, 90)) * (uint32_t)MS_PER_MINUTE;
        retry->max_retries = 1 + below(m, 4);
    } else if (retry->type == RETRY_SCHEDULED) {
        retry->date_count = 1 + below(m, 6);
        for (uint32_t i = 0; i < retry->date_count; i++) {
            date += 1 + below(m, 8 * 3600) * MS_PER_SECOND;
            retry->dates[i] = date;
        }
    }
}

static inline void choose_windows(struct moves *m, struct model_execution *x)
{
    struct pause_windows *windows = &x->settings.windows;

    if (chance(m, 50)) {
        return;
    }
    x->settings.has_pause_windows = true;
    *windows = (struct pause_windows){.weekly = x->weekly,
                                      .weekly_count = below(m, MODEL_WINDOWS),
                                      .advanced = x->advanced,
                                      .advanced_count = below(m, MODEL_WINDOWS)};
    for (size_t i = 0; i < windows->weekly_count; i++) {
        x->weekly[i] = (struct weekly_window){.weekday = (uint8_t)(below(m, 3)),
                                              .start_minute = (uint16_t)below(m, 1440),
                                              .end_minute = (uint16_t)below(m, 1440)};
        if (chance(m, 10)) {
            x->weekly[i].end_minute = chance(m, 50) ? 1439 : x->weekly[i].start_minute;
        }
    }
    for (size_t i = 0; i < windows->advanced_count; i++) {
        int64_t start =
            m->model.stage->at + (int64_t)below(m, 3 * 3600) * MS_PER_SECOND - MS_PER_HOUR;

        x->advanced[i] = (struct instant_window){start, start + 1 + below(m, 7200000)};
    }
}

static inline void choose_dids(struct moves *m, struct model_execution *x)
{
    uint32_t first = below(m, MODEL_DIDS);

    x->settings.dids = x->dids;
    x->settings.did_count = 1 + below(m, MODEL_DIDS - 2);
    for (uint32_t i = 0; i < x->settings.did_count; i++) {
        x->did_numbers[i] = 1 + (first + i) % MODEL_DIDS;
        x->dids[i] = (struct pool_did){stage_id(x->did_numbers[i]), SLICE("+212500000000")};
    }
}

static inline void choose_limits(struct moves *m, struct model_execution *x)
{
    static const uint64_t paces[] = {500000, 1000000, 5000000, 50000000};
    int64_t now = m->model.stage->at;

    if (chance(m, 25)) {
        x->settings.start_at = now - MS_PER_HOUR + (int64_t)below(m, 7200) * MS_PER_SECOND;
    }
    if (chance(m, 25)) {
        int64_t from = x->settings.start_at > now ? x->settings.start_at : now;

        x->settings.stop_at = from + 1 + (int64_t)below(m, 2 * 86400) * MS_PER_SECOND;
    }
    if (chance(m, 50)) {
        x->settings.pacing.max_concurrent_calls = 1 + below(m, 5);
    }
    if (chance(m, 30)) {
        x->settings.pacing.calls_per_second_micro = paces[below(m, 4)];
    }
}

static const struct slice node_names[] = {SLICE_INIT("menu"), SLICE_INIT("bye"),
                                          SLICE_INIT("a node")};

/* Different nodes, in any order. Returns how many. */
static inline size_t choose_rules(struct moves *m, struct auto_pause_rule rules[MODEL_RULES])
{
    uint32_t first = below(m, MODEL_RULES);
    size_t count = below(m, MODEL_RULES + 1);

    for (size_t i = 0; i < count; i++) {
        rules[i] = (struct auto_pause_rule){.node_id = node_names[(first + i) % MODEL_RULES],
                                            .threshold = 1 + below(m, 6),
                                            .reset_on_resume = chance(m, 50)};
    }
    return count;
}

static inline void move_launch(struct moves *m)
{
    struct model *model = &m->model;
    uint32_t number = model->execution_count + 1;
    struct model_execution *x = &model->executions[model->execution_count];
    uint32_t contacts = below(m, MODEL_ENTRIES + 1);

    if (number > MODEL_EXECUTIONS) {
        return;
    }
    model->execution_count = number;
    x->number = number;
    x->organisation = 1 + below(m, model->organisation_count);
    x->is_pull = chance(m, 60);
    x->settings.number = number;
    x->settings.organisation = x->organisation;
    x->settings.audience = number;
    x->settings.gateway = x->is_pull ? SLICE("worker") : SLICE("simulator");
    choose_retry(m, &x->settings.retry);
    choose_windows(m, x);
    choose_dids(m, x);
    choose_limits(m, x);
    x->rule_count = choose_rules(m, x->launch_rules);
    memcpy(x->rules, x->launch_rules, sizeof(x->rules));
    x->settings.rules = x->launch_rules;
    x->settings.rule_count = x->rule_count;
    for (uint32_t n = 1; n <= contacts; n++) {
        struct uuid id = stage_id(contact_id(x->organisation, n));
        struct key key = key_member(number, &id);

        world_put(model->stage->world, TABLE_MEMBER, &key, &(struct member){model->stage->at});
    }
    x->is_launched = true;
    stage_launch(model->stage, &x->settings, next_exchange(m));
}

#endif
