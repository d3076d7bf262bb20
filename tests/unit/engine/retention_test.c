/* The retention in the engine: a start finds what is due, what an earlier version left, and the
 * numbers that are taken. */
#include "base/instant.h"
#include "engine/metrics.h"
#include "storage/writer.h"
#include "tests/unit/engine/engine_fixture.h"

enum { EXECUTION = 40, CONTACTS = 3 };

/* An execution that has completed by simulated calls. Returns when it ended. */
static int64_t complete(struct fixture *f)
{
    struct program program = {0};

    fixture_open(f);
    fixture_add_organisation(f);
    fixture_add_contacts(f, 1, CONTACTS);
    fixture_launch(f, EXECUTION, &program);
    fixture_advance(f, FIXTURE_START + MS_PER_HOUR);
    assert_int_equal(fixture_state(f, EXECUTION).status, EXECUTION_COMPLETED);
    return fixture_state(f, EXECUTION).actual_end_at;
}

static bool has(struct fixture *f, enum table table, struct key key)
{
    uint64_t record[64];
    struct arena arena;
    bool is_there;

    arena_init(&arena, 1024);
    is_there = fixture_get(f, table, key, &arena, record);
    arena_deinit(&arena);
    return is_there;
}

/* Deletes a row of the store at rest. */
static void delete_row(struct fixture *f, enum table table, struct key key)
{
    const struct store_options options = {.directory = f->directory,
                                          .map_size_bytes = f->config->map_size_bytes};
    struct writer_result result;
    struct batch *batch = batch_new();
    struct writer *writer;
    struct store *store;
    struct od_error error;

    assert_int_equal(store_open(&options, &store, &error), 0);
    assert_int_equal(writer_open(store, &writer, &error), 0);
    batch_delete(batch, table, &key);
    writer_submit(writer, batch);
    writer_wait(writer, &result);
    assert_int_equal(result.code, 0);
    writer_close(writer);
    store_close(store);
    batch_free(batch);
}

static void a_store_of_an_earlier_version_lists_what_is_over(void **state)
{
    struct fixture *f = *state;
    struct key key = key_ended_execution(complete(f), EXECUTION);

    assert_true(has(f, TABLE_ENDED_EXECUTION, key));
    fixture_close(f);
    delete_row(f, TABLE_ENDED_EXECUTION, key);
    fixture_open(f);
    assert_false(has(f, TABLE_ENDED_EXECUTION, key));
    fixture_advance(f, FIXTURE_START + 2 * MS_PER_HOUR);
    assert_true(has(f, TABLE_ENDED_EXECUTION, key));
}

static void what_came_due_while_it_was_down_goes_at_the_start(void **state)
{
    struct fixture *f = *state;
    struct key key = key_ended_execution(complete(f), EXECUTION);

    fixture_close(f);
    f->config->test_clock_at = FIXTURE_START + 100 * MS_PER_DAY;
    fixture_open(f);
    fixture_advance(f, f->config->test_clock_at);
    assert_false(has(f, TABLE_ENDED_EXECUTION, key));
    assert_false(has(f, TABLE_ENTRY, key_entry(EXECUTION, 0)));
}

static void the_number_of_a_removed_execution_stays_taken(void **state)
{
    struct fixture *f = *state;

    complete(f);
    fixture_advance(f, FIXTURE_START + 100 * MS_PER_DAY);
    assert_false(has(f, TABLE_EXECUTION, key_u32(EXECUTION)));
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(engine_next_number(f->engine, TABLE_EXECUTION), EXECUTION + 1);
}

/* An idle engine wakes once in the shortest time that anything is kept, and writes nothing then. */
static void nothing_to_remove_costs_nothing(void **state)
{
    struct fixture *f = *state;
    int64_t commits;

    fixture_open(f);
    fixture_add_organisation(f);
    fixture_advance(f, FIXTURE_START + MS_PER_HOUR);
    commits = metrics_value(engine_metrics(f->engine), METRIC_COMMITS);
    fixture_advance(f, FIXTURE_START + 1000 * MS_PER_DAY);
    assert_in_range(metrics_value(engine_metrics(f->engine), METRIC_COMMITS), commits, commits + 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_store_of_an_earlier_version_lists_what_is_over),
    CASE(what_came_due_while_it_was_down_goes_at_the_start),
    CASE(the_number_of_a_removed_execution_stays_taken),
    CASE(nothing_to_remove_costs_nothing),
};
OD_TEST_MAIN(tests)
