#include "model/message.h"

#include "tests/support/od_test.h"
#include "tests/unit/model/defect.h"

static void each_type_has_a_name_of_its_own_and_an_actor(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MESSAGE_TYPE_COUNT; i++) {
        const char *name = message_type_name((enum message_type)i);
        unsigned actor = message_actor_kind((enum message_type)i);

        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
        assert_in_range(actor, ACTOR_PLATFORM, ACTOR_RETENTION);
        for (unsigned k = 0; k < i; k++) {
            assert_string_not_equal(name, message_type_name((enum message_type)k));
        }
    }
}

static void names_and_actors_are_those_of_the_list(void **state)
{
    (void)state;
    assert_string_equal(message_type_name(MESSAGE_LAUNCH), "launch");
    assert_string_equal(message_type_name(MESSAGE_CALL_RESULT), "call_result");
    assert_int_equal(message_actor_kind(MESSAGE_DID_CREATE), ACTOR_PLATFORM);
    assert_int_equal(message_actor_kind(MESSAGE_CONTACT_CREATE), ACTOR_DIRECTORY);
    assert_int_equal(message_actor_kind(MESSAGE_CALL_RESULT), ACTOR_EXECUTION);
    assert_int_equal(message_actor_kind(MESSAGE_CLAIM), ACTOR_DISPATCHER);
}

static void ask_name(const void *argument)
{
    (void)argument;
    (void)message_type_name(MESSAGE_TYPE_COUNT);
}

static void a_type_outside_of_the_list_is_a_defect(void **state)
{
    (void)state;
    assert_true(is_defect(ask_name, NULL));
}

static struct uuid uuid_of(const char *text)
{
    struct uuid id;

    assert_true(uuid_parse(slice_from(text), &id));
    return id;
}

static void the_claim_id_of_the_nth_call_is_the_first_one_plus_n(void **state)
{
    static const struct {
        const char *first;
        uint32_t n;
        const char *id;
    } cases[] = {
        {"01900000-0000-7000-8000-000000000000", 0, "01900000-0000-7000-8000-000000000000"},
        {"01900000-0000-7000-8000-000000000000", 999, "01900000-0000-7000-8000-0000000003e7"},
        {"01900000-0000-7000-80ff-fffffffffffe", 2, "01900000-0000-7000-8100-000000000000"},
        {"01900000-0000-7000-8000-000000000001", UINT32_MAX,
         "01900000-0000-7000-8000-000100000000"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct uuid first = uuid_of(cases[i].first);
        struct uuid expected = uuid_of(cases[i].id);
        struct uuid id = claim_id_at(&first, cases[i].n);

        assert_true(uuid_equal(&id, &expected));
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_type_has_a_name_of_its_own_and_an_actor),
    cmocka_unit_test(names_and_actors_are_those_of_the_list),
    cmocka_unit_test(a_type_outside_of_the_list_is_a_defect),
    cmocka_unit_test(the_claim_id_of_the_nth_call_is_the_first_one_plus_n),
};

OD_TEST_MAIN(tests)
