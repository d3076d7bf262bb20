/* Auto-pause rules (api.md): when a rule fires, what a resume does to rules and counters, and what
 * is left of them. */
#include <string.h>

#include "tests/unit/actors/execution_fixture.h"

static struct auto_pause_rule rules[2];

/* Two calls, started, of an execution with rules for "menu" and "bye". */
static void begin(struct fixture *f, uint64_t menu, uint64_t bye)
{
    rules[0] = (struct auto_pause_rule){SLICE("menu"), menu, true};
    rules[1] = (struct auto_pause_rule){SLICE("bye"), bye, false};
    f->settings.rules = rules;
    f->settings.rule_count = 2;
    launch(f, 2);
    claim(f, 2);
    assert_int_equal(started(f, 0, 1), EVENT_ACCEPTED);
    assert_int_equal(started(f, 1, 1), EVENT_ACCEPTED);
}

static void node_of(struct fixture *f, uint32_t entry, uint64_t seq, const char *name)
{
    assert_int_equal(event(f, MESSAGE_NODE_EXECUTED, entry, 1,
                           (struct call_event){.node = {slice_from(name), seq}}),
                     EVENT_ACCEPTED);
}

static void assert_counts(struct fixture *f, uint64_t first, uint64_t second)
{
    struct key key = key_u32(FIXTURE_EXECUTION);
    struct node_counters row;

    assert_true(world_get(f->stage->world, TABLE_NODE_COUNTERS, &key, &row));
    assert_int_equal(row.count, 2);
    assert_int_equal(row.counts[0], first);
    assert_int_equal(row.counts[1], second);
}

static void assert_paused(struct fixture *f, const char *reason)
{
    assert_int_equal(state_of(f).status, EXECUTION_PAUSED_THRESHOLD);
    assert_true(slice_equal_text(state_of(f).status_reason, reason));
}

static void a_rule_fires_at_its_threshold_and_once(void **state)
{
    struct fixture *f = *state;

    begin(f, 2, 100);
    node_of(f, 0, 1, "menu");
    node_of(f, 1, 1, "other");
    assert_int_equal(state_of(f).status, EXECUTION_RUNNING);
    node_of(f, 1, 2, "menu");
    assert_paused(f, "node_threshold: menu reached 2");
    assert_counts(f, 2, 0);
    command(f, MESSAGE_RESUME);
    assert_counts(f, 0, 0); /* it is reset */
    node_of(f, 1, 3, "menu");
    assert_int_equal(state_of(f).status, EXECUTION_RUNNING);
    node_of(f, 0, 2, "menu");
    assert_paused(f, "node_threshold: menu reached 2");
}

static void without_a_reset_it_does_not_fire_again(void **state)
{
    struct fixture *f = *state;

    begin(f, 100, 1);
    node_of(f, 0, 1, "bye");
    assert_paused(f, "node_threshold: bye reached 1");
    command(f, MESSAGE_RESUME);
    node_of(f, 0, 2, "bye");
    assert_int_equal(state_of(f).status, EXECUTION_RUNNING);
    assert_counts(f, 0, 2);
}

static void duplicates_and_strangers_count_nothing(void **state)
{
    struct fixture *f = *state;
    struct call_event about = {.node = {SLICE_INIT("menu"), 5}};

    begin(f, 2, 100);
    node_of(f, 0, 5, "menu");
    assert_int_equal(event(f, MESSAGE_NODE_EXECUTED, 0, 1, about), EVENT_DUPLICATE);
    assert_int_equal(event(f, MESSAGE_NODE_EXECUTED, 0, 2, about), EVENT_UNKNOWN);
    assert_int_equal(result(f, 0, 1, OUTCOME_BUSY), EVENT_ACCEPTED);
    about.node.seq = 6;
    assert_int_equal(event(f, MESSAGE_NODE_EXECUTED, 0, 1, about), EVENT_STALE);
    assert_counts(f, 1, 0);
    assert_int_equal(state_of(f).status, EXECUTION_RUNNING);
}

static void a_paused_execution_goes_on_counting_and_may_fire(void **state)
{
    struct fixture *f = *state;

    begin(f, 2, 1);
    command(f, MESSAGE_PAUSE);
    node_of(f, 0, 1, "menu");
    assert_int_equal(state_of(f).status, EXECUTION_PAUSED);
    node_of(f, 0, 2, "menu");
    assert_paused(f, "node_threshold: menu reached 2");
    node_of(f, 0, 3, "bye");
    assert_paused(f, "node_threshold: bye reached 1"); /* the last one that fired */
    node_of(f, 0, 4, "menu");
    assert_paused(f, "node_threshold: bye reached 1");
    assert_counts(f, 3, 1);
}

static void a_resume_from_another_pause_resets_nothing(void **state)
{
    struct fixture *f = *state;
    const struct auto_pause_rule other[] = {{SLICE("bye"), 9, true}, {SLICE("menu"), 9, true}};

    begin(f, 5, 5);
    node_of(f, 0, 1, "menu");
    command(f, MESSAGE_PAUSE);
    command(f, MESSAGE_RESUME);
    assert_counts(f, 1, 0);
    command(f, MESSAGE_PAUSE);
    stage_resume(f->stage, FIXTURE_EXECUTION, other, 2, FIXTURE_EXCHANGE);
    assert_int_equal(state_of(f).status, EXECUTION_RUNNING);
    assert_counts(f, 0, 1);
}

