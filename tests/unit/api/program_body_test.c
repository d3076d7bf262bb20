/* The grammar of a program's settings: each fault with its path (api.md, "Programs"). */
#include "api/program_body.h"

#include <stdlib.h>

#include "api/json.h"
#include "base/instant.h"
#include "tests/support/od_test.h"

struct fixture {
    struct arena arena;
    struct fault_list faults;
    struct buf story; /* "path: message" a line */
    json_t *json;
    struct body_value root;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    arena_init(&f->arena, 4096);
    buf_init(&f->story);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    json_decref(f->json);
    buf_deinit(&f->story);
    arena_deinit(&f->arena);
    free(f);
    return 0;
}

/* Begins to read {"name": text}. */
static void open_body(struct fixture *f, const char *name, const char *text)
{
    struct slice body = arena_printf(&f->arena, "{\"%s\": %s}", name, text);

    json_decref(f->json);
    faults_init(&f->faults, &f->arena);
    f->json = json_parse(body, &f->faults);
    assert_non_null(f->json);
    body_open(&f->root, f->json, &f->faults, &f->arena);
}

/* Ends it; the faults as text. */
static const char *close_body(struct fixture *f)
{
    body_close(&f->root);
    buf_clear(&f->story);
    for (size_t i = 0; i < f->faults.count; i++) {
        assert_int_equal(buf_printf(&f->story, "%.*s: %.*s\n", SLICE_ARGS(f->faults.items[i].path),
                                    SLICE_ARGS(f->faults.items[i].message)),
                         0);
    }
    assert_int_equal(buf_append_byte(&f->story, '\0'), 0);
    return f->story.data;
}

struct body_case {
    const char *text, *faults;
};

/* ---- retryStrategy ---- */

