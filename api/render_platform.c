/* Organisations, API keys and DIDs as JSON. */
#include "api/render.h"

#include "model/names.h"

/* What is free; null: unlimited. */
static json_t *render_credits(struct render_context *context,
                              const struct organisation *organisation)
{
    struct key key = key_u32(organisation->number);
    struct credits credits;

    /* No row yet: that of an older program, or the answer to a POST whose batch is not closed. */
    if (!render_get(context, TABLE_CREDITS, &key, &credits)) {
        credits.is_limited = organisation->has_credits;
        credits.balance = organisation->credits;
    }
    return credits.is_limited ? json_integer(credits.balance) : json_null();
}

json_t *render_organisation(struct render_context *context, const void *record)
{
    const struct organisation *organisation = record;
    json_t *json = json_new_object();

    json_put(json, "id", json_from_uuid(&organisation->id));
    json_put(json, "name", json_from_slice(organisation->name));
    json_put(json, "timezone", json_from_slice(organisation->timezone));
    json_put(json, "credits", render_credits(context, organisation));
    json_put(json, "maxConcurrentCalls",
             json_from_count_or_null(organisation->max_concurrent_calls));
    json_put(json, "callsPerSecond", json_from_rate_or_null(organisation->calls_per_second_micro));
    json_put(json, "createdAt", json_from_instant(organisation->created_at));
    json_put(json, "updatedAt", json_from_instant(organisation->updated_at));
    return json;
}

json_t *render_api_key(struct render_context *context, const void *record)
{
    const struct api_key *api_key = record;
    json_t *json = json_new_object();

    json_put(json, "id", json_from_uuid(&api_key->id));
    json_put(json, "name", json_from_slice(api_key->name));
    json_put(json, "role", json_from_slice(slice_from(role_name(api_key->role))));
    /* Only in the answer to its creation: nothing else of it is kept than its hash. */
    if (!slice_is_empty(context->exchange->secret)) {
        json_put(json, "key", json_from_slice(context->exchange->secret));
    }
    json_put(json, "createdAt", json_from_instant(api_key->created_at));
    return json;
}

json_t *render_did(struct render_context *context, const void *record)
{
    const struct did *did = record;
    json_t *json = json_new_object();

    json_put(json, "id", json_from_uuid(&did->id));
    json_put(json, "number", json_from_slice(did->number));
    json_put(json, "status", json_from_slice(slice_from(did_status_name(did->status))));
    json_put(json, "organizationId", render_organisation_id(context, did->owner));
    json_put(json, "createdAt", json_from_instant(did->created_at));
    json_put(json, "updatedAt", json_from_instant(did->updated_at));
    return json;
}
