/* The list of faults and the body of an error. */
#include "api/faults.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/od_test.h"

static void assert_body(enum fault_code code, struct slice message, const struct fault_list *faults,
                        const char *text)
{
    struct buf buf;

    buf_init(&buf);
    assert_int_equal(faults_print(code, message, faults != NULL ? faults->items : NULL,
                                  faults != NULL ? faults->count : 0, "r-1", &buf),
                     0);
    assert_int_equal(buf_append_byte(&buf, '\0'), 0);
    assert_string_equal(buf.data, text);
    buf_deinit(&buf);
}

static void an_error_has_one_body(void **state)
{
    (void)state;
    assert_body(FAULT_PROGRAM_NOT_FOUND, SLICE("Program x not found"), NULL,
                "{\"statusCode\":404,\"error\":\"ProgramNotFoundError\","
                "\"message\":\"Program x not found\",\"requestId\":\"r-1\"}");
    assert_body(FAULT_UNAVAILABLE, SLICE("later"), NULL,
                "{\"statusCode\":503,\"error\":\"UnavailableError\",\"message\":\"later\","
                "\"requestId\":\"r-1\"}");
}

static void details_are_those_of_a_validation_error(void **state)
{
    struct arena arena;
    struct fault_list faults;

    (void)state;
    arena_init(&arena, 1024);
    faults_init(&faults, &arena);
    assert_body(FAULT_VALIDATION, SLICE("bad"), &faults,
                "{\"statusCode\":400,\"error\":\"ValidationError\",\"message\":\"bad\","
                "\"details\":[],\"requestId\":\"r-1\"}");
    faults_add(&faults, SLICE("a[1]"), "must be at most %d", 3);
    faults_add(&faults, SLICE(""), "must be an object");
    assert_body(FAULT_VALIDATION, SLICE("bad"), &faults,
                "{\"statusCode\":400,\"error\":\"ValidationError\",\"message\":\"bad\","
                "\"details\":[{\"path\":\"a[1]\",\"message\":\"must be at most 3\"},"
                "{\"path\":\"\",\"message\":\"must be an object\"}],\"requestId\":\"r-1\"}");
    assert_body(FAULT_CONFLICT, SLICE("bad"), &faults,
                "{\"statusCode\":409,\"error\":\"ConflictError\",\"message\":\"bad\","
                "\"requestId\":\"r-1\"}");
    arena_deinit(&arena);
}

static void bytes_that_are_no_text_do_no_harm(void **state)
{
    (void)state;
    assert_body(FAULT_CONFLICT, SLICE("a\xff\"b"), NULL,
                "{\"statusCode\":409,\"error\":\"ConflictError\","
                "\"message\":\"a\xef\xbf\xbd\\\"b\",\"requestId\":\"r-1\"}");
}

static void faults_are_kept_in_their_order_up_to_a_limit(void **state)
{
    struct arena arena;
    struct fault_list faults;

    (void)state;
    arena_init(&arena, 1024);
    faults_init(&faults, &arena);
    assert_false(faults_any(&faults));
    for (int i = 0; i < FAULTS_MAX + 5; i++) {
        faults_add(&faults, SLICE("a"), "%d", i);
    }
    assert_true(faults_any(&faults));
    assert_int_equal(faults.count, FAULTS_MAX);
    assert_true(slice_equal_text(faults.items[0].message, "0"));
    assert_true(slice_equal_text(faults.items[FAULTS_MAX - 1].message, "999"));
    arena_deinit(&arena);
}

static void a_long_message_is_cut(void **state)
{
    struct arena arena;
    struct fault_list faults;
    char text[2000];

    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    arena_init(&arena, 1024);
    faults_init(&faults, &arena);
    faults_add(&faults, SLICE("a"), "%s", text);
    assert_true(faults.items[0].message.size < 600);
    arena_deinit(&arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_error_has_one_body),
    cmocka_unit_test(details_are_those_of_a_validation_error),
    cmocka_unit_test(bytes_that_are_no_text_do_no_harm),
    cmocka_unit_test(faults_are_kept_in_their_order_up_to_a_limit),
    cmocka_unit_test(a_long_message_is_cut),
};

OD_TEST_MAIN(tests)
