/* Credits from the dispatcher's side: a grant is cut to the balance, and what comes back is
 * counted. */
#include "tests/unit/actors/dispatcher_fixture.h"
#include "tests/unit/model/defect.h"

#define DISPATCH "send dispatcher 0 dispatch later\n"

static const char *change(struct fixture *f, enum message_type type, uint32_t organisation,
                          bool is_limited, int64_t amount)
{
    union payload payload = {
        .credits = {.organisation = organisation, .is_limited = is_limited, .amount = amount}};

    return tell(f, type, 5, payload);
}

static const char *over(struct fixture *f, uint32_t organisation, uint32_t count, uint32_t spent,
                        uint32_t returned)
{
    union payload payload = {.room = {.execution = 11,
                                      .organisation = organisation,
                                      .gateway = PUSH,
                                      .count = count,
                                      .credits_spent = spent,
                                      .credits_returned = returned}};

    return tell(f, MESSAGE_CALL_OVER, 0, payload);
}

/* The row of an organisation after the batch: "balance/reserved". */
static const char *saved(struct fixture *f, uint32_t organisation)
{
    static char text[64];
    struct key key = key_u32(organisation);
    struct credits row;

    dispatcher_save(&f->dispatcher, world_effects(f->world));
    world_print(f->world);
    assert_true(world_get(f->world, TABLE_CREDITS, &key, &row));
    (void)snprintf(text, sizeof(text), "%s%lld/%llu", row.is_limited ? "" : "unlimited ",
                   (long long)row.balance, (unsigned long long)row.reserved);
    return text;
}

static void a_grant_is_cut_to_the_balance(void **state)
{
    struct fixture *f = *state;

    change(f, MESSAGE_CREDITS_SET, 1, true, 2);
    assert_string_equal(saved(f, 1), "2/0"); /* what is saved below is the grant's doing */
    demand(f, 1, 11, PUSH, 5);
    demand(f, 2, 21, PUSH, 3);
    assert_string_equal(dispatch(f), "send execution 11 grant 2 with credits\n"
                                     "send execution 21 grant 3\n"
                                     "send execution 11 no_credits\n");
    assert_string_equal(saved(f, 1), "0/2");
    assert_string_equal(dispatch(f), ""); /* it is forgotten until it says its demand again */
    assert_int_equal(dispatcher_in_flight(&f->dispatcher), 5);
}

static void executions_share_the_balance_by_turns(void **state)
{
    struct fixture *f = *state;

    change(f, MESSAGE_CREDITS_SET, 1, true, 3);
    demand(f, 1, 11, PUSH, 5);
    demand(f, 1, 12, PUSH, 5);
    demand(f, 1, 13, PULL, 5);
    assert_string_equal(dispatch(f), "send execution 11 grant 2 with credits\n"
                                     "send execution 12 grant 1 with credits\n"
                                     "send execution 12 no_credits\n"
                                     "send execution 11 no_credits\n"
                                     "send execution 13 no_credits\n");
}

static void what_comes_back_can_be_reserved_again(void **state)
{
    struct fixture *f = *state;

    change(f, MESSAGE_CREDITS_SET, 1, true, 2);
    demand(f, 1, 11, PUSH, 2);
    dispatch(f);
    over(f, 1, 2, 1, 1);
    assert_string_equal(saved(f, 1), "1/0");
    demand(f, 1, 11, PUSH, 2);
    assert_string_equal(dispatch(f),
                        "send execution 11 grant 1 with credits\nsend execution 11 no_credits\n");
    over(f, 1, 0, 0, 1); /* of a gateway that is no longer configured: no room */
    assert_string_equal(saved(f, 1), "1/0");
    assert_int_equal(dispatcher_in_flight(&f->dispatcher), 1);
}

static void caps_come_before_credits(void **state)
{
    struct fixture *f = *state;

    put_organisation(f, 1, 1, 0);
    change(f, MESSAGE_CREDITS_SET, 1, true, 1);
    demand(f, 1, 11, PUSH, 2);
    assert_string_equal(dispatch(f), "send execution 11 grant 1 with credits\n");
    over(f, 1, 1, 1, 0);
    assert_string_equal(dispatch(f), "send execution 11 no_credits\n");
}

