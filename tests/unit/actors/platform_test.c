/* Organisations, API keys and DIDs. */
#include "actors/platform.h"

#include "tests/support/directory_fixture.h"
#include "tests/support/od_test.h"

static void an_organisation_gets_its_rows_and_the_dispatcher_its_caps(void **state)
{
    struct directory_fixture *f = *state;
    struct organisation organisation = {.number = 2,
                                        .id = fixture_id(2),
                                        .name = SLICE_INIT("Rif"),
                                        .timezone = SLICE_INIT("UTC"),
                                        .max_concurrent_calls = 7};

    assert_string_equal(platform_tell(f, MESSAGE_ORGANISATION_CREATE,
                                      (union payload){.organisation = &organisation}),
                        "put organisations 2 Rif\n"
                        "put organisations_by_id #2 2\n"
                        "send dispatcher 0 organisation_changed Rif max=7 cps_micro=0\n"
                        "reply 9: 201 organisations 2 Rif\n");
}

static void a_patch_of_an_organisation_changes_what_is_present(void **state)
{
    struct directory_fixture *f = *state;
    struct organisation_patch patch = {.present = ORGANISATION_MAX_CONCURRENT_CALLS |
                                                  ORGANISATION_CREDITS};
    struct key key = key_u32(FIXTURE_ORGANISATION);
    struct organisation organisation;

    patch.value.id = fixture_id(1000);
    patch.value.max_concurrent_calls = 3;
    patch.value.has_credits = true;
    patch.value.credits = 50;
    f->at += 1000;
    assert_string_equal(
        platform_tell(f, MESSAGE_ORGANISATION_PATCH, (union payload){.organisation_patch = &patch}),
        "send dispatcher 0 credits_set organisation=1 50\n"
        "put organisations 1 Atlas\n"
        "send dispatcher 0 organisation_changed Atlas max=3 cps_micro=0\n"
        "reply 9: 200 organisations 1 Atlas\n");
    assert_true(world_get(f->world, TABLE_ORGANISATION, &key, &organisation));
    assert_false(organisation.has_credits); /* they are the dispatcher's */
    assert_int_equal(organisation.updated_at, f->at);
    assert_int_equal(organisation.created_at, f->at - 1000);
    assert_true(slice_equal_text(organisation.timezone, "Africa/Casablanca"));
}

static void an_unknown_organisation_is_not_found(void **state)
{
    struct directory_fixture *f = *state;
    struct organisation_patch patch = {.present = ORGANISATION_NAME};

    patch.value.id = fixture_id(5);
    assert_string_equal(
        platform_tell(f, MESSAGE_ORGANISATION_PATCH, (union payload){.organisation_patch = &patch}),
        "reply 9: 404 OrganizationNotFoundError: Organization #5 not found\n");
}

/* ---- API keys ---- */

static void an_api_key_is_found_by_hash_until_it_is_deleted(void **state)
{
    struct directory_fixture *f = *state;
    struct api_key api_key = {.id = fixture_id(3),
                              .owner = FIXTURE_ORGANISATION,
                              .role = ROLE_ORG,
                              .name = SLICE_INIT("CRM")};
    struct owned_id id = {FIXTURE_ORGANISATION, fixture_id(3)};

    api_key.hash[31] = 0xab;
    assert_string_equal(
        platform_tell(f, MESSAGE_API_KEY_CREATE, (union payload){.api_key = &api_key}),
        "put api_keys 1/#3\n"
        "put api_keys_by_hash "
        "00000000000000000000000000000000000000000000000000000000000000ab 1/#3\n"
        "reply 9: 201 api_keys 1/#3\n");
    assert_string_equal(platform_tell(f, MESSAGE_API_KEY_DELETE, (union payload){.id = id}),
                        "delete api_keys 1/#3\n"
                        "delete api_keys_by_hash "
                        "00000000000000000000000000000000000000000000000000000000000000ab\n"
                        "reply 9: 204\n");
    assert_string_equal(platform_tell(f, MESSAGE_API_KEY_DELETE, (union payload){.id = id}),
                        "reply 9: 404 ApiKeyNotFoundError: API key #3 not found\n");
}

