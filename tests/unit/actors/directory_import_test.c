/* Imports: each row stands for itself. */
#include "actors/directory.h"
#include "tests/support/directory_fixture.h"
#include "tests/support/od_test.h"

static struct contact_patch row(unsigned id, const char *phone)
{
    struct contact_patch patch = {.present = CONTACT_PRIMARY_PHONE};

    patch.value.id = fixture_id(id);
    patch.value.primary_phone = slice_from(phone);
    return patch;
}

static const char *import_rows(struct directory_fixture *f, const struct contact_patch *contacts,
                               size_t count, unsigned audience)
{
    struct contact_import import = {.contacts = contacts, .count = count};

    if (audience != 0) {
        import.has_audience = true;
        import.audience = fixture_id(audience);
    }
    return directory_tell(f, MESSAGE_CONTACTS_IMPORT, (union payload){.import = &import});
}

static void rows_are_made_or_updated_one_by_one(void **state)
{
    struct directory_fixture *f = *state;
    const struct contact_patch contacts[] = {row(20, "+212612000010"), row(21, "+212612000099"),
                                             row(22, "+212612000099")};

    fixture_add_contact(f, 10);
    assert_string_equal(import_rows(f, contacts, 3, 0),
                        "put contacts 1/#10 +212612000010\n"
                        "put contacts 1/#21 +212612000099\n"
                        "put contacts_by_phone 1/+212612000099 1/#21\n"
                        "put contacts 1/#21 +212612000099\n"
                        "reply 9: created=1 updated=2\n");
}

static void a_bad_row_is_rejected_and_the_others_are_kept(void **state)
{
    struct directory_fixture *f = *state;
    const struct attribute_value values[] = {
        {.name = SLICE_INIT("age"), .type = ATTRIBUTE_BOOLEAN},
        {.name = SLICE_INIT("nope"), .type = ATTRIBUTE_NUMBER},
    };
    struct contact_patch contacts[] = {row(20, "+212612000020"), row(21, "+212612000021"),
                                       row(22, "+212612000022")};

    fixture_add_attribute(f, 1, "age", ATTRIBUTE_NUMBER);
    contacts[1].present |= CONTACT_ATTRIBUTES;
    contacts[1].value.attributes = values;
    contacts[1].value.attribute_count = 2;
    assert_string_equal(import_rows(f, contacts, 3, 0),
                        "put contacts 1/#20 +212612000020\n"
                        "put contacts_by_phone 1/+212612000020 1/#20\n"
                        "put contacts 1/#22 +212612000022\n"
                        "put contacts_by_phone 1/+212612000022 1/#22\n"
                        "reply 9: created=2 updated=0 [1: customAttributes.age must be a number; "
                        "customAttributes.nope is not a custom attribute of the organization]\n");
}

/* A row may have thousands of faults. */
static void of_many_faults_some_are_told(void **state)
{
    struct directory_fixture *f = *state;
    struct attribute_value values[7];
    struct contact_patch contact = row(20, "+212612000020");
    const char *story;

    for (size_t i = 0; i < 7; i++) {
        values[i] = (struct attribute_value){.name = SLICE("nope"), .type = ATTRIBUTE_NUMBER};
    }
    contact.present |= CONTACT_ATTRIBUTES;
    contact.value.attributes = values;
    contact.value.attribute_count = 7;
    story = import_rows(f, &contact, 1, 0);
    assert_non_null(strstr(story, "reply 9: created=0 updated=0 [0: customAttributes.nope is not"));
    assert_non_null(strstr(story, "; and 2 more]\n"));
}

static void contacts_join_the_audience_once(void **state)
{
    struct directory_fixture *f = *state;
    const struct contact_patch contacts[] = {row(20, "+212612000010"), row(21, "+212612000021"),
                                             row(22, "+212612000021")};

    fixture_add_contact(f, 10);
    fixture_add_audience(f, 5, 7);
    fixture_add_member(f, 5, 10);
    (void)import_rows(f, contacts, 3, 5);
    assert_string_equal(fixture_rows(f, TABLE_MEMBER), "7/#10\n7/#21\n");
    (void)import_rows(f, contacts, 3, 5);
    assert_string_equal(fixture_rows(f, TABLE_MEMBER), "7/#10\n7/#21\n");
}

static void an_audience_that_has_gone_ends_it(void **state)
{
    struct directory_fixture *f = *state;
    const struct contact_patch contact = row(20, "+212612000020");

    assert_string_equal(import_rows(f, &contact, 1, 5),
                        "reply 9: 404 AudienceNotFoundError: Audience #5 not found\n");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(rows_are_made_or_updated_one_by_one, directory_setup,
                                    directory_teardown),
    cmocka_unit_test_setup_teardown(a_bad_row_is_rejected_and_the_others_are_kept, directory_setup,
                                    directory_teardown),
    cmocka_unit_test_setup_teardown(of_many_faults_some_are_told, directory_setup,
                                    directory_teardown),
    cmocka_unit_test_setup_teardown(contacts_join_the_audience_once, directory_setup,
                                    directory_teardown),
    cmocka_unit_test_setup_teardown(an_audience_that_has_gone_ends_it, directory_setup,
                                    directory_teardown),
};

OD_TEST_MAIN(tests)
