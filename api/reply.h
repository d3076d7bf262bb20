/* From an actor's reply, once it is durable, to the response. */
#ifndef OUTDIAL_API_REPLY_H
#define OUTDIAL_API_REPLY_H

#include <stdint.h>

#include "engine/engine.h"

/* engine_set_replies' callback; `api` is the struct api. */
void reply_arrived(void *api, uint64_t exchange, const struct reply *reply);

#endif
