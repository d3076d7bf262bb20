/* Durable before visible (promise 1): whoever is told something can read it from the disk at that
 * moment, and while a commit is held back nobody is told anything of its batch.
 *
 * Everything that the engine tells is heard here: replies, offers and answers to a push gateway,
 * and that there are events. Each commit waits until the engine has done what it can without it.
 */
#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "engine/gateway_port.h"
#include "tests/unit/engine/engine_fixture.h"

enum {
    CONTACTS = 20,
    TURNS_AHEAD = 40, /* while a commit is held back */
};

/* Hears what leaves the engine, and counts what was not on disk then. */
struct listener {
    struct fixture *f;
    struct gateway_host host;
    unsigned replies, offers, permits, published;
    unsigned early; /* of all these */
    atomic_bool is_held;
    sem_t go;
};

/* There is one at a time: a gateway's functions are told no context of the test. */
static struct listener *listening;

/* ---- the disk ---- */

static bool has_row(struct fixture *f, enum table table, struct key key, void *record)
{
    struct arena arena;
    bool is_there;

    arena_init(&arena, 1024);
    is_there = fixture_get(f, table, key, &arena, record);
    arena_deinit(&arena); /* numbers only are looked at */
    return is_there;
}

static bool call_is(struct fixture *f, uint32_t execution, uint32_t entry, enum call_status status)
{
    struct live_call row;

    return has_row(f, TABLE_LIVE_CALL, key_entry(execution, entry), &row) && row.status == status;
}

/* ---- what is heard ---- */

static void on_reply(void *context, uint64_t exchange, const struct reply *reply)
{
    struct listener *listener = context;
    struct organisation row;

    listener->replies++;
    if (reply->kind == REPLY_RECORD && reply->record.table == TABLE_ORGANISATION) {
        listener->early +=
            has_row(listener->f, TABLE_ORGANISATION, reply->record.key, &row) ? 0 : 1;
    }
    fixture_on_reply(listener->f, exchange, reply);
}

static void on_publish(void *context, uint32_t organisation)
{
    struct listener *listener = context;
    struct event_head head;

    listener->published++;
    listener->early += has_row(listener->f, TABLE_EVENT_HEAD, key_u32(organisation), &head) ? 0 : 1;
}

static int gateway_open(const struct gateway_host *host, struct gateway_instance **out,
                        struct od_error *error)
{
    (void)error;
    listening->host = *host;
    *out = NULL;
    return 0;
}

static void gateway_close(struct gateway_instance *instance)
{
    (void)instance;
}

static void post(enum message_type type, uint32_t execution, const struct call_event *event)
{
    listening->host.post(listening->host.engine, type, execution, event);
}

/* The tag of the calls of the one execution. */
static uint32_t tag_of(void)
{
    const struct uuid id = fixture_id(501);

    return call_tag(&id);
}

static void gateway_offer(struct gateway_instance *instance, const struct offer *offer)
{
    const struct call_event event = {
        .entry = offer->entry, .attempt = offer->attempt, .tag = offer->tag, .from_gateway = true};

    (void)instance;
    listening->offers++;
    listening->early += call_is(listening->f, offer->execution, offer->entry, CALL_QUEUED) ? 0 : 1;
    post(MESSAGE_CALL_STARTED, offer->execution, &event);
}

static void gateway_answered(struct gateway_instance *instance, const struct gateway_answer *answer)
{
    struct call_event event = {
        .entry = answer->entry, .attempt = answer->attempt, .tag = tag_of(), .from_gateway = true};

    (void)instance;
    assert_int_equal(answer->status, EVENT_ACCEPTED);
    listening->permits++;
    listening->early +=
        call_is(listening->f, answer->execution, answer->entry, CALL_STARTED) ? 0 : 1;
    event.result.outcome = OUTCOME_ANSWERED;
    post(MESSAGE_CALL_RESULT, answer->execution, &event);
}

static int64_t gateway_wake(const struct gateway_instance *instance)
{
    (void)instance;
    return INSTANT_NEVER;
}

static bool gateway_run(struct gateway_instance *instance, int64_t at, int64_t mono,
                        uint32_t budget)
{
    (void)instance;
    (void)at;
    (void)mono;
    (void)budget;
    return false;
}

static const struct gateway_kind listening_kind = {.name = "listening",
                                                   .open = gateway_open,
                                                   .close = gateway_close,
                                                   .offer = gateway_offer,
                                                   .answered = gateway_answered,
                                                   .wake = gateway_wake,
                                                   .run = gateway_run};

/* ---- commits are held back ---- */

/* In the writer's thread. */
static int on_commit(void *context, uint64_t number)
{
    struct listener *listener = context;

    (void)number;
    atomic_store(&listener->is_held, true);
    while (sem_wait(&listener->go) != 0) {
        OD_CHECK(errno == EINTR);
    }
    return 0;
}

