/* What becomes of the values of a deleted attribute. */
#include "actors/directory.h"
#include "actors/directory_parts.h"
#include "tests/support/directory_fixture.h"
#include "tests/support/od_test.h"

enum { FIRST = 100, PLAN = 1, BORN = 2 };

/* Attributes 1 "plan" and 2 "born", a date. */
static int setup(void **state)
{
    directory_setup(state);
    fixture_add_attribute(*state, PLAN, "plan", ATTRIBUTE_STRING);
    fixture_add_attribute(*state, BORN, "born", ATTRIBUTE_DATE);
    return 0;
}

/* Contacts from FIRST on, each with both values, or only with the date. */
static void put_contacts(struct directory_fixture *f, unsigned count, bool has_plan,
                         struct slice plan)
{
    struct attribute_value values[] = {
        {.name = SLICE("born"), .type = ATTRIBUTE_DATE, .text = SLICE("2000-01-01")},
        {.name = SLICE("plan"), .type = ATTRIBUTE_STRING, .text = plan},
    };

    for (unsigned i = 0; i < count; i++) {
        struct contact contact = {.id = fixture_id(FIRST + i),
                                  .primary_phone = SLICE("+1"),
                                  .attributes = values,
                                  .attribute_count = has_plan ? 2 : 1};
        struct key key = key_owned(FIXTURE_ORGANISATION, &contact.id);

        world_put(f->world, TABLE_CONTACT, &key, &contact);
    }
}

/* How many contacts have a value of the name. */
static size_t values_of(struct directory_fixture *f, const char *name)
{
    struct key prefix = key_u32(FIXTURE_ORGANISATION), key;
    struct contact contact;
    size_t count = 0;

    for (size_t n = 0; world_row(f->world, TABLE_CONTACT, &prefix, n, &key, &contact); n++) {
        for (size_t i = 0; i < contact.attribute_count; i++) {
            count += slice_equal_text(contact.attributes[i].name, name) ? 1 : 0;
        }
    }
    return count;
}

static const char *delete_attribute(struct directory_fixture *f, unsigned id)
{
    union payload payload = {.id = {FIXTURE_ORGANISATION, fixture_id(id)}};

    return directory_tell(f, MESSAGE_ATTRIBUTE_DELETE, payload);
}

static const char *slice(struct directory_fixture *f, unsigned id)
{
    union payload payload = {.id = {FIXTURE_ORGANISATION, fixture_id(id)}};

    return directory_tell(f, MESSAGE_REMOVE_ATTRIBUTE_SLICE, payload);
}

static const char *make_again(struct directory_fixture *f)
{
    struct attribute attribute = {
        .id = fixture_id(9), .name = SLICE_INIT("plan"), .type = ATTRIBUTE_NUMBER};

    return directory_tell(f, MESSAGE_ATTRIBUTE_CREATE, (union payload){.attribute = &attribute});
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);

    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

static void a_few_contacts_lose_theirs_in_the_batch_of_the_deletion(void **state)
{
    struct directory_fixture *f = *state;

    put_contacts(f, 3, true, SLICE("gold"));
    f->at += 7;
    assert_string_equal(delete_attribute(f, PLAN), "delete attributes 1/#1\n"
                                                   "put contacts 1/#100 +1 attributes=1\n"
                                                   "put contacts 1/#101 +1 attributes=1\n"
                                                   "put contacts 1/#102 +1 attributes=1\n"
                                                   "delete attributes_by_name 1/plan\n"
                                                   "reply 9: 204\n");
    assert_int_equal(values_of(f, "plan"), 0);
    assert_int_equal(values_of(f, "born"), 3);
    assert_non_null(strstr(make_again(f), "reply 9: 201"));
}

static void contacts_without_one_are_left_alone(void **state)
{
    struct directory_fixture *f = *state;

    put_contacts(f, 3, false, SLICE(""));
    assert_string_equal(delete_attribute(f, PLAN), "delete attributes 1/#1\n"
                                                   "delete attributes_by_name 1/plan\n"
                                                   "reply 9: 204\n");
}

