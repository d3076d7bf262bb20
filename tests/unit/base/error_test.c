#include "base/error.h"

#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"
#include "tests/support/od_test.h"

static void every_code_is_negative_and_has_a_text_of_its_own(void **state)
{
    static const int codes[] = {
#define CODE(constant, number, text) constant,
        OD_ERROR_CODES(CODE)
#undef CODE
    };
    size_t count = sizeof(codes) / sizeof(codes[0]);

    (void)state;
    assert_int_equal(codes[0], 0);
    for (size_t i = 0; i < count; i++) {
        assert_true(i == 0 || codes[i] < -100);
        for (size_t k = 0; k < i; k++) {
            assert_int_not_equal(codes[i], codes[k]);
            assert_string_not_equal(od_error_text(codes[i]), od_error_text(codes[k]));
        }
    }
}

static void numbers_that_are_no_codes_are_unknown(void **state)
{
    static const int numbers[] = {1, -1, -2, -100, -30799, 2147483647, -2147483647 - 1};

    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        assert_string_equal(od_error_text(numbers[i]), "unknown error");
    }
    assert_string_equal(od_error_text(OD_EFULL), "disk or map full");
}

static void an_error_is_set_and_its_code_returned(void **state)
{
    struct od_error e;

    (void)state;
    assert_int_equal(od_error_set(&e, OD_EIO, "open %s: %d", "file", 3), OD_EIO);
    assert_string_equal(e.text, "open file: 3");
    assert_int_equal(od_error_set(NULL, OD_ENOMEM, "nobody %s", "asks"), OD_ENOMEM);
}

static void each_layer_puts_its_prefix_in_front(void **state)
{
    struct od_error e;

    (void)state;
    assert_int_equal(od_error_set(&e, OD_ELOCKED, "lock held"), OD_ELOCKED);
    od_error_prefix(&e, "open %s", "/data");
    od_error_prefix(&e, "store");
    assert_string_equal(e.text, "store: open /data: lock held");
    od_error_prefix(NULL, "store");
}

static void an_error_may_be_set_from_its_own_text(void **state)
{
    struct od_error e;

    (void)state;
    assert_int_equal(od_error_set(&e, OD_EIO, "inner"), OD_EIO);
    assert_int_equal(od_error_set(&e, OD_EIO, "outer (%s)", e.text), OD_EIO);
    assert_string_equal(e.text, "outer (inner)");
    od_error_prefix(&e, "twice %s", e.text);
    assert_string_equal(e.text, "twice outer (inner): outer (inner)");
}

/* Returns a text of `size` bytes. */
static const char *long_text(char *out, size_t size)
{
    memset(out, 'x', size);
    out[size] = '\0';
    return out;
}

static void a_text_that_just_fits_is_kept_and_a_longer_one_is_cut(void **state)
{
    static const size_t sizes[] = {510, 511, 512, 513, 2000};
    char text[2001];
    struct od_error e;

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        size_t expected = sizes[i] < sizeof(e.text) ? sizes[i] : sizeof(e.text) - 1;

        (void)od_error_set(&e, OD_EIO, "%s", long_text(text, sizes[i]));
        assert_int_equal(strlen(e.text), expected);
        od_error_prefix(&e, "layer");
        assert_memory_equal(e.text, "layer: xxx", 10);
        assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
        od_error_prefix(&e, "%s", text);
        assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
        assert_memory_equal(e.text, text, 500);
    }
}

static void a_text_is_not_cut_within_a_character(void **state)
{
    char text[1000];
    struct od_error e;

    (void)state;
    /* Characters of 2, 3 and 4 bytes at every place around the end. */
    for (size_t ascii = 500; ascii < 512; ascii++) {
        static const char *const characters[] = {"é", "€", "😀"};

        for (size_t i = 0; i < 3; i++) {
            (void)long_text(text, ascii);
            for (int k = 0; k < 10; k++) {
                strncat(text, characters[i], 5);
            }
            (void)od_error_set(&e, OD_EIO, "%s", text);
            assert_true(utf8_is_valid(slice_from(e.text)));
            assert_true(strlen(e.text) > sizeof(e.text) - 1 - strlen(characters[i]));
            od_error_prefix(&e, "p");
            assert_true(utf8_is_valid(slice_from(e.text)));
        }
    }
}

static void each_fault_has_the_status_and_name_of_the_interface(void **state)
{
    static const struct {
        enum fault_code code;
        int status;
        const char *name;
    } rows[] = {
        {FAULT_NONE, 200, ""},
        {FAULT_VALIDATION, 400, "ValidationError"},
        {FAULT_BAD_REQUEST, 400, "BadRequestException"},
        {FAULT_INVALID_EXECUTION_STATE, 400, "InvalidExecutionStateError"},
        {FAULT_UNAUTHORIZED, 401, "UnauthorizedError"},
        {FAULT_FORBIDDEN, 403, "ForbiddenError"},
        {FAULT_PROGRAM_NOT_FOUND, 404, "ProgramNotFoundError"},
        {FAULT_METHOD_NOT_ALLOWED, 405, "MethodNotAllowedError"},
        {FAULT_PROGRAM_STATUS_CONFLICT, 409, "ProgramStatusConflictError"},
        {FAULT_PAYLOAD_TOO_LARGE, 413, "PayloadTooLargeError"},
        {FAULT_UNSUPPORTED_MEDIA_TYPE, 415, "UnsupportedMediaTypeError"},
        {FAULT_IDEMPOTENCY_KEY_REUSED, 422, "IdempotencyKeyReusedError"},
        {FAULT_RATE_LIMITED, 429, "RateLimitedError"},
        {FAULT_HEADER_FIELDS_TOO_LARGE, 431, "HeaderFieldsTooLargeError"},
        {FAULT_INTERNAL, 500, "InternalError"},
        {FAULT_NOT_IMPLEMENTED, 501, "NotImplementedError"},
        {FAULT_UNAVAILABLE, 503, "UnavailableError"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(fault_status(rows[i].code), rows[i].status);
        assert_string_equal(fault_name(rows[i].code), rows[i].name);
    }
}

/* Returns whether the text ends so. */
static bool ends_in(const char *text, const char *end)
{
    return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

static void every_not_found_is_a_404_and_names_differ(void **state)
{
    static const enum fault_code codes[] = {

#define CODE(constant, status, name) constant,
        FAULT_CODES(CODE)
#undef CODE
    };

    (void)state;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        const char *name = fault_name(codes[i]);

        assert_int_equal(codes[i], i);
        assert_int_equal(ends_in(name, "NotFoundError"), fault_status(codes[i]) == 404);
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(name, fault_name(codes[k]));
        }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_code_is_negative_and_has_a_text_of_its_own),
    cmocka_unit_test(numbers_that_are_no_codes_are_unknown),
    cmocka_unit_test(an_error_is_set_and_its_code_returned),
    cmocka_unit_test(each_layer_puts_its_prefix_in_front),
    cmocka_unit_test(an_error_may_be_set_from_its_own_text),
    cmocka_unit_test(a_text_that_just_fits_is_kept_and_a_longer_one_is_cut),
    cmocka_unit_test(a_text_is_not_cut_within_a_character),
    cmocka_unit_test(each_fault_has_the_status_and_name_of_the_interface),
    cmocka_unit_test(every_not_found_is_a_404_and_names_differ),
};

OD_TEST_MAIN(tests)
