/* What a client is told, against what the actors said when it became durable, and what the model
 * knows. */
#include "tests/sim/web.h"

#include <string.h>

#include "api/api.h"
#include "model/names.h"

enum {
    STATUS_OK = 200,
    STATUS_CREATED = 201,
    STATUS_NOTHING = 204,
    STATUS_NOT_FOUND = 404,
    STATUS_UNAVAILABLE = 503,
};

bool web_is_text(const json_t *body, const char *name, const char *text)
{
    const char *value = json_string_value(json_object_get(body, name));

    return value != NULL && strcmp(value, text) == 0;
}

bool web_is_id(const json_t *body, const char *name, const struct uuid *id)
{
    char text[UUID_TEXT_SIZE];

    uuid_print(id, text);
    return web_is_text(body, name, text);
}

bool web_is_number(const json_t *body, const char *name, int64_t number)
{
    const json_t *value = json_object_get(body, name);

    return json_is_integer(value) && json_integer_value(value) == number;
}

/* ---- by what the actor said ---- */

static void judge_fault(struct sim *sim, const struct told_answer *told, int status,
                        const json_t *body)
{
    SIM_REQUIRE(sim, status == fault_status(told->fault));
    SIM_REQUIRE(sim, web_is_text(body, "error", fault_name(told->fault)));
    sim_count(sim, COUNT_REFUSED);
}

static void judge_record(struct sim *sim, const struct told_answer *told, int status,
                         const json_t *body)
{
    SIM_REQUIRE(sim, status == (told->is_new ? STATUS_CREATED : STATUS_OK));
    SIM_REQUIRE(sim, json_is_string(json_object_get(body, "id")));
    SIM_REQUIRE(sim, uuid_is_nil(&told->id) || web_is_id(body, "id", &told->id));
    if (told->table == TABLE_CONTACT) {
        SIM_REQUIRE(sim, json_is_true(json_object_get(body, "doNotCall")) == told->flag);
    }
}

static void judge_execution(struct sim *sim, const struct told_answer *told, uint32_t number,
                            int status, const json_t *body)
{
    const struct model_execution *x = model_find(&sim->model, number);

    SIM_REQUIRE(sim, status == STATUS_OK && x != NULL);
    SIM_REQUIRE(sim, web_is_text(body, "status", execution_status_name(told->status)));
    web_judge_execution(sim, x, false, body);
}

static void judge_upserted(struct sim *sim, const struct ask *ask, int status, const json_t *body)
{
    json_int_t made = json_integer_value(json_object_get(body, "created"));
    json_int_t changed = json_integer_value(json_object_get(body, "updated"));

    SIM_REQUIRE(sim, status == STATUS_OK);
    SIM_REQUIRE(sim, made + changed == (json_int_t)ask->items);
    SIM_REQUIRE(sim, json_array_size(json_object_get(body, "contacts")) == ask->items);
}

static void judge_told(struct sim *sim, const struct ask *ask, const struct told_answer *told,
                       int status, const json_t *body)
{
    switch ((int)told->kind) {
    case REPLY_FAULT: judge_fault(sim, told, status, body); break;
    case REPLY_NOTHING: SIM_REQUIRE(sim, status == STATUS_NOTHING); break;
    case REPLY_CREDITS:
        SIM_REQUIRE(sim, status == STATUS_OK && web_is_number(body, "credits", told->credits));
        break;
    case REPLY_LAUNCHED:
        SIM_REQUIRE(sim, status == STATUS_CREATED && web_is_id(body, "executionId", &told->id));
        break;
    case REPLY_RECORD: judge_record(sim, told, status, body); break;
    case REPLY_EXECUTION: judge_execution(sim, told, ask->number, status, body); break;
    case REPLY_UPSERTED: judge_upserted(sim, ask, status, body); break;
    case REPLY_MEMBERS_ADDED:
        SIM_REQUIRE(sim, status == STATUS_OK && web_is_number(body, "added", told->changed));
        SIM_REQUIRE(sim, web_is_number(body, "alreadyPresent", told->unchanged));
        break;
    case REPLY_MEMBERS_REMOVED:
        SIM_REQUIRE(sim, status == STATUS_OK && web_is_number(body, "removed", told->changed));
        break;
    default: SIM_REQUIRE(sim, !"a reply that its route does not have");
    }
}

/* ---- what no actor was asked ---- */

static bool exists(struct sim *sim, enum message_type type, const struct ask *ask)
{
    const struct model *model = &sim->model;
    const struct model_contact *contact;
    const struct model_execution *x;

    switch ((int)type) {
    case MESSAGE_PAUSE:
    case MESSAGE_RESUME:
    case MESSAGE_CANCEL: x = model_find(&sim->model, ask->number); return x != NULL && x->exists;
    case MESSAGE_CONTACT_PATCH:
    case MESSAGE_CONTACT_DELETE:
        contact = model_contact(&sim->model, ask->organisation, &ask->id);
        return contact != NULL && contact->exists;
    case MESSAGE_PROGRAM_PATCH:
    case MESSAGE_PROGRAM_DELETE:
    case MESSAGE_PROGRAM_LAUNCH:
        for (uint32_t i = 0; i < model->program_count; i++) {
            if (uuid_equal(&model->programs[i].id, &ask->id)) {
                return model->programs[i].exists;
            }
        }
        return false;
    default: return true;
    }
}

