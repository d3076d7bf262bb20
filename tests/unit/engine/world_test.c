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

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_message_to_no_execution_finds_none),
    CASE(an_execution_that_has_ended_is_loaded_for_a_message),
    CASE(every_execution_hears_of_a_did),
    CASE(who_asks_for_an_execution_that_is_gone_is_answered),
};

OD_TEST_MAIN(tests)
