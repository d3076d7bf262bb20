/* The API layer of the simulation: everything of api/ but sockets, between clients and the engine.
 *
 *     a move ─▶ web_ask: method, path, headers, JSON ─▶ the API's own router, readers, handlers
 *                                                     ─▶ engine_post
 *     a reply that is let out ─▶ reply_arrived ─▶ status and body ─▶ web_judge
 *
 * A seed decides how many of the clients' requests go this way; the others are posted as messages.
 * A crash drops every exchange. A client may go at any time while its request is under way: seen
 * (its socket is watched), unseen, or with its connection freed.
 */
#ifndef OUTDIAL_TESTS_SIM_WEB_H
#define OUTDIAL_TESTS_SIM_WEB_H

#include <event2/http.h>
#include <jansson.h>

#include "api/auth.h"
#include "base/buf.h"
#include "tests/seam/api_seam.h"
#include "tests/sim/sim.h"

enum {
    WEB_PATH_SIZE = 160,
    WEB_PARTS_MAX = 64, /* events in one request */
};

/* One event of a request, and what the execution said to it, durably. */
struct ask_part {
    uint32_t call; /* index of the known call; SIM_KNOWN_CALLS: nobody's */
    struct uuid claim_id, call_id;
    enum message_type type;
    bool is_malformed, is_told;
    enum event_status status;
    int64_t dial_by;
};

enum ask_read {
    READ_NONE,
    READ_EXECUTION,
    READ_EXECUTIONS,
    READ_CONTACT,
    READ_ORGANISATION,
    READ_PROGRAM,
};

/* A request without an answer yet. */
struct ask {
    uint64_t exchange;
    const struct evhttp_request *request;
    bool is_there; /* the client */
    bool is_watched, is_timed_out;
    bool is_exact; /* what it reads is what the model has heard of */
    int64_t give_up_mono;
    enum ask_read read;
    uint32_t organisation, number; /* whose data; of the execution or organisation */
    struct uuid id;                /* that its path names */
    uint32_t items;                /* contacts in its body */
    struct ask_part *parts;
    uint32_t part_count;
};

/* A request as a client makes it. */
struct asked {
    enum evhttp_cmd_type method;
    char path[WEB_PATH_SIZE];
    struct buf body;       /* empty: none */
    uint32_t organisation; /* 0: the platform's */
    bool is_workers;
    const char *key; /* Idempotency-Key; NULL: none */
    uint32_t number, items;
    struct uuid id;
    enum ask_read read;
};

struct web {
    unsigned percent; /* of the requests */
    struct api *api;
    struct ask **asks;
    size_t count, room;
    char worker_key[AUTH_KEY_TEXT_SIZE];
    char organisation_keys[MODEL_ORGANISATIONS + 1][AUTH_KEY_TEXT_SIZE]; /* empty: none */
    bool is_dying, is_dropping;
    uint64_t released;                    /* CALL_RELEASED that the API has posted by itself */
    struct ask_part parts[WEB_PARTS_MAX]; /* of the request that is being filled */
    struct buf events;
    uint32_t part_count;
};

/* ---- http.c ---- */

/* What the seed decides; sim->web stays NULL where no request goes this way. */
void web_choose(struct sim *sim);
void web_free(struct sim *sim);

/* The API over the engine that has just been opened; its end with a crash, or behind a drain. */
void web_begin_life(struct sim *sim);
void web_end_life(struct sim *sim);

/* Whether the next request goes this way. */
bool web_is_next(struct sim *sim);

/* Makes the request. Takes the body over. Returns its exchange. */
uint64_t web_send(struct sim *sim, struct asked *asked, enum request_kind kind,
                  enum message_type type, uint32_t index);

/* The keys of workers and organisations are made, in the beginning. */
void web_make_keys(struct sim *sim);

/* A durable reply of an actor, let out. */
void web_on_reply(struct sim *sim, uint64_t exchange, const struct reply *reply);

/* The clock has moved: claims that have waited long enough are given up. */
void web_time_passed(struct sim *sim);
int64_t web_next_mono(const struct sim *sim); /* INSTANT_NEVER: none waits */

/* One of the clients that wait goes away. */
void web_client_goes(struct sim *sim);

/* The API begins to drain, before the engine does; what it then calls: claims are given up. */
void web_stop(struct sim *sim);
void web_end_waits(struct sim *sim);

/* The engine rests: whoever waits, waits for calls. */
void web_check_rest(struct sim *sim);

struct ask *web_find(struct sim *sim, uint64_t exchange);
void web_forget(struct sim *sim, struct ask *ask);

/* ---- web_requests.c: a message as the request that brings it about ---- */

uint64_t web_ask(struct sim *sim, enum request_kind kind, enum message_type type, uint32_t actor,
                 const union payload *payload, uint32_t index);
void web_put_id(char *path, const struct uuid *id); /* in place of "%" */

/* ---- web_programs.c ---- */

void web_put_program(struct buf *out, const struct program *program);
void web_put_program_patch(struct buf *out, const struct program *program);
void web_put_rules(struct buf *out, const struct auto_pause_rule *rules, size_t count);

/* ---- web_events.c: batches of events, and claims that are read ---- */

/* `index`: of the known call; SIM_KNOWN_CALLS: nobody's. */
void web_add_event(struct sim *sim, uint32_t execution, uint32_t index, enum message_type type,
                   const struct call_event *event);
void web_note_event(struct sim *sim, const struct told_reply *reply); /* it is durable */
void web_send_events(struct sim *sim); /* those that have been added, if any */
void web_judge_events(struct sim *sim, struct ask *ask, const json_t *body);
void web_judge_claim(struct sim *sim, struct ask *ask, const json_t *body);

/* ---- web_reads.c ---- */

void web_read_something(struct sim *sim);
void web_send_nonsense(struct sim *sim); /* a request that no client should make */
void web_judge_read(struct sim *sim, const struct ask *ask, int status, const json_t *body);
void web_judge_execution(struct sim *sim, const struct model_execution *x, bool is_exact,
                         const json_t *body);

/* ---- web_judge.c ---- */

bool web_is_text(const json_t *body, const char *name, const char *text);
bool web_is_id(const json_t *body, const char *name, const struct uuid *id);
bool web_is_number(const json_t *body, const char *name, int64_t number);

/* The answer that a client gets, against what the actors said durably and what the model knows. */
void web_judge(struct sim *sim, struct ask *ask, const struct api_seam_answer *answer);

#endif
