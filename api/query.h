/* Query parameters: what follows the ? of a target, taken apart and decoded. */
#ifndef OUTDIAL_API_QUERY_H
#define OUTDIAL_API_QUERY_H

#include "api/exchange.h"
#include "base/buf.h"

/* Reads the query into exchange->query and exchange->page, by what the exchange's route knows.
 * Faults (an unknown parameter, a repeated one, a bad limit, bytes that are no UTF-8) go into
 * exchange->faults with the parameter's name as their path. */
void query_read(struct exchange *exchange, struct slice query);

#endif
