/* A restored backup: what was under way ends in doubt, once, and no call id comes again. */
#include "tests/unit/actors/execution_fixture.h"

enum { ERA = 7, NEXT_ERA = 9 };

static void restore(struct fixture *f, uint32_t era)
{
    stage_restore(f->stage, f->stage->mono, era);
    stage_run(f->stage);
}

static void assert_in_doubt(struct fixture *f, uint32_t entry, uint16_t attempt)
{
    struct call call = call_of(f, entry, attempt);

    assert_int_equal(call.outcome, OUTCOME_TIMEOUT);
    assert_true(call.in_doubt);
    assert_int_equal(call.ended_at, f->stage->at);
}

/* An event with the tag of an era, whatever the fixture would say. */
static enum event_status result_of_era(struct fixture *f, uint32_t entry, uint32_t era)
{
    struct execution *e = stage_find(f->stage, FIXTURE_EXECUTION);
    struct call_event *event = arena_zalloc(stage_arena(f->stage), sizeof(*event));
    struct message m = {
        .actor = {ACTOR_EXECUTION, FIXTURE_EXECUTION}, .type = MESSAGE_CALL_RESULT, .exchange = 1};

    event->entry = entry;
    event->attempt = 1;
    event->tag = call_tag_of_era(&e->settings.id, era);
    event->result.outcome = OUTCOME_ANSWERED;
    m.payload.event = event;
    stage_post(f->stage, &m);
    return f->last.event;
}

static void each_call_under_way_ends_in_doubt_whatever_its_state(void **state)
{
    struct fixture *f = *state;

    launch(f, 3);
    claim(f, 2);
    assert_int_equal(started(f, 1, 1), EVENT_ACCEPTED);
    restore(f, ERA);
    for (uint32_t entry = 0; entry < 3; entry++) {
        assert_in_doubt(f, entry, 1);
    }
    assert_int_equal(live_calls(f), 0);
    assert_int_equal(state_of(f).era, ERA);
    claim(f, 5);
    assert_int_equal(f->last.call_count, 0);
}

static void a_permission_is_refused_and_a_result_is_late(void **state)
{
    struct fixture *f = *state;

    launch(f, 2);
    claim(f, 2);
    assert_int_equal(started(f, 0, 1), EVENT_ACCEPTED);
    restore(f, ERA);
    assert_int_equal(started(f, 1, 1), EVENT_STALE);
    assert_int_equal(released(f, 1, 1), EVENT_STALE);
    assert_int_equal(result(f, 0, 1, OUTCOME_ANSWERED), EVENT_STALE);
    assert_int_equal(call_of(f, 0, 1).late_outcome, OUTCOME_ANSWERED);
    assert_in_doubt(f, 0, 1);
}

/* So many that there are several slices of them. */
static void launch_many(struct fixture *f)
{
    struct gateway_settings *worker = &f->stage->gateways[STAGE_WORKER];

    f->stage->settings.max_calls = worker->max_calls = worker->max_offered = 1000;
    launch(f, 700);
    assert_int_equal(live_calls(f), 700);
}

/* Enough calls for several slices: the first message only takes over the era. */
static void an_event_in_between_settles_its_own_call_first(void **state)
{
    struct fixture *f = *state;

    launch_many(f);
    stage_restore(f->stage, f->stage->mono, ERA);
    assert_true(stage_step(f->stage));
    assert_int_equal(live_calls(f), 700);
    assert_int_equal(state_of(f).era, ERA);
    f->stage->is_held = true;
    stage_event(f->stage, MESSAGE_CALL_RESULT, FIXTURE_EXECUTION,
                &(struct call_event){.entry = 650, .attempt = 1, .result.outcome = OUTCOME_BUSY},
                1);
    stage_run(f->stage);
    f->stage->is_held = false;
    assert_int_equal(live_calls(f), 0);
    assert_int_equal(call_of(f, 650, 1).late_outcome, OUTCOME_BUSY);
    assert_in_doubt(f, 650, 1);
    assert_in_doubt(f, 699, 1);
}

static void a_crash_in_the_middle_goes_on_with_what_is_left(void **state)
{
    struct fixture *f = *state;

    launch_many(f);
    stage_restore(f->stage, f->stage->mono, ERA);
    assert_true(stage_step(f->stage)); /* the era */
    assert_true(stage_step(f->stage)); /* a slice */
    assert_true(live_calls(f) > 0);
    assert_true(live_calls(f) < 700);
    stage_crash(f->stage, f->stage->mono); /* the row of the restore may be gone by now, or not */
    stage_run(f->stage);
    assert_int_equal(live_calls(f), 0);
    restore(f, ERA);
    assert_int_equal(state_of(f).counters.failed, 700);
}

static void what_is_queued_afterwards_is_of_the_new_era(void **state)
{
    struct fixture *f = *state;
    struct live_call row;

    f->settings.retry = (struct retry_strategy){
        .type = RETRY_FIXED_DELAY, .max_retries = 3, .delay_ms = MS_PER_MINUTE};
    launch(f, 1);
    restore(f, ERA);
    pass(f, MS_PER_MINUTE);
    assert_true(is_live(f, 0, &row));
    assert_int_equal(row.attempt, 2);
    assert_int_equal(row.era, ERA);
    stage_crash(f->stage, f->stage->mono);
    stage_run(f->stage);
    restore(f, ERA); /* told again: nothing happens */
    assert_true(is_live(f, 0, &row));
    assert_int_equal(row.attempt, 2);
    restore(f, NEXT_ERA);
    assert_false(is_live(f, 0, &row));
    assert_in_doubt(f, 0, 2);
    assert_int_equal(call_of(f, 0, 2).era, ERA);
}

static void an_answer_to_the_lost_store_is_unknown(void **state)
{
    struct fixture *f = *state;

    f->settings.pacing.max_concurrent_calls = 1;
    launch(f, 2);
    restore(f, ERA); /* entry 1 was queued after the backup, as of era 0 */
    claim(f, 1);
    assert_int_equal(f->last.calls[0].entry, 1);
    assert_int_equal(result_of_era(f, 1, 0), EVENT_UNKNOWN);
    assert_int_equal(result_of_era(f, 1, NEXT_ERA), EVENT_UNKNOWN);
    assert_int_equal(result_of_era(f, 1, ERA), EVENT_ACCEPTED);
}

static void credits_come_back(void **state)
{
    struct fixture *f = *state;
    const struct key key = key_u32(1);
    struct credits credits;

    stage_set_credits(f->stage, 1, 5);
    launch(f, 3);
    restore(f, ERA);
    assert_true(world_get(f->stage->world, TABLE_CREDITS, &key, &credits));
    assert_int_equal(credits.balance, 5);
    assert_int_equal(credits.reserved, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(each_call_under_way_ends_in_doubt_whatever_its_state),
    CASE(a_permission_is_refused_and_a_result_is_late),
    CASE(an_event_in_between_settles_its_own_call_first),
    CASE(a_crash_in_the_middle_goes_on_with_what_is_left),
    CASE(what_is_queued_afterwards_is_of_the_new_era),
    CASE(an_answer_to_the_lost_store_is_unknown),
    CASE(credits_come_back),
};
OD_TEST_MAIN(tests)
