/* Pause, resume, cancel, stop, completion: api.md, "Executions" and "Lifecycle". */
#include "tests/unit/actors/execution_fixture.h"

/* How an execution comes into a status; 0 contacts would complete it. */
static void bring_to(struct fixture *f, enum execution_status status)
{
    switch (status) {
    case EXECUTION_SCHEDULED:
        f->settings.start_at = STAGE_START + MS_PER_HOUR;
        launch(f, 2);
        break;
    case EXECUTION_PAUSED:
        launch(f, 2);
        command(f, MESSAGE_PAUSE);
        break;
    case EXECUTION_COMPLETED: launch(f, 0); break;
    case EXECUTION_STOPPED:
        f->settings.stop_at = STAGE_START + 1;
        launch(f, 2);
        pass(f, 1);
        break;
    case EXECUTION_CANCELLED:
        launch(f, 2);
        command(f, MESSAGE_CANCEL);
        break;
    case EXECUTION_RUNNING:
    case EXECUTION_PAUSED_NO_CREDITS:
    case EXECUTION_PAUSED_THRESHOLD: launch(f, 2); break;
    }
    assert_int_equal(state_of(f).status, status);
}

/* A row: "400 InvalidExecutionStateError unless running" and so on. 0: refused, and nothing
 * changes. */
static const struct {
    enum execution_status from;
    enum message_type command;
    enum execution_status to;
} moves[] = {
    {EXECUTION_SCHEDULED, MESSAGE_PAUSE, 0},
    {EXECUTION_SCHEDULED, MESSAGE_RESUME, 0},
    {EXECUTION_SCHEDULED, MESSAGE_CANCEL, EXECUTION_CANCELLED},
    {EXECUTION_RUNNING, MESSAGE_PAUSE, EXECUTION_PAUSED},
    {EXECUTION_RUNNING, MESSAGE_RESUME, 0},
    {EXECUTION_RUNNING, MESSAGE_CANCEL, EXECUTION_CANCELLED},
    {EXECUTION_PAUSED, MESSAGE_PAUSE, 0},
    {EXECUTION_PAUSED, MESSAGE_RESUME, EXECUTION_RUNNING},
    {EXECUTION_PAUSED, MESSAGE_CANCEL, EXECUTION_CANCELLED},
    {EXECUTION_COMPLETED, MESSAGE_PAUSE, 0},
    {EXECUTION_COMPLETED, MESSAGE_RESUME, 0},
    {EXECUTION_COMPLETED, MESSAGE_CANCEL, 0},
    {EXECUTION_STOPPED, MESSAGE_PAUSE, 0},
    {EXECUTION_STOPPED, MESSAGE_RESUME, 0},
    {EXECUTION_STOPPED, MESSAGE_CANCEL, 0},
    {EXECUTION_CANCELLED, MESSAGE_PAUSE, 0},
    {EXECUTION_CANCELLED, MESSAGE_RESUME, 0},
    {EXECUTION_CANCELLED, MESSAGE_CANCEL, EXECUTION_CANCELLED}, /* again: 204 */
};

static void each_command_is_taken_where_it_makes_sense(void **state)
{
    for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
        struct fixture *f;

        fixture_teardown(state);
        fixture_setup(state);
        f = *state;
        bring_to(f, moves[i].from);
        command(f, moves[i].command);
        if (moves[i].to == 0) {
            assert_int_equal(f->last.kind, REPLY_FAULT);
            assert_int_equal(f->last.fault, FAULT_INVALID_EXECUTION_STATE);
            assert_int_equal(state_of(f).status, moves[i].from);
        } else {
            assert_int_equal(f->last.kind,
                             moves[i].command == MESSAGE_CANCEL ? REPLY_NOTHING : REPLY_EXECUTION);
            assert_int_equal(state_of(f).status, moves[i].to);
        }
    }
}

static void commands_to_nobody_find_nobody(void **state)
{
    struct fixture *f = *state;

    stage_command(f->stage, MESSAGE_PAUSE, 77, FIXTURE_EXCHANGE);
    assert_int_equal(f->last.fault, FAULT_EXECUTION_NOT_FOUND);
}

