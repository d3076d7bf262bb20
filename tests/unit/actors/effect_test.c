/* The verbs of effects, and their shorthands for replies. */
#include "actors/effect.h"

#include "tests/support/memory_world.h"
#include "tests/support/od_test.h"

static int setup(void **state)
{
    *state = world_new();
    return 0;
}

static int teardown(void **state)
{
    world_free(*state);
    return 0;
}

static void effects_are_carried_out_in_order(void **state)
{
    struct world *world = *state;
    struct effects *out = world_effects(world);
    struct key key = key_organisation_execution(1, 7);
    struct number_row row = {7};
    struct message message = {.actor = {ACTOR_EXECUTION, 7}, .type = MESSAGE_TICK};
    struct offer offer = {.execution = 7,
                          .entry = 3,
                          .attempt = 1,
                          .to = SLICE_INIT("+212612345678"),
                          .from = SLICE_INIT("+212500000001"),
                          .is_resumed = true};

    effect_put(out, TABLE_ACTIVE_EXECUTION, &key, &row);
    effect_send(out, &message);
    effect_offer(out, &offer);
    effect_delete(out, TABLE_ACTIVE_EXECUTION, &key);
    effect_reply_nothing(out, 4);
    assert_string_equal(world_print(world), "put active_executions 1/7\n"
                                            "send execution 7 tick\n"
                                            "offer 0: 7/3/1 to +212612345678 from "
                                            "+212500000001 resumed\n"
                                            "delete active_executions 1/7\n"
                                            "reply 4: 204\n");
}

static void a_reply_to_nobody_is_dropped(void **state)
{
    struct world *world = *state;
    struct effects *out = world_effects(world);
    struct reply reply = {.kind = REPLY_LAUNCHED};

    effect_reply(out, &reply);
    effect_reply_nothing(out, 0);
    effect_reply_fault(out, 0, FAULT_CONFLICT, SLICE("no"));
    assert_string_equal(world_print(world), "");
}

static void faults_have_their_status_and_details(void **state)
{
    struct world *world = *state;
    struct effects *out = world_effects(world);

    effect_reply_fault(out, 1, FAULT_CONFLICT, SLICE("There is one already"));
    effect_reply_detail(out, 2, FAULT_VALIDATION, SLICE("Not valid"), SLICE("stopAt"),
                        SLICE("has passed"));
    assert_string_equal(world_print(world),
                        "reply 1: 409 ConflictError: There is one already\n"
                        "reply 2: 400 ValidationError: Not valid [stopAt: has passed]\n");
}

static void a_record_is_copied_when_it_is_replied(void **state)
{
    struct world *world = *state;
    char name[] = "Survey";
    struct flow flow = {.name = slice_from(name)};
    struct key key = key_owned(1, &flow.id);
    const struct reply *replies;

    effect_reply_record(world_effects(world), 1, true, TABLE_FLOW, &key, &flow);
    name[0] = 'X';
    assert_int_equal(world_take_replies(world, &replies), 1);
    assert_true(replies[0].record.is_new);
    const struct flow *copy = replies[0].record.record;
    assert_true(slice_equal_text(copy->name, "Survey"));
    assert_int_equal(world_take_replies(world, &replies), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    CASE(effects_are_carried_out_in_order),
    CASE(a_reply_to_nobody_is_dropped),
    CASE(faults_have_their_status_and_details),
    CASE(a_record_is_copied_when_it_is_replied),
};

OD_TEST_MAIN(tests)
