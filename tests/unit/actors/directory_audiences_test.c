/* Audiences: members, their count, and deleting in slices. */
#include "actors/directory.h"
#include "tests/support/directory_fixture.h"
#include "tests/support/od_test.h"

static const char *tell_members(struct directory_fixture *f, enum message_type type,
                                const struct uuid *ids, size_t count)
{
    return directory_tell(f, type,
                          (union payload){.members = (struct id_list){fixture_id(20), ids, count}});
}

static void an_audience_is_made_and_renamed(void **state)
{
    struct directory_fixture *f = *state;
    struct audience audience = {
        .id = fixture_id(20), .number = 5, .name = SLICE_INIT("All"), .contact_count = 9};
    struct owned_name rename = {fixture_id(20), SLICE_INIT("Some")};
    struct key key = key_owned(FIXTURE_ORGANISATION, &audience.id);

    assert_string_equal(
        directory_tell(f, MESSAGE_AUDIENCE_CREATE, (union payload){.audience = &audience}),
        "put audiences 1/#20 number=5 contacts=0 programs=0\n"
        "reply 9: 201 audiences 1/#20 number=5 contacts=0 programs=0\n");
    assert_string_equal(
        directory_tell(f, MESSAGE_AUDIENCE_PATCH, (union payload){.rename = rename}),
        "put audiences 1/#20 number=5 contacts=0 programs=0\n"
        "reply 9: 200 audiences 1/#20 number=5 contacts=0 programs=0\n");
    assert_true(world_get(f->world, TABLE_AUDIENCE, &key, &audience));
    assert_true(slice_equal_text(audience.name, "Some"));
    rename = (struct owned_name){fixture_id(20), SLICE_INIT("")};
    directory_tell(f, MESSAGE_AUDIENCE_PATCH, (union payload){.rename = rename});
    assert_true(world_get(f->world, TABLE_AUDIENCE, &key, &audience));
    assert_true(slice_equal_text(audience.name, "Some"));
}

static void members_are_counted_once(void **state)
{
    struct directory_fixture *f = *state;
    const struct uuid ids[] = {fixture_id(10), fixture_id(11), fixture_id(10)};

    fixture_add_contact(f, 10);
    fixture_add_contact(f, 11);
    fixture_add_audience(f, 20, 5);
    fixture_add_member(f, 20, 11);
    assert_string_equal(tell_members(f, MESSAGE_MEMBERS_ADD, ids, 3),
                        "put members 5/#10\n"
                        "put memberships 1/#10/5 1/#20\n"
                        "put audiences 1/#20 number=5 contacts=2 programs=0\n"
                        "reply 9: added=1 present=2\n");
    assert_string_equal(tell_members(f, MESSAGE_MEMBERS_ADD, ids, 3),
                        "reply 9: added=0 present=3\n");
    assert_string_equal(tell_members(f, MESSAGE_MEMBERS_REMOVE, ids, 3),
                        "delete members 5/#10\n"
                        "delete memberships 1/#10/5\n"
                        "delete members 5/#11\n"
                        "delete memberships 1/#11/5\n"
                        "put audiences 1/#20 number=5 contacts=0 programs=0\n"
                        "reply 9: removed=2\n");
    assert_string_equal(tell_members(f, MESSAGE_MEMBERS_REMOVE, ids, 3), "reply 9: removed=0\n");
}

static void an_unknown_contact_adds_nobody(void **state)
{
    struct directory_fixture *f = *state;
    const struct uuid ids[] = {fixture_id(10), fixture_id(12)};

    fixture_add_contact(f, 10);
    fixture_add_audience(f, 20, 5);
    assert_string_equal(tell_members(f, MESSAGE_MEMBERS_ADD, ids, 2),
                        "reply 9: 404 ContactNotFoundError: Contact #12 not found\n");
    assert_int_equal(world_count(f->world, TABLE_MEMBER, NULL), 0);
}

static void an_unknown_audience_is_not_found(void **state)
{
    struct directory_fixture *f = *state;
    const struct uuid ids[] = {fixture_id(10)};
    struct owned_id id = {FIXTURE_ORGANISATION, fixture_id(20)};
    struct owned_name rename = {fixture_id(20), SLICE_INIT("Some")};
    const char *expected = "reply 9: 404 AudienceNotFoundError: Audience #20 not found\n";

    fixture_add_contact(f, 10);
    assert_string_equal(tell_members(f, MESSAGE_MEMBERS_ADD, ids, 1), expected);
    assert_string_equal(tell_members(f, MESSAGE_MEMBERS_REMOVE, ids, 1), expected);
    assert_string_equal(
        directory_tell(f, MESSAGE_AUDIENCE_PATCH, (union payload){.rename = rename}), expected);
    assert_string_equal(directory_tell(f, MESSAGE_AUDIENCE_DELETE, (union payload){.id = id}),
                        expected);
}

