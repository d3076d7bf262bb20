/* Answers that take more than one callback of the reactor: work in slices, and bodies in pieces.
 *
 *   slices   slice, next round of the loop, slice, …, the slice that answers
 *   pieces   headers, piece, evhttp writes it, the socket takes it, piece, …, end
 *
 * A piece is asked for when the one before has left evhttp's buffer, so a client that reads slowly
 * holds one piece in memory. Each piece has the deadline of a response (response_timeout_seconds),
 * so one that does not read at all is cut off, and one that reads on is not, however long it takes.
 * A piece that turns out empty (rows that a filter leaves out) is followed by the next in another
 * round. Each slice and each piece reads in a transaction of its own.
 */
#include "api/exchange_private.h"
#include "api/server.h"
#include "base/check.h"
#include "base/log.h"

/* ---- slices ---- */

static void on_slice(evutil_socket_t fd, short what, void *context)
{
    struct exchange *exchange = context;
    struct api *api = exchange->api;

    (void)fd;
    (void)what;
    exchange_enter(api);
    exchange->own->slice(exchange);
    exchange_leave(api);
}

/* Calls own->slice in another round of the loop, behind what waits there. */
static void call_again(struct exchange *exchange)
{
    static const struct timeval at_once = {0, 0};
    struct exchange_private *own = exchange->own;

    if (own->slices == NULL) {
        own->slices = evtimer_new(engine_base(exchange->engine), on_slice, exchange);
        OD_CHECK(own->slices != NULL);
    }
    OD_CHECK(event_add(own->slices, &at_once) == 0);
}

static void work_slice(struct exchange *exchange)
{
    struct reader *reader = engine_begin_read(exchange->engine);

    if (reader == NULL) {
        exchange_send_unreadable(exchange, OD_EIO);
        return;
    }
    exchange->reader = reader;
    exchange->own->work(exchange);
    exchange->reader = NULL;
    engine_end_read(exchange->engine, reader);
    if (exchange->own->slice != NULL) {
        call_again(exchange);
    }
}

void exchange_end_work(struct exchange *exchange)
{
    exchange->own->slice = NULL;
}

void exchange_work(struct exchange *exchange, void (*work)(struct exchange *exchange))
{
    struct exchange_private *own = exchange->own;

    OD_CHECK(own->slice == NULL);
    own->work = work;
    own->slice = work_slice;
    work(exchange); /* with the reader of the route's handler */
    if (own->slice != NULL) {
        call_again(exchange);
    }
}

/* ---- pieces ---- */

static enum exchange_piece make_piece(struct exchange *exchange, struct buf *piece)
{
    struct reader *reader = engine_begin_read(exchange->engine);
    enum exchange_piece made;

    if (reader == NULL) {
        return PIECE_BROKEN;
    }
    exchange->reader = reader;
    made = exchange->own->piece(exchange, piece);
    exchange->reader = NULL;
    engine_end_read(exchange->engine, reader);
    return made;
}

static void piece_slice(struct exchange *exchange)
{
    struct buf piece;
    enum exchange_piece made;

    buf_init(&piece);
    made = make_piece(exchange, &piece);
    if (made == PIECE_BROKEN) {
        /* What has been sent cannot be taken back: without its last chunk the client knows that
         * the body is not whole. */
        log_warn("an answer was broken off", FIELD_TEXT("request", exchange->request_id));
        exchange_stream_cut(exchange);
    } else {
        if (piece.size > 0) {
            connection_on_piece(exchange->own->connection);
            exchange_stream_send(exchange, buf_slice(&piece));
        }
        if (made == PIECE_LAST) {
            exchange_stream_end(exchange);
        } else if (piece.size == 0) {
            call_again(exchange);
        }
    }
    buf_deinit(&piece);
}

bool exchange_is_piecewise(const struct exchange *exchange)
{
    return exchange->own->is_streaming;
}

void exchange_send_pieces(struct exchange *exchange, const char *content_type,
                          exchange_piece_fn piece)
{
    struct exchange_private *own = exchange->own;

    OD_CHECK(own->slice == NULL);
    own->piece = piece;
    own->slice = piece_slice;
    own->is_streaming = true;
    exchange->api->piecewise++;
    exchange->on_drained = piece_slice;
    exchange_stream_begin(exchange, content_type, SLICE(""));
    call_again(exchange);
}
