/* Live mode: triggers follow the contacts, fire, and end. */
#include "tests/unit/actors/live_fixture.h"

/* ---- the launch ---- */

static void a_launch_makes_a_trigger_for_each_contact_with_a_value(void **state)
{
    struct fixture *f = *state;

    put_contact(f, 101, DATE_1H);
    put_contact(f, 102, NULL);
    put_contact(f, 103, DATE_BEFORE);
    start(f);
    assert_int_equal(f->last.kind, REPLY_LAUNCHED);
    assert_int_equal(count(f, TABLE_TRIGGER), 2);
    assert_trigger(f, 0, TRIGGER_MISSED, hours(-1), 1);
    assert_trigger(f, 1, TRIGGER_PENDING, hours(1), 0);
    assert_int_equal(count(f, TABLE_TRIGGER_DUE), 1);
    assert_int_equal(count(f, TABLE_LIVE_EXECUTION), 1);
    assert_counters(f, 0, 0, 0, 0, 0);
}

static void members_of_the_audience_get_no_entry(void **state)
{
    struct fixture *f = *state;

    launch(f, 3);
    assert_int_equal(count(f, TABLE_ENTRY), 0);
    assert_int_equal(state_of(f).status, EXECUTION_RUNNING);
}

/* 1,200 contacts are three slices, and other letters have their turn between them. */
static void a_launch_goes_in_slices_with_others_in_between(void **state)
{
    struct fixture *f = *state;
    unsigned steps = 0;

    for (uint32_t i = 0; i < 1200; i++) {
        put_contact(f, 10000 + i, DATE_1H);
    }
    f->stage->is_held = true;
    start(f);
    assert_true(stage_step(f->stage));
    assert_int_equal(count(f, TABLE_TRIGGER), 500);
    assert_int_equal(f->last.count, 0);
    command(f, MESSAGE_PAUSE); /* behind the second slice, before the third */
    while (stage_step(f->stage)) {
        steps++;
        if (steps == 2) {
            assert_int_equal(f->last.status, EXECUTION_PAUSED);
            assert_int_equal(count(f, TABLE_TRIGGER), 1000);
        }
    }
    assert_int_equal(count(f, TABLE_TRIGGER), 1200);
    assert_int_equal(f->last.kind, REPLY_LAUNCHED);
}

static void a_crash_between_slices_goes_on(void **state)
{
    struct fixture *f = *state;

    for (uint32_t i = 0; i < 1200; i++) {
        put_contact(f, 10000 + i, DATE_1H);
    }
    f->stage->is_held = true;
    start(f);
    assert_true(stage_step(f->stage));
    f->stage->is_held = false;
    restart(f);
    assert_int_equal(count(f, TABLE_TRIGGER), 1200);
    assert_true(state_of(f).snapshot_done);
    assert_int_equal(state_of(f).next_trigger, 1200);
}

/* What has changed is known already when the walk comes to it, and what changes behind the walk is
 * told. */
static void contacts_change_while_the_launch_goes_on(void **state)
{
    struct fixture *f = *state;

    for (uint32_t i = 0; i < 1200; i++) {
        put_contact(f, 10000 + i, DATE_1H);
    }
    f->stage->is_held = true;
    start(f);
    assert_true(stage_step(f->stage));
    change(f, 10001, DATE_2H); /* walked already */
    change(f, 11100, DATE_2H); /* not yet */
    put_contact(f, 20000, DATE_2H);
    tell(f, 20000); /* new */
    f->stage->is_held = false;
    stage_run(f->stage);
    assert_int_equal(count(f, TABLE_TRIGGER), 1201);
    assert_int_equal(count(f, TABLE_TRIGGER_DUE), 1201);
    for (size_t n = 1198; n < 1201; n++) {
        int64_t due_at;

        assert_int_equal(trigger_of(f, n, &due_at, NULL), TRIGGER_PENDING);
        assert_true(due_at == hours(2));
    }
}

