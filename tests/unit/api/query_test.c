/* Query parameters: decoding, what a route knows, and ?limit=. */
#include "api/query.h"

#include <stdlib.h>

#include "api/router.h"
#include "tests/support/od_test.h"

static const struct route_query known[] = {
    {"status", true}, {"name", false}, {"limits", false}, {NULL, false}};
static const struct route list_route = {.is_list = true, .query = known};
static const struct route plain_route = {.is_list = false};

struct fixture {
    struct exchange exchange;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    arena_init(&fixture->exchange.arena, 1024);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    arena_deinit(&fixture->exchange.arena);
    free(fixture);
    return 0;
}

static struct exchange *read_query(void **state, const struct route *route, const char *query)
{
    struct fixture *fixture = *state;
    struct exchange *exchange = &fixture->exchange;

    exchange->route = route;
    exchange->query_count = 0;
    exchange->page = (struct page_request){0};
    faults_init(&exchange->faults, &exchange->arena);
    query_read(exchange, slice_from(query));
    return exchange;
}

static void assert_fault(void **state, const char *query, const char *path)
{
    const struct exchange *exchange = read_query(state, &list_route, query);

    assert_int_equal(exchange->faults.count, 1);
    assert_true(slice_equal_text(exchange->faults.items[0].path, path));
}

static void values_are_decoded(void **state)
{
    const struct exchange *exchange =
        read_query(state, &list_route, "name=a%20b+%c3%A9%26&&status=x&status=");

    assert_int_equal(exchange->faults.count, 0);
    assert_int_equal(exchange->query_count, 3);
    assert_true(slice_equal_text(*exchange_query(exchange, "name"), "a b \xc3\xa9&"));
    assert_true(slice_equal_text(exchange->query[1].value, "x"));
    assert_true(slice_equal_text(exchange->query[2].value, ""));
    assert_null(exchange_query(exchange, "limits"));
}

static void what_is_not_encoded_well_is_a_fault(void **state)
{
    assert_fault(state, "name=%", "name");
    assert_fault(state, "name=%2", "name");
    assert_fault(state, "name=%2g", "name");
    assert_fault(state, "name=%g2", "name");
    assert_fault(state, "name=%ff", "name");
    assert_fault(state, "%ff=a", "query");
}

static void unknown_and_repeated_parameters_are_faults(void **state)
{
    assert_fault(state, "other=1", "other");
    assert_fault(state, "=1", "");
    assert_fault(state, "Name=1", "Name");
    assert_fault(state, "name=1&name=1", "name");
    assert_fault(state, "limit=1&limit=2", "limit");
    assert_int_equal(read_query(state, &plain_route, "limit=1")->faults.count, 1);
    assert_int_equal(read_query(state, &plain_route, "")->faults.count, 0);
}

static void there_is_room_for_a_few_only(void **state)
{
    const struct exchange *exchange = read_query(
        state, &list_route,
        "status=1&status=2&status=3&status=4&status=5&status=6&status=7&status=8&status=9&"
        "status=a&status=b&status=c&status=d&status=e&status=f&status=g&status=h");

    assert_int_equal(exchange->query_count, QUERY_PARAMETERS_MAX);
    assert_int_equal(exchange->faults.count, 1);
}

static void limit_is_from_1_to_100_and_20_by_itself(void **state)
{
    assert_int_equal(read_query(state, &list_route, "")->page.limit, 20);
    assert_int_equal(read_query(state, &list_route, "limit=1")->page.limit, 1);
    assert_int_equal(read_query(state, &list_route, "limit=100")->page.limit, 100);
    assert_int_equal(read_query(state, &list_route, "limit=007")->page.limit, 7);
    assert_fault(state, "limit=0", "limit");
    assert_fault(state, "limit=101", "limit");
    assert_fault(state, "limit=", "limit");
    assert_fault(state, "limit=-1", "limit");
    assert_fault(state, "limit=1.0", "limit");
    assert_fault(state, "limit=1e1", "limit");
    assert_fault(state, "limit=99999999999999999999", "limit");
    assert_fault(state, "cursor=", "cursor");
    assert_true(slice_equal_text(read_query(state, &list_route, "cursor=abc")->page.cursor, "abc"));
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    WITH_FIXTURE(values_are_decoded),
    WITH_FIXTURE(what_is_not_encoded_well_is_a_fault),
    WITH_FIXTURE(unknown_and_repeated_parameters_are_faults),
    WITH_FIXTURE(there_is_room_for_a_few_only),
    WITH_FIXTURE(limit_is_from_1_to_100_and_20_by_itself),
};

OD_TEST_MAIN(tests)
