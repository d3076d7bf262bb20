/* A body has what the message's `present` bits say. Enums are looked at before they become words:
 * a trace may hold any number. */
#include "cmd/outdial_replay_http_plan.h"

#include "model/names.h"

enum sender plan_sender(const struct message *message)
{
    if (message->is_derived || message->is_later) {
        return SENDER_DAEMON;
    }
    /* NOLINTNEXTLINE(clang-diagnostic-switch-enum): all others are the daemon's */
    switch ((int)message->type) {
    case MESSAGE_API_KEY_CREATE:
    case MESSAGE_API_KEY_DELETE: return SENDER_KEYS;
    case MESSAGE_CLAIM:
    case MESSAGE_CLAIM_GIVEN_UP: return SENDER_CLAIM;
    case MESSAGE_CALL_STARTED:
    case MESSAGE_NODE_EXECUTED:
    case MESSAGE_CALL_RESULT:
    case MESSAGE_CALL_RELEASED:
        return message->payload.event->from_gateway ? SENDER_GATEWAY : SENDER_WORKER;
    case MESSAGE_PAUSE:
    case MESSAGE_RESUME:
    case MESSAGE_CANCEL:
        return message->actor.kind == ACTOR_EXECUTION ? SENDER_CLIENT : SENDER_DAEMON;
    case MESSAGE_ORGANISATION_CREATE:
    case MESSAGE_ORGANISATION_PATCH:
    case MESSAGE_DID_CREATE:
    case MESSAGE_DID_PATCH:
    case MESSAGE_DID_DELETE:
    case MESSAGE_ATTRIBUTE_CREATE:
    case MESSAGE_ATTRIBUTE_DELETE:
    case MESSAGE_CONTACT_CREATE:
    case MESSAGE_CONTACT_PATCH:
    case MESSAGE_CONTACT_DELETE:
    case MESSAGE_CONTACTS_UPSERT:
    case MESSAGE_CONTACTS_IMPORT:
    case MESSAGE_AUDIENCE_CREATE:
    case MESSAGE_AUDIENCE_PATCH:
    case MESSAGE_AUDIENCE_DELETE:
    case MESSAGE_MEMBERS_ADD:
    case MESSAGE_MEMBERS_REMOVE:
    case MESSAGE_FLOW_CREATE:
    case MESSAGE_FLOW_PATCH:
    case MESSAGE_FLOW_DELETE:
    case MESSAGE_PROGRAM_CREATE:
    case MESSAGE_PROGRAM_PATCH:
    case MESSAGE_PROGRAM_DELETE:
    case MESSAGE_PROGRAM_LAUNCH:
    case MESSAGE_CREDITS_ADD: return SENDER_CLIENT;
    default: return SENDER_DAEMON;
    }
}

bool plan_needs_calls(struct id_map *ids, const struct message *message)
{
    struct uuid program;
    bool was_launched;

    /* NOLINTNEXTLINE(clang-diagnostic-switch-enum): of all others it does not */
    switch ((int)message->type) {
    case MESSAGE_PAUSE:
    case MESSAGE_RESUME:
    case MESSAGE_CANCEL:
    case MESSAGE_ORGANISATION_PATCH:
    case MESSAGE_CREDITS_ADD:
    case MESSAGE_DID_PATCH:
    case MESSAGE_DID_DELETE:
    case MESSAGE_CONTACT_DELETE:
    case MESSAGE_ATTRIBUTE_DELETE:
    case MESSAGE_AUDIENCE_DELETE:
    case MESSAGE_FLOW_DELETE:
    case MESSAGE_PROGRAM_DELETE: return true;
    case MESSAGE_PROGRAM_LAUNCH: break;
    default: return false;
    }
    program = message->payload.launch_request.program_id;
    program.bytes[6] = 0xfe; /* of no record: that the program was launched before */
    was_launched = ids_get(ids, &program).state == ID_KNOWN;
    ids_know(ids, &program, &UUID_NIL);
    return was_launched;
}

/* ---- the platform ---- */

