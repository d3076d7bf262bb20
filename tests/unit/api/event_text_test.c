/* Events as text, and ids as a client sends them. */
#include "api/event_text.h"

#include <stdio.h>

#include "tests/support/od_test.h"

static void an_id_is_a_number_and_nothing_else(void **state)
{
    static const char *const none[] = {
        "", "-1", "+1", " 1", "1 ", "1.0", "x", "0x1", "10000000000000000000"};
    uint64_t sequence = 7;

    (void)state;
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        assert_false(event_id_parse(slice_from(none[i]), &sequence));
        assert_int_equal(sequence, 7);
    }
    assert_true(event_id_parse(SLICE("0"), &sequence));
    assert_int_equal(sequence, 0);
    assert_true(event_id_parse(SLICE("9999999999999999999"), &sequence));
    assert_true(sequence == UINT64_C(9999999999999999999));
}

static void assert_text(struct buf *text, const char *expected)
{
    assert_int_equal(buf_append_byte(text, '\0'), 0);
    assert_string_equal(text->data, expected);
    buf_clear(text);
}

static void each_event_is_a_block(void **state)
{
    const struct status_event event = {.status = EXECUTION_PAUSED,
                                       .status_reason = SLICE("a\nb"),
                                       .counters = {6, 1, 2, 3, 0, 0},
                                       .at = 1000};
    const char *data = "data: {\"executionId\":null,\"programId\":null,\"status\":\"paused\","
                       "\"statusReason\":\"a\\nb\",\"totalContacts\":6,\"contactsCompleted\":1,"
                       "\"contactsFailed\":2,\"contactsPending\":3,\"contactsInProgress\":0,"
                       "\"contactsSkipped\":0,\"at\":\"1970-01-01T00:00:01.000Z\"}\n\n";
    char expected[1024];
    struct buf text;

    (void)state;
    buf_init(&text);
    event_print_start(&text, 5);
    assert_text(&text, "retry: 2000\nid: 5\n\n");
    event_print_reset(&text, 3, 9);
    assert_text(&text, "event: reset\nid: 9\ndata: {\"lastEventId\":\"3\"}\n\n");
    event_print_status(&text, 6, &event);
    (void)snprintf(expected, sizeof(expected), "event: status\nid: 6\n%s", data);
    assert_text(&text, expected);
    event_print_progress(&text, &event);
    (void)snprintf(expected, sizeof(expected), "event: progress\n%s", data);
    assert_text(&text, expected);
    event_print_heartbeat(&text);
    assert_text(&text, ": heartbeat\n\n");
    buf_deinit(&text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_id_is_a_number_and_nothing_else),
    cmocka_unit_test(each_event_is_a_block),
};
OD_TEST_MAIN(tests)
