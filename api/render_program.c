/* A program as JSON. */
#include "api/render.h"

#include "api/render_parts.h"
#include "model/names.h"

enum { POOL_ITEM_BYTES = 512 }; /* by the time it takes, which is more than its text */

/* The DIDs of the pool that still exist. */
static json_t *render_pool(struct render_context *context, const struct program *program)
{
    json_t *json = json_new_array();

    for (size_t i = 0; i < program->did_count; i++) {
        struct key by_id = key_uuid(&program->did_pool[i]);
        struct number_row owner;
        struct did did;
        if (!render_get(context, TABLE_DID_OWNER, &by_id, &owner)) {
            continue;
        }
        struct key key = key_owned(owner.number, &program->did_pool[i]);
        if (render_get(context, TABLE_DID, &key, &did)) {
            json_t *item = json_new_object();
            context->bytes += POOL_ITEM_BYTES;
            json_put(item, "id", json_from_uuid(&did.id));
            json_put(item, "number", json_from_slice(did.number));
            json_put(item, "status", json_from_slice(slice_from(did_status_name(did.status))));
            json_put_item(json, item);
        }
    }
    return json;
}

/* The gateway that the next execution would have. */
static json_t *render_gateway(const struct render_context *context, struct slice name)
{
    const struct config *config = engine_config(context->exchange->engine);

    if (slice_is_empty(name) && config->gateway_count > 0) {
        return json_from_slice(slice_from(config->gateway_settings[0].name));
    }
    return json_from_slice_or_null(name);
}

json_t *render_program(struct render_context *context, const void *record)
{
    const struct program *program = record;
    json_t *json = json_new_object();

    json_put(json, "id", json_from_uuid(&program->id));
    json_put(json, "organizationId",
             render_organisation_id(context, context->exchange->organisation));
    json_put(json, "name", json_from_slice(program->name));
    json_put(json, "status", json_from_slice(slice_from(program_status_name(program->status))));
    json_put(json, "mode", json_from_slice(slice_from(program_mode_name(program->mode))));
    json_put(json, "flowId", json_from_uuid(&program->flow_id));
    json_put(json, "audienceId", json_from_uuid(&program->audience_id));
    json_put(json, "didPool", render_pool(context, program));
    json_put(json, "triggerCondition", render_trigger_condition(&program->trigger));
    json_put(json, "startAt", json_from_instant_or_null(program->start_at));
    json_put(json, "stopAt", json_from_instant_or_null(program->stop_at));
    json_put(json, "retryStrategy", render_retry(&program->retry));
    json_put(json, "pauseWindows",
             render_windows(context, program->has_pause_windows, &program->windows));
    json_put(json, "autoPauseRules", render_rules(context, program->rules, program->rule_count));
    json_put(json, "pacing", render_pacing(&program->pacing));
    json_put(json, "gateway", render_gateway(context, program->gateway));
    json_put(json, "createdAt", json_from_instant(program->created_at));
    json_put(json, "updatedAt", json_from_instant(program->updated_at));
    return json;
}
