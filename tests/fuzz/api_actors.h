/* The actors behind api_world: the store's rows in memory, and what is handled over them. */
#ifndef OUTDIAL_TESTS_FUZZ_API_ACTORS_H
#define OUTDIAL_TESTS_FUZZ_API_ACTORS_H

#include "engine/engine.h"

/* Takes all rows of the store. */
void api_actors_open(struct engine *engine);

/* Hands a message to the platform, a directory or an execution; to others, and what those that get
 * it send, to nobody. The replies as the engine would give them; they and the rows that were put
 * last until api_actors_rewind. What the actor replies with and puts is in its range (OD_CHECK). */
size_t api_actors_handle(const struct message *message, const struct reply **replies);

/* The rows are as they were. */
void api_actors_rewind(void);

#endif
