/* The rows of live mode: sound ones have no finding, and what is missing or wrong has one. */
#include "base/instant.h"
#include "storage/record.h"
#include "tests/support/od_test.h"
#include "tests/unit/storage/check_heard.h"

enum {
    LIVE = 8,    /* the execution's number */
    REMOVED = 9, /* the number of one that was */
    LIVE_PROGRAM = 3,
    FIRST_DUE = WORLD_AT + 10, /* of the trigger that fired first */
    NEXT_DUE = WORLD_AT + 20,
    LATER = WORLD_AT + 90000,
    BEFORE = WORLD_AT - 1,
};

static const enum table tables[] = {TABLE_TRIGGER, TABLE_TRIGGER_DUE, TABLE_CONTACT_TRIGGER,
                                    TABLE_WAITING, TABLE_LIVE_EXECUTION};

/* ---- the world ---- */

static void put_program(struct batch *batch)
{
    struct attribute attribute = {.id = world_id('t', 2),
                                  .name = SLICE("renewal"),
                                  .type = ATTRIBUTE_DATE,
                                  .program_count = 1};
    struct flow flow = {.id = world_id('f', 3), .program_count = 1};
    struct program program = {
        .id = world_id('p', LIVE_PROGRAM),
        .flow_id = flow.id,
        .mode = MODE_LIVE,
        .status = PROGRAM_ACTIVE,
        .active_execution = LIVE,
        .trigger = {.attribute_name = attribute.name, .recurrence = RECURRENCE_YEARLY}};
    struct key key = key_owned(WORLD_ORGANISATION, &attribute.id);

    batch_put(batch, TABLE_ATTRIBUTE, &key, &attribute);
    key = key_owned_text(WORLD_ORGANISATION, attribute.name);
    world_owned(batch, TABLE_ATTRIBUTE_BY_NAME, &key, WORLD_ORGANISATION, attribute.id);
    key = key_owned(WORLD_ORGANISATION, &flow.id);
    batch_put(batch, TABLE_FLOW, &key, &flow);
    key = key_owned(WORLD_ORGANISATION, &program.id);
    batch_put(batch, TABLE_PROGRAM, &key, &program);
}

static void put_execution(struct batch *batch)
{
    struct pool_did pool[] = {{world_id('d', 1), SLICE("+10000001")}};
    struct execution_state state = {.status = EXECUTION_RUNNING,
                                    .counters = {2, 0, 0, 1, 1, 0},
                                    .snapshot_done = true,
                                    .next_entry = 2,
                                    .next_trigger = 5};
    struct execution_settings settings = {.number = LIVE,
                                          .id = world_id('e', LIVE),
                                          .organisation = WORLD_ORGANISATION,
                                          .program_id = world_id('p', LIVE_PROGRAM),
                                          .mode = MODE_LIVE,
                                          .dids = pool,
                                          .did_count = 1,
                                          .created_at = WORLD_AT};
    struct key key = key_u32(LIVE);

    batch_put(batch, TABLE_EXECUTION, &key, &settings);
    batch_put(batch, TABLE_EXECUTION_STATE, &key, &state);
    world_number(batch, TABLE_EXECUTION_BY_ID, key_uuid(&settings.id), LIVE);
    world_number(batch, TABLE_PROGRAM_EXECUTION,
                 key_program_execution(WORLD_ORGANISATION, &settings.program_id, LIVE), LIVE);
    key = key_organisation_execution(WORLD_ORGANISATION, LIVE);
    world_number(batch, TABLE_ORGANISATION_EXECUTION, key, LIVE);
    world_number(batch, TABLE_ACTIVE_EXECUTION, key, LIVE);
    world_number(batch, TABLE_LIVE_EXECUTION, key, LIVE);
}

static struct key trigger_key(int64_t due_at, uint32_t serial)
{
    struct uuid program = world_id('p', LIVE_PROGRAM);

    return key_trigger(WORLD_ORGANISATION, &program, due_at, LIVE, serial);
}

static void put_trigger(struct batch *batch, uint8_t contact, uint32_t serial, int64_t due_at,
                        enum trigger_status status)
{
    struct trigger trigger = {.contact_id = world_contact(contact),
                              .status = status,
                              .fired_at = status == TRIGGER_FIRED ? due_at : 0};
    struct key key = trigger_key(due_at, serial);

    batch_put(batch, TABLE_TRIGGER, &key, &trigger);
}

static void put_known(struct batch *batch, uint8_t contact, uint32_t serial, int64_t due_at,
                      enum trigger_status status)
{
    struct contact_trigger known = {.serial = serial, .status = status, .due_at = due_at};
    struct uuid id = world_contact(contact);
    struct key key = key_contact_trigger(LIVE, &id);

    known.has_call = contact == 1;
    batch_put(batch, TABLE_CONTACT_TRIGGER, &key, &known);
}

