/* The one reader of the time-zone database: which zone names there are, and their rules as tables
 * (model/zone_table.h), which is how everything else sees them. One thread only. */
#ifndef OUTDIAL_ENGINE_ZONES_H
#define OUTDIAL_ENGINE_ZONES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "model/zone_table.h"

struct zones;

/* Opens the database in $TZDIR, or in /usr/share/zoneinfo when that is not set, and reads its
 * names: the Zone and Link names of tzdata.zi that have a file beside it. A folder without
 * tzdata.zi has the names of its files. Returns 0; OD_ENOTFOUND when there is no such folder,
 * OD_EIO or OD_ECORRUPT when tzdata.zi cannot be read. */
int zones_open(struct zones **out, struct od_error *error);

/* Frees all, tables too. NULL is nothing. */
void zones_close(struct zones *zones);

/* Returns whether the name, in exactly this case, is one of the database's, or "UTC". */
bool zones_is_known(const struct zones *zones, struct slice name);

/* Returns the zone's rules from 1970 up to at least 10, and when made now 20 years after `now`;
 * NULL when the name is not known or its file cannot be read. It lives until zones_close; the same
 * call may give another table after a reload, or when `now` has gone on for years. */
const struct zone_table *zones_table(struct zones *zones, struct slice name, int64_t now);

/* Looks whether tzdata.zi has changed since it was read, as after an upgrade of the system's
 * package. If so, reads the names again, and makes each table anew when it is next asked for.
 * Returns whether it did; false also when the new file cannot be read, which the next call tries
 * again. Tables given out before stay as they were. */
bool zones_reload_if_changed(struct zones *zones);

#endif
