/* Properties of the execution and the dispatcher: whatever messages come, in whatever order,
 * through clock steps and crashes, what the reference of execution_model.h says holds after each of
 * them, and all comes to its end.
 *
 *     OUTDIAL_SEEDS=100000 execution_property_test      more seeds than the usual 3,000
 *     OUTDIAL_SEED=17 execution_property_test           this one alone
 *     OUTDIAL_SEED=17 OUTDIAL_STORY=1 …                 and what happened, when a property does not
 * hold
 */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

#include "base/check.h"
#include "tests/property/execution_liveness.h"
#include "tests/property/execution_messages.h"

enum {
    SEEDS = 3000,
    MOVES = 200,
    ROUNDS_TO_END = 600,
    TWICE_EVERY = 16, /* so many seeds are played twice, for purity */
};

static char seed_text[64];
static size_t seed_text_size;
static struct moves *playing;

/* ---- moves: contacts, DIDs, organisations ---- */

static void move_contact(struct moves *m)
{
    struct stage *stage = m->model.stage;
    uint32_t organisation = 1 + below(m, m->model.organisation_count);
    uint32_t id = contact_id(organisation, 1 + below(m, MODEL_ENTRIES));

    if (chance(m, 30)) {
        stage_delete_contact(stage, organisation, id);
    } else {
        stage_put_contact(stage, organisation, 0, id, chance(m, 60));
    }
}

static void move_did(struct moves *m)
{
    uint32_t id = 1 + below(m, MODEL_DIDS);
    bool is_active = chance(m, 60);

    if (m->model.stage->is_held) {
        return;
    }
    m->model.is_did_active[id - 1] = is_active;
    if (!is_active && chance(m, 30)) {
        stage_delete_did(m->model.stage, 0, id);
    } else {
        stage_put_did(m->model.stage, 0, id, is_active ? DID_ACTIVE : DID_INACTIVE);
    }
}

static void move_organisation(struct moves *m)
{
    if (!m->model.stage->is_held) {
        put_organisation(m, 1 + below(m, m->model.organisation_count));
    }
}

/* ---- moves: clocks and crashes ---- */

static void move_advance(struct moves *m)
{
    static const int64_t scales[] = {1,     20,        1000,        5000,        60000,
                                     60000, 600000,    MS_PER_HOUR, MS_PER_HOUR, 6 * MS_PER_HOUR,
                                     300,   MS_PER_DAY};
    int64_t scale = scales[below(m, 12)];

    if (!m->model.stage->is_held) {
        stage_advance(m->model.stage, m->model.stage->at + below(m, (uint32_t)scale + 1));
        model_check_liveness(&m->model);
    }
}

static void move_clock(struct moves *m)
{
    struct stage *stage = m->model.stage;
    int64_t step = (int64_t)below(m, 4 * 3600) * MS_PER_SECOND - 2 * MS_PER_HOUR;

    if (stage->is_held) { /* a launch that waits would not hear of it */
        return;
    }
    m->model.has_stepped_back |= step < 0;
    if (chance(m, 50)) {
        stage_set_clock(stage, stage->at + step);
    } else { /* a message comes before the engine hears of it */
        stage->at += step;
        move_message(m);
        stage_set_clock(stage, stage->at);
    }
}

/* A busy reactor: time has passed, and a message comes before the TICKs that are due. */
static void move_late(struct moves *m)
{
    uint32_t late_ms = below(m, chance(m, 50) ? 100 : 3600000);

    m->model.stage->at += late_ms;
    m->model.stage->mono += late_ms;
    move_message(m);
}

static void move_crash(struct moves *m)
{
    struct stage *stage = m->model.stage;

    for (uint32_t steps = below(m, 6); stage->is_held && steps > 0; steps--) {
        stage_step(stage);
    }
    stage->is_held = false;
    m->model.is_starting = true;
    for (uint32_t i = 0; i < m->model.execution_count; i++) {
        m->model.executions[i].queued_count = 0;
        for (uint32_t n = 0; n < MODEL_ENTRIES; n++) {
            m->model.executions[i].entries[n].not_before_mono = 0;
        }
    }
    memset(m->model.is_waiting, 0, sizeof(m->model.is_waiting));
    memset(m->model.back_off_until_mono, 0, sizeof(m->model.back_off_until_mono));
    stage_crash(stage, chance(m, 50) ? stage->mono + below(m, 100000) : 1000 + below(m, 1000));
    if (stage->letters.count == 0) {
        m->model.is_starting = false;
    }
    stage_run(stage);
}

