/* The outbox: replies, offers and news for streams that wait until the batch that made them is on
 * disk (promise 1).
 *
 * One outbox belongs to one batch. What is put in is copied; what comes out, comes out in order,
 * and only through outbox_take, which the engine calls when the batch is durable.
 */
#ifndef OUTDIAL_ENGINE_OUTBOX_H
#define OUTDIAL_ENGINE_OUTBOX_H

#include "actors/effect.h"
#include "base/arena.h"
#include "engine/gateway_port.h"

enum outbox_kind {
    OUTBOX_REPLY,          /* for the API */
    OUTBOX_OFFER,          /* for a push gateway */
    OUTBOX_GATEWAY_ANSWER, /* the status of a push gateway's event */
    OUTBOX_PUBLISH,        /* an organisation has new events */
};

struct outbox_item {
    enum outbox_kind kind;

    union {
        const struct reply *reply;
        struct offer offer;
        uint32_t organisation; /* OUTBOX_PUBLISH */

        struct {
            uint32_t gateway;
            struct gateway_answer answer; /* its times are set when it goes out */
        } answered;
    };
};

struct outbox {
    struct arena memory;
    struct outbox_item *items;
    size_t count, room, next;
};

void outbox_init(struct outbox *outbox);
void outbox_deinit(struct outbox *outbox);

/* Copies with all that it points to. A record inside is encoded: reply.record.record becomes a
 * struct slice *. Of an execution the state is copied, and `settings` becomes a const uint32_t *,
 * the execution's number. Returns the copy, which lives until outbox_clear. */
const struct reply *outbox_put_reply(struct outbox *outbox, const struct reply *reply);
void outbox_put_offer(struct outbox *outbox, const struct offer *offer);
void outbox_put_answer(struct outbox *outbox, uint32_t gateway,
                       const struct gateway_answer *answer);

/* Once is enough for what an outbox says one behind the other. */
void outbox_put_publish(struct outbox *outbox, uint32_t organisation);

/* The next item, borrowed until outbox_clear; NULL at the end. */
const struct outbox_item *outbox_take(struct outbox *outbox);

/* True when everything has been taken. */
bool outbox_is_empty(const struct outbox *outbox);

/* Forgets everything. */
void outbox_clear(struct outbox *outbox);

#endif
