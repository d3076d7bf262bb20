/* A sound store has no finding; each planted defect has one, in the words that name it. */
#include "storage/record.h"
#include "tests/support/od_test.h"
#include "tests/unit/storage/check_heard.h"

static void a_sound_store_has_no_finding(void **state)
{
    assert_sound(*state);
}

static void an_empty_store_has_no_finding(void **state)
{
    assert_sound(*state);
}

static void what_a_removal_has_left_is_sound(void **state)
{
    struct store_fixture *f = *state;

    world_removed(f->batch);
    assert_int_equal(store_fixture_commit(f), 0);
    assert_sound(f);
}

/* ---- planted defects ---- */

/* A row as it is, to be changed and put again. */
static void *row_get(struct store_fixture *f, enum table table, struct key key)
{
    void *record = arena_alloc(&f->arena, record_size(table));

    assert_int_equal(reader_begin(f->reader, &f->error), 0);
    assert_int_equal(reader_get(f->reader, table, &key, &f->arena, record), 0);
    reader_end(f->reader);
    return record;
}

static void assert_finding(struct store_fixture *f, const char *expected)
{
    struct heard heard = {0};

    assert_int_equal(store_fixture_commit(f), 0);
    assert_true(run(f, &heard) > 0);
    if (strstr(heard.texts, expected) == NULL) {
        fail_msg("expected %s, heard\n%s", expected, heard.texts);
    }
}

static struct key owned(char kind, uint8_t number)
{
    struct uuid id = world_id(kind, number);

    return key_owned(WORLD_ORGANISATION, &id);
}

static void a_wrong_counter_is_found(void **state)
{
    static const char *const expected[] = {
        "execution_states 5: counts 7 total contacts, the rows say 6",
        "execution_states 5: counts 2 completed contacts, the rows say 1",
        "execution_states 5: counts 2 failed contacts, the rows say 1",
        "execution_states 5: counts 3 pending contacts, the rows say 2",
        "execution_states 5: counts 3 in-progress contacts, the rows say 2",
        "execution_states 5: counts 1 skipped contacts, the rows say 0",
    };
    struct store_fixture *f = *state;
    struct key key = key_u32(WORLD_RUNNING);

    for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        struct execution_state *row = row_get(f, TABLE_EXECUTION_STATE, key);
        uint64_t *counters[] = {&row->counters.total,       &row->counters.completed,
                                &row->counters.failed,      &row->counters.pending,
                                &row->counters.in_progress, &row->counters.skipped};

        ++*counters[i];
        batch_put(f->batch, TABLE_EXECUTION_STATE, &key, row);
        assert_finding(f, expected[i]);
        assert_finding(f, "execution_states 5: its counters do not add up");
        --*counters[i];
        batch_put(f->batch, TABLE_EXECUTION_STATE, &key, row);
        assert_int_equal(store_fixture_commit(f), 0);
    }
    assert_sound(f);
}

static void what_a_removal_should_have_taken_first_is_found(void **state)
{
    struct store_fixture *f = *state;
    struct key settings = key_u32(WORLD_REMOVED), due = key_due(WORLD_REMOVED, WORLD_AT, 1);
    struct key job = key_text(SLICE("remove_execution/0000000004"));

    world_removed(f->batch);
    batch_put(f->batch, TABLE_EXECUTION, &settings,
              &(struct execution_settings){.number = WORLD_REMOVED});
    assert_finding(f, "executions 4: is of an execution that was removed");
    batch_delete(f->batch, TABLE_EXECUTION, &settings);
    batch_put(f->batch, TABLE_DUE, &due, &(struct due_row){0});
    assert_finding(f, "is of an execution that was removed");
    batch_delete(f->batch, TABLE_DUE, &due);
    assert_int_equal(store_fixture_commit(f), 0);
    assert_sound(f);
    batch_delete(f->batch, TABLE_JOB, &job); /* and its rows are nobody's */
    assert_finding(f, "execution_states 4: has no settings");
}

static void an_event_beyond_the_numbers_given_is_found(void **state)
{
    struct store_fixture *f = *state;
    struct key key = key_u32(WORLD_ORGANISATION);

    batch_put(f->batch, TABLE_EVENT_HEAD, &key,
              &(struct event_head){.last = 2, .last_at = WORLD_AT});
    assert_finding(f, "events 1/3: has a number or an instant that was not given");
}

