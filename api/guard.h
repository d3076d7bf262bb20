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
    GUARD_CHUNK_LINE_MAX = 256, /* bytes of a chunk's size and extensions */
    GUARD_TRAILER_BYTES_MAX = 4096,
};

enum guard_phase {
    GUARD_REQUEST_LINE, /* also between two messages, when message_bytes is 0 */
    GUARD_HEADERS,
    GUARD_PASSED,     /* the header block is whole: guard_begin_body goes on */
    GUARD_BODY,       /* of a Content-Length */
    GUARD_CHUNK_SIZE, /* chunked (RFC 9112 7.1): a size line, … */
    GUARD_CHUNK_DATA, /* … so many bytes, … */
    GUARD_CHUNK_END,  /* … the end of their line; and after the last chunk … */
    GUARD_TRAILERS,   /* … lines up to an empty one, which are dropped */
    GUARD_BROKEN,     /* after a breach: nothing more of this connection counts */
};

struct guard {
    uint64_t body_limit;
    enum guard_phase phase;
    uint64_t message_bytes; /* of the current message, seen so far */
    uint64_t messages;      /* that have ended without a breach */

    /* The current message. */
    bool is_http_1_0, has_host, has_length, has_encoding, has_unknown_method, has_no_body;
    bool is_chunked;       /* Transfer-Encoding: chunked */
    bool is_streamed;      /* a request whose body has no limit: it is used as it comes */
    bool expects_continue; /* Expect: 100-continue */
    bool has_bad_encoding; /* another Transfer-Encoding */
    uint64_t line_room;    /* bytes that may still come before the current part has ended */
    uint32_t headers_seen; /* by bit, those that may not be repeated */
    uint32_t header_count;
    uint64_t content_length;
    uint64_t body_left;                     /* of the body; of the chunk */
    uint64_t body_bytes;                    /* of chunks, so far */
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

/* Looks at the next bytes of the connection, up to the end of the line or of the piece of body that
 * they belong to. Returns how many have passed, at least one, unless there is a breach; phase is
 * then GUARD_BROKEN, code and message say what it is, and message_bytes counts what of the bad
 * message came before the breach. An unknown method is FAULT_NOT_IMPLEMENTED with its target in
 * `target`. Not for GUARD_PASSED. What passed in GUARD_BODY and GUARD_CHUNK_DATA is the body's. */
size_t guard_step(struct guard *guard, const char *bytes, size_t size);

/* From GUARD_PASSED on to the body, or, where there is none, to the next message. */
void guard_begin_body(struct guard *guard);

/* Steps through all the bytes, or up to a breach. Returns how many have passed. */
size_t guard_feed(struct guard *guard, const char *bytes, size_t size);

/* True when evhttp must not read the body of the current message: it is chunked, or streamed. */
static inline bool guard_takes_body(const struct guard *guard)
{
    return guard->is_chunked || guard->is_streamed;
}

/* True when the next `size` bytes are the current message's body: then guard_skip does the
 * same as guard_feed without looking at them. */
static inline bool guard_may_skip(const struct guard *guard, size_t size)
{
    return guard->phase == GUARD_BODY && guard->body_left >= size;
}

void guard_skip(struct guard *guard, size_t size);

/* Whether evhttp may see this header of a message whose body is taken: not those that speak of the
 * body. `line` has its end or not. */
bool guard_hides_header(struct slice line);

/* True for a sane request id: 1 to 64 characters of [A-Za-z0-9_.-]. */
bool guard_is_request_id(struct slice text);

#endif