/* Contact 0 waits for its trigger; 1 has fired twice, is in a call, and its second entry waits; 2
 * was missed; 3 is cancelled. */
static int setup(void **state)
{
    struct store_fixture *f;
    struct uuid first = world_contact(1);
    struct entry entry = {.contact_id = first, .status = ENTRY_PENDING};
    struct live_call call = {.entry = 0,
                             .attempt = 1,
                             .contact_id = first,
                             .status = CALL_STARTED,
                             .to = SLICE("+200000001")};
    struct key key;

    if (check_world_setup(state) != 0) {
        return -1;
    }
    f = *state;
    put_program(f->batch);
    put_execution(f->batch);
    put_trigger(f->batch, 0, 0, LATER, TRIGGER_PENDING);
    put_known(f->batch, 0, 0, LATER, TRIGGER_PENDING);
    key = key_due(LIVE, LATER, 0);
    batch_put(f->batch, TABLE_TRIGGER_DUE, &key, &(struct due_row){0});
    put_trigger(f->batch, 1, 1, FIRST_DUE, TRIGGER_FIRED);
    put_trigger(f->batch, 1, 2, NEXT_DUE, TRIGGER_FIRED);
    put_known(f->batch, 1, 2, NEXT_DUE, TRIGGER_FIRED);
    put_trigger(f->batch, 2, 3, BEFORE, TRIGGER_MISSED);
    put_known(f->batch, 2, 3, BEFORE, TRIGGER_MISSED);
    put_trigger(f->batch, 3, 4, LATER, TRIGGER_CANCELLED);
    put_known(f->batch, 3, 4, LATER, TRIGGER_CANCELLED);
    key = key_entry(LIVE, 0);
    batch_put(f->batch, TABLE_ENTRY, &key, &entry);
    batch_put(f->batch, TABLE_LIVE_CALL, &key, &call);
    key = key_entry(LIVE, 1);
    batch_put(f->batch, TABLE_ENTRY, &key, &entry);
    world_due(f->batch, LIVE, 1, INSTANT_NEVER);
    key = key_waiting(LIVE, &first, 1);
    batch_put(f->batch, TABLE_WAITING, &key, &(struct due_row){0});
    return store_fixture_commit(f);
}

/* ---- tests ---- */

static void sound_rows_have_no_finding(void **state)
{
    assert_sound(*state);
}

static void assert_some(struct store_fixture *f, enum table table, const char *what)
{
    struct heard heard = {0};

    assert_int_equal(store_fixture_commit(f), 0);
    if (run(f, &heard) == 0) {
        fail_msg("%s: %s: no finding", table_name(table), what);
    }
}

struct saved_row {
    enum table table;
    struct key key;
    void *record;
};

/* The rows of live mode. */
static size_t save_rows(struct store_fixture *f, struct saved_row *rows, size_t room)
{
    struct key everything = key_empty(), key;
    struct slice raw;
    size_t count = 0;

    assert_int_equal(reader_begin(f->reader, &f->error), 0);
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        for (int code = reader_seek(f->reader, tables[i], &everything, &everything, &key, &raw);
             code == 0; code = reader_next(f->reader, tables[i], &everything, &key, &raw)) {
            void *record = arena_alloc(&f->arena, record_size(tables[i]));

            assert_true(count < room);
            assert_int_equal(record_decode(tables[i], &key, raw, &f->arena, record), 0);
            rows[count++] = (struct saved_row){tables[i], key, record};
        }
    }
    reader_end(f->reader);
    return count;
}

