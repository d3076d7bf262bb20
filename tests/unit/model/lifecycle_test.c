#include "model/lifecycle.h"

#include <stdio.h>

#include "model/names.h"
#include "tests/support/od_test.h"
#include "tests/unit/model/defect.h"

/* The moves as sentences, "from to": all that are not here are refused. */
static const char *const execution_moves[] = {
    /* its start has come, cancelled before, stopAt passed while the engine was down */
    "scheduled running", "scheduled cancelled", "scheduled stopped",
    /* "batch, no contact pending or in progress" */
    "running completed",
    /* pause, no credit left to reserve, a node's counter reached its threshold */
    "running paused", "running paused_no_credits", "running paused_threshold", "running cancelled",
    "running stopped",
    /* resume; "stopped (stopAt reached, from running or any paused)" */
    "paused running", "paused cancelled", "paused stopped", "paused_no_credits running",
    "paused_no_credits cancelled", "paused_no_credits stopped", "paused_threshold running",
    "paused_threshold cancelled", "paused_threshold stopped",
    /* calls under way go on counting */
    "paused paused_threshold", "paused_no_credits paused_threshold", NULL};

static const char *const entry_moves[] = {"pending pending",         "pending pending_retry",
                                          "pending completed",       "pending failed",
                                          "pending skipped",         "pending_retry pending_retry",
                                          "pending_retry completed", "pending_retry failed",
                                          "pending_retry skipped",   NULL};

static const char *const call_moves[] = {"queued claimed", "queued started", "queued ended",
                                         /* the lease is over, or the call is given back */
                                         "claimed queued", "claimed started", "claimed ended",
                                         /* released: certainly the phone did not ring */
                                         "started queued", "started ended", NULL};

/* fired when it is due, missed when it moves to before the launch */
static const char *const trigger_moves[] = {"pending fired", "pending missed", "pending cancelled",
                                            NULL};

/* A status machine behind one signature. */
struct machine {
    const char *what;
    const char *const *moves;
    unsigned count; /* of statuses, from 1 on */
    const char *(*name)(unsigned status);
    unsigned (*move)(unsigned from, unsigned to); /* returns the new status */
};

static const char *execution_word(unsigned status)
{
    return execution_status_name((enum execution_status)status);
}

static unsigned move_execution(unsigned from, unsigned to)
{
    enum execution_status status = (enum execution_status)from;

    lifecycle_execution(&status, (enum execution_status)to);
    return status;
}

static const char *entry_word(unsigned status)
{
    return entry_status_name((enum entry_status)status);
}

static unsigned move_entry(unsigned from, unsigned to)
{
    enum entry_status status = (enum entry_status)from;

    lifecycle_entry(&status, (enum entry_status)to);
    return status;
}

static const char *call_word(unsigned status)
{
    return call_status_name((enum call_status)status);
}

static unsigned move_call(unsigned from, unsigned to)
{
    enum call_status status = (enum call_status)from;

    lifecycle_call(&status, (enum call_status)to);
    return status;
}

static const char *trigger_word(unsigned status)
{
    return trigger_status_name((enum trigger_status)status);
}

static unsigned move_trigger(unsigned from, unsigned to)
{
    enum trigger_status status = (enum trigger_status)from;

    lifecycle_trigger(&status, (enum trigger_status)to);
    return status;
}

static const struct machine machines[] = {
    {"execution", execution_moves, EXECUTION_CANCELLED, execution_word, move_execution},
    {"entry", entry_moves, ENTRY_SKIPPED, entry_word, move_entry},
    {"call", call_moves, CALL_ENDED, call_word, move_call},
    {"trigger", trigger_moves, TRIGGER_CANCELLED, trigger_word, move_trigger},
};

static bool is_listed(const struct machine *machine, unsigned from, unsigned to)
{
    char move[64];

    (void)snprintf(move, sizeof(move), "%s %s", machine->name(from), machine->name(to));
    for (size_t i = 0; machine->moves[i] != NULL; i++) {
        if (strcmp(machine->moves[i], move) == 0) {
            return true;
        }
    }
    return false;
}

struct attempt {
    const struct machine *machine;
    unsigned from, to;
};

static void try_move(const void *argument)
{
    const struct attempt *attempt = argument;

    (void)attempt->machine->move(attempt->from, attempt->to);
}

static void check_move(const struct machine *machine, unsigned from, unsigned to)
{
    struct attempt attempt = {machine, from, to};

    if (is_listed(machine, from, to)) {
        assert_int_equal(machine->move(from, to), to);
    } else if (!is_defect(try_move, &attempt)) {
        fail_msg("%s may go from %s to %s", machine->what, machine->name(from), machine->name(to));
    }
}

static void exactly_the_listed_moves_are_allowed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
        for (unsigned from = 1; from <= machines[i].count; from++) {
            for (unsigned to = 1; to <= machines[i].count; to++) {
                check_move(&machines[i], from, to);
            }
        }
    }
}

static void a_status_outside_of_its_enum_is_a_defect(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
        const struct machine *machine = &machines[i];
        struct attempt attempts[] = {{machine, 0, 1},
                                     {machine, 1, 0},
                                     {machine, machine->count + 1, 1},
                                     {machine, 1, machine->count + 1}};

        for (size_t k = 0; k < sizeof(attempts) / sizeof(attempts[0]); k++) {
            assert_true(is_defect(try_move, &attempts[k]));
        }
    }
}

static void the_table_can_be_asked_about_an_execution(void **state)
{
    (void)state;
    for (unsigned from = 1; from <= EXECUTION_CANCELLED; from++) {
        for (unsigned to = 1; to <= EXECUTION_CANCELLED; to++) {
            assert_int_equal(
                lifecycle_execution_allows((enum execution_status)from, (enum execution_status)to),
                is_listed(&machines[0], from, to));
        }
    }
}

static void an_execution_that_has_ended_goes_nowhere(void **state)
{
    (void)state;
    for (unsigned from = 1; from <= EXECUTION_CANCELLED; from++) {
        bool is_stuck = true;

        for (unsigned to = 1; to <= EXECUTION_CANCELLED; to++) {
            is_stuck = is_stuck && !is_listed(&machines[0], from, to);
        }
        assert_int_equal(execution_has_ended((enum execution_status)from), is_stuck);
    }
}

static void three_statuses_are_pauses(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= EXECUTION_CANCELLED; i++) {
        assert_int_equal(execution_is_paused((enum execution_status)i),
                         strncmp(execution_word(i), "paused", strlen("paused")) == 0);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(exactly_the_listed_moves_are_allowed),
    cmocka_unit_test(a_status_outside_of_its_enum_is_a_defect),
    cmocka_unit_test(the_table_can_be_asked_about_an_execution),
    cmocka_unit_test(an_execution_that_has_ended_goes_nowhere),
    cmocka_unit_test(three_statuses_are_pauses),
};

OD_TEST_MAIN(tests)