static void pending_contacts_of_a_skipped_execution_are_found(void **state)
{
    struct store_fixture *f = *state;
    struct key key = key_u32(WORLD_CANCELLED);
    struct execution_state *row = row_get(f, TABLE_EXECUTION_STATE, key);

    row->skip_done = true;
    batch_put(f->batch, TABLE_EXECUTION_STATE, &key, row);
    assert_finding(f, "execution_states 6: has ended and been skipped, and has due rows");
    assert_finding(f, "execution_states 6: counts 0 pending contacts, the rows say 1");
    assert_finding(f, "execution_states 6: counts 2 skipped contacts, the rows say 1");
}

static void an_active_list_that_is_wrong_is_found(void **state)
{
    struct store_fixture *f = *state;
    struct key key = key_organisation_execution(WORLD_ORGANISATION, WORLD_OVER);

    batch_put(f->batch, TABLE_ACTIVE_EXECUTION, &key, &(struct number_row){WORLD_OVER});
    assert_finding(f, "execution_states 7: is over and still in active_executions");
    key = key_organisation_execution(WORLD_ORGANISATION, WORLD_RUNNING);
    batch_delete(f->batch, TABLE_ACTIVE_EXECUTION, &key);
    assert_finding(f, "execution_states 5: goes on and is not in active_executions");
}

static void a_program_that_names_another_execution_is_found(void **state)
{
    struct store_fixture *f = *state;
    struct key key = owned('p', 1);
    struct program *row = row_get(f, TABLE_PROGRAM, key);

    row->active_execution = WORLD_OVER;
    batch_put(f->batch, TABLE_PROGRAM, &key, row);
    assert_finding(f, "names execution 7 as active, which is not");
    assert_finding(f, "execution_states 5: has not ended, and its program does not name it");
    row->active_execution = WORLD_RUNNING;
    row->is_deleted = true;
    batch_put(f->batch, TABLE_PROGRAM, &key, row);
    assert_finding(f, "is deleted and active");
    assert_finding(f, "counts 1 programs, 0 use it");
    row->is_deleted = false;
    row->flow_id = world_id('f', 2);
    row->audience_id = world_id('a', 2);
    batch_put(f->batch, TABLE_PROGRAM, &key, row);
    assert_finding(f, "has no flow");
    assert_finding(f, "has no audience");
}

static void a_due_row_that_is_wrong_is_found(void **state)
{
    struct store_fixture *f = *state;
    struct key key;

    world_due(f->batch, WORLD_RUNNING, 0, WORLD_AT);
    assert_finding(f, "due 5/1970-01-01T00:16:40.000Z/0: its contact is not pending");
    world_due(f->batch, WORLD_RUNNING, 1, WORLD_AT);
    assert_finding(f, "due 5/1970-01-01T00:16:40.000Z/1: its contact is due at another instant");
    world_due(f->batch, WORLD_RUNNING, 2, WORLD_AT + 1);
    assert_finding(f, "due 5/1970-01-01T00:16:40.001Z/2: its contact is due twice");
    world_due(f->batch, WORLD_RUNNING, 3, WORLD_AT);
    assert_finding(f, "due 5/1970-01-01T00:16:40.000Z/3: its contact has a live call");
    world_due(f->batch, WORLD_RUNNING, 9, WORLD_AT);
    assert_finding(f, "due 5/1970-01-01T00:16:40.000Z/9: names no contact of the execution");
    assert_finding(f, "execution_states 5: has 7 due rows for 2 pending contacts");
    key = key_due(WORLD_RUNNING, WORLD_AT, 2);
    batch_delete(f->batch, TABLE_DUE, &key);
    key = key_due(WORLD_RUNNING, WORLD_AT + 1, 2);
    batch_delete(f->batch, TABLE_DUE, &key);
    assert_finding(f, "entries 5/2: is pending and has no due row");
}

