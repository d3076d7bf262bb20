/* Logs and reports that do not agree with the calls are found. */
#include "storage/record.h"
#include "tests/support/od_test.h"
#include "tests/unit/storage/check_heard.h"

static void assert_finding(struct store_fixture *f, const char *expected)
{
    struct heard heard = {0};

    assert_int_equal(store_fixture_commit(f), 0);
    assert_true(run(f, &heard) > 0);
    if (strstr(heard.texts, expected) == NULL) {
        fail_msg("expected %s, heard\n%s", expected, heard.texts);
    }
}

static struct execution_report report_get(struct store_fixture *f)
{
    struct key key = key_u32(WORLD_RUNNING);
    struct execution_report report;

    assert_int_equal(reader_begin(f->reader, &f->error), 0);
    assert_int_equal(reader_get(f->reader, TABLE_EXECUTION_REPORT, &key, &f->arena, &report), 0);
    reader_end(f->reader);
    return report;
}

static void put_log(struct store_fixture *f, uint64_t serial, const struct logged_call *calls,
                    size_t count)
{
    struct key key = key_call_log(WORLD_RUNNING, serial);

    batch_put(f->batch, TABLE_CALL_LOG, &key, &(struct call_log){calls, count});
}

static void sums_that_are_wrong_are_found(void **state)
{
    static const char *const expected[] = {
        "execution_reports 5: counts 3 rows of the log, the rows say 2",
        "execution_reports 5: counts 6 calls of outcome 3, the rows say 5",
        "execution_reports 5: counts 2 contacts of 2 attempts, the rows say 1",
        "execution_reports 5: counts 1 calls with a talk time, the rows say 0",
        "execution_reports 5: counts 1 seconds of talk, the rows say 0",
    };
    struct store_fixture *f = *state;
    struct key key = key_u32(WORLD_RUNNING);

    for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        struct execution_report row = report_get(f);
        uint64_t *numbers[] = {&row.log_rows, &row.outcomes.at[OUTCOME_BUSY], &row.attempts.at[2],
                               &row.talk_calls, &row.talk_seconds};

        ++*numbers[i];
        batch_put(f->batch, TABLE_EXECUTION_REPORT, &key, &row);
        assert_finding(f, expected[i]);
        --*numbers[i];
        batch_put(f->batch, TABLE_EXECUTION_REPORT, &key, &row);
        assert_int_equal(store_fixture_commit(f), 0);
    }
    assert_sound(f);
    struct execution_report row = report_get(f);

    row.last_call_at = WORLD_AT;
    batch_put(f->batch, TABLE_EXECUTION_REPORT, &key, &row);
    assert_finding(f, "execution_reports 5: has another first or last call than the rows");
}

static void minutes_that_are_wrong_are_found(void **state)
{
    struct store_fixture *f = *state;
    struct key key = key_call_minute(WORLD_RUNNING, 0);

    batch_put(f->batch, TABLE_CALL_MINUTE, &key, &(struct call_minute){5, 1});
    assert_finding(f, "call_minutes 5/0: counts 5 calls and 1 answered, the rows say 5 and 0");
    batch_delete(f->batch, TABLE_CALL_MINUTE, &key);
    assert_finding(f, "execution_reports 5: has 0 minutes, the calls ended in 1");
    key = key_call_minute(WORLD_RUNNING, 9);
    batch_put(f->batch, TABLE_CALL_MINUTE, &key, &(struct call_minute){1, 0});
    assert_finding(f, "call_minutes 5/9: counts 1 calls and 0 answered, the rows say 0 and 0");
}

static void a_call_that_is_not_in_the_log_is_found(void **state)
{
    static const struct logged_call calls[] = {{3, 1}, {5, 2}};
    struct store_fixture *f = *state;
    struct key key = key_call_log(WORLD_RUNNING, 0);

    put_log(f, 1, calls, 2);
    assert_finding(f, "live_calls 5/4: is not in the log");
    batch_delete(f->batch, TABLE_CALL_LOG, &key);
    assert_finding(f, "calls 5/1/1: is not in the log");
    assert_finding(f, "call_logs 5/1: is not row 0 of its log");
}

static void a_call_that_is_in_the_log_and_nowhere_else_is_found(void **state)
{
    static const struct logged_call calls[] = {{3, 1}, {4, 2}, {5, 2}, {2, 1}};
    struct store_fixture *f = *state;

    put_log(f, 1, calls, 4);
    assert_finding(f, "entries 5/2: is in the log with a call that has no row");
}

/* Skipped before its permission, a call leaves nothing but its place in the log. */
static void a_call_that_was_skipped_may_be_in_the_log(void **state)
{
    static const struct logged_call calls[] = {{0, 1}};
    struct store_fixture *f = *state;
    struct key key = key_u32(WORLD_CANCELLED);
    struct key log = key_call_log(WORLD_CANCELLED, 0);

    batch_put(f->batch, TABLE_EXECUTION_REPORT, &key, &(struct execution_report){.log_rows = 1});
    batch_put(f->batch, TABLE_CALL_LOG, &log, &(struct call_log){calls, 1});
    assert_finding(f, "live_calls 6/2: is not in the log");
    world_entry(f->batch, WORLD_CANCELLED, 0, ENTRY_PENDING, 0);
    assert_finding(f, "entries 6/0: is in the log with a call that has no row");
}

static void a_log_that_cannot_be_is_found(void **state)
{
    static const struct logged_call calls[] = {{3, 1}, {4, 2},  {5, 2}, {5, 2},
                                               {6, 1}, {0, 22}, {0, 0}};
    struct store_fixture *f = *state;
    struct key key = key_call_log(WORLD_OVER, 0);

    put_log(f, 1, calls, 7);
    assert_finding(f, "call_logs 5/1: names call 5/2 again");
    assert_finding(f, "call_logs 5/1: names call 6/1, which cannot be");
    assert_finding(f, "call_logs 5/1: names call 0/22, which cannot be");
    assert_finding(f, "call_logs 5/1: names call 0/0, which cannot be");
    put_log(f, 3, calls, 0);
    assert_finding(f, "call_logs 5/3: is not row 2 of its log");
    assert_finding(f, "call_logs 5/3: has 0 calls");
    batch_put(f->batch, TABLE_CALL_LOG, &key, &(struct call_log){calls, 1});
    assert_finding(f, "call_logs 7/0: is of no execution with a report");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, check_world_setup, store_fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(sums_that_are_wrong_are_found),
    CASE(minutes_that_are_wrong_are_found),
    CASE(a_call_that_is_not_in_the_log_is_found),
    CASE(a_call_that_is_in_the_log_and_nowhere_else_is_found),
    CASE(a_call_that_was_skipped_may_be_in_the_log),
    CASE(a_log_that_cannot_be_is_found),
};

OD_TEST_MAIN(tests)
