/* The guard: raw bytes of a connection, in arbitrary pieces.
 *
 *     SEED BYTES…
 *
 * The verdict must not depend on how the bytes come, and what the guard lets pass evhttp must read
 * as the guard has: the same target, the same headers, the same framing of the body.
 */
#include "api/guard.h"

#include <stdio.h>
#include <strings.h>
#include <sys/queue.h>

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>

#include "tests/fuzz/fuzz.h"

enum {
    BODY_LIMIT = 1000,
    EVHTTP_ALL_READ = 1, /* ALL_DATA_READ of libevent's http-internal.h */
};

/* evhttp leaves a tab in front of a value. */
#define BLANK " \t"

/* libevent's own parser, which its library exports without a header.
 * NOLINTBEGIN(readability-identifier-naming) */
int evhttp_parse_firstline_(struct evhttp_request *request, struct evbuffer *buffer);
int evhttp_parse_headers_(struct evhttp_request *request, struct evbuffer *buffer);

/* NOLINTEND(readability-identifier-naming) */

/* ---- the same bytes in other pieces ---- */

enum pieces { PIECES_NONE, PIECES_OF_ONE, PIECES_BY_SEED };

static void feed(struct guard *guard, struct slice bytes, enum pieces pieces, uint64_t seed)
{
    struct prng prng;
    size_t at = 0;

    prng_seed(&prng, seed);
    guard_init(guard, BODY_LIMIT);
    while (at < bytes.size && guard->phase != GUARD_BROKEN) {
        size_t left = bytes.size - at;
        size_t size = pieces == PIECES_NONE     ? left
                      : pieces == PIECES_OF_ONE ? 1
                                                : fuzz_piece(&prng, left);
        char *copy = fuzz_copy(slice_make(bytes.data + at, size));
        size_t passed = guard_feed(guard, copy, size);

        OD_CHECK(passed <= size);
        OD_CHECK(passed == size || guard->phase == GUARD_BROKEN);
        free(copy);
        at += size;
    }
}

static void check_same(const struct guard *a, const struct guard *b)
{
    OD_CHECK((a->phase == GUARD_BROKEN) == (b->phase == GUARD_BROKEN));
    OD_CHECK(a->messages == b->messages);
    OD_CHECK(strcmp(a->request_id, b->request_id) == 0);
    if (a->phase == GUARD_BROKEN) {
        OD_CHECK(a->code == b->code);
        OD_CHECK(strcmp(a->message, b->message) == 0);
        OD_CHECK(slice_equal(buf_slice(&a->target), buf_slice(&b->target)));
        return;
    }
    OD_CHECK(a->phase == b->phase);
    OD_CHECK(a->message_bytes == b->message_bytes);
    OD_CHECK(a->body_left == b->body_left);
    OD_CHECK(a->body_bytes == b->body_bytes);
    OD_CHECK(a->content_length == b->content_length);
    OD_CHECK(a->is_chunked == b->is_chunked);
    OD_CHECK(a->is_streamed == b->is_streamed);
    OD_CHECK(a->expects_continue == b->expects_continue);
}

/* ---- what evhttp makes of it ---- */

static size_t count_headers(struct evkeyvalq *headers)
{
    const struct evkeyval *header;
    size_t count = 0;

    TAILQ_FOREACH(header, headers, next)
    {
        count++;
    }
    return count;
}

/* The target of a request line. */
static struct slice target_of(struct slice block)
{
    const char *begin = memchr(block.data, ' ', block.size);
    const char *end;

    OD_CHECK(begin != NULL);
    begin++;
    end = memchr(begin, ' ', block.size - (size_t)(begin - block.data));
    OD_CHECK(end != NULL);
    return slice_make(begin, (size_t)(end - begin));
}

