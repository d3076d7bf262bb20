/* Flows. Programs that are not deleted hold them, and active executions. */
#include "actors/directory_parts.h"
#include "model/flow.h"

/* Checked where both are known as they will be: two patches at once may each change one of them.
 * False, with the fault replied: the start is none of the nodes. */
static bool check_start(const struct message *m, struct view *view, struct effects *out,
                        const struct flow *flow)
{
    if (slice_is_empty(flow->start_node) || flow_has_node(flow->nodes, flow->start_node)) {
        return true;
    }
    refuse_property(view->arena, out, m->exchange, "startNode",
                    "must be the id of one of the nodes");
    return false;
}

void directory_flow_create(const struct message *m, struct view *view, struct effects *out)
{
    struct flow flow = *m->payload.flow;
    struct key key = key_owned(m->actor.number, &flow.id);

    if (!check_start(m, view, out, &flow)) {
        return;
    }
    flow.program_count = 0;
    flow.created_at = m->at;
    flow.updated_at = m->at;
    effect_put(out, TABLE_FLOW, &key, &flow);
    effect_reply_record(out, m->exchange, true, TABLE_FLOW, &key, &flow);
}

static bool find_flow(const struct message *m, struct view *view, struct effects *out,
                      const struct uuid *id, struct flow *flow)
{
    struct key key = key_owned(m->actor.number, id);

    if (view_get(view, TABLE_FLOW, &key, flow)) {
        return true;
    }
    refuse_not_found(view, out, m->exchange, FAULT_FLOW_NOT_FOUND, "Flow", id);
    return false;
}

void directory_flow_patch(const struct message *m, struct view *view, struct effects *out)
{
    const struct flow_patch *patch = m->payload.flow_patch;
    struct key key = key_owned(m->actor.number, &patch->value.id);
    struct flow flow;

    if (!find_flow(m, view, out, &patch->value.id, &flow)) {
        return;
    }
    if (patch->present & FLOW_NAME) {
        flow.name = patch->value.name;
    }
    if (patch->present & FLOW_NODES) {
        flow.nodes = patch->value.nodes;
    }
    if (patch->present & FLOW_START_NODE) {
        flow.start_node = patch->value.start_node;
    }
    if ((patch->present & (FLOW_NODES | FLOW_START_NODE)) && !check_start(m, view, out, &flow)) {
        return;
    }
    flow.updated_at = m->at;
    effect_put(out, TABLE_FLOW, &key, &flow);
    effect_reply_record(out, m->exchange, false, TABLE_FLOW, &key, &flow);
}

void directory_flow_delete(const struct message *m, struct view *view, struct effects *out)
{
    struct key key = key_owned(m->actor.number, &m->payload.id.id);
    struct flow flow;

    if (!find_flow(m, view, out, &m->payload.id.id, &flow)) {
        return;
    }
    if (flow.program_count > 0) {
        refuse(out, m->exchange, FAULT_CONFLICT, "The flow is used by a program or an execution");
        return;
    }
    effect_delete(out, TABLE_FLOW, &key);
    effect_reply_nothing(out, m->exchange);
}