/* ---- a sequence ---- */

static void move(struct moves *m)
{
    uint32_t kind = below(m, 100);

    if (kind < 4) {
        move_launch(m);
    } else if (kind < 7) {
        move_clock(m);
    } else if (kind < 9) {
        move_crash(m);
    } else if (kind < 11) {
        move_organisation(m);
    } else if (kind < 15) {
        move_did(m);
    } else if (kind < 20) {
        move_contact(m);
    } else if (kind < 35) {
        move_advance(m);
    } else if (kind < 40) {
        move_late(m);
    } else {
        move_message(m);
    }
}

/* Rows, decoded, against the mirror and against what is in memory. */
static void check_rows(struct moves *m)
{
    struct model *model = &m->model;
    size_t entries = 0, due = 0, live = 0;

    for (uint32_t i = 0; i < model->execution_count; i++) {
        struct model_execution *x = &model->executions[i];
        const struct execution *e = stage_find(model->stage, x->number);

        for (uint32_t n = 0; n < x->entry_count; n++) {
            struct key key = key_entry(x->number, n);
            struct live_call call;
            struct entry row;

            REQUIRE(model, world_get(model->stage->world, TABLE_ENTRY, &key, &row));
            REQUIRE(model, row.status == x->entries[n].status);
            REQUIRE(model, row.attempts == x->entries[n].attempts);
            entries++;
            due += x->entries[n].is_due;
            live += x->entries[n].is_live;
            if (world_get(model->stage->world, TABLE_LIVE_CALL, &key, &call)) {
                const struct flight *flight = flights_find(&e->flights, n);

                REQUIRE(model, flight != NULL && flight->row.attempt == call.attempt);
                REQUIRE(model, x->entries[n].is_live);
            }
        }
    }
    REQUIRE(model, world_count(model->stage->world, TABLE_ENTRY, NULL) == entries);
    REQUIRE(model, world_count(model->stage->world, TABLE_DUE, NULL) == due);
    REQUIRE(model, world_count(model->stage->world, TABLE_LIVE_CALL, NULL) == live);
}

/* ---- to the end ---- */

/* Numbers of exchanges begin anew when they are used up. */
static void forget_exchanges(struct moves *m)
{
    if (m->model.last_exchange + 8 > MODEL_EXCHANGES) {
        m->model.last_exchange = 0;
        memset(m->model.is_replied, 0, sizeof(m->model.is_replied));
    }
}

static void answer_call(struct moves *m, struct model_execution *x, uint32_t n)
{
    struct model_entry *entry = &x->entries[n];
    const struct known_call call = {.execution = x->number,
                                    .entry = n,
                                    .attempt = (uint16_t)(entry->attempts + 1),
                                    .from_gateway = !x->is_pull};
    struct call_event event = {.result.outcome = OUTCOME_ANSWERED};

    forget_exchanges(m);
    post_event(m, MESSAGE_CALL_RESULT, &call, &event);
}

static bool finish_round(struct moves *m)
{
    struct model *model = &m->model;
    bool is_over = true;

    m->next_claim += 1000;
    forget_exchanges(m);
    stage_claim(model->stage, 1000, false, m->next_claim, next_exchange(m));
    for (uint32_t i = 0; i < model->execution_count; i++) {
        struct model_execution *x = &model->executions[i];

        if (execution_is_paused(x->state.status)) {
            forget_exchanges(m);
            stage_command(model->stage, MESSAGE_RESUME, x->number, next_exchange(m));
        }
        for (uint32_t n = 0; n < x->entry_count; n++) {
            if (x->entries[n].is_live) {
                answer_call(m, x, n);
            }
        }
        is_over &= x->state.status == 0 ||
                   (execution_has_ended(x->state.status) && x->state.skip_done && x->live == 0);
    }
    return is_over;
}

