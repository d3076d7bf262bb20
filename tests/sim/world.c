/* The engine's life in the simulation: opened, stepped, crashed and loaded again.
 *
 * A commit is carried out in two steps, as on a real disk: it becomes durable, and then the engine
 * hears of it. The model hears of it in between. A crash may come before, in between, and after.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/memory.h"
#include "model/key.h"
#include "storage/check.h"
#include "storage/writer.h"
#include "tests/sim/web.h"

enum {
    REST_STEPS_MAX = 200000, /* of one instant: beyond it the engine does not come to rest */
};

/* ---- the disk ---- */

/* The writer's hook: a commit that is refused. */
static int on_commit(void *context, uint64_t number)
{
    struct sim *sim = context;
    int code = sim->is_disk_full ? OD_EFULL : sim->refusal;

    (void)number;
    sim->refusal = 0;
    if (code == OD_EFULL) {
        sim_count(sim, COUNT_DISK_FULL);
    } else if (code != 0) {
        sim_count(sim, COUNT_DISK_DYING);
    }
    return code;
}

void world_commit(struct sim *sim, bool is_unheard)
{
    int code = engine_commit(sim->engine);

    sim->told = code;
    if (code == 0) {
        sim_count(sim, COUNT_COMMITS);
        model_hear(sim, &sim->writing, true);
        log_clear(&sim->writing);
    }
    if (!is_unheard) {
        engine_hear_commit(sim->engine);
    }
}

/* ---- life ---- */

static void note_time(struct sim *sim)
{
    for (unsigned i = 0; i < SIM_KEYS; i++) {
        struct keyed_request *key = &sim->keys[i];

        key->latest_at = sim->at > key->latest_at ? sim->at : key->latest_at;
    }
}

static void open_engine(struct sim *sim)
{
    const struct store_options options = {.directory = sim->folder,
                                          .map_size_bytes = SIM_MAP_BYTES,
                                          .is_volatile = true,
                                          .is_mapped = true};
    struct engine_steps steps = {
        .at = sim->at, .mono = sim->mono, .zones = sim->zones, .watch = &sim->watch};
    struct od_error error;

    note_time(sim);
    if (sim->store == NULL && store_open(&options, &sim->store, &error) != 0) {
        sim_fail(sim, "the store cannot be opened: %s", error.text);
    }
    steps.store = sim->store;
    traces_begin_life(sim);
    if (engine_open_stepped(sim->config, &steps, &sim->engine, &error) != 0) {
        sim_fail(sim, "the engine cannot be opened: %s", error.text);
    }
    writer_set_hook(engine_writer(sim->engine), on_commit, sim);
    clients_begin_life(sim);
    model_on_start(sim);
    web_begin_life(sim); /* which takes the replies for itself */
    engine_set_replies(sim->engine, clients_on_reply, sim);
    engine_set_keeper(sim->engine, clients_on_keep, sim);
}

static void close_engine(struct sim *sim, bool is_drained)
{
    web_end_life(sim);
    traces_note_end(sim, is_drained);
    engine_close(sim->engine);
    traces_check(sim);
}

static void remove_file(const struct sim *sim, const char *name)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", sim->folder, name);
    (void)unlink(path);
}

/* Where no store was made, an empty file, which stays mapped (pages.c), is as good as none. */
static void empty_file(const struct sim *sim, const char *name)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", sim->folder, name);
    OD_CHECK(truncate(path, 0) == 0 || errno == ENOENT);
}

static void remove_store(struct sim *sim)
{
    empty_file(sim, "data.mdb");
    empty_file(sim, "lock.mdb");
    remove_file(sim, "lock");
    remove_file(sim, "admin.key");
}

static void set_option(struct config *config, const char *key, const char *value)
{
    struct gateway_config *simulator = &config->gateways[0];

    simulator->options[simulator->option_count++] =
        (struct gateway_option_value){.key = key, .value = value};
}

static void configure(struct sim *sim)
{
    struct config *config = sim->config;
    bool is_tight;

    sim->is_shared = chance(sim, 6);
    is_tight = sim->is_shared || chance(sim, 30);

    config_defaults(config, carrier_kinds(sim));
    config->data_dir = sim->folder;
    config->lease_seconds = between(sim, 5, 90);
    config->lease_limit = between(sim, 1, 5);
    config->call_timeout_seconds = between(sim, 20, 4000);
    config->dial_by_seconds = between(sim, 1, 10);
    config->max_calls = is_tight ? between(sim, 3, 12) : 1000;
    config->batch_max_messages = chance(sim, 30) ? between(sim, 2, 20) : 10000;
    config->executions_days = chance(sim, 40) ? 1 : 90;
    config->events_days = chance(sim, 40) ? 1 : 90;
    for (unsigned i = 0; i < config->gateway_count; i++) {
        config->gateway_settings[i].max_calls = chance(sim, 30) ? between(sim, 1, 10) : 500;
        config->gateway_settings[i].max_offered = chance(sim, 30) ? between(sim, 1, 10) : 500;
    }
    set_option(config, "nodes", "menu, a node");
    set_option(config, "release_percent", chance(sim, 50) ? "0" : "20");
    if (chance(sim, 20)) {
        set_option(config, "answer_instantly", "true");
    }
}