static void rows_of_no_execution_are_found(void **state)
{
    struct store_fixture *f = *state;

    world_due(f->batch, 99, 0, WORLD_AT);
    world_live(f->batch, 98, 0, 1);
    world_entry(f->batch, 97, 0, ENTRY_FAILED, 1);
    assert_finding(f, "execution_states 99: has no settings");
    assert_finding(f, "execution_states 98: has no state, but rows");
    assert_finding(f, "execution_states 97: has no state, but rows");
    assert_finding(f, "live_calls 98/0: is of no contact of the execution");
}

static void calls_that_are_wrong_are_found(void **state)
{
    struct store_fixture *f = *state;
    struct key key = key_call(WORLD_RUNNING, 5, 2);
    struct call *call = row_get(f, TABLE_CALL, key);
    struct live_call *live;

    call->contact_id = world_contact(1);
    call->attempt = 3;
    call->did = 1;
    call->outcome = OUTCOME_NONE;
    batch_put(f->batch, TABLE_CALL, &key, call);
    assert_finding(f, "calls 5/5/2: is to another contact");
    assert_finding(f, "calls 5/5/2: holds another contact's number or another attempt");
    assert_finding(f, "calls 5/5/2: shows no DID of the pool");
    assert_finding(f, "calls 5/5/2: has no outcome");
    key = key_call(WORLD_RUNNING, 5, 22);
    batch_put(f->batch, TABLE_CALL, &key, call);
    assert_finding(f, "calls 5/5/22: is attempt 22, of at most 21");
    assert_finding(f, "entries 5/5: counts 2 attempts, calls has 3");
    key = key_call(WORLD_RUNNING, 7, 1);
    batch_put(f->batch, TABLE_CALL, &key, call);
    assert_finding(f, "calls 5/7/1: is of no contact of the execution");

    key = key_entry(WORLD_RUNNING, 3);
    live = row_get(f, TABLE_LIVE_CALL, key);
    live->attempt = 2;
    live->status = CALL_ENDED;
    live->contact_id = world_contact(1);
    batch_put(f->batch, TABLE_LIVE_CALL, &key, live);
    assert_finding(f, "live_calls 5/3: is attempt 2 after 0 that have ended");
    assert_finding(f, "live_calls 5/3: is neither queued nor under way");
    assert_finding(f, "live_calls 5/3: is to another contact");
    world_live(f->batch, WORLD_RUNNING, 0, 2);
    assert_finding(f, "entries 5/0: has a live call and is not pending");
}

static void contacts_that_are_wrong_are_found(void **state)
{
    struct store_fixture *f = *state;

    world_entry(f->batch, WORLD_RUNNING, 2, ENTRY_QUEUED, 0);
    assert_finding(f, "entries 5/2: has a status that is not stored");
    world_entry(f->batch, WORLD_RUNNING, 7, ENTRY_SKIPPED, 0);
    assert_finding(f, "execution_states 5: has 7 contacts, numbered up to 6");
    batch_put(f->batch, TABLE_ENTRY, &(struct key){8, {0, 0, 0, 5, 0, 0, 0, 0}},
              &(struct entry){.contact_id = world_contact(0),
                              .status = ENTRY_COMPLETED,
                              .attempts = 1,
                              .next_attempt_at = 1});
    assert_finding(f, "entries 5/0: has an instant of the next attempt without a retry");
}

static void counts_and_members_that_are_wrong_are_found(void **state)
{
    struct store_fixture *f = *state;
    struct key key = owned('a', 1);
    struct audience *audience = row_get(f, TABLE_AUDIENCE, key);
    struct attribute *attribute;

    audience->contact_count = 9;
    audience->program_count = 3;
    batch_put(f->batch, TABLE_AUDIENCE, &key, audience);
    assert_finding(f, "counts 9 contacts, members has 6");
    assert_finding(f, "counts 3 programs, 1 use it");
    key = owned('a', 3);
    audience->id = world_id('a', 3);
    batch_put(f->batch, TABLE_AUDIENCE, &key, audience);
    assert_finding(f, "has number 10, which is another's");
    key = owned('t', 1);
    attribute = row_get(f, TABLE_ATTRIBUTE, key);
    attribute->program_count = 1;
    batch_put(f->batch, TABLE_ATTRIBUTE, &key, attribute);
    assert_finding(f, "counts 1 programs, 0 use it");
    world_member(f->batch, 12, 0, world_id('a', 1));
    assert_finding(f, "belongs to no audience");
    assert_finding(f, "/12: names another audience");
    world_member(f->batch, WORLD_EMPTIED, 9, world_id('a', 2));
    assert_finding(f, "is no contact");
}

