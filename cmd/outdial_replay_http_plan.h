/* From messages of a trace to requests: which are driven, and what they say. */
#ifndef OUTDIAL_CMD_OUTDIAL_REPLAY_HTTP_PLAN_H
#define OUTDIAL_CMD_OUTDIAL_REPLAY_HTTP_PLAN_H

#include "cmd/outdial_replay_http_request.h"

/* Who sends a message to a daemon. */
enum sender {
    SENDER_CLIENT,  /* a client: plan_request */
    SENDER_WORKER,  /* a worker: an event of a call */
    SENDER_CLAIM,   /* a worker: claims are made as calls are needed */
    SENDER_KEYS,    /* a client: API keys, which are this tool's own affair */
    SENDER_GATEWAY, /* a gateway of the daemon itself */
    SENDER_DAEMON,  /* the daemon: ticks, later slices, kept responses, … */
    SENDER_COUNT,
};

enum sender plan_sender(const struct message *message);

/* Whether the daemon's answer hangs on how far the calls before it have come: what pauses, ends or
 * removes something, changes limits, or launches a program anew. */
bool plan_needs_calls(struct id_map *ids, const struct message *message);

struct plan {
    struct id_map *ids;
    int64_t shift_ms; /* instants of the data are so much later */
};

/* The request that a client's message was, with what it makes noted in it. NULL: the execution that
 * it is about is not there. */
struct http_request *plan_request(const struct plan *plan, const struct message *message);

/* Contacts (outdial_replay_http_contacts.c). */
struct http_request *plan_contact(const struct message *message);
struct http_request *plan_upsert(const struct contact_list *list);
struct http_request *plan_import(const struct contact_import *import);

/* Programs (outdial_replay_http_programs.c). */
void plan_program(const struct plan *plan, struct http_request *request,
                  const struct program *program, uint32_t present, bool is_new);
void plan_rules(struct http_request *request, const struct auto_pause_rule *rules, size_t count);

#endif
