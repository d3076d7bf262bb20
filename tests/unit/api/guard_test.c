/* The guard, fed at once, byte by byte and in every two pieces: the verdict must not depend on how
 * the bytes come. */
#include "api/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/od_test.h"

enum { BODY_LIMIT = 1000 };

#define HOST "Host: localhost\r\n"

struct verdict {
    enum fault_code code; /* FAULT_NONE: no breach */
    uint64_t messages;
    size_t passed; /* bytes in front of the bad line */
    uint64_t message_bytes;
    char request_id[GUARD_REQUEST_ID_SIZE];
};

static struct verdict verdict_of(const struct guard *guard, size_t passed)
{
    struct verdict verdict = {
        .code = guard->phase == GUARD_BROKEN ? guard->code : FAULT_NONE,
        .messages = guard->messages,
        .passed = passed,
        .message_bytes = guard->message_bytes,
    };

    memcpy(verdict.request_id, guard->request_id, sizeof(verdict.request_id));
    return verdict;
}

/* Feeds pieces of these sizes, the last one with all that is left. */
static struct verdict feed(const char *bytes, size_t size, const size_t *pieces, size_t count)
{
    struct guard guard;
    struct verdict verdict;
    size_t at = 0;
    size_t passed = 0;

    guard_init(&guard, BODY_LIMIT);
    for (size_t i = 0; i <= count && guard.phase != GUARD_BROKEN; i++) {
        size_t piece = pieces != NULL && i < count ? pieces[i] : size - at;
        /* Memory of exactly this size, so that reading on is seen by the sanitizer. */
        char *copy = malloc(piece > 0 ? piece : 1);

        assert_non_null(copy);
        memcpy(copy, bytes + at, piece);
        passed += guard_feed(&guard, copy, piece);
        free(copy);
        at += piece;
    }
    verdict = verdict_of(&guard, passed);
    guard_deinit(&guard);
    return verdict;
}

static struct verdict feed_byte_by_byte(const char *bytes, size_t size)
{
    struct guard guard;
    struct verdict verdict;
    size_t passed = 0;

    guard_init(&guard, BODY_LIMIT);
    for (size_t i = 0; i < size && guard.phase != GUARD_BROKEN; i++) {
        passed += guard_feed(&guard, bytes + i, 1);
    }
    verdict = verdict_of(&guard, passed);
    guard_deinit(&guard);
    return verdict;
}

static void assert_verdict(struct verdict is, enum fault_code code, uint64_t messages)
{
    assert_string_equal(fault_name(is.code), fault_name(code));
    assert_int_equal(is.messages, messages);
}

static void check(const char *bytes, size_t size, enum fault_code code, uint64_t messages)
{
    struct verdict whole = feed(bytes, size, NULL, 0);

    assert_verdict(whole, code, messages);
    assert_verdict(feed_byte_by_byte(bytes, size), code, messages);
    for (size_t cut = 0; cut <= size; cut++) {
        struct verdict halves = feed(bytes, size, &cut, 1);

        assert_verdict(halves, code, messages);
        assert_string_equal(halves.request_id, whole.request_id);
    }
}

struct wire_case {
    const char *bytes;
    enum fault_code code;
    uint64_t messages;
};

static void check_all(const struct wire_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check(cases[i].bytes, strlen(cases[i].bytes), cases[i].code, cases[i].messages);
    }
}

#define CHECK_ALL(cases) check_all(cases, sizeof(cases) / sizeof((cases)[0]))

