/* The rows that a transition may look at: committed state with every earlier transition laid over
 * it.
 *
 * A view is an argument of the handler, like the message: what it answers is a function of the
 * messages handled so far, so a handler that reads through it stays pure. The engine implements it
 * over storage/snapshot; tests over rows in memory.
 */
#ifndef OUTDIAL_ACTORS_VIEW_H
#define OUTDIAL_ACTORS_VIEW_H

#include <stdbool.h>

#include "base/arena.h"
#include "model/key.h"
#include "model/records.h"
#include "model/tables.h"
#include "model/zone_table.h"

struct view;

struct view_ops {
    bool (*get)(struct view *view, enum table table, const struct key *key, void *record);
    bool (*seek)(struct view *view, enum table table, const struct key *prefix,
                 const struct key *from, struct key *key, void *record);
    const struct zone_table *(*zone)(struct view *view, struct slice name);
};

struct view {
    const struct view_ops *ops;
    struct arena
        *arena; /* lives until the turn's messages have been handled; texts of rows are in it */
};

/* The row under the key, decoded into *record (the table's struct); false when there is none. A row
 * that the same handler has put or deleted is seen so. A store that cannot be read ends the turn
 * outside of the handler. */
bool view_get(struct view *view, enum table table, const struct key *key, void *record);

/* The first row of a scanned table at or after `from` whose key starts with `prefix`. `record` may
 * be NULL. Go on from key_after(key). */
bool view_seek(struct view *view, enum table table, const struct key *prefix,
               const struct key *from, struct key *key, void *record);

/* The rules of a zone that has been named in a message before; NULL if unknown. Lives as long as
 * the engine. */
const struct zone_table *view_zone(struct view *view, struct slice name);

#endif