static void put_organisation(struct http_request *request, const struct organisation *value,
                             uint32_t present)
{
    write_open(request, '{');
    if (present & ORGANISATION_NAME) {
        write_name(request, "name");
        write_text(request, value->name);
    }
    if (present & ORGANISATION_TIMEZONE) {
        write_name(request, "timezone");
        write_text_or_null(request, value->timezone);
    }
    if (present & ORGANISATION_MAX_CONCURRENT_CALLS) {
        write_name(request, "maxConcurrentCalls");
        if (value->max_concurrent_calls > 0) {
            write_integer(request, value->max_concurrent_calls);
        } else {
            write_null(request);
        }
    }
    if (present & ORGANISATION_CALLS_PER_SECOND) {
        write_name(request, "callsPerSecond");
        write_micro(request, value->calls_per_second_micro);
    }
    if (present & ORGANISATION_CREDITS) {
        write_name(request, "credits");
        if (value->has_credits) {
            write_integer(request, value->credits);
        } else {
            write_null(request);
        }
    }
    write_shut(request, '}');
}

static struct http_request *on_organisation(const struct organisation *organisation)
{
    struct http_request *request = request_new(MESSAGE_ORGANISATION_CREATE, "POST");
    struct uuid number = ids_of_number(NUMBER_ORGANISATION, organisation->number);

    request_path(request, "/api/organizations");
    put_organisation(request, organisation, UINT32_MAX);
    request_makes(request, &organisation->id);
    request_makes(request, &number);
    request->is_fresh = true;
    return request;
}

static struct http_request *on_organisation_patch(const struct organisation_patch *patch)
{
    struct http_request *request = request_new(MESSAGE_ORGANISATION_PATCH, "PATCH");

    request_path(request, "/api/organizations/");
    request_path_id(request, &patch->value.id);
    put_organisation(request, &patch->value, patch->present);
    request->is_barrier = true;
    return request;
}

static struct http_request *on_credits(const struct credits_change *change)
{
    struct http_request *request = request_new(MESSAGE_CREDITS_ADD, "POST");
    struct uuid organisation = ids_of_number(NUMBER_ORGANISATION, change->organisation);

    request_path(request, "/api/organizations/");
    request_path_id(request, &organisation);
    request_path(request, "/credits");
    write_open(request, '{');
    write_name(request, "delta");
    write_integer(request, change->amount);
    write_shut(request, '}');
    request->is_barrier = true;
    request->is_fresh = true;
    return request;
}

static void put_did_status(struct http_request *request, enum did_status status)
{
    if (status == DID_ACTIVE || status == DID_INACTIVE) {
        write_name(request, "status");
        write_text(request, slice_from(did_status_name(status)));
    }
}

static struct http_request *on_did(const struct did *did)
{
    struct http_request *request = request_new(MESSAGE_DID_CREATE, "POST");
    struct uuid owner = ids_of_number(NUMBER_ORGANISATION, did->owner);

    request_path(request, "/api/dids");
    write_open(request, '{');
    write_name(request, "number");
    write_text(request, did->number);
    put_did_status(request, did->status);
    if (did->owner != 0) {
        write_name(request, "organizationId");
        write_id(request, &owner);
    }
    write_shut(request, '}');
    request_makes(request, &did->id);
    return request;
}

static struct http_request *on_did_patch(const struct did_patch *patch)
{
    struct http_request *request = request_new(MESSAGE_DID_PATCH, "PATCH");

    request_path(request, "/api/dids/");
    request_path_id(request, &patch->id);
    write_open(request, '{');
    if (patch->present & DID_STATUS) {
        put_did_status(request, patch->status);
    }
    write_shut(request, '}');
    request->is_barrier = true;
    return request;
}

/* ---- the rest of a directory ---- */

/* A body of one text. */
static struct http_request *on_named(enum message_type type, const char *method, const char *path,
                                     const struct uuid *id, struct slice name)
{
    struct http_request *request = request_new(type, method);

    request_path(request, path);
    if (id != NULL) {
        request_path_id(request, id);
    }
    write_open(request, '{');
    write_name(request, "name");
    write_text(request, name);
    return request; /* the body is open */
}

static struct http_request *on_attribute(const struct attribute *attribute)
{
    struct http_request *request =
        on_named(MESSAGE_ATTRIBUTE_CREATE, "POST", "/api/custom-attributes", NULL, attribute->name);

    write_name(request, "type");
    if (attribute->type >= ATTRIBUTE_STRING && attribute->type <= ATTRIBUTE_DATE) {
        write_text(request, slice_from(attribute_type_name(attribute->type)));
    } else {
        write_null(request);
    }
    write_shut(request, '}');
    request_makes(request, &attribute->id);
    return request;
}

