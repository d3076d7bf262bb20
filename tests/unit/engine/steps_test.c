/* An engine that is stepped by hand: nothing happens but by its verbs. */
#include "engine/steps.h"

#include "engine/mailbox.h"
#include "storage/store.h"
#include "tests/unit/engine/engine_fixture.h"

struct heard {
    unsigned messages, puts, replies, closed;
};

static void on_message(void *context, const struct message *message)
{
    (void)message;
    ((struct heard *)context)->messages++;
}

static void on_put(void *context, enum table table, const struct key *key, const void *record)
{
    (void)table;
    (void)key;
    (void)record;
    ((struct heard *)context)->puts++;
}

static void on_delete(void *context, enum table table, const struct key *key)
{
    (void)context;
    (void)table;
    (void)key;
}

static void on_reply(void *context, const struct reply *reply)
{
    (void)reply;
    ((struct heard *)context)->replies++;
}

static void on_answer(void *context, uint32_t gateway, const struct gateway_answer *answer)
{
    (void)context;
    (void)gateway;
    (void)answer;
}

static void on_closed(void *context, bool has_rows)
{
    ((struct heard *)context)->closed += has_rows ? 1 : 0;
}

static const struct organisation atlas = {
    .number = 1, .name = SLICE_INIT("Atlas"), .timezone = SLICE_INIT("UTC")};

static void open_stepped(struct fixture *f, const struct engine_steps *steps)
{
    struct od_error error;

    f->config->has_test_clock = false;
    if (engine_open_stepped(f->config, steps, &f->engine, &error) != 0) {
        fail_msg("engine: %s", error.text);
    }
    engine_set_replies(f->engine, fixture_on_reply, f);
}

static void run_turns(struct fixture *f)
{
    while (engine_wants_turn(f->engine)) {
        engine_run_turn(f->engine);
    }
}

static bool has_atlas(struct fixture *f)
{
    struct organisation row;
    struct arena arena;
    bool is_there;

    arena_init(&arena, 1024);
    is_there = fixture_get(f, TABLE_ORGANISATION, key_u32(1), &arena, &row);
    arena_deinit(&arena);
    return is_there;
}

static uint64_t post_atlas(struct fixture *f)
{
    return fixture_post(f, MESSAGE_ORGANISATION_CREATE, 0, (union payload){.organisation = &atlas},
                        NULL);
}

static void a_commit_is_carried_out_and_then_heard_of(void **state)
{
    struct fixture *f = *state;
    struct heard heard = {0};
    const struct engine_watch watch = {&heard,   on_message, on_put,   on_delete,
                                       on_reply, on_answer,  on_closed};
    uint64_t exchange;

    open_stepped(f, &(struct engine_steps){.at = FIXTURE_START, .mono = 1000, .watch = &watch});
    assert_null(engine_base(f->engine));
    exchange = post_atlas(f);
    assert_int_equal(heard.messages, 0);
    run_turns(f);
    assert_true(heard.messages > 0);
    assert_true(heard.puts > 0);
    assert_int_equal(heard.replies, 1);
    assert_int_equal(heard.closed, 1);
    assert_true(engine_is_committing(f->engine));
    assert_false(has_atlas(f));
    assert_int_equal(engine_commit(f->engine), 0);
    assert_false(engine_is_committing(f->engine));
    assert_true(has_atlas(f)); /* on disk, and nobody has been told */
    run_turns(f);
    assert_false(f->answers[exchange].is_answered);
    engine_hear_commit(f->engine);
    run_turns(f);
    assert_true(f->answers[exchange].is_answered);
}

static void a_crash_before_the_commit_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    const struct engine_steps steps = {.at = FIXTURE_START, .mono = 1000};

    open_stepped(f, &steps);
    post_atlas(f);
    run_turns(f);
    assert_true(engine_is_committing(f->engine));
    fixture_close(f);
    f->waiting = 0;
    open_stepped(f, &steps);
    assert_false(has_atlas(f));
}

static void a_store_may_outlive_its_engine(void **state)
{
    struct fixture *f = *state;
    const struct store_options options = {
        .directory = f->directory, .is_volatile = true, .is_mapped = true};
    struct engine_steps steps = {.at = FIXTURE_START, .mono = 1000};
    struct od_error error;

    assert_int_equal(store_open(&options, &steps.store, &error), 0);
    open_stepped(f, &steps);
    post_atlas(f);
    run_turns(f);
    assert_int_equal(engine_commit(f->engine), 0); /* and then it dies */
    fixture_close(f);
    f->waiting = 0;
    open_stepped(f, &steps);
    assert_true(has_atlas(f));
    fixture_close(f);
    store_close(steps.store);
}

static void a_turn_handles_no_more_letters_than_it_may(void **state)
{
    struct fixture *f = *state;
    struct heard heard = {0};
    const struct engine_watch watch = {&heard,   on_message, on_put,   on_delete,
                                       on_reply, on_answer,  on_closed};

    open_stepped(f, &(struct engine_steps){.at = FIXTURE_START, .mono = 1000, .watch = &watch});
    run_turns(f);
    heard.messages = 0;
    engine_limit_turns(f->engine, 2, 1);
    for (unsigned i = 0; i < 5; i++) {
        fixture_post(f, MESSAGE_PAUSE, 99, (union payload){.grant = 0}, NULL);
    }
    engine_run_turn(f->engine);
    assert_int_equal(heard.messages, 2);
    engine_run_turn(f->engine); /* one answer is let out, and two more are handled */
    assert_int_equal(heard.messages, 4);
    assert_int_equal(f->answered, 1);
}

