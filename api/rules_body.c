/* Whether a node exists is looked up in the durable row of the flow: a client can name a flow only
 * after its creation was answered. Whether the flow itself exists is for the directory to see. */
#include "api/rules_body.h"

#include "storage/reader.h"

enum { NODE_CHARACTERS_MAX = 255 };

/* 2^53 - 1: what every client can read as a number. */
static const int64_t threshold_max = INT64_C(9007199254740991);

/* ---- the rules ---- */

static bool is_repeated(const struct auto_pause_rule *rules, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (slice_equal(rules[i].node_id, rules[index].node_id)) {
            return true;
        }
    }
    return false;
}

static void read_rule(struct body_value *item, struct auto_pause_rule *rules, size_t index)
{
    struct auto_pause_rule *rule = &rules[index];
    int64_t threshold = 0;

    if (!value_is_object(item)) {
        return;
    }
    if (body_text(item, "nodeId", PROPERTY_REQUIRED, 1, NODE_CHARACTERS_MAX, &rule->node_id) ==
            PROPERTY_GIVEN &&
        is_repeated(rules, index)) {
        body_fault(item, "nodeId", "must not have two rules");
    }
    (void)body_integer(item, "threshold", PROPERTY_REQUIRED, 1, threshold_max, &threshold);
    rule->threshold = (uint64_t)threshold;
    (void)body_boolean(item, "resetOnResume", PROPERTY_OPTIONAL, &rule->reset_on_resume);
    body_close(item);
}

void rules_read(struct body_value *root, struct rules_body *out)
{
    struct body_value item;

    *out = (struct rules_body){0};
    out->found =
        body_array(root, "autoPauseRules", PROPERTY_OPTIONAL, 0, AUTO_PAUSE_RULES_MAX, &out->list);
    if (out->found != PROPERTY_GIVEN) {
        return;
    }
    out->count = value_count(&out->list);
    out->rules = arena_zalloc(root->arena, out->count * sizeof(*out->rules));
    for (size_t i = 0; i < out->count; i++) {
        value_item(&out->list, i, &item);
        read_rule(&item, out->rules, i);
    }
}

/* ---- the flow's nodes ---- */

/* The flow's nodes; NULL: it has none, or there is no such flow. The caller frees it. */
static json_t *read_nodes(struct exchange *exchange, const struct uuid *flow_id)
{
    struct key key = key_owned(exchange->organisation, flow_id);
    struct flow flow;
    json_t *nodes;

    if (uuid_is_nil(flow_id) ||
        reader_get(exchange->reader, TABLE_FLOW, &key, &exchange->arena, &flow) != 0 ||
        slice_is_empty(flow.nodes)) {
        return NULL;
    }
    nodes = json_loadb(flow.nodes.data, flow.nodes.size, 0, NULL);
    if (json_array_size(nodes) == 0) {
        json_decref(nodes);
        return NULL;
    }
    return nodes;
}

static bool has_node(const json_t *nodes, struct slice id)
{
    const json_t *node;
    size_t index;

    json_array_foreach(nodes, index, node)
    {
        const json_t *text = json_object_get(node, "id");

        if (slice_equal(slice_make(json_string_value(text), json_string_length(text)), id)) {
            return true;
        }
    }
    return false;
}

void rules_check_flow(struct exchange *exchange, struct rules_body *body,
                      const struct uuid *flow_id)
{
    json_t *nodes = body->count > 0 ? read_nodes(exchange, flow_id) : NULL;
    struct body_value item;

    for (size_t i = 0; nodes != NULL && i < body->count; i++) {
        if (!slice_is_empty(body->rules[i].node_id) && !has_node(nodes, body->rules[i].node_id)) {
            value_item(&body->list, i, &item);
            body_fault(&item, "nodeId", "must be the id of one of the flow's nodes");
        }
    }
    json_decref(nodes);
}

void rules_check_other_flow(struct exchange *exchange, const struct body_value *root,
                            const struct auto_pause_rule *rules, size_t count,
                            const struct uuid *flow_id)
{
    json_t *nodes = count > 0 ? read_nodes(exchange, flow_id) : NULL;

    for (size_t i = 0; nodes != NULL && i < count; i++) {
        if (!has_node(nodes, rules[i].node_id)) {
            body_fault(root, "flowId", "has no node \"%.*s\", which an auto-pause rule is about",
                       SLICE_ARGS(rules[i].node_id));
            break;
        }
    }
    json_decref(nodes);
}