static void of_many_contacts_a_slice_takes_some_and_the_name_stays_taken(void **state)
{
    struct directory_fixture *f = *state;
    struct attribute_value value = {
        .name = SLICE("plan"), .type = ATTRIBUTE_STRING, .text = SLICE("x")};
    struct contact_patch patch = {
        .present = CONTACT_ATTRIBUTES,
        .value = {.id = fixture_id(FIRST + 1050), .attributes = &value, .attribute_count = 1}};

    put_contacts(f, 2 * REMOVE_ATTRIBUTE_ROWS + 100, true, SLICE("gold"));
    assert_true(ends_with(delete_attribute(f, PLAN),
                          "send directory 1 remove_attribute_slice later exchange=9\n"));
    assert_int_equal(values_of(f, "plan"), REMOVE_ATTRIBUTE_ROWS + 100);
    assert_string_equal(
        make_again(f),
        "reply 9: 409 ConflictError: Custom attribute plan is being removed from the contacts\n");
    assert_non_null(
        strstr(directory_tell(f, MESSAGE_CONTACT_PATCH, (union payload){.contact = &patch}),
               "is not a custom attribute of the organization"));
    assert_true(ends_with(slice(f, PLAN), "exchange=9\n"));
    assert_int_equal(values_of(f, "plan"), 100);
    assert_true(ends_with(slice(f, PLAN), "delete jobs remove_attribute/0000000001/#1\n"
                                          "delete attributes_by_name 1/plan\n"
                                          "reply 9: 204\n"));
    assert_int_equal(values_of(f, "plan"), 0);
    assert_int_equal(values_of(f, "born"), 2 * REMOVE_ATTRIBUTE_ROWS + 100);
    assert_int_equal(world_count(f->world, TABLE_JOB, NULL), 0);
    assert_non_null(strstr(make_again(f), "reply 9: 201"));
}

static void large_contacts_make_a_slice_shorter(void **state)
{
    static char plan[4096];
    struct directory_fixture *f = *state;
    size_t left;

    memset(plan, 'x', sizeof(plan));
    put_contacts(f, 400, true, slice_make(plan, sizeof(plan)));
    delete_attribute(f, PLAN);
    left = values_of(f, "plan");
    assert_in_range(left, 400 - REMOVE_ATTRIBUTE_BYTES / (int)sizeof(plan), 399);
    slice(f, PLAN);
    assert_int_equal(values_of(f, "plan"), 0);
}

/* A client cannot wait for millions of contacts. */
static void the_answer_does_not_wait_for_the_end(void **state)
{
    struct directory_fixture *f = *state;
    struct key prefix = key_empty(), key;
    const char *story;
    struct job job;

    put_contacts(f, 3 * REMOVE_ATTRIBUTE_ROWS, true, SLICE("gold"));
    delete_attribute(f, PLAN);
    assert_true(world_row(f->world, TABLE_JOB, &prefix, 0, &key, &job));
    assert_int_equal(job.contacts, REMOVE_ATTRIBUTE_ROWS);
    job.contacts = REMOVE_ATTRIBUTE_ANSWER_ROWS - REMOVE_ATTRIBUTE_ROWS;
    world_put(f->world, TABLE_JOB, &key, &job);
    story = slice(f, PLAN);
    assert_true(ends_with(story, "reply 9: 204\n"
                                 "send directory 1 remove_attribute_slice later\n"));
    assert_int_equal(values_of(f, "plan"), REMOVE_ATTRIBUTE_ROWS);
}

static void live_executions_hear_of_dates_that_went(void **state)
{
    struct directory_fixture *f = *state;
    struct key key = key_organisation_execution(FIXTURE_ORGANISATION, 3);
    const struct message *messages;

    world_put(f->world, TABLE_LIVE_EXECUTION, &key, &(struct number_row){3});
    put_contacts(f, 4, true, SLICE("gold"));
    delete_attribute(f, PLAN);
    assert_int_equal(world_take_messages(f->world, &messages), 0);
    delete_attribute(f, BORN);
    assert_int_equal(world_take_messages(f->world, &messages), 1);
    assert_int_equal(messages[0].type, MESSAGE_CONTACTS_CHANGED);
    assert_int_equal(messages[0].actor.number, 3);
    assert_int_equal(messages[0].payload.changed.count, 4);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, directory_teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_few_contacts_lose_theirs_in_the_batch_of_the_deletion),
    CASE(contacts_without_one_are_left_alone),
    CASE(of_many_contacts_a_slice_takes_some_and_the_name_stays_taken),
    CASE(large_contacts_make_a_slice_shorter),
    CASE(the_answer_does_not_wait_for_the_end),
    CASE(live_executions_hear_of_dates_that_went),
};

OD_TEST_MAIN(tests)
