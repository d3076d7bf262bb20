/* The engine's public verbs: taking and refusing messages, draining, starting again. */
#include "tests/unit/engine/engine_fixture.h"

enum { LONG_WORK_CONTACTS = 6000 };

static uint64_t post_audience(struct fixture *f, uint32_t number)
{
    struct audience audience = {
        .id = fixture_id(number), .number = number, .name = SLICE_INIT("Some")};
    struct arena *arena = arena_new();

    return fixture_post(f, MESSAGE_AUDIENCE_CREATE, FIXTURE_ORGANISATION,
                        (union payload){.audience = memcpy(arena_alloc(arena, sizeof(audience)),
                                                           &audience, sizeof(audience))},
                        arena);
}

static void an_open_engine_takes_messages(void **state)
{
    struct fixture *f = *state;
    const char *reason;

    fixture_open(f);
    assert_true(engine_is_ready(f->engine, &reason));
    assert_false(engine_is_draining(f->engine));
    fixture_add_organisation(f);
}

/* Drains: what has been taken is handled and answered, what comes then is not taken. */
static void a_stopped_engine_answers_what_it_has_taken(void **state)
{
    struct fixture *f = *state;
    uint64_t last = 0;
    const char *reason;
    uint64_t late;

    fixture_open(f);
    fixture_add_organisation(f);
    for (uint32_t i = 0; i < 100; i++) {
        last = post_audience(f, 2000 + i);
    }
    engine_stop(f->engine);
    late = post_audience(f, 3000);
    assert_int_equal(f->answers[late].fault, FAULT_UNAVAILABLE);
    assert_false(engine_is_ready(f->engine, &reason));
    assert_string_equal(reason, "The engine is stopping");
    assert_int_equal(engine_run(f->engine), 0);
    assert_int_equal(f->waiting, 0);
    assert_int_equal(f->answers[last].kind, REPLY_RECORD);
}

static uint64_t post_kept(struct fixture *f)
{
    struct arena *arena = arena_new();
    struct response_kept *kept = arena_zalloc(arena, sizeof(*kept));

    kept->organisation = FIXTURE_ORGANISATION;
    kept->response.status = 201;
    kept->response.request_id = SLICE("r");
    kept->response.body = SLICE("sealed");
    return fixture_post(f, MESSAGE_RESPONSE_KEPT, 0, (union payload){.kept = kept}, arena);
}

static void a_stopped_engine_keeps_the_responses_that_it_still_gives(void **state)
{
    struct fixture *f = *state;
    const uint8_t hash[KEY_HASH_BYTES] = {0};
    struct kept_response row;
    struct arena arena;
    uint64_t exchange;

    fixture_open(f);
    fixture_add_organisation(f);
    engine_stop(f->engine);
    exchange = post_kept(f);
    assert_int_equal(engine_run(f->engine), 0);
    assert_int_equal(f->waiting, 0);
    assert_int_equal(f->answers[exchange].kind, REPLY_NOTHING);
    fixture_close(f);
    fixture_open(f);
    arena_init(&arena, 1024);
    assert_true(fixture_get(f, TABLE_IDEMPOTENCY, key_idempotency(FIXTURE_ORGANISATION, hash),
                            &arena, &row));
    assert_int_equal(row.status, 201);
    arena_deinit(&arena);
}

static void what_was_answered_is_there_after_a_restart(void **state)
{
    struct fixture *f = *state;
    struct arena arena;
    struct audience row;
    struct uuid id = fixture_id(2000);

    fixture_open(f);
    fixture_add_organisation(f);
    post_audience(f, 2000);
    fixture_wait(f);
    fixture_close(f); /* as a crash would: nothing is drained */
    fixture_open(f);
    arena_init(&arena, 1024);
    assert_true(fixture_get(f, TABLE_AUDIENCE, key_owned(FIXTURE_ORGANISATION, &id), &arena, &row));
    arena_deinit(&arena);
}

/* Numbers are never given twice, not even those of an audience whose rows are still being deleted.
 */
