/* From an actor's reply, once it is durable, to the response. */
#ifndef OUTDIAL_API_REPLY_H
#define OUTDIAL_API_REPLY_H

#include <stdint.h>

#include "engine/engine.h"

/* engine_set_replies' callback; the context is the struct api. */
void reply_arrived(void *context, uint64_t number, const struct reply *reply);

#endif
