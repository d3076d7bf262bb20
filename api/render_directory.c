/* Attributes, contacts, audiences and flows as JSON. */
#include "api/render.h"

#include "api/render_parts.h"
#include "model/names.h"

/* 2^53: up to it a double holds every integer. */
static const double whole_number_max = 9007199254740992.0;

json_t *render_attribute(struct render_context *context, const void *record)
{
    const struct attribute *attribute = record;
    json_t *json = json_new_object();

    (void)context;
    json_put(json, "id", json_from_uuid(&attribute->id));
    json_put(json, "name", json_from_slice(attribute->name));
    json_put(json, "type", json_from_slice(slice_from(attribute_type_name(attribute->type))));
    json_put(json, "createdAt", json_from_instant(attribute->created_at));
    return json;
}

/* A number as it was given: 42 and not 42.0. */
static json_t *render_number(double number)
{
    if (number >= -whole_number_max && number <= whole_number_max &&
        number == (double)(json_int_t)number) {
        return json_integer((json_int_t)number);
    }
    return json_real(number);
}

static json_t *render_value(const struct attribute_value *value)
{
    switch (value->type) {
    case ATTRIBUTE_STRING:
    case ATTRIBUTE_DATE: return json_from_slice(value->text);
    case ATTRIBUTE_NUMBER: return render_number(value->number);
    case ATTRIBUTE_BOOLEAN: return json_boolean(value->boolean);
    }
    return json_null();
}

json_t *render_attributes(const struct contact *contact)
{
    json_t *json = json_new_object();

    for (size_t i = 0; i < contact->attribute_count; i++) {
        const struct attribute_value *value = &contact->attributes[i];
        char name[KEY_BYTES_MAX];
        size_t size = value->name.size < sizeof(name) ? value->name.size : sizeof(name) - 1;
        memcpy(name, value->name.data, size);
        name[size] = '\0';
        json_put(json, name, render_value(value));
    }
    return json;
}

json_t *render_contact(struct render_context *context, const void *record)
{
    const struct contact *contact = record;
    json_t *json = json_new_object();

    (void)context;
    json_put(json, "id", json_from_uuid(&contact->id));
    json_put(json, "primaryPhone", json_from_slice(contact->primary_phone));
    json_put(json, "firstName", json_from_slice_or_null(contact->first_name));
    json_put(json, "lastName", json_from_slice_or_null(contact->last_name));
    json_put(json, "fullName", json_from_slice_or_null(contact->full_name));
    json_put(json, "primaryEmail", json_from_slice_or_null(contact->primary_email));
    json_put(json, "timezone", json_from_slice_or_null(contact->timezone));
    json_put(json, "doNotCall", json_boolean(contact->do_not_call));
    json_put(json, "customAttributes", render_attributes(contact));
    json_put(json, "createdAt", json_from_instant(contact->created_at));
    json_put(json, "updatedAt", json_from_instant(contact->updated_at));
    return json;
}

json_t *render_audience(struct render_context *context, const void *record)
{
    const struct audience *audience = record;
    json_t *json = json_new_object();

    (void)context;
    json_put(json, "id", json_from_uuid(&audience->id));
    json_put(json, "name", json_from_slice(audience->name));
    json_put(json, "contactCount", json_integer((json_int_t)audience->contact_count));
    json_put(json, "createdAt", json_from_instant(audience->created_at));
    json_put(json, "updatedAt", json_from_instant(audience->updated_at));
    return json;
}

json_t *render_flow(struct render_context *context, const void *record)
{
    const struct flow *flow = record;
    json_t *json = json_new_object(), *nodes = NULL;

    if (!slice_is_empty(flow->nodes)) {
        nodes = json_loadb(flow->nodes.data, flow->nodes.size, 0, NULL);
        if (nodes == NULL && context->error == 0) {
            context->error = OD_ECORRUPT;
        }
    }
    json_put(json, "id", json_from_uuid(&flow->id));
    json_put(json, "name", json_from_slice(flow->name));
    json_put(json, "nodes", nodes != NULL ? nodes : json_null());
    json_put(json, "startNode", json_from_slice_or_null(flow->start_node));
    json_put(json, "createdAt", json_from_instant(flow->created_at));
    json_put(json, "updatedAt", json_from_instant(flow->updated_at));
    return json;
}
