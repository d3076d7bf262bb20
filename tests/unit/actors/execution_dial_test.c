/* From a due contact to a call on offer: engine.md, "When is the next call?"; api.md, "Pause
 * windows". */
#include "tests/unit/actors/execution_fixture.h"

static void contacts_are_dialled_in_the_order_of_their_due_instants(void **state)
{
    struct fixture *f = *state;

    f->settings.pacing.max_concurrent_calls = 1;
    f->settings.retry =
        (struct retry_strategy){.type = RETRY_FIXED_DELAY, .delay_ms = 60000, .max_retries = 1};
    launch(f, 3);
    for (uint32_t i = 0; i < 3; i++) { /* first come, first dialled */
        claim(f, 1);
        assert_int_equal(f->last.calls[0].entry, i);
        result(f, i, 1, OUTCOME_BUSY);
        pass(f, 100);
    }
    for (uint32_t i = 0; i < 3; i++) {
        pass(f, i == 0 ? 60000 - 300 : 100);
        claim(f, 1);
        assert_int_equal(f->last.calls[0].entry, i);
        result(f, i, 2, OUTCOME_ANSWERED);
    }
}

static void dids_are_used_in_turn(void **state)
{
    struct fixture *f = *state;
    struct live_call row;

    launch(f, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(is_live(f, i, &row));
        assert_int_equal(row.did, i % 2);
    }
    stage_put_did(f->stage, 0, 901, DID_INACTIVE);
    assert_int_equal(live_calls(f), 4); /* what is queued keeps its number */
}

static void an_inactive_did_is_passed_over(void **state)
{
    struct fixture *f = *state;
    struct live_call row;

    stage_put_did(f->stage, 0, 901, DID_INACTIVE);
    launch(f, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(is_live(f, i, &row));
        assert_int_equal(row.did, 1);
    }
}

/* "it is checked at the moment of dispatch and becomes skipped" */
static void who_must_not_be_called_any_more_is_skipped_at_dispatch(void **state)
{
    struct fixture *f = *state;

    f->settings.start_at = STAGE_START + MS_PER_HOUR;
    launch(f, 3);
    stage_put_contact(f->stage, 1, 1, 101, true);
    stage_delete_contact(f->stage, 1, 102);
    pass(f, MS_PER_HOUR);
    assert_counters(f, 0, 1, 0, 0, 2);
    assert_int_equal(entry_of(f, 0).status, ENTRY_SKIPPED);
    assert_int_equal(entry_of(f, 1).completed_at, f->stage->at);
    assert_int_equal(dispatcher_in_flight(&f->stage->dispatcher), 1);
}

/* A grant passes over so many at once, and goes on: 600 to skip before the first to call. */
static void many_to_skip_do_not_hold_up_the_rest(void **state)
{
    struct fixture *f = *state;

    f->settings.start_at = STAGE_START + MS_PER_HOUR;
    launch(f, 601);
    for (uint32_t i = 1; i <= 600; i++) {
        stage_delete_contact(f->stage, 1, 100 + i);
    }
    pass(f, MS_PER_HOUR);
    assert_counters(f, 0, 1, 0, 0, 600);
}

/* ---- windows ---- */

/* "In a window no call is started: contacts wait, none is skipped, and dialling resumes the moment
 * the last open window ends." */
static void nothing_is_queued_in_a_window(void **state)
{
    struct fixture *f = *state;

    f->settings.has_pause_windows = true;
    f->window = (struct instant_window){STAGE_START, STAGE_START + MS_PER_HOUR};
    launch(f, 2);
    assert_counters(f, 2, 0, 0, 0, 0);
    pass(f, MS_PER_HOUR - 1);
    assert_counters(f, 2, 0, 0, 0, 0);
    pass(f, 1);
    assert_counters(f, 0, 2, 0, 0, 0);
    assert_int_equal(f->stage->at, STAGE_START + MS_PER_HOUR);
}

