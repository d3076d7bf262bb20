/* Contacts. A body becomes a patch in all cases (model/message.h); that custom attributes exist and
 * have their type is for the directory to see. */
#include "api/routes.h"

#include "api/attribute_faults.h"
#include "api/csv_export.h"
#include "api/import.h"
#include "api/page.h"
#include "api/routes_contacts.h"
#include "api/routes_contacts_csv.h"
#include "api/routes_records.h"
#include "model/phone.h"

enum {
    NAME_CHARACTERS_MAX = 64,
    EMAIL_CHARACTERS_MAX = 254, /* RFC 5321, erratum 1690 */
    ZONE_CHARACTERS_MAX = 64,
    ATTRIBUTE_CHARACTERS_MAX = 4096, /* of one value, so that rows stay small */
    UPSERT_MAX = 1000,
    UPSERT_SLICE = 250, /* contacts, and attributes: each some 2 ms */
    UPSERT_SLICE_ATTRIBUTES = 3000,
};

/* ---- bodies ---- */

static bool is_email(struct slice text)
{
    const char *at = memchr(text.data, '@', text.size);

    if (at == NULL || at == text.data || at == text.data + text.size - 1) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c <= ' ' || c == 0x7f || (c == '@' && text.data + i != at)) {
            return false;
        }
    }
    return true;
}

/* An optional text: given it is set, null clears it. Returns whether there is one. */
static bool read_text(struct body_value *object, const char *name, size_t max,
                      struct contact_patch *patch, enum contact_field field, struct slice *out)
{
    enum property found = body_text(object, name, PROPERTY_OPTIONAL, 0, max, out);

    if (found == PROPERTY_GIVEN || found == PROPERTY_NULL) {
        patch->present |= field;
    }
    return found == PROPERTY_GIVEN && !slice_is_empty(*out);
}

/* One value of customAttributes, by the JSON type that it has. */
static void read_value(const struct body_value *value, struct attribute_value *out)
{
    if (json_is_null(value->json)) {
        out->is_null = true;
    } else if (json_is_boolean(value->json)) {
        out->type = ATTRIBUTE_BOOLEAN;
        out->boolean = json_is_true(value->json);
    } else if (json_is_number(value->json)) {
        out->type = ATTRIBUTE_NUMBER;
        out->number = json_number_value(value->json);
    } else if (json_is_string(value->json)) {
        out->type = ATTRIBUTE_STRING;
        (void)value_text(value, 0, ATTRIBUTE_CHARACTERS_MAX, &out->text);
    } else {
        value_fault(value, "must be a string, a number or a boolean");
    }
}

/* Names are the client's, so this does not ask by name as body_get does. */
static void read_attributes(struct body_value *object, struct contact_patch *patch)
{
    struct body_value values;
    enum property found = body_object(object, "customAttributes", PROPERTY_OPTIONAL, &values);
    size_t count = 0;
    const char *name;
    json_t *json;

    if (found == PROPERTY_NULL) {
        patch->present |= CONTACT_NO_ATTRIBUTES;
    }
    if (found != PROPERTY_GIVEN) {
        return;
    }
    struct attribute_value *attributes =
        arena_zalloc(object->arena, json_object_size(values.json) * sizeof(*attributes));
    json_object_foreach(values.json, name, json)
    {
        struct body_value value = {.parent = &values,
                                   .name = name,
                                   .json = json,
                                   .faults = object->faults,
                                   .arena = object->arena};
        attributes[count].name = arena_copy(object->arena, slice_from(name));
        read_value(&value, &attributes[count]);
        count++;
    }
    patch->present |= CONTACT_ATTRIBUTES;
    patch->value.attributes = attributes;
    patch->value.attribute_count = count;
}

void contact_read(struct exchange *exchange, struct body_value *object,
                  enum property_rule phone_rule, struct contact_patch *patch)
{
    struct contact *contact = &patch->value;
    enum property found;

    if (body_phone(object, "primaryPhone", phone_rule, &contact->primary_phone) == PROPERTY_GIVEN) {
        patch->present |= CONTACT_PRIMARY_PHONE;
    }
    read_text(object, "firstName", NAME_CHARACTERS_MAX, patch, CONTACT_FIRST_NAME,
              &contact->first_name);
    read_text(object, "lastName", NAME_CHARACTERS_MAX, patch, CONTACT_LAST_NAME,
              &contact->last_name);
    read_text(object, "fullName", NAME_CHARACTERS_MAX, patch, CONTACT_FULL_NAME,
              &contact->full_name);
    if (read_text(object, "primaryEmail", EMAIL_CHARACTERS_MAX, patch, CONTACT_PRIMARY_EMAIL,
                  &contact->primary_email) &&
        !is_email(contact->primary_email)) {
        body_fault(object, "primaryEmail", "must be an email address");
    }
    if (read_text(object, "timezone", ZONE_CHARACTERS_MAX, patch, CONTACT_TIMEZONE,
                  &contact->timezone) &&
        engine_zone_table(exchange->engine, contact->timezone) == NULL) {
        body_fault(object, "timezone", "must be an IANA time zone name");
    }
    found = body_boolean(object, "doNotCall", PROPERTY_OPTIONAL, &contact->do_not_call);
    if (found == PROPERTY_GIVEN || found == PROPERTY_NULL) {
        patch->present |= CONTACT_DO_NOT_CALL;
    }
    read_attributes(object, patch);
    body_close(object);
}