static void numbers_go_on_after_a_restart(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    fixture_add_organisation(f);
    post_audience(f, 2000);
    fixture_wait(f);
    assert_int_equal(engine_next_number(f->engine, TABLE_AUDIENCE), 1);
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(engine_next_number(f->engine, TABLE_AUDIENCE), 2001);
    assert_int_equal(engine_next_number(f->engine, TABLE_AUDIENCE), 2002);
    assert_int_equal(engine_next_number(f->engine, TABLE_ORGANISATION), FIXTURE_ORGANISATION + 1);
    assert_int_equal(engine_next_number(f->engine, TABLE_EXECUTION), 1);
}

static void ids_ascend(void **state)
{
    struct fixture *f = *state;
    struct uuid last;

    fixture_open(f);
    last = engine_new_id(f->engine);
    for (unsigned i = 0; i < 10000; i++) {
        struct uuid id = engine_new_id(f->engine);

        assert_true(uuid_compare(&last, &id) < 0);
        last = id;
    }
}

static void a_second_engine_on_the_folder_is_refused(void **state)
{
    struct fixture *f = *state;
    struct engine *second;
    struct od_error error;

    fixture_open(f);
    assert_int_equal(engine_open(f->config, &second, &error), OD_ELOCKED);
}

/* Calls under way go on after a restart, and everybody is called. */
static void a_campaign_goes_on_after_a_restart(void **state)
{
    struct fixture *f = *state;
    struct program program = {
        .retry = {.type = RETRY_FIXED_DELAY, .delay_ms = 600000, .max_retries = 2}};
    struct execution_state now;

    f->config->gateway_settings[0].max_calls = 7;
    fixture_open(f);
    fixture_add_organisation(f);
    fixture_add_contacts(f, 1000, 60);
    fixture_launch(f, 1, &program);
    for (unsigned restart = 1; restart <= 10; restart++) {
        fixture_advance(f, FIXTURE_START + (int64_t)restart * 5000);
        fixture_close(f);
        fixture_open(f);
        now = fixture_state(f, 1);
        assert_int_equal(now.counters.total, 60);
        assert_true(now.counters.in_progress <= 7);
    }
    fixture_advance(f, FIXTURE_START + MS_PER_DAY);
    now = fixture_state(f, 1);
    assert_int_equal(now.status, EXECUTION_COMPLETED);
    assert_int_equal(now.counters.completed + now.counters.failed, 60);
}

static uint64_t rows(struct fixture *f, enum table table)
{
    struct reader *reader = engine_begin_read(f->engine);
    uint64_t count = 0;

    OD_CHECK(reader != NULL && reader_count(reader, table, &count) == 0);
    engine_end_read(f->engine, reader);
    return count;
}

/* The members of a deleted audience go in slices, under a job. */
static void long_work_goes_on_after_a_crash(void **state)
{
    struct fixture *f = *state;
    const struct owned_id audience = {FIXTURE_ORGANISATION, fixture_id(800)};

    f->config->batch_max_messages = 1;
    fixture_open(f);
    fixture_add_organisation(f);
    fixture_add_contacts(f, 1000, LONG_WORK_CONTACTS);
    fixture_do(f, MESSAGE_AUDIENCE_DELETE, FIXTURE_ORGANISATION, (union payload){.id = audience},
               NULL);
    fixture_close(f); /* as a crash would: nothing is drained */
    fixture_open(f);
    assert_int_equal(rows(f, TABLE_JOB), 1);
    assert_true(rows(f, TABLE_MEMBER) > 0);
    for (unsigned i = 0; i < LONG_WORK_CONTACTS / 100 && rows(f, TABLE_JOB) > 0; i++) {
        fixture_post(f, MESSAGE_PAUSE, 999999, (union payload){.grant = 0}, NULL); /* refused */
        fixture_wait(f);
    }
    assert_int_equal(rows(f, TABLE_JOB), 0);
    assert_int_equal(rows(f, TABLE_MEMBER), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(an_open_engine_takes_messages),
    CASE(a_stopped_engine_answers_what_it_has_taken),
    CASE(a_stopped_engine_keeps_the_responses_that_it_still_gives),
    CASE(what_was_answered_is_there_after_a_restart),
    CASE(numbers_go_on_after_a_restart),
    CASE(ids_ascend),
    CASE(a_second_engine_on_the_folder_is_refused),
    CASE(a_campaign_goes_on_after_a_restart),
    CASE(long_work_goes_on_after_a_crash),
};

OD_TEST_MAIN(tests)