static void a_row_is_saved_once_and_only_when_it_has_changed(void **state)
{
    struct fixture *f = *state;

    demand(f, 1, 11, PUSH, 2);
    dispatch(f);
    over(f, 1, 1, 0, 0);
    dispatcher_save(&f->dispatcher, world_effects(f->world));
    assert_string_equal(world_print(f->world), ""); /* unlimited */
    change(f, MESSAGE_CREDITS_SET, 2, true, 9);
    change(f, MESSAGE_CREDITS_SET, 1, true, 9);
    change(f, MESSAGE_CREDITS_ADD, 2, false, 1);
    dispatcher_save(&f->dispatcher, world_effects(f->world));
    assert_string_equal(world_print(f->world), "put credits 1\nput credits 2\n");
    dispatcher_save(&f->dispatcher, world_effects(f->world));
    assert_string_equal(world_print(f->world), "");
}

static void a_balance_is_changed_within_its_bounds(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(change(f, MESSAGE_CREDITS_ADD, 1, false, 5),
                        "reply 5: 409 ConflictError: The organization has unlimited credits; give "
                        "it a balance by PATCH first\n");
    assert_string_equal(change(f, MESSAGE_CREDITS_SET, 1, true, 5), DISPATCH);
    assert_string_equal(change(f, MESSAGE_CREDITS_ADD, 1, false, -6),
                        "reply 5: 409 ConflictError: The organization has fewer credits than "
                        "that\n");
    assert_string_equal(change(f, MESSAGE_CREDITS_ADD, 1, false, INT64_C(9007199254740987)),
                        "reply 5: 409 ConflictError: The organization would have more credits "
                        "than can be counted\n");
    assert_string_equal(change(f, MESSAGE_CREDITS_ADD, 1, false, -5), "reply 5: credits 0\n");
    assert_string_equal(change(f, MESSAGE_CREDITS_ADD, 1, false, 7), "reply 5: credits 7\n");
    assert_string_equal(saved(f, 1), "7/0");
}

static void a_limit_that_comes_and_goes_leaves_what_is_reserved(void **state)
{
    struct fixture *f = *state;

    change(f, MESSAGE_CREDITS_SET, 1, true, 3);
    demand(f, 1, 11, PUSH, 3);
    dispatch(f);
    change(f, MESSAGE_CREDITS_SET, 1, false, 0);
    over(f, 1, 1, 0, 1);
    assert_string_equal(saved(f, 1), "unlimited 0/2");
    change(f, MESSAGE_CREDITS_SET, 1, true, 8);
    over(f, 1, 1, 0, 1);
    over(f, 1, 1, 1, 0);
    assert_string_equal(saved(f, 1), "9/0");
}

/* A pass ends after so many turns, also of executions that have no credit. */
static void many_executions_without_credits_are_told_in_passes(void **state)
{
    struct fixture *f = *state;

    change(f, MESSAGE_CREDITS_SET, 1, true, 0);
    for (uint32_t execution = 1; execution <= 300; execution++) {
        demand(f, 1, execution, PUSH, 1);
    }
    const char *told = dispatch(f);

    assert_non_null(strstr(told, "send execution 256 no_credits\n" DISPATCH));
    assert_null(strstr(told, "execution 257"));
    assert_non_null(strstr(dispatch(f), "send execution 300 no_credits\n"));
    assert_string_equal(dispatch(f), "");
}

static struct fixture *broken;

static void return_what_was_not_reserved(const void *unused)
{
    (void)unused;
    over(broken, 1, 0, 0, 1);
}

static void more_than_was_reserved_cannot_come_back(void **state)
{
    struct fixture *f = *state;

    change(f, MESSAGE_CREDITS_SET, 1, true, 9);
    broken = f;
    assert_true(is_defect(return_what_was_not_reserved, NULL));
}

static const struct CMUnitTest tests[] = {
    CASE(a_grant_is_cut_to_the_balance),
    CASE(executions_share_the_balance_by_turns),
    CASE(what_comes_back_can_be_reserved_again),
    CASE(caps_come_before_credits),
    CASE(a_row_is_saved_once_and_only_when_it_has_changed),
    CASE(a_balance_is_changed_within_its_bounds),
    CASE(a_limit_that_comes_and_goes_leaves_what_is_reserved),
    CASE(many_executions_without_credits_are_told_in_passes),
    CASE(more_than_was_reserved_cannot_come_back),
};

OD_TEST_MAIN(tests)