static void calls_on_offer_are_withdrawn_when_a_window_opens(void **state)
{
    struct fixture *f = *state;
    struct live_call row;

    f->settings.has_pause_windows = true;
    f->window = (struct instant_window){STAGE_START + 1000, STAGE_START + 2000};
    launch(f, 2);
    claim(f, 1);
    pass(f, 1000);
    claim(f, 5);
    assert_int_equal(f->last.call_count, 0);
    assert_true(is_live(f, 1, &row)); /* queued it stays */
    pass(f, 1000);
    claim(f, 5);
    assert_int_equal(f->last.call_count, 1);
}

static void a_clock_that_is_set_back_out_of_a_window_lets_dialling_go_on(void **state)
{
    struct fixture *f = *state;

    f->settings.has_pause_windows = true;
    f->settings.pacing.max_concurrent_calls = 1;
    f->window = (struct instant_window){STAGE_START + MS_PER_HOUR, STAGE_START + 2 * MS_PER_HOUR};
    launch(f, 2);
    claim(f, 1);
    pass(f, MS_PER_HOUR);
    result(f, 0, 1, OUTCOME_ANSWERED);
    assert_counters(f, 1, 0, 1, 0, 0);
    stage_set_clock(f->stage, STAGE_START + 1000);
    assert_counters(f, 0, 1, 1, 0, 0);
}

/* Weekly windows of a zone whose rules nobody knows: never is always right. */
static void in_an_unknown_zone_nobody_is_called(void **state)
{
    struct fixture *f = *state;
    const struct weekly_window weekly = {.weekday = 0, .start_minute = 0, .end_minute = 60};
    const struct zone_change change = {INT64_MIN, 0};
    const struct zone_table atlantis = {"Atlantis", &change, 1, INSTANT_NEVER};
    struct message rules = {.actor = {ACTOR_EXECUTION, FIXTURE_EXECUTION},
                            .type = MESSAGE_ZONE_RULES,
                            .payload.zone = &atlantis};

    f->settings.has_pause_windows = true;
    f->settings.windows.weekly = &weekly;
    f->settings.windows.weekly_count = 1;
    f->settings.timezone = SLICE("Atlantis");
    launch(f, 1);
    pass(f, MS_PER_DAY); /* and it does not spin */
    assert_counters(f, 1, 0, 0, 0, 0);
    stage_post(f->stage, &rules);
    assert_counters(f, 0, 1, 0, 0, 0);
}

/* ---- room ---- */

static void no_more_than_its_cap_are_in_flight(void **state)
{
    struct fixture *f = *state;

    f->settings.pacing.max_concurrent_calls = 2;
    launch(f, 5);
    assert_int_equal(live_calls(f), 2);
    claim(f, 5);
    result(f, 0, 1, OUTCOME_ANSWERED);
    assert_int_equal(live_calls(f), 2);
}

static void calls_are_paced(void **state)
{
    struct fixture *f = *state;

    f->settings.pacing.calls_per_second_micro = 2000000; /* two a second */
    launch(f, 10);
    assert_int_equal(live_calls(f), 1);
    pass(f, 499);
    assert_int_equal(live_calls(f), 1);
    pass(f, 1);
    assert_int_equal(live_calls(f), 2);
    pass(f, 3000);
    assert_int_equal(live_calls(f), 8);
}

/* What the dispatcher holds of a demand that is over would be granted in vain, and spend the slots
 * of a tenant's pace: an execution with a single contact must not take half of them for minutes. */
static void no_more_is_wanted_than_there_are_contacts(void **state)
{
    struct fixture *f = *state;
    struct execution_settings other = f->settings;

    stage_put_organisation(f->stage, 1, 0, 10000000); /* ten calls a second */
    launch(f, 1);
    assert_int_equal(stage_find(f->stage, FIXTURE_EXECUTION)->demand_said, 0);
    for (uint32_t i = 1; i <= 60; i++) {
        stage_put_contact(f->stage, 1, 2, 1000 + i, false);
    }
    other.number = 2;
    other.audience = 2;
    other.id = other.program_id = UUID_NIL;
    stage_launch(f->stage, &other, 0);
    pass(f, 5000);
    assert_true(live_calls(f) >= 50); /* of 1 + 60 */
}

