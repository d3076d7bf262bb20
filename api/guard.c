/* A line at a time, because evhttp acts on each line as it comes. Lines that lie whole in the bytes
 * at hand are judged in place; the beginning of one that does not is kept in `line`.
 *
 *   REQUEST_LINE --request_line--> HEADERS --(empty line) headers_end--> PASSED
 *        ^                                                                 |
 *        |                                                  guard_begin_body
 *        +--------------- no body --------------------------------+--------+
 *        +--------------- guard_skip --------------- BODY <-------+
 *        |                                                        |
 *        |               +-- CHUNK_END <-- CHUNK_DATA <--+        |
 *        |               v                               |        |
 *        |           CHUNK_SIZE -------------------------+ <------+
 *        |               v size 0
 *        +----------- TRAILERS
 */
#include "api/guard.h"

#include <string.h>

#include "api/guard_line.h"
#include "base/check.h"

/* ---- the connection ---- */

static void message_begin(struct guard *guard)
{
    guard->phase = GUARD_REQUEST_LINE;
    guard->message_bytes = 0;
    guard->is_http_1_0 = false;
    guard->has_host = false;
    guard->has_length = false;
    guard->has_encoding = false;
    guard->has_unknown_method = false;
    guard->has_no_body = false;
    guard->headers_seen = 0;
    guard->header_count = 0;
    guard->content_length = 0;
    guard->is_chunked = false;
    guard->is_streamed = false;
    guard->expects_continue = false;
    guard->has_bad_encoding = false;
    guard->line_room = GUARD_HEADER_BYTES_MAX;
    guard->body_left = 0;
    guard->body_bytes = 0;
    guard->request_id[0] = '\0';
}

static void message_end(struct guard *guard)
{
    guard->messages++;
    message_begin(guard);
}

void guard_init(struct guard *guard, uint64_t body_limit)
{
    *guard = (struct guard){.body_limit = body_limit};
    buf_init(&guard->line);
    buf_init(&guard->target);
    message_begin(guard);
}

void guard_deinit(struct guard *guard)
{
    buf_deinit(&guard->line);
    buf_deinit(&guard->target);
}

void guard_skip(struct guard *guard, size_t size)
{
    OD_CHECK(guard_may_skip(guard, size));
    guard->message_bytes += size;
    guard->body_left -= size;
    if (guard->body_left == 0) {
        message_end(guard);
    }
}

static void begin_line(struct guard *guard, enum guard_phase phase, uint64_t room)
{
    guard->phase = phase;
    guard->line_room = room;
}

void guard_begin_body(struct guard *guard)
{
    OD_CHECK(guard->phase == GUARD_PASSED);
    if (guard->is_chunked) {
        begin_line(guard, GUARD_CHUNK_SIZE, GUARD_CHUNK_LINE_MAX);
        return;
    }
    guard->phase = GUARD_BODY;
    guard->body_left = guard->content_length;
    guard_skip(guard, 0);
}

/* ---- chunks (RFC 9112 7.1) ---- */

static bool chunk_size(struct guard *guard, struct slice line)
{
    uint64_t size;

    if (!guard_chunk_line(line, &size)) {
        return guard_malformed(guard, "A chunk must begin with its size");
    }
    if (size == 0) {
        begin_line(guard, GUARD_TRAILERS, GUARD_TRAILER_BYTES_MAX);
        return true;
    }
    if (!guard->is_streamed && size > guard->body_limit - guard->body_bytes) {
        return guard_breach(guard, FAULT_PAYLOAD_TOO_LARGE, "The body is larger than the limit");
    }
    guard->body_bytes += size;
    guard->body_left = size;
    guard->phase = GUARD_CHUNK_DATA;
    return true;
}

static bool chunk_end(struct guard *guard, struct slice line)
{
    if (line.size != 0) {
        return guard_malformed(guard, "A chunk is longer than its size");
    }
    begin_line(guard, GUARD_CHUNK_SIZE, GUARD_CHUNK_LINE_MAX);
    return true;
}

