/* A commit that fails (reliability.md, finding 9 and plan 14): the batch and everything that was
 * computed on it are dropped, whoever waits is answered 503, and what is on disk is exactly what
 * was acknowledged.
 *
 * The writer's hook refuses a batch as a full disk would, and does so only when the next batch is
 * full and letters wait behind it. Each recovery takes the second until the engine's probe.
 */
#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

#include "tests/unit/engine/recovery_script.h"
#include "tests/unit/engine/replay_check.h"

enum {
    SEEDS = 4,
    REFUSALS = 4,     /* of a seed */
    TURNS_AHEAD = 40, /* while a batch is held back */
    STEPS_AHEAD = 30, /* posted then */
    BATCH_MESSAGES = 8,
};

/* ---- refusals ---- */

struct refusals {
    struct fixture *f;
    atomic_uint armed; /* so many of the next commits are refused: a batch, and then a probe */
    int code;          /* OD_EFULL, or what else the store says */
    int reached;       /* an eventfd: a batch is held back */
    bool is_held;
    sem_t go;
    struct event *event;
};

/* In the writer's thread. */
static int on_commit(void *context, uint64_t number)
{
    struct refusals *r = context;
    const uint64_t one = 1;

    (void)number;
    if (atomic_load(&r->armed) == 0) {
        return 0;
    }
    atomic_fetch_sub(&r->armed, 1);
    OD_CHECK(write(r->reached, &one, sizeof(one)) == (ssize_t)sizeof(one));
    while (sem_wait(&r->go) != 0) {
        OD_CHECK(errno == EINTR);
    }
    return r->code;
}

static void on_reached(evutil_socket_t fd, short what, void *context)
{
    struct refusals *r = context;
    uint64_t count;

    (void)what;
    OD_CHECK(read(fd, &count, sizeof(count)) == (ssize_t)sizeof(count));
    r->is_held = true;
}

static void refusals_open(struct refusals *r, struct fixture *f)
{
    r->f = f;
    r->reached = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    OD_CHECK(r->reached >= 0 && sem_init(&r->go, 0, 0) == 0);
    r->event = event_new(engine_base(f->engine), r->reached, EV_READ | EV_PERSIST, on_reached, r);
    OD_CHECK(r->event != NULL && event_add(r->event, NULL) == 0);
    writer_set_hook(engine_writer(f->engine), on_commit, r);
}

static void refusals_close(struct refusals *r)
{
    writer_set_hook(engine_writer(r->f->engine), NULL, NULL);
    event_free(r->event);
    close(r->reached);
    sem_destroy(&r->go);
}

/* A turn of the loop. A batch that is held back is let go when the engine has done what it can
 * without it. */
