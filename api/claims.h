/* The answers of claims: calls that workers get, and calls that go back. */
#ifndef OUTDIAL_API_CLAIMS_H
#define OUTDIAL_API_CLAIMS_H

#include "api/exchange.h"

/* POST /api/calls/claim. */
void claims_handle(struct exchange *exchange);

/* Gives calls of a claim back whose answer reaches nobody, so that they need not wait for the end
 * of their leases. */
void claims_give_back(struct api *api, const struct reply *reply);

#endif
