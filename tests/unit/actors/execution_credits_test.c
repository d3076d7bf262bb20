/* Credits from the execution's side: reserved when a call is queued, spent or returned at its end,
 * and what happens when there are none (api.md, `paused_no_credits`). */
#include "tests/unit/actors/execution_fixture.h"

static void assert_credits(struct fixture *f, int64_t balance, uint64_t reserved)
{
    struct key key = key_u32(1);
    struct credits row;

    assert_true(world_get(f->stage->world, TABLE_CREDITS, &key, &row));
    assert_true(row.is_limited);
    assert_int_equal(row.balance, balance);
    assert_int_equal(row.reserved, reserved);
}

static void a_call_reserves_one_and_its_outcome_settles_it(void **state)
{
    struct fixture *f = *state;
    struct live_call live;

    stage_set_credits(f->stage, 1, 10);
    launch(f, 7);
    assert_credits(f, 3, 7);
    assert_true(is_live(f, 0, &live) && live.has_credit);
    claim(f, 7);
    for (uint32_t i = 0; i < 7; i++) {
        assert_int_equal(result(f, i, 1, OUTCOME_ANSWERED + i), EVENT_ACCEPTED);
        assert_credits(f, 3 + i, 6 - i); /* the first was answered: it is spent */
    }
    assert_int_equal(state_of(f).status, EXECUTION_COMPLETED);
}

static void unlimited_has_no_row_and_reserves_nothing(void **state)
{
    struct fixture *f = *state;
    struct live_call live;

    launch(f, 1);
    assert_true(is_live(f, 0, &live) && !live.has_credit);
    assert_int_equal(world_count(f->stage->world, TABLE_CREDITS, NULL), 0);
    stage_set_credits(f->stage, 1, 4);
    claim(f, 1);
    assert_int_equal(result(f, 0, 1, OUTCOME_BUSY), EVENT_ACCEPTED);
    assert_credits(f, 4, 0); /* it had none to return */
}

static void the_row_of_an_older_program_counts(void **state)
{
    struct fixture *f = *state;
    struct organisation row = {.number = 2,
                               .name = SLICE("Rif"),
                               .timezone = SLICE("UTC"),
                               .has_credits = true,
                               .credits = 1};
    struct key key = key_u32(2);
    struct credits credits;

    world_put(f->stage->world, TABLE_ORGANISATION, &key, &row);
    f->settings.organisation = 2;
    stage_put_contact(f->stage, 2, 1, 101, false);
    stage_put_contact(f->stage, 2, 1, 102, false);
    stage_launch(f->stage, &f->settings, FIXTURE_EXCHANGE);
    assert_int_equal(state_of(f).status, EXECUTION_PAUSED_NO_CREDITS);
    assert_true(world_get(f->stage->world, TABLE_CREDITS, &key, &credits));
    assert_int_equal(credits.balance, 0);
    assert_int_equal(credits.reserved, 1);
}

static void none_left_pauses_until_a_resume(void **state)
{
    struct fixture *f = *state;

    stage_set_credits(f->stage, 1, 2);
    launch(f, 5);
    assert_int_equal(state_of(f).status, EXECUTION_PAUSED_NO_CREDITS);
    assert_counters(f, 3, 2, 0, 0, 0);
    command(f, MESSAGE_RESUME);
    assert_int_equal(f->last.status, EXECUTION_RUNNING);
    assert_int_equal(state_of(f).status, EXECUTION_PAUSED_NO_CREDITS); /* and again */
    claim(f, 2);
    assert_int_equal(result(f, 0, 1, OUTCOME_BUSY), EVENT_ACCEPTED);
    assert_credits(f, 1, 1);
    assert_int_equal(state_of(f).status, EXECUTION_PAUSED_NO_CREDITS);
    stage_set_credits(f->stage, 1, 9);
    assert_int_equal(state_of(f).status, EXECUTION_PAUSED_NO_CREDITS);
    command(f, MESSAGE_RESUME);
    assert_int_equal(state_of(f).status, EXECUTION_RUNNING);
    assert_counters(f, 0, 4, 0, 1, 0);
    assert_credits(f, 6, 4);
}

static void who_may_not_be_called_is_skipped_without_one(void **state)
{
    struct fixture *f = *state;

    stage_set_credits(f->stage, 1, 0);
    f->settings.start_at = f->stage->at + MS_PER_HOUR;
    launch(f, 3);
    stage_put_contact(f->stage, 1, 1, 101, true);
    stage_delete_contact(f->stage, 1, 102);
    pass(f, MS_PER_HOUR);
    assert_int_equal(state_of(f).status, EXECUTION_PAUSED_NO_CREDITS);
    assert_counters(f, 1, 0, 0, 0, 2);
    stage_put_contact(f->stage, 1, 1, 103, true);
    command(f, MESSAGE_RESUME);
    assert_int_equal(state_of(f).status, EXECUTION_COMPLETED);
    assert_counters(f, 0, 0, 0, 0, 3);
}