/* ---- handlers ---- */

static void on_create(struct exchange *exchange)
{
    struct message message =
        exchange_message(exchange, MESSAGE_CONTACT_CREATE, exchange->organisation);
    struct contact_patch *patch = arena_zalloc(exchange_payload(exchange), sizeof(*patch));
    struct body_value root;

    records_open_body(exchange, &root);
    contact_read(exchange, &root, PROPERTY_REQUIRED, patch);
    attribute_faults_add(exchange, &patch->value, SLICE(""));
    if (faults_any(&exchange->faults)) {
        exchange_send_faults(exchange);
        return;
    }
    patch->value.id = engine_new_id(exchange->engine);
    message.payload.contact = patch;
    exchange_post(exchange, &message);
}

static void on_patch(struct exchange *exchange)
{
    struct message message =
        exchange_message(exchange, MESSAGE_CONTACT_PATCH, exchange->organisation);
    struct contact_patch *patch = arena_zalloc(exchange_payload(exchange), sizeof(*patch));
    struct body_value root;

    records_open_body(exchange, &root);
    contact_read(exchange, &root, PROPERTY_PATCHED, patch);
    attribute_faults_add(exchange, &patch->value, SLICE(""));
    if (faults_any(&exchange->faults)) {
        exchange_send_faults(exchange);
        return;
    }
    patch->value.id = exchange->ids[0];
    message.payload.contact = patch;
    exchange_post(exchange, &message);
}

/* Reading a thousand contacts of many attributes takes some 15 ms, and looking their attributes up
 * when one of them has a fault even longer: both go in slices. */
struct upsert {
    struct body_value root, data;
    struct contact_patch *patches;
    size_t count;
    size_t read, looked_up; /* of them */
    bool is_closed;         /* the body: all of it has been read */
};

/* Goes on while a slice has not had so many contacts and attributes. */
static bool has_room(size_t contacts, size_t attributes)
{
    return contacts < UPSERT_SLICE && attributes < UPSERT_SLICE_ATTRIBUTES;
}

static void read_some(struct exchange *exchange, struct upsert *upsert)
{
    size_t attributes = 0;

    for (size_t n = 0; upsert->read < upsert->count && has_room(n, attributes); n++) {
        struct contact_patch *patch = &upsert->patches[upsert->read];
        struct body_value item;

        value_item(&upsert->data, upsert->read++, &item);
        if (value_is_object(&item)) {
            contact_read(exchange, &item, PROPERTY_REQUIRED, patch);
        }
        patch->value.id = engine_new_id(exchange->engine);
        attributes += patch->value.attribute_count;
    }
}

static void look_up_some(struct exchange *exchange, struct upsert *upsert)
{
    size_t attributes = 0;

    for (size_t n = 0; upsert->looked_up < upsert->count && has_room(n, attributes); n++) {
        size_t at = upsert->looked_up++;

        attribute_faults_add(exchange, &upsert->patches[at].value,
                             arena_printf(&exchange->arena, "data[%zu].", at));
        attributes += upsert->patches[at].value.attribute_count;
    }
}

static void post_upsert(struct exchange *exchange, const struct upsert *upsert)
{
    struct message message =
        exchange_message(exchange, MESSAGE_CONTACTS_UPSERT, exchange->organisation);
    struct contact_list *list = arena_zalloc(exchange_payload(exchange), sizeof(*list));

    list->contacts = upsert->patches;
    list->count = upsert->count;
    message.payload.contacts = list;
    exchange_post(exchange, &message);
}

static void upsert_slice(struct exchange *exchange)
{
    struct upsert *upsert = exchange->state;

    read_some(exchange, upsert);
    if (upsert->read < upsert->count) {
        return;
    }
    if (!upsert->is_closed) {
        body_close(&upsert->root);
        upsert->is_closed = true;
    }
    if (!faults_any(&exchange->faults)) {
        exchange_end_work(exchange);
        post_upsert(exchange, upsert);
        return;
    }
    look_up_some(exchange, upsert);
    if (upsert->looked_up == upsert->count) {
        exchange_send_faults(exchange);
    }
}

