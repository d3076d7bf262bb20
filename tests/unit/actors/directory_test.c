/* Flows, and what goes to which handler. */
#include "actors/directory.h"

#include "tests/support/directory_fixture.h"
#include "tests/support/od_test.h"

static void a_flow_is_made_patched_and_deleted(void **state)
{
    struct directory_fixture *f = *state;
    struct flow flow = {.id = fixture_id(3),
                        .name = SLICE_INIT("Survey"),
                        .nodes = SLICE_INIT("[{\"id\":\"a\",\"type\":\"say\"}]"),
                        .start_node = SLICE_INIT("a"),
                        .program_count = 7};
    struct flow_patch patch = {.present = FLOW_NAME | FLOW_NODES | FLOW_START_NODE};
    struct key key = key_owned(FIXTURE_ORGANISATION, &flow.id);

    assert_string_equal(directory_tell(f, MESSAGE_FLOW_CREATE, (union payload){.flow = &flow}),
                        "put flows 1/#3 programs=0\n"
                        "reply 9: 201 flows 1/#3 programs=0\n");
    f->at += 5;
    patch.value.id = fixture_id(3);
    patch.value.name = SLICE("Poll");
    assert_string_equal(
        directory_tell(f, MESSAGE_FLOW_PATCH, (union payload){.flow_patch = &patch}),
        "put flows 1/#3 programs=0\n"
        "reply 9: 200 flows 1/#3 programs=0\n");
    assert_true(world_get(f->world, TABLE_FLOW, &key, &flow));
    assert_true(slice_equal_text(flow.name, "Poll"));
    assert_true(slice_is_empty(flow.nodes));
    assert_true(slice_is_empty(flow.start_node));
    assert_int_equal(flow.updated_at, f->at);
    assert_int_equal(flow.created_at, f->at - 5);

    struct owned_id id = {FIXTURE_ORGANISATION, fixture_id(3)};
    assert_string_equal(directory_tell(f, MESSAGE_FLOW_DELETE, (union payload){.id = id}),
                        "delete flows 1/#3\n"
                        "reply 9: 204\n");
    assert_string_equal(directory_tell(f, MESSAGE_FLOW_DELETE, (union payload){.id = id}),
                        "reply 9: 404 FlowNotFoundError: Flow #3 not found\n");
    assert_string_equal(
        directory_tell(f, MESSAGE_FLOW_PATCH, (union payload){.flow_patch = &patch}),
        "reply 9: 404 FlowNotFoundError: Flow #3 not found\n");
}

/* Two patches at once, each sound by itself: the second is judged by what the first has made. */
static void a_start_is_one_of_the_nodes_as_they_are_by_then(void **state)
{
    static const char *refusal =
        "reply 9: 400 ValidationError: startNode must be the id of one of the nodes "
        "[startNode: must be the id of one of the nodes]\n";
    struct directory_fixture *f = *state;
    struct flow flow = {.id = fixture_id(3),
                        .name = SLICE_INIT("Survey"),
                        .nodes = SLICE_INIT("[{\"id\":\"a\",\"type\":\"say\"}]"),
                        .start_node = SLICE_INIT("a")};
    struct flow_patch nodes = {.present = FLOW_NODES};
    struct flow_patch start = {.present = FLOW_START_NODE};

    nodes.value.id = start.value.id = fixture_id(3);
    nodes.value.nodes = SLICE("[{\"id\":\"b\",\"type\":\"say\"}]");
    start.value.start_node = SLICE("b");
    directory_tell(f, MESSAGE_FLOW_CREATE, (union payload){.flow = &flow});
    assert_string_equal(
        directory_tell(f, MESSAGE_FLOW_PATCH, (union payload){.flow_patch = &nodes}), refusal);
    assert_string_equal(
        directory_tell(f, MESSAGE_FLOW_PATCH, (union payload){.flow_patch = &start}), refusal);
    nodes.present |= FLOW_START_NODE;
    nodes.value.start_node = SLICE("b");
    assert_non_null(
        strstr(directory_tell(f, MESSAGE_FLOW_PATCH, (union payload){.flow_patch = &nodes}),
               "reply 9: 200"));
    flow.id = fixture_id(4);
    flow.start_node = SLICE("c");
    assert_string_equal(directory_tell(f, MESSAGE_FLOW_CREATE, (union payload){.flow = &flow}),
                        refusal);
}

static void a_flow_of_another_organisation_is_not_found(void **state)
{
    struct directory_fixture *f = *state;
    struct flow flow = {.id = fixture_id(3), .name = SLICE_INIT("Theirs")};
    struct key key = key_owned(2, &flow.id);
    struct owned_id id = {2, fixture_id(3)};

    world_put(f->world, TABLE_FLOW, &key, &flow);
    assert_string_equal(directory_tell(f, MESSAGE_FLOW_DELETE, (union payload){.id = id}),
                        "reply 9: 404 FlowNotFoundError: Flow #3 not found\n");
    assert_true(world_has(f->world, TABLE_FLOW, &key));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, directory_setup, directory_teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_flow_is_made_patched_and_deleted),
    CASE(a_start_is_one_of_the_nodes_as_they_are_by_then),
    CASE(a_flow_of_another_organisation_is_not_found),
};

OD_TEST_MAIN(tests)
