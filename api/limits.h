/* Limits of each API key ([limits] of the configuration): requests per minute, and requests in
 * flight.
 *
 * Only keys that have been found in the store are counted, so the memory is bounded by them; a key
 * whose bucket is full and that has nothing in flight is forgotten. The time is real time, also
 * under a test clock.
 */
#ifndef OUTDIAL_API_LIMITS_H
#define OUTDIAL_API_LIMITS_H

#include <stdbool.h>

#include "api/auth.h"

struct api;
struct exchange;
struct key_use;

/* Counts the exchange as one of its key's, and adds the RateLimit headers to its answer. False,
 * with the exchange answered (429), when that is one too many. At most once an exchange. */
bool limits_enter(struct exchange *exchange, const struct caller *caller);

/* The exchange is over, or goes on as a stream of events, which has limits of its own. */
void limits_leave(struct exchange *exchange);

/* Once a second: forgets keys that are at rest. */
void limits_second(struct api *api);

/* Forgets all keys; no exchange is left. */
void limits_deinit(struct api *api);

#endif
