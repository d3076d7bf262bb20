/* Contacts, custom attributes, upsert. */
#include <stdio.h>

#include "actors/directory.h"
#include "tests/support/directory_fixture.h"
#include "tests/support/od_test.h"

static struct contact_patch contact_patch(unsigned id, const char *phone)
{
    struct contact_patch patch = {.present = phone != NULL ? CONTACT_PRIMARY_PHONE : 0};

    patch.value.id = fixture_id(id);
    patch.value.primary_phone = slice_from(phone);
    return patch;
}

static struct contact get_contact(struct directory_fixture *f, unsigned id)
{
    struct uuid uuid = fixture_id(id);
    struct key key = key_owned(FIXTURE_ORGANISATION, &uuid);
    struct contact contact;

    assert_true(world_get(f->world, TABLE_CONTACT, &key, &contact));
    return contact;
}

static const char *tell_contact(struct directory_fixture *f, enum message_type type,
                                const struct contact_patch *patch)
{
    return directory_tell(f, type, (union payload){.contact = patch});
}

/* ---- custom attributes ---- */

static void an_attribute_is_unique_by_name(void **state)
{
    struct directory_fixture *f = *state;
    struct attribute attribute = {
        .id = fixture_id(1), .name = SLICE_INIT("plan"), .type = ATTRIBUTE_STRING};
    struct owned_id id = {FIXTURE_ORGANISATION, fixture_id(1)};

    assert_string_equal(
        directory_tell(f, MESSAGE_ATTRIBUTE_CREATE, (union payload){.attribute = &attribute}),
        "put attributes 1/#1\n"
        "put attributes_by_name 1/plan 1/#1\n"
        "reply 9: 201 attributes 1/#1\n");
    attribute.id = fixture_id(2);
    assert_string_equal(
        directory_tell(f, MESSAGE_ATTRIBUTE_CREATE, (union payload){.attribute = &attribute}),
        "reply 9: 409 ConflictError: Custom attribute plan exists already\n");
    assert_string_equal(directory_tell(f, MESSAGE_ATTRIBUTE_DELETE, (union payload){.id = id}),
                        "delete attributes 1/#1\n"
                        "delete attributes_by_name 1/plan\n"
                        "reply 9: 204\n");
    assert_string_equal(
        directory_tell(f, MESSAGE_ATTRIBUTE_DELETE, (union payload){.id = id}),
        "reply 9: 404 CustomAttributeNotFoundError: Custom attribute #1 not found\n");
}

static void an_attribute_in_use_is_not_deleted(void **state)
{
    struct directory_fixture *f = *state;
    struct attribute attribute = {.id = fixture_id(1),
                                  .name = SLICE_INIT("renewal"),
                                  .type = ATTRIBUTE_DATE,
                                  .program_count = 1};
    struct key key = key_owned(FIXTURE_ORGANISATION, &attribute.id);
    struct owned_id id = {FIXTURE_ORGANISATION, fixture_id(1)};

    world_put(f->world, TABLE_ATTRIBUTE, &key, &attribute);
    assert_string_equal(directory_tell(f, MESSAGE_ATTRIBUTE_DELETE, (union payload){.id = id}),
                        "reply 9: 409 ConflictError: The custom attribute is used by a program\n");
}

