/* Launch: its checks in order, and the snapshot of settings that the execution gets. */
#include "actors/directory.h"
#include "base/instant.h"
#include "tests/support/directory_fixture.h"
#include "tests/support/od_test.h"

/* A program 40 over an audience 20 with a contact, with DIDs 1 (shared), 2 and 3 (own). */
static int setup(void **state)
{
    directory_setup(state);
    struct directory_fixture *f = *state;
    const struct uuid pool[] = {fixture_id(1), fixture_id(2), fixture_id(3)};
    struct program program = {.id = fixture_id(40),
                              .name = SLICE_INIT("Autumn"),
                              .flow_id = fixture_id(30),
                              .did_pool = pool,
                              .did_count = 3,
                              .mode = MODE_BATCH,
                              .audience_id = fixture_id(20),
                              .stop_at = f->at + MS_PER_HOUR,
                              .retry = {.type = RETRY_NONE},
                              .pacing = {.max_concurrent_calls = 4}};

    fixture_add_did(f, 1, 0, DID_ACTIVE);
    fixture_add_did(f, 2, FIXTURE_ORGANISATION, DID_ACTIVE);
    fixture_add_did(f, 3, FIXTURE_ORGANISATION, DID_ACTIVE);
    fixture_add_audience(f, 20, 5);
    fixture_add_contact(f, 10);
    fixture_add_member(f, 20, 10);
    fixture_add_flow(f, 30);
    directory_tell(f, MESSAGE_PROGRAM_CREATE, (union payload){.program = &program});
    return 0;
}

static const char *launch(struct directory_fixture *f, unsigned program, uint32_t number)
{
    struct launch_request request = {fixture_id(program), number, fixture_id(500 + number)};

    return directory_tell(f, MESSAGE_PROGRAM_LAUNCH, (union payload){.launch_request = request});
}

static const char *ended(struct directory_fixture *f, uint32_t number)
{
    struct execution_ended payload = {fixture_id(40), number};

    return directory_tell(f, MESSAGE_EXECUTION_ENDED, (union payload){.ended = payload});
}

static void set_did(struct directory_fixture *f, unsigned did, enum did_status status)
{
    struct did_patch patch = {.id = fixture_id(did), .present = DID_STATUS, .status = status};

    platform_tell(f, MESSAGE_DID_PATCH, (union payload){.did_patch = &patch});
}

static void delete_did(struct directory_fixture *f, unsigned did)
{
    struct owned_id id = {0, fixture_id(did)};

    platform_tell(f, MESSAGE_DID_DELETE, (union payload){.id = id});
}

static void a_launch_marks_the_program_and_hands_on_the_exchange(void **state)
{
    struct directory_fixture *f = *state;

    assert_string_equal(
        launch(f, 40, 3),
        "put programs 1/#40 active execution=3\n"
        "put flows 1/#30 programs=2\n"
        "send execution 3 launch exchange=9 audience=5 contacts=1 zone=Africa/Casablanca "
        "dids=+212500000001,+212500000002,+212500000003\n");
}

static void the_execution_gets_a_snapshot_of_the_settings(void **state)
{
    struct directory_fixture *f = *state;
    const struct message *messages;
    struct uuid ids[] = {fixture_id(503), fixture_id(40), fixture_id(20), fixture_id(30),
                         fixture_id(1000)};

    world_take_messages(f->world, &messages);
    launch(f, 40, 3);
    assert_int_equal(world_take_messages(f->world, &messages), 1);
    const struct execution_settings *settings = messages[0].payload.launch.settings;
    assert_int_equal(settings->number, 3);
    assert_true(uuid_equal(&settings->id, &ids[0]));
    assert_true(uuid_equal(&settings->program_id, &ids[1]));
    assert_true(uuid_equal(&settings->audience_id, &ids[2]));
    assert_true(uuid_equal(&settings->flow_id, &ids[3]));
    assert_true(uuid_equal(&settings->organisation_id, &ids[4]));
    assert_int_equal(settings->organisation, FIXTURE_ORGANISATION);
    assert_int_equal(settings->mode, MODE_BATCH);
    assert_true(slice_equal_text(settings->gateway, "simulator"));
    assert_int_equal(settings->pacing.max_concurrent_calls, 4);
    assert_int_equal(settings->start_at, 0);
    assert_int_equal(settings->stop_at, f->at + MS_PER_HOUR);
    assert_int_equal(settings->created_at, f->at);
}

static void a_second_execution_waits_for_the_end_of_the_first(void **state)
{
    struct directory_fixture *f = *state;

    launch(f, 40, 3);
    assert_string_equal(launch(f, 40, 4), "reply 9: 400 ExecutionAlreadyRunningError: "
                                          "The program has an execution that is active\n");
    assert_string_equal(ended(f, 2), "");
    assert_string_equal(ended(f, 3), "put programs 1/#40 active\n"
                                     "put flows 1/#30 programs=1\n");
    assert_string_equal(ended(f, 3), "");
    assert_non_null(strstr(launch(f, 40, 4), "put programs 1/#40 active execution=4\n"));
}

static void an_unknown_or_deleted_program_is_not_found(void **state)
{
    struct directory_fixture *f = *state;
    struct owned_id id = {FIXTURE_ORGANISATION, fixture_id(40)};

    assert_string_equal(launch(f, 41, 3),
                        "reply 9: 404 ProgramNotFoundError: Program #41 not found\n");
    directory_tell(f, MESSAGE_PROGRAM_DELETE, (union payload){.id = id});
    assert_string_equal(launch(f, 40, 3),
                        "reply 9: 404 ProgramNotFoundError: Program #40 not found\n");
}