static void a_missing_or_moved_row_is_found(void **state)
{
    struct store_fixture *f = *state;
    struct saved_row rows[32];
    size_t count = save_rows(f, rows, 32);

    assert_int_equal(count, 12);
    for (size_t i = 0; i < count; i++) {
        struct key moved = rows[i].key;

        batch_delete(f->batch, rows[i].table, &rows[i].key);
        assert_some(f, rows[i].table, "missing");
        moved.bytes[moved.size - 1] ^= 0x40;
        batch_put(f->batch, rows[i].table, &moved, rows[i].record);
        assert_some(f, rows[i].table, "moved");
        batch_put(f->batch, rows[i].table, &rows[i].key, rows[i].record);
        assert_some(f, rows[i].table, "twice");
        batch_delete(f->batch, rows[i].table, &moved);
        assert_int_equal(store_fixture_commit(f), 0);
    }
    assert_sound(f);
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

static void a_wrong_status_is_found(void **state)
{
    struct store_fixture *f = *state;

    put_trigger(f->batch, 0, 0, LATER, TRIGGER_FIRED);
    assert_finding(f, "is pending and not in trigger_due, or there and not pending");
    assert_finding(f, "is not what is known of its contact");
    assert_finding(f, "names no pending trigger");
    assert_finding(f, "execution_states 8: has 2 contacts, and 3 triggers have fired");
    put_trigger(f->batch, 0, 0, LATER, TRIGGER_MISSED);
    assert_finding(f, "was missed, and not due before the launch");
}

static void a_call_that_its_contact_does_not_have_is_found(void **state)
{
    struct store_fixture *f = *state;
    struct key key = key_entry(LIVE, 0);

    batch_delete(f->batch, TABLE_LIVE_CALL, &key);
    assert_finding(f, "names a call that its contact does not have");
    assert_finding(f, "execution_states 8: has 0 live calls, its contacts know of 1");
}

static void rows_of_no_live_execution_are_found(void **state)
{
    struct store_fixture *f = *state;
    struct key key = key_organisation_execution(WORLD_ORGANISATION, WORLD_RUNNING);

    world_number(f->batch, TABLE_LIVE_EXECUTION, key, WORLD_RUNNING);
    assert_finding(f, "execution_states 5: is live and not in live_executions, or there and not");
    key = key_due(99, LATER, 0);
    batch_put(f->batch, TABLE_TRIGGER_DUE, &key, &(struct due_row){0});
    assert_finding(f, "execution_states 99: has no settings");
}

static void a_count_of_uses_that_is_wrong_is_found(void **state)
{
    struct store_fixture *f = *state;
    struct attribute attribute = {.id = world_id('t', 2),
                                  .name = SLICE("renewal"),
                                  .type = ATTRIBUTE_DATE,
                                  .program_count = 2};
    struct key key = key_owned(WORLD_ORGANISATION, &attribute.id);

    batch_put(f->batch, TABLE_ATTRIBUTE, &key, &attribute);
    assert_finding(f, "counts 2 programs, 1 use it");
}

/* What a job has left of the live execution 9, which was over: a trigger and its contact. */
static void put_left(struct store_fixture *f, enum trigger_status status)
{
    struct uuid program = world_id('p', LIVE_PROGRAM), contact = world_contact(0);
    struct job job = {.kind = JOB_REMOVE_EXECUTION,
                      .organisation = WORLD_ORGANISATION,
                      .number = REMOVED,
                      .program_id = program};
    struct trigger trigger = {.contact_id = contact, .status = status};
    struct contact_trigger known = {.serial = 6, .status = status, .due_at = LATER};
    struct key key = key_text(SLICE("remove_execution/0000000009"));

    batch_put(f->batch, TABLE_JOB, &key, &job);
    key = key_trigger(WORLD_ORGANISATION, &program, LATER, REMOVED, 6);
    batch_put(f->batch, TABLE_TRIGGER, &key, &trigger);
    key = key_contact_trigger(REMOVED, &contact);
    batch_put(f->batch, TABLE_CONTACT_TRIGGER, &key, &known);
}

static void what_a_removal_has_left_is_sound(void **state)
{
    put_left(*state, TRIGGER_CANCELLED);
    assert_int_equal(store_fixture_commit(*state), 0);
    assert_sound(*state);
}

static void what_a_removal_must_not_leave_is_found(void **state)
{
    struct store_fixture *f = *state;
    struct uuid program = world_id('p', LIVE_PROGRAM + 1), contact = world_contact(0);
    struct trigger trigger = {.contact_id = contact, .status = TRIGGER_MISSED};
    struct key key = key_due(REMOVED, LATER, 6);

    put_left(f, TRIGGER_PENDING);
    assert_finding(f, "is pending, and its execution is being removed");
    batch_put(f->batch, TABLE_TRIGGER_DUE, &key, &(struct due_row){0});
    assert_finding(f, "is of an execution that was removed");
    batch_delete(f->batch, TABLE_TRIGGER_DUE, &key);
    put_left(f, TRIGGER_CANCELLED);
    key = key_waiting(REMOVED, &contact, 1);
    batch_put(f->batch, TABLE_WAITING, &key, &(struct due_row){0});
    assert_finding(f, "is of an execution that was removed");
    batch_delete(f->batch, TABLE_WAITING, &key);
    key = key_trigger(WORLD_ORGANISATION, &program, LATER, REMOVED, 7);
    batch_put(f->batch, TABLE_TRIGGER, &key, &trigger);
    assert_finding(f, "is not where the job that removes its execution looks");
    batch_delete(f->batch, TABLE_TRIGGER, &key);
    key = key_text(SLICE("remove_execution/0000000009"));
    batch_delete(f->batch, TABLE_JOB, &key);
    assert_finding(f, "is of no live execution of the program");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, store_fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(sound_rows_have_no_finding),
    CASE(a_missing_or_moved_row_is_found),
    CASE(a_wrong_status_is_found),
    CASE(a_call_that_its_contact_does_not_have_is_found),
    CASE(rows_of_no_live_execution_are_found),
    CASE(what_a_removal_has_left_is_sound),
    CASE(what_a_removal_must_not_leave_is_found),
    CASE(a_count_of_uses_that_is_wrong_is_found),
};
OD_TEST_MAIN(tests)
