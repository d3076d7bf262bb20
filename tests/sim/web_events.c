/* The worker gateway over HTTP: batches of events, and claims. */
#include "tests/sim/web.h"

#include <string.h>

#include "base/check.h"
#include "base/instant.h"
#include "model/names.h"

#define PUT(out, ...) OD_CHECK(buf_printf(out, __VA_ARGS__) == 0)

/* ---- events ---- */

static void put_uuid(struct buf *out, const char *name, const struct uuid *id)
{
    char text[UUID_TEXT_SIZE];

    uuid_print(id, text);
    PUT(out, ",\"%s\":\"%s\"", name, text);
}

static void put_event(struct buf *out, enum message_type type, const struct call_event *event)
{
    switch ((int)type) {
    case MESSAGE_CALL_STARTED:
        PUT(out, ",\"type\":\"started\"");
        put_uuid(out, "claimId", &event->started.claim_id);
        break;
    case MESSAGE_NODE_EXECUTED:
        PUT(out, ",\"type\":\"node_executed\",\"nodeId\":\"%.*s\",\"seq\":%llu",
            SLICE_ARGS(event->node.node_id), (unsigned long long)event->node.seq);
        break;
    case MESSAGE_CALL_RESULT:
        PUT(out, ",\"type\":\"result\",\"outcome\":\"%s\"", outcome_name(event->result.outcome));
        if (event->result.has_duration) {
            PUT(out, ",\"durationSeconds\":%u", event->result.duration_seconds);
        }
        break;
    default:
        PUT(out, ",\"type\":\"released\",\"retryAfterSeconds\":%u",
            event->released.retry_after_seconds);
        if (!uuid_is_nil(&event->released.claim_id)) {
            put_uuid(out, "claimId", &event->released.claim_id);
        }
    }
}

void web_add_event(struct sim *sim, uint32_t execution, uint32_t index, enum message_type type,
                   const struct call_event *event)
{
    struct web *web = sim->web;
    struct ask_part *part = &web->parts[web->part_count];
    struct buf *out = &web->events;
    char id[UUID_TEXT_SIZE];
    bool has_mood; /* which no event has */

    *part = (struct ask_part){.call = index,
                              .type = type,
                              .claim_id =
                                  index < SIM_KNOWN_CALLS ? sim->calls[index].claim_id : UUID_NIL,
                              .call_id = call_id_make(&(struct call_name){.execution = execution,
                                                                          .attempt = event->attempt,
                                                                          .tag = event->tag,
                                                                          .entry = event->entry})};
    has_mood = chance(sim, 2);
    part->is_malformed = has_mood || (type == MESSAGE_NODE_EXECUTED && event->node.seq == 0);
    uuid_print(&part->call_id, id);
    PUT(out, "%s{\"callId\":\"%s\"", web->part_count > 0 ? "," : "", id);
    put_event(out, type, event);
    PUT(out, "%s}", has_mood ? ",\"mood\":\"good\"" : "");
    web->part_count++;
    if (web->part_count == WEB_PARTS_MAX || chance(sim, 20)) {
        web_send_events(sim);
    }
}

void web_send_events(struct sim *sim)
{
    struct asked asked = {.method = EVHTTP_REQ_POST, .is_workers = true};

    if (sim->web == NULL || sim->web->part_count == 0) {
        return;
    }
    buf_init(&asked.body);
    (void)snprintf(asked.path, sizeof(asked.path), "/api/call-events");
    PUT(&asked.body, "{\"events\":[%.*s]}", SLICE_ARGS(buf_slice(&sim->web->events)));
    buf_clear(&sim->web->events);
    sim_count(sim, COUNT_WEB_BATCHES);
    (void)web_send(sim, &asked, REQUEST_EVENTS, MESSAGE_CALL_STARTED, 0);
}

void web_note_event(struct sim *sim, const struct told_reply *reply)
{
    const struct ask *ask = web_find(sim, reply->exchange);
    struct ask_part *part;

    if (ask == NULL) { /* its client has gone */
        return;
    }
    SIM_REQUIRE(sim, reply->part < ask->part_count);
    part = &ask->parts[reply->part];
    SIM_REQUIRE(sim, !part->is_told);
    part->is_told = true;
    part->status = reply->status;
    part->dial_by = reply->dial_by;
}

static const char *status_word(enum event_status status)
{
    static const char *const words[] = {
        [EVENT_ACCEPTED] = "accepted", [EVENT_DUPLICATE] = "duplicate", [EVENT_STALE] = "stale",
        [EVENT_REFUSED] = "refused",   [EVENT_UNKNOWN] = "unknown",     [EVENT_INVALID] = "invalid",
    };

    return words[status];
}

