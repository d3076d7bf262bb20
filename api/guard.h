/* The guard: sees the raw bytes of a connection before evhttp does, and finds what evhttp would
 * misread, serve without end, or answer in HTML (reliability.md 2.1).
 *
 * It follows the framing of HTTP/1.1 (RFC 9112) exactly as evhttp does, message by message, and is
 * stricter in all else. It is pure: bytes in, a verdict out; api/connection.c carries it out.
 */
#ifndef OUTDIAL_API_GUARD_H
#define OUTDIAL_API_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

enum {
    GUARD_HEADER_BYTES_MAX =
        16 * 1024,                /* of a request line and all headers; real ones have 1 KiB */
    GUARD_HEADER_COUNT_MAX = 100, /* each is several allocations in evhttp, however short */
    GUARD_REQUEST_ID_SIZE = 65,
};

enum guard_phase {
    GUARD_REQUEST_LINE, /* also between two messages, when message_bytes is 0 */
    GUARD_HEADERS,
    GUARD_BODY,
    GUARD_BROKEN, /* after a breach: nothing more of this connection counts */
};

struct guard {
    uint64_t body_limit;
    enum guard_phase phase;
    uint64_t message_bytes; /* of the current message, seen so far */
    uint64_t messages;      /* that have ended without a breach */

    /* The current message. */
    bool is_http_1_0, has_host, has_length, has_encoding, has_unknown_method, has_no_body;
    uint32_t headers_seen; /* by bit, those that may not be repeated */
    uint32_t header_count;
    uint64_t content_length;
    uint64_t body_left;
    char request_id[GUARD_REQUEST_ID_SIZE]; /* the client's, if a sane one was sent; else empty */
    struct buf target;                      /* kept for an unknown method only */

    /* The breach. */
    enum fault_code code;
    const char *message; /* static */

    struct buf line; /* the part of a line that came before the current bytes */
};

/* `body_limit`: the largest Content-Length. Allocates nothing. */
void guard_init(struct guard *guard, uint64_t body_limit);
void guard_deinit(struct guard *guard);

/* Looks at the next bytes of the connection. Returns how many have passed: all of them, or fewer
 * when there is a breach; phase is then GUARD_BROKEN, code and message say what it is, and
 * message_bytes counts what of the bad message came before the breach. An unknown method is
 * FAULT_NOT_IMPLEMENTED with its target in `target`. */
size_t guard_feed(struct guard *guard, const char *bytes, size_t size);

/* True when the next `size` bytes are the current message's body: then guard_skip does the
 * same as guard_feed without looking at them. */
static inline bool guard_may_skip(const struct guard *guard, size_t size)
{
    return guard->phase == GUARD_BODY && guard->body_left >= size;
}

void guard_skip(struct guard *guard, size_t size);

/* True for a sane request id: 1 to 64 characters of [A-Za-z0-9_.-]. */
bool guard_is_request_id(struct slice text);

#endif
