/* The workers' side: calls of the trace and calls of the daemon.
 *
 * Both are known by (execution, entry, attempt): an execution by its number in the trace, entry and
 * attempt by the daemon's call id. Events of the trace queue at their call; they go out when the
 * daemon has given it to us, under its call id and its claim's id. A call that has events and has
 * not been given is wanted: claims are made as long as there is one.
 */
#ifndef OUTDIAL_CMD_OUTDIAL_REPLAY_HTTP_CALLS_H
#define OUTDIAL_CMD_OUTDIAL_REPLAY_HTTP_CALLS_H

#include "cmd/outdial_replay_http_account.h"

enum { EVENTS_A_BATCH = 1000 };

struct told {
    struct told *next;
    enum told_event type;
    enum expectation expect;
    bool has_claim_id;
    unsigned tries;
    size_t size;
    char text[]; /* of the event, from behind its call id on, but for the claim's id and the end */
};

struct traced_call {
    struct traced_call *next_in_bucket;
    struct traced_call *next_ready;
    struct traced_call *next_ended;
    uint32_t execution, entry; /* the execution's number in the trace */
    uint16_t attempt;
    bool is_claimed;   /* by us */
    bool is_under_way; /* events of it are in a batch */
    bool is_wanted;    /* it has events, and we do not have it */
    bool is_ready;     /* in the list of those with something to be sent */
    bool has_ended;    /* its result was accepted */
    bool is_given_up;  /* it did not come in time */
    bool is_mentioned; /* the trace has had an event of it */
    int64_t wanted_since;
    struct uuid call_id, claim_id;
    struct told *first, *last;
};

/* A call of an execution that is not known, or not yet: its launch may not have been answered. */
struct stranger {
    struct uuid execution, call_id, claim_id;
};

struct calls {
    struct account *account;
    struct id_map *ids;
    struct id_map numbers; /* executions of the daemon: their numbers in the trace */
    struct traced_call **buckets;
    size_t bucket_count, count;
    struct traced_call *ready_first, *ready_last;
    struct traced_call *ended_first, *ended_last;
    size_t ended_count;
    size_t events; /* that queue */
    size_t wanted; /* calls */
    struct stranger *strangers;
    size_t stranger_count, stranger_room;
};

void calls_open(struct calls *calls, struct id_map *ids, struct account *account);

/* Counts what is left over: calls that were claimed for nothing, and those that never came. */
void calls_close(struct calls *calls);

/* An event of the trace. `now_ms` is of the clock by which calls are waited for. False: its
 * execution is not there. */
bool calls_put(struct calls *calls, const struct message *message, enum expectation expect,
               int64_t now_ms);

/* The launch of an execution of the trace has been answered: with the daemon's id, or NULL. */
void calls_hear_launch(struct calls *calls, uint32_t execution, const struct uuid *live,
                       int64_t now_ms);

/* A claim has been answered. Returns how many calls it gave. */
size_t calls_hear_claim(struct calls *calls, const json_t *answer);

/* Gives up calls that have been wanted since `before_ms` or earlier. Returns how many. */
size_t calls_give_up(struct calls *calls, int64_t before_ms);

/* ---- events (outdial_replay_http_events.c) ---- */

struct event_batch {
    struct event_batch *next; /* of those that were told to wait */
    struct buf body;
    size_t count;

    struct batched {
        struct traced_call *call;
        struct told *told;
    } items[EVENTS_A_BATCH];

    int64_t not_before_ns;
    unsigned tries;
};

/* Takes what can be sent; NULL: nothing. */
struct event_batch *calls_take_batch(struct calls *calls);

/* The batch was answered: with a result for each event, or NULL when it was refused. Frees it. */
void calls_hear_batch(struct calls *calls, struct event_batch *batch, const json_t *answer,
                      int64_t now_ms);
void calls_free_batch(struct event_batch *batch);

/* Puts the call where it belongs, by what it has and what it lacks. */
void calls_file(struct calls *calls, struct traced_call *call, int64_t now_ms);

#endif