static void good_messages_pass(void **state)
{
    static const struct wire_case cases[] = {
        {"GET / HTTP/1.1\r\n" HOST "\r\n", FAULT_NONE, 1},
        {"GET /healthz HTTP/1.0\r\n\r\n", FAULT_NONE, 1},
        {"GET /a?b=%20c&d=e HTTP/1.1\r\n" HOST "\r\n", FAULT_NONE, 1},
        {"GET /a HTTP/1.1\r\n" HOST "X:\r\nY: a\tb \xc3\xa9\r\n\r\n", FAULT_NONE, 1},
        {"POST /a HTTP/1.1\r\n" HOST "content-length: 0005\r\n\r\nabcde", FAULT_NONE, 1},
        {"POST /a HTTP/1.1\r\n" HOST "Content-Length:\t 5 \r\n\r\n\r\n\0\n", FAULT_NONE, 0},
        {"POST /a HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n{}",
         FAULT_NONE, 1},
        {"HEAD /a HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", FAULT_NONE, 1},
        {"OPTIONS /a HTTP/1.1\r\n" HOST "\r\n", FAULT_NONE, 1},
        {"TRACE /a HTTP/1.1\r\n" HOST "\r\n", FAULT_NONE, 1},
        {"GET / HTTP/1.1\r\n" HOST "\r\nGET / HTTP/1.1\r\n" HOST "\r\nGET ", FAULT_NONE, 2},
        {"DELETE /a HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n" HOST "\r\n",
         FAULT_NONE, 2},
    };

    (void)state;
    CHECK_ALL(cases);
}

static void a_request_line_that_is_none_is_refused(void **state)
{
    static const struct wire_case cases[] = {
        {"\r\n", FAULT_VALIDATION, 0},
        {"GET\r\n", FAULT_VALIDATION, 0},
        {"GET /\r\n", FAULT_VALIDATION, 0},
        {"GET  HTTP/1.1\r\n", FAULT_VALIDATION, 0},
        {"GET / HTTP/1.1\n", FAULT_VALIDATION, 0},
        {"GET / HTTP/1.1\r\r\n", FAULT_VALIDATION, 0},
        {"GET / HTTP/1.2\r\n", FAULT_VALIDATION, 0},
        {"GET / HTTP/2.0\r\n", FAULT_VALIDATION, 0},
        {"GET / http/1.1\r\n", FAULT_VALIDATION, 0},
        {"G,T / HTTP/1.1\r\n", FAULT_VALIDATION, 0},
        {" GET / HTTP/1.1\r\n", FAULT_VALIDATION, 0},
        {"GET /a b HTTP/1.1\r\n", FAULT_VALIDATION, 0},
        {"GET  / HTTP/1.1\r\n", FAULT_VALIDATION, 0},
        {"GET a HTTP/1.1\r\n", FAULT_VALIDATION, 0},
        {"GET * HTTP/1.1\r\n", FAULT_VALIDATION, 0},
        {"GET //a HTTP/1.1\r\n", FAULT_VALIDATION, 0},
        {"GET http://a/ HTTP/1.1\r\n", FAULT_VALIDATION, 0},
        {"GET /a#b HTTP/1.1\r\n", FAULT_VALIDATION, 0},
        {"GET /a%00 HTTP/1.1\r\n", FAULT_VALIDATION, 0},
        {"GET /a?b=%00 HTTP/1.1\r\n", FAULT_VALIDATION, 0},
        {"GET /\xc3\xa9 HTTP/1.1\r\n", FAULT_VALIDATION, 0},
        {"CONNECT a:1 HTTP/1.1\r\n", FAULT_VALIDATION, 0},
    };

    (void)state;
    CHECK_ALL(cases);
}

