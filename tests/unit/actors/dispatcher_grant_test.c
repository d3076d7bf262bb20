/* Room is given out: caps, pace and turns (engine.md, "Fair sharing"). */
#include "tests/unit/actors/dispatcher_fixture.h"

#define DISPATCH "send dispatcher 0 dispatch later\n"

static void a_demand_asks_for_a_dispatch_once(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(demand(f, 1, 11, PUSH, 3), DISPATCH);
    assert_string_equal(demand(f, 1, 12, PUSH, 3), "");
    assert_string_equal(dispatch(f), "send execution 11 grant 3\nsend execution 12 grant 3\n");
    assert_int_equal(dispatcher_in_flight(&f->dispatcher), 6);
    assert_string_equal(demand(f, 1, 11, PUSH, 0), ""); /* nothing to do */
}

static void a_demand_replaces_what_was_said_before(void **state)
{
    struct fixture *f = *state;

    demand(f, 1, 11, PUSH, 9);
    demand(f, 1, 11, PUSH, 2);
    assert_string_equal(dispatch(f), "send execution 11 grant 2\n");
    demand(f, 1, 11, PUSH, 5);
    demand(f, 1, 11, PUSH, 0);
    assert_string_equal(dispatch(f), "");
}

static void a_gateways_room_is_shared_turn_by_turn(void **state)
{
    struct fixture *f = *state;

    demand(f, 1, 11, PUSH, 100);
    demand(f, 1, 12, PUSH, 100);
    demand(f, 2, 21, PUSH, 3);
    assert_string_equal(dispatch(f), "send execution 11 grant 4\nsend execution 21 grant 3\n"
                                     "send execution 12 grant 3\n");
    assert_string_equal(dispatch(f), "");
    assert_string_equal(room(f, MESSAGE_CALL_OVER, 2, 21, PUSH, 2), DISPATCH);
    assert_string_equal(dispatch(f), "send execution 12 grant 1\nsend execution 11 grant 1\n");
}

static void the_machine_has_a_cap_of_its_own(void **state)
{
    struct fixture *f = *state;

    f->settings.max_calls = 7;
    demand(f, 1, 11, PUSH, 5);
    demand(f, 1, 12, PULL, 5);
    assert_string_equal(dispatch(f), "send execution 11 grant 5\nsend execution 12 grant 2\n");
}

static void an_organisation_at_its_cap_passes_its_turns(void **state)
{
    struct fixture *f = *state;

    put_organisation(f, 1, 2, 0);
    demand(f, 1, 11, PUSH, 5);
    demand(f, 1, 12, PULL, 5);
    demand(f, 2, 21, PUSH, 5);
    assert_string_equal(dispatch(f), "send execution 11 grant 2\nsend execution 21 grant 5\n");
    room(f, MESSAGE_CALL_OVER, 1, 11, PUSH, 1);
    dispatch(f);
    assert_int_equal(dispatcher_in_flight(&f->dispatcher), 7); /* over all its gateways */
}

static void an_organisation_is_paced(void **state)
{
    struct fixture *f = *state;

    put_organisation(f, 1, 0, 10000000);
    demand(f, 1, 11, PUSH, 3);
    demand(f, 2, 21, PUSH, 3);
    assert_string_equal(dispatch(f), "send execution 11 grant 1\nsend execution 21 grant 3\n");
    assert_int_equal(dispatcher_wake(&f->dispatcher).mono, FIXTURE_MONO + 100);
    f->mono += 100;
    assert_string_equal(tick(f), DISPATCH);
    assert_string_equal(dispatch(f), "send execution 11 grant 1\n");
}