static void a_cancel_in_the_middle_of_a_launch_answers_it(void **state)
{
    struct fixture *f = *state;

    for (uint32_t i = 0; i < 1200; i++) {
        put_contact(f, 10000 + i, DATE_1H);
    }
    f->stage->is_held = true;
    start(f);
    assert_true(stage_step(f->stage));
    command(f, MESSAGE_CANCEL);
    f->stage->is_held = false;
    stage_run(f->stage);
    assert_int_equal(f->last.count, 2);
    assert_int_equal(count(f, TABLE_TRIGGER_DUE), 0);
    assert_int_equal(count(f, TABLE_LIVE_EXECUTION), 0);
    assert_int_equal(trigger_of(f, 0, NULL, NULL), TRIGGER_CANCELLED);
    assert_null(stage_find(f->stage, FIXTURE_EXECUTION));
}

/* ---- changes ---- */

static void a_changed_value_moves_the_pending_trigger(void **state)
{
    struct fixture *f = *state;

    put_contact(f, 101, DATE_1H);
    start(f);
    change(f, 101, DATE_2H);
    assert_int_equal(count(f, TABLE_TRIGGER), 1);
    assert_trigger(f, 0, TRIGGER_PENDING, hours(2), 0);
    assert_int_equal(count(f, TABLE_TRIGGER_DUE), 1);
    pass(f, MS_PER_HOUR);
    assert_counters(f, 0, 0, 0, 0, 0);
    pass(f, MS_PER_HOUR);
    assert_counters(f, 0, 1, 0, 0, 0);
}

static void an_unchanged_value_changes_nothing(void **state)
{
    struct fixture *f = *state;

    put_contact(f, 101, DATE_1H);
    put_contact(f, 102, DATE_BEFORE);
    start(f);
    tell(f, 101);
    tell(f, 102);
    pass(f, MS_PER_HOUR);
    tell(f, 101);
    change(f, 101, "2026-01-05T12:00:00+01:00"); /* the same instant */
    change(f, 101, NULL);
    change(f, 101, DATE_1H);
    assert_int_equal(count(f, TABLE_TRIGGER), 2);
    assert_trigger(f, 0, TRIGGER_MISSED, hours(-1), 1);
    assert_trigger(f, 1, TRIGGER_FIRED, hours(1), 0);
}

static void what_has_no_value_any_more_is_cancelled(void **state)
{
    struct fixture *f = *state;

    put_contact(f, 101, DATE_1H);
    put_contact(f, 102, DATE_2H);
    start(f);
    change(f, 101, NULL);
    stage_delete_contact(f->stage, 1, 102);
    tell(f, 102);
    assert_trigger(f, 0, TRIGGER_CANCELLED, hours(1), 0);
    assert_trigger(f, 1, TRIGGER_CANCELLED, hours(2), 1);
    assert_int_equal(count(f, TABLE_TRIGGER_DUE), 0);
    change(f, 101, DATE_1H);
    assert_trigger(f, 1, TRIGGER_PENDING, hours(1), 2);
}

static void a_new_date_after_firing_is_a_new_trigger(void **state)
{
    struct fixture *f = *state;

    put_contact(f, 101, DATE_1H);
    start(f);
    pass(f, MS_PER_HOUR);
    change(f, 101, DATE_2H);
    assert_trigger(f, 0, TRIGGER_FIRED, hours(1), 0);
    assert_trigger(f, 1, TRIGGER_PENDING, hours(2), 1);
    change(f, 101, DATE_1H); /* that one has fired */
    assert_trigger(f, 1, TRIGGER_CANCELLED, hours(2), 1);
    assert_int_equal(count(f, TABLE_TRIGGER), 2);
    assert_int_equal(count(f, TABLE_ENTRY), 1);
}

static void a_date_before_the_launch_is_missed(void **state)
{
    struct fixture *f = *state;

    put_contact(f, 101, DATE_1H);
    start(f);
    change(f, 101, DATE_BEFORE);
    assert_trigger(f, 0, TRIGGER_MISSED, hours(-1), 0);
    assert_int_equal(count(f, TABLE_TRIGGER_DUE), 0);
}

