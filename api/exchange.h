/* An exchange: one request, from its arrival to its answer.
 *
 * A route's handler runs once, on the reactor, and does one of two things before it returns:
 *   - it answers (exchange_send_…): reads, and faults that it finds itself;
 *   - it posts one message or more (exchange_post) and returns. The answer comes in a later turn,
 *     when the transition is durable: api/reply.c turns the actor's reply into the response, or the
 *     exchange's own on_reply does.
 *
 * Exchanges are looked up by number, so a client that hung up is a failed lookup. An exchange that
 * has been answered is unlinked at once, and freed when the callback of the reactor that is running
 * returns: a handler may still read it, but may not answer again.
 */
#ifndef OUTDIAL_API_EXCHANGE_H
#define OUTDIAL_API_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/http.h>
#include <jansson.h>

#include "api/faults.h"
#include "base/arena.h"
#include "base/buf.h"
#include "engine/engine.h"

struct api;
struct connection;
struct exchange;
struct exchange_private;
struct route;

enum {
    REQUEST_ID_SIZE = 65, /* 64 characters and a NUL */
    ROUTE_IDS_MAX = 2,    /* of one path */
    QUERY_PARAMETERS_MAX = 16,
};

struct query_parameter {
    struct slice name, value; /* decoded */
};

/* What a list's request asks for: ?limit= and ?cursor= (api/page.h). */
struct page_request {
    uint32_t limit;
    struct slice cursor; /* as it was sent, for page_send to judge; empty: the first page */
};

/* Gets a reply to the exchange, when it is durable. `reply` as in engine.h's reply_fn. */
typedef void (*exchange_reply_fn)(struct exchange *exchange, const struct reply *reply);

struct exchange {
    struct api *api;
    struct engine *engine;
    uint64_t number;
    const struct route *route;
    char request_id[REQUEST_ID_SIZE];
    struct arena arena; /* lives as long as the exchange */

    /* Who asks. */
    enum role role;
    uint32_t organisation; /* number; 0: an admin without X-Organization-Id, or a worker */

    /* What is asked. */
    struct uuid ids[ROUTE_IDS_MAX]; /* of the path, from left to right */
    unsigned id_count;              /* those that have been read */
    struct query_parameter query[QUERY_PARAMETERS_MAX];
    size_t query_count;
    struct page_request page;
    json_t *body;             /* an object; NULL: none was sent */
    bool is_large;            /* the body has been parsed, and will be freed, by api/parser.h */
    struct fault_list faults; /* in `arena` */

    /* Durable rows, while the route's handler runs; NULL at other times. Do not end it. */
    struct reader *reader;

    /* The handler's. */
    exchange_reply_fn on_reply;            /* NULL: api/reply.c answers */
    void (*on_timeout)(struct exchange *); /* of exchange_wait */
    void (*on_gone)(struct exchange *);    /* of exchange_watch_client; it may be over by then */
    void (*on_drained)(struct exchange *); /* of exchange_stream_send; may be NULL */
    void (*on_body)(struct exchange *);    /* of connection_take_body */
    void (*on_end)(struct exchange *);     /* frees what `state` owns outside of `arena` */
    void *state;                           /* in `arena` */
    struct slice secret;                   /* of a new API key, shown in its answer only */

    struct idempotent *idempotent; /* its Idempotency-Key under way (api/idempotency.h), or NULL */

    struct exchange_private *own; /* exchange.c only */
};

/* ---- messages ---- */

/* The arena for the payload of the next message: made at the first call, handed over with it. */
struct arena *exchange_payload(struct exchange *exchange);

/* A message for this exchange with everything zero but its address, its type and the exchange. */
struct message exchange_message(const struct exchange *exchange, enum message_type type,
                                uint32_t actor_number);

/* Posts it, with the arena of exchange_payload if that was called since the last post. */
void exchange_post(struct exchange *exchange, const struct message *message);

/* ---- answers: each ends the exchange ---- */

/* `body` is taken over. Any other headers are added before, with exchange_add_header. */
void exchange_send_json(struct exchange *exchange, int status, json_t *body);

/* The same with the text of a body. */
void exchange_send_json_text(struct exchange *exchange, int status, struct slice body);

/* A response made before: with a JSON body, or with none. */
void exchange_send_response(struct exchange *exchange, int status, struct slice body);

/* 204. */
void exchange_send_nothing(struct exchange *exchange);

/* 200 with a body that is no JSON of ours. */
void exchange_send_text(struct exchange *exchange, const char *content_type, struct slice text);

/* A body that lives as long as the program, and is not copied; without a content type there is none
 * (304). Headers that say how it is encoded are added before. */
void exchange_send_static(struct exchange *exchange, int status, const char *content_type,
                          struct slice body);

/* An error without details. FAULT_UNAVAILABLE gets Retry-After, FAULT_UNAUTHORIZED gets
 * WWW-Authenticate. */