/* "Custom attributes must exist and have their type; a date is YYYY-MM-DD or a full ISO time." */
static void attribute_values_must_exist_and_have_their_type(void **state)
{
    struct directory_fixture *f = *state;

    static const struct {
        struct attribute_value value;
        const char *fault; /* NULL: none */
    } cases[] = {
        {{.name = SLICE_INIT("text"), .type = ATTRIBUTE_STRING, .text = SLICE_INIT("x")}, NULL},
        {{.name = SLICE_INIT("text"), .type = ATTRIBUTE_NUMBER}, "must be a string"},
        {{.name = SLICE_INIT("text"), .is_null = true}, NULL},
        {{.name = SLICE_INIT("count"), .type = ATTRIBUTE_NUMBER, .number = 4}, NULL},
        {{.name = SLICE_INIT("count"), .type = ATTRIBUTE_STRING, .text = SLICE_INIT("4")},
         "must be a number"},
        {{.name = SLICE_INIT("flag"), .type = ATTRIBUTE_BOOLEAN, .boolean = true}, NULL},
        {{.name = SLICE_INIT("flag"), .type = ATTRIBUTE_NUMBER}, "must be a boolean"},
        {{.name = SLICE_INIT("day"), .type = ATTRIBUTE_STRING, .text = SLICE_INIT("2026-02-28")},
         NULL},
        {{.name = SLICE_INIT("day"), .type = ATTRIBUTE_STRING, .text = SLICE_INIT("2026-02-30")},
         "must be a date (YYYY-MM-DD or an ISO 8601 time with an offset)"},
        {{.name = SLICE_INIT("day"),
          .type = ATTRIBUTE_STRING,
          .text = SLICE_INIT("2026-02-28T10:00:00+01:00")},
         NULL},
        {{.name = SLICE_INIT("day"),
          .type = ATTRIBUTE_STRING,
          .text = SLICE_INIT("2026-02-28T10:00:00")},
         "must be a date (YYYY-MM-DD or an ISO 8601 time with an offset)"},
        {{.name = SLICE_INIT("other"), .type = ATTRIBUTE_NUMBER},
         "is not a custom attribute of the organization"},
        {{.name = SLICE_INIT("other"), .is_null = true},
         "is not a custom attribute of the organization"},
    };

    fixture_add_attribute(f, 1, "text", ATTRIBUTE_STRING);
    fixture_add_attribute(f, 2, "count", ATTRIBUTE_NUMBER);
    fixture_add_attribute(f, 3, "flag", ATTRIBUTE_BOOLEAN);
    fixture_add_attribute(f, 4, "day", ATTRIBUTE_DATE);
    fixture_add_contact(f, 10);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct contact_patch patch = contact_patch(10, NULL);
        patch.present = CONTACT_ATTRIBUTES;
        patch.value.attributes = &cases[i].value;
        patch.value.attribute_count = 1;
        const char *story = tell_contact(f, MESSAGE_CONTACT_PATCH, &patch);
        if (cases[i].fault == NULL) {
            assert_non_null(strstr(story, "reply 9: 200 contacts 1/#10"));
        } else {
            char expected[256];
            (void)snprintf(expected, sizeof(expected),
                           "reply 9: 400 ValidationError: customAttributes.%.*s %s "
                           "[customAttributes.%.*s: %s]\n",
                           SLICE_ARGS(cases[i].value.name), cases[i].fault,
                           SLICE_ARGS(cases[i].value.name), cases[i].fault);
            assert_string_equal(story, expected);
        }
    }
}

static void a_patch_merges_attributes_by_name(void **state)
{
    struct directory_fixture *f = *state;
    const struct attribute_value first[] = {
        {.name = SLICE_INIT("c"), .type = ATTRIBUTE_NUMBER, .number = 3},
        {.name = SLICE_INIT("a"), .type = ATTRIBUTE_NUMBER, .number = 1},
    };
    const struct attribute_value second[] = {
        {.name = SLICE_INIT("b"), .type = ATTRIBUTE_NUMBER, .number = 2},
        {.name = SLICE_INIT("c"), .is_null = true},
        {.name = SLICE_INIT("d"), .is_null = true},
        {.name = SLICE_INIT("a"), .type = ATTRIBUTE_NUMBER, .number = 9},
    };
    struct contact_patch patch = contact_patch(10, "+212612000010");
    struct contact contact;

    fixture_add_attribute(f, 1, "a", ATTRIBUTE_NUMBER);
    fixture_add_attribute(f, 2, "b", ATTRIBUTE_NUMBER);
    fixture_add_attribute(f, 3, "c", ATTRIBUTE_NUMBER);
    fixture_add_attribute(f, 4, "d", ATTRIBUTE_NUMBER);
    patch.present |= CONTACT_ATTRIBUTES;
    patch.value.attributes = first;
    patch.value.attribute_count = 2;
    tell_contact(f, MESSAGE_CONTACT_CREATE, &patch);
    contact = get_contact(f, 10);
    assert_int_equal(contact.attribute_count, 2);
    assert_true(slice_equal_text(contact.attributes[0].name, "a"));

    patch = contact_patch(10, NULL);
    patch.present = CONTACT_ATTRIBUTES;
    patch.value.attributes = second;
    patch.value.attribute_count = 4;
    tell_contact(f, MESSAGE_CONTACT_PATCH, &patch);
    contact = get_contact(f, 10);
    assert_int_equal(contact.attribute_count, 2);
    assert_true(slice_equal_text(contact.attributes[0].name, "a"));
    assert_int_equal((int)contact.attributes[0].number, 9);
    assert_true(slice_equal_text(contact.attributes[1].name, "b"));

    patch.present = CONTACT_NO_ATTRIBUTES;
    patch.value.attribute_count = 0;
    tell_contact(f, MESSAGE_CONTACT_PATCH, &patch);
    assert_int_equal(get_contact(f, 10).attribute_count, 0);
}

