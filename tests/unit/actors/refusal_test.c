/* The texts and lists of refusals. */
#include "actors/refusal.h"

#include "tests/support/directory_fixture.h"
#include "tests/support/od_test.h"

static void a_list_of_faults_grows_and_keeps_its_order(void **state)
{
    struct directory_fixture *f = *state;
    struct refusal_list list = {0};
    const struct reply *replies;

    for (unsigned i = 0; i < 100; i++) {
        refusal_add(&list, world_arena(f->world),
                    arena_printf(world_arena(f->world), "data[%u]", i), SLICE("must be so"));
    }
    refuse_list(world_arena(f->world), world_effects(f->world), 5, &list);
    assert_int_equal(world_take_replies(f->world, &replies), 1);
    assert_int_equal(replies[0].exchange, 5);
    assert_int_equal(replies[0].fault.code, FAULT_VALIDATION);
    assert_int_equal(replies[0].fault.detail_count, 100);
    assert_true(slice_equal_text(replies[0].fault.message, "data[0] must be so (and 99 more)"));
    assert_true(slice_equal_text(replies[0].fault.details[99].path, "data[99]"));
}

static void refusals_read_as_sentences(void **state)
{
    struct directory_fixture *f = *state;
    struct uuid id = UUID_NIL;

    refuse(world_effects(f->world), 1, FAULT_CONFLICT, "The flow is used by a program");
    refuse_not_found(world_view(f->world), world_effects(f->world), 2, FAULT_FLOW_NOT_FOUND, "Flow",
                     &id);
    refuse_property(world_arena(f->world), world_effects(f->world), 3, "stopAt", "has passed");
    assert_string_equal(world_print(f->world),
                        "reply 1: 409 ConflictError: The flow is used by a program\n"
                        "reply 2: 404 FlowNotFoundError: "
                        "Flow 00000000-0000-0000-0000-000000000000 not found\n"
                        "reply 3: 400 ValidationError: stopAt has passed "
                        "[stopAt: has passed]\n");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, directory_setup, directory_teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_list_of_faults_grows_and_keeps_its_order),
    CASE(refusals_read_as_sentences),
};

OD_TEST_MAIN(tests)
