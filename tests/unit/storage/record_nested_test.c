/* The nested fields: what they look like on disk, and what of it is refused. That random ones come
 * back as they were is record_test's part. */
#include "model/records.h"
#include "storage/record_fields.h"
#include "tests/support/od_test.h"

struct fixture {
    struct arena arena;

    union {
        struct record_list list;
        struct retry_strategy retry;
        struct pause_windows windows;
        struct pacing_settings pacing;
        struct execution_counters counters;
        struct trigger_condition trigger;
        struct report_counts counts;
    } out;
};

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    arena_init(&f->arena, 4096);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    arena_deinit(&f->arena);
    test_free(f);
    return 0;
}

static void assert_written(enum record_field_type type, const void *member, struct slice expected)
{
    size_t bound = record_nested_bound(type, member);
    uint8_t *bytes = test_malloc(bound);
    size_t size = (size_t)(record_nested_write(type, member, bytes) - bytes);

    assert_true(size <= bound);
    assert_true(slice_equal(slice_make((const char *)bytes, size), expected));
    test_free(bytes);
}

static void attributes_are_name_type_and_value(void **state)
{
    static const struct attribute_value values[] = {
        {.name = SLICE_INIT("a"), .type = ATTRIBUTE_STRING, .text = SLICE_INIT("x")},
        {.name = SLICE_INIT("b"), .type = ATTRIBUTE_NUMBER, .number = 2.0},
        {.name = SLICE_INIT("c"), .type = ATTRIBUTE_BOOLEAN, .boolean = true},
    };
    struct record_list list = {values, 3};

    (void)state;
    assert_written(FIELD_ATTRIBUTES, &list,
                   SLICE("\x93\x93\xa1"
                         "a\x01\xa1x\x93\xa1"
                         "b\x02\xcb\x40\0\0\0\0\0\0\0\x93\xa1"
                         "c\x03\xc3"));
}

