/* The half of an exchange that its own files see: exchange.c, exchange_send.c, exchange_wait.c. */
#ifndef OUTDIAL_API_EXCHANGE_PRIVATE_H
#define OUTDIAL_API_EXCHANGE_PRIVATE_H

#include "api/exchange.h"
#include "api/idempotency.h"
#include "api/table.h"

struct exchange_private {
    struct exchange *exchange; /* the other half of the same memory */
    uint64_t number;
    struct evhttp_request *request; /* NULL: answered or abandoned */
    struct connection *connection;
    struct arena *payload;
    struct event *timer, *watch;
    struct key_use *key_use; /* counts it as in flight (api/limits.h); NULL: nobody does */
    bool has_posted;
    bool is_alone;            /* its client has gone, and its answer goes nowhere */
    struct slice location;    /* the header, once it has been added; in the exchange's arena */
    struct response *capture; /* the answer goes there instead of to the client; NULL: as a rule */
    bool is_streaming;        /* its answer has begun and goes on in pieces */
    struct event *slices;
    void (*slice)(struct exchange *exchange); /* the next one; exchange_stream.c */
    void (*work)(struct exchange *exchange);
    exchange_piece_fn piece;
    struct exchange_private *next; /* among the finished */
    UT_hash_handle hh;
};

/* Ends the timer and the watch. */
void exchange_stop_waiting(struct exchange_private *own);

/* Counts an answer and logs it. */
void exchange_note_answer(const struct exchange *exchange, int status);

/* Unlinks it; its memory goes with exchange_leave. */
void exchange_finish(struct exchange *exchange);

#endif
