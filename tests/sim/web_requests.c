/* A message as the request that brings it about: path and JSON, by api.md. */
#include "tests/sim/web.h"

#include <string.h>

#include "base/check.h"
#include "model/names.h"

#define PUT(out, ...) OD_CHECK(buf_printf(out, __VA_ARGS__) == 0)

void web_put_id(char *path, const struct uuid *id)
{
    char text[UUID_TEXT_SIZE], rest[WEB_PATH_SIZE];
    char *at = strchr(path, '%');

    OD_CHECK(at != NULL);
    uuid_print(id, text);
    (void)snprintf(rest, sizeof(rest), "%s", at + 1);
    (void)snprintf(at, (size_t)(WEB_PATH_SIZE - (at - path)), "%s%s", text, rest);
}

static void set(struct asked *asked, enum evhttp_cmd_type method, const char *path,
                const struct uuid *id)
{
    asked->method = method;
    (void)snprintf(asked->path, sizeof(asked->path), "%s", path);
    if (id != NULL) {
        asked->id = *id;
        web_put_id(asked->path, id);
    }
}

static void put_uuid(struct buf *out, const struct uuid *id)
{
    char text[UUID_TEXT_SIZE];

    uuid_print(id, text);
    PUT(out, "\"%s\"", text);
}

/* ---- the platform ---- */

static void put_count(struct buf *out, const char *name, bool is_given, int64_t count)
{
    if (is_given) {
        PUT(out, ",\"%s\":%lld", name, (long long)count);
    } else {
        PUT(out, ",\"%s\":null", name);
    }
}

static void create_organisation(const struct organisation *organisation, struct asked *asked)
{
    struct buf *out = &asked->body;

    set(asked, EVHTTP_REQ_POST, "/api/organizations", NULL);
    PUT(out, "{\"name\":\"%.*s\",\"timezone\":\"%.*s\"", SLICE_ARGS(organisation->name),
        SLICE_ARGS(organisation->timezone));
    put_count(out, "maxConcurrentCalls", organisation->max_concurrent_calls != 0,
              organisation->max_concurrent_calls);
    if (organisation->calls_per_second_micro != 0) {
        PUT(out, ",\"callsPerSecond\":%g", (double)organisation->calls_per_second_micro / 1e6);
    }
    put_count(out, "credits", organisation->has_credits, organisation->credits);
    PUT(out, "}");
}

static void patch_organisation(const struct organisation_patch *patch, struct asked *asked)
{
    const struct organisation *value = &patch->value;

    set(asked, EVHTTP_REQ_PATCH, "/api/organizations/%", &value->id);
    PUT(&asked->body, "{\"name\":\"Atlas\"");
    if (patch->present & ORGANISATION_MAX_CONCURRENT_CALLS) {
        put_count(&asked->body, "maxConcurrentCalls", value->max_concurrent_calls != 0,
                  value->max_concurrent_calls);
    }
    if (patch->present & ORGANISATION_CREDITS) {
        put_count(&asked->body, "credits", value->has_credits, value->credits);
    }
    PUT(&asked->body, "}");
}

static void create_did(struct sim *sim, const struct did *did, struct asked *asked)
{
    set(asked, EVHTTP_REQ_POST, "/api/dids", NULL);
    PUT(&asked->body, "{\"number\":\"%.*s\",\"status\":\"%s\"", SLICE_ARGS(did->number),
        did_status_name(did->status));
    if (did->owner != 0) {
        PUT(&asked->body, ",\"organizationId\":");
        put_uuid(&asked->body, &sim->model.organisations[did->owner].id);
    }
    PUT(&asked->body, "}");
}