/* "calls already queued or under way go on to their end; no new contact is taken until resume. A
 * failed attempt of such a call still schedules its retry." */
static void a_pause_lets_calls_go_on_and_takes_no_new_contact(void **state)
{
    struct fixture *f = *state;

    f->settings.pacing.max_concurrent_calls = 1;
    f->settings.retry =
        (struct retry_strategy){.type = RETRY_FIXED_DELAY, .delay_ms = 60000, .max_retries = 1};
    launch(f, 2);
    command(f, MESSAGE_PAUSE);
    claim(f, 5);
    assert_int_equal(f->last.call_count, 1);
    started(f, 0, 1);
    result(f, 0, 1, OUTCOME_BUSY);
    assert_int_equal(entry_of(f, 0).status, ENTRY_PENDING_RETRY);
    pass(f, MS_PER_HOUR);
    assert_int_equal(live_calls(f), 0);
    command(f, MESSAGE_RESUME);
    assert_int_equal(live_calls(f), 1);
}

/* "pending contacts become skipped at once, calls already queued or under way go on to their end
 * and are counted, a failure is then final. actualEndAt is the moment of the status change." */
static void a_cancel_skips_the_pending_and_lets_calls_end(void **state)
{
    struct fixture *f = *state;

    f->settings.pacing.max_concurrent_calls = 2;
    f->settings.retry =
        (struct retry_strategy){.type = RETRY_FIXED_DELAY, .delay_ms = 60000, .max_retries = 3};
    launch(f, 5);
    claim(f, 1);
    pass(f, 1000);
    command(f, MESSAGE_CANCEL);
    assert_counters(f, 0, 2, 0, 0, 3);
    assert_int_equal(entry_of(f, 4).status, ENTRY_SKIPPED);
    assert_int_equal(entry_of(f, 4).completed_at, STAGE_START + 1000);
    pass(f, 1000);
    assert_int_equal(result(f, 0, 1, OUTCOME_BUSY), EVENT_ACCEPTED);
    claim(f, 1); /* the queued one is still given out */
    assert_int_equal(result(f, 1, 1, OUTCOME_ANSWERED), EVENT_ACCEPTED);
    assert_counters(f, 0, 0, 1, 1, 3);
    assert_int_equal(state_of(f).actual_end_at, STAGE_START + 1000);
    assert_int_equal(world_count(f->stage->world, TABLE_ACTIVE_EXECUTION, NULL), 0);
    assert_null(stage_find(f->stage, FIXTURE_EXECUTION));
}

static void many_are_skipped_in_slices_and_counted_at_once(void **state)
{
    struct fixture *f = *state;

    f->settings.start_at = STAGE_START + MS_PER_HOUR;
    launch(f, 1200);
    f->stage->is_held = true;
    command(f, MESSAGE_CANCEL);
    stage_step(f->stage);
    assert_counters(f, 0, 0, 0, 0, 1200);
    assert_int_equal(world_count(f->stage->world, TABLE_DUE, NULL), 1200);
    stage_step(f->stage);
    assert_int_equal(world_count(f->stage->world, TABLE_DUE, NULL), 700);
    stage_crash(f->stage, 1000); /* and goes on after a crash */
    stage_run(f->stage);
    assert_int_equal(world_count(f->stage->world, TABLE_DUE, NULL), 0);
    assert_true(state_of(f).skip_done);
    assert_int_equal(world_count(f->stage->world, TABLE_ACTIVE_EXECUTION, NULL), 0);
}

/* "stopped (stopAt reached, from running or any paused)", and a stop that is due comes before what
 * came after it. */
static void a_stop_comes_before_what_came_after_it(void **state)
{
    struct fixture *f = *state;

    f->settings.stop_at = STAGE_START + MINUTE;
    f->settings.pacing.max_concurrent_calls = 1;
    launch(f, 3);
    claim(f, 1);
    f->stage->at += MINUTE; /* no TICK has come yet */
    assert_int_equal(result(f, 0, 1, OUTCOME_ANSWERED), EVENT_ACCEPTED);
    assert_int_equal(state_of(f).status, EXECUTION_STOPPED);
    assert_counters(f, 0, 0, 1, 0, 2);
    assert_true(slice_equal_text(state_of(f).status_reason, "stop_at"));
}

