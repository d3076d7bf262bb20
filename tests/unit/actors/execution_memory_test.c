/* Promise 9: memory is bounded by calls in flight, not by list size. What an execution and the
 * dispatcher hold is the same for a list of a hundred and for one of ten thousand, at every step
 * until the last contact has been called. */
#include "tests/unit/actors/execution_fixture.h"

enum { CALLS_IN_FLIGHT = 8, EXECUTION_SLEEPING_BYTES = 4096 };

/* What grew with the calls: slots, the index's cells, the ring of offers. */
static size_t held_bytes(struct fixture *f)
{
    const struct execution *e = stage_find(f->stage, FIXTURE_EXECUTION);

    if (e == NULL) {
        return 0;
    }
    return sizeof(*e) + arena_used(&e->memory) + e->flights.room * sizeof(struct flight) +
           e->flights.index.room * (2 * sizeof(uint32_t)) +
           f->stage->dispatcher.queue_room * sizeof(struct offered_call);
}

static void claim_and_answer(struct fixture *f, uint32_t claim)
{
    stage_claim(f->stage, CALLS_IN_FLIGHT, false, claim, FIXTURE_EXCHANGE);
    for (size_t i = 0; i < f->last.call_count; i++) {
        struct call_event about = {.entry = f->last.calls[i].entry,
                                   .attempt = f->last.calls[i].attempt};

        about.result.outcome = i % 2 == 0 ? OUTCOME_ANSWERED : OUTCOME_BUSY;
        stage_event(f->stage, MESSAGE_CALL_RESULT, FIXTURE_EXECUTION, &about, 0);
    }
}

/* The most that was held during a whole campaign. */
static size_t campaign(struct fixture *f, uint32_t contacts)
{
    size_t most = 0;

    for (uint32_t i = 1; i <= contacts; i++) {
        stage_put_contact(f->stage, 1, 1, 20000 + i, false);
    }
    f->settings.gateway = SLICE("worker");
    f->settings.pacing.max_concurrent_calls = CALLS_IN_FLIGHT;
    stage_launch(f->stage, &f->settings, FIXTURE_EXCHANGE);
    for (uint32_t round = 0; stage_find(f->stage, FIXTURE_EXECUTION) != NULL; round++) {
        size_t held = held_bytes(f);

        most = held > most ? held : most;
        assert_true(round <= contacts);
        claim_and_answer(f, 100000 + round * CALLS_IN_FLIGHT);
    }
    return most;
}

static size_t campaign_apart(uint32_t contacts)
{
    void *state = NULL;

    assert_int_equal(fixture_setup(&state), 0);
    size_t most = campaign(state, contacts);

    assert_int_equal(fixture_teardown(&state), 0);
    return most;
}

static void a_long_list_takes_no_more_memory_than_a_short_one(void **state)
{
    (void)state;
    size_t of_a_short_list = campaign_apart(100);

    assert_true(of_a_short_list > 0);
    assert_int_equal(campaign_apart(4000), of_a_short_list);
}

/* engine.md: "Sleeping executions cost under 4 KiB." */
static void a_sleeping_execution_is_small(void **state)
{
    struct fixture *f = *state;

    f->settings.start_at = STAGE_START + MS_PER_DAY;
    stage_put_contact(f->stage, 1, 1, 101, false);
    stage_launch(f->stage, &f->settings, FIXTURE_EXCHANGE);
    assert_in_range(held_bytes(f), 1, EXECUTION_SLEEPING_BYTES);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_long_list_takes_no_more_memory_than_a_short_one),
    cmocka_unit_test_setup_teardown(a_sleeping_execution_is_small, fixture_setup, fixture_teardown),
};

OD_TEST_MAIN(tests)
