/* The order in which requests go, and what is in their bodies when they do. */
#include "cmd/outdial_replay_http_lanes.h"

#include <math.h>
#include <string.h>

#include "tests/support/od_test.h"

struct fixture {
    struct id_map ids;
    struct lanes lanes;
};

static int setup(void **state)
{
    static struct fixture fixture;

    ids_init(&fixture.ids);
    lanes_init(&fixture.lanes, &fixture.ids);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    lanes_deinit(&fixture->lanes);
    ids_deinit(&fixture->ids);
    return 0;
}

static struct uuid id_of(uint8_t number)
{
    const uint8_t random[10] = {number};

    return uuid_v7(number, random);
}

/* A request of an organisation's lane. */
static struct http_request *put(struct fixture *fixture, uint32_t lane, bool is_barrier)
{
    struct http_request *request = request_new(MESSAGE_AUDIENCE_CREATE, "POST");

    request->organisation = lane;
    request->is_barrier = is_barrier;
    lanes_put(&fixture->lanes, request);
    return request;
}

static void finish(struct fixture *fixture, struct http_request *request)
{
    lanes_done(&fixture->lanes, request);
    request_free(request);
}

static void a_lane_goes_one_after_the_other(void **state)
{
    struct fixture *fixture = *state;
    struct http_request *first = put(fixture, 1, false);
    struct http_request *second = put(fixture, 1, false);
    struct http_request *other = put(fixture, 2, false);

    assert_ptr_equal(lanes_take(&fixture->lanes, true), first);
    assert_ptr_equal(lanes_take(&fixture->lanes, true), other);
    assert_null(lanes_take(&fixture->lanes, true));
    finish(fixture, other);
    assert_null(lanes_take(&fixture->lanes, true));
    finish(fixture, first);
    assert_ptr_equal(lanes_take(&fixture->lanes, true), second);
    finish(fixture, second);
    assert_true(lanes_are_idle(&fixture->lanes));
}

static void what_goes_again_goes_before_what_is_behind_it(void **state)
{
    struct fixture *fixture = *state;
    struct http_request *first = put(fixture, 1, false);
    struct http_request *second = put(fixture, 1, false);

    assert_ptr_equal(lanes_take(&fixture->lanes, true), first);
    lanes_put_back(&fixture->lanes, first);
    assert_ptr_equal(lanes_take(&fixture->lanes, true), first);
    assert_null(lanes_take(&fixture->lanes, true));
    finish(fixture, first);
    finish(fixture, lanes_take(&fixture->lanes, true));
    (void)second;
}

static void a_request_waits_for_what_it_needs(void **state)
{
    struct fixture *fixture = *state;
    struct uuid did = id_of(1), live = id_of(2), organisation;
    struct http_request *makes = request_new(MESSAGE_DID_CREATE, "POST");
    struct http_request *needs = request_new(MESSAGE_PROGRAM_CREATE, "POST");

    request_makes(makes, &did);
    lanes_put(&fixture->lanes, makes);
    needs->organisation = 1;
    write_open(needs, '{');
    write_name(needs, "didPool");
    write_open(needs, '[');
    write_id(needs, &did);
    write_shut(needs, ']');
    write_shut(needs, '}');
    lanes_put(&fixture->lanes, needs);

    assert_ptr_equal(lanes_take(&fixture->lanes, true), makes);
    assert_null(lanes_take(&fixture->lanes, true));
    ids_know(&fixture->ids, &did, &live);
    finish(fixture, makes);
    assert_ptr_equal(lanes_take(&fixture->lanes, true), needs);
    assert_true(request_fill(needs, &fixture->ids, &organisation));
    assert_memory_equal(needs->body.data, "{\"didPool\":[\"00000000-0002-7", 27);
    finish(fixture, needs);
}

static void what_came_to_nothing_is_not_waited_for(void **state)
{
    struct fixture *fixture = *state;
    struct uuid id = id_of(1), organisation;
    struct http_request *makes = request_new(MESSAGE_AUDIENCE_CREATE, "POST");
    struct http_request *needs = request_new(MESSAGE_AUDIENCE_DELETE, "DELETE");

    request_makes(makes, &id);
    request_path_id(needs, &id);
    needs->organisation = 1;
    lanes_put(&fixture->lanes, makes);
    lanes_put(&fixture->lanes, needs);
    assert_ptr_equal(lanes_take(&fixture->lanes, true), makes);
    ids_fail(&fixture->ids, &id);
    finish(fixture, makes);
    assert_ptr_equal(lanes_take(&fixture->lanes, true), needs);
    assert_false(request_fill(needs, &fixture->ids, &organisation));
    finish(fixture, needs);
}

