/* The inside of a connection, for its own files: connection.c (life, refusals, deadlines),
 * connection_input.c (bytes on their way to evhttp), connection_body.c (bodies that are taken).
 */
#ifndef OUTDIAL_API_CONNECTION_PRIVATE_H
#define OUTDIAL_API_CONNECTION_PRIVATE_H

#include <event2/buffer.h>

#include "api/connection.h"
#include "api/guard.h"
#include "api/held.h"
#include "api/table.h"

enum {
    CONNECTION_BYTES_A_SECOND = 65536 /* that a client must take or send beyond its deadline */
};

/* A body that evhttp does not read (connection_body.c). */
struct taken_body {
    bool is_active; /* from the end of its header block to the end of its answer */
    bool is_streamed;
    bool is_begun;   /* evhttp has handed the request over: the callbacks are ours */
    bool is_whole;   /* its last byte has come */
    bool is_broken;  /* the guard has refused what came of it */
    bool is_dropped; /* the answer does not wait for it */
    bool is_paused;
    bool expects_continue;
    struct evbuffer *bytes; /* that have come and have not been used; NULL: none */
    /* evhttp's own callbacks. */
    bufferevent_data_cb read, write;
    bufferevent_event_cb event;
    void *context;
};

struct connection {
    struct connections *all;
    struct http *http;
    struct bufferevent *bufferevent; /* of bytes as HTTP, whatever TLS is under it */
    bool is_tls;
    struct evhttp_connection *evcon; /* NULL: fresh */
    struct evbuffer_cb_entry *input_callback;
    struct guard guard;
    struct buf head;         /* of a header block that is not whole yet */
    struct evbuffer *coming; /* what the guard has not seen yet; NULL: nothing ever */
    struct taken_body body;
    struct exchange *exchange; /* the one that waits; NULL: none */
    struct held held;          /* by all buffers of what has come */
    uint64_t answered;         /* messages whose responses have been written */
    uint64_t deadline;         /* in the seconds of `connections`; 0: none */
    uint64_t deadline_of;      /* the message and phase for which it was set */
    uint64_t body_second;      /* in which the body began */
    uint64_t idle_second;      /* in which the last response had been written */
    uint64_t writing_until;    /* deadline of the response that is being written; 0: none */
    bool is_cutting;           /* the input buffer is being changed by ourselves */
    bool is_refused;           /* the error has been written */
    bufferevent_event_cb refused_event; /* evhttp's, while an error is written under TLS */
    void *refused_context;
    struct event *refuse_later; /* NULL: never needed */
    struct connection *next;    /* among the fresh */
    UT_hash_handle hh;
};

/* ---- connection.c ---- */

/* Sends the error of the guard's breach beside evhttp, and ends our half of the connection. */
void connection_refuse(struct connection *connection);

/* The same for a reason that the guard does not know. */
void connection_break_off(struct connection *connection, enum fault_code code, const char *message);

void connection_adopt(struct connection *connection);

/* ---- connection_input.c ---- */

/* The callback of the input buffer. */
void connection_on_input(struct evbuffer *input, const struct evbuffer_cb_info *info,
                         void *context);

/* Goes on with what came behind a message whose body was taken. */
void connection_go_on(struct connection *connection);

/* Counts what is held. */
void connection_count_held(struct connection *connection);

/* By when the next bytes of the current message must have come. */
void connection_set_deadline(struct connection *connection);

/* Drops all that has come and has not been used. */
void connection_drop_input(struct connection *connection);

/* ---- connection_body.c ---- */

/* The header block of a message whose body is taken goes to evhttp now. */
void taken_body_begin(struct connection *connection);

/* The response has been written. Returns whether the rest of the body is on its way still. */
bool taken_body_end(struct connection *connection);

/* Nobody waits for the rest of it any more. */
void taken_body_drop(struct connection *connection);

void taken_body_deinit(struct taken_body *body);

#endif
