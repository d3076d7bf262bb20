/* gateways/simulator, with the test in the engine's place: it hands over offers and answers, moves
 * the time, and what the simulator posts is a story in text, a line a message:
 * "<mono> <message> <execution>/<entry>/<attempt> <what it says>". */
#include <inttypes.h>
#include <stdlib.h>

#include "base/instant.h"
#include "gateways/kinds.h"
#include "gateways/simulator_options.h"
#include "model/names.h"
#include "tests/support/od_test.h"

#define TAG 12345

/* The engine of this test. */
struct engine {
    int64_t mono;
    struct buf story;
    uint32_t posts[MESSAGE_TYPE_COUNT];
    uint32_t outcomes[OUTCOME_TIMEOUT + 1];
    const char *const *options; /* key, value, …, NULL */
    struct gateway_instance *instance;
};

static void print_event(struct buf *story, enum message_type type, const struct call_event *event)
{
    int error = 0;

    if (type == MESSAGE_CALL_STARTED) {
        error = buf_append_text(story, "started");
    } else if (type == MESSAGE_NODE_EXECUTED) {
        error = buf_printf(story, "node %.*s %" PRIu64, SLICE_ARGS(event->node.node_id),
                           event->node.seq);
    } else if (type == MESSAGE_CALL_RESULT) {
        error =
            buf_printf(story, "%s %" PRId64, outcome_name(event->result.outcome),
                       event->result.has_duration ? event->result.duration_seconds : INT64_C(-1));
    } else {
        error = buf_printf(story, "released %" PRIu32, event->released.retry_after_seconds);
    }
    assert_int_equal(error, 0);
}

static void on_post(struct engine *engine, enum message_type type, uint32_t execution,
                    const struct call_event *event)
{
    assert_true(event->from_gateway);
    assert_int_equal(event->tag, TAG);
    engine->posts[type]++;
    if (type == MESSAGE_CALL_RESULT) {
        engine->outcomes[event->result.outcome]++;
    }
    assert_int_equal(buf_printf(&engine->story, "%" PRId64 " %" PRIu32 "/%" PRIu32 "/%u ",
                                engine->mono, execution, event->entry, event->attempt),
                     0);
    print_event(&engine->story, type, event);
    assert_int_equal(buf_append_byte(&engine->story, '\n'), 0);
}

static const char *option(const void *context, const char *key)
{
    const struct engine *engine = context;

    for (size_t i = 0; engine->options != NULL && engine->options[i] != NULL; i += 2) {
        if (strcmp(engine->options[i], key) == 0) {
            return engine->options[i + 1];
        }
    }
    for (size_t i = 0; simulator_option_table[i].key != NULL; i++) {
        if (strcmp(simulator_option_table[i].key, key) == 0) {
            return simulator_option_table[i].fallback;
        }
    }
    return NULL;
}

/* ---- fixture ---- */

static int setup(void **state)
{
    struct engine *engine = calloc(1, sizeof(*engine));

    if (engine == NULL) {
        return -1;
    }
    engine->mono = 1000;
    buf_init(&engine->story);
    *state = engine;
    return 0;
}

static int teardown(void **state)
{
    struct engine *engine = *state;

    if (engine->instance != NULL) {
        simulator_kind.close(engine->instance);
    }
    buf_deinit(&engine->story);
    free(engine);
    return 0;
}

static struct gateway_host host_of(struct engine *engine)
{
    return (struct gateway_host){
        .engine = engine, .post = on_post, .option = option, .option_context = engine};
}

/* Opens the simulator, or closes it as a crash does and opens it again. */
static void open_with(struct engine *engine, const char *const *options)
{
    struct gateway_host host;
    struct od_error error;

    if (engine->instance != NULL) {
        simulator_kind.close(engine->instance);
        engine->instance = NULL;
    }
    engine->options = options;
    host = host_of(engine);
    assert_int_equal(simulator_kind.check(&host, &error), 0);
    assert_int_equal(simulator_kind.open(&host, &engine->instance, &error), 0);
}