static unsigned heard(const struct listener *listener)
{
    return listener->replies + listener->offers + listener->permits + listener->published;
}

/* A turn of the loop; when a commit is held back, as many as the engine may need to say too much.
 */
static void turn(struct listener *listener)
{
    struct event_base *base = engine_base(listener->f->engine);

    event_base_loop(base, EVLOOP_NONBLOCK);
    if (atomic_load(&listener->is_held)) {
        for (unsigned i = 0; i < TURNS_AHEAD; i++) {
            event_base_loop(base, EVLOOP_NONBLOCK);
        }
        atomic_store(&listener->is_held, false);
        sem_post(&listener->go);
    }
}

static void listener_open(struct listener *listener, struct fixture *f)
{
    *listener = (struct listener){.f = f};
    listening = listener;
    OD_CHECK(sem_init(&listener->go, 0, 0) == 0);
    f->config->gateways[0].kind = &listening_kind;
    fixture_open(f);
    fixture_add_organisation(f);
    fixture_add_contacts(f, 1000, CONTACTS);
    engine_set_replies(f->engine, on_reply, listener);
    engine_set_publish(f->engine, on_publish, listener);
    writer_set_hook(engine_writer(f->engine), on_commit, listener);
}

static void listener_close(struct listener *listener)
{
    writer_set_hook(engine_writer(listener->f->engine), NULL, NULL);
    sem_post(&listener->go); /* a commit that was begun with the hook */
    fixture_close(listener->f);
    sem_destroy(&listener->go);
    listening = NULL;
}

/* ---- tests ---- */

static void a_reply_leaves_when_its_rows_are_on_disk(void **state)
{
    struct organisation organisation = {
        .number = 2, .id = fixture_id(2), .name = SLICE_INIT("Rif"), .timezone = SLICE_INIT("UTC")};
    struct fixture *f = *state;
    struct listener listener;

    listener_open(&listener, f);
    fixture_post(f, MESSAGE_ORGANISATION_CREATE, 0, (union payload){.organisation = &organisation},
                 NULL);
    while (f->waiting > 0) {
        turn(&listener);
    }
    assert_int_equal(listener.replies, 1);
    assert_int_equal(listener.early, 0);
    listener_close(&listener);
}

static void a_call_is_offered_and_permitted_when_that_is_on_disk(void **state)
{
    struct fixture *f = *state;
    struct program program = {.pacing = {.max_concurrent_calls = 3}};
    struct listener listener;

    listener_open(&listener, f);
    writer_set_hook(engine_writer(f->engine), NULL, NULL);
    fixture_add_program(f, 1, &program);
    writer_set_hook(engine_writer(f->engine), on_commit, &listener);
    fixture_post(f, MESSAGE_PROGRAM_LAUNCH, FIXTURE_ORGANISATION, fixture_launch_of(1), NULL);
    /* That it runs is told, and that it is over. */
    while (listener.published < 2 || fixture_state(f, 1).status != EXECUTION_COMPLETED) {
        turn(&listener);
    }
    assert_int_equal(listener.offers, CONTACTS);
    assert_int_equal(listener.permits, CONTACTS);
    assert_int_equal(f->waiting, 0);
    assert_int_equal(listener.early, 0);
    assert_int_equal(fixture_state(f, 1).counters.completed, CONTACTS);
    listener_close(&listener);
}

/* Also what has no rows of its own, such as a refusal: it may rest on those of the batch before. */
static void nobody_hears_anything_while_a_commit_is_held_back(void **state)
{
    struct organisation organisation = {
        .number = 2, .id = fixture_id(2), .name = SLICE_INIT("Rif"), .timezone = SLICE_INIT("UTC")};
    struct fixture *f = *state;
    struct listener listener;
    struct event_base *base;
    uint64_t refused;

    listener_open(&listener, f);
    base = engine_base(f->engine);
    fixture_post(f, MESSAGE_ORGANISATION_CREATE, 0, (union payload){.organisation = &organisation},
                 NULL);
    while (!atomic_load(&listener.is_held)) {
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    refused = fixture_post(f, MESSAGE_PAUSE, 77, (union payload){.grant = 0}, NULL);
    for (unsigned i = 0; i < TURNS_AHEAD; i++) {
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    assert_int_equal(heard(&listener), 0);
    while (f->waiting > 0) {
        turn(&listener);
    }
    assert_int_equal(f->answers[refused].fault, FAULT_EXECUTION_NOT_FOUND);
    assert_int_equal(listener.replies, 2);
    listener_close(&listener);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_reply_leaves_when_its_rows_are_on_disk),
    CASE(a_call_is_offered_and_permitted_when_that_is_on_disk),
    CASE(nobody_hears_anything_while_a_commit_is_held_back),
};

OD_TEST_MAIN(tests)
