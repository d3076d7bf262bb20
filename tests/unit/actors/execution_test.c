/* The execution as a whole: loading, saving, waking, its invariants. What it does with messages is
 * in the tests of its other files. */
#include "tests/unit/actors/execution_fixture.h"
#include "tests/unit/model/defect.h"

static struct execution *resident(struct fixture *f)
{
    struct execution *e = stage_find(f->stage, FIXTURE_EXECUTION);

    assert_non_null(e);
    return e;
}

/* ---- changes of status are told, with the counters of that moment ---- */

static void each_change_of_status_is_told(void **state)
{
    struct fixture *f = *state;

    f->settings.has_pause_windows = true;
    f->window = (struct instant_window){STAGE_START - 1, STAGE_START + MS_PER_HOUR};
    launch(f, 3);
    command(f, MESSAGE_PAUSE);
    command(f, MESSAGE_PAUSE); /* refused: nothing to tell */
    command(f, MESSAGE_RESUME);
    command(f, MESSAGE_CANCEL);
    command(f, MESSAGE_CANCEL);
    assert_string_equal(
        world_print_table(f->stage->world, TABLE_EVENT),
        "1/1 execution=1 scheduled total=0 completed=0 failed=0 pending=0 in_progress=0 skipped=0\n"
        "1/2 execution=1 running total=3 completed=0 failed=0 pending=3 in_progress=0 skipped=0\n"
        "1/3 execution=1 paused total=3 completed=0 failed=0 pending=3 in_progress=0 skipped=0\n"
        "1/4 execution=1 running total=3 completed=0 failed=0 pending=3 in_progress=0 skipped=0\n"
        "1/5 execution=1 cancelled total=3 completed=0 failed=0 pending=0 in_progress=0 "
        "skipped=3\n");
}

static void the_last_call_is_in_what_completed_tells(void **state)
{
    struct fixture *f = *state;
    struct key key = key_event(1, 3), ended = key_ended_execution(STAGE_START, FIXTURE_EXECUTION);
    struct status_event told;

    launch(f, 1);
    claim(f, 1);
    started(f, 0, 1);
    assert_false(world_has(f->stage->world, TABLE_ENDED_EXECUTION, &ended));
    result(f, 0, 1, OUTCOME_ANSWERED);
    assert_true(world_get(f->stage->world, TABLE_EVENT, &key, &told));
    assert_int_equal(told.status, EXECUTION_COMPLETED);
    assert_int_equal(told.counters.completed, 1);
    assert_true(world_has(f->stage->world, TABLE_ENDED_EXECUTION, &ended));
}

/* ---- wake: the next instant at which anything can change ---- */

static void a_scheduled_one_wakes_at_its_start(void **state)
{
    struct fixture *f = *state;

    f->settings.start_at = STAGE_START + 5000;
    f->settings.stop_at = STAGE_START + 9000;
    launch(f, 1);
    assert_int_equal(execution_wake(resident(f)).at, STAGE_START + 5000);
    assert_int_equal(execution_wake(resident(f)).mono, INSTANT_NEVER);
}

static void a_running_one_wakes_at_the_next_retry_stop_and_window(void **state)
{
    struct fixture *f = *state;

    f->settings.retry =
        (struct retry_strategy){.type = RETRY_FIXED_DELAY, .delay_ms = 60000, .max_retries = 1};
    f->settings.stop_at = STAGE_START + MS_PER_HOUR;
    f->settings.has_pause_windows = true;
    f->window = (struct instant_window){STAGE_START + 90000, STAGE_START + 95000};
    launch(f, 1);
    assert_int_equal(execution_wake(resident(f)).at, STAGE_START + 90000);
    claim(f, 1);
    result(f, 0, 1, OUTCOME_BUSY);
    assert_int_equal(execution_wake(resident(f)).at, STAGE_START + 60000);
    command(f, MESSAGE_PAUSE);
    assert_int_equal(execution_wake(resident(f)).at, STAGE_START + MS_PER_HOUR);
}

static void one_with_calls_wakes_for_leases_and_silence(void **state)
{
    struct fixture *f = *state;
    int64_t mono = f->stage->mono;

    launch(f, 1);
    assert_int_equal(execution_wake(resident(f)).mono, INSTANT_NEVER);
    claim(f, 1);
    assert_int_equal(execution_wake(resident(f)).mono, mono + f->stage->settings.lease_ms);
    started(f, 0, 1);
    assert_int_equal(execution_wake(resident(f)).mono, mono + f->stage->settings.call_timeout_ms);
    result(f, 0, 1, OUTCOME_BUSY);
    assert_null(stage_find(f->stage, FIXTURE_EXECUTION));
}

