/* Custom attributes of an organisation's contacts. */
#include "api/routes.h"

#include "api/routes_records.h"
#include "model/names.h"

enum { NAME_CHARACTERS_MAX = 64 };

/* "[A-Za-z_][A-Za-z0-9_]{0,63}" (api.md); the length has been checked. */
static bool is_attribute_name(struct slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        if (!is_letter && !(i > 0 && c >= '0' && c <= '9')) {
            return false;
        }
    }
    return true;
}

static void on_create(struct exchange *exchange)
{
    static const struct body_word types[] = {{"string", ATTRIBUTE_STRING},
                                             {"number", ATTRIBUTE_NUMBER},
                                             {"boolean", ATTRIBUTE_BOOLEAN},
                                             {"date", ATTRIBUTE_DATE},
                                             {NULL, 0}};
    struct message message =
        exchange_message(exchange, MESSAGE_ATTRIBUTE_CREATE, exchange->organisation);
    struct attribute *attribute = arena_zalloc(exchange_payload(exchange), sizeof(*attribute));
    struct body_value root;
    int type;

    records_open_body(exchange, &root);
    if (body_text(&root, "name", PROPERTY_REQUIRED, 1, NAME_CHARACTERS_MAX, &attribute->name) ==
            PROPERTY_GIVEN &&
        !is_attribute_name(attribute->name)) {
        body_fault(&root, "name", "must match [A-Za-z_][A-Za-z0-9_]{0,63}");
    }
    if (body_word(&root, "type", PROPERTY_REQUIRED, types, &type) == PROPERTY_GIVEN) {
        attribute->type = (enum attribute_type)type;
    }
    if (!records_close_body(exchange, &root)) {
        return;
    }
    attribute->id = engine_new_id(exchange->engine);
    message.payload.attribute = attribute;
    exchange_post(exchange, &message);
}

static void on_list(struct exchange *exchange)
{
    records_send_list(exchange, TABLE_ATTRIBUTE);
}

static void on_delete(struct exchange *exchange)
{
    records_delete(exchange, MESSAGE_ATTRIBUTE_DELETE);
}

const struct route routes_attributes[] = {
    {.method = EVHTTP_REQ_POST,
     .path = "/api/custom-attributes",
     .access = ACCESS_ORGANISATION,
     .body = ROUTE_BODY_JSON,
     .handle = on_create},
    {.method = EVHTTP_REQ_GET,
     .path = "/api/custom-attributes",
     .access = ACCESS_ORGANISATION,
     .is_list = true,
     .handle = on_list},
    {.method = EVHTTP_REQ_DELETE,
     .path = "/api/custom-attributes/:id",
     .access = ACCESS_ORGANISATION,
     .not_found = {FAULT_CUSTOM_ATTRIBUTE_NOT_FOUND},
     .handle = on_delete},
    {.path = NULL},
};
