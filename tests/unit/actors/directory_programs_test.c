/* Programs: the checks of POST and PATCH, what holds what, deleting. */
#include "actors/directory.h"
#include "base/instant.h"
#include "tests/support/directory_fixture.h"
#include "tests/support/od_test.h"

/* DIDs 1 (shared) and 2 (own), audiences 20 and 21, flows 30 and 31. */
static int setup(void **state)
{
    directory_setup(state);
    struct directory_fixture *f = *state;

    fixture_add_did(f, 1, 0, DID_ACTIVE);
    fixture_add_did(f, 2, FIXTURE_ORGANISATION, DID_ACTIVE);
    fixture_add_audience(f, 20, 5);
    fixture_add_audience(f, 21, 6);
    fixture_add_flow(f, 30);
    fixture_add_flow(f, 31);
    return 0;
}

static struct program make_program(const struct uuid *pool, size_t count)
{
    return (struct program){.id = fixture_id(40),
                            .name = SLICE_INIT("Autumn"),
                            .flow_id = fixture_id(30),
                            .did_pool = pool,
                            .did_count = count,
                            .mode = MODE_BATCH,
                            .audience_id = fixture_id(20),
                            .retry = {.type = RETRY_NONE}};
}

static const char *create(struct directory_fixture *f, const struct program *program)
{
    return directory_tell(f, MESSAGE_PROGRAM_CREATE, (union payload){.program = program});
}

static const char *patch(struct directory_fixture *f, const struct program_patch *program_patch)
{
    return directory_tell(f, MESSAGE_PROGRAM_PATCH,
                          (union payload){.program_patch = program_patch});
}

static const char *delete_40(struct directory_fixture *f)
{
    struct owned_id id = {FIXTURE_ORGANISATION, fixture_id(40)};

    return directory_tell(f, MESSAGE_PROGRAM_DELETE, (union payload){.id = id});
}

static struct program get_40(struct directory_fixture *f)
{
    struct uuid id = fixture_id(40);
    struct key key = key_owned(FIXTURE_ORGANISATION, &id);
    struct program program;

    assert_true(world_get(f->world, TABLE_PROGRAM, &key, &program));
    return program;
}

static void a_program_is_a_draft_that_its_audience_and_flow_count(void **state)
{
    struct directory_fixture *f = *state;
    const struct uuid pool[] = {fixture_id(1), fixture_id(2)};
    struct program program = make_program(pool, 2);

    program.active_execution = 9;
    program.is_deleted = true;
    assert_string_equal(create(f, &program), "put programs 1/#40 draft\n"
                                             "put audiences 1/#20 number=5 contacts=0 programs=1\n"
                                             "put flows 1/#30 programs=1\n"
                                             "reply 9: 201 programs 1/#40 draft\n");
    assert_int_equal(get_40(f).created_at, f->at);
}

/* "DIDs exist, are active, are accessible; audience; flow": the first that fails answers. */
static void checks_come_in_their_order(void **state)
{
    struct directory_fixture *f = *state;

    static const struct {
        unsigned dids[3];
        size_t did_count;
        unsigned audience, flow;
        const char *fault;
    } cases[] = {
        {{1, 7, 8}, 3, 99, 99, "reply 9: 404 DidNotFoundError: DID #8 not found\n"},
        {{7, 6, 1}, 3, 99, 99, "reply 9: 400 DidNotActiveError: DID #6 is not active\n"},
        {{2, 7, 1},
         3,
         99,
         99,
         "reply 9: 400 DidNotAccessibleError: DID #7 belongs to another organization\n"},
        {{1, 2}, 2, 99, 99, "reply 9: 404 AudienceNotFoundError: Audience #99 not found\n"},
        {{1, 2}, 2, 20, 99, "reply 9: 404 FlowNotFoundError: Flow #99 not found\n"},
    };

    fixture_add_did(f, 6, FIXTURE_ORGANISATION, DID_INACTIVE);
    fixture_add_did(f, 7, 2, DID_ACTIVE);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct uuid pool[3];
        for (size_t k = 0; k < cases[i].did_count; k++) {
            pool[k] = fixture_id(cases[i].dids[k]);
        }
        struct program program = make_program(pool, cases[i].did_count);
        program.audience_id = fixture_id(cases[i].audience);
        program.flow_id = fixture_id(cases[i].flow);
        assert_string_equal(create(f, &program), cases[i].fault);
    }
    assert_int_equal(world_count(f->world, TABLE_PROGRAM, NULL), 0);
}

