#include "actors/view.h"

bool view_get(struct view *view, enum table table, const struct key *key, void *record)
{
    return view->ops->get(view, table, key, record);
}

bool view_seek(struct view *view, enum table table, const struct key *prefix,
               const struct key *from, struct key *key, void *record)
{
    return view->ops->seek(view, table, prefix, from, key, record);
}

const struct zone_table *view_zone(struct view *view, struct slice name)
{
    return view->ops->zone(view, name);
}