/* Everything that there is to do at this instant. */
static void settle(struct fixture *f)
{
    run_turns(f);
    while (engine_is_committing(f->engine)) {
        assert_int_equal(engine_commit(f->engine), 0);
        engine_hear_commit(f->engine);
        run_turns(f);
    }
}

static bool has_row(struct fixture *f, enum table table, void *record)
{
    struct arena arena;
    bool is_there;

    arena_init(&arena, 1024);
    is_there = fixture_get(f, table, key_u32(1), &arena, record);
    arena_deinit(&arena);
    return is_there;
}

/* Its end and its removal are in one batch, when the disk was slow and the clock went on: when that
 * batch closes, its state is not put again. */
static void what_is_removed_is_not_saved_again(void **state)
{
    static const struct organisation second = {
        .number = 2, .name = SLICE_INIT("Basalt"), .timezone = SLICE_INIT("UTC")};
    struct fixture *f = *state;
    struct program program = {.start_at = FIXTURE_START + 30 * MS_PER_DAY};
    struct execution_settings settings;
    struct execution_state row;

    f->config->executions_days = 1;
    fixture_open(f);
    fixture_add_organisation(f);
    fixture_add_contacts(f, 1000, 3);
    fixture_launch(f, 1, &program);
    fixture_close(f);
    memset(f->answers, 0, sizeof(f->answers)); /* numbers of exchanges begin anew */
    open_stepped(f, &(struct engine_steps){.at = FIXTURE_START, .mono = 1000});
    settle(f);
    assert_true(has_row(f, TABLE_EXECUTION_STATE, &row));
    fixture_post(f, MESSAGE_ORGANISATION_CREATE, 0, (union payload){.organisation = &second}, NULL);
    run_turns(f);
    assert_true(engine_is_committing(f->engine)); /* the next batch fills, and is not closed */
    fixture_post(f, MESSAGE_CANCEL, 1, (union payload){.grant = {0}}, NULL);
    run_turns(f);
    engine_set_clock(f->engine, FIXTURE_START + 2 * MS_PER_DAY, 1000 + 2 * MS_PER_DAY,
                     CLOCK_GOES_ON);
    settle(f);
    assert_false(has_row(f, TABLE_EXECUTION, &settings));
    assert_false(has_row(f, TABLE_EXECUTION_STATE, &row));
}

static int refuse(void *context, uint64_t number)
{
    (void)number;
    return *(const int *)context;
}

static void a_refused_commit_ends_it_or_has_it_wait_for_room(void **state)
{
    struct fixture *f = *state;
    int code = OD_EFULL, status;
    const char *reason;

    open_stepped(f, &(struct engine_steps){.at = FIXTURE_START, .mono = 1000});
    writer_set_hook(engine_writer(f->engine), refuse, &code);
    post_atlas(f);
    run_turns(f);
    assert_int_equal(engine_commit(f->engine), OD_EFULL);
    engine_hear_commit(f->engine);
    assert_int_equal(f->dropped, 1);
    assert_int_equal(engine_wake(f->engine).at, INSTANT_NEVER);
    assert_true(engine_wants_probe(f->engine));
    code = 0;
    engine_run_probe(f->engine);
    assert_int_equal(engine_commit(f->engine), 0);
    engine_hear_commit(f->engine);
    assert_true(engine_is_ready(f->engine, &reason));
    code = OD_EIO;
    post_atlas(f);
    run_turns(f);
    assert_int_equal(engine_commit(f->engine), OD_EIO);
    engine_hear_commit(f->engine);
    assert_true(engine_is_broken(f->engine, &status));
    assert_int_equal(status, 70);
    assert_false(engine_is_committing(f->engine));
}

static void clocks_are_what_they_are_set_to(void **state)
{
    struct fixture *f = *state;

    open_stepped(f, &(struct engine_steps){.at = FIXTURE_START, .mono = 1000});
    engine_set_clock(f->engine, FIXTURE_START - 5000, 7000, CLOCK_WAS_SET);
    assert_int_equal(engine_now(f->engine), FIXTURE_START - 5000);
    assert_int_equal(engine_mono(f->engine), 7000);
    assert_true(engine_wants_turn(f->engine));
    engine_set_clock(f->engine, FIXTURE_START, 13000, CLOCK_STOOD_STILL);
    assert_int_equal(engine_now(f->engine), FIXTURE_START);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_commit_is_carried_out_and_then_heard_of),
    CASE(a_crash_before_the_commit_leaves_nothing),
    CASE(a_store_may_outlive_its_engine),
    CASE(a_turn_handles_no_more_letters_than_it_may),
    CASE(what_is_removed_is_not_saved_again),
    CASE(a_refused_commit_ends_it_or_has_it_wait_for_room),
    CASE(clocks_are_what_they_are_set_to),
};

OD_TEST_MAIN(tests)
