/* Audiences and the contacts in them. */
#include "api/routes.h"

#include "api/routes_records.h"

enum {
    NAME_CHARACTERS_MAX = 255,
    MEMBERS_MAX = 1000 /* of one request */
};

static void on_create(struct exchange *exchange)
{
    struct message message =
        exchange_message(exchange, MESSAGE_AUDIENCE_CREATE, exchange->organisation);
    struct audience *audience = arena_zalloc(exchange_payload(exchange), sizeof(*audience));
    struct body_value root;

    records_open_body(exchange, &root);
    body_text(&root, "name", PROPERTY_REQUIRED, 1, NAME_CHARACTERS_MAX, &audience->name);
    if (!records_close_body(exchange, &root)) {
        return;
    }
    audience->id = engine_new_id(exchange->engine);
    audience->number = engine_next_number(exchange->engine, TABLE_AUDIENCE);
    message.payload.audience = audience;
    exchange_post(exchange, &message);
}

static void on_patch(struct exchange *exchange)
{
    struct message message =
        exchange_message(exchange, MESSAGE_AUDIENCE_PATCH, exchange->organisation);
    struct body_value root;

    records_open_body(exchange, &root);
    body_text(&root, "name", PROPERTY_PATCHED, 1, NAME_CHARACTERS_MAX,
              &message.payload.rename.name);
    if (!records_close_body(exchange, &root)) {
        return;
    }
    message.payload.rename.id = exchange->ids[0];
    exchange_post(exchange, &message);
}

static void on_list(struct exchange *exchange)
{
    records_send_list(exchange, TABLE_AUDIENCE);
}

static void on_get(struct exchange *exchange)
{
    records_send_one(exchange, TABLE_AUDIENCE, FAULT_AUDIENCE_NOT_FOUND);
}

static void on_delete(struct exchange *exchange)
{
    records_delete(exchange, MESSAGE_AUDIENCE_DELETE);
}

/* ---- members ---- */

static void post_members(struct exchange *exchange, enum message_type type)
{
    struct message message = exchange_message(exchange, type, exchange->organisation);
    struct body_value root, list, item;
    struct uuid *ids = NULL;
    size_t count = 0;

    records_open_body(exchange, &root);
    if (body_array(&root, "contactIds", PROPERTY_REQUIRED, 1, MEMBERS_MAX, &list) ==
        PROPERTY_GIVEN) {
        count = value_count(&list);
        ids = arena_zalloc(root.arena, count * sizeof(*ids));
    }
    for (size_t i = 0; i < count; i++) {
        value_item(&list, i, &item);
        (void)value_uuid(&item, &ids[i]);
    }
    if (!records_close_body(exchange, &root)) {
        return;
    }
    message.payload.members = (struct id_list){exchange->ids[0], ids, count};
    exchange_post(exchange, &message);
}

static void on_members_add(struct exchange *exchange)
{
    post_members(exchange, MESSAGE_MEMBERS_ADD);
}

static void on_members_remove(struct exchange *exchange)
{
    post_members(exchange, MESSAGE_MEMBERS_REMOVE);
}

static json_t *show_member(struct render_context *context, void *state, const struct key *key,
                           struct slice raw)
{
    const struct key *prefix = state;
    struct uuid id = key_uuid_at(key, prefix->size);
    struct key contact_key = key_owned(context->exchange->organisation, &id);
    struct contact contact;

    (void)raw;
    if (!render_get(context, TABLE_CONTACT, &contact_key, &contact)) {
        return NULL;
    }
    return render_contact(context, &contact);
}

static void on_members_list(struct exchange *exchange)
{
    struct audience audience;
    struct page_list list = {.table = TABLE_MEMBER, .show = show_member, .state = &list.prefix};

    if (!records_find(exchange, TABLE_AUDIENCE, FAULT_AUDIENCE_NOT_FOUND, &audience)) {
        return;
    }
    list.prefix = key_u32(audience.number);
    page_send(exchange, &list);
}

const struct route routes_audiences[] = {
    {.method = EVHTTP_REQ_POST,
     .path = "/api/audiences",
     .access = ACCESS_ORGANISATION,
     .body = ROUTE_BODY_JSON,
     .handle = on_create},
    {.method = EVHTTP_REQ_GET,
     .path = "/api/audiences",
     .access = ACCESS_ORGANISATION,
     .is_list = true,
     .handle = on_list},
    {.method = EVHTTP_REQ_GET,
     .path = "/api/audiences/:id",
     .access = ACCESS_ORGANISATION,
     .not_found = {FAULT_AUDIENCE_NOT_FOUND},
     .handle = on_get},
    {.method = EVHTTP_REQ_PATCH,
     .path = "/api/audiences/:id",
     .access = ACCESS_ORGANISATION,
     .body = ROUTE_BODY_JSON,
     .not_found = {FAULT_AUDIENCE_NOT_FOUND},
     .handle = on_patch},
    {.method = EVHTTP_REQ_DELETE,
     .path = "/api/audiences/:id",
     .access = ACCESS_ORGANISATION,
     .not_found = {FAULT_AUDIENCE_NOT_FOUND},
     .handle = on_delete},
    {.method = EVHTTP_REQ_POST,
     .path = "/api/audiences/:id/contacts",
     .access = ACCESS_ORGANISATION,
     .body = ROUTE_BODY_JSON,
     .not_found = {FAULT_AUDIENCE_NOT_FOUND},
     .handle = on_members_add},
    {.method = EVHTTP_REQ_DELETE,
     .path = "/api/audiences/:id/contacts",
     .access = ACCESS_ORGANISATION,
     .body = ROUTE_BODY_JSON,
     .not_found = {FAULT_AUDIENCE_NOT_FOUND},
     .handle = on_members_remove},
    {.method = EVHTTP_REQ_GET,
     .path = "/api/audiences/:id/contacts",
     .access = ACCESS_ORGANISATION,
     .is_list = true,
     .not_found = {FAULT_AUDIENCE_NOT_FOUND},
     .handle = on_members_list},
    {.path = NULL},
};