static void finish(struct moves *m)
{
    struct model *model = &m->model;
    uint32_t rounds = 0;

    model->stage->is_held = false;
    stage_run(model->stage);
    for (uint32_t d = 1; d <= MODEL_DIDS; d++) {
        model->is_did_active[d - 1] = true;
        stage_put_did(model->stage, 0, d, DID_ACTIVE);
    }
    for (uint32_t o = 1; o <= model->organisation_count; o++) {
        stage_set_credits(model->stage, o, model->organisations[o].is_limited ? 10000 : -1);
    }
    while (!finish_round(m)) {
        REQUIRE(model, rounds++ < ROUNDS_TO_END);
        stage_advance(model->stage, model->stage->at + (rounds < 50 ? 1 : 4) * MS_PER_HOUR);
    }
    for (uint32_t i = 0; i < model->execution_count; i++) {
        const struct model_execution *x = &model->executions[i];

        REQUIRE(model, x->is_cancelled == (x->state.status == EXECUTION_CANCELLED));
        for (uint32_t n = 0; n < x->entry_count; n++) {
            REQUIRE(model, model_is_final(x->entries[n].status));
        }
    }
    REQUIRE(model, world_count(model->stage->world, TABLE_ACTIVE_EXECUTION, NULL) == 0);
    REQUIRE(model, model->stage->resident_count == 0);
    REQUIRE(model, dispatcher_in_flight(&model->stage->dispatcher) == 0);
    REQUIRE(model, world_count(model->stage->world, TABLE_NODE_COUNTERS, NULL) == 0);
    for (uint32_t o = 1; o <= model->organisation_count; o++) {
        REQUIRE(model, model->organisations[o].reserved == 0);
    }
}

static int end_play(void **state)
{
    (void)state;
    if (playing != NULL) {
        stage_free(playing->model.stage);
        free(playing);
        playing = NULL;
    }
    return 0;
}

static uint64_t play(uint64_t seed)
{
    struct moves *m = calloc(1, sizeof(*m));
    uint64_t digest;

    OD_CHECK(m != NULL);
    seed_text_size = (size_t)snprintf(seed_text, sizeof(seed_text),
                                      "OUTDIAL_SEED=%" PRIu64 " reproduces\n", seed);
    playing = m;
    make_world(m, seed);
    move_launch(m);
    for (uint32_t i = 0; i < MOVES; i++) {
        if (!m->model.stage->is_held) {
            m->model.stage->is_held = chance(m, 5);
        } else if (chance(m, 30)) {
            m->model.stage->is_held = false;
            stage_run(m->model.stage);
        }
        move(m);
        if (i % 40 == 0) {
            check_rows(m);
        }
    }
    finish(m);
    check_rows(m);
    digest = m->model.digest;
    end_play(NULL);
    return digest;
}

/* ---- the tests ---- */

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void whatever_comes_the_promises_hold(void **state)
{
    uint64_t seeds = number_of("OUTDIAL_SEEDS", SEEDS);
    uint64_t only = number_of("OUTDIAL_SEED", 0);

    (void)state;
    if (only != 0) {
        play(only);
        return;
    }
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        play(seed);
    }
}

/* A handler has no input but its arguments: the same messages do the same, in memory at other
 * addresses. */
static void the_same_messages_do_the_same(void **state)
{
    uint64_t only = number_of("OUTDIAL_SEED", 0);
    uint64_t seeds = only != 0 ? only : number_of("OUTDIAL_SEEDS", SEEDS);

    (void)state;
    for (uint64_t seed = only != 0 ? only : 1; seed <= seeds; seed += TWICE_EVERY) {
        uint64_t first = play(seed);

        assert_true(play(seed) == first);
    }
}

/* ---- a failing seed says its name, however it fails ---- */

static void say_seed(void)
{
    if (write(STDERR_FILENO, seed_text, seed_text_size) < 0) {
        _exit(1);
    }
}

static void on_abort(int signal_number)
{
    (void)signal_number;
    say_seed();
}

static int setup(void **state)
{
    (void)state;
    (void)signal(SIGABRT, on_abort);
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_set_death_callback(say_seed);
#endif
    return 0;
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(whatever_comes_the_promises_hold, end_play),
    cmocka_unit_test_teardown(the_same_messages_do_the_same, end_play),
};

OD_TEST_MAIN_FIXTURE(tests, setup, NULL)
