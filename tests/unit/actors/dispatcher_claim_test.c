/* Calls on offer and the claims for them (api.md, "Worker gateway"). */
#include "tests/unit/actors/dispatcher_fixture.h"

#define DISPATCH "send dispatcher 0 dispatch later\n"

static void a_claim_takes_the_oldest_calls(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(offered(f, 1, 11, 0, 3), "");
    assert_string_equal(claim(f, 5, 2, false),
                        "send execution 11 call_claimed 0/1\nsend execution 11 call_claimed 1/1\n"
                        "reply 5: claimed 11/0/1 11/1/1\n" DISPATCH);
    assert_int_equal(dispatcher_on_offer(&f->dispatcher, PULL), 1);
    offered(f, 1, 11, 0, 1); /* put back: behind the one that waits */
    assert_string_equal(claim(f, 6, 9, false),
                        "send execution 11 call_claimed 2/1\nsend execution 11 call_claimed 0/1\n"
                        "reply 6: claimed 11/2/1 11/0/1\n");
}

static void each_call_has_a_claim_id_of_its_own(void **state)
{
    struct fixture *f = *state;
    const struct message *sent;
    const struct uuid nil = UUID_NIL;

    offered(f, 1, 11, 0, 2);
    world_take_messages(f->world, &sent);
    claim(f, 5, 2, false);
    assert_true(world_take_messages(f->world, &sent) >= 2);
    for (uint32_t i = 0; i < 2; i++) {
        struct uuid expected = claim_id_at(&nil, i);

        assert_true(uuid_equal(&sent[i].payload.claimed.claim_id, &expected));
    }
}

static void calls_are_claimed_turn_by_turn(void **state)
{
    struct fixture *f = *state;

    offered(f, 1, 11, 0, 3);
    offered(f, 1, 12, 0, 3);
    offered(f, 2, 21, 0, 3);
    claim(f, 5, 1, false);
    assert_non_null(strstr(claim(f, 6, 6, false),
                           "reply 6: claimed 21/0/1 12/0/1 21/1/1 11/1/1 21/2/1 12/1/1\n"));
}

static void a_claim_that_waits_is_served_when_calls_come(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(claim(f, 5, 2, true), "");
    assert_string_equal(claim(f, 6, 2, true), "");
    assert_int_equal(dispatcher_waiting_claims(&f->dispatcher, PULL), 2);
    assert_non_null(strstr(offered(f, 1, 11, 0, 3), "reply 5: claimed 11/0/1 11/1/1\n"));
    assert_int_equal(dispatcher_waiting_claims(&f->dispatcher, PULL), 0);
    assert_int_equal(dispatcher_on_offer(&f->dispatcher, PULL), 0);
}

static void a_claim_that_does_not_wait_is_answered_with_nothing(void **state)
{
    struct fixture *f = *state;
    union payload payload = {.claim = {.gateway = SLICE_INIT("nobody"), .max = 1, .waits = true}};

    assert_string_equal(claim(f, 5, 2, false), "reply 5: claimed\n");
    assert_string_equal(tell(f, MESSAGE_CLAIM, 6, payload), "reply 6: claimed\n");
}

static void a_claim_that_was_given_up_gets_nothing_more(void **state)
{
    struct fixture *f = *state;
    union payload none = {.grant = 0};

    claim(f, 5, 2, true);
    claim(f, 6, 2, true);
    assert_string_equal(tell(f, MESSAGE_CLAIM_GIVEN_UP, 5, none), "reply 5: claimed\n");
    assert_string_equal(tell(f, MESSAGE_CLAIM_GIVEN_UP, 5, none), ""); /* once is enough */
    assert_non_null(strstr(offered(f, 1, 11, 0, 1), "reply 6: claimed 11/0/1\n"));
}

static void a_claim_waits_while_the_gateway_backs_off(void **state)
{
    struct fixture *f = *state;

    back_off(f, PULL, 3000);
    offered(f, 1, 11, 0, 1);
    assert_string_equal(claim(f, 5, 1, true), "");
    assert_string_equal(claim(f, 6, 1, false), "reply 6: claimed\n");
    f->mono += 3000;
    assert_non_null(strstr(tick(f), "reply 5: claimed 11/0/1\n"));
}

/* ---- withdrawn ---- */

static void one_call_is_withdrawn(void **state)
{
    struct fixture *f = *state;

    offered(f, 1, 11, 0, 4);
    assert_string_equal(withdrawn(f, 1, 11, false, 2), DISPATCH);
    assert_string_equal(withdrawn(f, 1, 11, false, 2), ""); /* it is not there any more */
    assert_string_equal(withdrawn(f, 1, 99, false, 2), "");
    assert_non_null(strstr(claim(f, 5, 9, false), "claimed 11/0/1 11/1/1 11/3/1\n"));
}

static void all_calls_of_an_execution_are_withdrawn(void **state)
{
    struct fixture *f = *state;

    offered(f, 1, 11, 0, 4);
    offered(f, 1, 12, 7, 1);
    withdrawn(f, 1, 11, true, 0);
    assert_int_equal(dispatcher_on_offer(&f->dispatcher, PULL), 1);
    assert_non_null(strstr(claim(f, 5, 9, false), "claimed 12/7/1\n"));
}

/* A wake-up that is due serves the claims that wait; the call that this very message takes off the
 * offer is not theirs. */
static void what_is_withdrawn_is_not_given_out_by_a_wake_up_that_is_due(void **state)
{
    struct fixture *f = *state;

    back_off(f, PULL, 3000);
    offered(f, 1, 11, 0, 1);
    claim(f, 5, 1, true);
    f->mono += 3000;
    assert_null(strstr(withdrawn(f, 1, 11, false, 0), "reply"));
    assert_int_equal(dispatcher_waiting_claims(&f->dispatcher, PULL), 1);
}

/* ---- a ring that grows and shrinks ---- */

static void calls_keep_their_order_whatever_the_rings_size(void **state)
{
    struct fixture *f = *state;
    uint32_t put = 0;
    uint32_t taken = 0;
    char expected[32];

    while (put < 500) {
        uint32_t more = 1 + put % 37;

        offered(f, 1, 11, put, more);
        put += more;
        for (uint32_t i = 0; i < more * 2 / 3; i++) {
            (void)snprintf(expected, sizeof(expected), "claimed 11/%u/1\n", (unsigned)taken++);
            assert_non_null(strstr(claim(f, 5, 1, false), expected));
        }
    }
    assert_int_equal(dispatcher_on_offer(&f->dispatcher, PULL), put - taken);
}

static const struct CMUnitTest tests[] = {
    CASE(a_claim_takes_the_oldest_calls),
    CASE(each_call_has_a_claim_id_of_its_own),
    CASE(calls_are_claimed_turn_by_turn),
    CASE(a_claim_that_waits_is_served_when_calls_come),
    CASE(a_claim_that_does_not_wait_is_answered_with_nothing),
    CASE(a_claim_that_was_given_up_gets_nothing_more),
    CASE(a_claim_waits_while_the_gateway_backs_off),
    CASE(one_call_is_withdrawn),
    CASE(all_calls_of_an_execution_are_withdrawn),
    CASE(what_is_withdrawn_is_not_given_out_by_a_wake_up_that_is_due),
    CASE(calls_keep_their_order_whatever_the_rings_size),
};

OD_TEST_MAIN(tests)
