/* What is derived from an Idempotency-Key. Its use is tested with the daemon. */
#include "api/idempotency_key.h"

#include <string.h>

#include "tests/support/od_test.h"

static struct auth auth;

static struct idempotency_key derive(uint32_t organisation, enum role role, const char *text)
{
    struct idempotency_key key;

    idempotency_key_derive(&auth, organisation, role, slice_from(text), &key);
    return key;
}

static int setup(void **state)
{
    (void)state;
    auth_init(&auth, SLICE("a store"), NULL);
    return sodium_init() < 0;
}

static void a_key_has_1_to_255_visible_characters(void **state)
{
    char text[IDEMPOTENCY_KEY_CHARACTERS_MAX + 1];

    (void)state;
    memset(text, 'k', sizeof(text));
    assert_true(idempotency_key_is_valid(SLICE("!")));
    assert_true(idempotency_key_is_valid(SLICE("~")));
    assert_true(idempotency_key_is_valid(slice_make(text, IDEMPOTENCY_KEY_CHARACTERS_MAX)));
    assert_false(idempotency_key_is_valid(slice_make(text, sizeof(text))));
    assert_false(idempotency_key_is_valid(SLICE("")));
    for (unsigned byte = 0; byte < 256; byte++) {
        char one[] = {'a', (char)byte, 'z'};

        assert_int_equal(idempotency_key_is_valid(slice_make(one, sizeof(one))),
                         byte > ' ' && byte < 0x7f);
    }
}

static void whose_key_it_is_counts(void **state)
{
    const struct idempotency_key first = derive(1, ROLE_ORG, "a");
    const struct idempotency_key others[] = {
        derive(2, ROLE_ORG, "a"),   derive(1, ROLE_ORG, "b"),    derive(0, ROLE_ORG, "a"),
        derive(0, ROLE_ADMIN, "a"), derive(0, ROLE_WORKER, "a"),
    };
    /* An admin who acts for the organisation uses the organisation's keys. */
    const struct idempotency_key same = derive(1, ROLE_ADMIN, "a");

    (void)state;
    assert_memory_equal(first.hash, same.hash, sizeof(first.hash));
    assert_memory_equal(first.body_key, same.body_key, sizeof(first.body_key));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_memory_not_equal(first.hash, others[i].hash, sizeof(first.hash));
        assert_memory_not_equal(first.body_key, others[i].body_key, sizeof(first.body_key));
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(others[i].hash, others[j].hash, sizeof(first.hash));
        }
    }
    assert_memory_not_equal(first.hash, first.body_key, sizeof(first.hash));
    assert_memory_not_equal(first.hash, first.request_key, sizeof(first.hash));
}

static void fingerprint(const struct idempotency_key *key, const char *target, const char *body,
                        size_t piece, uint8_t out[KEY_HASH_BYTES])
{
    struct idempotency_fingerprint made;

    idempotency_fingerprint_begin(&made, key, SLICE("POST"), slice_from(target));
    for (size_t at = 0; at < strlen(body); at += piece) {
        size_t left = strlen(body) - at;

        idempotency_fingerprint_add(&made, body + at, left < piece ? left : piece);
    }
    idempotency_fingerprint_end(&made, out);
}

static void a_fingerprint_is_of_target_and_body_in_whatever_pieces(void **state)
{
    const struct idempotency_key key = derive(1, ROLE_ORG, "a");
    const struct idempotency_key other_key = derive(1, ROLE_ORG, "b");
    uint8_t first[KEY_HASH_BYTES], other[KEY_HASH_BYTES];

    (void)state;
    fingerprint(&key, "/api/x", "{\"a\": 1}", 100, first);
    fingerprint(&key, "/api/x", "{\"a\": 1}", 1, other);
    assert_memory_equal(first, other, sizeof(first));
    fingerprint(&key, "/api/x?a", "{\"a\": 1}", 100, other);
    assert_memory_not_equal(first, other, sizeof(first));
    fingerprint(&key, "/api/x", "{\"a\": 2}", 100, other);
    assert_memory_not_equal(first, other, sizeof(first));
    fingerprint(&key, "/api/x{", "\"a\": 1}", 100, other);
    assert_memory_not_equal(first, other, sizeof(first));
    fingerprint(&other_key, "/api/x", "{\"a\": 1}", 100, other);
    assert_memory_not_equal(first, other, sizeof(first));
}

static void a_body_is_opened_with_its_key_alone(void **state)
{
    const struct idempotency_key key = derive(1, ROLE_ORG, "a");
    const struct idempotency_key other = derive(1, ROLE_ORG, "b");
    struct arena arena;
    struct slice sealed, body;

    (void)state;
    arena_init(&arena, 1024);
    sealed = idempotency_seal(&key, SLICE("{\"key\": \"od_secret\"}"), &arena);
    assert_null(memmem(sealed.data, sealed.size, "od_secret", 9));
    assert_true(idempotency_open(&key, sealed, &arena, &body));
    assert_true(slice_equal_text(body, "{\"key\": \"od_secret\"}"));
    assert_false(idempotency_open(&other, sealed, &arena, &body));
    for (size_t i = 0; i < sealed.size; i++) {
        char *changed = arena_text(&arena, sealed);

        changed[i] = (char)(changed[i] ^ 1);
        assert_false(idempotency_open(&key, slice_make(changed, sealed.size), &arena, &body));
        if (i > 0) {
            assert_false(idempotency_open(&key, slice_make(sealed.data, i), &arena, &body));
        }
    }
    assert_true(idempotency_open(&key, idempotency_seal(&key, SLICE(""), &arena), &arena, &body));
    assert_int_equal(body.size, 0);
    arena_deinit(&arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_key_has_1_to_255_visible_characters),
    cmocka_unit_test(whose_key_it_is_counts),
    cmocka_unit_test(a_fingerprint_is_of_target_and_body_in_whatever_pieces),
    cmocka_unit_test(a_body_is_opened_with_its_key_alone),
};

OD_TEST_MAIN_FIXTURE(tests, setup, NULL)