static struct http_request *on_audience(const struct audience *audience)
{
    struct http_request *request =
        on_named(MESSAGE_AUDIENCE_CREATE, "POST", "/api/audiences", NULL, audience->name);

    write_shut(request, '}');
    request_makes(request, &audience->id);
    request->is_fresh = true;
    return request;
}

static struct http_request *on_audience_patch(const struct owned_name *rename)
{
    struct http_request *request =
        on_named(MESSAGE_AUDIENCE_PATCH, "PATCH", "/api/audiences/", &rename->id, rename->name);

    write_shut(request, '}');
    return request;
}

static struct http_request *on_members(const struct message *message)
{
    const struct id_list *members = &message->payload.members;
    bool is_add = message->type == MESSAGE_MEMBERS_ADD;
    struct http_request *request = request_new(message->type, is_add ? "POST" : "DELETE");

    request_path(request, "/api/audiences/");
    request_path_id(request, &members->id);
    request_path(request, "/contacts");
    request_for(request, message->actor.number); /* before the list, whose ids come last */
    write_open(request, '{');
    write_name(request, "contactIds");
    write_list(request, members->ids, members->count);
    return request;
}

static void put_flow(struct http_request *request, const struct flow *flow, uint32_t present)
{
    write_open(request, '{');
    if (present & FLOW_NAME) {
        write_name(request, "name");
        write_text(request, flow->name);
    }
    if (present & FLOW_NODES) {
        write_name(request, "nodes");
        if (slice_is_empty(flow->nodes)) {
            write_null(request);
        } else {
            write_json(request, flow->nodes);
        }
    }
    if (present & FLOW_START_NODE) {
        write_name(request, "startNode");
        write_text_or_null(request, flow->start_node);
    }
    write_shut(request, '}');
}

static struct http_request *on_flow(const struct flow *flow, uint32_t present, bool is_new)
{
    struct http_request *request =
        request_new(is_new ? MESSAGE_FLOW_CREATE : MESSAGE_FLOW_PATCH, is_new ? "POST" : "PATCH");

    request_path(request, is_new ? "/api/flows" : "/api/flows/");
    if (is_new) {
        request_makes(request, &flow->id);
        request->is_fresh = true;
    } else {
        request_path_id(request, &flow->id);
    }
    put_flow(request, flow, present);
    return request;
}

static struct http_request *on_program(const struct plan *plan, const struct program *program,
                                       uint32_t present, bool is_new)
{
    struct http_request *request = request_new(
        is_new ? MESSAGE_PROGRAM_CREATE : MESSAGE_PROGRAM_PATCH, is_new ? "POST" : "PATCH");

    request_path(request, is_new ? "/api/programs" : "/api/programs/");
    if (is_new) {
        request_makes(request, &program->id);
        request->is_fresh = true;
    } else {
        request_path_id(request, &program->id);
    }
    plan_program(plan, request, program, present, is_new);
    return request;
}

static struct http_request *on_delete(enum message_type type, const char *path,
                                      const struct uuid *id, bool is_barrier)
{
    struct http_request *request = request_new(type, "DELETE");

    request_path(request, path);
    request_path_id(request, id);
    request->is_barrier = is_barrier;
    return request;
}

/* ---- executions ---- */

static struct http_request *on_launch(const struct plan *plan, const struct message *message)
{
    const struct launch_request *launch = &message->payload.launch_request;
    struct http_request *request = request_new(MESSAGE_PROGRAM_LAUNCH, "POST");
    struct uuid number = ids_of_number(NUMBER_EXECUTION, launch->execution_number);
    struct uuid owner_of = ids_of_number(NUMBER_OWNER, launch->execution_number);
    struct uuid owner = ids_of_number(NUMBER_ORGANISATION, message->actor.number);

    request_path(request, "/api/programs/");
    request_path_id(request, &launch->program_id);
    request_path(request, "/launch");
    request_makes(request, &number);
    request->is_fresh = true;
    ids_know(plan->ids, &owner_of, &owner);
    return request;
}

