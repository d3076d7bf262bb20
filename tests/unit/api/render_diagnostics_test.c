/* Which reasons there are for what is known of an execution. (tests/daemon/test_diagnostics.py
 * brings them about.) */
#include "api/render_diagnostics.h"

#include <string.h>

#include "base/instant.h"
#include "tests/support/od_test.h"

/* A running execution with three contacts that are due, and nothing in its way. */
static struct diagnostics_facts running(void)
{
    return (struct diagnostics_facts){
        .status = EXECUTION_RUNNING,
        .pending = 3,
        .due = 3,
        .seen = {.has_work = true, .has_gateway = true, .has_worker = true, .usable_dids = 1}};
}

static void assert_reasons(const struct diagnostics_facts *facts, bool is_dialling,
                           const char *expected)
{
    json_t *json = render_diagnostics(facts), *reason;
    char text[512] = "";
    size_t i;

    json_array_foreach(json_object_get(json, "blockedBy"), i, reason)
    {
        size_t size = strlen(text);
        json_t *limit = json_object_get(reason, "limit");

        (void)snprintf(text + size, sizeof(text) - size, "%s%s %lld %s", i > 0 ? ", " : "",
                       json_string_value(json_object_get(reason, "reason")),
                       (long long)json_integer_value(json_object_get(reason, "contacts")),
                       json_is_null(json_object_get(reason, "until")) ? "-" : "until");
        size = strlen(text);
        if (!json_is_null(limit)) {
            (void)snprintf(text + size, sizeof(text) - size, " %g", json_number_value(limit));
        }
    }
    assert_string_equal(text, expected);
    assert_int_equal(json_is_true(json_object_get(json, "dialling")), is_dialling);
    json_decref(json);
}

static void nothing_is_in_its_way(void **state)
{
    struct diagnostics_facts facts = running();

    (void)state;
    assert_reasons(&facts, true, "");
    facts.pending = facts.due = 0;
    assert_reasons(&facts, false, ""); /* nobody is left to call */
    facts.seen.queued = 1;
    assert_reasons(&facts, true, "");
}

static void no_credits(void **state)
{
    struct diagnostics_facts facts = running();

    (void)state;
    facts.status = EXECUTION_PAUSED_NO_CREDITS;
    assert_reasons(&facts, false, "not_running 3 -, no_credits 3 -");
}

static void other_statuses_do_not_run(void **state)
{
    struct diagnostics_facts facts = running();

    (void)state;
    facts.status = EXECUTION_SCHEDULED;
    facts.start_at = MS_PER_HOUR;
    assert_reasons(&facts, false, "not_running 3 until");
    facts.status = EXECUTION_PAUSED_THRESHOLD;
    assert_reasons(&facts, false, "not_running 3 -");
    facts.status = EXECUTION_COMPLETED;
    facts.pending = facts.due = 0;
    facts.window_end = MS_PER_HOUR;
    facts.seen = (struct diagnosis){0};
    assert_reasons(&facts, false, "not_running 0 -");
}

static void who_is_not_due_blocks_nobody_else(void **state)
{
    struct diagnostics_facts facts = running();

    (void)state;
    facts.due = 1;
    facts.not_due = 2;
    facts.next_due_at = MS_PER_HOUR;
    assert_reasons(&facts, true, "retry_not_due 2 until");
    facts.due = 0;
    facts.not_due = 3;
    facts.seen.cap = 5;
    facts.seen.gateway_limit = 5;
    assert_reasons(&facts, false, "retry_not_due 3 until");
}

static void who_waits_for_the_contacts_other_call_blocks_nobody_else(void **state)
{
    struct diagnostics_facts facts = running();

    (void)state;
    facts.due = 1;
    facts.parked = 2;
    assert_reasons(&facts, true, "max_concurrent_calls 2 - 1");
    facts.due = 0;
    facts.not_due = 1;
    facts.next_due_at = MS_PER_HOUR;
    assert_reasons(&facts, false, "retry_not_due 1 until, max_concurrent_calls 2 - 1");
    facts.status = EXECUTION_CANCELLED;
    assert_reasons(&facts, false, "not_running 3 -");
}

static void a_window_that_never_ends_has_no_end(void **state)
{
    struct diagnostics_facts facts = running();

    (void)state;
    facts.seen.queued = 2;
    facts.window_end = INSTANT_NEVER;
    assert_reasons(&facts, false, "pause_window 5 -");
}

static void limits_are_told_with_their_numbers(void **state)
{
    struct diagnostics_facts facts = running();

    (void)state;
    facts.seen.cap = 7;
    facts.seen.rate_micro = 1500000;
    facts.seen.paced_until = MS_PER_HOUR;
    facts.seen.organisation_rate_micro = 2000000;
    facts.seen.organisation_until = MS_PER_HOUR;
    facts.seen.gateway_limit = 9;
    assert_reasons(&facts, false,
                   "max_concurrent_calls 3 - 7, calls_per_second 3 until 1.5, "
                   "organization_limit 3 until 2, gateway_busy 3 - 9");
    facts.seen.organisation_cap = 4;
    facts.seen.gateway_until = MS_PER_HOUR;
    facts.seen.cap = 0;
    facts.seen.rate_micro = 0;
    assert_reasons(&facts, false, "organization_limit 3 - 4, gateway_busy 3 until");
}

static void without_a_gateway_or_a_did(void **state)
{
    struct diagnostics_facts facts = running();

    (void)state;
    facts.seen.has_worker = false;
    assert_reasons(&facts, true, ""); /* nothing is on offer yet */
    facts.seen.queued = 2;
    assert_reasons(&facts, false, "gateway_absent 5 -");
    facts.seen.has_gateway = false;
    facts.seen.queued = 0;
    facts.seen.usable_dids = 0;
    assert_reasons(&facts, false, "no_did 3 -, gateway_absent 3 -");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(nothing_is_in_its_way),
    cmocka_unit_test(no_credits),
    cmocka_unit_test(other_statuses_do_not_run),
    cmocka_unit_test(who_is_not_due_blocks_nobody_else),
    cmocka_unit_test(who_waits_for_the_contacts_other_call_blocks_nobody_else),
    cmocka_unit_test(a_window_that_never_ends_has_no_end),
    cmocka_unit_test(limits_are_told_with_their_numbers),
    cmocka_unit_test(without_a_gateway_or_a_did),
};

OD_TEST_MAIN(tests)
