/* Whose turn is it? Stories, and a random walk beside a naive model. */
#include "actors/fair_share.h"

#include <string.h>

#include "base/hash.h"
#include "tests/support/od_test.h"

static struct fair_share share;

static int setup(void **state)
{
    (void)state;
    fair_share_init(&share);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fair_share_deinit(&share);
    return 0;
}

/* The member whose turn it is, which takes it; 0: nobody wants one. */
static uint32_t take(void)
{
    uint32_t group;
    uint32_t member;

    if (!fair_share_next(&share, &group, &member)) {
        return 0;
    }
    fair_share_take(&share);
    return member;
}

static void nobody_wants_a_turn_at_first(void **state)
{
    (void)state;
    assert_int_equal(take(), 0);
    assert_int_equal(fair_share_groups(&share), 0);
    assert_int_equal(fair_share_wanted(&share, 1), 0);
}

/* A tenant with a million waiting delays another's hundred by no more than its share. */
static void a_million_and_a_hundred_get_turn_and_turn_about(void **state)
{
    (void)state;
    fair_share_want(&share, 1, 11, 1000000);
    for (unsigned i = 0; i < 500; i++) {
        assert_int_equal(take(), 11);
    }
    fair_share_want(&share, 2, 21, 100);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(take(), 11);
        assert_int_equal(take(), 21);
    }
    assert_int_equal(take(), 11);
    assert_int_equal(take(), 11);
    assert_int_equal(fair_share_groups(&share), 1);
}

static void members_share_the_turns_of_their_group(void **state)
{
    static const uint32_t expected[] = {11, 21, 12, 21, 13, 21, 11, 21, 12, 21};

    (void)state;
    for (uint32_t member = 11; member <= 13; member++) {
        fair_share_want(&share, 1, member, 9);
    }
    fair_share_want(&share, 2, 21, 9);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(take(), expected[i]);
    }
}

static void one_may_leave_in_the_middle(void **state)
{
    (void)state;
    for (uint32_t member = 11; member <= 14; member++) {
        fair_share_want(&share, 1, member, 9);
    }
    assert_int_equal(take(), 11);
    fair_share_want(&share, 1, 13, 0); /* in the middle */
    fair_share_want(&share, 1, 12, 0); /* whose turn it is */
    assert_int_equal(take(), 14);
    assert_int_equal(take(), 11);
    fair_share_want(&share, 1, 11, 0);
    fair_share_want(&share, 1, 14, 0); /* the last one of the group */
    assert_int_equal(take(), 0);
    fair_share_want(&share, 1, 12, 1);
    assert_int_equal(take(), 12);
}

static void who_wants_anew_keeps_its_place(void **state)
{
    (void)state;
    fair_share_want(&share, 1, 11, 1);
    fair_share_want(&share, 1, 12, 1);
    fair_share_want(&share, 1, 11, 3);
    assert_int_equal(fair_share_wanted(&share, 11), 3);
    assert_int_equal(take(), 11);
    assert_int_equal(take(), 12);
    assert_int_equal(take(), 11);
    assert_int_equal(fair_share_wanted(&share, 11), 1);
    assert_int_equal(fair_share_wanted(&share, 12), 0);
}

static void a_group_may_pass(void **state)
{
    (void)state;
    fair_share_want(&share, 1, 11, 5);
    fair_share_want(&share, 2, 21, 5);
    fair_share_pass(&share);
    assert_int_equal(take(), 21);
    assert_int_equal(take(), 11);
}

/* ---- beside a naive model: lists in the order of the rings ---- */

enum {
    GROUPS = 5,
    MEMBERS = 20, /* member m is of group m % GROUPS */
    STEPS = 20000,
    SEEDS = 20,
};

struct list {
    uint32_t items[MEMBERS];
    uint32_t count;
};

static struct {
    struct list groups, members[GROUPS];
    uint32_t wanted[MEMBERS];
} model;

static void list_drop(struct list *list, uint32_t item)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i] != item) {
            list->items[kept++] = list->items[i];
        }
    }
    list->count = kept;
}

static void list_rotate(struct list *list)
{
    uint32_t first = list->items[0];

    list_drop(list, first);
    list->items[list->count++] = first;
}

static void model_want(uint32_t member, uint32_t turns)
{
    struct list *list = &model.members[member % GROUPS];

    if (turns > 0 && model.wanted[member] == 0) {
        if (list->count == 0) {
            model.groups.items[model.groups.count++] = member % GROUPS;
        }
        list->items[list->count++] = member;
    } else if (turns == 0 && model.wanted[member] > 0) {
        list_drop(list, member);
        if (list->count == 0) {
            list_drop(&model.groups, member % GROUPS);
        }
    }
    model.wanted[member] = turns;
}

static void model_take(void)
{
    uint32_t group = model.groups.items[0];
    uint32_t member = model.members[group].items[0];

    list_rotate(&model.groups);
    list_rotate(&model.members[group]);
    if (model.wanted[member] == 1) {
        model_want(member, 0);
    } else {
        model.wanted[member]--;
    }
}

static void step(struct prng *prng)
{
    uint32_t member = (uint32_t)prng_below(prng, MEMBERS);
    uint32_t turns = prng_below(prng, 3) == 0 ? 0 : (uint32_t)prng_below(prng, 6);

    if (prng_below(prng, 2) == 0) {
        fair_share_want(&share, 100 + member % GROUPS, member, turns);
        model_want(member, turns);
    } else if (model.groups.count > 0 && prng_below(prng, 4) == 0) {
        fair_share_pass(&share);
        list_rotate(&model.groups);
    } else if (model.groups.count > 0) {
        fair_share_take(&share);
        model_take();
    }
}

static void it_does_what_two_lists_do(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct prng prng;

        prng_seed(&prng, seed);
        memset(&model, 0, sizeof(model));
        teardown(NULL);
        setup(NULL);
        for (unsigned i = 0; i < STEPS; i++) {
            uint32_t group;
            uint32_t member;
            bool is_any = fair_share_next(&share, &group, &member);

            assert_int_equal(fair_share_groups(&share), model.groups.count);
            assert_int_equal(is_any, model.groups.count > 0);
            if (is_any) {
                assert_int_equal(group, 100 + model.groups.items[0]);
                assert_int_equal(member, model.members[group - 100].items[0]);
                assert_int_equal(fair_share_wanted(&share, member), model.wanted[member]);
            }
            step(&prng);
        }
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    CASE(nobody_wants_a_turn_at_first),
    CASE(a_million_and_a_hundred_get_turn_and_turn_about),
    CASE(members_share_the_turns_of_their_group),
    CASE(one_may_leave_in_the_middle),
    CASE(who_wants_anew_keeps_its_place),
    CASE(a_group_may_pass),
    CASE(it_does_what_two_lists_do),
};

OD_TEST_MAIN(tests)