void exchange_send_fault(struct exchange *exchange, enum fault_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ValidationError with the exchange's list of faults, of which there is at least one; the 404 of
 * the path's resource when there is none (api/path_names.h). */
void exchange_send_faults(struct exchange *exchange);

/* What the guard found in a body that is taken (connection_body_is_broken). */
void exchange_send_breach(struct exchange *exchange, enum fault_code code, const char *message);

/* An error as an actor replied it. */
void exchange_send_reply_fault(struct exchange *exchange, const struct reply *reply);

/* The 404 of a resource that an id of the path names: "Program 0190… not found". */
void exchange_send_not_found(struct exchange *exchange, enum fault_code code,
                             const struct uuid *id);

/* The same for what stands where an id should and is none; of a long text the beginning. */
void exchange_send_not_found_text(struct exchange *exchange, enum fault_code code, const char *id);

/* The 503 or 500 of a store that cannot be read; `error` is what the reader returned. */
void exchange_send_unreadable(struct exchange *exchange, int error);

/* Adds a header to the answer. Values are the program's own or ids, never a client's text. */
void exchange_add_header(struct exchange *exchange, const char *name, const char *value);

/* ---- an answer without an end: the exchange waits on ---- */

/* 200, with this much of the body and more to come. Replies of actors to the exchange are dropped
 * from here on; one of exchange_stream_end and exchange_stream_cut must follow. */
void exchange_stream_begin(struct exchange *exchange, const char *content_type, struct slice body);

/* More of the body. `on_drained` of the exchange hears when the socket has taken all of it. */
void exchange_stream_send(struct exchange *exchange, struct slice body);

/* Bytes of the body that the socket has not taken yet. */
size_t exchange_stream_unsent(const struct exchange *exchange);

/* The body's end; ends the exchange. */
void exchange_stream_end(struct exchange *exchange);

/* Breaks the connection off with what is unsent; ends the exchange. */
void exchange_stream_cut(struct exchange *exchange);

/* ---- answers that take a while ---- */

/* Calls `work` now and then once each round of the reactor's loop, until it has answered the
 * exchange or called exchange_end_work. Each call does a bounded slice, with a fresh
 * exchange->reader. */
void exchange_work(struct exchange *exchange, void (*work)(struct exchange *exchange));

/* There is no further slice: the exchange waits for the reply to what this one posts. */
void exchange_end_work(struct exchange *exchange);

enum exchange_piece {
    PIECE_MORE,   /* there is more */
    PIECE_LAST,   /* with this piece the body is whole */
    PIECE_BROKEN, /* it cannot be made whole: the connection is cut */
};

/* Appends the next piece of a body to `out` (nothing, where a slice of work has found nothing),
 * reading through exchange->reader. */
typedef enum exchange_piece (*exchange_piece_fn)(struct exchange *exchange, struct buf *out);

/* Begins to answer with 200 and a body of any length (chunked), of which the pieces are asked for
 * as the client takes them. Other headers are added before. Ends the exchange with the last piece,
 * or when the client goes; exchange->state must need no cleaning up. */
void exchange_send_pieces(struct exchange *exchange, const char *content_type,
                          exchange_piece_fn piece);

/* Its answer has begun, by exchange_send_pieces. */
bool exchange_is_piecewise(const struct exchange *exchange);

/* ---- waiting ---- */

/* Calls on_timeout after so many milliseconds of real time, unless the answer comes first. */
void exchange_wait(struct exchange *exchange, uint32_t wait_ms);

/* Calls on_gone once when the client closes or resets the connection while the exchange waits. It
 * may answer (a client may have closed its half only), unless the exchange is over. */
void exchange_watch_client(struct exchange *exchange);

/* False when the client has closed or reset the connection; asks the socket. */
bool exchange_client_is_there(const struct exchange *exchange);

/* ---- query parameters ---- */

/* The value of a parameter that the route allows; NULL: not given. */
const struct slice *exchange_query(const struct exchange *exchange, const char *name);

/* ---- for router.c, reply.c and connection.c ---- */

/* Begins an exchange for a request that evhttp handed over. Never NULL. */
struct exchange *exchange_new(struct api *api, struct evhttp_request *request,
                              struct connection *connection);

/* The exchange of that number, or NULL: it has been answered, or its client has gone. */
struct exchange *exchange_find(struct api *api, uint64_t number);

/* Gives a reply to every exchange that waits, which one whose answer has begun does not. */
void exchange_each(struct api *api, exchange_reply_fn visit, const struct reply *reply);

/* The connection is being freed by evhttp, and the request with it: ends the exchange, and then
 * calls its on_gone. One whose response must be stored (idempotency_needs) lives on until its
 * answer, which goes nowhere. */
void exchange_abandon(struct exchange *exchange);

/* Lets every exchange_wait end now, for a drain. */
void exchange_end_waits(struct api *api);

/* Brackets each callback of the reactor that may answer exchanges; what has been answered is freed
 * at the end of the outermost one. */
void exchange_enter(struct api *api);
void exchange_leave(struct api *api);

/* True once it has been answered or abandoned. */
bool exchange_is_over(const struct exchange *exchange);

struct connection *exchange_connection(const struct exchange *exchange);

struct evhttp_request *exchange_request(const struct exchange *exchange);

/* True on the listener of operations. */
bool exchange_is_ops(const struct exchange *exchange);

/* Prints a new request id: random bits of this process and a running number, as drawing random bits
 * for each would be a system call a request. */
void exchange_new_request_id(struct api *api, char out[REQUEST_ID_SIZE]);

#endif
