/* The end of a call: the rows that it leaves, and what becomes of the contact. */
#include "tests/unit/actors/execution_fixture.h"

static const struct retry_strategy once_more = {
    .type = RETRY_FIXED_DELAY, .delay_ms = 60000, .max_retries = 1};

static void a_call_row_says_all_of_the_call(void **state)
{
    struct fixture *f = *state;
    const struct call_event about = {.result = {.outcome = OUTCOME_VOICEMAIL,
                                                .has_duration = true,
                                                .duration_seconds = 17,
                                                .detail = SLICE_INIT("beep")}};
    struct uuid claim_id;
    struct call call;

    launch(f, 1);
    pass(f, 1000);
    claim(f, 1);
    claim_id = f->last.calls[0].claim_id;
    pass(f, 1000);
    started(f, 0, 1);
    node(f, 0, 1, 5);
    pass(f, 1000);
    assert_int_equal(event(f, MESSAGE_CALL_RESULT, 0, 1, about), EVENT_ACCEPTED);
    call = call_of(f, 0, 1);
    assert_int_equal(call.outcome, OUTCOME_VOICEMAIL);
    assert_true(slice_equal_text(call.detail, "beep"));
    assert_true(call.has_duration && !call.in_doubt);
    assert_int_equal(call.duration_seconds, 17);
    assert_int_equal(call.queued_at, STAGE_START);
    assert_int_equal(call.started_at, STAGE_START + 2000);
    assert_int_equal(call.ended_at, STAGE_START + 3000);
    assert_int_equal(call.last_seq, 5);
    assert_int_equal(call.leases, 1);
    assert_true(uuid_equal(&call.claim_id, &claim_id));
    assert_true(slice_equal_text(call.to, "+212600000101"));
}

static void the_live_row_goes_and_the_room_is_free(void **state)
{
    struct fixture *f = *state;
    struct live_call row;

    launch(f, 2);
    claim(f, 2);
    assert_int_equal(dispatcher_in_flight(&f->stage->dispatcher), 2);
    result(f, 0, 1, OUTCOME_ANSWERED);
    assert_false(is_live(f, 0, &row));
    assert_int_equal(dispatcher_in_flight(&f->stage->dispatcher), 1);
}

static void a_failed_attempt_is_due_again(void **state)
{
    struct fixture *f = *state;
    struct key due;

    f->settings.retry = once_more;
    launch(f, 1);
    claim(f, 1);
    pass(f, 500);
    result(f, 0, 1, OUTCOME_BUSY);
    due = key_due(FIXTURE_EXECUTION, STAGE_START + 60500, 0);
    assert_true(world_has(f->stage->world, TABLE_DUE, &due));
    assert_int_equal(entry_of(f, 0).next_attempt_at, STAGE_START + 60500);
    assert_int_equal(entry_of(f, 0).completed_at, 0);
    assert_counters(f, 1, 0, 0, 0, 0);
}

/* "a failure is then final (no retry)" */
static void after_a_cancel_a_failure_is_final(void **state)
{
    struct fixture *f = *state;

    f->settings.retry = once_more;
    launch(f, 1);
    claim(f, 1);
    command(f, MESSAGE_CANCEL);
    result(f, 0, 1, OUTCOME_BUSY);
    assert_int_equal(entry_of(f, 0).status, ENTRY_FAILED);
    assert_int_equal(world_count(f->stage->world, TABLE_DUE, NULL), 0);
}

/* A scheduled retry is at the next date later than the failure. */
static void dates_are_used_one_after_the_other(void **state)
{
    struct fixture *f = *state;

    f->settings.retry = (struct retry_strategy){.type = RETRY_SCHEDULED,
                                                .date_count = 2,
                                                .dates = {STAGE_START + 1000, STAGE_START + 9000}};
    launch(f, 1);
    claim(f, 1);
    pass(f, 1000);
    result(f, 0, 1, OUTCOME_BUSY); /* the first date is not later */
    assert_int_equal(entry_of(f, 0).next_attempt_at, STAGE_START + 9000);
    pass(f, 8000);
    claim(f, 1);
    result(f, 0, 2, OUTCOME_BUSY);
    assert_int_equal(entry_of(f, 0).status, ENTRY_FAILED);
    assert_int_equal(entry_of(f, 0).completed_at, f->stage->at);
}

static void an_answered_contact_is_completed_whatever_was_before(void **state)
{
    struct fixture *f = *state;

    f->settings.retry = once_more;
    launch(f, 1);
    claim(f, 1);
    result(f, 0, 1, OUTCOME_NO_ANSWER);
    pass(f, 60000);
    claim(f, 1);
    result(f, 0, 2, OUTCOME_ANSWERED);
    assert_int_equal(entry_of(f, 0).status, ENTRY_COMPLETED);
    assert_int_equal(entry_of(f, 0).attempts, 2);
    assert_int_equal(call_of(f, 0, 1).outcome, OUTCOME_NO_ANSWER);
    assert_int_equal(state_of(f).status, EXECUTION_COMPLETED);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_call_row_says_all_of_the_call),
    CASE(the_live_row_goes_and_the_room_is_free),
    CASE(a_failed_attempt_is_due_again),
    CASE(after_a_cancel_a_failure_is_final),
    CASE(dates_are_used_one_after_the_other),
    CASE(an_answered_contact_is_completed_whatever_was_before),
};

OD_TEST_MAIN(tests)
