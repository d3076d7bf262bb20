/* Requests to the daemon, several at a time, by libcurl's multi interface on one thread. */
#ifndef OUTDIAL_CMD_OUTDIAL_REPLAY_HTTP_WIRE_H
#define OUTDIAL_CMD_OUTDIAL_REPLAY_HTTP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/id.h"

struct wire;

struct wire_options {
    const char *url;     /* of the daemon, as wire_url_is_good likes it */
    const char *ca_file; /* certificates to trust; NULL: those of the system */
    const char *key;     /* an admin's */
    unsigned connections;
};

struct wire_request {
    const char *method;
    const char *path;         /* from /api on */
    const char *content_type; /* NULL: there is no body */
    struct slice body;        /* borrowed until the answer */
    struct uuid organisation; /* whose data, as a header; nil: none */
    bool is_worker;           /* with the worker's key */
    bool is_fresh;            /* on a new connection: libcurl sends a request again by itself when a
                                 kept one turns out to be dead */
};

struct wire_answer {
    long status; /* of HTTP; 0: there was no answer, and `failure` says why */
    const char *failure;
    struct slice body; /* borrowed */
    int64_t ns;        /* from when it was sent */
    int64_t wait_ms;   /* what Retry-After says, or -1 */
};

typedef void (*wire_fn)(void *context, void *request, const struct wire_answer *answer);

/* Whether it is an address of http or https. */
bool wire_url_is_good(const char *url);

/* 0, or OD_EINVAL when libcurl cannot be used. */
int wire_open(const struct wire_options *options, struct wire **out, struct od_error *error);

/* Lets requests that are under way be heard, as without an answer, and closes. */
void wire_close(struct wire *wire);

void wire_set_worker_key(struct wire *wire, const char *key);

/* Whether a further request can go out; `is_extra`: on one of a few connections more, kept for
 * claims, which may wait. */
bool wire_has_room(const struct wire *wire, bool is_extra);

/* Sends; on_answer(context, tag, …) is called within wire_run, and sends nothing itself. There
 * is room. */
void wire_send(struct wire *wire, const struct wire_request *request, bool is_extra,
               wire_fn on_answer, void *context, void *tag);

/* Waits up to `timeout_ms` for something to happen, and lets answers be heard. */
void wire_run(struct wire *wire, int timeout_ms);

/* Requests that have not been answered. */
size_t wire_under_way(const struct wire *wire);

#endif
