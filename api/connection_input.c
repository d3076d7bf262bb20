/* The way of bytes to evhttp.
 *
 * evhttp acts on each line as it comes, so no byte of a header block is put into its input before
 * the whole block has passed the guard:
 *
 *   socket --> input --on_input--> coming --guard_step--> head   --(block is whole)--> input
 *                                              |--------> input               a body of evhttp's
 *                                              +--------> body.bytes          a body that is taken
 *
 * The common cases move nothing: a block that has come whole stays where it is, and so do bytes of
 * a body. On a breach, good messages in front are answered first; then the error is written to the
 * socket beside evhttp (connection.c). A message whose body is taken is shown to evhttp when all
 * before it have been answered, and what comes behind it when it has been answered itself, so that
 * there is never more than one of them.
 */
#include <string.h>

#include <event2/buffer.h>

#include "api/connection_private.h"
#include "api/server.h"
#include "base/check.h"

static struct evbuffer *input_of(const struct connection *connection)
{
    return bufferevent_get_input(connection->bufferevent);
}

static size_t length_of(const struct evbuffer *buffer)
{
    return buffer != NULL ? evbuffer_get_length(buffer) : 0;
}

void connection_count_held(struct connection *connection)
{
    held_set(&connection->held, length_of(input_of(connection)) + length_of(connection->coming) +
                                    length_of(connection->body.bytes));
}

/* ---- moving ---- */

static void move(struct evbuffer *from, struct evbuffer *to, size_t size)
{
    int moved = evbuffer_remove_buffer(from, to, size);

    OD_CHECK(moved >= 0);
    OD_CHECK((size_t)moved == size);
}

/* Takes the last `size` bytes off the input. */
static void take_off(struct connection *connection, struct evbuffer *input, size_t size)
{
    size_t keep = evbuffer_get_length(input) - size;
    struct evbuffer *kept = NULL;

    if (connection->coming == NULL) {
        connection->coming = evbuffer_new();
        OD_CHECK(connection->coming != NULL);
    }
    connection->is_cutting = true;
    if (keep > 0) {
        kept = evbuffer_new();
        OD_CHECK(kept != NULL);
        move(input, kept, keep);
    }
    OD_CHECK(evbuffer_add_buffer(connection->coming, input) == 0);
    if (kept != NULL) {
        OD_CHECK(evbuffer_add_buffer(input, kept) == 0);
        evbuffer_free(kept);
    }
    connection->is_cutting = false;
}

void connection_drop_input(struct connection *connection)
{
    struct evbuffer *input = input_of(connection);

    connection->is_cutting = true;
    (void)evbuffer_drain(input, evbuffer_get_length(input));
    connection->is_cutting = false;
    if (connection->coming != NULL) {
        (void)evbuffer_drain(connection->coming, evbuffer_get_length(connection->coming));
    }
    buf_deinit(&connection->head);
}

/* ---- header blocks ---- */

/* The block without the headers that speak of a body: evhttp is to see none. */
static void hide_body(struct buf *head)
{
    struct buf shown;
    size_t at = 0;

    buf_init(&shown);
    while (at < head->size) {
        const char *end = memchr(head->data + at, '\n', head->size - at);
        struct slice line = slice_make(head->data + at, (size_t)(end + 1 - (head->data + at)));

        if (!guard_hides_header(line)) {
            OD_CHECK(buf_append_slice(&shown, line) == 0);
        }
        at += line.size;
    }
    buf_deinit(head);
    *head = shown;
}

static void pass_head(struct connection *connection)
{
    struct evbuffer *input = input_of(connection);

    if (guard_takes_body(&connection->guard)) {
        hide_body(&connection->head);
        taken_body_begin(connection);
    }
    connection->is_cutting = true;
    OD_CHECK(evbuffer_add(input, connection->head.data, connection->head.size) == 0);
    connection->is_cutting = false;
    buf_deinit(&connection->head);
    guard_begin_body(&connection->guard);
}

/* ---- steps ---- */

/* A taken body's message has to wait for those before it, and whatever is behind for its answer. */
static bool is_blocked(const struct connection *connection)
{
    const struct guard *guard = &connection->guard;

    switch ((int)guard->phase) {
    case GUARD_PASSED: return guard_takes_body(guard) && guard->messages != connection->answered;
    case GUARD_REQUEST_LINE: return connection->body.is_active;
    default: return false;
    }
}

static bool is_head(enum guard_phase phase)
{
    return phase == GUARD_REQUEST_LINE || phase == GUARD_HEADERS;
}

/* Bytes of a header block. One that has come whole, and that evhttp is to see as it is, is not
 * copied. */
static void place_head(struct connection *connection, const char *bytes, size_t size)
{
    struct guard *guard = &connection->guard;

    if (guard->phase == GUARD_PASSED && connection->head.size == 0 && !guard_takes_body(guard)) {
        connection->is_cutting = true;
        move(connection->coming, input_of(connection), size);
        connection->is_cutting = false;
        guard_begin_body(guard);
        return;
    }
    OD_CHECK(buf_append(&connection->head, bytes, size) == 0);
    (void)evbuffer_drain(connection->coming, size);
}

static void step_head(struct connection *connection, const struct evbuffer_iovec *extent)
{
    struct guard *guard = &connection->guard;
    const char *bytes = extent->iov_base;
    size_t passed = 0;

    while (is_head(guard->phase) && passed < extent->iov_len) {
        passed += guard_step(guard, bytes + passed, extent->iov_len - passed);
    }
    if (guard->phase != GUARD_BROKEN) {
        place_head(connection, bytes, passed);
    }
}

