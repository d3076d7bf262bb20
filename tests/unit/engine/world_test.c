/* Messages find their actors, and answers the gateway that asked. */
#include "engine/gateway_port.h"
#include "tests/unit/engine/engine_fixture.h"

/* A message that is answered behind all that was posted before it. */
static void come_to_rest(struct fixture *f)
{
    fixture_post(f, MESSAGE_PAUSE, 999999, (union payload){.grant = 0}, NULL);
    fixture_wait(f);
}

static void a_message_to_no_execution_finds_none(void **state)
{
    struct fixture *f = *state;
    const struct call_event event = {.entry = 1, .attempt = 1};
    uint64_t pause;
    uint64_t result;

    fixture_open(f);
    pause = fixture_post(f, MESSAGE_PAUSE, 77, (union payload){.grant = 0}, NULL);
    result = fixture_post(f, MESSAGE_CALL_RESULT, 77, (union payload){.event = &event}, NULL);
    fixture_wait(f);
    assert_int_equal(f->answers[pause].fault, FAULT_EXECUTION_NOT_FOUND);
    assert_int_equal(f->answers[result].kind, REPLY_EVENT);
}

static void an_execution_that_has_ended_is_loaded_for_a_message(void **state)
{
    struct fixture *f = *state;
    struct program program = {.start_at = FIXTURE_START + MS_PER_HOUR};
    uint64_t pause;

    fixture_open(f);
    fixture_add_organisation(f);
    fixture_add_contacts(f, 1000, 5);
    fixture_launch(f, 1, &program);
    fixture_do(f, MESSAGE_CANCEL, 1, (union payload){.grant = 0}, NULL);
    come_to_rest(f);
    fixture_do(f, MESSAGE_CANCEL, 1, (union payload){.grant = 0}, NULL);
    pause = fixture_post(f, MESSAGE_PAUSE, 1, (union payload){.grant = 0}, NULL);
    fixture_wait(f);
    assert_int_equal(f->answers[pause].fault, FAULT_INVALID_EXECUTION_STATE);
    assert_int_equal(fixture_state(f, 1).counters.skipped, 5);
}

/* A DID that goes away is told to every execution. */
static void every_execution_hears_of_a_did(void **state)
{
    struct fixture *f = *state;
    struct program one = {.start_at = FIXTURE_START + MS_PER_HOUR};
    struct program other = {.start_at = FIXTURE_START + MS_PER_HOUR};
    const struct did_patch patch = {fixture_id(900), DID_STATUS, DID_INACTIVE};

    fixture_open(f);
    fixture_add_organisation(f);
    fixture_add_contacts(f, 1000, 5);
    fixture_launch(f, 1, &one);
    fixture_launch(f, 2, &other);
    fixture_do(f, MESSAGE_DID_PATCH, 0, (union payload){.did_patch = &patch}, NULL);
    fixture_advance(f, FIXTURE_START + 2 * MS_PER_HOUR);
    assert_int_equal(fixture_state(f, 1).status, EXECUTION_PAUSED);
    assert_int_equal(fixture_state(f, 2).status, EXECUTION_PAUSED);
}

/* A push gateway asks for a call whose execution is gone, and the first gateway is one that asks
 * for nothing. */
static void who_asks_for_an_execution_that_is_gone_is_answered(void **state)
{
    struct fixture *f = *state;
    struct gateway_config gateway = f->config->gateways[0];
    struct gateway_settings settings = f->config->gateway_settings[0];
    const struct call_event event = {.entry = 1, .attempt = 1, .from_gateway = true};

    f->config->gateways[0] = f->config->gateways[1];
    f->config->gateways[1] = gateway;
    f->config->gateway_settings[0] = f->config->gateway_settings[1];
    f->config->gateway_settings[1] = settings;
    fixture_open(f);
    gateway_post(f->engine, MESSAGE_CALL_STARTED, 77, &event);
    come_to_rest(f);
}