static void a_key_of_an_organisation_needs_the_organisation(void **state)
{
    struct directory_fixture *f = *state;
    struct api_key api_key = {.id = fixture_id(3), .owner = 8, .role = ROLE_ORG};

    assert_string_equal(
        platform_tell(f, MESSAGE_API_KEY_CREATE, (union payload){.api_key = &api_key}),
        "reply 9: 404 OrganizationNotFoundError: Organization not found\n");
}

static void a_key_of_another_owner_is_not_found(void **state)
{
    struct directory_fixture *f = *state;
    struct api_key api_key = {.id = fixture_id(3), .owner = 0, .role = ROLE_ADMIN};
    struct owned_id id = {FIXTURE_ORGANISATION, fixture_id(3)};

    platform_tell(f, MESSAGE_API_KEY_CREATE, (union payload){.api_key = &api_key});
    assert_string_equal(platform_tell(f, MESSAGE_API_KEY_DELETE, (union payload){.id = id}),
                        "reply 9: 404 ApiKeyNotFoundError: API key #3 not found\n");
    assert_int_equal(world_count(f->world, TABLE_API_KEY, NULL), 1);
}

/* ---- DIDs ---- */

static const char *create_did(struct directory_fixture *f, unsigned id, uint32_t owner,
                              const char *number)
{
    struct did did = {
        .id = fixture_id(id), .owner = owner, .number = slice_from(number), .status = DID_ACTIVE};

    return platform_tell(f, MESSAGE_DID_CREATE, (union payload){.did = &did});
}

static void a_did_is_found_by_id_and_by_number(void **state)
{
    struct directory_fixture *f = *state;

    assert_string_equal(create_did(f, 4, 0, "+212500000001"),
                        "put dids 0/#4 +212500000001 active\n"
                        "put did_owners #4 0\n"
                        "put dids_by_number +212500000001 0/#4\n"
                        "reply 9: 201 dids 0/#4 +212500000001 active\n");
}

static void a_duplicate_number_is_a_conflict_whoever_owns_it(void **state)
{
    struct directory_fixture *f = *state;

    create_did(f, 4, 0, "+212500000001");
    assert_string_equal(create_did(f, 5, FIXTURE_ORGANISATION, "+212500000001"),
                        "reply 9: 409 ConflictError: DID +212500000001 exists already\n");
}

static void a_did_of_an_unknown_organisation_is_refused(void **state)
{
    struct directory_fixture *f = *state;

    assert_string_equal(create_did(f, 4, 8, "+212500000001"),
                        "reply 9: 404 OrganizationNotFoundError: Organization not found\n");
}

static void a_changed_did_is_told_to_every_execution(void **state)
{
    struct directory_fixture *f = *state;
    struct did_patch patch = {.id = fixture_id(4), .present = DID_STATUS, .status = DID_INACTIVE};

    create_did(f, 4, FIXTURE_ORGANISATION, "+212500000001");
    assert_string_equal(platform_tell(f, MESSAGE_DID_PATCH, (union payload){.did_patch = &patch}),
                        "put dids 1/#4 +212500000001 inactive\n"
                        "send every_execution 0 did_changed #4 owner=1\n"
                        "reply 9: 200 dids 1/#4 +212500000001 inactive\n");
    patch.status = DID_ACTIVE;
    assert_string_equal(platform_tell(f, MESSAGE_DID_PATCH, (union payload){.did_patch = &patch}),
                        "put dids 1/#4 +212500000001 active\n"
                        "send every_execution 0 did_changed #4 owner=1 usable\n"
                        "reply 9: 200 dids 1/#4 +212500000001 active\n");
}

