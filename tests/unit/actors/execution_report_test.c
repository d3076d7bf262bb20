/* The log of an execution's calls, and its report: rows that are put when a batch closes. */
#include "tests/unit/actors/execution_fixture.h"

static const struct retry_strategy once_more = {
    .type = RETRY_FIXED_DELAY, .delay_ms = 60000, .max_retries = 1};

static struct execution_report report_of(struct fixture *f)
{
    struct key key = key_u32(FIXTURE_EXECUTION);
    struct execution_report row;

    assert_true(world_get(f->stage->world, TABLE_EXECUTION_REPORT, &key, &row));
    return row;
}

/* The row of the log, "0/1 1/1". */
static const char *log_of(struct fixture *f, uint64_t serial)
{
    static char text[4096];
    struct key key = key_call_log(FIXTURE_EXECUTION, serial);
    struct call_log row;
    int size = 0;

    assert_true(world_get(f->stage->world, TABLE_CALL_LOG, &key, &row));
    for (size_t i = 0; i < row.count; i++) {
        size += snprintf(text + size, sizeof(text) - (size_t)size, "%s%u/%u", i > 0 ? " " : "",
                         (unsigned)row.calls[i].entry, (unsigned)row.calls[i].attempt);
    }
    return text;
}

static size_t log_rows(struct fixture *f)
{
    return world_count(f->stage->world, TABLE_CALL_LOG, NULL);
}

static void assert_minute(struct fixture *f, int64_t at, uint64_t calls, uint64_t answered)
{
    struct key key = key_call_minute(FIXTURE_EXECUTION, (uint32_t)(at / MINUTE));
    struct call_minute row = {0};

    (void)world_get(f->stage->world, TABLE_CALL_MINUTE, &key, &row);
    assert_int_equal(row.calls, calls);
    assert_int_equal(row.answered, answered);
}

static void a_launch_has_a_report_at_once(void **state)
{
    struct fixture *f = *state;

    f->settings.start_at = STAGE_START + MINUTE;
    launch(f, 1);
    assert_int_equal(report_of(f).log_rows, 0);
    assert_int_equal(log_rows(f), 0);
}

static void what_a_batch_queues_is_one_row_of_the_log(void **state)
{
    struct fixture *f = *state;

    f->settings.retry = once_more;
    launch(f, 3);
    assert_string_equal(log_of(f, 0), "0/1 1/1 2/1");
    claim(f, 3);
    result(f, 1, 1, OUTCOME_BUSY);
    pass(f, 60000);
    assert_string_equal(log_of(f, 1), "1/2");
    assert_int_equal(log_rows(f), 2);
    assert_int_equal(report_of(f).log_rows, 2);
}

static void a_row_of_the_log_has_a_size(void **state)
{
    struct fixture *f = *state;
    struct key key;
    struct call_log row;
    size_t calls = 0;

    f->settings.pacing.max_concurrent_calls = CALL_LOG_ROW_MAX + 3;
    f->stage->gateways[STAGE_WORKER].max_calls = 1000;
    f->stage->gateways[STAGE_WORKER].max_offered = 1000;
    f->stage->settings.max_calls = 1000;
    launch(f, CALL_LOG_ROW_MAX + 10);
    for (uint64_t serial = 0; serial < log_rows(f); serial++) {
        key = key_call_log(FIXTURE_EXECUTION, serial);
        assert_true(world_get(f->stage->world, TABLE_CALL_LOG, &key, &row));
        assert_in_range(row.count, 1, CALL_LOG_ROW_MAX);
        calls += row.count;
    }
    assert_int_equal(calls, CALL_LOG_ROW_MAX + 3);
    assert_int_equal(log_rows(f), 2); /* one batch queued them */
}

/* A call that is offered again is the same call. */
static void a_call_is_in_the_log_once(void **state)
{
    struct fixture *f = *state;

    launch(f, 1);
    claim(f, 1);
    released(f, 0, 1);
    claim(f, 1);
    stage_crash(f->stage, f->stage->mono);
    stage_run(f->stage);
    claim(f, 1);
    result(f, 0, 1, OUTCOME_ANSWERED);
    assert_int_equal(log_rows(f), 1);
    assert_string_equal(log_of(f, 0), "0/1");
}

static void the_log_goes_on_after_a_crash(void **state)
{
    struct fixture *f = *state;

    f->settings.pacing.max_concurrent_calls = 1;
    launch(f, 2);
    stage_crash(f->stage, f->stage->mono);
    stage_run(f->stage);
    claim(f, 1);
    result(f, 0, 1, OUTCOME_ANSWERED);
    assert_string_equal(log_of(f, 0), "0/1");
    assert_string_equal(log_of(f, 1), "1/1");
    assert_int_equal(report_of(f).outcomes.at[OUTCOME_ANSWERED], 1);
}