/* The API itself refuses what the model does not have either, and nothing else: the clients of the
 * simulation say what they mean. */
static void judge_refusal(struct sim *sim, const struct request *request, const struct ask *ask,
                          int status, const json_t *body)
{
    if (status != STATUS_NOT_FOUND) {
        sim_fail(sim, "the API answers %s with %d: %s", message_type_name(request->type), status,
                 json_string_value(json_object_get(body, "message")));
    }
    SIM_REQUIRE(sim, !ask->is_exact || !exists(sim, request->type, ask));
    sim_count(sim, COUNT_REFUSED);
}

/* Nothing was done; and there was a reason. */
static void judge_unavailable(struct sim *sim, const struct request *request)
{
    const char *reason;

    SIM_REQUIRE(sim, sim->web->is_dropping || !api_is_ready(sim->web->api, &reason) ||
                         request->kind == REQUEST_KEYED);
    sim_count(sim, COUNT_UNAVAILABLE);
}

/* ---- keyed requests ---- */

static void judge_keyed(struct sim *sim, const struct request *request, const struct ask *ask,
                        const struct api_seam_answer *answer, const json_t *body)
{
    struct keyed_request *key = &sim->keys[request->index];

    if (answer->is_replayed) {
        SIM_REQUIRE(sim, key->told.is_told);
        judge_told(sim, ask, &key->told, answer->status, body);
        sim_count(sim, COUNT_REPLAYED);
    } else if (request->told.is_told) {
        judge_told(sim, ask, &request->told, answer->status, body);
    } else {
        judge_refusal(sim, request, ask, answer->status, body);
    }
    key->is_done = true;
    SIM_REQUIRE(sim, key->done == (answer->status >= 400 ? 0U : 1U));
}

/* ---- what is remembered of an answer ---- */

static void take_key(const json_t *body, char out[AUTH_KEY_TEXT_SIZE])
{
    const char *key = json_string_value(json_object_get(body, "key"));

    (void)snprintf(out, AUTH_KEY_TEXT_SIZE, "%s", key != NULL ? key : "");
}

static void remember(struct sim *sim, const struct request *request, const struct ask *ask,
                     const json_t *body)
{
    if (request->type == MESSAGE_FLOW_CREATE) {
        const char *id = json_string_value(json_object_get(body, "id"));

        SIM_REQUIRE(sim, id != NULL && uuid_parse(slice_from(id), &sim->flows[ask->organisation]));
    } else if (request->type == MESSAGE_API_KEY_CREATE) {
        take_key(body, ask->number == 0 ? sim->web->worker_key
                                        : sim->web->organisation_keys[ask->number]);
    }
}

/* ---- an answer ---- */

static void judge_heard(struct sim *sim, struct ask *ask, const struct api_seam_answer *answer,
                        const json_t *body)
{
    const struct request *request = &sim->requests[ask->exchange];

    if (answer->status == STATUS_UNAVAILABLE) {
        judge_unavailable(sim, request);
    } else if (request->kind == REQUEST_READ) {
        web_judge_read(sim, ask, answer->status, body);
    } else if (request->kind == REQUEST_NONSENSE) {
        SIM_REQUIRE(sim, answer->status == (int)request->index);
    } else if (request->kind == REQUEST_FOREIGN) {
        SIM_REQUIRE(sim, answer->status == STATUS_NOT_FOUND);
    } else if (request->kind == REQUEST_EVENTS) {
        web_judge_events(sim, ask, body);
    } else if (request->kind == REQUEST_CLAIM) {
        web_judge_claim(sim, ask, body);
    } else if (request->kind == REQUEST_KEYED) {
        judge_keyed(sim, request, ask, answer, body);
    } else if (request->told.is_told) {
        judge_told(sim, ask, &request->told, answer->status, body);
        if (answer->status < 300) {
            remember(sim, request, ask, body);
        }
    } else {
        judge_refusal(sim, request, ask, answer->status, body);
    }
}

void web_judge(struct sim *sim, struct ask *ask, const struct api_seam_answer *answer)
{
    json_t *body;
    const char *fault = api_seam_fault_of(answer, &body);

    if (fault != NULL) {
        sim_fail(sim, "%s: %d %.*s", fault, answer->status, (int)answer->body.size,
                 answer->body.data);
    }
    if (ask->is_there) {
        judge_heard(sim, ask, answer, body);
    } else { /* nobody hears it: no call may go to nobody */
        SIM_REQUIRE(sim, json_array_size(json_object_get(body, "calls")) == 0);
    }
    json_decref(body);
}
