/* Derived messages come before letters, both in order; a letter's event moves with it. */
#include "engine/mailbox.h"

#include "tests/support/od_test.h"

static struct mailbox mailbox;

static int setup(void **state)
{
    (void)state;
    mailbox_init(&mailbox);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mailbox_deinit(&mailbox);
    return 0;
}

static struct message message(uint32_t number)
{
    return (struct message){.actor = {ACTOR_EXECUTION, number}, .type = MESSAGE_TICK};
}

static void an_empty_one_has_nothing(void **state)
{
    struct letter letter;
    struct message derived;

    (void)state;
    assert_false(mailbox_take_letter(&mailbox, &letter));
    assert_false(mailbox_take_derived(&mailbox, &derived));
    assert_int_equal(mailbox_letters(&mailbox), 0);
}

/* The ring turns and grows while it is in use. */
static void letters_come_in_the_order_of_posting(void **state)
{
    struct letter letter = {.arena = NULL};
    uint32_t put = 0;
    uint32_t taken = 0;

    (void)state;
    while (put < 5000) {
        for (uint32_t i = 0; i < 1 + put % 90; i++) {
            letter.message = message(put++);
            mailbox_post(&mailbox, &letter);
        }
        for (uint32_t i = 0; i < 1 + put % 70 && mailbox_take_letter(&mailbox, &letter); i++) {
            assert_int_equal(letter.message.actor.number, taken++);
        }
    }
    assert_int_equal(mailbox_letters(&mailbox), put - taken);
}

static void derived_messages_come_in_the_order_of_sending(void **state)
{
    struct message derived;
    uint32_t put = 0;
    uint32_t taken = 0;

    (void)state;
    while (put < 5000) {
        for (uint32_t i = 0; i < 1 + put % 90; i++) {
            derived = message(put++);
            mailbox_derive(&mailbox, &derived);
        }
        for (uint32_t i = 0; i < 1 + put % 70 && mailbox_take_derived(&mailbox, &derived); i++) {
            assert_int_equal(derived.actor.number, taken++);
        }
    }
    assert_int_equal(mailbox_derived(&mailbox), put - taken);
}

static void an_event_is_where_its_letter_is(void **state)
{
    struct letter letter = {.message = message(1), .event = {.entry = 42}, .has_event = true};
    struct letter taken;

    (void)state;
    mailbox_post(&mailbox, &letter);
    letter.event.entry = 0;
    assert_true(mailbox_take_letter(&mailbox, &taken));
    assert_ptr_equal(taken.message.payload.event, &taken.event);
    assert_int_equal(taken.event.entry, 42);
}

/* The leak sanitizer looks at the letters that are never taken. */
static void a_payloads_memory_goes_with_its_letter(void **state)
{
    struct letter letter = {.message = message(1)};
    struct letter taken;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        letter.arena = arena_new();
        letter.message.payload.claim.gateway = arena_copy(letter.arena, SLICE("worker"));
        mailbox_post(&mailbox, &letter);
    }
    assert_true(mailbox_take_letter(&mailbox, &taken));
    assert_true(slice_equal_text(taken.message.payload.claim.gateway, "worker"));
    arena_free(taken.arena);
    arena_free(NULL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    CASE(an_empty_one_has_nothing),
    CASE(letters_come_in_the_order_of_posting),
    CASE(derived_messages_come_in_the_order_of_sending),
    CASE(an_event_is_where_its_letter_is),
    CASE(a_payloads_memory_goes_with_its_letter),
};

OD_TEST_MAIN(tests)
