/* POST /api/call-events: what workers report. */
#ifndef OUTDIAL_API_CALL_EVENTS_H
#define OUTDIAL_API_CALL_EVENTS_H

#include "api/exchange.h"

void call_events_handle(struct exchange *exchange);

#endif
