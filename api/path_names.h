/* Whether there is what the ids of a path name. Handlers and directories see that for themselves;
 * this is for an answer that is given before them, as an unknown id is a 404 whatever else is wrong
 * with its request.
 */
#ifndef OUTDIAL_API_PATH_NAMES_H
#define OUTDIAL_API_PATH_NAMES_H

#include "api/exchange.h"

/* False, with the exchange answered by the resource's 404 (or as unreadable), when an id of the
 * path names nothing that the caller may see. True for a path without ids, before they have been
 * read, and where the store is not being read (exchange->reader is NULL). */
bool path_names_something(struct exchange *exchange);

#endif
