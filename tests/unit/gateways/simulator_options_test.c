/* gateways/simulator_options: which options are taken, and what they make of a call. */
#include "gateways/simulator_options.h"

#include "gateways/kinds.h"
#include "tests/support/od_test.h"

#define TAG 12345

/* The option of a context that is a list of keys and values, ending with NULL, or NULL. */
static const char *option(const void *context, const char *key)
{
    const char *const *options = context;

    for (; options != NULL && *options != NULL; options += 2) {
        if (strcmp(options[0], key) == 0) {
            return options[1];
        }
    }
    for (size_t i = 0; simulator_option_table[i].key != NULL; i++) {
        if (strcmp(simulator_option_table[i].key, key) == 0) {
            return simulator_option_table[i].fallback;
        }
    }
    return NULL;
}

static bool is_valid(const char *key, struct slice value)
{
    size_t i = 0;

    while (strcmp(simulator_option_table[i].key, key) != 0) {
        i++;
    }
    return simulator_option_table[i].is_valid(value);
}

static void values_are_judged_one_by_one(void **state)
{
    char nodes[SIMULATOR_PATH_MAX] = "";

    (void)state;
    assert_true(is_valid("seed", SLICE("18446744073709551615")));
    assert_false(is_valid("seed", SLICE("18446744073709551616")));
    assert_false(is_valid("seed", SLICE("-1")));
    assert_false(is_valid("seed", SLICE("")));
    assert_true(is_valid("busy", SLICE("100")));
    assert_false(is_valid("busy", SLICE("101")));
    assert_true(is_valid("ring_ms_min", SLICE("3600000")));
    assert_false(is_valid("ring_ms_min", SLICE("3600001")));
    assert_false(is_valid("release_retry_seconds", SLICE("3601")));
    assert_false(is_valid("answer_instantly", SLICE("yes")));
    assert_true(is_valid("nodes", SLICE("")));
    assert_true(is_valid("nodes", SLICE("welcome , menu,bye")));
    assert_false(is_valid("nodes", SLICE("a,,b")));
    assert_false(is_valid("nodes", SLICE("a, ")));
    assert_false(is_valid("nodes", SLICE("a,")));
    assert_false(is_valid("nodes", SLICE(",")));
    for (int i = 0; i < SIMULATOR_NODES_MAX; i++) {
        memcpy(nodes + strlen(nodes), i == 0 ? "n" : ",n", i == 0 ? 2 : 3);
    }
    assert_true(is_valid("nodes", slice_from(nodes)));
    memcpy(nodes + strlen(nodes), ",n", 3);
    assert_false(is_valid("nodes", slice_from(nodes)));
}

static void options_that_do_not_fit_together_are_refused(void **state)
{
    static const char *const silent[] = {
        "answered", "0",        "voicemail", "0",     "busy", "0",  "no_answer",
        "0",        "rejected", "0",         "error", "0",    NULL,
    };
    static const char *const ring[] = {"ring_ms_min", "2", "ring_ms_max", "1", NULL};
    static const char *const talk[] = {"talk_ms_min", "2", "talk_ms_max", "1", NULL};

    static const struct {
        const char *const *options;
        const char *reason;
    } cases[] = {
        {silent, "one weight of an outcome must be above 0"},
        {ring, "ring_ms_min is above ring_ms_max"},
        {talk, "talk_ms_min is above talk_ms_max"},
    };
    struct gateway_host host = {.option = option};
    struct od_error error;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        host.option_context = cases[i].options;
        assert_int_equal(simulator_kind.check(&host, &error), OD_EINVAL);
        assert_string_equal(error.text, cases[i].reason);
    }
}

static void ringing_and_talking_stay_within_their_bounds(void **state)
{
    struct gateway_host host = {.option = option};
    struct simulator_options options;
    struct od_error error;
    uint32_t shortest = UINT32_MAX;
    uint32_t longest = 0;

    (void)state;
    assert_int_equal(simulator_options_read(&host, &options, &error), 0);
    for (uint32_t entry = 0; entry < 10000; entry++) {
        struct simulated_fate fate = simulator_fate(&options, TAG, entry, 1);

        assert_in_range(fate.ring_ms, 1000, 8000);
        if (fate.outcome == OUTCOME_ANSWERED) {
            assert_in_range(fate.talk_ms, 2000, 20000);
            shortest = fate.talk_ms < shortest ? fate.talk_ms : shortest;
            longest = fate.talk_ms > longest ? fate.talk_ms : longest;
        } else {
            assert_int_equal(fate.talk_ms, 0);
        }
    }
    assert_true(shortest < 2200);
    assert_true(longest > 19800);
}

static void each_part_of_the_name_and_the_seed_count(void **state)
{
    struct gateway_host host = {.option = option};
    struct simulator_options options;
    struct od_error error;
    uint32_t ring_ms;

    (void)state;
    assert_int_equal(simulator_options_read(&host, &options, &error), 0);
    ring_ms = simulator_fate(&options, TAG, 7, 1).ring_ms;
    assert_int_equal(simulator_fate(&options, TAG, 7, 1).ring_ms, ring_ms);
    assert_int_not_equal(simulator_fate(&options, TAG + 1, 7, 1).ring_ms, ring_ms);
    assert_int_not_equal(simulator_fate(&options, TAG, 8, 1).ring_ms, ring_ms);
    assert_int_not_equal(simulator_fate(&options, TAG, 7, 2).ring_ms, ring_ms);
    options.seed++;
    assert_int_not_equal(simulator_fate(&options, TAG, 7, 1).ring_ms, ring_ms);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(values_are_judged_one_by_one),
    cmocka_unit_test(options_that_do_not_fit_together_are_refused),
    cmocka_unit_test(ringing_and_talking_stay_within_their_bounds),
    cmocka_unit_test(each_part_of_the_name_and_the_seed_count),
};

OD_TEST_MAIN(tests)
