/* The order of calls: by the log where there is one, else by contact and attempt. */
#include "api/call_source.h"

#include "tests/support/od_test.h"
#include "tests/unit/storage/check_heard.h"

struct walk {
    struct store_fixture *store;
    struct execution_view execution;
    struct render_context context;
    struct arena scratch;
    struct call_source source;
};

static void begin(struct walk *walk, struct store_fixture *f, uint32_t execution, uint32_t outcomes,
                  const struct uuid *contact)
{
    struct key key = key_u32(execution);

    walk->store = f;
    assert_int_equal(reader_begin(f->reader, &f->error), 0);
    assert_int_equal(
        reader_get(f->reader, TABLE_EXECUTION, &key, &f->arena, &walk->execution.settings), 0);
    assert_int_equal(
        reader_get(f->reader, TABLE_EXECUTION_STATE, &key, &f->arena, &walk->execution.state), 0);
    arena_init(&walk->scratch, 4096);
    walk->context = (struct render_context){.reader = f->reader, .arena = &walk->scratch};
    assert_true(
        call_source_init(&walk->source, &walk->context, &walk->execution, outcomes, contact));
}

static void end(struct walk *walk)
{
    arena_deinit(&walk->scratch);
    reader_end(walk->store->reader);
}

/* The calls as "ENTRY/ATTEMPT …"; "-" is one that is not wanted. Each step is taken by a source of
 * its own, as the next page of a list takes it. */
static const char *told(struct walk *walk)
{
    static char text[512];
    struct key at = key_empty();
    json_t *item;
    int size = 0;

    text[0] = '\0';
    for (;;) {
        struct call_source source = walk->source;
        struct call_name name;
        struct uuid id;

        if (!call_source_next(&walk->context, &source, &at, &item)) {
            break;
        }
        assert_true(call_source_knows(&source, &at));
        if (item == NULL) {
            size += snprintf(text + size, sizeof(text) - (size_t)size, "- ");
            continue;
        }
        assert_true(
            uuid_parse(slice_from(json_string_value(json_object_get(item, "callId"))), &id));
        assert_true(call_id_read(&id, &name));
        size += snprintf(text + size, sizeof(text) - (size_t)size, "%u/%u ", (unsigned)name.entry,
                         name.attempt);
        json_decref(item);
    }
    assert_int_equal(walk->context.error, 0);
    return text;
}

static void assert_calls(struct store_fixture *f, uint32_t execution, uint32_t outcomes,
                         const struct uuid *contact, const char *expected)
{
    struct walk walk;

    begin(&walk, f, execution, outcomes, contact);
    assert_string_equal(told(&walk), expected);
    end(&walk);
}

static void the_log_is_walked_backwards(void **state)
{
    assert_calls(*state, WORLD_RUNNING, 0, NULL, "5/2 4/2 3/1 5/1 4/1 1/1 0/1 ");
}

static void what_is_not_wanted_is_passed_over(void **state)
{
    assert_calls(*state, WORLD_RUNNING, 1u << OUTCOME_BUSY, NULL, "5/2 - - 5/1 4/1 1/1 0/1 ");
    assert_calls(*state, WORLD_RUNNING, 1u << OUTCOME_ANSWERED, NULL, "- - - - - - - ");
}

static void a_call_without_a_row_is_passed_over(void **state)
{
    static const struct logged_call calls[] = {{3, 1}, {4, 2}, {2, 1}, {3, 2}, {5, 2}};
    struct store_fixture *f = *state;
    struct key key = key_call_log(WORLD_RUNNING, 1);

    batch_put(f->batch, TABLE_CALL_LOG, &key, &(struct call_log){calls, 5});
    assert_int_equal(store_fixture_commit(f), 0);
    assert_calls(f, WORLD_RUNNING, 0, NULL, "5/2 - - 4/2 3/1 5/1 4/1 1/1 0/1 ");
}

static void rows_of_the_log_may_be_gone(void **state)
{
    struct store_fixture *f = *state;
    struct key key = key_call_log(WORLD_RUNNING, 0);

    batch_delete(f->batch, TABLE_CALL_LOG, &key);
    assert_int_equal(store_fixture_commit(f), 0);
    assert_calls(f, WORLD_RUNNING, 0, NULL, "5/2 4/2 3/1 ");
}

static void one_contacts_calls_are_walked_by_attempt(void **state)
{
    const struct uuid five = world_contact(5), four = world_contact(4), two = world_contact(2);
    const struct uuid nobody = world_contact(99);

    assert_calls(*state, WORLD_RUNNING, 0, &five, "5/2 5/1 ");
    assert_calls(*state, WORLD_RUNNING, 0, &four, "4/2 4/1 ");
    assert_calls(*state, WORLD_RUNNING, 0, &two, "");
    assert_calls(*state, WORLD_RUNNING, 0, &nobody, "");
}

/* In live mode a contact has an entry for each firing. */
static void in_live_mode_all_are_looked_at_for_a_contact(void **state)
{
    const struct uuid four = world_contact(4);
    struct store_fixture *f = *state;
    struct walk walk;

    begin(&walk, f, WORLD_RUNNING, 0, NULL);
    walk.execution.settings.mode = MODE_LIVE;
    assert_true(call_source_init(&walk.source, &walk.context, &walk.execution, 0, &four));
    assert_string_equal(told(&walk), "- 4/2 - - 4/1 - - ");
    end(&walk);
}

/* An execution that was launched before there was a log. */
static void without_a_log_they_are_walked_by_contact(void **state)
{
    struct store_fixture *f = *state;
    struct key key = key_u32(WORLD_RUNNING);

    batch_delete(f->batch, TABLE_EXECUTION_REPORT, &key);
    assert_int_equal(store_fixture_commit(f), 0);
    assert_calls(f, WORLD_RUNNING, 0, NULL, "5/2 5/1 4/2 4/1 3/1 1/1 0/1 ");
    assert_calls(f, WORLD_CANCELLED, 0, NULL, "2/1 ");
    assert_calls(f, WORLD_OVER, 0, NULL, "0/1 ");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, check_world_setup, store_fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(the_log_is_walked_backwards),
    CASE(what_is_not_wanted_is_passed_over),
    CASE(a_call_without_a_row_is_passed_over),
    CASE(rows_of_the_log_may_be_gone),
    CASE(one_contacts_calls_are_walked_by_attempt),
    CASE(in_live_mode_all_are_looked_at_for_a_contact),
    CASE(without_a_log_they_are_walked_by_contact),
};

OD_TEST_MAIN(tests)
