/* What is put in is copied with all that it points to, and comes out in order. */
#include "engine/outbox.h"

#include <string.h>

#include "storage/record.h"
#include "tests/support/od_test.h"

static struct outbox outbox;

static int setup(void **state)
{
    (void)state;
    outbox_init(&outbox);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    outbox_deinit(&outbox);
    return 0;
}

static const struct reply *next_reply(void)
{
    const struct outbox_item *item = outbox_take(&outbox);

    assert_non_null(item);
    assert_int_equal(item->kind, OUTBOX_REPLY);
    return item->reply;
}

static void what_is_published_once_is_not_said_twice(void **state)
{
    (void)state;
    outbox_put_publish(&outbox, 1);
    outbox_put_publish(&outbox, 1);
    outbox_put_publish(&outbox, 2);
    outbox_put_publish(&outbox, 1);
    for (unsigned i = 0; i < 3; i++) {
        const struct outbox_item *item = outbox_take(&outbox);

        assert_int_equal(item->kind, OUTBOX_PUBLISH);
        assert_int_equal(item->organisation, i == 1 ? 2 : 1);
    }
    outbox_put_publish(&outbox, 1); /* what has been taken has been said */
    assert_false(outbox_is_empty(&outbox));
}

static void what_is_put_in_comes_out_in_order(void **state)
{
    struct reply reply = {.kind = REPLY_NOTHING};
    const struct offer offer = {.entry = 7};
    const struct gateway_answer answer = {.entry = 8, .status = EVENT_ACCEPTED};
    const struct outbox_item *item;

    (void)state;
    assert_true(outbox_is_empty(&outbox));
    for (uint64_t i = 1; i <= 1000; i++) {
        reply.exchange = i;
        outbox_put_reply(&outbox, &reply);
    }
    outbox_put_offer(&outbox, &offer);
    outbox_put_answer(&outbox, 3, &answer);
    for (uint64_t i = 1; i <= 1000; i++) {
        assert_int_equal(next_reply()->exchange, i);
    }
    item = outbox_take(&outbox);
    assert_int_equal(item->kind, OUTBOX_OFFER);
    assert_int_equal(item->offer.entry, 7);
    item = outbox_take(&outbox);
    assert_int_equal(item->kind, OUTBOX_GATEWAY_ANSWER);
    assert_int_equal(item->answered.gateway, 3);
    assert_int_equal(item->answered.answer.entry, 8);
    assert_true(outbox_is_empty(&outbox));
    assert_null(outbox_take(&outbox));
}

static void a_cleared_one_is_empty(void **state)
{
    const struct reply reply = {.exchange = 1, .kind = REPLY_NOTHING};

    (void)state;
    outbox_put_reply(&outbox, &reply);
    outbox_clear(&outbox);
    assert_true(outbox_is_empty(&outbox));
    outbox_put_reply(&outbox, &reply);
    assert_false(outbox_is_empty(&outbox));
}

/* ---- texts and lists are copied: what they were copied from changes ---- */

static void a_fault_keeps_its_texts(void **state)
{
    char text[] = "name is too long";
    const struct fault_detail detail = {slice_make(text, 4), slice_make(text + 8, 8)};
    struct reply reply = {.exchange = 1, .kind = REPLY_FAULT};
    const struct reply *copy;

    (void)state;
    reply.fault.code = FAULT_VALIDATION;
    reply.fault.message = slice_from(text);
    reply.fault.details = &detail;
    reply.fault.detail_count = 1;
    outbox_put_reply(&outbox, &reply);
    memset(text, '?', sizeof(text) - 1);
    copy = next_reply();
    assert_true(slice_equal_text(copy->fault.message, "name is too long"));
    assert_true(slice_equal_text(copy->fault.details[0].path, "name"));
    assert_true(slice_equal_text(copy->fault.details[0].message, "too long"));
}