static void step_body(struct connection *connection, const struct evbuffer_iovec *extent)
{
    struct guard *guard = &connection->guard;
    bool is_data = guard->phase == GUARD_BODY || guard->phase == GUARD_CHUNK_DATA;
    bool is_taken = guard_takes_body(guard);
    uint64_t messages = guard->messages;
    size_t passed = guard_step(guard, extent->iov_base, extent->iov_len);

    if (is_taken && (!is_data || connection->body.is_dropped)) {
        (void)evbuffer_drain(connection->coming, passed);
    } else {
        connection->is_cutting = true;
        move(connection->coming, is_taken ? connection->body.bytes : input_of(connection), passed);
        connection->is_cutting = false;
    }
    if (is_taken) {
        connection->body.is_whole = guard->messages > messages;
        connection->body.is_broken = guard->phase == GUARD_BROKEN;
    }
}

static void step(struct connection *connection)
{
    struct evbuffer_iovec extent;

    OD_CHECK(evbuffer_peek(connection->coming, -1, NULL, &extent, 1) > 0);
    if (is_head(connection->guard.phase)) {
        step_head(connection, &extent);
    } else {
        step_body(connection, &extent);
    }
}

/* Whatever has come goes where it belongs, as far as it may. */
static void walk(struct connection *connection)
{
    while (!is_blocked(connection) && connection->guard.phase != GUARD_BROKEN) {
        if (connection->guard.phase == GUARD_PASSED) {
            pass_head(connection);
        } else if (length_of(connection->coming) > 0) {
            step(connection);
        } else {
            break;
        }
    }
}

/* ---- bytes that come ---- */

/* A deadline for the headers and one for the body of each message; set once for each, but for a
 * body whose length is not known: that one moves on with what comes. */
void connection_set_deadline(struct connection *connection)
{
    const struct guard *guard = &connection->guard;
    bool is_body = guard->phase >= GUARD_BODY;
    uint64_t of = 2 * guard->messages + (is_body ? 2 : 1);
    const struct config *config = connection->all->config;
    uint64_t second = connection->all->second;

    if (guard->message_bytes == 0) {
        connection->deadline = 0;
    } else if (is_body && guard->is_streamed) {
        connection->deadline = second + 1 + config->import_timeout_seconds;
    } else if (connection->deadline == 0 || connection->deadline_of != of) {
        connection->deadline =
            second + 1 +
            (is_body ? config->body_timeout_seconds + guard->body_left / CONNECTION_BYTES_A_SECOND
                     : config->header_timeout_seconds);
        connection->deadline_of = of;
        connection->body_second = second;
    } else if (is_body && guard->is_chunked) {
        connection->deadline = connection->body_second + 1 + config->body_timeout_seconds +
                               guard->body_bytes / CONNECTION_BYTES_A_SECOND;
    }
}

static void refuse_held(struct connection *connection)
{
    static const char message[] = "Too many bodies are being received";

    connection_drop_input(connection);
    if (!connection->body.is_active) {
        connection_break_off(connection, FAULT_UNAVAILABLE, message);
        return;
    }
    connection->guard.phase = GUARD_BROKEN;
    connection->guard.code = FAULT_UNAVAILABLE;
    connection->guard.message = message;
    connection->body.is_broken = true;
    (void)evbuffer_drain(connection->body.bytes, evbuffer_get_length(connection->body.bytes));
}

/* What the guard, or the sum of what is held, says about new bytes. */
static void judge(struct connection *connection)
{
    struct guard *guard = &connection->guard;

    connection_count_held(connection);
    if (guard->phase == GUARD_BROKEN) {
        buf_deinit(&connection->head);
        if (connection->coming != NULL) {
            (void)evbuffer_drain(connection->coming, evbuffer_get_length(connection->coming));
        }
        if (!connection->body.is_active && guard->messages == connection->answered) {
            connection_refuse(connection);
        }
    } else if (held_is_too_much(&connection->held, connection->all->body_limit)) {
        refuse_held(connection);
    } else {
        connection_set_deadline(connection);
    }
    connection_count_held(connection);
}

/* True when the bytes may stay in the input: a piece of a body that is evhttp's. */
static bool may_stay(const struct connection *connection, size_t size)
{
    return length_of(connection->coming) == 0 && guard_may_skip(&connection->guard, size) &&
           !guard_takes_body(&connection->guard);
}

void connection_on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *context)
{
    struct connection *connection = context;

    if (connection->is_cutting) {
        return;
    }
    if (info->n_added > 0 && connection->evcon == NULL) {
        connection_adopt(connection);
    }
    if (info->n_added == 0) {
        connection_count_held(connection);
        return;
    }
    if (may_stay(connection, info->n_added)) {
        guard_skip(&connection->guard, info->n_added);
        judge(connection);
        return;
    }
    take_off(connection, input, info->n_added);
    if (connection->guard.phase == GUARD_BROKEN) {
        (void)evbuffer_drain(connection->coming, evbuffer_get_length(connection->coming));
        connection_count_held(connection);
        return;
    }
    walk(connection);
    judge(connection);
}

void connection_go_on(struct connection *connection)
{
    if (length_of(connection->coming) == 0 && connection->guard.phase != GUARD_PASSED) {
        return;
    }
    /* Between two reads libevent lets nobody add to the input of a socket's bufferevent, but for
     * one of TLS. */
    if (connection->is_tls) {
        walk(connection);
    } else {
        (void)evbuffer_unfreeze(input_of(connection), 0);
        walk(connection);
        (void)evbuffer_freeze(input_of(connection), 0);
    }
    judge(connection);
}
