/* A claim:
 *
 * 1. The handler posts CLAIM. The dispatcher answers at once when calls are on offer, or when the
 *    claim does not wait; else it keeps the claim.
 * 2. While the claim waits, a timer of real time and the client's socket are watched. On either's
 *    end CLAIM_GIVEN_UP is posted: the dispatcher forgets the claim and answers with no calls,
 *    unless it has just given some.
 * 3. The reply comes when the leases are on disk. The socket is asked once more; a client that has
 *    gone gets nothing, and the calls are released at once, as their claim has reached nobody.
 * 4. The key of a claim that could wait is looked up again: one that has been revoked meanwhile
 *    gets no calls.
 * 5. Else each call is shown from durable rows, but for those that have ended or lost this claim
 *    since (a contact that was cancelled in between).
 */
#include "api/claims.h"

#include "api/admission.h"
#include "api/body.h"
#include "api/render.h"
#include "api/render_parts.h"
#include "api/server.h"

enum {
    CLAIM_CALLS_MAX = 1000,
    CLAIM_WAIT_MAX_MS = 30000,
};

/* ---- asking ---- */

/* The gateway that calls are claimed from when none is named: the first one with claims. */
static struct slice default_gateway(const struct config *config)
{
    for (uint32_t i = 0; i < config->gateway_count; i++) {
        if (config->gateway_settings[i].is_pull) {
            return slice_from(config->gateway_settings[i].name);
        }
    }
    return SLICE("");
}

static struct slice read_gateway(struct exchange *exchange, struct body_value *root)
{
    const struct config *config = engine_config(exchange->engine);
    struct slice name = default_gateway(config);
    enum property found = body_text(root, "gateway", PROPERTY_OPTIONAL, 1, 255, &name);
    uint32_t index;

    if (found == PROPERTY_FAULTY) {
        return name;
    }
    if (slice_is_empty(name) || !engine_gateway_index(exchange->engine, name, &index)) {
        body_fault(root, "gateway", "must be the name of a configured gateway");
    } else if (!config->gateway_settings[index].is_pull) {
        body_fault(root, "gateway", "must be a gateway whose calls are claimed");
    }
    return name;
}

static void post_given_up(struct exchange *exchange)
{
    struct message message = exchange_message(exchange, MESSAGE_CLAIM_GIVEN_UP, 0);

    exchange_post(exchange, &message);
}

static void send_calls(struct exchange *exchange, json_t *calls)
{
    json_t *body = json_new_object();

    json_put(body, "calls", calls);
    exchange_send_json(exchange, 200, body);
}

static void on_gone(struct exchange *exchange)
{
    post_given_up(exchange);
    if (!exchange_is_over(exchange)) {
        send_calls(exchange, json_new_array());
    }
}

/* ---- showing ---- */

/* Calls of one claim come from few executions: each one's settings are read once in a row. */
struct claim_view {
    struct render_context context;
    struct arena call_arena;
    uint32_t execution; /* whose settings these are; 0: none */
    bool has_settings;
    struct execution_settings settings;
};

static bool load_settings(struct claim_view *view, uint32_t execution)
{
    struct key key = key_u32(execution);

    if (view->execution != execution) {
        view->execution = execution;
        view->context.arena = &view->context.exchange->arena;
        view->has_settings = render_get(&view->context, TABLE_EXECUTION, &key, &view->settings);
        view->context.arena = &view->call_arena;
    }
    return view->has_settings;
}

static json_t *show_contact(struct claim_view *view, const struct uuid *id)
{
    struct key key = key_owned(view->settings.organisation, id);
    struct contact contact;
    json_t *json = json_new_object();

    if (!render_get(&view->context, TABLE_CONTACT, &key, &contact)) {
        /* Deleted since: its permission to dial will be refused. */
        json_put(json, "customAttributes", json_new_object());
        return json;
    }
    json_put(json, "firstName", json_from_slice_or_null(contact.first_name));
    json_put(json, "lastName", json_from_slice_or_null(contact.last_name));
    json_put(json, "fullName", json_from_slice_or_null(contact.full_name));
    json_put(json, "primaryEmail", json_from_slice_or_null(contact.primary_email));
    json_put(json, "timezone", json_from_slice_or_null(contact.timezone));
    json_put(json, "customAttributes", render_attributes(&contact));
    return json;
}

static struct uuid call_id_of(const struct execution_settings *settings,
                              const struct live_call *live)
{
    return call_id_make(&(struct call_name){.execution = settings->number,
                                            .attempt = live->attempt,
                                            .tag = call_tag_of_era(&settings->id, live->era),
                                            .entry = live->entry});
}

/* NULL: the call is no longer under this claim. */
static json_t *show_call(struct claim_view *view, const struct claimed_call *call)
{
    const struct execution_settings *settings = &view->settings;
    struct key key = key_entry(call->execution, call->entry);
    struct live_call live;
    struct uuid id;
    json_t *json;

    arena_reset(&view->call_arena);
    if (!load_settings(view, call->execution) ||
        !render_get(&view->context, TABLE_LIVE_CALL, &key, &live) ||
        live.attempt != call->attempt || live.status != CALL_CLAIMED ||
        !uuid_equal(&live.claim_id, &call->claim_id) || live.did >= settings->did_count) {
        return NULL;
    }
    id = call_id_of(settings, &live);
    json = json_new_object();
    json_put(json, "callId", json_from_uuid(&id));
    json_put(json, "claimId", json_from_uuid(&call->claim_id));
    json_put(json, "executionId", json_from_uuid(&settings->id));
    json_put(json, "programId", json_from_uuid(&settings->program_id));
    json_put(json, "organizationId", json_from_uuid(&settings->organisation_id));
    json_put(json, "contactId", json_from_uuid(&live.contact_id));
    json_put(json, "attempt", json_integer(call->attempt));
    json_put(json, "to", json_from_slice(live.to));
    json_put(json, "from", json_from_slice(settings->dids[live.did].number));
    json_put(json, "didId", json_from_uuid(&settings->dids[live.did].id));
    json_put(json, "flowId", json_from_uuid(&settings->flow_id));
    json_put(json, "contact", show_contact(view, &live.contact_id));
    json_put(json, "redelivered", json_boolean(live.leases > 1));
    json_put(json, "leaseExpiresAt", json_from_instant(live.lease_expires_at));
    return json;
}