static void a_header_that_is_none_is_refused(void **state)
{
    static const struct wire_case cases[] = {
        {"GET / HTTP/1.1\r\n" HOST "a\r\n", FAULT_VALIDATION, 0},
        {"GET / HTTP/1.1\r\n" HOST ": a\r\n", FAULT_VALIDATION, 0},
        {"GET / HTTP/1.1\r\n" HOST "a : b\r\n", FAULT_VALIDATION, 0},
        {"GET / HTTP/1.1\r\n" HOST "a(b): c\r\n", FAULT_VALIDATION, 0},
        {"GET / HTTP/1.1\r\n" HOST "a: b\r\n c\r\n", FAULT_VALIDATION, 0},
        {"GET / HTTP/1.1\r\n" HOST "a: b\r\n\tc: d\r\n", FAULT_VALIDATION, 0},
        {"GET / HTTP/1.1\r\n" HOST "a: b\n", FAULT_VALIDATION, 0},
        {"GET / HTTP/1.1\r\n" HOST "a: b\rc: d\r\n", FAULT_VALIDATION, 0},
        {"GET / HTTP/1.1\r\n" HOST "a: \x01\r\n", FAULT_VALIDATION, 0},
        {"GET / HTTP/1.1\r\n" HOST "a: \x7f\r\n", FAULT_VALIDATION, 0},
        {"GET / HTTP/1.1\r\n\r\n", FAULT_VALIDATION, 0},
        {"GET / HTTP/1.1\r\n" HOST HOST "\r\n", FAULT_VALIDATION, 0},
        {"GET / HTTP/1.1\r\n" HOST "X-API-Key: a\r\nx-api-key: a\r\n", FAULT_VALIDATION, 0},
        {"GET / HTTP/1.1\r\n" HOST "Authorization: a\r\nAuthorization: a\r\n", FAULT_VALIDATION, 0},
        {"GET / HTTP/1.1\r\n" HOST "Expect: a\r\n", FAULT_VALIDATION, 0},
    };

    (void)state;
    CHECK_ALL(cases);
}

static void a_length_is_a_number_sent_once_and_within_the_limit(void **state)
{
    static const struct wire_case cases[] = {
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: \r\n", FAULT_VALIDATION, 0},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n", FAULT_VALIDATION, 0},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n", FAULT_VALIDATION, 0},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n", FAULT_VALIDATION, 0},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n", FAULT_VALIDATION, 0},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n", FAULT_VALIDATION,
         0},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 1000\r\n\r\n", FAULT_NONE, 0},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 1001\r\n\r\n", FAULT_PAYLOAD_TOO_LARGE, 0},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551617\r\n\r\n",
         FAULT_PAYLOAD_TOO_LARGE, 0},
        {"POST / HTTP/1.1\r\n" HOST
         "Content-Length: 184467440737095516170000000000000000001\r\n\r\n",
         FAULT_PAYLOAD_TOO_LARGE, 0},
        {"HEAD / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n", FAULT_VALIDATION, 0},
        {"TRACE / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n", FAULT_VALIDATION, 0},
    };

    (void)state;
    CHECK_ALL(cases);
}

#define CHUNKED "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"