static void a_patch_moves_the_counts(void **state)
{
    struct directory_fixture *f = *state;
    const struct uuid pool[] = {fixture_id(1)};
    struct program program = make_program(pool, 1);
    struct program_patch change = {.present = PROGRAM_AUDIENCE | PROGRAM_FLOW | PROGRAM_NAME};

    create(f, &program);
    f->at += 1;
    change.value = (struct program){.id = fixture_id(40),
                                    .name = SLICE_INIT("Winter"),
                                    .audience_id = fixture_id(21),
                                    .flow_id = fixture_id(31)};
    assert_string_equal(patch(f, &change), "put programs 1/#40 draft\n"
                                           "put audiences 1/#20 number=5 contacts=0 programs=0\n"
                                           "put audiences 1/#21 number=6 contacts=0 programs=1\n"
                                           "put flows 1/#30 programs=0\n"
                                           "put flows 1/#31 programs=1\n"
                                           "reply 9: 200 programs 1/#40 draft\n");
    program = get_40(f);
    assert_true(slice_equal_text(program.name, "Winter"));
    assert_int_equal(program.did_count, 1);
    assert_int_equal(program.updated_at, f->at);
    assert_string_equal(patch(f, &change), "put programs 1/#40 draft\n"
                                           "reply 9: 200 programs 1/#40 draft\n");
}

static void a_patch_checks_what_it_changes(void **state)
{
    struct directory_fixture *f = *state;
    const struct uuid pool[] = {fixture_id(1)}, other[] = {fixture_id(8)};
    struct program program = make_program(pool, 1);
    struct program_patch change = {.present = PROGRAM_DID_POOL};
    struct owned_id did = {0, fixture_id(1)};

    create(f, &program);
    change.value.id = fixture_id(40);
    change.value.did_pool = other;
    change.value.did_count = 1;
    assert_string_equal(patch(f, &change), "reply 9: 404 DidNotFoundError: DID #8 not found\n");
    platform_tell(f, MESSAGE_DID_DELETE, (union payload){.id = did});
    change.present = PROGRAM_NAME;
    change.value.name = SLICE("Winter");
    assert_string_equal(patch(f, &change), "put programs 1/#40 draft\n"
                                           "reply 9: 200 programs 1/#40 draft\n");
    assert_int_equal(get_40(f).did_count, 1);
}

/* "stopAt must be after startAt", whichever of them the patch has. */
static void times_fit_after_a_patch_of_one_of_them(void **state)
{
    struct directory_fixture *f = *state;
    const struct uuid pool[] = {fixture_id(1)};
    struct program program = make_program(pool, 1);
    const char *fault = "reply 9: 400 ValidationError: stopAt must be after startAt "
                        "[stopAt: must be after startAt]\n";
    const char *good = "put programs 1/#40 draft\n"
                       "reply 9: 200 programs 1/#40 draft\n";
    struct program_patch change = {.present = PROGRAM_STOP_AT};

    program.start_at = f->at + MS_PER_HOUR;
    program.stop_at = f->at + MS_PER_HOUR;
    assert_string_equal(create(f, &program), fault);
    program.stop_at = f->at + 2 * MS_PER_HOUR;
    create(f, &program);

    change.value.id = fixture_id(40);
    change.value.stop_at = f->at + MS_PER_MINUTE;
    assert_string_equal(patch(f, &change), fault);
    change.present = PROGRAM_START_AT;
    change.value.start_at = f->at + 3 * MS_PER_HOUR;
    assert_string_equal(patch(f, &change), fault);
    change.value.start_at = 0;
    assert_string_equal(patch(f, &change), good);
    change.present = PROGRAM_STOP_AT;
    assert_string_equal(patch(f, &change), good);
    assert_int_equal(get_40(f).stop_at, f->at + MS_PER_MINUTE);
}

