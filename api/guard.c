/* A line at a time, because evhttp acts on each line as it comes. Lines that lie whole in the bytes
 * at hand are judged in place; the beginning of one that does not is kept in `line`.
 *
 *   REQUEST_LINE --request_line--> HEADERS --(empty line) headers_end--> REQUEST_LINE
 *        ^                                        |
 *        |                                        v Content-Length above 0
 *        +------------------- guard_skip ------- BODY
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
    guard->request_id[0] = '\0';
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
        guard->messages++;
        message_begin(guard);
    }
}

/* Judges a line with its CR, without its LF. */
static bool judge(struct guard *guard, struct slice line)
{
    if (line.size == 0 || line.data[line.size - 1] != '\r') {
        return guard_malformed(guard, "A line must end with CR and LF");
    }
    line.size--;
    return guard->phase == GUARD_REQUEST_LINE ? guard_request_line(guard, line)
                                              : guard_header_line(guard, line);
}

static bool too_large(struct guard *guard)
{
    return guard_breach(guard, FAULT_HEADER_FIELDS_TOO_LARGE, "The headers are larger than 16 KiB");
}

/* Takes a line, or the beginning of one. Returns how many bytes have passed. */
static size_t feed_line(struct guard *guard, const char *bytes, size_t size)
{
    const char *end = memchr(bytes, '\n', size);
    size_t taken = end != NULL ? (size_t)(end - bytes) + 1 : size;
    bool is_good;

    if (guard->message_bytes + taken > GUARD_HEADER_BYTES_MAX) {
        (void)too_large(guard);
        return 0;
    }
    guard->message_bytes += taken;
    if (end != NULL && guard->line.size == 0) {
        is_good = judge(guard, slice_make(bytes, taken - 1));
    } else if (buf_append(&guard->line, bytes, end != NULL ? taken - 1 : taken) != 0) {
        is_good = guard_breach(guard, FAULT_UNAVAILABLE, "Out of memory");
    } else {
        is_good = end == NULL || judge(guard, buf_slice(&guard->line));
    }
    if (!is_good) {
        guard->message_bytes -= taken;
        return 0;
    }
    if (end != NULL) {
        buf_deinit(&guard->line);
    }
    return taken;
}

size_t guard_feed(struct guard *guard, const char *bytes, size_t size)
{
    size_t passed = 0;

    while (passed < size && guard->phase != GUARD_BROKEN) {
        if (guard->phase == GUARD_BODY) {
            size_t more = size - passed;

            if (more > guard->body_left) {
                more = (size_t)guard->body_left;
            }
            guard_skip(guard, more);
            passed += more;
        } else {
            passed += feed_line(guard, bytes + passed, size - passed);
        }
    }
    return passed;
}