static void a_demand_that_a_grant_served_in_part_is_remembered(void **state)
{
    struct fixture *f = *state;

    f->stage->gateways[STAGE_WORKER].max_calls = 10;
    launch(f, 100);
    assert_int_equal(live_calls(f), 10);
    assert_int_equal(stage_find(f->stage, FIXTURE_EXECUTION)->demand_said, 90);
    command(f, MESSAGE_PAUSE);
    assert_int_equal(stage_find(f->stage, FIXTURE_EXECUTION)->demand_said, 0);
}

/* ---- a gateway that is configured no more ---- */

static void without_its_gateway_an_execution_waits_and_does_not_spin(void **state)
{
    struct fixture *f = *state;

    launch(f, 2);
    f->stage->gateways[STAGE_WORKER].name = "other";
    stage_crash(f->stage, 1000);
    pass(f, MS_PER_DAY);
    assert_counters(f, 0, 2, 0, 0, 0);
    f->stage->gateways[STAGE_WORKER].name = "worker";
    stage_crash(f->stage, 1000);
    stage_run(f->stage);
    claim(f, 5);
    assert_int_equal(f->last.call_count, 2);
}

/* ---- after a crash ---- */

static void queued_calls_are_offered_again_after_a_crash(void **state)
{
    struct fixture *f = *state;

    launch(f, 3);
    claim(f, 1);
    started(f, 0, 1);
    claim(f, 1);
    stage_crash(f->stage, 5000);
    stage_run(f->stage);
    assert_int_equal(dispatcher_in_flight(&f->stage->dispatcher), 3);
    assert_int_equal(started(f, 1, 1), EVENT_ACCEPTED); /* its lease is whole */
    claim(f, 5);
    assert_int_equal(f->last.call_count, 1);
    assert_int_equal(f->last.calls[0].entry, 2);
}

static void a_push_gateway_hears_of_its_started_calls_after_a_crash(void **state)
{
    struct fixture *f = *state;

    f->settings.gateway = SLICE("simulator");
    launch(f, 2);
    assert_int_equal(f->offer_count, 2);
    started(f, 0, 1);
    f->offer_count = 0;
    stage_crash(f->stage, 5000);
    stage_run(f->stage);
    assert_int_equal(f->offer_count, 2);
    assert_true(f->offers[0].is_resumed && f->offers[0].was_started);
    assert_int_equal(f->offers[0].entry, 0);
    assert_false(f->offers[1].is_resumed);
}

/* A drain right after the start drops the TICK, and takes what workers have sent. */
static void calls_are_under_way_before_they_end(void **state)
{
    struct fixture *f = *state;

    launch(f, 3);
    claim(f, 1);
    started(f, 0, 1);
    stage_crash(f->stage, 5000);
    stage_drop_letters(f->stage);
    assert_int_equal(result(f, 0, 1, OUTCOME_ANSWERED), EVENT_ACCEPTED);
    assert_int_equal(dispatcher_in_flight(&f->stage->dispatcher), 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(contacts_are_dialled_in_the_order_of_their_due_instants),
    CASE(dids_are_used_in_turn),
    CASE(an_inactive_did_is_passed_over),
    CASE(who_must_not_be_called_any_more_is_skipped_at_dispatch),
    CASE(many_to_skip_do_not_hold_up_the_rest),
    CASE(nothing_is_queued_in_a_window),
    CASE(calls_on_offer_are_withdrawn_when_a_window_opens),
    CASE(a_clock_that_is_set_back_out_of_a_window_lets_dialling_go_on),
    CASE(in_an_unknown_zone_nobody_is_called),
    CASE(no_more_than_its_cap_are_in_flight),
    CASE(calls_are_paced),
    CASE(no_more_is_wanted_than_there_are_contacts),
    CASE(a_demand_that_a_grant_served_in_part_is_remembered),
    CASE(without_its_gateway_an_execution_waits_and_does_not_spin),
    CASE(queued_calls_are_offered_again_after_a_crash),
    CASE(a_push_gateway_hears_of_its_started_calls_after_a_crash),
    CASE(calls_are_under_way_before_they_end),
};

OD_TEST_MAIN(tests)