static void on_upsert(struct exchange *exchange)
{
    struct upsert *upsert = arena_zalloc(&exchange->arena, sizeof(*upsert));

    records_open_body(exchange, &upsert->root);
    if (body_array(&upsert->root, "data", PROPERTY_REQUIRED, 1, UPSERT_MAX, &upsert->data) ==
        PROPERTY_GIVEN) {
        upsert->count = value_count(&upsert->data);
    }
    upsert->patches =
        arena_zalloc(exchange_payload(exchange), upsert->count * sizeof(*upsert->patches));
    exchange->state = upsert;
    exchange_work(exchange, upsert_slice);
}

/* "?primaryPhone= finds one". A "+" that was not escaped arrives as a space. */
static void send_by_phone(struct exchange *exchange, struct slice text)
{
    struct render_context context = records_context(exchange);
    struct key prefix = key_u32(exchange->organisation);
    struct owned_id owned = {.owner = exchange->organisation};
    char phone[PHONE_TEXT_SIZE];
    json_t *page, *data;
    struct contact contact;

    if (text.size > 0 && text.data[0] == ' ') {
        text = arena_printf(&exchange->arena, "+%.*s", (int)text.size - 1, text.data + 1);
    }
    if (!phone_normalise(text, phone)) {
        faults_add(&exchange->faults, SLICE("primaryPhone"),
                   "must be a phone number in E.164: + and 7 to 15 digits");
    }
    if (!page_cursor_fits(exchange, TABLE_CONTACT, &prefix)) {
        faults_add(&exchange->faults, SLICE("cursor"), PAGE_CURSOR_FAULT);
    }
    if (faults_any(&exchange->faults)) {
        exchange_send_faults(exchange);
        return;
    }
    struct key by_phone = key_owned_text(exchange->organisation, slice_from(phone));
    (void)render_get(&context, TABLE_CONTACT_BY_PHONE, &by_phone, &owned);
    struct key key = key_owned(exchange->organisation, &owned.id); /* nil: nobody's */
    if (context.error == 0 && csv_is_wanted(exchange)) {
        send_contacts_csv(exchange, &key);
        return;
    }
    page = json_new_object();
    data = json_new_array();
    if (render_get(&context, TABLE_CONTACT, &key, &contact)) {
        json_put_item(data, render_contact(&context, &contact));
    }
    json_put(page, "data", data);
    json_put(page, "nextCursor", json_null());
    records_send(exchange, &context, page);
}

static void on_list(struct exchange *exchange)
{
    const struct slice *phone = exchange_query(exchange, "primaryPhone");

    if (phone != NULL) {
        send_by_phone(exchange, *phone);
        return;
    }
    if (csv_is_wanted(exchange)) {
        struct key all = key_u32(exchange->organisation);

        send_contacts_csv(exchange, &all);
        return;
    }
    records_send_list(exchange, TABLE_CONTACT);
}

static void on_get(struct exchange *exchange)
{
    records_send_one(exchange, TABLE_CONTACT, FAULT_CONTACT_NOT_FOUND);
}

static void on_delete(struct exchange *exchange)
{
    records_delete(exchange, MESSAGE_CONTACT_DELETE);
}

static const struct route_query import_query[] = {{"audienceId", false}, {NULL, false}};
static const struct route_query list_query[] = {{"primaryPhone", false}, {NULL, false}};

const struct route routes_contacts[] = {
    {.method = EVHTTP_REQ_POST,
     .path = "/api/contacts",
     .access = ACCESS_ORGANISATION,
     .body = ROUTE_BODY_JSON,
     .handle = on_create},
    {.method = EVHTTP_REQ_POST,
     .path = "/api/contacts/upsert",
     .access = ACCESS_ORGANISATION,
     .body = ROUTE_BODY_JSON,
     .handle = on_upsert},
    {.method = EVHTTP_REQ_POST,
     .path = "/api/contacts/import",
     .access = ACCESS_ORGANISATION,
     .body = ROUTE_BODY_STREAM,
     .query = import_query,
     .handle = import_begin},
    {.method = EVHTTP_REQ_GET,
     .path = "/api/contacts",
     .access = ACCESS_ORGANISATION,
     .is_list = true,
     .query = list_query,
     .handle = on_list},
    {.method = EVHTTP_REQ_GET,
     .path = "/api/contacts/:id",
     .access = ACCESS_ORGANISATION,
     .not_found = {FAULT_CONTACT_NOT_FOUND},
     .handle = on_get},
    {.method = EVHTTP_REQ_PATCH,
     .path = "/api/contacts/:id",
     .access = ACCESS_ORGANISATION,
     .body = ROUTE_BODY_JSON,
     .not_found = {FAULT_CONTACT_NOT_FOUND},
     .handle = on_patch},
    {.method = EVHTTP_REQ_DELETE,
     .path = "/api/contacts/:id",
     .access = ACCESS_ORGANISATION,
     .not_found = {FAULT_CONTACT_NOT_FOUND},
     .handle = on_delete},
    {.path = NULL},
};
