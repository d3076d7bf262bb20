#include "api/routes.h"

#include <stddef.h>

const struct route *const routes_all[] = {
    routes_platform,   routes_dids,      routes_calls,  routes_attributes,
    routes_contacts,   routes_audiences, routes_flows,  routes_programs,
    routes_executions, routes_reference, routes_events, NULL,
};
