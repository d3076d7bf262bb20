/* The test clock moves on (api.md, "Test clock"): everything due up to the instant happens in
 * order. */
#include "tests/unit/engine/engine_fixture.h"

/* Calls ring and talk for exactly so long; nobody answers. */
static void nobody_answers(struct fixture *f, const char *ring_ms)
{
    fixture_option(f, "answered", "0");
    fixture_option(f, "voicemail", "0");
    fixture_option(f, "busy", "0");
    fixture_option(f, "rejected", "0");
    fixture_option(f, "error", "0");
    fixture_option(f, "no_answer", "100");
    fixture_option(f, "ring_ms_min", ring_ms);
    fixture_option(f, "ring_ms_max", ring_ms);
}

static struct call call_of(struct fixture *f, uint32_t execution, uint32_t entry, uint16_t attempt)
{
    struct call row;
    struct arena arena;

    arena_init(&arena, 1024);
    if (!fixture_get(f, TABLE_CALL, key_call(execution, entry, attempt), &arena, &row)) {
        fail_msg("no call %u/%u/%u", execution, entry, attempt);
    }
    arena_deinit(&arena);
    return row;
}

static void the_clock_stands_still(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    assert_true(engine_has_test_clock(f->engine));
    assert_int_equal(engine_now(f->engine), FIXTURE_START);
    fixture_add_organisation(f);
    assert_int_equal(engine_now(f->engine), FIXTURE_START);
}

static void what_is_due_happens_at_its_instant_and_in_order(void **state)
{
    struct fixture *f = *state;
    struct program late = {.start_at = FIXTURE_START + 10 * MS_PER_MINUTE};
    struct program early = {.start_at = FIXTURE_START + 5 * MS_PER_MINUTE};
    struct program stopped = {.start_at = FIXTURE_START + MS_PER_HOUR,
                              .stop_at = FIXTURE_START + 7 * MS_PER_MINUTE};

    stopped.start_at = FIXTURE_START + 6 * MS_PER_MINUTE;
    nobody_answers(f, "90000");
    fixture_open(f);
    fixture_add_organisation(f);
    fixture_add_contacts(f, 1000, 3);
    fixture_launch(f, 1, &late);
    fixture_launch(f, 2, &early);
    fixture_launch(f, 3, &stopped);
    fixture_advance(f, FIXTURE_START + MS_PER_HOUR);
    assert_int_equal(f->advanced_to, FIXTURE_START + MS_PER_HOUR);
    assert_int_equal(fixture_state(f, 1).actual_start_at, late.start_at);
    assert_int_equal(fixture_state(f, 1).actual_end_at, late.start_at + 90000);
    assert_int_equal(fixture_state(f, 2).actual_start_at, early.start_at);
    assert_int_equal(fixture_state(f, 2).actual_end_at, early.start_at + 90000);
    assert_int_equal(fixture_state(f, 3).status, EXECUTION_STOPPED);
    assert_int_equal(fixture_state(f, 3).actual_end_at, stopped.stop_at);
    assert_int_equal(call_of(f, 3, 0, 1).ended_at,
                     stopped.start_at + 90000); /* goes on to its end */
    for (uint32_t entry = 0; entry < 3; entry++) {
        assert_int_equal(call_of(f, 1, entry, 1).queued_at, late.start_at);
        assert_int_equal(call_of(f, 2, entry, 1).ended_at, early.start_at + 90000);
    }
}

static void a_week_of_retries_passes_in_one_advance(void **state)
{
    struct fixture *f = *state;
    struct program program = {.retry = {.type = RETRY_FIXED_DELAY,
                                        .delay_ms = 8 * 3600000, /* eight hours */
                                        .max_retries = 20}};
    struct execution_state at_end;
    int64_t due = FIXTURE_START;

    nobody_answers(f, "30000");
    fixture_open(f);
    fixture_add_organisation(f);
    fixture_add_contacts(f, 1000, 4);
    fixture_launch(f, 1, &program);
    fixture_advance(f, FIXTURE_START + 7 * MS_PER_DAY);
    at_end = fixture_state(f, 1);
    assert_int_equal(at_end.status, EXECUTION_COMPLETED);
    assert_int_equal(at_end.counters.failed, 4);
    for (uint16_t attempt = 1; attempt <= 21; attempt++) {
        assert_int_equal(call_of(f, 1, 3, attempt).queued_at, due);
        assert_int_equal(call_of(f, 1, 3, attempt).ended_at, due + 30000);
        due += 30000 + 8 * MS_PER_HOUR;
    }
    assert_int_equal(at_end.actual_end_at, due - 8 * MS_PER_HOUR);
}