static void platform(struct sim *sim, enum message_type type, const union payload *payload,
                     struct asked *asked)
{
    switch ((int)type) {
    case MESSAGE_ORGANISATION_CREATE: create_organisation(payload->organisation, asked); break;
    case MESSAGE_ORGANISATION_PATCH: patch_organisation(payload->organisation_patch, asked); break;
    case MESSAGE_CREDITS_ADD:
        set(asked, EVHTTP_REQ_POST, "/api/organizations/%/credits",
            &sim->model.organisations[payload->credits.organisation].id);
        PUT(&asked->body, "{\"delta\":%lld}", (long long)payload->credits.amount);
        break;
    case MESSAGE_DID_CREATE: create_did(sim, payload->did, asked); break;
    case MESSAGE_DID_PATCH:
        set(asked, EVHTTP_REQ_PATCH, "/api/dids/%", &payload->did_patch->id);
        PUT(&asked->body, "{\"status\":\"%s\"}", did_status_name(payload->did_patch->status));
        break;
    default: set(asked, EVHTTP_REQ_DELETE, "/api/dids/%", &payload->id.id);
    }
}

/* ---- directories ---- */

static void put_contact(struct buf *out, const struct contact_patch *patch)
{
    const char *comma = "";

    PUT(out, "{");
    if (patch->present & CONTACT_PRIMARY_PHONE) {
        PUT(out, "\"primaryPhone\":\"%.*s\"", SLICE_ARGS(patch->value.primary_phone));
        comma = ",";
    }
    if (patch->present & CONTACT_DO_NOT_CALL) {
        PUT(out, "%s\"doNotCall\":%s", comma, patch->value.do_not_call ? "true" : "false");
        comma = ",";
    }
    if (patch->present & CONTACT_ATTRIBUTES) {
        PUT(out, "%s\"customAttributes\":{\"%.*s\":\"%.*s\"}", comma,
            SLICE_ARGS(patch->value.attributes[0].name),
            SLICE_ARGS(patch->value.attributes[0].text));
    }
    PUT(out, "}");
}

static void upsert(const struct contact_list *list, struct asked *asked)
{
    set(asked, EVHTTP_REQ_POST, "/api/contacts/upsert", NULL);
    PUT(&asked->body, "{\"data\":[");
    for (size_t i = 0; i < list->count; i++) {
        PUT(&asked->body, "%s", i > 0 ? "," : "");
        put_contact(&asked->body, &list->contacts[i]);
    }
    PUT(&asked->body, "]}");
    asked->items = (uint32_t)list->count;
}

static void change_members(const struct id_list *members, bool adds, struct asked *asked)
{
    set(asked, adds ? EVHTTP_REQ_POST : EVHTTP_REQ_DELETE, "/api/audiences/%/contacts",
        &members->id);
    PUT(&asked->body, "{\"contactIds\":[");
    for (size_t i = 0; i < members->count; i++) {
        PUT(&asked->body, "%s", i > 0 ? "," : "");
        put_uuid(&asked->body, &members->ids[i]);
    }
    PUT(&asked->body, "]}");
    asked->items = (uint32_t)members->count;
}

static void directory(enum message_type type, const union payload *payload, struct asked *asked)
{
    struct buf *out = &asked->body;

    switch ((int)type) {
    case MESSAGE_ATTRIBUTE_CREATE:
        set(asked, EVHTTP_REQ_POST, "/api/custom-attributes", NULL);
        PUT(out, "{\"name\":\"%.*s\",\"type\":\"date\"}", SLICE_ARGS(payload->attribute->name));
        break;
    case MESSAGE_CONTACTS_UPSERT: upsert(payload->contacts, asked); break;
    case MESSAGE_CONTACT_PATCH:
        set(asked, EVHTTP_REQ_PATCH, "/api/contacts/%", &payload->contact->value.id);
        put_contact(out, payload->contact);
        break;
    case MESSAGE_CONTACT_DELETE:
        set(asked, EVHTTP_REQ_DELETE, "/api/contacts/%", &payload->id.id);
        break;
    case MESSAGE_AUDIENCE_CREATE:
        set(asked, EVHTTP_REQ_POST, "/api/audiences", NULL);
        PUT(out, "{\"name\":\"%.*s\"}", SLICE_ARGS(payload->audience->name));
        break;
    case MESSAGE_AUDIENCE_DELETE:
        set(asked, EVHTTP_REQ_DELETE, "/api/audiences/%", &payload->id.id);
        break;
    case MESSAGE_MEMBERS_ADD: change_members(&payload->members, true, asked); break;
    case MESSAGE_MEMBERS_REMOVE: change_members(&payload->members, false, asked); break;
    default:
        set(asked, EVHTTP_REQ_POST, "/api/flows", NULL);
        PUT(out, "{\"name\":\"%.*s\"}", SLICE_ARGS(payload->flow->name));
    }
}

