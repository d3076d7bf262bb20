/* What became of the ids of a trace. */
#include "cmd/outdial_replay_http_ids.h"

#include "tests/support/od_test.h"

static struct uuid id_of(uint32_t number)
{
    uint8_t random[10] = {0};

    for (unsigned i = 0; i < 4; i++) {
        random[i] = (uint8_t)(number >> (8 * i));
    }
    return uuid_v7(1000 + number, random);
}

static void an_id_goes_from_awaited_to_known(void **state)
{
    struct id_map ids;
    struct uuid id = id_of(1), live = id_of(2), known;

    (void)state;
    ids_init(&ids);
    assert_int_equal(ids_get(&ids, &id).state, ID_ABSENT);
    ids_await(&ids, &id);
    assert_int_equal(ids_get(&ids, &id).state, ID_AWAITED);
    ids_know(&ids, &id, &live);
    assert_int_equal(ids_get(&ids, &id).state, ID_KNOWN);
    known = ids_get(&ids, &id).live;
    assert_true(uuid_equal(&known, &live));
    ids_deinit(&ids);
}

static void what_is_known_stays_known(void **state)
{
    struct id_map ids;
    struct uuid id = id_of(1), live = id_of(2);

    (void)state;
    ids_init(&ids);
    ids_know(&ids, &id, &live);
    ids_await(&ids, &id);
    ids_fail(&ids, &id);
    ids_know_phone(&ids, &id, 7);
    assert_int_equal(ids_get(&ids, &id).state, ID_KNOWN);
    ids_deinit(&ids);
}

static void a_phone_leads_to_an_id_or_to_nothing(void **state)
{
    struct id_map ids;
    struct uuid first = id_of(1), second = id_of(2), live = id_of(3);

    (void)state;
    ids_init(&ids);
    ids_know_phone(&ids, &first, UINT64_C(999000000000001));
    ids_know_phone(&ids, &second, 2);
    assert_int_equal(ids_get(&ids, &first).state, ID_BY_PHONE);
    assert_true(ids_get(&ids, &first).phone == UINT64_C(999000000000001));
    ids_await(&ids, &first); /* it is there already */
    assert_int_equal(ids_get(&ids, &first).state, ID_BY_PHONE);
    ids_know(&ids, &first, &live);
    ids_fail(&ids, &second);
    assert_int_equal(ids_get(&ids, &first).state, ID_KNOWN);
    assert_int_equal(ids_get(&ids, &second).state, ID_FAILED);
    ids_deinit(&ids);
}

static void many_ids_are_kept_apart(void **state)
{
    enum { MANY = 20000 };

    struct id_map ids;

    (void)state;
    ids_init(&ids);
    for (uint32_t i = 0; i < MANY; i++) {
        struct uuid id = id_of(i), live = id_of(i + MANY);

        ids_await(&ids, &id);
        ids_know(&ids, &id, &live);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        struct uuid id = id_of(i), live = id_of(i + MANY), known;

        assert_int_equal(ids_get(&ids, &id).state, ID_KNOWN);
        known = ids_get(&ids, &id).live;
        assert_true(uuid_equal(&known, &live));
        assert_int_equal(ids_get(&ids, &live).state, ID_ABSENT);
    }
    assert_int_equal(ids.count, MANY);
    ids_deinit(&ids);
}

static void numbers_are_ids_of_their_kind(void **state)
{
    struct uuid organisation = ids_of_number(NUMBER_ORGANISATION, 70000);
    struct uuid execution = ids_of_number(NUMBER_EXECUTION, 70000);

    (void)state;
    assert_false(uuid_equal(&organisation, &execution));
    assert_int_equal(ids_number(&organisation), 70000);
    assert_int_equal(ids_number(&execution), 70000);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_id_goes_from_awaited_to_known),
    cmocka_unit_test(what_is_known_stays_known),
    cmocka_unit_test(a_phone_leads_to_an_id_or_to_nothing),
    cmocka_unit_test(many_ids_are_kept_apart),
    cmocka_unit_test(numbers_are_ids_of_their_kind),
};
OD_TEST_MAIN(tests)