/* ---- responses that are kept ---- */

struct keeper {
    uint64_t exchange;    /* of the request whose response is kept */
    unsigned asked, kept; /* replies of that exchange, and those that were kept */
    enum reply_kind kind;
};

static const struct response_kept *keep(void *context, uint64_t exchange, const struct reply *reply,
                                        struct arena *arena)
{
    struct keeper *keeper = context;
    struct response_kept *kept;

    if (exchange != keeper->exchange) {
        return NULL;
    }
    keeper->asked++;
    if (keeper->kept > 0) {
        return NULL;
    }
    keeper->kept++;
    keeper->kind = reply->kind;
    kept = arena_zalloc(arena, sizeof(*kept));
    kept->hash[0] = 7;
    kept->response.status = 201;
    kept->response.body = arena_copy(arena, SLICE("what was said"));
    return kept;
}

static bool is_kept(struct fixture *f, struct arena *arena)
{
    const uint8_t hash[KEY_HASH_BYTES] = {7};
    struct kept_response row;

    return fixture_get(f, TABLE_IDEMPOTENCY, key_idempotency(0, hash), arena, &row) &&
           slice_equal_text(row.body, "what was said");
}

/* A reply that leaves finds its row on disk: both were in one batch. */
static void a_response_is_kept_in_the_batch_of_its_reply(void **state)
{
    struct fixture *f = *state;
    struct keeper keeper = {0};
    struct arena arena;

    arena_init(&arena, 1024);
    fixture_open(f);
    engine_set_keeper(f->engine, keep, &keeper);
    keeper.exchange =
        fixture_post(f, MESSAGE_PAUSE, 77, (union payload){.grant = 0}, NULL); /* refused */
    fixture_wait(f);
    assert_int_equal(f->answers[keeper.exchange].fault, FAULT_EXECUTION_NOT_FOUND);
    assert_int_equal(keeper.kind, REPLY_FAULT);
    assert_true(is_kept(f, &arena));
    arena_deinit(&arena);
}

/* Before its snapshot is in, and long before the answer. */
static void the_response_to_a_launch_is_kept_with_the_launch(void **state)
{
    struct fixture *f = *state;
    struct program program = {.start_at = FIXTURE_START + MS_PER_HOUR};
    struct keeper keeper = {0};
    struct arena arena;

    arena_init(&arena, 1024);
    fixture_open(f);
    fixture_add_organisation(f);
    fixture_add_contacts(f, 1000, 3000);
    fixture_add_program(f, 1, &program);
    engine_set_keeper(f->engine, keep, &keeper);
    keeper.exchange =
        fixture_post(f, MESSAGE_PROGRAM_LAUNCH, FIXTURE_ORGANISATION, fixture_launch_of(1), NULL);
    while (!is_kept(f, &arena)) {
        assert_false(f->answers[keeper.exchange].is_answered);
        assert_int_equal(event_base_loop(engine_base(f->engine), EVLOOP_ONCE), 0);
    }
    assert_false(f->answers[keeper.exchange].is_answered);
    assert_true(fixture_state(f, 1).counters.total < 3000);
    assert_int_equal(keeper.kind, REPLY_LAUNCHED);
    assert_int_equal(keeper.asked, 1);
    fixture_wait(f);
    assert_int_equal(f->answers[keeper.exchange].kind, REPLY_LAUNCHED);
    assert_int_equal(keeper.asked, 2);
    assert_int_equal(fixture_state(f, 1).counters.total, 3000);
    arena_deinit(&arena);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_message_to_no_execution_finds_none),
    CASE(an_execution_that_has_ended_is_loaded_for_a_message),
    CASE(every_execution_hears_of_a_did),
    CASE(who_asks_for_an_execution_that_is_gone_is_answered),
    CASE(a_response_is_kept_in_the_batch_of_its_reply),
    CASE(the_response_to_a_launch_is_kept_with_the_launch),
};

OD_TEST_MAIN(tests)