static void a_record_is_encoded(void **state)
{
    char name[] = "Sales";
    struct audience audience = {.number = 3, .name = slice_from(name), .contact_count = 9};
    struct reply reply = {.exchange = 1, .kind = REPLY_RECORD};
    struct audience decoded;
    struct arena arena;
    const struct slice *encoded;

    (void)state;
    arena_init(&arena, 256);
    reply.record.table = TABLE_AUDIENCE;
    reply.record.key = key_owned(1, &audience.id);
    reply.record.record = &audience;
    outbox_put_reply(&outbox, &reply);
    memset(name, '?', sizeof(name) - 1);
    audience.contact_count = 0;
    encoded = next_reply()->record.record;
    assert_int_equal(record_decode(TABLE_AUDIENCE, &reply.record.key, *encoded, &arena, &decoded),
                     0);
    assert_int_equal(decoded.contact_count, 9);
    assert_true(slice_equal_text(decoded.name, "Sales"));
    arena_deinit(&arena);
}

/* Settings are read from the store when the answer goes out; its number stands for them here. */
static void of_an_execution_the_state_is_kept_and_the_number(void **state)
{
    char reason[] = "stop_at";
    const struct execution_settings settings = {.number = 77};
    struct execution_state now = {.status = EXECUTION_STOPPED, .status_reason = slice_from(reason)};
    struct reply reply = {.exchange = 1, .kind = REPLY_EXECUTION};
    const struct reply *copy;

    (void)state;
    reply.execution.settings = &settings;
    reply.execution.state = &now;
    outbox_put_reply(&outbox, &reply);
    memset(reason, '?', sizeof(reason) - 1);
    now.status = EXECUTION_RUNNING;
    copy = next_reply();
    assert_int_equal(*(const uint32_t *)(const void *)copy->execution.settings, 77);
    assert_int_equal(copy->execution.state->status, EXECUTION_STOPPED);
    assert_true(slice_equal_text(copy->execution.state->status_reason, "stop_at"));
}

static void lists_are_copied(void **state)
{
    char phone[] = "+212600000001";
    struct contact_made made = {.primary_phone = slice_from(phone)};
    struct claimed_call call = {.entry = 5};
    struct reply upserted = {.exchange = 1, .kind = REPLY_UPSERTED};
    struct reply claimed = {.exchange = 2, .kind = REPLY_CLAIMED};
    struct reply nothing = {.exchange = 3, .kind = REPLY_CLAIMED};

    (void)state;
    upserted.upserted.contacts = &made;
    upserted.upserted.count = 1;
    claimed.claimed.calls = &call;
    claimed.claimed.count = 1;
    outbox_put_reply(&outbox, &upserted);
    outbox_put_reply(&outbox, &claimed);
    outbox_put_reply(&outbox, &nothing);
    memset(phone, '?', sizeof(phone) - 1);
    call.entry = 0;
    assert_true(
        slice_equal_text(next_reply()->upserted.contacts[0].primary_phone, "+212600000001"));
    assert_int_equal(next_reply()->claimed.calls[0].entry, 5);
    assert_int_equal(next_reply()->claimed.count, 0);
}

static void an_offer_keeps_its_numbers(void **state)
{
    char to[] = "+212600000001";
    char from[] = "+212500000001";
    const struct offer offer = {.to = slice_from(to), .from = slice_from(from)};
    const struct outbox_item *item;

    (void)state;
    outbox_put_offer(&outbox, &offer);
    memset(to, '?', sizeof(to) - 1);
    memset(from, '?', sizeof(from) - 1);
    item = outbox_take(&outbox);
    assert_true(slice_equal_text(item->offer.to, "+212600000001"));
    assert_true(slice_equal_text(item->offer.from, "+212500000001"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    CASE(what_is_published_once_is_not_said_twice),
    CASE(what_is_put_in_comes_out_in_order),
    CASE(a_cleared_one_is_empty),
    CASE(a_fault_keeps_its_texts),
    CASE(a_record_is_encoded),
    CASE(of_an_execution_the_state_is_kept_and_the_number),
    CASE(lists_are_copied),
    CASE(an_offer_keeps_its_numbers),
};

OD_TEST_MAIN(tests)