static void a_patch_replaces_settings_as_wholes(void **state)
{
    struct directory_fixture *f = *state;
    const struct uuid pool[] = {fixture_id(1)};
    const struct weekly_window weekly[] = {{1, 600, 660}};
    struct program program = make_program(pool, 1);
    struct program_patch change = {.present = PROGRAM_RETRY | PROGRAM_PAUSE_WINDOWS |
                                              PROGRAM_PACING | PROGRAM_GATEWAY | PROGRAM_STATUS};

    create(f, &program);
    change.value =
        (struct program){.id = fixture_id(40),
                         .retry = {.type = RETRY_FIXED_DELAY, .delay_ms = 300000, .max_retries = 2},
                         .has_pause_windows = true,
                         .windows = {.weekly = weekly, .weekly_count = 1},
                         .pacing = {.max_concurrent_calls = 4},
                         .gateway = SLICE_INIT("worker"),
                         .status = PROGRAM_ARCHIVED};
    patch(f, &change);
    program = get_40(f);
    assert_int_equal(program.retry.max_retries, 2);
    assert_int_equal(program.windows.weekly_count, 1);
    assert_int_equal(program.windows.weekly[0].start_minute, 600);
    assert_int_equal(program.pacing.max_concurrent_calls, 4);
    assert_true(slice_equal_text(program.gateway, "worker"));
    assert_int_equal(program.status, PROGRAM_ARCHIVED);
    change.present = PROGRAM_PAUSE_WINDOWS | PROGRAM_GATEWAY;
    change.value.has_pause_windows = false;
    change.value.windows = (struct pause_windows){0};
    change.value.gateway = SLICE("");
    patch(f, &change);
    program = get_40(f);
    assert_false(program.has_pause_windows);
    assert_true(slice_is_empty(program.gateway));
}

static void a_deleted_program_is_hidden_and_lets_go(void **state)
{
    struct directory_fixture *f = *state;
    const struct uuid pool[] = {fixture_id(1)};
    struct program program = make_program(pool, 1);
    struct program_patch change = {.present = 0};
    const char *not_found = "reply 9: 404 ProgramNotFoundError: Program #40 not found\n";

    create(f, &program);
    assert_string_equal(delete_40(f), "put programs 1/#40 draft deleted\n"
                                      "put audiences 1/#20 number=5 contacts=0 programs=0\n"
                                      "put flows 1/#30 programs=0\n"
                                      "reply 9: 204\n");
    assert_string_equal(delete_40(f), not_found);
    change.value.id = fixture_id(40);
    assert_string_equal(patch(f, &change), not_found);
}

static void an_active_program_is_not_deleted(void **state)
{
    struct directory_fixture *f = *state;
    const struct uuid pool[] = {fixture_id(1)};
    struct program program = make_program(pool, 1);
    struct key key = key_owned(FIXTURE_ORGANISATION, &program.id);

    create(f, &program);
    program.status = PROGRAM_ACTIVE;
    program.active_execution = 3;
    world_put(f->world, TABLE_PROGRAM, &key, &program);
    assert_string_equal(delete_40(f), "reply 9: 409 ProgramStatusConflictError: "
                                      "The program has an execution that is active\n");
}

static void what_a_program_uses_is_not_deleted(void **state)
{
    struct directory_fixture *f = *state;
    const struct uuid pool[] = {fixture_id(1)};
    struct program program = make_program(pool, 1);
    struct owned_id audience = {FIXTURE_ORGANISATION, fixture_id(20)};
    struct owned_id flow = {FIXTURE_ORGANISATION, fixture_id(30)};

    create(f, &program);
    assert_string_equal(directory_tell(f, MESSAGE_AUDIENCE_DELETE, (union payload){.id = audience}),
                        "reply 9: 409 ConflictError: The audience is used by a program\n");
    assert_string_equal(
        directory_tell(f, MESSAGE_FLOW_DELETE, (union payload){.id = flow}),
        "reply 9: 409 ConflictError: The flow is used by a program or an execution\n");
    delete_40(f);
    assert_string_equal(directory_tell(f, MESSAGE_FLOW_DELETE, (union payload){.id = flow}),
                        "delete flows 1/#30\n"
                        "reply 9: 204\n");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, directory_teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_program_is_a_draft_that_its_audience_and_flow_count),
    CASE(checks_come_in_their_order),
    CASE(a_patch_moves_the_counts),
    CASE(a_patch_checks_what_it_changes),
    CASE(times_fit_after_a_patch_of_one_of_them),
    CASE(a_patch_replaces_settings_as_wholes),
    CASE(a_deleted_program_is_hidden_and_lets_go),
    CASE(an_active_program_is_not_deleted),
    CASE(what_a_program_uses_is_not_deleted),
};

OD_TEST_MAIN(tests)
