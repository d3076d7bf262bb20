/* What the directory does for live mode: the attribute and the audience of a program, and who hears
 * of changed contacts. */
#include "actors/directory.h"
#include "base/instant.h"
#include "tests/support/directory_fixture.h"
#include "tests/support/od_test.h"

/* DID 1, flow 30, date attributes 50 and 51, and 52, which is no date. */
static int setup(void **state)
{
    directory_setup(state);
    struct directory_fixture *f = *state;

    fixture_add_did(f, 1, 0, DID_ACTIVE);
    fixture_add_flow(f, 30);
    fixture_add_attribute(f, 50, "born", ATTRIBUTE_DATE);
    fixture_add_attribute(f, 51, "renewal", ATTRIBUTE_DATE);
    fixture_add_attribute(f, 52, "score", ATTRIBUTE_NUMBER);
    return 0;
}

static struct program make_program(const struct uuid *pool)
{
    return (struct program){
        .id = fixture_id(40),
        .name = SLICE_INIT("Birthdays"),
        .flow_id = fixture_id(30),
        .did_pool = pool,
        .did_count = 1,
        .mode = MODE_LIVE,
        .audience_id = fixture_id(20),
        .new_audience = 5,
        .retry = {.type = RETRY_NONE},
        .trigger = {.attribute_name = SLICE_INIT("born"), .recurrence = RECURRENCE_ONCE}};
}

static const char *create(struct directory_fixture *f, const struct program *program)
{
    return directory_tell(f, MESSAGE_PROGRAM_CREATE, (union payload){.program = program});
}

static uint32_t uses(struct directory_fixture *f, unsigned id)
{
    struct uuid uuid = fixture_id(id);
    struct key key = key_owned(FIXTURE_ORGANISATION, &uuid);
    struct attribute attribute;

    assert_true(world_get(f->world, TABLE_ATTRIBUTE, &key, &attribute));
    return attribute.program_count;
}

static void an_audience_of_the_programs_name_is_made(void **state)
{
    struct directory_fixture *f = *state;
    const struct uuid pool[] = {fixture_id(1)};
    struct program program = make_program(pool);
    struct key key = key_owned(FIXTURE_ORGANISATION, &program.audience_id);
    struct audience audience;

    assert_non_null(strstr(create(f, &program), "reply 9: 201 programs 1/#40"));
    assert_true(world_get(f->world, TABLE_AUDIENCE, &key, &audience));
    assert_true(slice_equal_text(audience.name, "Birthdays"));
    assert_int_equal(audience.number, 5);
    assert_int_equal(audience.program_count, 1);
    assert_int_equal(uses(f, 50), 1);
}

static void the_attribute_must_be_a_date(void **state)
{
    static const char *const names[] = {"score", "none"};
    struct directory_fixture *f = *state;
    const struct uuid pool[] = {fixture_id(1)};
    struct program program = make_program(pool);

    for (size_t i = 0; i < 2; i++) {
        program.trigger.attribute_name = slice_from(names[i]);
        assert_string_equal(
            create(f, &program),
            "reply 9: 400 ValidationError: triggerCondition.attributeName must be a custom "
            "attribute "
            "of type date [triggerCondition.attributeName: must be a custom attribute of type "
            "date]\n");
    }
}

static void a_patch_moves_the_count_of_uses(void **state)
{
    struct directory_fixture *f = *state;
    const struct uuid pool[] = {fixture_id(1)};
    struct program program = make_program(pool);
    struct program_patch patch = {.present = PROGRAM_TRIGGER, .value.id = fixture_id(40)};
    struct owned_id id = {FIXTURE_ORGANISATION, fixture_id(40)};

    create(f, &program);
    patch.value.trigger.attribute_name = SLICE("renewal");
    patch.value.trigger.recurrence = RECURRENCE_YEARLY;
    directory_tell(f, MESSAGE_PROGRAM_PATCH, (union payload){.program_patch = &patch});
    assert_int_equal(uses(f, 50), 0);
    assert_int_equal(uses(f, 51), 1);
    patch = (struct program_patch){.present = PROGRAM_NAME,
                                   .value = {.id = fixture_id(40), .name = SLICE("New")}};
    directory_tell(f, MESSAGE_PROGRAM_PATCH, (union payload){.program_patch = &patch});
    assert_int_equal(uses(f, 51), 1);
    directory_tell(f, MESSAGE_PROGRAM_DELETE, (union payload){.id = id});
    assert_int_equal(uses(f, 51), 0);
}