/* "due before the launch": one that is due at its very instant fires. */
static void a_date_at_the_launch_fires(void **state)
{
    struct fixture *f = *state;

    put_contact(f, 101, DATE_NOW);
    start(f);
    assert_trigger(f, 0, TRIGGER_FIRED, hours(0), 0);
    assert_int_equal(count(f, TABLE_ENTRY), 1);
}

static void an_ended_execution_takes_no_changes(void **state)
{
    struct fixture *f = *state;

    start(f);
    command(f, MESSAGE_CANCEL);
    change(f, 101, DATE_1H);
    assert_int_equal(count(f, TABLE_TRIGGER), 0);
}

/* ---- firing ---- */

static void a_trigger_fires_into_audience_and_execution(void **state)
{
    struct fixture *f = *state;
    struct uuid audience_id = stage_id(AUDIENCE_ID);
    struct key key = key_owned(1, &audience_id);
    struct audience audience;

    put_contact(f, 101, DATE_1H);
    start(f);
    pass(f, MS_PER_HOUR - 1);
    assert_counters(f, 0, 0, 0, 0, 0);
    pass(f, 1);
    assert_counters(f, 0, 1, 0, 0, 0);
    assert_trigger(f, 0, TRIGGER_FIRED, hours(1), 0);
    assert_int_equal(count(f, TABLE_MEMBER), 1);
    assert_true(world_get(f->stage->world, TABLE_AUDIENCE, &key, &audience));
    assert_int_equal(audience.contact_count, 1);
    claim(f, 1);
    assert_int_equal(result(f, 0, 1, OUTCOME_ANSWERED), EVENT_ACCEPTED);
    assert_counters(f, 0, 0, 1, 0, 0);
    assert_int_equal(state_of(f).status, EXECUTION_RUNNING); /* it never completes */
}

static void due_and_past_fires_at_once(void **state)
{
    struct fixture *f = *state;

    start(f);
    pass(f, 2 * MS_PER_HOUR);
    change(f, 101, DATE_1H);
    assert_trigger(f, 0, TRIGGER_FIRED, hours(1), 0);
    assert_counters(f, 0, 1, 0, 0, 0);
}

static void it_fires_while_paused_and_the_contact_waits(void **state)
{
    struct fixture *f = *state;

    put_contact(f, 101, DATE_1H);
    start(f);
    command(f, MESSAGE_PAUSE);
    pass(f, MS_PER_HOUR);
    assert_counters(f, 1, 0, 0, 0, 0);
    command(f, MESSAGE_RESUME);
    assert_counters(f, 0, 1, 0, 0, 0);
}

static void what_came_due_while_it_was_down_fires_at_the_start(void **state)
{
    struct fixture *f = *state;

    put_contact(f, 101, DATE_1H);
    put_contact(f, 102, DATE_2H);
    start(f);
    f->stage->at = hours(2) - 1;
    restart(f);
    assert_trigger(f, 0, TRIGGER_FIRED, hours(1), 0);
    assert_trigger(f, 1, TRIGGER_PENDING, hours(2), 1);
    pass(f, 1);
    assert_trigger(f, 1, TRIGGER_FIRED, hours(2), 1);
}

static void nothing_fires_after_the_end(void **state)
{
    struct fixture *f = *state;

    put_contact(f, 101, DATE_1H);
    f->settings.stop_at = hours(1);
    start(f);
    pass(f, 2 * MS_PER_HOUR);
    assert_trigger(f, 0, TRIGGER_CANCELLED, hours(1), 0);
    assert_counters(f, 0, 0, 0, 0, 0);
}

static void many_due_at_once_fire_in_slices(void **state)
{
    struct fixture *f = *state;
    uint64_t before;

    f->settings.start_at = hours(9);
    for (uint32_t i = 0; i < 500; i++) {
        put_contact(f, 10000 + i, DATE_1H);
    }
    start(f);
    before = f->stage->handled;
    pass(f, MS_PER_HOUR);
    assert_counters(f, 500, 0, 0, 0, 0);
    assert_int_equal(count(f, TABLE_MEMBER), 500);
    assert_int_equal(f->stage->handled - before, 6); /* a TICK, two slices, each with its members */
}