void world_begin(struct sim *sim)
{
    remove_store(sim);
    sim->config = memory_zero(1, sizeof(*sim->config));
    configure(sim);
    web_choose(sim);
    traces_choose(sim);
    log_watch(sim, &sim->watch);
    open_engine(sim);
    world_rest(sim); /* the first key */
}

void world_end(struct sim *sim)
{
    close_engine(sim, false);
    web_free(sim);
    sim->engine = NULL;
    store_close(sim->store);
    sim->store = NULL;
    config_free(sim->config);
    memory_free(sim->config);
    log_free(&sim->filling);
    log_free(&sim->writing);
    model_free(sim);
    remove_store(sim);
}

/* Another engine after a while, from what is on disk. */
static void start_anew(struct sim *sim)
{
    if (chance(sim, 25)) { /* what is read then is read from the file */
        store_close(sim->store);
        sim->store = NULL;
    }
    log_clear(&sim->filling);
    log_clear(&sim->writing);
    sim->is_disk_full = sim->is_disk_slow = false;
    sim->refusal = 0;
    if (chance(sim, 30)) {
        int64_t down = (int64_t)below(sim, 3600000);

        sim->at += down;
        sim->mono += down;
    }
    if (chance(sim, 10)) { /* the machine was started anew */
        sim->mono = 1 + (int64_t)below(sim, 60000);
        sim_count(sim, COUNT_REBOOTS);
    }
    open_engine(sim);
    if (chance(sim, 6)) {
        world_check(sim);
    }
}

void world_crash(struct sim *sim)
{
    close_engine(sim, false);
    start_anew(sim);
}

/* Steps of a drain, whose commits are carried out. */
static int drain(struct sim *sim)
{
    unsigned steps = 0;
    int status;

    while (!engine_is_broken(sim->engine, &status)) {
        SIM_REQUIRE(sim, ++steps < REST_STEPS_MAX);
        if (engine_is_committing(sim->engine) &&
            (!engine_wants_turn(sim->engine) || chance(sim, 50))) {
            world_commit(sim, false);
        } else if (engine_wants_turn(sim->engine)) {
            engine_run_turn(sim->engine);
        } else {
            sim_fail(sim, "a drain that does not end");
        }
    }
    return status;
}

/* What was handled is stored, and who asked has been answered. */
static void check_drained(struct sim *sim)
{
    for (size_t i = 0; i < sim->filling.count; i++) {
        SIM_REQUIRE(sim, sim->filling.facts[i].kind == FACT_MESSAGE);
    }
    SIM_REQUIRE(sim, sim->writing.count == 0);
    for (uint64_t i = 1; i <= sim->last_exchange; i++) {
        SIM_REQUIRE(sim, !sim->requests[i].is_waiting);
        SIM_REQUIRE(sim, sim->requests[i].released == sim->requests[i].durable);
    }
}

void world_drain(struct sim *sim)
{
    const char *reason;
    uint64_t refused;
    int status;

    /* That a commit was refused may wait to be heard; the engine would not end well. */
    while (sim->told != 0 && !engine_reads_all(sim->engine) && world_step(sim, false)) {
    }
    if (engine_is_broken(sim->engine, &status)) {
        return; /* it has ended by itself, and the next step starts another one */
    }
    if (!engine_is_ready(sim->engine, &reason)) {
        return; /* it ends at once, and answers what it can */
    }
    sim->is_disk_full = false;
    sim->refusal = 0;
    web_stop(sim);
    clients_give_up(sim);
    engine_stop(sim->engine);
    refused = sim->slot->counts[COUNT_UNAVAILABLE];
    workers_claim(sim, 1, true); /* too late */
    SIM_REQUIRE(sim, sim->slot->counts[COUNT_UNAVAILABLE] == refused + 1);
    SIM_REQUIRE(sim, drain(sim) == 0);
    check_drained(sim);
    sim_count(sim, COUNT_DRAINS);
    close_engine(sim, true);
    start_anew(sim);
}

/* ---- steps ---- */

bool world_step(struct sim *sim, bool may_commit)
{
    int status;

    if (engine_is_broken(sim->engine, &status)) {
        SIM_REQUIRE(sim, status == 70);
        world_crash(sim); /* its supervisor starts it anew */
        return true;
    }
    if (may_commit && engine_is_committing(sim->engine)) {
        world_commit(sim, false);
        return true;
    }
    if (engine_wants_turn(sim->engine)) {
        engine_run_turn(sim->engine);
        return true;
    }
    if (may_commit && engine_wants_probe(sim->engine)) {
        engine_run_probe(sim->engine);
        return true;
    }
    return false;
}

