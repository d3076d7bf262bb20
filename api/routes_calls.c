/* The worker gateway (api.md, "Worker gateway"). */
#include "api/routes.h"

#include "api/call_events.h"
#include "api/claims.h"

const struct route routes_calls[] = {
    {.method = EVHTTP_REQ_POST,
     .path = "/api/calls/claim",
     .access = ACCESS_WORKER,
     .body = ROUTE_BODY_JSON,
     .handle = claims_handle},
    {.method = EVHTTP_REQ_POST,
     .path = "/api/call-events",
     .access = ACCESS_WORKER,
     .body = ROUTE_BODY_JSON,
     .handle = call_events_handle},
    {.path = NULL},
};
