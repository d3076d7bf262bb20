/* The nodes of a flow. They are kept as the text in which the interface wrote them, and nothing of
 * them is read but their ids. */
#ifndef OUTDIAL_MODEL_FLOW_H
#define OUTDIAL_MODEL_FLOW_H

#include "base/buf.h"

/* Whether one of the nodes has the id. `nodes` is compact JSON, an array of objects that each have
 * a string "id"; or empty: there are none. */
bool flow_has_node(struct slice nodes, struct slice id);

#endif
