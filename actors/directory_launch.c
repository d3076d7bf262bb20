/* A program is launched: the checks that need other rows are made here, the program is marked, and
 * a LAUNCH with a snapshot of the settings goes to the new execution in the same batch. The
 * execution answers the client.
 */
#include "actors/directory_parts.h"

/* What a launch reads. */
struct launch_facts {
    struct organisation organisation;
    struct audience audience;
    struct pool_did *dids; /* of the program's pool that still exist */
    size_t did_count;
};

static bool check_status(const struct message *m, struct view *view, struct effects *out,
                         const struct program *program)
{
    if (program->status == PROGRAM_ARCHIVED) {
        refuse(out, m->exchange, FAULT_PROGRAM_STATUS_CONFLICT, "The program is archived");
        return false;
    }
    if (program->active_execution != 0) {
        refuse(out, m->exchange, FAULT_EXECUTION_ALREADY_RUNNING,
               "The program has an execution that is active");
        return false;
    }
    if (program->stop_at != 0 && program->stop_at <= m->at) {
        refuse_property(view->arena, out, m->exchange, "stopAt", "has passed");
        return false;
    }
    return true;
}

/* Reads the DIDs that still exist; false when none of them is active and may be used. One that is
 * inactive now stays in the pool: it may become active while the execution runs. */
static bool read_pool(const struct message *m, struct view *view, const struct program *program,
                      struct launch_facts *facts)
{
    bool has_usable = false;

    facts->dids = arena_alloc(view->arena, program->did_count * sizeof(*facts->dids));
    facts->did_count = 0;
    for (size_t i = 0; i < program->did_count; i++) {
        struct did did;
        if (!directory_find_did(view, &program->did_pool[i], &did)) {
            continue;
        }
        facts->dids[facts->did_count++] = (struct pool_did){did.id, did.number};
        if (did.status == DID_ACTIVE && directory_may_use(m->actor.number, &did)) {
            has_usable = true;
        }
    }
    return has_usable;
}

/* Reads what the launch needs; false, with the fault replied, when it may not be. */
static bool check_rows(const struct message *m, struct view *view, struct effects *out,
                       const struct program *program, struct launch_facts *facts)
{
    struct key organisation_key = key_u32(m->actor.number);
    struct key audience_key = key_owned(m->actor.number, &program->audience_id);

    OD_CHECK(view_get(view, TABLE_ORGANISATION, &organisation_key, &facts->organisation));
    OD_CHECK(view_get(view, TABLE_AUDIENCE, &audience_key, &facts->audience));
    if (program->mode == MODE_BATCH && facts->audience.contact_count == 0) {
        refuse(out, m->exchange, FAULT_AUDIENCE_EMPTY, "The audience has no contacts");
        return false;
    }
    if (!read_pool(m, view, program, facts)) {
        refuse(out, m->exchange, FAULT_EMPTY_DID_POOL,
               "No DID of the pool is active and accessible");
        return false;
    }
    return true;
}

static struct execution_settings *make_settings(const struct actor_settings *settings,
                                                const struct message *m, struct view *view,
                                                const struct program *program,
                                                const struct launch_facts *facts)
{
    struct execution_settings *made = arena_zalloc(view->arena, sizeof(*made));

    made->number = m->payload.launch_request.execution_number;
    made->id = m->payload.launch_request.execution_id;
    made->organisation = m->actor.number;
    made->organisation_id = facts->organisation.id;
    made->program_id = program->id;
    made->audience_id = program->audience_id;
    made->audience = facts->audience.number;
    made->flow_id = program->flow_id;
    made->mode = program->mode;
    made->timezone = facts->organisation.timezone;
    made->gateway = program->gateway;
    if (slice_is_empty(made->gateway) && settings->gateway_count > 0) {
        made->gateway = slice_from(settings->gateways[0].name);
    }
    made->dids = facts->dids;
    made->did_count = facts->did_count;
    made->retry = program->retry;
    made->has_pause_windows = program->has_pause_windows;
    made->windows = program->windows;
    made->pacing = program->pacing;
    made->rules = program->rules;
    made->rule_count = program->rule_count;
    made->start_at = program->start_at;
    made->stop_at = program->stop_at;
    made->created_at = m->at;
    made->trigger = program->trigger;
    return made;
}

void directory_program_launch(const struct actor_settings *settings, const struct message *m,
                              struct view *view, struct effects *out)
{
    const struct launch_request *request = &m->payload.launch_request;
    struct key key = key_owned(m->actor.number, &request->program_id);
    struct message launch = {.actor = {ACTOR_EXECUTION, request->execution_number},
                             .type = MESSAGE_LAUNCH,
                             .exchange = m->exchange};
    struct program program;
    struct launch_facts facts;

    if (!directory_find_program(m, view, out, &request->program_id, &program) ||
        !check_status(m, view, out, &program) || !check_rows(m, view, out, &program, &facts)) {
        return;
    }
    launch.payload.launch.settings = make_settings(settings, m, view, &program, &facts);
    launch.payload.launch.audience_contacts = facts.audience.contact_count;
    if (program.status == PROGRAM_DRAFT) {
        program.status = PROGRAM_ACTIVE;
        program.updated_at = m->at;
    }
    program.active_execution = request->execution_number;
    program.active_flow = program.flow_id;
    effect_put(out, TABLE_PROGRAM, &key, &program);
    directory_count_flow(m, view, out, &program.active_flow, true);
    effect_send(out, &launch);
}

void directory_execution_ended(const struct message *m, struct view *view, struct effects *out)
{
    struct key key = key_owned(m->actor.number, &m->payload.ended.program_id);
    struct program program;

    if (!view_get(view, TABLE_PROGRAM, &key, &program) ||
        program.active_execution != m->payload.ended.execution) {
        return;
    }
    struct uuid flow = program.active_flow;
    program.active_execution = 0;
    program.active_flow = UUID_NIL;
    effect_put(out, TABLE_PROGRAM, &key, &program);
    if (!uuid_is_nil(&flow)) {
        directory_count_flow(m, view, out, &flow, false);
    }
}
