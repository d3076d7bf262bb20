/* The verbs of effects reach the sink as they were said; an answer to nobody does not. */
#include "actors/effect.h"

#include "tests/support/memory_world.h"
#include "tests/support/od_test.h"

static struct world *world;

static int setup(void **state)
{
    (void)state;
    world = world_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_free(world);
    return 0;
}

static void rows_messages_and_offers_reach_the_sink(void **state)
{
    struct effects *out = world_effects(world);
    struct key key = key_entry(1, 2);
    const struct entry entry = {.status = ENTRY_PENDING};
    const struct message message = {.actor = {ACTOR_EXECUTION, 1}, .type = MESSAGE_TICK};
    const struct offer offer = {.execution = 1, .entry = 2, .attempt = 1};

    (void)state;
    effect_put(out, TABLE_ENTRY, &key, &entry);
    effect_delete(out, TABLE_ENTRY, &key);
    effect_send(out, &message);
    effect_offer(out, &offer);
    assert_string_equal(world_print(world), "put entries 1/2 pending attempts=0\n"
                                            "delete entries 1/2\n"
                                            "send execution 1 tick\n"
                                            "offer 0: 1/2/1 to  from \n");
}

static void answers_have_their_shorthands(void **state)
{
    struct effects *out = world_effects(world);
    struct key key = key_entry(4, 1);
    const struct entry entry = {.status = ENTRY_PENDING};

    (void)state;
    effect_reply_fault(out, 9, FAULT_CONFLICT, SLICE("in use"));
    effect_reply_detail(out, 9, FAULT_VALIDATION, SLICE("bad"), SLICE("name"), SLICE("too long"));
    effect_reply_nothing(out, 9);
    effect_reply_record(out, 9, true, TABLE_ENTRY, &key, &entry);
    assert_string_equal(world_print(world), "reply 9: 409 ConflictError: in use\n"
                                            "reply 9: 400 ValidationError: bad [name: too long]\n"
                                            "reply 9: 204\n"
                                            "reply 9: 201 entries 4/1 pending attempts=0\n");
}

static void an_answer_to_nobody_is_dropped(void **state)
{
    struct effects *out = world_effects(world);

    (void)state;
    effect_reply_fault(out, 0, FAULT_CONFLICT, SLICE("in use"));
    effect_reply_nothing(out, 0);
    assert_string_equal(world_print(world), "");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    CASE(rows_messages_and_offers_reach_the_sink),
    CASE(answers_have_their_shorthands),
    CASE(an_answer_to_nobody_is_dropped),
};

OD_TEST_MAIN(tests)
