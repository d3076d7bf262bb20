/* API keys: how they are sent, hashed and made. Looking them up is tested with the daemon. */
#include "api/auth.h"

#include <string.h>

#include <sodium.h>

#include "tests/support/od_test.h"

static void the_key_is_taken_from_either_header(void **state)
{
    static const struct {
        const char *authorization, *x_api_key, *key; /* NULL: refused */
    } cases[] = {
        {NULL, NULL, NULL},           {NULL, "", NULL},
        {NULL, "abc", "abc"},         {"Bearer abc", NULL, "abc"},
        {"bearer abc", NULL, "abc"},  {"BEARER   abc", NULL, "abc"},
        {"Bearer abc", "abc", "abc"}, {"Bearer abc", "abd", NULL},
        {"Bearer abc", "", NULL},     {"Bearer", NULL, NULL},
        {"Bearer ", NULL, NULL},      {"Bearerabc", NULL, NULL},
        {"Basic abc", NULL, NULL},    {"Basic abc", "abc", NULL},
        {"abc", NULL, NULL},          {"", "abc", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slice key;
        bool is_good = auth_key_of(cases[i].authorization, cases[i].x_api_key, &key);

        assert_int_equal(is_good, cases[i].key != NULL);
        if (is_good) {
            assert_true(slice_equal_text(key, cases[i].key));
        }
    }
}

static void a_new_key_has_256_random_bits_of_text(void **state)
{
    char first[AUTH_KEY_TEXT_SIZE];
    char second[AUTH_KEY_TEXT_SIZE];
    unsigned char bytes[40];
    size_t size;

    (void)state;
    auth_new_key(first);
    auth_new_key(second);
    assert_int_equal(strncmp(first, "od_", 3), 0);
    assert_int_equal(strlen(first), AUTH_KEY_TEXT_SIZE - 1);
    assert_string_not_equal(first, second);
    assert_int_equal(sodium_base642bin(bytes, sizeof(bytes), first + 3, strlen(first) - 3, NULL,
                                       &size, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                     0);
    assert_int_equal(size, 32);
}

static void a_hash_belongs_to_its_store(void **state)
{
    uint8_t one[AUTH_HASH_BYTES], again[AUTH_HASH_BYTES], other[AUTH_HASH_BYTES];
    struct auth auth;

    (void)state;
    auth_init(&auth, SLICE("5e0f3a52-93a1-4bd6-8f4b-000000000001"), NULL);
    auth_hash(&auth, SLICE("od_key"), one);
    auth_hash(&auth, SLICE("od_key"), again);
    assert_memory_equal(one, again, sizeof(one));
    auth_hash(&auth, SLICE("od_kez"), other);
    assert_memory_not_equal(one, other, sizeof(one));
    auth_init(&auth, SLICE("5e0f3a52-93a1-4bd6-8f4b-000000000002"), NULL);
    auth_hash(&auth, SLICE("od_key"), other);
    assert_memory_not_equal(one, other, sizeof(one));
}

/* It is known without a look at the store. */
static void the_key_of_the_environment_is_an_admin(void **state)
{
    struct caller caller = {0};
    struct auth auth;

    (void)state;
    auth_init(&auth, SLICE("store"), "secret");
    assert_int_equal(auth_lookup(&auth, NULL, SLICE("secret"), &caller), 0);
    assert_int_equal(caller.role, ROLE_ADMIN);
    assert_int_equal(caller.organisation, 0);
}

static void an_empty_key_of_the_environment_is_none(void **state)
{
    struct auth auth;

    (void)state;
    auth_init(&auth, SLICE("store"), "");
    assert_false(auth.has_environment_key);
    auth_init(&auth, SLICE("store"), NULL);
    assert_false(auth.has_environment_key);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_key_is_taken_from_either_header),
    cmocka_unit_test(a_new_key_has_256_random_bits_of_text),
    cmocka_unit_test(a_hash_belongs_to_its_store),
    cmocka_unit_test(the_key_of_the_environment_is_an_admin),
    cmocka_unit_test(an_empty_key_of_the_environment_is_none),
};

OD_TEST_MAIN(tests)