static void an_archived_program_is_not_launched(void **state)
{
    struct directory_fixture *f = *state;
    struct program_patch patch = {.present = PROGRAM_STATUS};

    patch.value.id = fixture_id(40);
    patch.value.status = PROGRAM_ARCHIVED;
    directory_tell(f, MESSAGE_PROGRAM_PATCH, (union payload){.program_patch = &patch});
    assert_string_equal(launch(f, 40, 3), "reply 9: 409 ProgramStatusConflictError: "
                                          "The program is archived\n");
}

static void a_program_is_not_launched_once_its_stop_has_passed(void **state)
{
    struct directory_fixture *f = *state;

    f->at += MS_PER_HOUR;
    assert_string_equal(launch(f, 40, 3), "reply 9: 400 ValidationError: stopAt has passed "
                                          "[stopAt: has passed]\n");
    f->at -= 1;
    assert_non_null(strstr(launch(f, 40, 3), "send execution 3 launch"));
}

static void an_empty_audience_is_not_launched(void **state)
{
    struct directory_fixture *f = *state;
    struct uuid contact = fixture_id(10);
    struct id_list list = {fixture_id(20), &contact, 1};

    directory_tell(f, MESSAGE_MEMBERS_REMOVE, (union payload){.members = list});
    assert_string_equal(launch(f, 40, 3),
                        "reply 9: 400 AudienceEmptyError: The audience has no contacts\n");
}

static void a_pool_needs_one_usable_did_and_keeps_those_that_exist(void **state)
{
    struct directory_fixture *f = *state;

    delete_did(f, 1);
    set_did(f, 2, DID_INACTIVE);
    assert_string_equal(
        launch(f, 40, 3),
        "put programs 1/#40 active execution=3\n"
        "put flows 1/#30 programs=2\n"
        "send execution 3 launch exchange=9 audience=5 contacts=1 zone=Africa/Casablanca "
        "dids=+212500000002,+212500000003\n");
    ended(f, 3);
    set_did(f, 3, DID_INACTIVE);
    assert_string_equal(launch(f, 40, 4), "reply 9: 400 EmptyDidPoolError: "
                                          "No DID of the pool is active and accessible\n");
    delete_did(f, 2);
    delete_did(f, 3);
    assert_string_equal(launch(f, 40, 4), "reply 9: 400 EmptyDidPoolError: "
                                          "No DID of the pool is active and accessible\n");
}

static void move_to_flow(struct directory_fixture *f, unsigned flow)
{
    struct program_patch patch = {.present = PROGRAM_FLOW};

    patch.value.id = fixture_id(40);
    patch.value.flow_id = fixture_id(flow);
    directory_tell(f, MESSAGE_PROGRAM_PATCH, (union payload){.program_patch = &patch});
}

/* Of flows, "DELETE is 409 while in use" (api.md), also by what its program has left behind. */
static void an_active_execution_holds_its_flow(void **state)
{
    struct directory_fixture *f = *state;
    struct owned_id first = {FIXTURE_ORGANISATION, fixture_id(30)};
    struct owned_id second = {FIXTURE_ORGANISATION, fixture_id(31)};
    static const char *refusal =
        "reply 9: 409 ConflictError: The flow is used by a program or an execution\n";

    fixture_add_flow(f, 31);
    launch(f, 40, 3);
    move_to_flow(f, 31);
    assert_string_equal(directory_tell(f, MESSAGE_FLOW_DELETE, (union payload){.id = first}),
                        refusal);
    ended(f, 3);
    assert_string_equal(directory_tell(f, MESSAGE_FLOW_DELETE, (union payload){.id = first}),
                        "delete flows 1/#30\nreply 9: 204\n");
    assert_string_equal(directory_tell(f, MESSAGE_FLOW_DELETE, (union payload){.id = second}),
                        refusal);
}

/* A store of an older program says of an active execution no flow: nothing is counted back. */
static void an_execution_of_an_older_store_counts_no_flow(void **state)
{
    struct directory_fixture *f = *state;
    struct uuid id = fixture_id(40);
    struct key key = key_owned(FIXTURE_ORGANISATION, &id);
    struct program program;

    assert_true(world_get(f->world, TABLE_PROGRAM, &key, &program));
    program.active_execution = 3;
    world_put(f->world, TABLE_PROGRAM, &key, &program);
    assert_string_equal(ended(f, 3), "put programs 1/#40 draft\n");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, directory_teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_launch_marks_the_program_and_hands_on_the_exchange),
    CASE(the_execution_gets_a_snapshot_of_the_settings),
    CASE(a_second_execution_waits_for_the_end_of_the_first),
    CASE(an_unknown_or_deleted_program_is_not_found),
    CASE(an_archived_program_is_not_launched),
    CASE(a_program_is_not_launched_once_its_stop_has_passed),
    CASE(an_empty_audience_is_not_launched),
    CASE(a_pool_needs_one_usable_did_and_keeps_those_that_exist),
    CASE(an_active_execution_holds_its_flow),
    CASE(an_execution_of_an_older_store_counts_no_flow),
};

OD_TEST_MAIN(tests)
