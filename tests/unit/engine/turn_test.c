/* Turns on the real clock: a message bears the time at which it comes, and long work lets others in
 * between. */
#include <time.h>

#include "tests/unit/engine/engine_fixture.h"

enum { IDLE_MS = 30 };

static int64_t wall_now(void)
{
    struct timespec now;

    OD_CHECK(clock_gettime(CLOCK_REALTIME, &now) == 0);
    return (int64_t)now.tv_sec * MS_PER_SECOND + now.tv_nsec / 1000000;
}

static void on_time_over(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    event_base_loopbreak(context);
}

/* The loop runs, and the engine has nothing to do. */
static void be_idle(struct fixture *f)
{
    static const struct timeval idle = {0, IDLE_MS * 1000L};
    struct event_base *base = engine_base(f->engine);
    struct event *over = evtimer_new(base, on_time_over, base);

    OD_CHECK(over != NULL && evtimer_add(over, &idle) == 0);
    event_base_dispatch(base);
    event_free(over);
}

/* Not that of the last turn, which may be hours ago: a lease that was given so would be over when
 * it begins. */
static void a_message_bears_the_time_at_which_it_comes(void **state)
{
    struct fixture *f = *state;
    struct organisation organisation = {.number = 1,
                                        .id = fixture_id(1),
                                        .name = SLICE_INIT("Atlas"),
                                        .timezone = SLICE_INIT("UTC")};
    int64_t before;
    uint64_t exchange;

    f->config->has_test_clock = false;
    fixture_open(f);
    be_idle(f);
    before = wall_now();
    exchange = fixture_post(f, MESSAGE_ORGANISATION_CREATE, 0,
                            (union payload){.organisation = &organisation}, NULL);
    fixture_wait(f);
    assert_true(f->answers[exchange].created_at >= before);
}

static void an_id_bears_the_time_at_which_it_is_made(void **state)
{
    struct fixture *f = *state;
    struct uuid id;
    struct uuid next;
    int64_t made_at = 0;
    int64_t before;

    f->config->has_test_clock = false;
    fixture_open(f);
    be_idle(f);
    before = wall_now();
    id = engine_new_id(f->engine);
    next = engine_new_id(f->engine);
    for (unsigned i = 0; i < 6; i++) {
        made_at = made_at << 8 | id.bytes[i];
    }
    assert_true(made_at >= before);
    assert_true(uuid_compare(&id, &next) < 0);
}

static void the_time_of_a_read_is_now(void **state)
{
    struct fixture *f = *state;
    struct reader *reader;
    int64_t before;

    f->config->has_test_clock = false;
    fixture_open(f);
    be_idle(f);
    before = wall_now();
    reader = engine_begin_read(f->engine);
    assert_true(engine_now(f->engine) >= before);
    engine_end_read(f->engine, reader);
}

/* A slice is a message of its own, with a time of its own: else a snapshot of minutes would go on
 * at the instant of its launch, and dial in the windows that have opened since. */
static void each_slice_has_its_own_time(void **state)
{
    struct fixture *f = *state;
    struct program program = {.start_at = wall_now() + MS_PER_HOUR};
    struct execution_settings settings;
    struct execution_state at_end;
    struct arena arena;

    f->config->has_test_clock = false;
    fixture_open(f);
    fixture_add_organisation(f);
    fixture_add_contacts(f, 1000, 9000);
    fixture_launch(f, 1, &program);
    at_end = fixture_state(f, 1);
    assert_true(at_end.snapshot_done);
    assert_int_equal(at_end.counters.total, 9000);
    arena_init(&arena, 1024);
    assert_true(fixture_get(f, TABLE_EXECUTION, key_u32(1), &arena, &settings));
    assert_true(at_end.updated_at > settings.created_at);
    arena_deinit(&arena);
}

/* "lets other actors in between": what comes during a long snapshot is answered before its end. */
static void long_work_lets_others_in(void **state)
{
    struct fixture *f = *state;
    struct program program = {.start_at = FIXTURE_START + MS_PER_HOUR};
    uint64_t launch;
    uint64_t other;

    fixture_open(f);
    fixture_add_organisation(f);
    fixture_add_contacts(f, 1000, 3000);
    fixture_add_program(f, 1, &program);
    launch =
        fixture_post(f, MESSAGE_PROGRAM_LAUNCH, FIXTURE_ORGANISATION, fixture_launch_of(1), NULL);
    other = fixture_post(f, MESSAGE_PAUSE, 77, (union payload){.grant = 0}, NULL);
    fixture_wait(f);
    assert_int_equal(fixture_state(f, 1).counters.total, 3000);
    assert_true(f->answers[other].order < f->answers[launch].order);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_message_bears_the_time_at_which_it_comes),
    CASE(an_id_bears_the_time_at_which_it_is_made),
    CASE(the_time_of_a_read_is_now),
    CASE(each_slice_has_its_own_time),
    CASE(long_work_lets_others_in),
};

OD_TEST_MAIN(tests)