static void a_paced_one_wakes_for_its_next_slot(void **state)
{
    struct fixture *f = *state;
    int64_t mono = f->stage->mono;

    f->settings.pacing.calls_per_second_micro = 4000000;
    launch(f, 2);
    assert_int_equal(execution_wake(resident(f)).mono, mono + 250);
}

/* ---- loading and saving ---- */

static void who_does_not_exist_cannot_be_loaded(void **state)
{
    struct fixture *f = *state;
    struct execution e;

    assert_false(execution_load(&e, 99, &f->stage->settings, world_view(f->stage->world), 1));
    assert_int_equal(e.number, 99);
    execution_deinit(&e);
}

static void what_is_loaded_is_what_was_saved(void **state)
{
    struct fixture *f = *state;
    struct execution_state before;
    struct execution *e;

    launch(f, 3);
    claim(f, 2);
    started(f, 0, 1);
    command(f, MESSAGE_PAUSE);
    before = state_of(f);
    stage_crash(f->stage, 77);
    e = resident(f);
    assert_memory_equal(&e->state.counters, &before.counters, sizeof(before.counters));
    assert_int_equal(e->state.status, EXECUTION_PAUSED);
    assert_int_equal(e->flights.listed[FLIGHTS_STARTED], 1);
    assert_int_equal(e->flights.listed[FLIGHTS_LEASED], 1);
    assert_int_equal(e->flights.listed[FLIGHTS_WITHHELD], 1);
    assert_int_equal(flights_first(&e->flights, FLIGHTS_STARTED)->mono,
                     77); /* a sign of life: now */
    assert_int_equal(flights_first(&e->flights, FLIGHTS_LEASED)->mono,
                     77 + f->stage->settings.lease_ms);
    assert_true(uuid_equal(&e->settings.dids[1].id, &f->dids[1].id));
}

static void the_state_is_saved_once_a_batch(void **state)
{
    struct fixture *f = *state;

    launch(f, 1);
    assert_false(resident(f)->is_dirty);
    resident(f)->state.did_next = 1;
    resident(f)->is_dirty = true;
    assert_int_equal(state_of(f).did_next, 0 + 1); /* of the call that was queued */
    execution_save(resident(f), world_effects(f->stage->world));
    assert_false(resident(f)->is_dirty);
}

/* ---- over ---- */

static void it_is_over_when_nothing_is_left_to_do(void **state)
{
    struct fixture *f = *state;

    launch(f, 2);
    claim(f, 2);
    assert_false(execution_is_over(resident(f)));
    command(f, MESSAGE_CANCEL);
    assert_false(execution_is_over(resident(f))); /* two calls are under way */
    result(f, 0, 1, OUTCOME_ANSWERED);
    result(f, 1, 1, OUTCOME_ANSWERED);
    assert_null(stage_find(f->stage, FIXTURE_EXECUTION));
    assert_int_equal(result(f, 1, 1, OUTCOME_BUSY), EVENT_STALE); /* loaded for one message */
    assert_null(stage_find(f->stage, FIXTURE_EXECUTION));
}

/* ---- invariants ---- */

static void check(const void *execution)
{
    execution_check(execution);
}

static void broken_counters_stop_the_process(void **state)
{
    struct fixture *f = *state;
    struct execution *e;

    launch(f, 2);
    e = resident(f);
    execution_check(e);
    e->state.counters.total++;
    assert_true(is_defect(check, e));
    e->state.counters.total--;
    e->state.counters.pending++;
    e->state.counters.in_progress--;
    assert_true(is_defect(check, e));
    e->state.counters.pending--;
    e->state.counters.in_progress++;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(each_change_of_status_is_told),
    CASE(the_last_call_is_in_what_completed_tells),
    CASE(a_scheduled_one_wakes_at_its_start),
    CASE(a_running_one_wakes_at_the_next_retry_stop_and_window),
    CASE(one_with_calls_wakes_for_leases_and_silence),
    CASE(a_paced_one_wakes_for_its_next_slot),
    CASE(who_does_not_exist_cannot_be_loaded),
    CASE(what_is_loaded_is_what_was_saved),
    CASE(the_state_is_saved_once_a_batch),
    CASE(it_is_over_when_nothing_is_left_to_do),
    CASE(broken_counters_stop_the_process),
};

OD_TEST_MAIN(tests)