static void show_calls(struct exchange *exchange, struct reader *reader, const struct reply *reply)
{
    struct claim_view view = {
        .context = {.exchange = exchange, .reader = reader, .arena = &view.call_arena}};
    json_t *calls = json_new_array();

    arena_init(&view.call_arena, 1024);
    for (size_t i = 0; i < reply->claimed.count; i++) {
        json_t *call = show_call(&view, &reply->claimed.calls[i]);

        if (call != NULL) {
            json_put_item(calls, call);
        }
    }
    arena_deinit(&view.call_arena);
    if (view.context.error != 0) {
        json_decref(calls);
        claims_give_back(exchange->api, reply);
        exchange_send_unreadable(exchange, view.context.error);
        return;
    }
    send_calls(exchange, calls);
}

static bool could_wait(const struct exchange *exchange)
{
    return exchange->on_timeout != NULL;
}

static void on_reply(struct exchange *exchange, const struct reply *reply)
{
    struct reader *reader;

    if (reply->kind == REPLY_FAULT) {
        exchange_send_reply_fault(exchange, reply);
        return;
    }
    if (reply->claimed.count == 0) {
        send_calls(exchange, json_new_array());
        return;
    }
    if (!exchange_client_is_there(exchange)) {
        claims_give_back(exchange->api, reply);
        send_calls(exchange, json_new_array());
        return;
    }
    reader = engine_begin_read(exchange->engine);
    if (reader == NULL) {
        claims_give_back(exchange->api, reply);
        exchange_send_fault(exchange, FAULT_UNAVAILABLE, "The store cannot be read now");
        return;
    }
    if (could_wait(exchange) && !admission_check_key_again(exchange, reader)) {
        claims_give_back(exchange->api, reply);
    } else {
        show_calls(exchange, reader, reply);
    }
    engine_end_read(exchange->engine, reader);
}

/* ---- the route ---- */

void claims_handle(struct exchange *exchange)
{
    struct message message = exchange_message(exchange, MESSAGE_CLAIM, 0);
    struct body_value root;
    int64_t max = 0;
    int64_t wait_ms = 0;

    body_open(&root, exchange->body, &exchange->faults, exchange_payload(exchange));
    body_integer(&root, "max", PROPERTY_REQUIRED, 1, CLAIM_CALLS_MAX, &max);
    body_integer(&root, "waitMs", PROPERTY_OPTIONAL, 0, CLAIM_WAIT_MAX_MS, &wait_ms);
    message.payload.claim.gateway = read_gateway(exchange, &root);
    body_close(&root);
    if (faults_any(&exchange->faults)) {
        exchange_send_faults(exchange);
        return;
    }
    message.payload.claim.max = (uint32_t)max;
    message.payload.claim.waits = wait_ms > 0 && !exchange->api->is_stopping;
    message.payload.claim.claim_id = engine_new_id(exchange->engine);
    exchange->on_reply = on_reply;
    if (message.payload.claim.waits) {
        exchange->on_timeout = post_given_up;
        exchange->on_gone = on_gone;
        exchange_wait(exchange, (uint32_t)wait_ms);
        exchange_watch_client(exchange);
    }
    exchange_post(exchange, &message);
}

void claims_give_back(struct api *api, const struct reply *reply)
{
    struct reader *reader = reply->claimed.count > 0 ? engine_begin_read(api->engine) : NULL;
    struct execution_settings settings;
    struct live_call live;
    struct arena arena;

    if (reader == NULL) {
        return; /* they come back when their leases end */
    }
    arena_init(&arena, 1024);
    for (size_t i = 0; i < reply->claimed.count; i++) {
        const struct claimed_call *call = &reply->claimed.calls[i];
        struct key key = key_u32(call->execution);
        struct key live_key = key_entry(call->execution, call->entry);
        struct arena *payload = arena_new();
        struct call_event *event = arena_zalloc(payload, sizeof(*event));
        struct message message = {
            .actor = {.kind = ACTOR_EXECUTION, .number = call->execution},
            .type = MESSAGE_CALL_RELEASED,
        };

        arena_reset(&arena);
        if (reader_get(reader, TABLE_EXECUTION, &key, &arena, &settings) != 0 ||
            reader_get(reader, TABLE_LIVE_CALL, &live_key, &arena, &live) != 0) {
            arena_free(payload);
            continue;
        }
        event->entry = call->entry;
        event->attempt = call->attempt;
        event->tag = call_tag_of_era(&settings.id, live.era);
        event->released.reason = SLICE("client_gone");
        event->released.claim_id = call->claim_id;
        message.payload.event = event;
        engine_post(api->engine, &message, payload);
    }
    arena_deinit(&arena);
    engine_end_read(api->engine, reader);
}