static void windows_hold_to_the_millisecond(void **state)
{
    struct fixture *f = *state;
    const struct weekly_window lunch = {1, 12 * 60, 14 * 60}; /* monday */
    struct program program = {.has_pause_windows = true,
                              .start_at = FIXTURE_START + 3 * MS_PER_HOUR};

    program.windows = (struct pause_windows){.weekly = &lunch, .weekly_count = 1};
    nobody_answers(f, "30000");
    fixture_open(f);
    fixture_add_organisation(f);
    fixture_add_contacts(f, 1000, 1);
    fixture_launch(f, 1, &program);
    fixture_advance(f, FIXTURE_START + MS_PER_DAY);
    assert_int_equal(fixture_state(f, 1).actual_start_at, program.start_at);
    assert_int_equal(call_of(f, 1, 0, 1).queued_at, FIXTURE_START + 4 * MS_PER_HOUR);
}

static void an_advance_to_the_past_ends_at_once(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    fixture_advance(f, FIXTURE_START - MS_PER_HOUR);
    assert_int_equal(f->advanced_to, FIXTURE_START);
}

static void there_is_one_advance_at_a_time(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    f->is_advanced = false;
    assert_true(engine_advance(f->engine, FIXTURE_START + 1000, fixture_on_advanced, f));
    assert_false(engine_advance(f->engine, FIXTURE_START + 2000, fixture_on_advanced, f));
    while (!f->is_advanced) {
        event_base_loop(engine_base(f->engine), EVLOOP_ONCE);
    }
    fixture_advance(f, FIXTURE_START + 2000);
    assert_int_equal(engine_now(f->engine), FIXTURE_START + 2000);
}

/* "A data folder that has already seen a later instant goes on from that one." */
static void a_later_instant_is_remembered(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    fixture_advance(f, FIXTURE_START + MS_PER_DAY);
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(engine_now(f->engine), FIXTURE_START + MS_PER_DAY);
    fixture_close(f);
    f->config->test_clock_at = FIXTURE_START + 2 * MS_PER_DAY;
    fixture_open(f);
    assert_int_equal(engine_now(f->engine), FIXTURE_START + 2 * MS_PER_DAY);
    fixture_add_organisation(f); /* seen is also what nobody has advanced to */
    fixture_close(f);
    f->config->test_clock_at = FIXTURE_START;
    fixture_open(f);
    assert_int_equal(engine_now(f->engine), FIXTURE_START + 2 * MS_PER_DAY);
}

static void an_advance_goes_on_after_a_restart(void **state)
{
    struct fixture *f = *state;
    struct program program = {
        .retry = {.type = RETRY_FIXED_DELAY, .delay_ms = 3600000, .max_retries = 3}};

    nobody_answers(f, "30000");
    fixture_open(f);
    fixture_add_organisation(f);
    fixture_add_contacts(f, 1000, 2);
    fixture_launch(f, 1, &program);
    fixture_advance(f, FIXTURE_START + 90 * MS_PER_MINUTE);
    fixture_close(f);
    fixture_open(f);
    fixture_advance(f, FIXTURE_START + MS_PER_DAY);
    assert_int_equal(fixture_state(f, 1).status, EXECUTION_COMPLETED);
    assert_int_equal(call_of(f, 1, 1, 4).queued_at, FIXTURE_START + 3 * (MS_PER_HOUR + 30000));
}

static void without_a_test_clock_nothing_advances(void **state)
{
    struct fixture *f = *state;

    f->config->has_test_clock = false;
    fixture_open(f);
    assert_false(engine_has_test_clock(f->engine));
    assert_false(engine_advance(f->engine, FIXTURE_START, fixture_on_advanced, f));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(the_clock_stands_still),
    CASE(what_is_due_happens_at_its_instant_and_in_order),
    CASE(a_week_of_retries_passes_in_one_advance),
    CASE(windows_hold_to_the_millisecond),
    CASE(an_advance_to_the_past_ends_at_once),
    CASE(there_is_one_advance_at_a_time),
    CASE(a_later_instant_is_remembered),
    CASE(an_advance_goes_on_after_a_restart),
    CASE(without_a_test_clock_nothing_advances),
};

OD_TEST_MAIN(tests)