static void with_yearly_the_next_one_is_pending(void **state)
{
    struct fixture *f = *state;

    f->settings.trigger.recurrence = RECURRENCE_YEARLY;
    put_contact(f, 101, "1990-01-06");
    start(f);
    for (int year = 0; year < 3; year++) {
        int64_t due_at;

        assert_int_equal(count(f, TABLE_TRIGGER_DUE), 1);
        assert_int_equal(trigger_of(f, (size_t)year, &due_at, NULL), TRIGGER_PENDING);
        stage_advance(f->stage, due_at);
        claim(f, 1);
        assert_int_equal(f->last.calls[0].entry, year);
        assert_int_equal(f->last.calls[0].attempt, 1);
        result(f, (uint32_t)year, 1, OUTCOME_ANSWERED);
        tell(f, 101);
    }
    assert_int_equal(count(f, TABLE_TRIGGER), 4);
    assert_int_equal(count(f, TABLE_MEMBER), 1);
    assert_counters(f, 0, 0, 3, 0, 0);
}

/* The wall clock is set back to before the launch: what has fired stays so, and others are due by
 * the clock as it is now. */
static void a_clock_that_is_set_back_fires_nothing_twice(void **state)
{
    struct fixture *f = *state;

    put_contact(f, 101, DATE_1H);
    start(f);
    stage_advance(f->stage, hours(2));
    assert_trigger(f, 0, TRIGGER_FIRED, hours(1), 0);
    stage_set_clock(f->stage, hours(-3));
    change(f, 101, DATE_1H);
    change(f, 102, DATE_BEFORE);
    change(f, 103, DATE_1H);
    restart(f);
    assert_trigger(f, 0, TRIGGER_MISSED, hours(-1), 1);
    assert_trigger(f, 1, TRIGGER_FIRED, hours(1), 0);
    assert_trigger(f, 2, TRIGGER_PENDING, hours(1), 2);
    stage_advance(f->stage, hours(2));
    assert_trigger(f, 2, TRIGGER_FIRED, hours(1), 2);
    assert_int_equal(count(f, TABLE_TRIGGER), 3);
    assert_int_equal(count(f, TABLE_ENTRY), 2);
}

/* ---- the zone ---- */

static const struct zone_change west_changes[] = {{INT64_MIN, -3600}};
static const struct zone_table west = {"Some/West", west_changes, 1, INSTANT_NEVER};
static const struct zone_change east_changes[] = {{INT64_MIN, 3600}};
static const struct zone_table east = {"Some/West", east_changes, 1, INSTANT_NEVER};

static void send_rules(struct fixture *f, const struct zone_table *zone)
{
    struct message message = {.actor = {ACTOR_EXECUTION, FIXTURE_EXECUTION},
                              .type = MESSAGE_ZONE_RULES};

    message.payload.zone = zone;
    stage_post(f->stage, &message);
}

static void new_rules_move_what_is_pending(void **state)
{
    struct fixture *f = *state;
    int64_t midnight = STAGE_START + 14 * MS_PER_HOUR;

    world_add_zone(f->stage->world, &west);
    f->settings.timezone = SLICE("Some/West");
    put_contact(f, 101, "2026-01-06");
    put_contact(f, 102, "2026-01-05");
    start(f);
    assert_trigger(f, 0, TRIGGER_MISSED, midnight - MS_PER_DAY + MS_PER_HOUR, 1);
    assert_trigger(f, 1, TRIGGER_PENDING, midnight + MS_PER_HOUR, 0);
    send_rules(f, &east);
    assert_trigger(f, 0, TRIGGER_MISSED, midnight - MS_PER_DAY + MS_PER_HOUR, 1);
    assert_trigger(f, 1, TRIGGER_PENDING, midnight - MS_PER_HOUR, 0);
}

