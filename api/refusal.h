/* What a client gets whose request never reaches a handler: an error in our JSON, written to the
 * socket beside evhttp, which would answer in HTML.
 */
#ifndef OUTDIAL_API_REFUSAL_H
#define OUTDIAL_API_REFUSAL_H

#include <stdbool.h>

#include "api/guard.h"

struct api;

/* Appends the response to the guard's breach. An unknown method (FAULT_NOT_IMPLEMENTED) of a known
 * path becomes a 405 with Allow, of an unknown path a 404. `is_ops`: which routes there are.
 * Appends nothing when memory is short. */
void refusal_print(struct api *api, const struct guard *guard, bool is_ops, struct buf *out);

#endif