static void changed_caps_hold_at_once(void **state)
{
    struct fixture *f = *state;
    struct organisation changed = {.number = 1, .name = SLICE_INIT("Atlas")};
    union payload payload = {.organisation = &changed};

    put_organisation(f, 1, 1, 0);
    demand(f, 1, 11, PUSH, 5);
    assert_string_equal(dispatch(f), "send execution 11 grant 1\n");
    changed.max_concurrent_calls = 3;
    assert_string_equal(tell(f, MESSAGE_ORGANISATION_CHANGED, 0, payload), DISPATCH);
    assert_string_equal(dispatch(f), "send execution 11 grant 2\n");
}

static void a_pull_gateway_has_room_for_so_many_offers(void **state)
{
    struct fixture *f = *state;

    offered(f, 1, 11, 0, 6);
    demand(f, 1, 12, PULL, 9);
    assert_string_equal(dispatch(f), "send execution 12 grant 2\n"); /* 8 may be on offer */
    claim(f, 5, 3, false);
    assert_string_equal(dispatch(f), "send execution 12 grant 5\n");
}

static void a_gateway_that_backs_off_gets_nothing_until_then(void **state)
{
    struct fixture *f = *state;

    back_off(f, PUSH, 5000);
    demand(f, 1, 11, PUSH, 2);
    demand(f, 1, 12, PULL, 2);
    assert_string_equal(dispatch(f), "send execution 12 grant 2\n");
    assert_int_equal(dispatcher_wake(&f->dispatcher).mono, FIXTURE_MONO + 5000);
    back_off(f, PUSH, 1000); /* the longer one holds */
    f->mono += 5000;
    assert_string_equal(tick(f), DISPATCH);
    assert_string_equal(dispatch(f), "send execution 11 grant 2\n");
}

/* It pauses for all organisations: no event stops it for longer than an hour. */
static void a_gateway_backs_off_for_an_hour_at_most(void **state)
{
    struct fixture *f = *state;

    back_off(f, PUSH, INT64_C(86400000));
    demand(f, 1, 11, PUSH, 2);
    assert_string_equal(dispatch(f), "");
    assert_int_equal(dispatcher_wake(&f->dispatcher).mono, FIXTURE_MONO + INT64_C(3600000));
    f->mono += INT64_C(3600000);
    assert_string_equal(tick(f), DISPATCH);
    assert_string_equal(dispatch(f), "send execution 11 grant 2\n");
}

/* A pass ends after so many calls; it goes on, and not always with the same gateway first. */
static void a_busy_gateway_does_not_starve_another(void **state)
{
    struct fixture *f = *state;

    f->gateways[PUSH].max_calls = f->settings.max_calls = 100000;
    demand(f, 1, 11, PUSH, 100000);
    demand(f, 2, 21, PULL, 5);
    assert_string_equal(dispatch(f), "send execution 11 grant 256\n" DISPATCH);
    assert_string_equal(dispatch(f),
                        "send execution 21 grant 5\nsend execution 11 grant 251\n" DISPATCH);
}

static void calls_found_at_a_start_take_room(void **state)
{
    struct fixture *f = *state;

    room(f, MESSAGE_CALLS_UNDER_WAY, 1, 11, PUSH, 8);
    demand(f, 1, 11, PUSH, 5);
    assert_string_equal(dispatch(f), "send execution 11 grant 2\n");
}

static const struct CMUnitTest tests[] = {
    CASE(a_demand_asks_for_a_dispatch_once),
    CASE(a_demand_replaces_what_was_said_before),
    CASE(a_gateways_room_is_shared_turn_by_turn),
    CASE(the_machine_has_a_cap_of_its_own),
    CASE(an_organisation_at_its_cap_passes_its_turns),
    CASE(an_organisation_is_paced),
    CASE(changed_caps_hold_at_once),
    CASE(a_pull_gateway_has_room_for_so_many_offers),
    CASE(a_gateway_that_backs_off_gets_nothing_until_then),
    CASE(a_gateway_backs_off_for_an_hour_at_most),
    CASE(a_busy_gateway_does_not_starve_another),
    CASE(calls_found_at_a_start_take_room),
};

OD_TEST_MAIN(tests)