/* One event's answer: what its execution said, or what the API found malformed. */
static void judge_event(struct sim *sim, const struct ask_part *part, const json_t *result)
{
    char dial_by[INSTANT_TEXT_SIZE];

    SIM_REQUIRE(sim, web_is_id(result, "callId", &part->call_id));
    if (!part->is_told) {
        if (!part->is_malformed || !web_is_text(result, "status", "invalid")) {
            sim_fail(sim, "the API itself answers %s with %s (%s)", message_type_name(part->type),
                     json_string_value(json_object_get(result, "status")),
                     json_string_value(json_object_get(result, "message")));
        }
        SIM_REQUIRE(sim, json_is_string(json_object_get(result, "message")));
        return;
    }
    SIM_REQUIRE(sim, !part->is_malformed);
    SIM_REQUIRE(sim, web_is_text(result, "status", status_word(part->status)));
    if (part->dial_by == 0) {
        SIM_REQUIRE(sim, json_object_get(result, "dialBy") == NULL);
    } else {
        instant_print(part->dial_by, dial_by);
        SIM_REQUIRE(sim, web_is_text(result, "dialBy", dial_by));
    }
}

void web_judge_events(struct sim *sim, struct ask *ask, const json_t *body)
{
    const json_t *results = json_object_get(body, "results");

    SIM_REQUIRE(sim, json_array_size(results) == ask->part_count);
    for (uint32_t i = 0; i < ask->part_count; i++) {
        const struct ask_part *part = &ask->parts[i];

        judge_event(sim, part, json_array_get(results, i));
        if (part->is_told && part->call < SIM_KNOWN_CALLS) {
            workers_on_event(sim, part->call, &part->claim_id, part->type, part->status,
                             part->dial_by);
        }
    }
}

/* ---- claims ---- */

static void read_id(struct sim *sim, const json_t *body, const char *name, struct uuid *out)
{
    const char *text = json_string_value(json_object_get(body, name));

    SIM_REQUIRE(sim, text != NULL && uuid_parse(slice_from(text), out));
}

/* A call that a worker is given is under this claim, and is what the rows say. */
static void judge_call(struct sim *sim, const struct ask *ask, const json_t *json)
{
    struct uuid call_id, claim_id;
    const struct model_execution *x;
    const struct model_entry *entry;
    struct call_name name;

    read_id(sim, json, "callId", &call_id);
    read_id(sim, json, "claimId", &claim_id);
    SIM_REQUIRE(sim, call_id_read(&call_id, &name));
    x = model_find(&sim->model, (uint32_t)name.execution);
    SIM_REQUIRE(sim, x != NULL && name.entry < x->entry_count && name.tag == x->tag);
    entry = &x->entries[name.entry];
    SIM_REQUIRE(sim, web_is_id(json, "executionId", &x->settings->id));
    SIM_REQUIRE(sim,
                web_is_id(json, "organizationId", &sim->model.organisations[x->organisation].id));
    SIM_REQUIRE(sim, web_is_id(json, "contactId", &sim->model.contacts[entry->contact].id));
    SIM_REQUIRE(sim, web_is_number(json, "attempt", name.attempt));
    if (engine_reads_all(sim->engine)) { /* nothing has happened to it since */
        SIM_REQUIRE(sim, entry->is_live && entry->call_status == CALL_CLAIMED);
        SIM_REQUIRE(sim, uuid_equal(&entry->claim_id, &claim_id));
        SIM_REQUIRE(sim, json_is_true(json_object_get(json, "redelivered")) == (entry->leases > 1));
    }
    workers_take(sim, &(struct known_call){.is_there = true,
                                           .execution = x->number,
                                           .entry = (uint32_t)name.entry,
                                           .tag = name.tag,
                                           .attempt = (uint16_t)name.attempt,
                                           .claim_id = claim_id});
    (void)ask;
}

void web_judge_claim(struct sim *sim, struct ask *ask, const json_t *body)
{
    const struct told_answer *told = &sim->requests[ask->exchange].told;
    const json_t *calls = json_object_get(body, "calls");
    const json_t *call;
    size_t i;

    SIM_REQUIRE(sim, json_is_array(calls));
    SIM_REQUIRE(sim, told->is_told && told->kind == REPLY_CLAIMED);
    SIM_REQUIRE(sim, json_array_size(calls) <= told->count);
    json_array_foreach(calls, i, call)
    {
        judge_call(sim, ask, call);
    }
    if (ask->is_timed_out && told->count > 0) {
        sim_count(sim, COUNT_WEB_CLAIMS_LATE);
    }
}