static void an_empty_audience_may_be_launched(void **state)
{
    struct directory_fixture *f = *state;
    const struct uuid pool[] = {fixture_id(1)};
    struct program program = make_program(pool);
    struct launch_request request = {
        .program_id = fixture_id(40), .execution_number = 3, .execution_id = fixture_id(60)};

    create(f, &program);
    assert_non_null(strstr(
        directory_tell(f, MESSAGE_PROGRAM_LAUNCH, (union payload){.launch_request = request}),
        "send execution 3 launch"));
}

/* ---- who hears of contacts ---- */

static void add_live(struct directory_fixture *f, uint32_t organisation, uint32_t execution)
{
    struct key key = key_organisation_execution(organisation, execution);

    world_put(f->world, TABLE_LIVE_EXECUTION, &key, &(struct number_row){execution});
}

/* How many executions have been told of so many contacts each. */
static size_t told(struct directory_fixture *f, size_t contacts)
{
    const struct message *messages;
    size_t count = world_take_messages(f->world, &messages), told_count = 0;

    for (size_t i = 0; i < count; i++) {
        if (messages[i].type == MESSAGE_CONTACTS_CHANGED) {
            assert_int_equal(messages[i].payload.changed.count, contacts);
            assert_int_equal(messages[i].actor.number, 3 + told_count);
            told_count++;
        }
    }
    return told_count;
}

static void live_executions_of_the_organisation_hear_of_contacts(void **state)
{
    struct directory_fixture *f = *state;
    struct attribute_value born = {
        .name = SLICE("born"), .type = ATTRIBUTE_STRING, .text = SLICE("2026-05-05")};
    struct contact_patch patch = {.present = CONTACT_FIRST_NAME,
                                  .value = {.id = fixture_id(70), .first_name = SLICE("Zoë")}};
    struct contact_patch many[] = {
        {.present = CONTACT_PRIMARY_PHONE | CONTACT_ATTRIBUTES,
         .value = {.id = fixture_id(71),
                   .primary_phone = SLICE("+212610000071"),
                   .attributes = &born,
                   .attribute_count = 1}},
        {.present = CONTACT_PRIMARY_PHONE,
         .value = {.id = fixture_id(72), .primary_phone = SLICE("+212610000072")}},
    };
    struct contact_list list = {many, 2};
    struct owned_id id = {FIXTURE_ORGANISATION, fixture_id(70)};

    fixture_add_contact(f, 70);
    directory_tell(f, MESSAGE_CONTACTS_UPSERT, (union payload){.contacts = &list});
    assert_int_equal(told(f, 1), 0);
    /* cppcheck-suppress unreadVariable ; the list points to it */
    born.text = SLICE("2026-06-06");
    add_live(f, FIXTURE_ORGANISATION, 3);
    add_live(f, FIXTURE_ORGANISATION, 4);
    add_live(f, FIXTURE_ORGANISATION + 1, 5);
    directory_tell(f, MESSAGE_CONTACT_PATCH, (union payload){.contact = &patch});
    assert_int_equal(told(f, 1), 0); /* no date has changed */
    directory_tell(f, MESSAGE_CONTACTS_UPSERT, (union payload){.contacts = &list});
    assert_int_equal(told(f, 1), 2); /* of the one with a date */
    directory_tell(f, MESSAGE_CONTACTS_UPSERT, (union payload){.contacts = &list});
    assert_int_equal(told(f, 1), 0); /* it has that date already */
    patch = (struct contact_patch){.present = CONTACT_NO_ATTRIBUTES, .value.id = fixture_id(71)};
    directory_tell(f, MESSAGE_CONTACT_PATCH, (union payload){.contact = &patch});
    assert_int_equal(told(f, 1), 2);
    directory_tell(f, MESSAGE_CONTACT_DELETE, (union payload){.id = id});
    assert_int_equal(told(f, 1), 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, directory_teardown)

static const struct CMUnitTest tests[] = {
    CASE(an_audience_of_the_programs_name_is_made),
    CASE(the_attribute_must_be_a_date),
    CASE(a_patch_moves_the_count_of_uses),
    CASE(an_empty_audience_may_be_launched),
    CASE(live_executions_of_the_organisation_hear_of_contacts),
};
OD_TEST_MAIN(tests)