static void turn(struct refusals *r)
{
    struct event_base *base = engine_base(r->f->engine);

    if (!r->is_held) {
        event_base_loop(base, EVLOOP_ONCE);
        return;
    }
    r->is_held = false;
    for (unsigned i = 0; i < TURNS_AHEAD; i++) {
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    sem_post(&r->go);
}

static bool is_ready(const struct fixture *f)
{
    const char *reason;

    return engine_is_ready(f->engine, &reason);
}

/* Reads go on, writes get 503 at once, nobody waits; and it goes over by itself. */
static void sit_out(struct refusals *r)
{
    struct fixture *f = r->f;
    const struct step write_step = {.type = MESSAGE_AUDIENCE_CREATE, .number = 9};
    struct organisation row;
    struct arena arena;
    const char *reason;
    uint64_t exchange;

    assert_int_equal(f->waiting, 0);
    assert_false(engine_is_ready(f->engine, &reason));
    assert_string_equal(reason, "The store takes no writes at the moment");
    exchange = script_post(f, &write_step);
    assert_int_equal(f->waiting, 0);
    assert_int_equal(f->answers[exchange].fault, FAULT_UNAVAILABLE);
    assert_false(engine_advance(f->engine, FIXTURE_START, fixture_on_advanced, f));
    arena_init(&arena, 1024);
    assert_true(fixture_get(f, TABLE_ORGANISATION, key_u32(FIXTURE_ORGANISATION), &arena, &row));
    arena_deinit(&arena);
    while (!is_ready(f)) {
        turn(r);
    }
}

/* ---- what is on disk is what was acknowledged ---- */

/* Plays the script, some steps a turn. exchanges[n]: of step n. */
static void play(struct refusals *r, const struct script *script, struct prng *prng,
                 uint64_t *exchanges)
{
    struct fixture *f = r->f;
    uint32_t next = 0;
    uint32_t arm_at = 10;

    while (next < SCRIPT_STEPS || f->waiting > 0) {
        uint32_t some = 1 + (uint32_t)prng_below(prng, 12);

        if (r->is_held) {
            some = STEPS_AHEAD;
        } else if (f->waiting > STEPS_AHEAD) {
            some = 0;
        }
        for (; some > 0 && next < SCRIPT_STEPS; some--, next++) {
            exchanges[next] = script_post(f, &script->steps[next]);
        }
        if (r->is_held &&
            next < SCRIPT_STEPS) { /* one with the writer, one full, and more behind */
            assert_true(f->waiting > UINT64_C(2) * BATCH_MESSAGES);
        }
        if (next >= arm_at) {
            arm_at += SCRIPT_STEPS / REFUSALS;
            atomic_store(&r->armed, prng_below(prng, 4) == 0 ? 2 : 1);
        }
        turn(r);
        if (!is_ready(f)) {
            sit_out(r);
        }
    }
}

/* Work in slices goes on behind the last answer; every no is asked behind it. */
static void come_to_rest(struct fixture *f)
{
    for (unsigned i = 0; i < 5; i++) {
        fixture_post(f, MESSAGE_PAUSE, 999999, (union payload){.grant = 0}, NULL);
        fixture_wait(f);
    }
}

/* Plays what was acknowledged, one step at a time, in another folder. */
static void play_again(struct fixture *f, struct fixture *fresh, const struct script *script,
                       const uint64_t *exchanges)
{
    for (uint32_t n = 0; n < SCRIPT_STEPS; n++) {
        const struct fixture_answer *first = &f->answers[exchanges[n]];
        const struct fixture_answer *second;

        if (first->kind == REPLY_FAULT && first->fault == FAULT_UNAVAILABLE) {
            continue;
        }
        second = &fresh->answers[script_post(fresh, &script->steps[n])];
        fixture_wait(fresh);
        assert_int_equal(first->kind, second->kind);
        assert_int_equal(first->fault, second->fault);
    }
}

static void check_seed(struct fixture *f, uint64_t seed)
{
    struct script *script = calloc(1, sizeof(*script));
    uint64_t *exchanges = calloc(SCRIPT_STEPS, sizeof(*exchanges));
    struct refusals refusals = {.code = OD_EFULL};
    struct fixture *fresh = fixture_new();
    const char *trace = replay_record(f);
    struct prng prng;

    OD_CHECK(script != NULL && exchanges != NULL);
    prng_seed(&prng, seed);
    script_write(script, seed);
    f->config->batch_max_messages = BATCH_MESSAGES;
    fixture_open(f);
    fixture_add_organisation(f);
    refusals_open(&refusals, f);
    play(&refusals, script, &prng, exchanges);
    assert_int_equal(f->dropped, REFUSALS);
    come_to_rest(f);
    refusals_close(&refusals);

    fixture_open(fresh);
    fixture_add_organisation(fresh);
    play_again(f, fresh, script, exchanges);
    come_to_rest(fresh);
    fixture_assert_same_rows(f, fresh);
    fixture_close(f); /* and what is on disk is all there is: */
    replay_assert_same(trace, REFUSALS);
    f->config->record_path = NULL;
    fixture_open(f);
    come_to_rest(f);
    fixture_assert_same_rows(f, fresh);
    fixture_free(fresh);
    free(exchanges);
    free(script);
}

static void what_is_on_disk_is_what_was_acknowledged(void **state)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        fixture_teardown(state);
        fixture_setup(state);
        check_seed(*state, seed);
    }
}

/* The trace is told of a zone's rules with the first message that asks for them. Where that message
 * is dropped, the next one tells it. */