static void a_body_of_chunks_is_followed(void **state)
{
    static const struct wire_case cases[] = {
        {CHUNKED, FAULT_NONE, 0},
        {CHUNKED "0\r\n\r\n", FAULT_NONE, 1},
        {CHUNKED "5\r\nab\r\nc\r\n0\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", FAULT_NONE, 2},
        {CHUNKED "00a\r\n0123456789\r\n000\r\nX: y\r\n\r\n", FAULT_NONE, 1},
        {CHUNKED "A;b=\"c\"\r\n0123456789\r\n0;d\r\n\r\n", FAULT_NONE, 1},
        {CHUNKED "3e8\r\n", FAULT_NONE, 0},
        {CHUNKED "3e9\r\n", FAULT_PAYLOAD_TOO_LARGE, 0},
        {CHUNKED "1\r\na\r\n3e8\r\n", FAULT_PAYLOAD_TOO_LARGE, 0},
        {CHUNKED "fffffffffffffff\r\n", FAULT_PAYLOAD_TOO_LARGE, 0},
        {CHUNKED "1000000000000000f\r\n", FAULT_VALIDATION, 0},
        {CHUNKED "\r\n", FAULT_VALIDATION, 0},
        {CHUNKED "5 \r\n", FAULT_VALIDATION, 0},
        {CHUNKED " 5\r\n", FAULT_VALIDATION, 0},
        {CHUNKED "+5\r\n", FAULT_VALIDATION, 0},
        {CHUNKED "0x5\r\n", FAULT_VALIDATION, 0},
        {CHUNKED "5\n", FAULT_VALIDATION, 0},
        {CHUNKED "5;\x01\r\n", FAULT_VALIDATION, 0},
        {CHUNKED "2\r\nabc\r\n", FAULT_VALIDATION, 0},
        {CHUNKED "2\r\nab\n", FAULT_VALIDATION, 0},
        {CHUNKED "0\r\nno colon\r\n", FAULT_VALIDATION, 0},
        {CHUNKED "0\r\nX: y\r\n z\r\n", FAULT_VALIDATION, 0},
        {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", FAULT_NONE, 1},
        {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n",
         FAULT_NOT_IMPLEMENTED, 0},
        {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: x\r\n\r\n", FAULT_NOT_IMPLEMENTED, 0},
        {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
         FAULT_VALIDATION, 0},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: x\r\n\r\n",
         FAULT_VALIDATION, 0},
        {"POST / HTTP/1.1\r\n" HOST
         "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
         FAULT_VALIDATION, 0},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", FAULT_VALIDATION, 0},
        {"HEAD / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", FAULT_VALIDATION, 0},
    };

    (void)state;
    CHECK_ALL(cases);
}

static void lines_of_chunks_and_trailers_have_a_limit(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text);
    assert_int_equal(buf_append_text(&text, CHUNKED "1;"), 0);
    for (int i = 0; i < GUARD_CHUNK_LINE_MAX - 4; i++) {
        assert_int_equal(buf_append_byte(&text, 'a'), 0);
    }
    assert_int_equal(buf_append_text(&text, "\r\n"), 0);
    assert_verdict(feed(text.data, text.size, NULL, 0), FAULT_NONE, 0);
    text.data[text.size - 2] = 'a';
    assert_verdict(feed(text.data, text.size - 1, NULL, 0), FAULT_NONE, 0);
    assert_int_equal(buf_append_text(&text, "a"), 0);
    text.data[text.size - 2] = 'a';
    assert_verdict(feed_byte_by_byte(text.data, text.size), FAULT_VALIDATION, 0);

    buf_clear(&text);
    assert_int_equal(buf_append_text(&text, CHUNKED "0\r\n"), 0);
    for (int i = 0; i < GUARD_TRAILER_BYTES_MAX / 4 + 1; i++) {
        assert_int_equal(buf_append_text(&text, "a:\r\n"), 0);
    }
    assert_verdict(feed(text.data, text.size, NULL, 0), FAULT_HEADER_FIELDS_TOO_LARGE, 0);
    buf_deinit(&text);
}

static void an_import_has_no_limit(void **state)
{
#define IMPORT "POST /api/contacts/import?audienceId=a HTTP/1.1\r\n" HOST
    static const struct wire_case cases[] = {
        {IMPORT "Content-Length: 1001\r\n\r\n", FAULT_NONE, 0},
        {IMPORT "Transfer-Encoding: chunked\r\n\r\nfffffff\r\n", FAULT_NONE, 0},
        {"POST /api/contacts/import HTTP/1.1\r\n" HOST "Content-Length: 1001\r\n\r\n", FAULT_NONE,
         0},
        {"POST /api/contacts/imports HTTP/1.1\r\n" HOST "Content-Length: 1001\r\n\r\n",
         FAULT_PAYLOAD_TOO_LARGE, 0},
        {"PUT /api/contacts/import HTTP/1.1\r\n" HOST "Content-Length: 1001\r\n\r\n",
         FAULT_PAYLOAD_TOO_LARGE, 0},
    };

    (void)state;
    CHECK_ALL(cases);
}

static void headers_that_speak_of_a_body_are_hidden(void **state)
{
    (void)state;
    assert_true(guard_hides_header(SLICE("content-length: 1\r\n")));
    assert_true(guard_hides_header(SLICE("Transfer-Encoding:chunked\r\n")));
    assert_true(guard_hides_header(SLICE("EXPECT: 100-continue")));
    assert_false(guard_hides_header(SLICE("Content-Type: text/csv\r\n")));
    assert_false(guard_hides_header(SLICE("POST /Expect HTTP/1.1\r\n")));
    assert_false(guard_hides_header(SLICE("\r\n")));
}