static void offer_as(struct engine *engine, uint32_t entry, uint16_t attempt, bool is_resumed,
                     bool was_started)
{
    struct offer call = {.execution = 1,
                         .entry = entry,
                         .attempt = attempt,
                         .tag = TAG,
                         .is_resumed = is_resumed,
                         .was_started = was_started,
                         .to = SLICE_INIT("+212612345678"),
                         .from = SLICE_INIT("+212500000001"),
                         .mono = engine->mono};

    simulator_kind.offer(engine->instance, &call);
}

static void offer(struct engine *engine, uint32_t entry, uint16_t attempt)
{
    offer_as(engine, entry, attempt, false, false);
}

static void answer(struct engine *engine, uint32_t entry, uint16_t attempt,
                   enum event_status status)
{
    struct gateway_answer given = {
        .execution = 1, .entry = entry, .attempt = attempt, .status = status, .mono = engine->mono};

    simulator_kind.answered(engine->instance, &given);
}

/* Goes from wake to wake up to `mono`. */
static void run_until(struct engine *engine, int64_t mono)
{
    int64_t wake = simulator_kind.wake(engine->instance);

    while (wake <= mono) {
        assert_true(wake >= engine->mono);
        engine->mono = wake;
        while (simulator_kind.run(engine->instance, 0, engine->mono, 3)) {
        }
        wake = simulator_kind.wake(engine->instance);
        assert_true(wake > engine->mono);
    }
    engine->mono = mono;
}

/* Compares what was posted since the last time. */
static void assert_story(struct engine *engine, const char *expected)
{
    assert_int_equal(buf_append_byte(&engine->story, '\0'), 0);
    assert_string_equal(engine->story.data, expected);
    buf_clear(&engine->story);
}

static const char *const all_answered[] = {
    "voicemail",   "0",     "busy",        "0",           "no_answer", "0",           "rejected",
    "0",           "error", "0",           "ring_ms_min", "2000",      "ring_ms_max", "2000",
    "talk_ms_min", "9000",  "talk_ms_max", "9000",        "nodes",     "a, b",        NULL,
};
static const char *const all_busy[] = {
    "answered", "0", "voicemail",   "0",    "no_answer",   "0",    "rejected", "0",
    "error",    "0", "ring_ms_min", "2000", "ring_ms_max", "2000", NULL,
};
static const char *const instantly[] = {
    "voicemail", "0", "busy",  "0",    "no_answer",        "0",    "rejected", "0",
    "error",     "0", "nodes", "a, b", "answer_instantly", "true", NULL,
};

/* ---- stories ---- */

static void an_answered_call_rings_talks_and_executes_its_nodes(void **state)
{
    struct engine *engine = *state;

    open_with(engine, all_answered);
    assert_int_equal(simulator_kind.wake(engine->instance), INSTANT_NEVER);
    offer(engine, 7, 1);
    assert_story(engine, "1000 1/7/1 started\n");
    assert_int_equal(simulator_kind.wake(engine->instance), INSTANT_NEVER);
    engine->mono = 1500;
    answer(engine, 7, 1, EVENT_ACCEPTED);
    assert_story(engine, "");
    run_until(engine, 100000);
    assert_story(engine, "6500 1/7/1 node a 1\n"
                         "9500 1/7/1 node b 2\n"
                         "12500 1/7/1 answered 9\n");
    assert_int_equal(simulator_kind.wake(engine->instance), INSTANT_NEVER);
}

static void another_outcome_comes_when_the_ringing_ends(void **state)
{
    struct engine *engine = *state;

    open_with(engine, all_busy);
    offer(engine, 7, 1);
    answer(engine, 7, 1, EVENT_ACCEPTED);
    run_until(engine, 100000);
    assert_story(engine, "1000 1/7/1 started\n3000 1/7/1 busy -1\n");
}

static void without_the_permission_a_call_is_forgotten(void **state)
{
    static const enum event_status refusals[] = {EVENT_REFUSED, EVENT_STALE, EVENT_UNKNOWN,
                                                 EVENT_INVALID};
    struct engine *engine = *state;

    open_with(engine, all_busy);
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        offer(engine, 7, 1);
        answer(engine, 7, 1, refusals[i]);
        run_until(engine, engine->mono + 10000);
        buf_clear(&engine->story);
    }
    offer(engine, 7, 1);
    answer(engine, 7, 1, EVENT_ACCEPTED);
    run_until(engine, 100000);
    assert_story(engine, "41000 1/7/1 started\n43000 1/7/1 busy -1\n");
}

