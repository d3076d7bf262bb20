/* From an actor's reply, once it is durable, to the response. */
#ifndef OUTDIAL_API_REPLY_H
#define OUTDIAL_API_REPLY_H

#include <stdint.h>

#include "engine/engine.h"

struct exchange;

/* engine_set_replies' callback; the context is the struct api. */
void reply_arrived(void *context, uint64_t number, const struct reply *reply);

/* Answers the exchange with an actor's reply: by its on_reply, or as its kind says. */
void reply_answer(struct exchange *exchange, const struct reply *reply);

#endif