static void programs(enum message_type type, const union payload *payload, struct asked *asked)
{
    switch ((int)type) {
    case MESSAGE_PROGRAM_CREATE:
        set(asked, EVHTTP_REQ_POST, "/api/programs", NULL);
        web_put_program(&asked->body, payload->program);
        break;
    case MESSAGE_PROGRAM_PATCH:
        set(asked, EVHTTP_REQ_PATCH, "/api/programs/%", &payload->program_patch->value.id);
        web_put_program_patch(&asked->body, &payload->program_patch->value);
        break;
    case MESSAGE_PROGRAM_DELETE:
        set(asked, EVHTTP_REQ_DELETE, "/api/programs/%", &payload->id.id);
        break;
    default:
        set(asked, EVHTTP_REQ_POST, "/api/programs/%/launch", &payload->launch_request.program_id);
    }
}

/* ---- executions and claims ---- */

static void control(struct sim *sim, enum message_type type, uint32_t number,
                    const union payload *payload, struct asked *asked)
{
    const struct model_execution *x = model_find(&sim->model, number);

    asked->organisation = x->organisation;
    asked->number = number;
    if (type == MESSAGE_CANCEL) {
        set(asked, EVHTTP_REQ_DELETE, "/api/program-executions/%", &x->settings->id);
    } else if (type == MESSAGE_PAUSE) {
        set(asked, EVHTTP_REQ_PATCH, "/api/program-executions/%/pause", &x->settings->id);
    } else {
        set(asked, EVHTTP_REQ_PATCH, "/api/program-executions/%/resume", &x->settings->id);
        if (payload->resume.has_rules) {
            PUT(&asked->body, "{\"autoPauseRules\":");
            web_put_rules(&asked->body, payload->resume.rules, payload->resume.rule_count);
            PUT(&asked->body, "}");
        }
    }
}

static void claim(struct sim *sim, const struct claim *claim, struct asked *asked)
{
    set(asked, EVHTTP_REQ_POST, "/api/calls/claim", NULL);
    asked->is_workers = true;
    PUT(&asked->body, "{\"max\":%u,\"gateway\":\"worker\"", claim->max);
    if (claim->waits) {
        PUT(&asked->body, ",\"waitMs\":%u", between(sim, 1, 30000));
    }
    PUT(&asked->body, "}");
}

/* Another tenant asks: for it there is nothing of the kind. */
static enum request_kind may_be_foreign(struct sim *sim, enum request_kind kind,
                                        struct asked *asked)
{
    if ((kind != REQUEST_WRITE && kind != REQUEST_CONTROL) || uuid_is_nil(&asked->id) ||
        !chance(sim, 5)) {
        return kind;
    }
    asked->organisation = asked->organisation % 2 + 1;
    return REQUEST_FOREIGN;
}

uint64_t web_ask(struct sim *sim, enum request_kind kind, enum message_type type, uint32_t actor,
                 const union payload *payload, uint32_t index)
{
    struct asked asked = {.id = UUID_NIL};

    buf_init(&asked.body);
    if (kind == REQUEST_KEYED) {
        asked.key = sim->keys[index].text;
    }
    switch ((int)message_actor_kind(type)) {
    case ACTOR_DIRECTORY:
        asked.organisation = actor;
        if (type >= MESSAGE_PROGRAM_CREATE) {
            programs(type, payload, &asked);
        } else {
            directory(type, payload, &asked);
        }
        kind = may_be_foreign(sim, kind, &asked);
        break;
    case ACTOR_EXECUTION:
        control(sim, type, actor, payload, &asked);
        kind = may_be_foreign(sim, kind, &asked);
        break;
    default:
        if (type == MESSAGE_CLAIM) {
            claim(sim, &payload->claim, &asked);
        } else {
            platform(sim, type, payload, &asked);
        }
    }
    return web_send(sim, &asked, kind, type, index);
}
