/* Flows. Nodes are kept as the compact text of their JSON: the engine needs nothing of them but
 * their ids, which are checked here.
 */
#include "api/routes.h"

#include <stdlib.h>

#include "api/routes_records.h"

enum {
    NAME_CHARACTERS_MAX = 255,
    NODES_MAX = 1000,
    NODE_TEXT_MAX = 255,         /* characters of an id or a type */
    NODES_BYTES_MAX = 256 * 1024 /* of all nodes, as they are stored */
};

/* The ids of a flow's nodes, sorted. */
struct node_ids {
    struct slice *ids;
    size_t count;
};

static int compare_ids(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

static bool has_node(const struct node_ids *nodes, struct slice id)
{
    return nodes->count > 0 &&
           bsearch(&id, nodes->ids, nodes->count, sizeof(id), compare_ids) != NULL;
}

static void check_distinct(const struct body_value *array, const struct node_ids *nodes)
{
    for (size_t i = 1; i < nodes->count; i++) {
        if (slice_equal(nodes->ids[i - 1], nodes->ids[i])) {
            value_fault(array, "must have nodes with different ids, and has \"%.*s\" twice",
                        SLICE_ARGS(nodes->ids[i]));
            return;
        }
    }
}

static void keep_nodes(const struct body_value *array, struct slice *out)
{
    struct buf buf;

    buf_init(&buf);
    if (json_print(array->json, &buf) != 0 || buf.size > NODES_BYTES_MAX) {
        value_fault(array, "must have at most %d bytes", NODES_BYTES_MAX);
    } else {
        *out = arena_copy(array->arena, buf_slice(&buf));
    }
    buf_deinit(&buf);
}

/* Reads the nodes: each has an id and a type, and what else it likes. */
static enum property read_nodes(struct body_value *root, struct node_ids *nodes, struct slice *text)
{
    struct body_value array, node, type_place;
    enum property found = body_array(root, "nodes", PROPERTY_OPTIONAL, 0, NODES_MAX, &array);

    if (found != PROPERTY_GIVEN) {
        return found;
    }
    nodes->ids = arena_zalloc(root->arena, value_count(&array) * sizeof(*nodes->ids));
    for (size_t i = 0; i < value_count(&array); i++) {
        struct slice type;
        value_item(&array, i, &node);
        if (!value_is_object(&node)) {
            continue;
        }
        if (body_text(&node, "id", PROPERTY_REQUIRED, 1, NODE_TEXT_MAX,
                      &nodes->ids[nodes->count]) == PROPERTY_GIVEN) {
            nodes->count++;
        }
        if (body_get(&node, "type", PROPERTY_REQUIRED, &type_place) == PROPERTY_GIVEN) {
            (void)value_text(&type_place, 1, NODE_TEXT_MAX, &type);
        }
    }
    qsort(nodes->ids, nodes->count, sizeof(*nodes->ids), compare_ids);
    check_distinct(&array, nodes);
    keep_nodes(&array, text);
    return found;
}

/* ---- handlers ---- */

static void on_create(struct exchange *exchange)
{
    struct message message =
        exchange_message(exchange, MESSAGE_FLOW_CREATE, exchange->organisation);
    struct flow *flow = arena_zalloc(exchange_payload(exchange), sizeof(*flow));
    struct node_ids nodes = {0};
    struct body_value root;

    records_open_body(exchange, &root);
    body_text(&root, "name", PROPERTY_REQUIRED, 1, NAME_CHARACTERS_MAX, &flow->name);
    enum property found = read_nodes(&root, &nodes, &flow->nodes);
    if (body_text(&root, "startNode", PROPERTY_OPTIONAL, 1, NODE_TEXT_MAX, &flow->start_node) ==
            PROPERTY_GIVEN &&
        found != PROPERTY_FAULTY && !has_node(&nodes, flow->start_node)) {
        body_fault(&root, "startNode", "must be the id of one of the nodes");
    }
    if (!records_close_body(exchange, &root)) {
        return;
    }
    flow->id = engine_new_id(exchange->engine);
    message.payload.flow = flow;
    exchange_post(exchange, &message);
}

/* The ids of nodes that are stored. */
static void stored_nodes(struct exchange *exchange, struct slice text, struct node_ids *nodes)
{
    json_t *array = json_loadb(text.data, text.size, 0, NULL);
    size_t count = json_array_size(array);

    nodes->ids = arena_zalloc(&exchange->arena, count * sizeof(*nodes->ids));
    for (size_t i = 0; i < count; i++) {
        const char *id = json_string_value(json_object_get(json_array_get(array, i), "id"));
        if (id != NULL) {
            nodes->ids[nodes->count++] = arena_copy(&exchange->arena, slice_from(id));
        }
    }
    qsort(nodes->ids, nodes->count, sizeof(*nodes->ids), compare_ids);
    json_decref(array);
}

/* startNode must be one of the nodes, whichever of them the patch leaves as it is. Nodes that go
 * take the start with them, unless it is given. */
static void check_start(struct exchange *exchange, struct body_value *root,
                        const struct flow *stored, struct node_ids *nodes, struct flow_patch *patch)
{
    struct slice start = stored->start_node;

    if (!(patch->present & FLOW_NODES) && !slice_is_empty(stored->nodes)) {
        stored_nodes(exchange, stored->nodes, nodes);
    }
    if (patch->present & FLOW_START_NODE) {
        start = patch->value.start_node;
    } else if ((patch->present & FLOW_NODES) && nodes->count == 0) {
        patch->present |= FLOW_START_NODE;
        start = SLICE("");
    }
    if (!slice_is_empty(start) && !has_node(nodes, start)) {
        body_fault(root, "startNode", "must be the id of one of the nodes");
    }
}

static void on_patch(struct exchange *exchange)
{
    struct message message = exchange_message(exchange, MESSAGE_FLOW_PATCH, exchange->organisation);
    struct flow_patch *patch = arena_zalloc(exchange_payload(exchange), sizeof(*patch));
    struct node_ids nodes = {0};
    struct body_value root;
    struct flow stored;

    if (!records_find(exchange, TABLE_FLOW, FAULT_FLOW_NOT_FOUND, &stored)) {
        return;
    }
    records_open_body(exchange, &root);
    if (body_text(&root, "name", PROPERTY_PATCHED, 1, NAME_CHARACTERS_MAX, &patch->value.name) ==
        PROPERTY_GIVEN) {
        patch->present |= FLOW_NAME;
    }
    enum property found = read_nodes(&root, &nodes, &patch->value.nodes);
    if (found == PROPERTY_GIVEN || found == PROPERTY_NULL) {
        patch->present |= FLOW_NODES;
    }
    enum property start = body_text(&root, "startNode", PROPERTY_OPTIONAL, 1, NODE_TEXT_MAX,
                                    &patch->value.start_node);
    if (start == PROPERTY_GIVEN || start == PROPERTY_NULL) {
        patch->present |= FLOW_START_NODE;
    }
    if (found != PROPERTY_FAULTY && start != PROPERTY_FAULTY) {
        check_start(exchange, &root, &stored, &nodes, patch);
    }
    if (!records_close_body(exchange, &root)) {
        return;
    }
    patch->value.id = exchange->ids[0];
    message.payload.flow_patch = patch;
    exchange_post(exchange, &message);
}

static void on_list(struct exchange *exchange)
{
    records_send_list(exchange, TABLE_FLOW);
}

static void on_get(struct exchange *exchange)
{
    records_send_one(exchange, TABLE_FLOW, FAULT_FLOW_NOT_FOUND);
}

static void on_delete(struct exchange *exchange)
{
    records_delete(exchange, MESSAGE_FLOW_DELETE);
}

const struct route routes_flows[] = {
    {.method = EVHTTP_REQ_POST,
     .path = "/api/flows",
     .access = ACCESS_ORGANISATION,
     .body = ROUTE_BODY_JSON,
     .handle = on_create},
    {.method = EVHTTP_REQ_GET,
     .path = "/api/flows",
     .access = ACCESS_ORGANISATION,
     .is_list = true,
     .handle = on_list},
    {.method = EVHTTP_REQ_GET,
     .path = "/api/flows/:id",
     .access = ACCESS_ORGANISATION,
     .not_found = {FAULT_FLOW_NOT_FOUND},
     .handle = on_get},
    {.method = EVHTTP_REQ_PATCH,
     .path = "/api/flows/:id",
     .access = ACCESS_ORGANISATION,
     .body = ROUTE_BODY_JSON,
     .not_found = {FAULT_FLOW_NOT_FOUND},
     .handle = on_patch},
    {.method = EVHTTP_REQ_DELETE,
     .path = "/api/flows/:id",
     .access = ACCESS_ORGANISATION,
     .not_found = {FAULT_FLOW_NOT_FOUND},
     .handle = on_delete},
    {.path = NULL},
};
