/* A request to the daemon, made of a message of the trace: its texts, with the places where ids of
 * the trace stand. An id's text has the same length whatever it is, so the daemon's own is written
 * over it when the request goes out.
 */
#ifndef OUTDIAL_CMD_OUTDIAL_REPLAY_HTTP_REQUEST_H
#define OUTDIAL_CMD_OUTDIAL_REPLAY_HTTP_REQUEST_H

#include "base/buf.h"
#include "cmd/outdial_replay_http_ids.h"
#include "model/message.h"

/* What the digests of the trace tell of the answer that there was. */
enum expectation {
    EXPECT_UNKNOWN,   /* a part of a trace, or a kept response: nothing */
    EXPECT_CHANGE,    /* rows were written: it was taken */
    EXPECT_NO_CHANGE, /* none: it was refused, or changed nothing */
};

enum ref_place { REF_PATH, REF_BODY, REF_HEADER };

struct id_ref {
    struct uuid id; /* of the trace */
    enum ref_place place;
    uint32_t offset; /* of its text, in the path or in the body */
    bool is_absent;  /* it was not there when the request was put */
};

/* A contact that the request makes, or finds. */
struct made_contact {
    struct uuid id;
    uint64_t phone;
};

struct http_request {
    struct http_request *next; /* of its lane */
    enum message_type type;
    const char *method;
    const char *content_type; /* NULL: there is no body */
    struct buf path, body;
    uint32_t organisation; /* its lane, by its number in the trace; 0: the platform's */
    struct id_ref *refs;
    size_t ref_count, ref_room;
    bool is_list;     /* ids of its list that are not there are left out */
    size_t list_from; /* where that begins in the body, and behind which ref */
    size_t first_item;
    bool is_barrier;   /* nothing before it, nothing behind it is under way at the same time */
    bool is_fresh;     /* doing it twice is not as good as once: on a new connection */
    bool is_rest_left; /* some ids of its list were left out */

    struct uuid makes[2]; /* ids that its answer's `id` (a launch's `executionId`) is for */
    size_t makes_count;
    struct uuid makes_audience; /* nil, or that of a program's `audienceId` */
    struct made_contact *contacts;
    size_t contact_count;
    bool is_by_phone; /* the answer has no ids of contacts */

    enum expectation expect;
    size_t looked_up; /* the ref whose contact is being asked for by its number */
    unsigned tries;
    int64_t not_before_ns; /* of the clock for durations: it was told to come again */
};

struct http_request *request_new(enum message_type type, const char *method);
void request_free(struct http_request *request);

/* Appends to the path: a text, and the text of an id. */
void request_path(struct http_request *request, const char *text);
void request_path_id(struct http_request *request, const struct uuid *id);

/* The organisation whose lane it is in and, as a header, whose data. */
void request_for(struct http_request *request, uint32_t organisation);

void request_makes(struct http_request *request, const struct uuid *id);

/* Appends a text as a JSON string. Bytes that are no UTF-8 stay what they are. */
void json_quote(struct buf *out, struct slice text);

/* ---- the body, as JSON: commas come by themselves ---- */

void write_open(struct http_request *request, char bracket);
void write_shut(struct http_request *request, char bracket);
void write_name(struct http_request *request, const char *name);
void write_text(struct http_request *request, struct slice text);
void write_text_or_null(struct http_request *request, struct slice text);
void write_integer(struct http_request *request, int64_t number);
void write_micro(struct http_request *request, uint64_t millionths); /* 0: null */
void write_double(struct http_request *request, double number);      /* no number: null */
void write_boolean(struct http_request *request, bool value);
void write_null(struct http_request *request);
void write_instant(struct http_request *request, int64_t at);
void write_json(struct http_request *request, struct slice json);
void write_id(struct http_request *request, const struct uuid *id);

/* A list of ids, of which those that are not there are left out; the last thing in the body but
 * for its closing bracket. */
void write_list(struct http_request *request, const struct uuid *ids, size_t count);

/* ---- sending ---- */

/* Writes the daemon's ids into the texts. Returns false when one of them is not there, with nothing
 * to be sent. *organisation is the header's. All that are awaited are known by now. */
bool request_fill(struct http_request *request, const struct id_map *ids,
                  struct uuid *organisation);

#endif