/* ---- contacts ---- */

static void a_contact_is_found_by_phone_and_unique_by_it(void **state)
{
    struct directory_fixture *f = *state;
    struct contact_patch patch = contact_patch(10, "+212612345678");

    assert_string_equal(tell_contact(f, MESSAGE_CONTACT_CREATE, &patch),
                        "put contacts 1/#10 +212612345678\n"
                        "put contacts_by_phone 1/+212612345678 1/#10\n"
                        "reply 9: 201 contacts 1/#10 +212612345678\n");
    patch = contact_patch(11, "+212612345678");
    assert_string_equal(tell_contact(f, MESSAGE_CONTACT_CREATE, &patch),
                        "reply 9: 409 ConflictError: "
                        "A contact with primaryPhone +212612345678 exists already\n");
}

static void a_patch_moves_the_phone_and_clears_what_is_present_and_empty(void **state)
{
    struct directory_fixture *f = *state;
    struct contact_patch patch = contact_patch(10, "+212612345678");

    patch.present |= CONTACT_FIRST_NAME | CONTACT_PRIMARY_EMAIL | CONTACT_DO_NOT_CALL;
    patch.value.first_name = SLICE("Amal");
    patch.value.primary_email = SLICE("amal@example.com");
    patch.value.do_not_call = true;
    tell_contact(f, MESSAGE_CONTACT_CREATE, &patch);

    patch = contact_patch(10, "+212600000000");
    patch.present |= CONTACT_PRIMARY_EMAIL;
    f->at += 1;
    assert_string_equal(tell_contact(f, MESSAGE_CONTACT_PATCH, &patch),
                        "delete contacts_by_phone 1/+212612345678\n"
                        "put contacts_by_phone 1/+212600000000 1/#10\n"
                        "put contacts 1/#10 +212600000000 do_not_call\n"
                        "reply 9: 200 contacts 1/#10 +212600000000 do_not_call\n");
    struct contact contact = get_contact(f, 10);
    assert_true(slice_equal_text(contact.first_name, "Amal"));
    assert_true(slice_is_empty(contact.primary_email));
    assert_int_equal(contact.updated_at, f->at);
}

static void a_patch_to_its_own_phone_changes_no_index(void **state)
{
    struct directory_fixture *f = *state;
    struct contact_patch patch = contact_patch(10, "+212612000010");

    fixture_add_contact(f, 10);
    assert_string_equal(tell_contact(f, MESSAGE_CONTACT_PATCH, &patch),
                        "put contacts 1/#10 +212612000010\n"
                        "reply 9: 200 contacts 1/#10 +212612000010\n");
}

static void a_patch_to_the_phone_of_another_is_a_conflict(void **state)
{
    struct directory_fixture *f = *state;
    struct contact_patch patch = contact_patch(10, "+212612000011");

    fixture_add_contact(f, 10);
    fixture_add_contact(f, 11);
    assert_string_equal(tell_contact(f, MESSAGE_CONTACT_PATCH, &patch),
                        "reply 9: 409 ConflictError: "
                        "A contact with primaryPhone +212612000011 exists already\n");
}

static void an_unknown_contact_is_not_found(void **state)
{
    struct directory_fixture *f = *state;
    struct contact_patch patch = contact_patch(10, "+212612000011");
    struct owned_id id = {FIXTURE_ORGANISATION, fixture_id(10)};

    assert_string_equal(tell_contact(f, MESSAGE_CONTACT_PATCH, &patch),
                        "reply 9: 404 ContactNotFoundError: Contact #10 not found\n");
    assert_string_equal(directory_tell(f, MESSAGE_CONTACT_DELETE, (union payload){.id = id}),
                        "reply 9: 404 ContactNotFoundError: Contact #10 not found\n");
}

