/* The list of all routes: one table a file, each ending with a row whose path is NULL. A new file
 * of routes adds its table here and in routes.c.
 */
#ifndef OUTDIAL_API_ROUTES_H
#define OUTDIAL_API_ROUTES_H

#include "api/router.h"

extern const struct route routes_ops[];
extern const struct route routes_test_clock[]; /* exist only with a test clock */
extern const struct route routes_platform[];
extern const struct route routes_dids[];
extern const struct route routes_calls[];
extern const struct route routes_attributes[];
extern const struct route routes_contacts[];
extern const struct route routes_audiences[];
extern const struct route routes_flows[];
extern const struct route routes_programs[];
extern const struct route routes_executions[];
extern const struct route routes_reference[];
extern const struct route routes_events[];

/* What there is besides the first two, ending with NULL. */
extern const struct route *const routes_all[];

#endif