void world_work(struct sim *sim, uint32_t steps)
{
    while (steps-- > 0 && world_step(sim, false)) {
    }
}

void world_rest(struct sim *sim)
{
    unsigned steps = 0;

    sim->is_disk_full = false;
    while (world_step(sim, !engine_wants_turn(sim->engine) || chance(sim, 20))) {
        SIM_REQUIRE(sim, ++steps < REST_STEPS_MAX);
    }
    web_check_rest(sim);
}

void world_set_clock(struct sim *sim, enum clock_move move)
{
    note_time(sim);
    engine_set_clock(sim->engine, sim->at, sim->mono, move);
    web_time_passed(sim);
}

/* The next instant of the wall clock at which anything is due; no later than `at`. */
static int64_t next_due(struct sim *sim, int64_t at)
{
    struct wake wake = engine_wake(sim->engine);
    int64_t waits = web_next_mono(sim);
    int64_t due = wake.at;

    wake.mono = waits < wake.mono ? waits : wake.mono;
    if (wake.mono != INSTANT_NEVER && sim->at + (wake.mono - sim->mono) < due) {
        due = sim->at + (wake.mono - sim->mono);
    }
    if (due < sim->at) {
        due = sim->at;
    }
    return due < at ? due : at;
}

void world_pass_until(struct sim *sim, int64_t at, int64_t grain)
{
    unsigned stalled = 0;

    while (sim->at < at) {
        int64_t due = next_due(sim, at);

        if (due < sim->at + grain) {
            due = sim->at + grain < at ? sim->at + grain : at;
        }

        stalled = due == sim->at ? stalled + 1 : 0;
        SIM_REQUIRE(sim, stalled < 100); /* it is due now, and rests */
        sim->mono += due - sim->at;
        sim->at = due;
        world_set_clock(sim, CLOCK_GOES_ON);
        world_rest(sim);
    }
}

/* ---- checks ---- */

static void on_finding(void *context, const char *text)
{
    sim_fail(context, "outdialctl check: %s", text);
}

/* As many rows of the model's tables as the model has. */
static void check_rows(struct sim *sim)
{
    struct reader *reader = engine_begin_read(sim->engine);
    uint64_t live = 0, due = 0, entries = 0, rows;

    SIM_REQUIRE(sim, reader != NULL);
    for (uint32_t i = 0; i < sim->model.execution_count; i++) {
        const struct model_execution *x = sim->model.executions[i];

        live += x->exists ? x->live : 0;
        due += x->exists ? x->due : 0;
        entries += x->exists ? x->entry_count : 0;
    }
    SIM_REQUIRE(sim, reader_count(reader, TABLE_LIVE_CALL, &rows) == 0 && rows == live);
    SIM_REQUIRE(sim, reader_count(reader, TABLE_DUE, &rows) == 0 && rows == due);
    SIM_REQUIRE(sim, reader_count(reader, TABLE_ENTRY, &rows) == 0 && rows >= entries);
    engine_end_read(sim->engine, reader);
}

/* What was told once is there, as it was told. */
static void check_executions(struct sim *sim)
{
    struct reader *reader = engine_begin_read(sim->engine);
    struct arena arena;

    SIM_REQUIRE(sim, reader != NULL);
    arena_init(&arena, 4096);
    for (uint32_t i = 0; i < sim->model.execution_count; i++) {
        const struct model_execution *x = sim->model.executions[i];
        struct key key = key_u32(x->number);
        struct execution_state state;

        if (!x->exists) {
            continue;
        }
        SIM_REQUIRE(sim, reader_get(reader, TABLE_EXECUTION_STATE, &key, &arena, &state) == 0);
        SIM_REQUIRE(sim, state.status == x->state.status);
        SIM_REQUIRE(sim, memcmp(&state.counters, &x->state.counters, sizeof(state.counters)) == 0);
        for (uint32_t n = 0; n < x->entry_count; n++) {
            struct entry entry;

            key = key_entry(x->number, n);
            SIM_REQUIRE(sim, reader_get(reader, TABLE_ENTRY, &key, &arena, &entry) == 0);
            SIM_REQUIRE(sim, entry.status == x->entries[n].status);
            SIM_REQUIRE(sim, entry.attempts == x->entries[n].attempts);
        }
        arena_reset(&arena);
    }
    arena_deinit(&arena);
    engine_end_read(sim->engine, reader);
}

void world_check(struct sim *sim)
{
    const struct check_listener listener = {.context = sim, .on_finding = on_finding};
    struct od_error error;
    uint64_t findings = 0;

    if (check_store(engine_store(sim->engine), &listener, &findings, &error) != 0) {
        sim_fail(sim, "the store cannot be checked: %s", error.text);
    }
    SIM_REQUIRE(sim, findings == 0);
    check_rows(sim);
    check_executions(sim);
    sim_count(sim, COUNT_CHECKS);
}