static void a_deleted_did_leaves_its_number_free(void **state)
{
    struct directory_fixture *f = *state;
    struct owned_id id = {0, fixture_id(4)};
    struct did_patch patch = {.id = fixture_id(4)};

    create_did(f, 4, FIXTURE_ORGANISATION, "+212500000001");
    assert_string_equal(platform_tell(f, MESSAGE_DID_DELETE, (union payload){.id = id}),
                        "delete dids 1/#4\n"
                        "delete did_owners #4\n"
                        "delete dids_by_number +212500000001\n"
                        "send every_execution 0 did_changed #4 owner=1\n"
                        "reply 9: 204\n");
    assert_string_equal(platform_tell(f, MESSAGE_DID_PATCH, (union payload){.did_patch = &patch}),
                        "reply 9: 404 DidNotFoundError: DID #4 not found\n");
    assert_string_equal(create_did(f, 5, 0, "+212500000001"),
                        "put dids 0/#5 +212500000001 active\n"
                        "put did_owners #5 0\n"
                        "put dids_by_number +212500000001 0/#5\n"
                        "reply 9: 201 dids 0/#5 +212500000001 active\n");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, directory_setup, directory_teardown)

static const char *keep(struct directory_fixture *f, const char *location)
{
    struct response_kept kept = {
        .organisation = FIXTURE_ORGANISATION,
        .hash = {0xab},
        .response = {.fingerprint = {0xcd}, .status = 201, .location = slice_from(location)}};

    return platform_tell(f, MESSAGE_RESPONSE_KEPT, (union payload){.kept = &kept});
}

static void when_all_have_heard_of_a_restore_nothing_is_pending(void **state)
{
    struct directory_fixture *f = *state;
    struct key key = key_text(SLICE(META_RESTORE));
    struct meta row;

    platform_tell(f, MESSAGE_RESTORE_TOLD, (union payload){.restored = {12345}});
    assert_true(world_get(f->world, TABLE_META, &key, &row));
    assert_int_equal(row.number, 12345);
    assert_int_equal(row.text.size, 0);
}

#define KEPT_HASH "ab00000000000000000000000000000000000000000000000000000000000000"

static void a_response_is_kept_with_its_place_in_time(void **state)
{
    struct directory_fixture *f = *state;
    const uint8_t hash[KEY_HASH_BYTES] = {0xab};
    struct key key = key_idempotency(FIXTURE_ORGANISATION, hash);
    struct kept_response row;

    assert_string_equal(keep(f, "/x"),
                        "put idempotency 1/" KEPT_HASH "\n"
                        "put idempotency_by_time 2026-01-01T00:00:00.000Z/1/" KEPT_HASH
                        "\nreply 9: 204\n");
    assert_true(world_get(f->world, TABLE_IDEMPOTENCY, &key, &row));
    assert_int_equal(row.created_at, f->at);
    assert_int_equal(row.status, 201);
    assert_int_equal(row.fingerprint[0], 0xcd);
    assert_true(slice_equal_text(row.location, "/x"));
}

/* The key was used more than a day ago: its old place in the index goes, or it would be removed
 * with it. */
static void a_response_takes_the_place_of_an_old_one(void **state)
{
    struct directory_fixture *f = *state;

    keep(f, "/x");
    f->at += KEPT_RESPONSE_HOURS * INT64_C(3600000);
    assert_string_equal(keep(f, "/y"),
                        "delete idempotency_by_time 2026-01-01T00:00:00.000Z/1/" KEPT_HASH "\n"
                        "put idempotency 1/" KEPT_HASH "\n"
                        "put idempotency_by_time 2026-01-02T00:00:00.000Z/1/" KEPT_HASH "\n"
                        "reply 9: 204\n");
}

static const struct CMUnitTest tests[] = {
    CASE(an_organisation_gets_its_rows_and_the_dispatcher_its_caps),
    CASE(a_patch_of_an_organisation_changes_what_is_present),
    CASE(an_unknown_organisation_is_not_found),
    CASE(an_api_key_is_found_by_hash_until_it_is_deleted),
    CASE(a_key_of_an_organisation_needs_the_organisation),
    CASE(a_key_of_another_owner_is_not_found),
    CASE(a_did_is_found_by_id_and_by_number),
    CASE(a_duplicate_number_is_a_conflict_whoever_owns_it),
    CASE(a_did_of_an_unknown_organisation_is_refused),
    CASE(a_changed_did_is_told_to_every_execution),
    CASE(a_deleted_did_leaves_its_number_free),
    CASE(a_response_is_kept_with_its_place_in_time),
    CASE(when_all_have_heard_of_a_restore_nothing_is_pending),
    CASE(a_response_takes_the_place_of_an_old_one),
};

OD_TEST_MAIN(tests)