static void an_unknown_method_is_said_with_its_target(void **state)
{
    static const char bytes[] =
        "PROPFIND /api/programs?a=b HTTP/1.1\r\nX-Request-Id: abc-1\r\n" HOST "\r\n";
    struct guard guard;

    (void)state;
    check(bytes, strlen(bytes), FAULT_NOT_IMPLEMENTED, 0);
    guard_init(&guard, BODY_LIMIT);
    (void)guard_feed(&guard, bytes, strlen(bytes));
    assert_true(slice_equal_text(buf_slice(&guard.target), "/api/programs?a=b"));
    assert_string_equal(guard.request_id, "abc-1");
    guard_deinit(&guard);
    check("CONNECT /a HTTP/1.1\r\n", strlen("CONNECT /a HTTP/1.1\r\n"), FAULT_NOT_IMPLEMENTED, 0);
}

static void a_nul_is_seen_wherever_it_stands(void **state)
{
    static const char message[] = "GET /a HTTP/1.1\r\n" HOST "X-API-Key: admin\r\n\r\n";
    char bytes[sizeof(message)];

    (void)state;
    for (size_t i = 0; i < strlen(message); i++) {
        memcpy(bytes, message, sizeof(message));
        bytes[i] = '\0';
        assert_int_equal(feed(bytes, strlen(message), NULL, 0).messages, 0);
        assert_int_equal(feed_byte_by_byte(bytes, strlen(message)).messages, 0);
    }
}

/* A message of `size` bytes in all, of which the last header takes what is left. */
static char *long_message(size_t size)
{
    static const char begin[] = "GET / HTTP/1.1\r\n" HOST "A: ";
    static const char end[] = {'\r', '\n', '\r', '\n'};
    char *bytes = malloc(size);

    assert_non_null(bytes);
    memset(bytes, 'a', size);
    memcpy(bytes, begin, sizeof(begin) - 1);
    memcpy(bytes + size - sizeof(end), end, sizeof(end));
    return bytes;
}

static void headers_end_within_16_kib(void **state)
{
    size_t size = GUARD_HEADER_BYTES_MAX;
    char *bytes = long_message(size);

    (void)state;
    assert_verdict(feed(bytes, size, NULL, 0), FAULT_NONE, 1);
    assert_verdict(feed_byte_by_byte(bytes, size), FAULT_NONE, 1);
    free(bytes);

    bytes = long_message(size + 1);
    assert_verdict(feed(bytes, size + 1, NULL, 0), FAULT_HEADER_FIELDS_TOO_LARGE, 0);
    assert_verdict(feed_byte_by_byte(bytes, size + 1), FAULT_HEADER_FIELDS_TOO_LARGE, 0);

    memset(bytes, 'G', size + 1);
    assert_verdict(feed(bytes, size + 1, NULL, 0), FAULT_HEADER_FIELDS_TOO_LARGE, 0);
    assert_verdict(feed_byte_by_byte(bytes, size + 1), FAULT_HEADER_FIELDS_TOO_LARGE, 0);
    free(bytes);
}

/* A message of Host and `count` headers more. */
static size_t many_headers(char *out, size_t size, unsigned count)
{
    size_t at = (size_t)snprintf(out, size, "GET / HTTP/1.1\r\n" HOST);

    for (unsigned i = 0; i < count; i++) {
        at += (size_t)snprintf(out + at, size - at, "a:\r\n");
    }
    return at + (size_t)snprintf(out + at, size - at, "\r\n");
}

static void a_message_has_at_most_100_headers(void **state)
{
    char bytes[2048];
    size_t size = many_headers(bytes, sizeof(bytes) / 2, GUARD_HEADER_COUNT_MAX - 1);

    (void)state;
    memcpy(bytes + size, bytes, size); /* each message counts for itself */
    check(bytes, 2 * size, FAULT_NONE, 2);
    size = many_headers(bytes, sizeof(bytes), GUARD_HEADER_COUNT_MAX);
    check(bytes, size, FAULT_HEADER_FIELDS_TOO_LARGE, 0);
}

