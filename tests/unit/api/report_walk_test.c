/* A report that is counted from the rows is the one that would have been kept. */
#include "api/report_walk.h"

#include "tests/support/od_test.h"
#include "tests/unit/storage/check_heard.h"

static struct execution_report walked(struct store_fixture *f, uint32_t execution, unsigned rows)
{
    struct report_walk walk;
    unsigned slices = 0;
    int error;

    report_walk_init(&walk, execution);
    do {
        assert_int_equal(reader_begin(f->reader, &f->error), 0);
        error = report_walk_rows(&walk, f->reader, &f->arena, rows);
        reader_end(f->reader);
        assert_true(++slices < 100);
    } while (error == 0);
    assert_int_equal(error, OD_ENOTFOUND);
    return walk.report;
}

static void it_is_the_one_that_is_kept(void **state)
{
    struct store_fixture *f = *state;
    struct key key = key_u32(WORLD_RUNNING);
    struct execution_report kept, found;

    assert_int_equal(reader_begin(f->reader, &f->error), 0);
    assert_int_equal(reader_get(f->reader, TABLE_EXECUTION_REPORT, &key, &f->arena, &kept), 0);
    reader_end(f->reader);
    kept.log_rows = 0; /* which is no sum */
    for (unsigned rows = 1; rows < 20; rows++) {
        found = walked(f, WORLD_RUNNING, rows);
        assert_memory_equal(&found, &kept, sizeof(kept));
    }
}

static void an_execution_without_calls_has_none(void **state)
{
    const struct execution_report none = {0};
    struct execution_report found = walked(*state, WORLD_CANCELLED, 2);

    assert_memory_equal(&found, &none, sizeof(none));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, check_world_setup, store_fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(it_is_the_one_that_is_kept),
    CASE(an_execution_without_calls_has_none),
};

OD_TEST_MAIN(tests)
