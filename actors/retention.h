/* The retention: removes what has been kept long enough (engine.md, "Storage").
 *
 * Whatever it removes is filed in a table whose keys begin with an instant, so that the oldest
 * comes first. All of a kind is kept for the same time: nothing new can become due before what is
 * there, and an empty table has nothing due before that time from now. So the next instant at which
 * there is work follows from the first row of each table, and nobody has to say what has been
 * filed.
 */
#ifndef OUTDIAL_ACTORS_RETENTION_H
#define OUTDIAL_ACTORS_RETENTION_H

#include "actors/actor.h"

/* Read freely; changed by retention_handle only. */
struct retention {
    int64_t next_at; /* INSTANT_NEVER: not before a message comes */
};

/* Makes one that waits for its first TICK. */
void retention_init(struct retention *retention);

/* Handles a message for ACTOR_RETENTION. */
void retention_handle(struct retention *retention, const struct actor_settings *settings,
                      const struct message *m, struct view *view, struct effects *out);

/* The next instant at which it wants a TICK. */
struct wake retention_wake(const struct retention *retention);

#endif
