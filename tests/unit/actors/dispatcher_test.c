/* The dispatcher's own accounts and its wake-up; grants and claims have tests of their own. */
#include "base/instant.h"
#include "tests/unit/actors/dispatcher_fixture.h"
#include "tests/unit/model/defect.h"

static void a_new_one_is_empty_and_sleeps(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(dispatcher_in_flight(&f->dispatcher), 0);
    assert_int_equal(dispatcher_on_offer(&f->dispatcher, PULL), 0);
    assert_int_equal(dispatcher_waiting_claims(&f->dispatcher, PULL), 0);
    assert_int_equal(dispatcher_wake(&f->dispatcher).at, INSTANT_NEVER);
    assert_int_equal(dispatcher_wake(&f->dispatcher).mono, INSTANT_NEVER);
}

static void rooms_taken_and_given_back_add_up(void **state)
{
    struct fixture *f = *state;

    room(f, MESSAGE_CALLS_UNDER_WAY, 1, 11, PUSH, 3);
    room(f, MESSAGE_CALLS_UNDER_WAY, 2, 21, PULL, 2);
    assert_int_equal(dispatcher_in_flight(&f->dispatcher), 5);
    room(f, MESSAGE_CALL_OVER, 1, 11, PUSH, 3);
    room(f, MESSAGE_CALL_OVER, 2, 21, PULL, 2);
    assert_int_equal(dispatcher_in_flight(&f->dispatcher), 0);
}

/* What a child process does, whose copy of the dispatcher it is. */
static struct fixture *broken;

static void give_back_too_much(const void *unused)
{
    (void)unused;
    room(broken, MESSAGE_CALL_OVER, 1, 11, PUSH, 2);
}

static void give_back_for_another_organisation(const void *unused)
{
    (void)unused;
    room(broken, MESSAGE_CALL_OVER, 2, 21, PUSH, 1);
}

static void give_back_for_another_gateway(const void *unused)
{
    (void)unused;
    room(broken, MESSAGE_CALL_OVER, 1, 11, PULL, 1);
}

static void say_what_is_for_an_execution(const void *unused)
{
    (void)unused;
    tell(broken, MESSAGE_GRANT, 0, (union payload){.grant = {.calls = 1}});
}

static void more_room_than_was_taken_cannot_come_back(void **state)
{
    struct fixture *f = *state;

    room(f, MESSAGE_CALLS_UNDER_WAY, 1, 11, PUSH, 1);
    broken = f;
    assert_true(is_defect(give_back_too_much, NULL));
    assert_true(is_defect(give_back_for_another_organisation, NULL));
    assert_true(is_defect(give_back_for_another_gateway, NULL));
}

static void who_is_gone_wants_nothing(void **state)
{
    struct fixture *f = *state;
    union payload gone = {.demand = {.execution = 11, .organisation = 1, .is_gone = true}};

    demand(f, 1, 11, PUSH, 5);
    assert_string_equal(tell(f, MESSAGE_DEMAND, 0, gone), "");
    assert_string_equal(dispatch(f), "");
}

/* Any message does what was due, and who still has to wait says so again. */
static void a_wake_up_is_not_lost_by_another(void **state)
{
    struct fixture *f = *state;

    back_off(f, PUSH, 1000);
    back_off(f, PULL, 5000);
    assert_int_equal(dispatcher_wake(&f->dispatcher).mono, FIXTURE_MONO + 1000);
    f->mono += 1500;
    demand(f, 1, 11, PUSH, 1);
    assert_int_equal(dispatcher_wake(&f->dispatcher).mono, FIXTURE_MONO + 5000);
    f->mono += 4000;
    tick(f);
    assert_int_equal(dispatcher_wake(&f->dispatcher).mono, INSTANT_NEVER);
}

static void a_message_for_somebody_else_is_a_defect(void **state)
{
    broken = *state;
    assert_true(is_defect(say_what_is_for_an_execution, NULL));
}

static const struct CMUnitTest tests[] = {
    CASE(a_new_one_is_empty_and_sleeps),
    CASE(rooms_taken_and_given_back_add_up),
    CASE(more_room_than_was_taken_cannot_come_back),
    CASE(who_is_gone_wants_nothing),
    CASE(a_wake_up_is_not_lost_by_another),
    CASE(a_message_for_somebody_else_is_a_defect),
};

OD_TEST_MAIN(tests)