static void a_paused_execution_stops_too(void **state)
{
    struct fixture *f = *state;

    f->settings.stop_at = STAGE_START + MINUTE;
    bring_to(f, EXECUTION_PAUSED);
    pass(f, MINUTE - 1);
    assert_int_equal(state_of(f).status, EXECUTION_PAUSED);
    pass(f, 1);
    assert_int_equal(state_of(f).status, EXECUTION_STOPPED);
}

static void it_is_completed_when_nobody_is_pending_or_in_progress(void **state)
{
    struct fixture *f = *state;

    launch(f, 2);
    claim(f, 2);
    result(f, 0, 1, OUTCOME_ANSWERED);
    assert_int_equal(state_of(f).status, EXECUTION_RUNNING);
    pass(f, 1000);
    result(f, 1, 1, OUTCOME_ANSWERED);
    assert_int_equal(state_of(f).status, EXECUTION_COMPLETED);
    assert_int_equal(state_of(f).actual_end_at, f->stage->at);
    assert_null(stage_find(f->stage, FIXTURE_EXECUTION));
}

static void a_paused_execution_completes_by_its_resume(void **state)
{
    struct fixture *f = *state;

    launch(f, 1);
    claim(f, 1);
    command(f, MESSAGE_PAUSE);
    result(f, 0, 1, OUTCOME_ANSWERED);
    assert_int_equal(state_of(f).status, EXECUTION_PAUSED);
    command(f, MESSAGE_RESUME);
    assert_int_equal(f->last.status, EXECUTION_COMPLETED); /* the answer says what is on disk */
    assert_int_equal(state_of(f).status, EXECUTION_COMPLETED);
}

/* "a DID that was deleted or deactivated is passed over, and when none is left the execution
 * becomes paused with statusReason: empty_did_pool" */
static void an_empty_pool_pauses(void **state)
{
    struct fixture *f = *state;

    f->settings.pacing.max_concurrent_calls = 1;
    launch(f, 3);
    stage_put_did(f->stage, 0, 901, DID_INACTIVE);
    assert_int_equal(state_of(f).status, EXECUTION_RUNNING);
    stage_delete_did(f->stage, 0, 902);
    assert_int_equal(state_of(f).status, EXECUTION_PAUSED);
    assert_true(slice_equal_text(state_of(f).status_reason, "empty_did_pool"));
    command(f, MESSAGE_RESUME);
    assert_int_equal(f->last.status, EXECUTION_PAUSED); /* there is still none */
    stage_put_did(f->stage, 0, 901, DID_ACTIVE);
    assert_int_equal(state_of(f).status, EXECUTION_PAUSED); /* a person resumes */
    command(f, MESSAGE_RESUME);
    assert_int_equal(f->last.status, EXECUTION_RUNNING);
    assert_true(slice_is_empty(state_of(f).status_reason));
}

static void another_organisations_did_is_none(void **state)
{
    struct fixture *f = *state;

    f->settings.pacing.max_concurrent_calls = 1;
    launch(f, 2);
    stage_put_did(f->stage, 2, 901, DID_ACTIVE);
    assert_int_equal(stage_find(f->stage, FIXTURE_EXECUTION)->usable_dids, 1);
    stage_put_did(f->stage, 1, 901, DID_ACTIVE);
    assert_int_equal(stage_find(f->stage, FIXTURE_EXECUTION)->usable_dids, 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(each_command_is_taken_where_it_makes_sense),
    CASE(commands_to_nobody_find_nobody),
    CASE(a_pause_lets_calls_go_on_and_takes_no_new_contact),
    CASE(a_cancel_skips_the_pending_and_lets_calls_end),
    CASE(many_are_skipped_in_slices_and_counted_at_once),
    CASE(a_stop_comes_before_what_came_after_it),
    CASE(a_paused_execution_stops_too),
    CASE(it_is_completed_when_nobody_is_pending_or_in_progress),
    CASE(a_paused_execution_completes_by_its_resume),
    CASE(an_empty_pool_pauses),
    CASE(another_organisations_did_is_none),
};

OD_TEST_MAIN(tests)
