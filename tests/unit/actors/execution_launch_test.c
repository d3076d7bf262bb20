/* Launch and snapshot: api.md, "Executions" ("contacts with doNotCall are left out of the
 * snapshot"), engine.md (slices). */
#include "tests/unit/actors/execution_fixture.h"

static void a_launch_takes_the_audience_and_is_answered(void **state)
{
    struct fixture *f = *state;
    struct key active = key_organisation_execution(1, FIXTURE_EXECUTION);

    launch(f, 3);
    assert_int_equal(f->last.kind, REPLY_LAUNCHED);
    assert_int_equal(f->last.count, 1);
    assert_counters(f, 0, 3, 0, 0, 0); /* and dials at once */
    assert_int_equal(state_of(f).status, EXECUTION_RUNNING);
    assert_int_equal(state_of(f).actual_start_at, STAGE_START);
    assert_true(world_has(f->stage->world, TABLE_ACTIVE_EXECUTION, &active));
    assert_int_equal(world_count(f->stage->world, TABLE_ENDED_EXECUTION, NULL), 0);
}

static void who_must_not_be_called_is_left_out(void **state)
{
    struct fixture *f = *state;

    stage_put_contact(f->stage, 1, 1, 101, true);
    stage_put_contact(f->stage, 1, 1, 103, false);
    stage_put_contact(f->stage, 1, 1, 104, false);
    stage_delete_contact(f->stage, 1, 104);
    stage_launch(f->stage, &f->settings, FIXTURE_EXCHANGE);
    assert_counters(f, 0, 1, 0, 0, 0);
}

static void who_joins_the_audience_later_is_not_taken(void **state)
{
    struct fixture *f = *state;

    for (uint32_t i = 0; i < 600; i++) {
        stage_put_contact(f->stage, 1, 1, 1000 + 2 * i, false);
    }
    f->stage->is_held = true;
    stage_launch(f->stage, &f->settings, FIXTURE_EXCHANGE);
    stage_step(f->stage); /* the first slice */
    f->stage->at += 10;
    stage_put_contact(f->stage, 1, 1, 1000 + 2 * 599 - 1, false);
    stage_run(f->stage);
    assert_int_equal(state_of(f).counters.total, 600);
}

static void an_empty_audience_completes_at_once(void **state)
{
    struct fixture *f = *state;

    launch(f, 0);
    assert_int_equal(f->last.kind, REPLY_LAUNCHED);
    assert_int_equal(state_of(f).status, EXECUTION_COMPLETED);
    assert_int_equal(world_count(f->stage->world, TABLE_ACTIVE_EXECUTION, NULL), 0);
    assert_int_equal(world_count(f->stage->world, TABLE_ENDED_EXECUTION, NULL), 1);
    assert_null(stage_find(f->stage, FIXTURE_EXECUTION));
}

/* The launch is answered when all contacts are in, so that what happens to the audience after the
 * answer changes nothing; what is in is dialled meanwhile. */
static void a_large_audience_is_taken_in_slices(void **state)
{
    struct fixture *f = *state;
    struct message message = {.actor = {ACTOR_EXECUTION, FIXTURE_EXECUTION},
                              .type = MESSAGE_LAUNCH,
                              .exchange = FIXTURE_EXCHANGE,
                              .payload.launch.settings = &f->settings};

    for (uint32_t i = 1; i <= 2600; i++) {
        stage_put_contact(f->stage, 1, 1, 20000 + i, false);
    }
    f->settings.created_at = f->stage->at;
    f->settings.timezone = SLICE("UTC");
    f->settings.mode = MODE_BATCH;
    f->settings.id = stage_id(1);
    f->settings.retry.type = RETRY_NONE;
    stage_queue(f->stage, &message);
    stage_step(f->stage);
    assert_int_equal(state_of(f).counters.total, 500);
    assert_int_equal(f->last.count, 0);
    while (f->last.count == 0) {
        assert_true(stage_step(f->stage));
    }
    assert_true(state_of(f).snapshot_done);
    assert_int_equal(state_of(f).counters.total, 2600);
    assert_int_equal(state_of(f).counters.in_progress, 100); /* the gateway's room */
    stage_run(f->stage);
    assert_int_equal(state_of(f).counters.total, 2600);
    assert_int_equal(f->last.count, 1);
}

static void a_crash_in_the_middle_goes_on_where_the_last_batch_ended(void **state)
{
    struct fixture *f = *state;

    for (uint32_t i = 1; i <= 1700; i++) {
        stage_put_contact(f->stage, 1, 1, 20000 + i, false);
    }
    f->stage->is_held = true;
    stage_launch(f->stage, &f->settings, FIXTURE_EXCHANGE);
    stage_step(f->stage);
    while (state_of(f).counters.total < 1000) {
        stage_step(f->stage);
    }
    stage_crash(f->stage, 1000);
    stage_run(f->stage);
    assert_int_equal(state_of(f).counters.total, 1700); /* none lost, none twice */
    assert_int_equal(world_count(f->stage->world, TABLE_ENTRY, NULL), 1700);
    assert_int_equal(f->last.count, 0); /* who waited has gone with the process */
}

static void a_stop_in_the_middle_ends_the_snapshot(void **state)
{
    struct fixture *f = *state;

    for (uint32_t i = 1; i <= 1200; i++) {
        stage_put_contact(f->stage, 1, 1, 20000 + i, false);
    }
    f->stage->is_held = true;
    stage_launch(f->stage, &f->settings, FIXTURE_EXCHANGE);
    stage_step(f->stage);
    command(f, MESSAGE_CANCEL);
    stage_run(f->stage);
    assert_int_equal(f->last.count, 2); /* both the launch and the cancel were answered */
    assert_int_equal(state_of(f).status, EXECUTION_CANCELLED);
    assert_true(state_of(f).counters.total < 1200);
    assert_true(state_of(f).skip_done);
}

/* startAt in the past or absent means at once. */
static void an_execution_starts_at_its_start(void **state)
{
    struct fixture *f = *state;

    f->settings.start_at = STAGE_START + MS_PER_HOUR;
    launch(f, 1);
    assert_int_equal(f->last.kind, REPLY_LAUNCHED);
    assert_int_equal(state_of(f).status, EXECUTION_SCHEDULED);
    pass(f, MS_PER_HOUR - 1);
    assert_counters(f, 1, 0, 0, 0, 0);
    pass(f, 1);
    assert_counters(f, 0, 1, 0, 0, 0);
    assert_int_equal(state_of(f).actual_start_at, STAGE_START + MS_PER_HOUR);
}

/* Programs name a gateway; without a name it is the default one. */
static void the_gateway_is_found_by_its_name(void **state)
{
    struct fixture *f = *state;

    f->settings.gateway = SLICE("");
    launch(f, 1);
    assert_int_equal(f->offer_count, 1);
    assert_int_equal(f->offers[0].gateway, STAGE_SIMULATOR);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_launch_takes_the_audience_and_is_answered),
    CASE(who_must_not_be_called_is_left_out),
    CASE(who_joins_the_audience_later_is_not_taken),
    CASE(an_empty_audience_completes_at_once),
    CASE(a_large_audience_is_taken_in_slices),
    CASE(a_crash_in_the_middle_goes_on_where_the_last_batch_ended),
    CASE(a_stop_in_the_middle_ends_the_snapshot),
    CASE(an_execution_starts_at_its_start),
    CASE(the_gateway_is_found_by_its_name),
};

OD_TEST_MAIN(tests)