static bool trailer(struct guard *guard, struct slice line)
{
    if (line.size == 0) {
        message_end(guard);
        return true;
    }
    return guard_field_line(guard, line, NULL, NULL);
}

/* ---- lines ---- */

/* Judges a line with its CR, without its LF. */
static bool judge(struct guard *guard, struct slice line)
{
    if (line.size == 0 || line.data[line.size - 1] != '\r') {
        return guard_malformed(guard, "A line must end with CR and LF");
    }
    line.size--;
    switch ((int)guard->phase) {
    case GUARD_REQUEST_LINE: return guard_request_line(guard, line);
    case GUARD_HEADERS: return guard_header_line(guard, line);
    case GUARD_CHUNK_SIZE: return chunk_size(guard, line);
    case GUARD_CHUNK_END: return chunk_end(guard, line);
    case GUARD_TRAILERS: return trailer(guard, line);
    default: OD_CHECK(!"a line where none is");
    }
    return false;
}

static bool too_large(struct guard *guard)
{
    switch ((int)guard->phase) {
    case GUARD_CHUNK_SIZE:
        return guard_malformed(guard, "The line of a chunk's size is longer than 256 bytes");
    case GUARD_CHUNK_END: return guard_malformed(guard, "A chunk is longer than its size");
    case GUARD_TRAILERS:
        return guard_breach(guard, FAULT_HEADER_FIELDS_TOO_LARGE,
                            "The trailers are larger than 4 KiB");
    default:
        return guard_breach(guard, FAULT_HEADER_FIELDS_TOO_LARGE,
                            "The headers are larger than 16 KiB");
    }
}

/* Takes a line, or the beginning of one. Returns how many bytes have passed. */
static size_t feed_line(struct guard *guard, const char *bytes, size_t size)
{
    const char *end = memchr(bytes, '\n', size);
    size_t taken = end != NULL ? (size_t)(end - bytes) + 1 : size;
    uint64_t messages = guard->messages;
    bool is_good;

    if (taken > guard->line_room) {
        (void)too_large(guard);
        return 0;
    }
    guard->line_room -= taken;
    guard->message_bytes += taken;
    if (end != NULL && guard->line.size == 0) {
        is_good = judge(guard, slice_make(bytes, taken - 1));
    } else if (buf_append(&guard->line, bytes, end != NULL ? taken - 1 : taken) != 0) {
        is_good = guard_breach(guard, FAULT_UNAVAILABLE, "Out of memory");
    } else {
        is_good = end == NULL || judge(guard, buf_slice(&guard->line));
    }
    if (!is_good) {
        OD_CHECK(guard->messages == messages);
        guard->message_bytes -= taken;
        return 0;
    }
    if (end != NULL) {
        buf_deinit(&guard->line);
    }
    return taken;
}

/* ---- steps ---- */

static size_t feed_body(struct guard *guard, size_t size)
{
    size_t taken = size < guard->body_left ? size : (size_t)guard->body_left;

    if (guard->phase == GUARD_BODY) {
        guard_skip(guard, taken);
        return taken;
    }
    guard->message_bytes += taken;
    guard->body_left -= taken;
    if (guard->body_left == 0) {
        begin_line(guard, GUARD_CHUNK_END, 2);
    }
    return taken;
}

size_t guard_step(struct guard *guard, const char *bytes, size_t size)
{
    OD_CHECK(guard->phase != GUARD_PASSED);
    if (guard->phase == GUARD_BROKEN || size == 0) {
        return 0;
    }
    if (guard->phase == GUARD_BODY || guard->phase == GUARD_CHUNK_DATA) {
        return feed_body(guard, size);
    }
    return feed_line(guard, bytes, size);
}

size_t guard_feed(struct guard *guard, const char *bytes, size_t size)
{
    size_t passed = 0;

    while (passed < size && guard->phase != GUARD_BROKEN) {
        passed += guard_step(guard, bytes + passed, size - passed);
        if (guard->phase == GUARD_PASSED) {
            guard_begin_body(guard);
        }
    }
    return passed;
}