static struct http_request *on_control(const struct plan *plan, const struct message *message)
{
    struct uuid number = ids_of_number(NUMBER_EXECUTION, message->actor.number);
    struct uuid owner_of = ids_of_number(NUMBER_OWNER, message->actor.number);
    struct id_value owner = ids_get(plan->ids, &owner_of);
    bool is_cancel = message->type == MESSAGE_CANCEL;
    struct http_request *request;

    if (owner.state != ID_KNOWN) {
        return NULL;
    }
    request = request_new(message->type, is_cancel ? "DELETE" : "PATCH");
    request_path(request, "/api/program-executions/");
    request_path_id(request, &number);
    if (!is_cancel) {
        request_path(request, message->type == MESSAGE_PAUSE ? "/pause" : "/resume");
        request->is_fresh = true;
    }
    if (message->type == MESSAGE_RESUME && message->payload.resume.has_rules) {
        write_open(request, '{');
        plan_rules(request, message->payload.resume.rules, message->payload.resume.rule_count);
        write_shut(request, '}');
    }
    request_for(request, ids_number(&owner.live));
    return request;
}

/* ---- all of them ---- */

static struct http_request *plan_directory(const struct plan *plan, const struct message *message)
{
    const union payload *payload = &message->payload;
    const struct uuid *id = &payload->id.id;

    /* NOLINTNEXTLINE(clang-diagnostic-switch-enum): those of plan_sender */
    switch ((int)message->type) {
    case MESSAGE_ATTRIBUTE_CREATE: return on_attribute(payload->attribute);
    case MESSAGE_ATTRIBUTE_DELETE:
        return on_delete(message->type, "/api/custom-attributes/", id, true);
    case MESSAGE_CONTACT_CREATE:
    case MESSAGE_CONTACT_PATCH: return plan_contact(message);
    case MESSAGE_CONTACT_DELETE: return on_delete(message->type, "/api/contacts/", id, false);
    case MESSAGE_CONTACTS_UPSERT: return plan_upsert(payload->contacts);
    case MESSAGE_CONTACTS_IMPORT: return plan_import(payload->import);
    case MESSAGE_AUDIENCE_CREATE: return on_audience(payload->audience);
    case MESSAGE_AUDIENCE_PATCH: return on_audience_patch(&payload->rename);
    case MESSAGE_AUDIENCE_DELETE: return on_delete(message->type, "/api/audiences/", id, true);
    case MESSAGE_FLOW_CREATE: return on_flow(payload->flow, UINT32_MAX, true);
    case MESSAGE_FLOW_PATCH:
        return on_flow(&payload->flow_patch->value, payload->flow_patch->present, false);
    case MESSAGE_FLOW_DELETE: return on_delete(message->type, "/api/flows/", id, true);
    case MESSAGE_PROGRAM_CREATE: return on_program(plan, payload->program, UINT32_MAX, true);
    case MESSAGE_PROGRAM_PATCH:
        return on_program(plan, &payload->program_patch->value, payload->program_patch->present,
                          false);
    case MESSAGE_PROGRAM_DELETE: return on_delete(message->type, "/api/programs/", id, true);
    case MESSAGE_PROGRAM_LAUNCH: return on_launch(plan, message);
    default: return NULL;
    }
}

struct http_request *plan_request(const struct plan *plan, const struct message *message)
{
    const union payload *payload = &message->payload;
    struct http_request *request;

    /* NOLINTNEXTLINE(clang-diagnostic-switch-enum): the directory's are apart */
    switch ((int)message->type) {
    case MESSAGE_ORGANISATION_CREATE: return on_organisation(payload->organisation);
    case MESSAGE_ORGANISATION_PATCH: return on_organisation_patch(payload->organisation_patch);
    case MESSAGE_CREDITS_ADD: return on_credits(&payload->credits);
    case MESSAGE_DID_CREATE: return on_did(payload->did);
    case MESSAGE_DID_PATCH: return on_did_patch(payload->did_patch);
    case MESSAGE_DID_DELETE: return on_delete(message->type, "/api/dids/", &payload->id.id, true);
    case MESSAGE_PAUSE:
    case MESSAGE_RESUME:
    case MESSAGE_CANCEL: return on_control(plan, message);
    case MESSAGE_MEMBERS_ADD:
    case MESSAGE_MEMBERS_REMOVE: return on_members(message);
    default: break;
    }
    request = plan_directory(plan, message);
    if (request != NULL) {
        request_for(request, message->actor.number);
    }
    return request;
}
