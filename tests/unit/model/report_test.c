/* What a report counts of a call and of a contact. */
#include "model/report.h"

#include "base/instant.h"
#include "tests/support/od_test.h"

static struct call answered(int64_t started_at, uint32_t seconds)
{
    return (struct call){.outcome = OUTCOME_ANSWERED,
                         .has_duration = true,
                         .duration_seconds = seconds,
                         .queued_at = started_at - 5,
                         .started_at = started_at,
                         .ended_at = started_at + 1};
}

static void calls_are_counted_by_outcome(void **state)
{
    struct execution_report report = {0};
    struct call busy = {.outcome = OUTCOME_BUSY, .started_at = 5};
    struct call yes = answered(7, 1);

    (void)state;
    report_add_call(&report, &busy);
    report_add_call(&report, &busy);
    report_add_call(&report, &yes);
    busy.late_outcome = OUTCOME_ANSWERED;
    report_add_call(&report, &busy);
    assert_int_equal(report.outcomes.at[OUTCOME_BUSY], 3);
    assert_int_equal(report.outcomes.at[OUTCOME_ANSWERED], 1);
    assert_int_equal(report_calls(&report), 4);
}

/* Of a call that was never permitted, the instant at which it was queued counts. */
static void the_first_and_the_last_call_are_kept(void **state)
{
    struct execution_report report = {0};
    struct call calls[] = {answered(500, 1),
                           answered(900, 1),
                           answered(300, 1),
                           {.outcome = OUTCOME_ERROR, .queued_at = 950, .ended_at = 2000}};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        report_add_call(&report, &calls[i]);
    }
    assert_int_equal(report.first_call_at, 300);
    assert_int_equal(report.last_call_at, 900);
    report_add_call(&report, &calls[3]);
    assert_int_equal(report.first_call_at, 300);
    assert_int_equal(report.last_call_at, 950);
}

static void talk_is_that_of_answered_calls_with_a_duration(void **state)
{
    struct execution_report report = {0};
    struct call calls[] = {answered(1, 60), answered(1, 30), answered(1, 90), answered(1, 0)};

    (void)state;
    calls[1].outcome = OUTCOME_VOICEMAIL;
    calls[2].has_duration = false;
    for (size_t i = 0; i < 4; i++) {
        report_add_call(&report, &calls[i]);
    }
    assert_int_equal(report.talk_calls, 2);
    assert_int_equal(report.talk_seconds, 60);
}

static void contacts_are_counted_by_attempts(void **state)
{
    struct execution_report report = {0};

    (void)state;
    report_add_contact(&report, 1);
    report_add_contact(&report, 21); /* 20 retries are the most */
    report_add_contact(&report, 1);
    assert_int_equal(report.attempts.at[1], 2);
    assert_int_equal(report.attempts.at[21], 1);
    assert_int_equal(report_contacts(&report), 3);
    assert_int_equal(report_attempts(&report), 23);
}

static void a_minute_counts_calls_and_answers(void **state)
{
    struct call_minute minute = {0};
    struct call busy = {.outcome = OUTCOME_BUSY};
    struct call yes = answered(1, 1);

    (void)state;
    report_add_minute(&minute, &busy);
    report_add_minute(&minute, &yes);
    assert_int_equal(minute.calls, 2);
    assert_int_equal(minute.answered, 1);
    assert_int_equal(report_minute(0), 0);
    assert_int_equal(report_minute(MS_PER_MINUTE - 1), 0);
    assert_int_equal(report_minute(MS_PER_MINUTE), 1);
    assert_int_equal(report_minute(INSTANT_MAX), INSTANT_MAX / MS_PER_MINUTE);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(calls_are_counted_by_outcome),
    cmocka_unit_test(the_first_and_the_last_call_are_kept),
    cmocka_unit_test(talk_is_that_of_answered_calls_with_a_duration),
    cmocka_unit_test(contacts_are_counted_by_attempts),
    cmocka_unit_test(a_minute_counts_calls_and_answers),
};

OD_TEST_MAIN(tests)