/* What is cut from the input begins where the bad message does. */
static void the_bad_message_can_be_cut_off(void **state)
{
    static const char good[] = "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc";
    static const char bad[] = "GET / HTTP/1.1\r\nA: b\r\nC\r\n";
    char bytes[sizeof(good) + sizeof(bad)];
    int size = snprintf(bytes, sizeof(bytes), "%s%s", good, bad);

    (void)state;
    for (size_t cut = 0; cut <= (size_t)size; cut++) {
        struct verdict verdict = feed(bytes, (size_t)size, &cut, 1);

        assert_verdict(verdict, FAULT_VALIDATION, 1);
        assert_int_equal(verdict.passed - verdict.message_bytes, strlen(good));
    }
}

static void nothing_counts_after_a_breach(void **state)
{
    static const char bad[] = "GET //\r\n";
    static const char good[] = "GET / HTTP/1.1\r\n" HOST "\r\n";
    struct guard guard;

    (void)state;
    guard_init(&guard, BODY_LIMIT);
    assert_int_equal(guard_feed(&guard, bad, strlen(bad)), 0);
    assert_int_equal(guard_feed(&guard, good, strlen(good)), 0);
    assert_int_equal(guard.messages, 0);
    guard_deinit(&guard);
}

static void a_body_may_be_skipped(void **state)
{
    static const char head[] = "POST / HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n";
    struct guard guard;

    (void)state;
    guard_init(&guard, BODY_LIMIT);
    assert_false(guard_may_skip(&guard, 1));
    assert_int_equal(guard_feed(&guard, head, strlen(head)), strlen(head));
    assert_false(guard_may_skip(&guard, 11));
    assert_true(guard_may_skip(&guard, 10));
    guard_skip(&guard, 4);
    assert_int_equal(guard.messages, 0);
    guard_skip(&guard, 6);
    assert_int_equal(guard.messages, 1);
    assert_false(guard_may_skip(&guard, 1));
    guard_deinit(&guard);
}

static void a_request_id_is_kept_when_it_is_sane(void **state)
{
    char text[80];

    (void)state;
    assert_true(guard_is_request_id(SLICE("a")));
    assert_true(guard_is_request_id(SLICE("Az09_.-")));
    assert_false(guard_is_request_id(SLICE("")));
    assert_false(guard_is_request_id(SLICE("a b")));
    assert_false(guard_is_request_id(SLICE("a~b")));
    assert_false(guard_is_request_id(SLICE("a\xc3\xa9")));
    memset(text, 'a', sizeof(text));
    assert_true(guard_is_request_id(slice_make(text, 64)));
    assert_false(guard_is_request_id(slice_make(text, 65)));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(good_messages_pass),
    cmocka_unit_test(a_request_line_that_is_none_is_refused),
    cmocka_unit_test(a_header_that_is_none_is_refused),
    cmocka_unit_test(a_length_is_a_number_sent_once_and_within_the_limit),
    cmocka_unit_test(a_body_of_chunks_is_followed),
    cmocka_unit_test(lines_of_chunks_and_trailers_have_a_limit),
    cmocka_unit_test(an_import_has_no_limit),
    cmocka_unit_test(headers_that_speak_of_a_body_are_hidden),
    cmocka_unit_test(an_unknown_method_is_said_with_its_target),
    cmocka_unit_test(a_nul_is_seen_wherever_it_stands),
    cmocka_unit_test(headers_end_within_16_kib),
    cmocka_unit_test(a_message_has_at_most_100_headers),
    cmocka_unit_test(the_bad_message_can_be_cut_off),
    cmocka_unit_test(nothing_counts_after_a_breach),
    cmocka_unit_test(a_body_may_be_skipped),
    cmocka_unit_test(a_request_id_is_kept_when_it_is_sane),
};

OD_TEST_MAIN(tests)