static void without_rules_the_launch_is_answered_and_waits_for_them(void **state)
{
    struct fixture *f = *state;

    f->settings.timezone = SLICE("Some/West");
    put_contact(f, 101, "2026-01-06");
    start(f);
    assert_int_equal(f->last.kind, REPLY_LAUNCHED);
    tell(f, 101);
    assert_int_equal(count(f, TABLE_TRIGGER), 0);
    send_rules(f, &west);
    assert_int_equal(count(f, TABLE_TRIGGER), 1);
}

/* The zone has rules, and has none after a restart: its file has gone. */
static void start_and_lose_rules(struct fixture *f, uint32_t contact, const char *date)
{
    f->settings.timezone = SLICE("Some/West");
    put_contact(f, contact, date);
    start(f);
    send_rules(f, &west);
    assert_int_equal(count(f, TABLE_TRIGGER), 1);
    restart(f);
}

static void without_rules_a_contact_that_goes_is_heard(void **state)
{
    struct fixture *f = *state;
    struct uuid id = stage_id(101);
    struct key key = key_owned(1, &id);

    start_and_lose_rules(f, 101, "2026-01-06");
    world_delete(f->stage->world, TABLE_CONTACT, &key);
    tell(f, 101);
    assert_trigger(f, 0, TRIGGER_CANCELLED, hours(15), 0);
}

static void without_rules_a_change_waits_for_them_through_a_restart(void **state)
{
    struct fixture *f = *state;

    start_and_lose_rules(f, 101, "2026-01-06");
    change(f, 101, "2026-01-07");
    assert_trigger(f, 0, TRIGGER_PENDING, hours(15), 0);
    world_add_zone(f->stage->world, &west);
    restart(f);
    assert_trigger(f, 0, TRIGGER_PENDING, hours(39), 0);
}

static void without_rules_a_year_is_made_when_they_are_there(void **state)
{
    struct fixture *f = *state;

    f->settings.trigger.recurrence = RECURRENCE_YEARLY;
    start_and_lose_rules(f, 101, "1990-01-06");
    stage_advance(f->stage, hours(15));
    assert_trigger(f, 0, TRIGGER_FIRED, hours(15), 0);
    assert_int_equal(count(f, TABLE_TRIGGER), 1);
    send_rules(f, &west);
    assert_int_equal(count(f, TABLE_TRIGGER), 2);
    assert_trigger(f, 1, TRIGGER_PENDING, hours(15) + 365 * MS_PER_DAY, 1);
    send_rules(f, &west);
    assert_int_equal(count(f, TABLE_TRIGGER), 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, live_setup, fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_launch_makes_a_trigger_for_each_contact_with_a_value),
    CASE(members_of_the_audience_get_no_entry),
    CASE(a_launch_goes_in_slices_with_others_in_between),
    CASE(a_crash_between_slices_goes_on),
    CASE(contacts_change_while_the_launch_goes_on),
    CASE(a_cancel_in_the_middle_of_a_launch_answers_it),
    CASE(a_changed_value_moves_the_pending_trigger),
    CASE(an_unchanged_value_changes_nothing),
    CASE(what_has_no_value_any_more_is_cancelled),
    CASE(a_new_date_after_firing_is_a_new_trigger),
    CASE(a_date_before_the_launch_is_missed),
    CASE(a_date_at_the_launch_fires),
    CASE(an_ended_execution_takes_no_changes),
    CASE(a_trigger_fires_into_audience_and_execution),
    CASE(due_and_past_fires_at_once),
    CASE(it_fires_while_paused_and_the_contact_waits),
    CASE(what_came_due_while_it_was_down_fires_at_the_start),
    CASE(nothing_fires_after_the_end),
    CASE(many_due_at_once_fire_in_slices),
    CASE(with_yearly_the_next_one_is_pending),
    CASE(a_clock_that_is_set_back_fires_nothing_twice),
    CASE(new_rules_move_what_is_pending),
    CASE(without_rules_a_contact_that_goes_is_heard),
    CASE(without_rules_a_change_waits_for_them_through_a_restart),
    CASE(without_rules_a_year_is_made_when_they_are_there),
    CASE(without_rules_the_launch_is_answered_and_waits_for_them),
};

OD_TEST_MAIN(tests)
