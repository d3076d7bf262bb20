#include "api/reply.h"

#include "api/claims.h"
#include "api/idempotency.h"
#include "api/json.h"
#include "api/render.h"
#include "api/server.h"
#include "base/check.h"
#include "storage/record.h"

static json_t *upserted(const struct reply *reply)
{
    json_t *json = json_new_object();
    json_t *contacts = json_new_array();

    json_put(json, "created", json_integer((json_int_t)reply->upserted.created));
    json_put(json, "updated", json_integer((json_int_t)reply->upserted.updated));
    for (size_t i = 0; i < reply->upserted.count; i++) {
        const struct contact_made *contact = &reply->upserted.contacts[i];
        json_t *item = json_new_object();

        json_put(item, "id", json_from_uuid(&contact->id));
        json_put(item, "primaryPhone", json_from_slice(contact->primary_phone));
        json_put_item(contacts, item);
    }
    json_put(json, "contacts", contacts);
    return json;
}

static json_t *members(const struct reply *reply)
{
    json_t *json = json_new_object();

    if (reply->kind == REPLY_MEMBERS_ADDED) {
        json_put(json, "added", json_integer((json_int_t)reply->members.changed));
        json_put(json, "alreadyPresent", json_integer((json_int_t)reply->members.unchanged));
    } else {
        json_put(json, "removed", json_integer((json_int_t)reply->members.changed));
    }
    return json;
}

/* The URL of what was made: its path and the id that it is shown with. */
static void add_location(struct exchange *exchange, const char *path, const char *id)
{
    if (path != NULL && id != NULL) {
        struct slice location = arena_printf(&exchange->arena, "%s%s", path, id);

        exchange_add_header(exchange, "Location", arena_text(&exchange->arena, location));
    }
}

static void send_launched(struct exchange *exchange, const struct reply *reply)
{
    json_t *json = json_new_object();
    char id[UUID_TEXT_SIZE];

    uuid_print(&reply->launched, id);
    json_put(json, "executionId", json_from_uuid(&reply->launched));
    add_location(exchange, "/api/program-executions/", id);
    exchange_send_json(exchange, 201, json);
}

static json_t *render_reply(struct render_context *context, const struct reply *reply)
{
    const struct slice *raw = reply->record.record;
    void *decoded = arena_zalloc(context->arena, record_size(reply->record.table));

    if (!render_decode(context, reply->record.table, &reply->record.key, *raw, decoded)) {
        context->error = context->error != 0 ? context->error : OD_ECORRUPT;
        return json_null();
    }
    return render_record(context, reply->record.table, decoded);
}

/* Those that look at other rows too. */
static void send_rendered(struct exchange *exchange, const struct reply *reply)
{
    struct reader *reader = engine_begin_read(exchange->engine);
    struct render_context context = {
        .exchange = exchange, .reader = reader, .arena = &exchange->arena};
    bool is_new = reply->kind == REPLY_RECORD && reply->record.is_new;
    json_t *json;

    if (reader == NULL) {
        exchange_send_fault(exchange, FAULT_UNAVAILABLE, "The store cannot be read now");
        return;
    }
    if (reply->kind == REPLY_RECORD) {
        json = render_reply(&context, reply);
    } else {
        json = render_execution(&context, reply->execution.settings, reply->execution.state);
    }
    engine_end_read(exchange->engine, reader);
    if (context.error != 0) {
        json_decref(json);
        exchange_send_unreadable(exchange, context.error);
        return;
    }
    if (is_new) {
        add_location(exchange, render_path(reply->record.table),
                     json_string_value(json_object_get(json, "id")));
    }
    exchange_send_json(exchange, is_new ? 201 : 200, json);
}

static json_t *credits(const struct reply *reply)
{
    json_t *json = json_new_object();

    json_put(json, "credits", json_integer(reply->credits));
    return json;
}

void reply_answer(struct exchange *exchange, const struct reply *reply)
{
    if (exchange->on_reply != NULL) {
        exchange->on_reply(exchange, reply);
        return;
    }
    switch (reply->kind) {
    case REPLY_NOTHING: exchange_send_nothing(exchange); return;
    case REPLY_FAULT: exchange_send_reply_fault(exchange, reply); return;
    case REPLY_UPSERTED: exchange_send_json(exchange, 200, upserted(reply)); return;
    case REPLY_MEMBERS_ADDED:
    case REPLY_MEMBERS_REMOVED: exchange_send_json(exchange, 200, members(reply)); return;
    case REPLY_LAUNCHED: send_launched(exchange, reply); return;
    case REPLY_CREDITS: exchange_send_json(exchange, 200, credits(reply)); return;
    case REPLY_RECORD:
    case REPLY_EXECUTION: send_rendered(exchange, reply); return;
    case REPLY_IMPORTED:
    case REPLY_CLAIMED:
    case REPLY_EVENT: break;
    }
    OD_CHECK(!"a reply that its route does not expect");
}

/* A response that was made in the turn of its reply leaves as it was stored. */
static void answer(struct exchange *exchange, const struct reply *reply)
{
    if (!idempotency_answer(exchange)) {
        reply_answer(exchange, reply);
    }
}

void reply_arrived(void *context, uint64_t number, const struct reply *reply)
{
    struct api *api = context;
    struct exchange *exchange;

    exchange_enter(api);
    if (number == ENGINE_EVERY_EXCHANGE) {
        idempotency_drop(api);
        exchange_each(api, answer, reply);
        first_key_replied(api, reply);
    } else if (number == api->first_key.exchange) {
        first_key_replied(api, reply);
    } else {
        exchange = exchange_find(api, number);
        if (exchange != NULL) {
            answer(exchange, reply);
        } else if (reply->kind == REPLY_CLAIMED) {
            claims_give_back(api, reply);
        }
    }
    exchange_leave(api);
}