static void check_headers(const struct guard *guard, struct evkeyvalq *headers)
{
    const char *length = evhttp_find_header(headers, "Content-Length");
    const char *encoding = evhttp_find_header(headers, "Transfer-Encoding");

    OD_CHECK(count_headers(headers) == guard->header_count);
    OD_CHECK(guard->header_count <= GUARD_HEADER_COUNT_MAX);
    OD_CHECK((length != NULL) == guard->has_length);
    OD_CHECK((encoding != NULL) == guard->is_chunked);
    OD_CHECK(length == NULL || encoding == NULL);
    if (length != NULL && guard->content_length <= BODY_LIMIT) {
        char *end;

        OD_CHECK(strtoull(length, &end, 10) == guard->content_length);
        OD_CHECK(*end == '\0');
    }
    if (encoding != NULL) {
        OD_CHECK(strcasecmp(encoding + strspn(encoding, BLANK), "chunked") == 0);
    }
    OD_CHECK(guard->is_http_1_0 || evhttp_find_header(headers, "Host") != NULL);
    if (guard->request_id[0] != '\0') {
        const char *id = evhttp_find_header(headers, "X-Request-Id");

        OD_CHECK(id != NULL);
        OD_CHECK(strcmp(id + strspn(id, BLANK), guard->request_id) == 0);
    }
}

/* A header block that has passed. */
static void check_block(const struct guard *guard, struct slice block)
{
    struct evhttp_request *request = evhttp_request_new(NULL, NULL);
    struct evbuffer *buffer = evbuffer_new();

    OD_CHECK(request != NULL);
    OD_CHECK(buffer != NULL);
    request->kind = EVHTTP_REQUEST;
    OD_CHECK(evbuffer_add(buffer, block.data, block.size) == 0);
    OD_CHECK(evhttp_parse_firstline_(request, buffer) == EVHTTP_ALL_READ);
    OD_CHECK(evhttp_parse_headers_(request, buffer) == EVHTTP_ALL_READ);
    OD_CHECK(evbuffer_get_length(buffer) == 0);
    OD_CHECK(slice_equal_text(target_of(block), evhttp_request_get_uri(request)));
    check_headers(guard, evhttp_request_get_input_headers(request));
    evbuffer_free(buffer);
    evhttp_request_free(request);
}

/* Steps through the bytes and looks at each header block, and at what steps promise. */
static void walk(struct slice bytes)
{
    struct guard guard;
    size_t at = 0, begun = 0;

    guard_init(&guard, BODY_LIMIT);
    while (at < bytes.size) {
        uint64_t messages = guard.messages;
        size_t passed;

        passed = guard_step(&guard, bytes.data + at, bytes.size - at);
        if (guard.phase == GUARD_BROKEN) {
            break;
        }
        OD_CHECK(passed > 0);
        OD_CHECK(passed <= bytes.size - at);
        at += passed;
        OD_CHECK(guard.body_bytes <= BODY_LIMIT || guard.is_streamed);
        if (guard.phase == GUARD_PASSED) {
            OD_CHECK(at - begun <= GUARD_HEADER_BYTES_MAX);
            OD_CHECK(at - begun == guard.message_bytes);
            check_block(&guard, slice_make(bytes.data + begun, at - begun));
            OD_CHECK(guard.content_length <= BODY_LIMIT || guard.is_streamed);
            guard_begin_body(&guard);
        }
        if (guard.messages != messages) {
            OD_CHECK(guard.messages == messages + 1);
            begun = at;
        }
    }
    if (guard.phase == GUARD_BROKEN) {
        OD_CHECK(fault_status(guard.code) >= 400);
        OD_CHECK(guard.message[0] != '\0');
    }
    guard_deinit(&guard);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = slice_make((const char *)data, size);
    uint64_t seed = fuzz_byte(&bytes);
    struct guard whole, single, cut;

    feed(&whole, bytes, PIECES_NONE, 0);
    feed(&single, bytes, PIECES_OF_ONE, 0);
    feed(&cut, bytes, PIECES_BY_SEED, seed);
    check_same(&whole, &single);
    check_same(&whole, &cut);
    guard_deinit(&whole);
    guard_deinit(&single);
    guard_deinit(&cut);
    walk(bytes);
    return 0;
}
