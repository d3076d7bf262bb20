/* The platform: organisations, API keys and DIDs. Its state is its rows; nothing is kept in memory.
 * A changed DID is told to every execution in memory (DID_CHANGED), a changed organisation's caps
 * to the dispatcher (ORGANISATION_CHANGED).
 */
#ifndef OUTDIAL_ACTORS_PLATFORM_H
#define OUTDIAL_ACTORS_PLATFORM_H

#include "actors/actor.h"

void platform_handle(const struct message *m, struct view *view, struct effects *out);

#endif
