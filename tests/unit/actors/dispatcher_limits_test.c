/* What is told of the limits that keep a call back. */
#include "base/instant.h"
#include "tests/unit/actors/dispatcher_fixture.h"

static struct dispatcher_limits limits(const struct fixture *f, uint32_t gateway)
{
    struct dispatcher_limits found;

    dispatcher_find_limits(&f->dispatcher, 1, gateway, f->mono, &found);
    return found;
}

static void nothing_is_in_the_way_at_first(void **state)
{
    struct fixture *f = *state;
    struct dispatcher_limits found = limits(f, PUSH);

    assert_int_equal(found.tenant_cap, 0);
    assert_int_equal(found.tenant_rate_micro, 0);
    assert_int_equal(found.gateway_limit, 0);
    assert_int_equal(found.back_off_until_mono, 0);
    assert_true(found.has_worker);
}

static void an_organisations_cap_and_pace(void **state)
{
    struct fixture *f = *state;

    put_organisation(f, 1, 1, 500000);
    demand(f, 1, 11, PUSH, 3);
    assert_int_equal(limits(f, PUSH).tenant_cap, 0);
    dispatch(f);
    assert_int_equal(limits(f, PUSH).tenant_cap, 1);
    assert_int_equal(limits(f, PUSH).tenant_rate_micro, 500000);
    assert_int_equal(limits(f, PUSH).tenant_until_mono, f->mono + 2000);
    room(f, MESSAGE_CALL_OVER, 1, 11, PUSH, 1);
    f->mono += 2000;
    assert_int_equal(limits(f, PUSH).tenant_cap, 0);
    assert_int_equal(limits(f, PUSH).tenant_rate_micro, 0);
}

static void a_gateway_that_is_full(void **state)
{
    struct fixture *f = *state;

    demand(f, 1, 11, PUSH, 100);
    dispatch(f);
    assert_int_equal(limits(f, PUSH).gateway_limit, 10);
    assert_int_equal(limits(f, PULL).gateway_limit, 0);
    offered(f, 1, 12, 0, 8);
    assert_int_equal(limits(f, PULL).gateway_limit, 8);
    f->settings.max_calls = 10;
    room(f, MESSAGE_CALLS_WITHDRAWN, 1, 12, PULL, 0);
    f->gateways[PULL].max_offered = 100;
    assert_int_equal(limits(f, PULL).gateway_limit, 10); /* of the machine */
}

static void a_worker_is_there_while_it_claims_and_a_minute_longer(void **state)
{
    struct fixture *f = *state;
    union payload payload = {.claim = {.max = 1, .waits = true, .gateway = SLICE_INIT("worker")}};

    assert_false(limits(f, PULL).has_worker);
    tell(f, MESSAGE_CLAIM, 5, payload);
    f->mono += MS_PER_HOUR;
    assert_true(limits(f, PULL).has_worker);
    tell(f, MESSAGE_CLAIM_GIVEN_UP, 5, (union payload){.grant = 0});
    f->mono += MS_PER_MINUTE - 1;
    assert_true(limits(f, PULL).has_worker);
    f->mono += 1;
    assert_false(limits(f, PULL).has_worker);
    payload.claim.waits = false;
    tell(f, MESSAGE_CLAIM, 6, payload);
    assert_true(limits(f, PULL).has_worker);
}

static const struct CMUnitTest tests[] = {
    CASE(nothing_is_in_the_way_at_first),
    CASE(an_organisations_cap_and_pace),
    CASE(a_gateway_that_is_full),
    CASE(a_worker_is_there_while_it_claims_and_a_minute_longer),
};

OD_TEST_MAIN(tests)
