/* No contact has two calls at once, though it may have several entries (promise 3). */
#include "tests/unit/actors/live_fixture.h"

/* The contact's first call is started, and its second entry has come due. */
static void two_entries(struct fixture *f)
{
    put_contact(f, 101, DATE_1H);
    start(f);
    pass(f, MS_PER_HOUR);
    claim(f, 1);
    assert_int_equal(started(f, 0, 1), EVENT_ACCEPTED);
    change(f, 101, "2026-01-05T11:30:00Z");
    pass(f, 30 * MINUTE);
    assert_counters(f, 1, 1, 0, 0, 0);
    assert_int_equal(live_calls(f), 1);
}

static void a_second_entry_waits_for_the_end_of_the_first_ones_call(void **state)
{
    struct fixture *f = *state;

    two_entries(f);
    assert_int_equal(count(f, TABLE_WAITING), 1);
    restart(f);
    assert_int_equal(live_calls(f), 1);
    assert_int_equal(result(f, 0, 1, OUTCOME_BUSY), EVENT_ACCEPTED);
    assert_int_equal(count(f, TABLE_WAITING), 0);
    assert_counters(f, 0, 1, 0, 1, 0);
    claim(f, 1);
    assert_int_equal(f->last.calls[0].entry, 1);
}

static void a_retry_waits_too_and_is_due_when_it_is_woken(void **state)
{
    struct fixture *f = *state;

    f->settings.retry =
        (struct retry_strategy){.type = RETRY_FIXED_DELAY, .delay_ms = 60000, .max_retries = 1};
    put_contact(f, 101, DATE_1H);
    start(f);
    pass(f, MS_PER_HOUR);
    claim(f, 1);
    result(f, 0, 1, OUTCOME_BUSY);
    change(f, 101, "2026-01-05T11:00:01Z");
    pass(f, 1000);
    claim(f, 1);
    assert_int_equal(started(f, 1, 1), EVENT_ACCEPTED);
    pass(f, 5 * MINUTE);
    assert_counters(f, 1, 1, 0, 0, 0);
    assert_int_equal(entry_of(f, 0).next_attempt_at, hours(1) + 60000);
    result(f, 1, 1, OUTCOME_ANSWERED);
    assert_int_equal(entry_of(f, 0).next_attempt_at, f->stage->at);
    assert_counters(f, 0, 1, 1, 0, 0);
    claim(f, 1);
    assert_int_equal(f->last.calls[0].attempt, 2);
}

static void one_that_waits_is_skipped_at_the_end(void **state)
{
    struct fixture *f = *state;

    two_entries(f);
    command(f, MESSAGE_CANCEL);
    assert_counters(f, 0, 1, 0, 0, 1);
    assert_int_equal(count(f, TABLE_WAITING), 0);
    assert_int_equal(count(f, TABLE_DUE), 0);
    result(f, 0, 1, OUTCOME_ANSWERED);
    assert_counters(f, 0, 0, 1, 0, 1);
    assert_null(stage_find(f->stage, FIXTURE_EXECUTION));
}

static void one_that_is_skipped_wakes_the_next(void **state)
{
    struct fixture *f = *state;

    two_entries(f);
    change(f, 101, "2026-01-05T11:30:01Z");
    pass(f, 1000);
    assert_int_equal(count(f, TABLE_WAITING), 2);
    stage_delete_contact(f->stage, 1, 101);
    result(f, 0, 1, OUTCOME_ANSWERED);
    assert_counters(f, 0, 0, 1, 0, 2);
    assert_int_equal(count(f, TABLE_WAITING), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, live_setup, fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_second_entry_waits_for_the_end_of_the_first_ones_call),
    CASE(a_retry_waits_too_and_is_due_when_it_is_woken),
    CASE(one_that_waits_is_skipped_at_the_end),
    CASE(one_that_is_skipped_wakes_the_next),
};

OD_TEST_MAIN(tests)