/* As a trace that somebody wrote may have it. */
static void a_request_does_not_wait_for_itself(void **state)
{
    struct fixture *fixture = *state;
    struct uuid id = id_of(1), organisation;
    struct http_request *request = request_new(MESSAGE_PROGRAM_CREATE, "POST");

    request_makes(request, &id);
    request_path_id(request, &id);
    lanes_put(&fixture->lanes, request);
    assert_ptr_equal(lanes_take(&fixture->lanes, true), request);
    assert_false(request_fill(request, &fixture->ids, &organisation));
    finish(fixture, request);
}

static void a_barrier_stands_between_before_and_behind(void **state)
{
    struct fixture *fixture = *state;
    struct http_request *before = put(fixture, 1, false);
    struct http_request *barrier = put(fixture, 2, true);
    struct http_request *next = put(fixture, 3, true);
    struct http_request *behind = put(fixture, 4, false);

    assert_ptr_equal(lanes_take(&fixture->lanes, true), before);
    assert_null(lanes_take(&fixture->lanes, true));
    finish(fixture, before);
    assert_null(lanes_take(&fixture->lanes, false)); /* calls are not where they should be */
    assert_ptr_equal(lanes_take(&fixture->lanes, true), barrier);
    assert_null(lanes_take(&fixture->lanes, true));
    lanes_put_back(&fixture->lanes, barrier);
    assert_ptr_equal(lanes_take(&fixture->lanes, true), barrier);
    finish(fixture, barrier);
    assert_ptr_equal(lanes_take(&fixture->lanes, true), next);
    assert_null(lanes_take(&fixture->lanes, true));
    finish(fixture, next);
    assert_ptr_equal(lanes_take(&fixture->lanes, true), behind);
    finish(fixture, behind);
    assert_true(lanes_are_idle(&fixture->lanes));
    assert_int_equal(fixture->lanes.waiting_bytes, 0);
}

static void lists_leave_out_what_is_not_there(void **state)
{
    struct fixture *fixture = *state;
    struct uuid ids[3] = {id_of(1), id_of(2), id_of(3)}, live = id_of(9), organisation;
    struct http_request *request = request_new(MESSAGE_MEMBERS_ADD, "POST");

    ids_know(&fixture->ids, &ids[1], &live);
    write_open(request, '{');
    write_name(request, "contactIds");
    write_list(request, ids, 3);
    lanes_put(&fixture->lanes, request);
    assert_ptr_equal(lanes_take(&fixture->lanes, true), request);
    for (int times = 0; times < 2; times++) { /* it may be sent again */
        assert_true(request_fill(request, &fixture->ids, &organisation));
        assert_int_equal(request->body.size, strlen("{\"contactIds\":[]}") + 38);
    }
    assert_true(request->is_rest_left);
    finish(fixture, request);
}

static void texts_become_json(void **state)
{
    struct http_request *request = request_new(MESSAGE_CONTACT_CREATE, "POST");
    static const char wanted[] = "{\"a\":\"x\\u0022\\u005c\\u000ay\",\"b\":[1,-2],\"c\":null,"
                                 "\"d\":0.250000,\"e\":true,\"f\":null}";

    (void)state;
    write_open(request, '{');
    write_name(request, "a");
    write_text(request, SLICE("x\"\\\ny"));
    write_name(request, "b");
    write_open(request, '[');
    write_integer(request, 1);
    write_integer(request, -2);
    write_shut(request, ']');
    write_name(request, "c");
    write_text_or_null(request, SLICE(""));
    write_name(request, "d");
    write_micro(request, 250000);
    write_name(request, "e");
    write_boolean(request, true);
    write_name(request, "f");
    write_double(request, (double)INFINITY);
    write_shut(request, '}');
    assert_int_equal(request->body.size, sizeof(wanted) - 1);
    assert_memory_equal(request->body.data, wanted, sizeof(wanted) - 1);
    request_free(request);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_lane_goes_one_after_the_other),    CASE(what_goes_again_goes_before_what_is_behind_it),
    CASE(a_request_waits_for_what_it_needs),  CASE(what_came_to_nothing_is_not_waited_for),
    CASE(a_request_does_not_wait_for_itself), CASE(a_barrier_stands_between_before_and_behind),
    CASE(lists_leave_out_what_is_not_there),  CASE(texts_become_json),
};
OD_TEST_MAIN(tests)