static void pools_are_ids_with_numbers(void **state)
{
    struct pool_did did = {.id = {{1}}, .number = SLICE("+7")};
    struct record_list list = {&did, 1};

    (void)state;
    assert_written(FIELD_POOL_DIDS, &list,
                   SLICE("\x91\x92\xc4\x10\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xa2+7"));
    assert_written(FIELD_UUIDS, &(struct record_list){&did.id, 1},
                   SLICE("\x91\xc4\x10\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
}

static void rules_are_node_threshold_and_whether_it_is_reset(void **state)
{
    const struct auto_pause_rule rules[] = {{SLICE("menu"), 5, true}, {SLICE("bye"), 200, false}};
    const uint64_t counts[] = {0, 7, 300};

    (void)state;
    assert_written(FIELD_RULES, &(struct record_list){rules, 2},
                   SLICE("\x92\x93\xa4menu\x05\xc3\x93\xa3"
                         "bye\xcc\xc8\xc2"));
    assert_written(FIELD_NODE_COUNTS, &(struct record_list){counts, 3},
                   SLICE("\x93\0\x07\xcd\x01\x2c"));
}

static void retry_is_three_numbers_and_the_dates(void **state)
{
    struct retry_strategy retry = {.type = RETRY_SCHEDULED, .date_count = 2, .dates = {5, 6}};

    (void)state;
    assert_written(FIELD_RETRY, &retry, SLICE("\x95\x03\0\0\x05\x06"));
}

static void windows_are_two_lists(void **state)
{
    struct weekly_window weekly = {.weekday = 1, .start_minute = 60, .end_minute = 100};
    struct instant_window advanced = {.start_at = 3, .end_at = 4};
    struct pause_windows windows = {&weekly, 1, &advanced, 1};

    (void)state;
    assert_written(FIELD_WINDOWS, &windows, SLICE("\x92\x91\x93\x01\x3c\x64\x91\x92\x03\x04"));
}

static void pacing_and_counters_are_numbers(void **state)
{
    struct pacing_settings pacing = {.max_concurrent_calls = 1, .calls_per_second_micro = 2};
    struct execution_counters counters = {6, 1, 2, 3, 0, 0};

    (void)state;
    assert_written(FIELD_PACING, &pacing, SLICE("\x92\x01\x02"));
    assert_written(FIELD_COUNTERS, &counters, SLICE("\x96\x06\x01\x02\x03\0\0"));
}

static void a_trigger_condition_has_a_minute_when_it_has_a_time(void **state)
{
    struct trigger_condition trigger = {
        .attribute_name = SLICE_INIT("a"), .offset_minutes = -1, .recurrence = RECURRENCE_YEARLY};

    (void)state;
    assert_written(FIELD_TRIGGER, &trigger, SLICE("\x93\xa1\x61\xff\x02"));
    trigger.has_time_of_day = true;
    assert_written(FIELD_TRIGGER, &trigger, SLICE("\x94\xa1\x61\xff\x02\0"));
}

static void counts_end_with_the_last_that_is_not_zero(void **state)
{
    struct report_counts counts = {.at = {0, 3, 0, 1}};

    (void)state;
    assert_written(FIELD_COUNTS, &counts, SLICE("\x94\0\x03\0\x01"));
}

static void logged_calls_are_two_numbers_each(void **state)
{
    static const struct logged_call calls[] = {{7, 1}, {8, 2}};

    (void)state;
    assert_written(FIELD_LOGGED_CALLS, &(struct record_list){calls, 2},
                   SLICE("\x94\x07\x01\x08\x02"));
}

static void zero_is_empty_and_anything_else_is_not(void **state)
{
    struct fixture *f = *state;

    for (int type = FIELD_ATTRIBUTES; type <= FIELD_LOGGED_CALLS; type++) {
        memset(&f->out, 0, sizeof(f->out));
        assert_true(record_nested_is_empty((enum record_field_type)type, &f->out));
    }
    f->out.list.count = 1;
    assert_false(record_nested_is_empty(FIELD_UUIDS, &f->out));
    f->out.counters = (struct execution_counters){.skipped = 1};
    assert_false(record_nested_is_empty(FIELD_COUNTERS, &f->out));
    f->out.windows = (struct pause_windows){.advanced_count = 1};
    assert_false(record_nested_is_empty(FIELD_WINDOWS, &f->out));
    f->out.pacing = (struct pacing_settings){.calls_per_second_micro = 1};
    assert_false(record_nested_is_empty(FIELD_PACING, &f->out));
    f->out.retry = (struct retry_strategy){.date_count = 1};
    assert_false(record_nested_is_empty(FIELD_RETRY, &f->out));
    memset(&f->out, 0, sizeof(f->out));
    f->out.counts.at[REPORT_COUNTS - 1] = 1;
    assert_false(record_nested_is_empty(FIELD_COUNTS, &f->out));
}

static void malformed_fields_are_refused(void **state)
{
    static const struct {
        enum record_field_type type;
        const char *what;
        struct slice bytes;
    } cases[] = {
        {FIELD_ATTRIBUTES, "no array", SLICE_INIT("\x01")},
        {FIELD_ATTRIBUTES, "two members", SLICE_INIT("\x91\x92\xa1\x61\x01")},
        {FIELD_ATTRIBUTES, "type 0", SLICE_INIT("\x91\x93\xa1\x61\0\xa0")},
        {FIELD_ATTRIBUTES, "type 5", SLICE_INIT("\x91\x93\xa1\x61\x05\xa0")},
        {FIELD_ATTRIBUTES, "text for a number", SLICE_INIT("\x91\x93\xa1\x61\x02\xa0")},
        {FIELD_ATTRIBUTES, "number for a truth", SLICE_INIT("\x91\x93\xa1\x61\x03\x01")},
        {FIELD_ATTRIBUTES, "truth for a date", SLICE_INIT("\x91\x93\xa1\x61\x04\xc3")},
        {FIELD_UUIDS, "a short id", SLICE_INIT("\x91\xc4\x01z")},
        {FIELD_POOL_DIDS, "no number", SLICE_INIT("\x91\x91\xc4\x01z")},
        {FIELD_RETRY, "too short", SLICE_INIT("\x92\x01\x01")},
        {FIELD_RETRY, "type 4", SLICE_INIT("\x93\x04\0\0")},
        {FIELD_RETRY, "21 dates",
         SLICE_INIT("\xdc\0\x18\x03\0\0\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1")},
        {FIELD_RETRY, "a text as date", SLICE_INIT("\x94\x03\0\0\xa0")},
        {FIELD_WINDOWS, "one list", SLICE_INIT("\x91\x90")},
        {FIELD_WINDOWS, "weekday 7", SLICE_INIT("\x92\x91\x93\x07\0\0\x90")},
        {FIELD_WINDOWS, "a minute beyond", SLICE_INIT("\x92\x91\x93\x01\xce\0\1\0\0\0\x90")},
        {FIELD_WINDOWS, "half an instant window", SLICE_INIT("\x92\x90\x91\x91\x01")},
        {FIELD_WINDOWS, "a second list that is none", SLICE_INIT("\x92\x90\x01")},
        {FIELD_PACING, "three numbers", SLICE_INIT("\x93\1\1\1")},
        {FIELD_PACING, "more than 32 bits", SLICE_INIT("\x92\xcf\0\0\0\1\0\0\0\0\1")},
        {FIELD_RULES, "no threshold", SLICE_INIT("\x91\x92\xa1z\xc3")},
        {FIELD_RULES, "a threshold that is no number", SLICE_INIT("\x91\x93\xa1z\xa1z\xc3")},
        {FIELD_NODE_COUNTS, "a negative one", SLICE_INIT("\x91\xff")},
        {FIELD_COUNTERS, "five numbers", SLICE_INIT("\x95\1\1\1\1\1")},
        {FIELD_COUNTS, "23 numbers",
         SLICE_INIT("\xdc\0\x17\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1")},
        {FIELD_COUNTS, "a text", SLICE_INIT("\x91\xa0")},
        {FIELD_LOGGED_CALLS, "half a call", SLICE_INIT("\x93\1\1\1")},
        {FIELD_LOGGED_CALLS, "attempt 65536", SLICE_INIT("\x92\1\xce\0\1\0\0")},
        {FIELD_COUNTERS, "a negative one", SLICE_INIT("\x96\1\1\1\1\1\xff")},
        {FIELD_TRIGGER, "no recurrence", SLICE_INIT("\x92\xa1\x61\0")},
        {FIELD_TRIGGER, "recurrence 3", SLICE_INIT("\x93\xa1\x61\0\3")},
        {FIELD_TRIGGER, "more than 32 bits", SLICE_INIT("\x93\xa1\x61\xcf\0\0\0\1\0\0\0\0\1")},
        {FIELD_TRIGGER, "five members", SLICE_INIT("\x95\xa1\x61\0\1\0\0")},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct unpacker in = unpack_from(cases[i].bytes);

        memset(&f->out, 0, sizeof(f->out));
        if (record_nested_read(cases[i].type, &in, &f->arena, &f->out)) {
            fail_msg("type %d: %s", (int)cases[i].type, cases[i].what);
        }
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    CASE(attributes_are_name_type_and_value),
    CASE(pools_are_ids_with_numbers),
    CASE(rules_are_node_threshold_and_whether_it_is_reset),
    CASE(retry_is_three_numbers_and_the_dates),
    CASE(windows_are_two_lists),
    CASE(pacing_and_counters_are_numbers),
    CASE(zero_is_empty_and_anything_else_is_not),
    CASE(malformed_fields_are_refused),
    CASE(a_trigger_condition_has_a_minute_when_it_has_a_time),
    CASE(attributes_are_name_type_and_value),
    CASE(pools_are_ids_with_numbers),
    CASE(retry_is_three_numbers_and_the_dates),
    CASE(windows_are_two_lists),
    CASE(pacing_and_counters_are_numbers),
    CASE(zero_is_empty_and_anything_else_is_not),
    CASE(malformed_fields_are_refused),
    CASE(counts_end_with_the_last_that_is_not_zero),
    CASE(logged_calls_are_two_numbers_each),
};
OD_TEST_MAIN(tests)