/* ---- deleting ---- */

static void an_empty_audience_goes_at_once(void **state)
{
    struct directory_fixture *f = *state;
    struct owned_id id = {FIXTURE_ORGANISATION, fixture_id(20)};

    fixture_add_audience(f, 20, 5);
    assert_string_equal(directory_tell(f, MESSAGE_AUDIENCE_DELETE, (union payload){.id = id}),
                        "delete audiences 1/#20\n"
                        "reply 9: 204\n");
}

static void an_audience_in_use_is_not_deleted(void **state)
{
    struct directory_fixture *f = *state;
    struct owned_id id = {FIXTURE_ORGANISATION, fixture_id(20)};
    struct audience audience = {.id = fixture_id(20), .number = 5, .program_count = 2};
    struct key key = key_owned(FIXTURE_ORGANISATION, &audience.id);

    world_put(f->world, TABLE_AUDIENCE, &key, &audience);
    assert_string_equal(directory_tell(f, MESSAGE_AUDIENCE_DELETE, (union payload){.id = id}),
                        "reply 9: 409 ConflictError: The audience is used by a program\n");
}

static void members_of_a_deleted_audience_go_in_slices(void **state)
{
    enum { MEMBERS = 1200 };
    struct directory_fixture *f = *state;
    struct owned_id id = {FIXTURE_ORGANISATION, fixture_id(20)};
    union payload slice = {.slice = {5}};

    fixture_add_audience(f, 20, 5);
    fixture_add_audience(f, 21, 6);
    for (unsigned i = 0; i < MEMBERS; i++) {
        fixture_add_contact(f, 100 + i);
        fixture_add_member(f, 20, 100 + i);
    }
    fixture_add_member(f, 21, 100);
    assert_string_equal(directory_tell(f, MESSAGE_AUDIENCE_DELETE, (union payload){.id = id}),
                        "delete audiences 1/#20\n"
                        "put jobs empty_audience/0000000005\n"
                        "send directory 1 empty_audience_slice later audience=5\n"
                        "reply 9: 204\n");

    const char *story = directory_tell(f, MESSAGE_EMPTY_AUDIENCE_SLICE, slice);
    assert_non_null(strstr(story, "send directory 1 empty_audience_slice later audience=5\n"));
    assert_int_equal(world_count(f->world, TABLE_MEMBER, NULL), MEMBERS - 500 + 1);
    directory_tell(f, MESSAGE_EMPTY_AUDIENCE_SLICE, slice);
    story = directory_tell(f, MESSAGE_EMPTY_AUDIENCE_SLICE, slice);
    assert_non_null(strstr(story, "delete jobs empty_audience/0000000005\n"));
    assert_null(strstr(story, "send"));
    assert_string_equal(fixture_rows(f, TABLE_MEMBER), "6/#100\n");
    assert_string_equal(fixture_rows(f, TABLE_MEMBERSHIP), "1/#100/6 1/#21\n");
    assert_int_equal(world_count(f->world, TABLE_JOB, NULL), 0);
}

static void a_contact_may_go_while_its_audience_is_being_emptied(void **state)
{
    struct directory_fixture *f = *state;
    struct owned_id audience = {FIXTURE_ORGANISATION, fixture_id(20)};
    struct owned_id contact = {FIXTURE_ORGANISATION, fixture_id(10)};

    fixture_add_contact(f, 10);
    fixture_add_audience(f, 20, 5);
    fixture_add_member(f, 20, 10);
    directory_tell(f, MESSAGE_AUDIENCE_DELETE, (union payload){.id = audience});
    assert_string_equal(directory_tell(f, MESSAGE_CONTACT_DELETE, (union payload){.id = contact}),
                        "delete contacts 1/#10\n"
                        "delete contacts_by_phone 1/+212612000010\n"
                        "delete members 5/#10\n"
                        "delete memberships 1/#10/5\n"
                        "reply 9: 204\n");
    assert_string_equal(
        directory_tell(f, MESSAGE_EMPTY_AUDIENCE_SLICE, (union payload){.slice = {5}}),
        "delete jobs empty_audience/0000000005\n");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, directory_setup, directory_teardown)

static const struct CMUnitTest tests[] = {
    CASE(an_audience_is_made_and_renamed),
    CASE(members_are_counted_once),
    CASE(an_unknown_contact_adds_nobody),
    CASE(an_unknown_audience_is_not_found),
    CASE(an_empty_audience_goes_at_once),
    CASE(an_audience_in_use_is_not_deleted),
    CASE(members_of_a_deleted_audience_go_in_slices),
    CASE(a_contact_may_go_while_its_audience_is_being_emptied),
};

OD_TEST_MAIN(tests)
