/* What a transition does to the world: rows put and deleted, messages to other actors, replies,
 * calls offered to push gateways, events published. A handler calls these in order; nothing that
 * leaves the process goes out before the rows are durable (engine/outbox). The engine's sink writes
 * into the batch and the outbox; tests' sinks print.
 */
#ifndef OUTDIAL_ACTORS_EFFECT_H
#define OUTDIAL_ACTORS_EFFECT_H

#include "base/error.h"
#include "model/key.h"
#include "model/message.h"
#include "model/tables.h"

/* ---- replies ---- */

enum reply_kind {
    REPLY_NOTHING = 1,     /* 204 */
    REPLY_FAULT,           /* fault, message, details */
    REPLY_RECORD,          /* status 200 or 201, a record of `table` */
    REPLY_UPSERTED,        /* {created, updated, contacts: [{id, primaryPhone}]} */
    REPLY_IMPORTED,        /* created, updated, and the rows that were rejected */
    REPLY_MEMBERS_ADDED,   /* {added, alreadyPresent} */
    REPLY_MEMBERS_REMOVED, /* {removed} */
    REPLY_LAUNCHED,        /* 201 {executionId} */
    REPLY_EXECUTION,       /* 200, settings and state of an execution */
    REPLY_CLAIMED,         /* calls of a claim */
    REPLY_CREDITS,         /* 200 {credits} */
    REPLY_EVENT,           /* the status of one event; the exchange waits for all its parts */
};

struct fault_detail {
    struct slice path, message;
};

/* Words of the answer to an event (api.md, "Worker gateway"). */
enum event_status {
    EVENT_ACCEPTED = 1,
    EVENT_DUPLICATE,
    EVENT_STALE,
    EVENT_REFUSED,
    EVENT_UNKNOWN,
    EVENT_INVALID,
};

struct contact_made {
    struct uuid id;
    struct slice primary_phone;
};

/* A row of a message that was rejected. */
struct row_fault {
    size_t row; /* from 0 */
    struct slice message;
};

struct claimed_call {
    uint32_t execution, entry;
    uint16_t attempt;
    struct uuid claim_id;
};

struct reply {
    uint64_t exchange;
    enum reply_kind kind;

    union {
        struct {
            enum fault_code code;
            struct slice message;
            const struct fault_detail *details;
            size_t detail_count;
        } fault;

        struct {
            bool is_new; /* 201, else 200 */
            enum table table;
            struct key key;
            const void *record; /* encoded at once */
        } record;

        struct {
            uint64_t created, updated;
            const struct contact_made *contacts;
            size_t count;
        } upserted;

        struct {
            uint64_t created, updated;
            const struct row_fault *rejected;
            size_t rejected_count;
        } imported;

        struct {
            uint64_t changed, unchanged;
        } members;
        struct uuid launched; /* the execution's id */
        int64_t credits;      /* the balance */

        struct {
            const struct execution_settings *settings;
            const struct execution_state *state;
        } execution;

        struct {
            const struct claimed_call *calls;
            size_t count;
        } claimed;

        struct {
            uint32_t part;
            enum event_status status;
            const char *message; /* constant text or NULL */
            int64_t dial_by;     /* 0: not said */
        } event;
    };
};

/* ---- a call for a push gateway ---- */

struct offer {
    uint32_t gateway;
    uint32_t execution, organisation;
    uint32_t entry;
    uint16_t attempt;
    uint32_t tag;     /* of the call's id */
    bool is_resumed;  /* was with the gateway before a restart */
    bool was_started; /* had its permission to dial then */
    struct slice to, from;
    int64_t at, mono; /* of the message that queued it */
};

/* ---- the sink ---- */

struct effects;

struct effects_ops {
    void (*put)(struct effects *effects, enum table table, const struct key *key,
                const void *record);
    void (*del)(struct effects *effects, enum table table, const struct key *key);
    void (*send)(struct effects *effects, const struct message *message);
    void (*reply)(struct effects *effects, const struct reply *reply);
    void (*offer)(struct effects *effects, const struct offer *offer);
    void (*publish)(struct effects *effects, uint32_t organisation);
};

struct effects {
    const struct effects_ops *ops;
};

/* The record (the table's struct) is encoded before the call returns. */
void effect_put(struct effects *effects, enum table table, const struct key *key,
                const void *record);
void effect_delete(struct effects *effects, enum table table, const struct key *key);

/* A message to another actor (or to itself). It is handled in the same batch, before the next
 * message from outside, in the order of sending; with is_later, behind what waits outside, when its
 * payload must have no pointers. Otherwise these must live in the view's arena. `at`, `mono` and
 * is_derived are filled in by the engine. */
void effect_send(struct effects *effects, const struct message *message);

/* Dropped when the exchange is 0. Pointers are copied from. */
void effect_reply(struct effects *effects, const struct reply *reply);
void effect_offer(struct effects *effects, const struct offer *offer);

/* The organisation has new EVENT rows: its streams are told to read on, once they are durable. */
void effect_publish(struct effects *effects, uint32_t organisation);

/* Shorthands. The message is printed into the arena that outlives the call (view's). */
void effect_reply_fault(struct effects *effects, uint64_t exchange, enum fault_code code,
                        struct slice message);
void effect_reply_detail(struct effects *effects, uint64_t exchange, enum fault_code code,
                         struct slice message, struct slice path, struct slice detail);
void effect_reply_nothing(struct effects *effects, uint64_t exchange);
void effect_reply_record(struct effects *effects, uint64_t exchange, bool is_new, enum table table,
                         const struct key *key, const void *record);

#endif
