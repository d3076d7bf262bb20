/* Check: credits against the live calls that hold them, and counters of rules against the rules. */
#include "tests/support/od_test.h"
#include "tests/unit/storage/check_heard.h"

static void put_credits(struct store_fixture *f, uint32_t organisation, int64_t balance,
                        uint64_t reserved)
{
    struct key key = key_u32(organisation);

    batch_put(f->batch, TABLE_CREDITS, &key,
              &(struct credits){.is_limited = true, .balance = balance, .reserved = reserved});
}

/* The running execution's live call of contact 3 holds a credit, or not. */
static void put_live(struct store_fixture *f, uint32_t execution, uint32_t number, uint16_t attempt,
                     bool has_credit)
{
    struct live_call live = {.entry = number,
                             .attempt = attempt,
                             .contact_id = world_contact((uint8_t)number),
                             .status = CALL_QUEUED,
                             .has_credit = has_credit};
    struct key key = key_entry(execution, number);

    batch_put(f->batch, TABLE_LIVE_CALL, &key, &live);
}

static void put_counters(struct store_fixture *f, uint32_t execution, size_t count)
{
    static const uint64_t counts[3];
    struct key key = key_u32(execution);

    batch_put(f->batch, TABLE_NODE_COUNTERS, &key,
              &(struct node_counters){.counts = counts, .count = count});
}

static void assert_finding(struct store_fixture *f, const char *expected)
{
    struct heard heard = {0};

    assert_int_equal(store_fixture_commit(f), 0);
    assert_true(run(f, &heard) > 0);
    if (strstr(heard.texts, expected) == NULL) {
        fail_msg("expected %s, heard\n%s", expected, heard.texts);
    }
}

static void what_live_calls_hold_is_what_is_reserved(void **state)
{
    struct store_fixture *f = *state;

    put_live(f, WORLD_RUNNING, 3, 1, true);
    assert_finding(f, "credits 1: is not there, live calls hold 1");
    put_live(f, WORLD_CANCELLED, 2, 1, true);
    put_credits(f, WORLD_ORGANISATION, 0, 2);
    assert_int_equal(store_fixture_commit(f), 0);
    assert_sound(f);
    put_credits(f, WORLD_ORGANISATION, 0, 3);
    assert_finding(f, "credits 1: reserves 3, live calls hold 2");
    put_credits(f, WORLD_ORGANISATION, -1, 2);
    assert_finding(f, "credits 1: has a balance below 0");
    put_credits(f, WORLD_ORGANISATION, 0, 2);
    put_credits(f, 9, 5, 0);
    assert_finding(f, "credits 9: belongs to no organisation");
}

static void counters_are_one_for_each_rule_while_it_goes_on(void **state)
{
    const struct auto_pause_rule rules[] = {{SLICE("menu"), 1, true}, {SLICE("bye"), 1, true}};
    struct key key = key_u32(WORLD_RUNNING);
    struct store_fixture *f = *state;
    struct execution_settings row;

    put_counters(f, WORLD_RUNNING, 2);
    assert_finding(f, "node_counters 5: has 2 counters for 0 rules");
    assert_int_equal(reader_begin(f->reader, &f->error), 0);
    assert_int_equal(reader_get(f->reader, TABLE_EXECUTION, &key, &f->arena, &row), 0);
    reader_end(f->reader);
    row.rules = rules;
    row.rule_count = 2;
    batch_put(f->batch, TABLE_EXECUTION, &key, &row);
    assert_int_equal(store_fixture_commit(f), 0);
    assert_sound(f);
    put_counters(f, WORLD_OVER, 1);
    assert_finding(f, "node_counters 7: is of an execution that does not go on");
    put_counters(f, 99, 1);
    assert_finding(f, "node_counters 99: is of an execution that does not go on");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, check_world_setup, store_fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(what_live_calls_hold_is_what_is_reserved),
    CASE(counters_are_one_for_each_rule_while_it_goes_on),
};

OD_TEST_MAIN(tests)