static void a_dropped_batch_takes_no_zone_out_of_the_trace(void **state)
{
    struct fixture *f = *state;
    struct organisation casablanca = {.id = fixture_id(1), .timezone = SLICE("Africa/Casablanca")};
    const struct organisation_patch patch = {.present = ORGANISATION_TIMEZONE, .value = casablanca};
    struct refusals refusals = {.code = OD_EFULL};
    const char *trace = replay_record(f);
    /* It is closed at night: without the rules nobody would know when that is, and none be called.
     */
    const struct weekly_window night = {.weekday = 1, .start_minute = 0, .end_minute = 60};
    struct program program = {.has_pause_windows = true,
                              .windows = {.weekly = &night, .weekly_count = 1}};

    fixture_open(f);
    fixture_add_organisation(f);
    fixture_do(f, MESSAGE_ORGANISATION_PATCH, FIXTURE_ORGANISATION,
               (union payload){.organisation_patch = &patch}, NULL);
    fixture_add_contacts(f, 1000, 20);
    fixture_add_program(f, 1, &program);
    refusals_open(&refusals, f);
    atomic_store(&refusals.armed, 1);
    fixture_post(f, MESSAGE_PROGRAM_LAUNCH, FIXTURE_ORGANISATION, fixture_launch_of(1), NULL);
    while (f->waiting > 0 || !is_ready(f)) {
        turn(&refusals);
    }
    assert_int_equal(f->dropped, 1);
    fixture_do(f, MESSAGE_PROGRAM_LAUNCH, FIXTURE_ORGANISATION, fixture_launch_of(1), NULL);
    fixture_advance(f, FIXTURE_START + MS_PER_HOUR);
    refusals_close(&refusals);
    fixture_close(f);
    replay_assert_same(trace, 1);
}

/* ---- campaigns go on ---- */

enum { CONTACTS_CALLED = 200, TURNS_BETWEEN = 100 };

static void add_campaign(struct fixture *f)
{
    struct program program = {
        .retry = {.type = RETRY_FIXED_DELAY, .delay_ms = 3600000, .max_retries = 2}};

    fixture_option(f, "answered", "50");
    fixture_option(f, "no_answer", "50");
    fixture_option(f, "voicemail", "0");
    fixture_option(f, "busy", "0");
    fixture_option(f, "rejected", "0");
    fixture_option(f, "error", "0");
    f->config->gateway_settings[0].max_calls = 50;
    f->config->batch_max_messages = BATCH_MESSAGES;
    fixture_open(f);
    fixture_add_organisation(f);
    fixture_add_contacts(f, 1000, CONTACTS_CALLED);
    fixture_launch(f, 1, &program);
}

/* Appends what became of each contact, without its instants: a call that a crash has cut off is
 * dialled anew. */
static void tell_outcome(struct fixture *f, struct buf *out)
{
    struct arena arena;

    arena_init(&arena, 1024);
    for (uint32_t entry = 0; entry < CONTACTS_CALLED; entry++) {
        struct entry row;

        assert_true(fixture_get(f, TABLE_ENTRY, key_entry(1, entry), &arena, &row));
        OD_CHECK(buf_printf(out, "%d %u %d\n", (int)row.status, row.attempts,
                            (int)row.last_outcome) == 0);
        for (uint32_t attempt = 1; attempt <= row.attempts; attempt++) {
            struct call call;

            assert_true(
                fixture_get(f, TABLE_CALL, key_call(1, entry, (uint16_t)attempt), &arena, &call));
            OD_CHECK(buf_printf(out, " %d", (int)call.outcome) == 0);
        }
        arena_reset(&arena);
    }
    arena_deinit(&arena);
}

static void assert_is_complete(struct fixture *f)
{
    const struct execution_state at_end = fixture_state(f, 1);
    const struct execution_counters *n = &at_end.counters;
    struct buf left;

    assert_int_equal(at_end.status, EXECUTION_COMPLETED);
    assert_int_equal(n->total, CONTACTS_CALLED);
    assert_int_equal(n->total, n->completed + n->failed + n->pending + n->in_progress + n->skipped);
    assert_int_equal(n->pending + n->in_progress, 0);
    buf_init(&left);
    fixture_dump(f, TABLE_LIVE_CALL, &left);
    fixture_dump(f, TABLE_DUE, &left);
    fixture_dump(f, TABLE_ACTIVE_EXECUTION, &left);
    assert_int_equal(left.size, 0);
    buf_deinit(&left);
}

/* Commits are refused in the middle of an advance: it goes on by itself, and everybody is called as
 * if nothing had been. */