static void an_instant_call_ends_with_its_permission(void **state)
{
    struct engine *engine = *state;

    open_with(engine, instantly);
    offer(engine, 7, 1);
    assert_story(engine, "1000 1/7/1 started\n");
    answer(engine, 7, 1, EVENT_ACCEPTED);
    assert_story(engine, "1000 1/7/1 node a 1\n1000 1/7/1 node b 2\n1000 1/7/1 answered 0\n");
    assert_int_equal(simulator_kind.wake(engine->instance), INSTANT_NEVER);
    answer(engine, 7, 1, EVENT_ACCEPTED);
    assert_story(engine, "");
}

static void an_offer_that_comes_again_asks_again_but_never_dials_twice(void **state)
{
    struct engine *engine = *state;

    open_with(engine, all_busy);
    offer(engine, 7, 1);
    offer_as(engine, 7, 1, true, false);
    assert_story(engine, "1000 1/7/1 started\n1000 1/7/1 started\n");
    answer(engine, 7, 1, EVENT_ACCEPTED);
    answer(engine, 7, 1, EVENT_DUPLICATE);
    offer_as(engine, 7, 1, true, true);
    run_until(engine, 100000);
    assert_story(engine, "3000 1/7/1 busy -1\n");
}

static void a_duplicate_permits_a_call_that_was_not_dialled(void **state)
{
    struct engine *engine = *state;

    open_with(engine, all_busy);
    offer_as(engine, 7, 1, true, false);
    answer(engine, 7, 1, EVENT_DUPLICATE);
    run_until(engine, 100000);
    assert_story(engine, "1000 1/7/1 started\n3000 1/7/1 busy -1\n");
}

static void a_new_attempt_replaces_the_old_one(void **state)
{
    struct engine *engine = *state;

    open_with(engine, all_busy);
    offer(engine, 7, 1);
    answer(engine, 7, 1, EVENT_ACCEPTED);
    offer(engine, 7, 2);
    answer(engine, 7, 1, EVENT_ACCEPTED);
    answer(engine, 7, 2, EVENT_ACCEPTED);
    run_until(engine, 100000);
    assert_story(engine, "1000 1/7/1 started\n1000 1/7/2 started\n3000 1/7/2 busy -1\n");
}

static void an_answer_for_an_unknown_call_is_passed_over(void **state)
{
    struct engine *engine = *state;

    open_with(engine, all_busy);
    answer(engine, 7, 1, EVENT_ACCEPTED);
    offer(engine, 7, 2);
    answer(engine, 7, 1, EVENT_REFUSED);
    answer(engine, 8, 2, EVENT_ACCEPTED);
    answer(engine, 7, 2, EVENT_ACCEPTED);
    run_until(engine, 100000);
    assert_story(engine, "1000 1/7/2 started\n3000 1/7/2 busy -1\n");
}

static void a_resumed_call_that_was_started_rings_at_once(void **state)
{
    struct engine *engine = *state;

    open_with(engine, all_busy);
    offer_as(engine, 7, 1, true, true);
    assert_story(engine, "");
    run_until(engine, 100000);
    assert_story(engine, "3000 1/7/1 busy -1\n");
}

static void a_restart_does_not_change_what_becomes_of_a_call(void **state)
{
    struct engine *engine = *state;
    struct buf before;

    open_with(engine, NULL);
    for (uint32_t entry = 0; entry < 200; entry++) {
        offer(engine, entry, 1);
        answer(engine, entry, 1, EVENT_ACCEPTED);
    }
    buf_clear(&engine->story);
    run_until(engine, 100000);
    before = engine->story;
    buf_init(&engine->story);
    engine->mono = 1000;
    open_with(engine, NULL);
    for (uint32_t entry = 0; entry < 200; entry++) {
        offer_as(engine, entry, 1, true, true);
    }
    run_until(engine, 100000);
    assert_true(slice_equal(buf_slice(&before), buf_slice(&engine->story)));
    buf_deinit(&before);
    assert_int_equal(engine->posts[MESSAGE_CALL_RESULT], 400);
}