static void a_resume_replaces_rules_and_then_resets(void **state)
{
    struct fixture *f = *state;
    const struct auto_pause_rule other[] = {{SLICE("bye"), 3, true}, {SLICE("new"), 1, false}};
    struct execution_settings settings;
    struct key key = key_u32(FIXTURE_EXECUTION);

    begin(f, 2, 100);
    node_of(f, 0, 1, "bye");
    node_of(f, 0, 2, "menu");
    node_of(f, 0, 3, "menu");
    assert_paused(f, "node_threshold: menu reached 2");
    stage_resume(f->stage, FIXTURE_EXECUTION, other, 2, FIXTURE_EXCHANGE);
    assert_int_equal(f->last.status, EXECUTION_RUNNING);
    assert_counts(f, 0, 0);
    assert_true(world_get(f->stage->world, TABLE_EXECUTION, &key, &settings));
    assert_int_equal(settings.rule_count, 2);
    assert_true(slice_equal_text(settings.rules[1].node_id, "new"));
    assert_int_equal(settings.did_count, 2); /* and all else is as it was */
    assert_true(slice_equal_text(settings.gateway, "worker"));
    node_of(f, 0, 4, "menu"); /* no rule any more */
    assert_counts(f, 0, 0);
    node_of(f, 0, 5, "new");
    assert_paused(f, "node_threshold: new reached 1");
}

static void a_raised_threshold_fires_again(void **state)
{
    struct fixture *f = *state;
    const struct auto_pause_rule other[] = {{SLICE("menu"), 100, false}, {SLICE("bye"), 3, false}};

    begin(f, 100, 1);
    node_of(f, 0, 1, "bye");
    stage_resume(f->stage, FIXTURE_EXECUTION, other, 2, FIXTURE_EXCHANGE);
    node_of(f, 0, 2, "bye");
    assert_int_equal(state_of(f).status, EXECUTION_RUNNING);
    node_of(f, 0, 3, "bye");
    assert_paused(f, "node_threshold: bye reached 3");
}

static void a_refused_resume_replaces_nothing(void **state)
{
    struct fixture *f = *state;
    struct execution_settings settings;
    struct key key = key_u32(FIXTURE_EXECUTION);

    begin(f, 5, 5);
    stage_resume(f->stage, FIXTURE_EXECUTION, NULL, 0, FIXTURE_EXCHANGE);
    assert_int_equal(f->last.fault, FAULT_INVALID_EXECUTION_STATE);
    assert_true(world_get(f->stage->world, TABLE_EXECUTION, &key, &settings));
    assert_int_equal(settings.rule_count, 2);
}

static void counters_go_with_the_end(void **state)
{
    struct fixture *f = *state;
    struct key key = key_u32(FIXTURE_EXECUTION);

    begin(f, 2, 5);
    node_of(f, 0, 1, "menu");
    command(f, MESSAGE_CANCEL);
    assert_false(world_has(f->stage->world, TABLE_NODE_COUNTERS, &key));
    node_of(f, 0, 2, "menu"); /* calls under way go on */
    assert_int_equal(state_of(f).status, EXECUTION_CANCELLED);
    assert_false(world_has(f->stage->world, TABLE_NODE_COUNTERS, &key));
    stage_crash(f->stage, 1000);
    stage_run(f->stage);
    node_of(f, 0, 3, "menu");
    assert_false(world_has(f->stage->world, TABLE_NODE_COUNTERS, &key));
}

static void a_crash_forgets_nothing(void **state)
{
    struct fixture *f = *state;
    char name[600];

    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    begin(f, 3, 9);
    node_of(f, 0, 1, "menu");
    node_of(f, 0, 2, "menu");
    stage_crash(f->stage, 1000);
    stage_run(f->stage);
    assert_counts(f, 2, 0);
    node_of(f, 0, 3, "menu");
    assert_paused(f, "node_threshold: menu reached 3");
    const struct auto_pause_rule other[] = {{slice_from(name), 1, false}, {SLICE("bye"), 9, false}};
    stage_resume(f->stage, FIXTURE_EXECUTION, other, 2, FIXTURE_EXCHANGE);
    node_of(f, 0, 4, name); /* however long its name is */
    stage_crash(f->stage, 1000);
    stage_run(f->stage);
    assert_int_equal(state_of(f).status, EXECUTION_PAUSED_THRESHOLD);
    assert_int_equal(state_of(f).status_reason.size, strlen("node_threshold:  reached 1") + 599);
    assert_counts(f, 1, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_rule_fires_at_its_threshold_and_once),
    CASE(without_a_reset_it_does_not_fire_again),
    CASE(duplicates_and_strangers_count_nothing),
    CASE(a_paused_execution_goes_on_counting_and_may_fire),
    CASE(a_resume_from_another_pause_resets_nothing),
    CASE(a_resume_replaces_rules_and_then_resets),
    CASE(a_raised_threshold_fires_again),
    CASE(a_refused_resume_replaces_nothing),
    CASE(counters_go_with_the_end),
    CASE(a_crash_forgets_nothing),
};

OD_TEST_MAIN(tests)