static void retry_strategies_are_judged_by_their_type(void **state)
{
    struct fixture *f = *state;
    static const struct body_case cases[] = {
        {"{\"type\": \"none\"}", ""},
        {"{\"type\": \"none\", \"maxRetries\": 1}",
         "retryStrategy.maxRetries: is not a known property\n"},
        {"{\"type\": \"fixed_delay\", \"delayMinutes\": 43200, \"maxRetries\": 20}", ""},
        {"{\"type\": \"fixed_delay\", \"delayMinutes\": 0, \"maxRetries\": 21}",
         "retryStrategy.delayMinutes: must be an integer from 1 to 43200\n"
         "retryStrategy.maxRetries: must be an integer from 1 to 20\n"},
        {"{\"type\": \"fixed_delay\", \"delayMinutes\": 1.5}",
         "retryStrategy.delayMinutes: must be an integer from 1 to 43200\n"
         "retryStrategy.maxRetries: is required\n"},
        {"{\"type\": \"scheduled\", \"retryDates\": [\"2026-11-24T00:00:00Z\"]}", ""},
        {"{\"type\": \"scheduled\", \"retryDates\": []}",
         "retryStrategy.retryDates: must have 1 to 20 items\n"},
        {"{\"type\": \"scheduled\", \"retryDates\": [\"2026-11-24T00:00:00Z\", "
         "\"2026-11-24T01:00:00+01:00\", \"2026-11-24\", \"2026-11-23T00:00:00Z\"]}",
         "retryStrategy.retryDates[1]: must be after the date before it\n"
         "retryStrategy.retryDates[2]: must be an ISO 8601 time with an offset\n"},
        {"{\"delayMinutes\": 1, \"x\": 1}", "retryStrategy.type: is required\n"
                                            "retryStrategy.x: is not a known property\n"},
        {"{\"type\": \"often\"}",
         "retryStrategy.type: must be one of: none, fixed_delay, scheduled\n"},
        {"[]", "retryStrategy: must be an object\n"},
        {"null", ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct retry_strategy retry = {0};
        open_body(f, "retryStrategy", cases[i].text);
        program_read_retry(&f->root, &retry);
        assert_string_equal(close_body(f), cases[i].faults);
    }
}

static void a_retry_strategy_is_read(void **state)
{
    struct fixture *f = *state;
    struct retry_strategy retry = {.type = RETRY_SCHEDULED, .date_count = 4};

    open_body(f, "retryStrategy",
              "{\"type\": \"fixed_delay\", \"delayMinutes\": 5, \"maxRetries\": 2}");
    assert_int_equal(program_read_retry(&f->root, &retry), PROPERTY_GIVEN);
    assert_int_equal(retry.type, RETRY_FIXED_DELAY);
    assert_int_equal(retry.delay_ms, 5 * MS_PER_MINUTE);
    assert_int_equal(retry.max_retries, 2);
    assert_int_equal(retry.date_count, 0);
    open_body(f, "retryStrategy", "null");
    assert_int_equal(program_read_retry(&f->root, &retry), PROPERTY_NULL);
    assert_int_equal(retry.type, RETRY_NONE);
    open_body(f, "other", "1");
    assert_int_equal(program_read_retry(&f->root, &retry), PROPERTY_ABSENT);
    assert_string_equal(close_body(f), "other: is not a known property\n");
}

/* ---- pauseWindows ---- */

static void pause_windows_are_judged(void **state)
{
    struct fixture *f = *state;
    static const struct body_case cases[] = {
        {"{}", ""},
        {"null", ""},
        {"{\"monday\": [], \"advanced\": []}", ""},
        {"{\"monday\": [{\"startAt\": {\"hour\": 24, \"minute\": 60}, \"endAt\": {\"hour\": -1}}]}",
         "pauseWindows.monday[0].startAt.hour: must be an integer from 0 to 23\n"
         "pauseWindows.monday[0].startAt.minute: must be an integer from 0 to 59\n"
         "pauseWindows.monday[0].endAt.hour: must be an integer from 0 to 23\n"
         "pauseWindows.monday[0].endAt.minute: is required\n"},
        {"{\"friday\": [{\"startAt\": {\"hour\": 1, \"minute\": 0, \"second\": 0}, \"to\": 1}, 3]}",
         "pauseWindows.friday[0].startAt.second: is not a known property\n"
         "pauseWindows.friday[0].endAt: is required\n"
         "pauseWindows.friday[0].to: is not a known property\n"
         "pauseWindows.friday[1]: must be an object\n"},
        {"{\"advanced\": [{\"startAt\": \"2026-11-23T10:00:00Z\", "
         "\"endAt\": \"2026-11-23T11:00:00+01:00\"}]}",
         "pauseWindows.advanced[0].endAt: must be after startAt\n"},
        {"{\"advanced\": [{\"startAt\": \"2026-11-23T10:00:00\"}, null], \"mon\": []}",
         "pauseWindows.advanced[0].startAt: must be an ISO 8601 time with an offset\n"
         "pauseWindows.advanced[0].endAt: is required\n"
         "pauseWindows.advanced[1]: must be an object\n"
         "pauseWindows.mon: is not a known property\n"},
        {"[]", "pauseWindows: must be an object\n"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pause_windows windows = {0};
        bool has = false;
        open_body(f, "pauseWindows", cases[i].text);
        program_read_windows(&f->root, &has, &windows);
        assert_string_equal(close_body(f), cases[i].faults);
    }
}

static void pause_windows_are_read_by_weekday(void **state)
{
    struct fixture *f = *state;
    struct pause_windows windows = {0};
    bool has = false;

    open_body(f, "pauseWindows",
              "{\"saturday\": [{\"startAt\": {\"hour\": 22, \"minute\": 30}, "
              "\"endAt\": {\"hour\": 6, \"minute\": 5}}], "
              "\"sunday\": [{\"startAt\": {\"hour\": 0, \"minute\": 0}, "
              "\"endAt\": {\"hour\": 23, \"minute\": 59}}], "
              "\"advanced\": [{\"startAt\": \"2026-11-23T10:00:00Z\", "
              "\"endAt\": \"2026-11-23T11:00:00Z\"}]}");
    assert_int_equal(program_read_windows(&f->root, &has, &windows), PROPERTY_GIVEN);
    assert_string_equal(close_body(f), "");
    assert_true(has);
    assert_int_equal(windows.weekly_count, 2);
    assert_int_equal(windows.weekly[0].weekday, 0);
    assert_int_equal(windows.weekly[0].end_minute, 23 * 60 + 59);
    assert_int_equal(windows.weekly[1].weekday, 6);
    assert_int_equal(windows.weekly[1].start_minute, 22 * 60 + 30);
    assert_int_equal(windows.weekly[1].end_minute, 6 * 60 + 5);
    assert_int_equal(windows.advanced_count, 1);
    assert_int_equal(windows.advanced[0].end_at - windows.advanced[0].start_at, MS_PER_HOUR);
    open_body(f, "pauseWindows", "null");
    assert_int_equal(program_read_windows(&f->root, &has, &windows), PROPERTY_NULL);
    assert_false(has);
    assert_int_equal(windows.weekly_count, 0);
}

/* ---- pacing, didPool ---- */

static void pacing_is_judged(void **state)
{
    struct fixture *f = *state;
    static const struct body_case cases[] = {
        {"{}", ""},
        {"{\"maxConcurrentCalls\": 100000, \"callsPerSecond\": 0.5}", ""},
        {"{\"maxConcurrentCalls\": null, \"callsPerSecond\": null}", ""},
        {"{\"maxConcurrentCalls\": 0, \"callsPerSecond\": 0, \"x\": 1}",
         "pacing.maxConcurrentCalls: must be an integer from 1 to 100000\n"
         "pacing.callsPerSecond: must be a number above 0, up to 100000\n"
         "pacing.x: is not a known property\n"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pacing_settings pacing = {7, 7};
        open_body(f, "pacing", cases[i].text);
        program_read_pacing(&f->root, &pacing);
        assert_string_equal(close_body(f), cases[i].faults);
        if (i == 1) {
            assert_int_equal(pacing.max_concurrent_calls, 100000);
            assert_int_equal(pacing.calls_per_second_micro, 500000);
        }
        if (i == 2) {
            assert_int_equal(pacing.max_concurrent_calls, 0);
            assert_int_equal(pacing.calls_per_second_micro, 0);
        }
    }
}

static void a_pool_has_distinct_ids(void **state)
{
    struct fixture *f = *state;
    static const struct body_case cases[] = {
        {"[\"01a207a2-3280-7106-b4b6-bee9d318acec\", \"01a207a2-3280-7106-b4b6-c0313dcbfc11\"]",
         ""},
        {"[\"01a207a2-3280-7106-b4b6-bee9d318acec\", 1, \"x\", "
         "\"01A207A2-3280-7106-B4B6-BEE9D318ACEC\"]",
         "didPool[1]: must be a string\n"
         "didPool[2]: must be a UUID\n"
         "didPool[3]: must not be in the pool twice\n"},
        {"[]", "didPool: must have 1 to 1000 items\n"},
        {"null", "didPool: must not be null\n"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct program program = {0};
        open_body(f, "didPool", cases[i].text);
        program_read_pool(&f->root, PROPERTY_REQUIRED, &program);
        assert_string_equal(close_body(f), cases[i].faults);
        if (i == 0) {
            assert_int_equal(program.did_count, 2);
        }
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    CASE(retry_strategies_are_judged_by_their_type),
    CASE(a_retry_strategy_is_read),
    CASE(pause_windows_are_judged),
    CASE(pause_windows_are_read_by_weekday),
    CASE(pacing_is_judged),
    CASE(a_pool_has_distinct_ids),
};

OD_TEST_MAIN(tests)