static void outcomes_come_by_their_weights(void **state)
{
    static const uint32_t percent[] = {45, 15, 10, 25, 4, 1};
    struct engine *engine = *state;
    uint32_t calls = 20000;

    open_with(engine, NULL);
    for (uint32_t entry = 0; entry < calls; entry++) {
        offer(engine, entry, (uint16_t)(1 + entry % 3));
        answer(engine, entry, (uint16_t)(1 + entry % 3), EVENT_ACCEPTED);
    }
    run_until(engine, 1000 + 28000);
    assert_int_equal(engine->posts[MESSAGE_CALL_RESULT], calls);
    for (size_t i = 0; i < SIMULATOR_OUTCOMES; i++) {
        uint32_t expected = calls / 100 * percent[i];

        /* More than six standard deviations of the rarest, and of the most frequent. */
        assert_in_range(engine->outcomes[OUTCOME_ANSWERED + i], expected * 85 / 100 - 60,
                        expected * 115 / 100 + 60);
    }
}

static void some_calls_are_given_back_but_none_for_ever(void **state)
{
    static const char *const options[] = {"release_percent", "30", "release_retry_seconds", "2",
                                          NULL};
    struct engine *engine = *state;
    uint32_t offered = 0;

    open_with(engine, options);
    for (uint32_t entry = 0; entry < 1000; entry++) {
        uint32_t before;

        do {
            before = engine->posts[MESSAGE_CALL_RELEASED];
            offer(engine, entry, 1);
            offered++;
            assert_true(offered < 10000);
        } while (engine->posts[MESSAGE_CALL_RELEASED] > before);
    }
    assert_int_equal(engine->posts[MESSAGE_CALL_STARTED], 1000);
    assert_in_range(engine->posts[MESSAGE_CALL_RELEASED], 300, 560);
    assert_int_equal(buf_append_byte(&engine->story, '\0'), 0);
    assert_non_null(strstr(engine->story.data, " released 2\n"));
}

static void a_run_does_no_more_than_its_budget(void **state)
{
    struct engine *engine = *state;

    open_with(engine, all_busy);
    for (uint32_t entry = 0; entry < 10; entry++) {
        offer(engine, entry, 1);
        answer(engine, entry, 1, EVENT_ACCEPTED);
    }
    assert_false(simulator_kind.run(engine->instance, 0, 2999, 100));
    assert_int_equal(engine->posts[MESSAGE_CALL_RESULT], 0);
    assert_true(simulator_kind.run(engine->instance, 0, 3000, 4));
    assert_int_equal(engine->posts[MESSAGE_CALL_RESULT], 4);
    assert_true(simulator_kind.run(engine->instance, 0, 3000, 4));
    assert_false(simulator_kind.run(engine->instance, 0, 3000, 4));
    assert_int_equal(engine->posts[MESSAGE_CALL_RESULT], 10);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(an_answered_call_rings_talks_and_executes_its_nodes, setup,
                                    teardown),
    cmocka_unit_test_setup_teardown(another_outcome_comes_when_the_ringing_ends, setup, teardown),
    cmocka_unit_test_setup_teardown(without_the_permission_a_call_is_forgotten, setup, teardown),
    cmocka_unit_test_setup_teardown(an_instant_call_ends_with_its_permission, setup, teardown),
    cmocka_unit_test_setup_teardown(an_offer_that_comes_again_asks_again_but_never_dials_twice,
                                    setup, teardown),
    cmocka_unit_test_setup_teardown(a_duplicate_permits_a_call_that_was_not_dialled, setup,
                                    teardown),
    cmocka_unit_test_setup_teardown(a_new_attempt_replaces_the_old_one, setup, teardown),
    cmocka_unit_test_setup_teardown(an_answer_for_an_unknown_call_is_passed_over, setup, teardown),
    cmocka_unit_test_setup_teardown(a_resumed_call_that_was_started_rings_at_once, setup, teardown),
    cmocka_unit_test_setup_teardown(a_restart_does_not_change_what_becomes_of_a_call, setup,
                                    teardown),
    cmocka_unit_test_setup_teardown(outcomes_come_by_their_weights, setup, teardown),
    cmocka_unit_test_setup_teardown(some_calls_are_given_back_but_none_for_ever, setup, teardown),
    cmocka_unit_test_setup_teardown(a_run_does_no_more_than_its_budget, setup, teardown),
};

OD_TEST_MAIN(tests)