static void many_who_may_not_be_called_are_skipped_too(void **state)
{
    struct fixture *f = *state;

    stage_set_credits(f->stage, 1, 0);
    f->settings.start_at = f->stage->at + MS_PER_HOUR;
    launch(f, 700);
    for (uint32_t i = 1; i <= 700; i++) {
        stage_put_contact(f->stage, 1, 1, 100 + i, true);
    }
    pass(f, MS_PER_HOUR);
    assert_int_equal(state_of(f).status, EXECUTION_COMPLETED);
    assert_counters(f, 0, 0, 0, 0, 700);
}

static void nobody_due_does_not_pause(void **state)
{
    struct fixture *f = *state;

    stage_set_credits(f->stage, 1, 1);
    f->settings.retry = (struct retry_strategy){
        .type = RETRY_FIXED_DELAY, .delay_ms = (uint32_t)MINUTE, .max_retries = 2};
    launch(f, 1);
    claim(f, 1);
    assert_int_equal(result(f, 0, 1, OUTCOME_BUSY), EVENT_ACCEPTED);
    stage_set_credits(f->stage, 1, 0);
    pass(f, MINUTE - 1);
    assert_int_equal(state_of(f).status, EXECUTION_RUNNING);
    pass(f, 1);
    assert_int_equal(state_of(f).status, EXECUTION_PAUSED_NO_CREDITS);
}

static void a_pause_window_does_not_pause(void **state)
{
    struct fixture *f = *state;

    stage_set_credits(f->stage, 1, 0);
    f->settings.has_pause_windows = true;
    f->window = (struct instant_window){STAGE_START, STAGE_START + MS_PER_HOUR};
    launch(f, 1);
    pass(f, MS_PER_HOUR - 1);
    assert_int_equal(state_of(f).status, EXECUTION_RUNNING);
    pass(f, 1);
    assert_int_equal(state_of(f).status, EXECUTION_PAUSED_NO_CREDITS);
}

static void a_skip_and_a_lapse_return_it(void **state)
{
    struct fixture *f = *state;

    f->stage->settings.lease_limit = 1;
    stage_set_credits(f->stage, 1, 2);
    launch(f, 2);
    claim(f, 2);
    stage_put_contact(f->stage, 1, 1, 101, true);
    assert_int_equal(started(f, 0, 1), EVENT_REFUSED);
    assert_credits(f, 1, 1);
    pass(f, f->stage->settings.lease_ms);
    assert_credits(f, 2, 0);
}

static void a_grant_that_is_not_used_comes_back(void **state)
{
    struct fixture *f = *state;
    struct message grant = {.actor = {ACTOR_EXECUTION, FIXTURE_EXECUTION}, .type = MESSAGE_TICK};

    stage_set_credits(f->stage, 1, 5);
    f->settings.start_at = f->stage->at + MS_PER_HOUR;
    launch(f, 3);
    for (uint32_t i = 1; i <= 3; i++) {
        stage_put_contact(f->stage, 1, 1, 100 + i, true);
    }
    pass(f, MS_PER_HOUR);
    stage_post(f->stage, &grant);
    assert_credits(f, 5, 0);
    assert_counters(f, 0, 0, 0, 0, 3);
}

static void a_crash_forgets_nothing(void **state)
{
    struct fixture *f = *state;

    stage_set_credits(f->stage, 1, 3);
    launch(f, 4);
    claim(f, 1);
    stage_crash(f->stage, 1000);
    stage_run(f->stage);
    assert_credits(f, 0, 3);
    assert_int_equal(state_of(f).status, EXECUTION_PAUSED_NO_CREDITS);
    assert_int_equal(result(f, f->last.calls[0].entry, 1, OUTCOME_NO_ANSWER), EVENT_ACCEPTED);
    assert_credits(f, 1, 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_call_reserves_one_and_its_outcome_settles_it),
    CASE(unlimited_has_no_row_and_reserves_nothing),
    CASE(the_row_of_an_older_program_counts),
    CASE(none_left_pauses_until_a_resume),
    CASE(who_may_not_be_called_is_skipped_without_one),
    CASE(many_who_may_not_be_called_are_skipped_too),
    CASE(nobody_due_does_not_pause),
    CASE(a_pause_window_does_not_pause),
    CASE(a_skip_and_a_lapse_return_it),
    CASE(a_grant_that_is_not_used_comes_back),
    CASE(a_crash_forgets_nothing),
};

OD_TEST_MAIN(tests)