/* Its name stays until its values have left the contacts. */
static void a_deleted_attribute_whose_values_are_being_removed_is_sound(void **state)
{
    struct store_fixture *f = *state;
    struct key attribute_key = owned('t', 1), job_key;
    char id[UUID_TEXT_SIZE], text[96];
    struct job job = {.kind = JOB_REMOVE_ATTRIBUTE,
                      .organisation = WORLD_ORGANISATION,
                      .attribute_id = world_id('t', 1),
                      .attribute_name = SLICE("born")};

    uuid_print(&job.attribute_id, id);
    (void)snprintf(text, sizeof(text), "remove_attribute/%010d/%s", WORLD_ORGANISATION, id);
    job_key = key_text(slice_from(text));
    batch_put(f->batch, TABLE_JOB, &job_key, &job);
    assert_finding(f, "removes an attribute that exists");
    batch_delete(f->batch, TABLE_ATTRIBUTE, &attribute_key);
    assert_int_equal(store_fixture_commit(f), 0);
    assert_sound(f);
    job.attribute_name = SLICE("other");
    batch_put(f->batch, TABLE_JOB, &job_key, &job);
    assert_finding(f, "its attribute's name is free");
    assert_finding(f, "born: points to no such attribute");
}

static void a_flow_that_counts_wrong_is_found(void **state)
{
    struct store_fixture *f = *state;
    struct key key = owned('p', 1);
    struct program *program = row_get(f, TABLE_PROGRAM, key);

    program->active_flow = world_id('f', 1);
    batch_put(f->batch, TABLE_PROGRAM, &key, program);
    assert_finding(f, "counts 1 programs, 2 use it");
    program->active_execution = 0;
    batch_put(f->batch, TABLE_PROGRAM, &key, program);
    assert_finding(f, "holds a flow for an execution, and none is active");
}

/* ---- many findings, and no store ---- */

static void findings_beyond_the_limit_are_counted(void **state)
{
    struct store_fixture *f = *state;
    struct heard heard = {0};

    for (uint32_t i = 0; i < 3000; i++) {
        world_due(f->batch, 99, i, WORLD_AT);
    }
    assert_int_equal(store_fixture_commit(f), 0);
    assert_true(run(f, &heard) >= 3000);
    assert_int_equal(heard.count, CHECK_TOLD_MAX);
}

static void a_store_that_is_not_there_is_said(void **state)
{
    struct store_fixture *f = *state;
    struct check_listener listener = {NULL, on_finding, NULL};
    uint64_t findings = 7;

    assert_int_equal(check_run("/nonexistent/folder", &listener, &findings, &f->error),
                     OD_ENOTFOUND);
    assert_non_null(strstr(f->error.text, "/nonexistent/folder"));
    assert_int_equal(findings, 7);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, check_world_setup, store_fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_sound_store_has_no_finding),
    cmocka_unit_test_setup_teardown(an_empty_store_has_no_finding, store_fixture_setup,
                                    store_fixture_teardown),
    CASE(what_a_removal_has_left_is_sound),
    CASE(what_a_removal_should_have_taken_first_is_found),
    CASE(an_event_beyond_the_numbers_given_is_found),
    CASE(a_wrong_counter_is_found),
    CASE(pending_contacts_of_a_skipped_execution_are_found),
    CASE(an_active_list_that_is_wrong_is_found),
    CASE(a_program_that_names_another_execution_is_found),
    CASE(a_due_row_that_is_wrong_is_found),
    CASE(rows_of_no_execution_are_found),
    CASE(calls_that_are_wrong_are_found),
    CASE(contacts_that_are_wrong_are_found),
    CASE(counts_and_members_that_are_wrong_are_found),
    CASE(a_deleted_attribute_whose_values_are_being_removed_is_sound),
    CASE(a_flow_that_counts_wrong_is_found),
    CASE(findings_beyond_the_limit_are_counted),
    CASE(a_store_that_is_not_there_is_said),
};
OD_TEST_MAIN(tests)
