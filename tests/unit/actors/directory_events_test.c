/* Changes of status get numbers, and a place in time that never goes back. */
#include "actors/directory.h"
#include "tests/support/directory_fixture.h"
#include "tests/support/od_test.h"

static const char *tell(struct directory_fixture *f, enum execution_status status)
{
    const struct status_event event = {.execution = 7,
                                       .execution_id = fixture_id(70),
                                       .program_id = fixture_id(60),
                                       .status = status,
                                       .status_reason = SLICE("why"),
                                       .counters = {.total = 3, .pending = 3},
                                       .at = f->at};

    return directory_tell(f, MESSAGE_STATUS_CHANGED, (union payload){.status = &event});
}

static void a_change_takes_the_next_number_and_is_published(void **state)
{
    struct directory_fixture *f = *state;

    assert_string_equal(tell(f, EXECUTION_SCHEDULED),
                        "put events 1/1 execution=7 scheduled reason=why total=3 completed=0 "
                        "failed=0 pending=3 in_progress=0 skipped=0\n"
                        "put events_by_time 2026-01-01T00:00:00.000Z/1/1\n"
                        "put event_heads 1\n"
                        "publish 1\n");
    f->at += 1000;
    assert_string_equal(tell(f, EXECUTION_RUNNING),
                        "put events 1/2 execution=7 running reason=why total=3 completed=0 "
                        "failed=0 pending=3 in_progress=0 skipped=0\n"
                        "put events_by_time 2026-01-01T00:00:01.000Z/1/2\n"
                        "put event_heads 1\n"
                        "publish 1\n");
}

static void a_clock_that_is_set_back_does_not_file_an_event_before_the_last(void **state)
{
    struct directory_fixture *f = *state;
    struct key key = key_event(FIXTURE_ORGANISATION, 2);
    int64_t first_at = f->at;
    struct status_event event;

    tell(f, EXECUTION_SCHEDULED);
    f->at -= 5000;
    tell(f, EXECUTION_RUNNING);
    assert_true(world_get(f->world, TABLE_EVENT, &key, &event));
    assert_int_equal(event.at, first_at - 5000);
    assert_int_equal(event.filed_at, first_at);
    key = key_event_by_time(first_at, FIXTURE_ORGANISATION, 2);
    assert_true(world_has(f->world, TABLE_EVENT_BY_TIME, &key));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, directory_setup, directory_teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_change_takes_the_next_number_and_is_published),
    CASE(a_clock_that_is_set_back_does_not_file_an_event_before_the_last),
};
OD_TEST_MAIN(tests)