static void a_campaign_goes_on_to_its_end(void **state)
{
    struct fixture *f = *state;
    struct fixture *undisturbed = fixture_new();
    struct refusals refusals = {.code = OD_EFULL};
    unsigned turns = 0;
    struct buf expected;
    struct buf told;

    buf_init(&expected);
    buf_init(&told);
    add_campaign(undisturbed);
    fixture_advance(undisturbed, FIXTURE_START + MS_PER_DAY);
    assert_is_complete(undisturbed);
    tell_outcome(undisturbed, &expected);
    add_campaign(f);
    refusals_open(&refusals, f);
    f->is_advanced = false;
    assert_true(engine_advance(f->engine, FIXTURE_START + MS_PER_DAY, fixture_on_advanced, f));
    while (!f->is_advanced) {
        if (turns++ % TURNS_BETWEEN == 0 && f->dropped < REFUSALS) {
            atomic_store(&refusals.armed, 1);
        }
        turn(&refusals);
    }
    assert_int_equal(f->dropped, REFUSALS);
    assert_is_complete(f);
    tell_outcome(f, &told);
    assert_true(slice_equal(buf_slice(&told), buf_slice(&expected)));
    refusals_close(&refusals);
    fixture_free(undisturbed);
    buf_deinit(&expected);
    buf_deinit(&told);
}

/* What nobody could read again would be a clock that has gone back. */
static void the_test_clock_remembers_a_move_that_was_refused(void **state)
{
    struct fixture *f = *state;
    struct refusals refusals = {.code = OD_EFULL};

    fixture_open(f);
    fixture_add_organisation(f);
    refusals_open(&refusals, f);
    refusals.armed = 1;
    f->is_advanced = false;
    assert_true(engine_advance(f->engine, FIXTURE_START + MS_PER_HOUR, fixture_on_advanced, f));
    while (!f->is_advanced) {
        turn(&refusals);
    }
    assert_int_equal(f->dropped, 1);
    refusals_close(&refusals);
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(engine_now(f->engine), FIXTURE_START + MS_PER_HOUR);
}

/* ---- the last commit of a process that stops ---- */

static void who_waits_is_told_when_the_last_commit_fails(void **state)
{
    struct fixture *f = *state;
    struct refusals refusals = {.code = OD_EFULL, .armed = 1};
    const struct step step = {.type = MESSAGE_AUDIENCE_CREATE, .number = 20};
    const struct step behind = {.type = MESSAGE_AUDIENCE_CREATE, .number = 21};
    uint64_t first, second;

    fixture_open(f);
    fixture_add_organisation(f);
    refusals_open(&refusals, f);
    first = script_post(f, &step);
    while (!refusals.is_held) {
        event_base_loop(engine_base(f->engine), EVLOOP_ONCE);
    }
    second = script_post(f, &behind);
    engine_stop(f->engine);
    sem_post(&refusals.go);
    assert_int_equal(engine_run(f->engine), 0);
    assert_int_equal(f->waiting, 0);
    assert_int_equal(f->answers[first].fault, FAULT_UNAVAILABLE);
    assert_int_equal(f->answers[second].fault, FAULT_UNAVAILABLE);
    refusals_close(&refusals);
}

/* ---- a store that cannot be trusted ---- */

static void a_dying_disk_ends_the_process_with_70(void **state)
{
    struct fixture *f = *state;
    struct refusals refusals = {.code = OD_EIO, .armed = 1};
    const struct step step = {.type = MESSAGE_AUDIENCE_CREATE, .number = 20};

    fixture_open(f);
    fixture_add_organisation(f);
    refusals_open(&refusals, f);
    sem_post(&refusals.go);
    script_post(f, &step);
    assert_int_equal(engine_run(f->engine), 70);
    assert_int_equal(f->waiting, 1); /* it is not known, so nobody is told anything */
    refusals_close(&refusals);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(what_is_on_disk_is_what_was_acknowledged),
    CASE(a_dropped_batch_takes_no_zone_out_of_the_trace),
    CASE(a_campaign_goes_on_to_its_end),
    CASE(the_test_clock_remembers_a_move_that_was_refused),
    CASE(who_waits_is_told_when_the_last_commit_fails),
    CASE(a_dying_disk_ends_the_process_with_70),
};

OD_TEST_MAIN(tests)