static void ends_are_counted(void **state)
{
    struct fixture *f = *state;
    struct execution_report report;

    f->settings.retry = once_more;
    launch(f, 3);
    claim(f, 3);
    pass(f, 1000);
    started(f, 0, 1);
    event(
        f, MESSAGE_CALL_RESULT, 0, 1,
        (struct call_event){
            .result = {.outcome = OUTCOME_ANSWERED, .has_duration = true, .duration_seconds = 20}});
    result(f, 1, 1, OUTCOME_BUSY);
    result(f, 2, 1, OUTCOME_BUSY);
    report = report_of(f);
    assert_int_equal(report.outcomes.at[OUTCOME_BUSY], 2);
    assert_int_equal(report.attempts.at[1], 1); /* two are due again */
    assert_int_equal(report.talk_seconds, 20);
    assert_int_equal(report.first_call_at, STAGE_START); /* queued, and never permitted */
    assert_int_equal(report.last_call_at, STAGE_START + 1000);
    pass(f, 60000);
    claim(f, 2);
    result(f, 1, 2, OUTCOME_ANSWERED);
    result(f, 2, 2, OUTCOME_BUSY);
    report = report_of(f);
    assert_int_equal(report.attempts.at[1], 1);
    assert_int_equal(report.attempts.at[2], 2);
    assert_minute(f, STAGE_START, 3, 1);
    assert_minute(f, STAGE_START + MINUTE, 2, 1);
}

static void a_late_result_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct execution_report before, after;

    launch(f, 2);
    claim(f, 2);
    result(f, 0, 1, OUTCOME_BUSY);
    before = report_of(f);
    assert_int_equal(result(f, 0, 1, OUTCOME_ANSWERED), EVENT_STALE);
    after = report_of(f);
    assert_memory_equal(&before, &after, sizeof(before));
    assert_minute(f, STAGE_START, 1, 0);
}

/* A clock that is set back leads into a minute that has a row, and then on again. */
static void a_minute_is_counted_on(void **state)
{
    struct fixture *f = *state;

    launch(f, 4);
    claim(f, 4);
    result(f, 0, 1, OUTCOME_BUSY);
    pass(f, MINUTE);
    result(f, 1, 1, OUTCOME_BUSY);
    stage_set_clock(f->stage, STAGE_START + 1);
    result(f, 2, 1, OUTCOME_ANSWERED);
    stage_crash(f->stage, f->stage->mono);
    stage_run(f->stage);
    result(f, 3, 1, OUTCOME_ANSWERED);
    assert_minute(f, STAGE_START, 3, 2);
    assert_minute(f, STAGE_START + MINUTE, 1, 0);
}

/* Two calls end in one batch, with the turn of a minute between them. */
static void a_batch_may_hold_two_minutes(void **state)
{
    struct fixture *f = *state;
    struct execution *e;

    launch(f, 2);
    claim(f, 2);
    e = stage_find(f->stage, FIXTURE_EXECUTION);
    for (uint32_t entry = 0; entry < 2; entry++) {
        const struct call_event about = {.entry = entry,
                                         .attempt = 1,
                                         .tag = call_tag(&e->settings.id),
                                         .result.outcome = OUTCOME_ANSWERED};
        const struct message m = {.actor = {ACTOR_EXECUTION, FIXTURE_EXECUTION},
                                  .type = MESSAGE_CALL_RESULT,
                                  .at = STAGE_START + entry * MINUTE,
                                  .mono = f->stage->mono,
                                  .payload.event = &about};

        execution_handle(e, &f->stage->settings, &m, world_view(f->stage->world),
                         world_effects(f->stage->world));
    }
    execution_save(e, world_effects(f->stage->world));
    assert_minute(f, STAGE_START, 1, 1);
    assert_minute(f, STAGE_START + MINUTE, 1, 1);
}

/* An execution of a version without reports has no row, and gets none. */
static void an_execution_without_a_report_stays_so(void **state)
{
    struct fixture *f = *state;
    struct key key = key_u32(FIXTURE_EXECUTION);
    struct key minute = key_call_minute(FIXTURE_EXECUTION, (uint32_t)(STAGE_START / MINUTE));

    f->settings.start_at = STAGE_START + 1;
    launch(f, 2);
    world_delete(f->stage->world, TABLE_EXECUTION_REPORT, &key);
    stage_crash(f->stage, f->stage->mono);
    pass(f, 1);
    claim(f, 2);
    result(f, 0, 1, OUTCOME_ANSWERED);
    assert_false(world_has(f->stage->world, TABLE_EXECUTION_REPORT, &key));
    assert_false(world_has(f->stage->world, TABLE_CALL_MINUTE, &minute));
    assert_int_equal(log_rows(f), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_launch_has_a_report_at_once), CASE(what_a_batch_queues_is_one_row_of_the_log),
    CASE(a_row_of_the_log_has_a_size),   CASE(a_call_is_in_the_log_once),
    CASE(the_log_goes_on_after_a_crash), CASE(ends_are_counted),
    CASE(a_late_result_changes_nothing), CASE(a_minute_is_counted_on),
    CASE(a_batch_may_hold_two_minutes),  CASE(an_execution_without_a_report_stays_so),
};

OD_TEST_MAIN(tests)