static void a_deleted_contact_leaves_its_audiences(void **state)
{
    struct directory_fixture *f = *state;
    struct owned_id id = {FIXTURE_ORGANISATION, fixture_id(10)};

    fixture_add_contact(f, 10);
    fixture_add_contact(f, 11);
    fixture_add_audience(f, 20, 5);
    fixture_add_audience(f, 21, 6);
    fixture_add_member(f, 20, 10);
    fixture_add_member(f, 20, 11);
    fixture_add_member(f, 21, 10);
    assert_string_equal(directory_tell(f, MESSAGE_CONTACT_DELETE, (union payload){.id = id}),
                        "delete contacts 1/#10\n"
                        "delete contacts_by_phone 1/+212612000010\n"
                        "delete members 5/#10\n"
                        "delete memberships 1/#10/5\n"
                        "put audiences 1/#20 number=5 contacts=1 programs=0\n"
                        "delete members 6/#10\n"
                        "delete memberships 1/#10/6\n"
                        "put audiences 1/#21 number=6 contacts=0 programs=0\n"
                        "reply 9: 204\n");
}

/* ---- upsert ---- */

static const char *upsert(struct directory_fixture *f, const struct contact_patch *contacts,
                          size_t count)
{
    const struct contact_list list = {contacts, count};

    return directory_tell(f, MESSAGE_CONTACTS_UPSERT, (union payload){.contacts = &list});
}

static void an_upsert_makes_and_updates(void **state)
{
    struct directory_fixture *f = *state;
    struct contact_patch contacts[3] = {contact_patch(20, "+212612000010"),
                                        contact_patch(21, "+212612000099"),
                                        contact_patch(22, "+212612000099")};

    fixture_add_contact(f, 10);
    contacts[0].present |= CONTACT_FIRST_NAME;
    contacts[0].value.first_name = SLICE("Amal");
    contacts[1].present |= CONTACT_FIRST_NAME;
    contacts[1].value.first_name = SLICE("Driss");
    contacts[2].present |= CONTACT_LAST_NAME;
    contacts[2].value.last_name = SLICE("Alaoui");
    assert_string_equal(upsert(f, contacts, 3),
                        "put contacts 1/#10 +212612000010\n"
                        "put contacts 1/#21 +212612000099\n"
                        "put contacts_by_phone 1/+212612000099 1/#21\n"
                        "put contacts 1/#21 +212612000099\n"
                        "reply 9: created=1 updated=2 +212612000010 +212612000099 "
                        "+212612000099\n");
    assert_true(slice_equal_text(get_contact(f, 10).first_name, "Amal"));
    assert_true(slice_equal_text(get_contact(f, 21).first_name, "Driss"));
    assert_true(slice_equal_text(get_contact(f, 21).last_name, "Alaoui"));
}

static void an_upsert_with_faults_changes_nothing_and_lists_all(void **state)
{
    struct directory_fixture *f = *state;
    const struct attribute_value values[] = {
        {.name = SLICE_INIT("age"), .type = ATTRIBUTE_BOOLEAN},
        {.name = SLICE_INIT("nope"), .type = ATTRIBUTE_NUMBER},
    };
    struct contact_patch contacts[3] = {contact_patch(20, "+212612000010"),
                                        contact_patch(21, "+212612000011"),
                                        contact_patch(22, "+212612000012")};

    fixture_add_attribute(f, 1, "age", ATTRIBUTE_NUMBER);
    for (size_t i = 1; i < 3; i++) {
        contacts[i].present |= CONTACT_ATTRIBUTES;
        contacts[i].value.attributes = values;
        contacts[i].value.attribute_count = i;
    }
    assert_string_equal(upsert(f, contacts, 3),
                        "reply 9: 400 ValidationError: "
                        "data[1].customAttributes.age must be a number (and 2 more) "
                        "[data[1].customAttributes.age: must be a number] "
                        "[data[2].customAttributes.age: must be a number] "
                        "[data[2].customAttributes.nope: "
                        "is not a custom attribute of the organization]\n");
    assert_int_equal(world_count(f->world, TABLE_CONTACT, NULL), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, directory_setup, directory_teardown)

static const struct CMUnitTest tests[] = {
    CASE(an_attribute_is_unique_by_name),
    CASE(an_attribute_in_use_is_not_deleted),
    CASE(attribute_values_must_exist_and_have_their_type),
    CASE(a_patch_merges_attributes_by_name),
    CASE(a_contact_is_found_by_phone_and_unique_by_it),
    CASE(a_patch_moves_the_phone_and_clears_what_is_present_and_empty),
    CASE(a_patch_to_its_own_phone_changes_no_index),
    CASE(a_patch_to_the_phone_of_another_is_a_conflict),
    CASE(an_unknown_contact_is_not_found),
    CASE(a_deleted_contact_leaves_its_audiences),
    CASE(an_upsert_makes_and_updates),
    CASE(an_upsert_with_faults_changes_nothing_and_lists_all),
};

OD_TEST_MAIN(tests)
