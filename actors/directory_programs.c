/* Programs: created, patched, deleted. The audience and the flow of a program that is not deleted
 * count it, so that they cannot be deleted under it. A flow counts active executions too: their
 * program may have moved to another one.
 *
 * Everything is checked before the first row is put, in this order: the trigger condition; the DIDs
 * of the pool exist, are active, may be used by the organisation; the audience exists; the flow
 * exists; the times fit.
 */
#include "actors/directory_parts.h"

bool directory_find_did(struct view *view, const struct uuid *id, struct did *did)
{
    struct key by_id = key_uuid(id);
    struct number_row owner;

    if (!view_get(view, TABLE_DID_OWNER, &by_id, &owner)) {
        return false;
    }
    struct key key = key_owned(owner.number, id);
    return view_get(view, TABLE_DID, &key, did);
}

bool directory_find_program(const struct message *m, struct view *view, struct effects *out,
                            const struct uuid *id, struct program *program)
{
    struct key key = key_owned(m->actor.number, id);

    if (view_get(view, TABLE_PROGRAM, &key, program) && !program->is_deleted) {
        return true;
    }
    refuse_not_found(view, out, m->exchange, FAULT_PROGRAM_NOT_FOUND, "Program", id);
    return false;
}

/* ---- checks ---- */

static void refuse_did(const struct message *m, struct view *view, struct effects *out,
                       enum fault_code code, const struct uuid *id, const char *what)
{
    char text[UUID_TEXT_SIZE];

    uuid_print(id, text);
    effect_reply_fault(out, m->exchange, code, arena_printf(view->arena, "DID %s %s", text, what));
}

/* All DIDs of the pool exist, then all are active, then the organisation may use all. */
static bool check_pool(const struct message *m, struct view *view, struct effects *out,
                       const struct program *program)
{
    const struct did *inactive = NULL, *foreign = NULL;
    struct did *dids = arena_alloc(view->arena, program->did_count * sizeof(*dids));

    for (size_t i = 0; i < program->did_count; i++) {
        const struct uuid *id = &program->did_pool[i];
        if (!directory_find_did(view, id, &dids[i])) {
            refuse_did(m, view, out, FAULT_DID_NOT_FOUND, id, "not found");
            return false;
        }
        if (inactive == NULL && dids[i].status != DID_ACTIVE) {
            inactive = &dids[i];
        }
        if (foreign == NULL && !directory_may_use(m->actor.number, &dids[i])) {
            foreign = &dids[i];
        }
    }
    if (inactive != NULL) {
        refuse_did(m, view, out, FAULT_DID_NOT_ACTIVE, &inactive->id, "is not active");
        return false;
    }
    if (foreign != NULL) {
        refuse_did(m, view, out, FAULT_DID_NOT_ACCESSIBLE, &foreign->id,
                   "belongs to another organization");
        return false;
    }
    return true;
}

static bool check_audience(const struct message *m, struct view *view, struct effects *out,
                           const struct uuid *id)
{
    struct key key = key_owned(m->actor.number, id);
    struct audience audience;

    if (view_get(view, TABLE_AUDIENCE, &key, &audience)) {
        return true;
    }
    refuse_not_found(view, out, m->exchange, FAULT_AUDIENCE_NOT_FOUND, "Audience", id);
    return false;
}

static bool check_flow(const struct message *m, struct view *view, struct effects *out,
                       const struct uuid *id)
{
    struct key key = key_owned(m->actor.number, id);
    struct flow flow;

    if (view_get(view, TABLE_FLOW, &key, &flow)) {
        return true;
    }
    refuse_not_found(view, out, m->exchange, FAULT_FLOW_NOT_FOUND, "Flow", id);
    return false;
}

/* "stopAt must be after startAt" (api.md), whichever of them has changed. */
static bool times_fit(const struct program *program)
{
    return program->start_at == 0 || program->stop_at == 0 || program->stop_at > program->start_at;
}

static bool check_times(const struct message *m, struct view *view, struct effects *out,
                        const struct program *program)
{
    if (times_fit(program)) {
        return true;
    }
    refuse_property(view->arena, out, m->exchange, "stopAt", "must be after startAt");
    return false;
}

/* With the times, if they do not fit either: all faults are told at once. */
static void refuse_trigger(const struct message *m, struct view *view, struct effects *out,
                           const struct program *program)
{
    struct refusal_list faults = {0};

    refusal_add(&faults, view->arena, SLICE("triggerCondition.attributeName"),
                SLICE("must be a custom attribute of type date"));
    if (!times_fit(program)) {
        refusal_add(&faults, view->arena, SLICE("stopAt"), SLICE("must be after startAt"));
    }
    refuse_list(view->arena, out, m->exchange, &faults);
}

/* The checks of the properties in `present`; the program has their new values. */
static bool check_program(const struct message *m, struct view *view, struct effects *out,
                          uint32_t present, const struct program *program)
{
    if ((present & PROGRAM_TRIGGER) && !directory_has_date(m, view, program)) {
        refuse_trigger(m, view, out, program);
        return false;
    }
    if ((present & PROGRAM_DID_POOL) && !check_pool(m, view, out, program)) {
        return false;
    }
    if ((present & PROGRAM_AUDIENCE) && program->new_audience == 0 &&
        !check_audience(m, view, out, &program->audience_id)) {
        return false;
    }
    if ((present & PROGRAM_FLOW) && !check_flow(m, view, out, &program->flow_id)) {
        return false;
    }
    return !(present & (PROGRAM_START_AT | PROGRAM_STOP_AT)) || check_times(m, view, out, program);
}

/* ---- who holds what ---- */

static void count_audience(const struct message *m, struct view *view, struct effects *out,
                           const struct uuid *id, bool is_more)
{
    struct key key = key_owned(m->actor.number, id);
    struct audience audience;

    OD_CHECK(view_get(view, TABLE_AUDIENCE, &key, &audience));
    OD_CHECK(is_more || audience.program_count > 0);
    audience.program_count += is_more ? 1 : (uint32_t)-1;
    effect_put(out, TABLE_AUDIENCE, &key, &audience);
}

void directory_count_flow(const struct message *m, struct view *view, struct effects *out,
                          const struct uuid *id, bool is_more)
{
    struct key key = key_owned(m->actor.number, id);
    struct flow flow;

    OD_CHECK(view_get(view, TABLE_FLOW, &key, &flow));
    OD_CHECK(is_more || flow.program_count > 0);
    flow.program_count += is_more ? 1 : (uint32_t)-1;
    effect_put(out, TABLE_FLOW, &key, &flow);
}

/* ---- the handlers ---- */

void directory_program_create(const struct message *m, struct view *view, struct effects *out)
{
    struct program program = *m->payload.program;
    struct key key = key_owned(m->actor.number, &program.id);

    if (!check_program(m, view, out, UINT32_MAX, &program)) {
        return;
    }
    program.status = PROGRAM_DRAFT;
    program.is_deleted = false;
    program.active_execution = 0;
    program.active_flow = UUID_NIL;
    program.created_at = m->at;
    program.updated_at = m->at;
    directory_make_audience(m, out, &program);
    effect_put(out, TABLE_PROGRAM, &key, &program);
    count_audience(m, view, out, &program.audience_id, true);
    directory_count_flow(m, view, out, &program.flow_id, true);
    directory_count_attribute(m, view, out, &program, true);
    effect_reply_record(out, m->exchange, true, TABLE_PROGRAM, &key, &program);
}

static void program_apply_ids(struct program *program, uint32_t present,
                              const struct program *value)
{
    if (present & PROGRAM_FLOW) {
        program->flow_id = value->flow_id;
    }
    if (present & PROGRAM_AUDIENCE) {
        program->audience_id = value->audience_id;
        program->new_audience = value->new_audience;
    }
    if (present & PROGRAM_DID_POOL) {
        program->did_pool = value->did_pool;
        program->did_count = value->did_count;
    }
}

static void program_apply(struct program *program, uint32_t present, const struct program *value)
{
    program_apply_ids(program, present, value);
    if (present & PROGRAM_NAME) {
        program->name = value->name;
    }
    if (present & PROGRAM_START_AT) {
        program->start_at = value->start_at;
    }
    if (present & PROGRAM_STOP_AT) {
        program->stop_at = value->stop_at;
    }
    if (present & PROGRAM_RETRY) {
        program->retry = value->retry;
    }
    if (present & PROGRAM_PAUSE_WINDOWS) {
        program->has_pause_windows = value->has_pause_windows;
        program->windows = value->windows;
    }
    if (present & PROGRAM_PACING) {
        program->pacing = value->pacing;
    }
    if (present & PROGRAM_GATEWAY) {
        program->gateway = value->gateway;
    }
    if (present & PROGRAM_RULES) {
        program->rules = value->rules;
        program->rule_count = value->rule_count;
    }
    if (present & PROGRAM_TRIGGER) {
        program->trigger = value->trigger;
    }
    if (present & PROGRAM_STATUS) {
        program->status = value->status;
    }
}

void directory_program_patch(const struct message *m, struct view *view, struct effects *out)
{
    const struct program_patch *patch = m->payload.program_patch;
    struct key key = key_owned(m->actor.number, &patch->value.id);
    struct program program, before;

    if (!directory_find_program(m, view, out, &patch->value.id, &before)) {
        return;
    }
    program = before;
    program_apply(&program, patch->present, &patch->value);
    if (!check_program(m, view, out, patch->present, &program)) {
        return;
    }
    program.updated_at = m->at;
    directory_make_audience(m, out, &program);
    effect_put(out, TABLE_PROGRAM, &key, &program);
    directory_count_attribute(m, view, out, &before, false);
    directory_count_attribute(m, view, out, &program, true);
    if (!uuid_equal(&program.audience_id, &before.audience_id)) {
        count_audience(m, view, out, &before.audience_id, false);
        count_audience(m, view, out, &program.audience_id, true);
    }
    if (!uuid_equal(&program.flow_id, &before.flow_id)) {
        directory_count_flow(m, view, out, &before.flow_id, false);
        directory_count_flow(m, view, out, &program.flow_id, true);
    }
    effect_reply_record(out, m->exchange, false, TABLE_PROGRAM, &key, &program);
}

/* The row stays, hidden: executions of the program go on showing what they were made from. */
void directory_program_delete(const struct message *m, struct view *view, struct effects *out)
{
    struct key key = key_owned(m->actor.number, &m->payload.id.id);
    struct program program;

    if (!directory_find_program(m, view, out, &m->payload.id.id, &program)) {
        return;
    }
    if (program.active_execution != 0) {
        refuse(out, m->exchange, FAULT_PROGRAM_STATUS_CONFLICT,
               "The program has an execution that is active");
        return;
    }
    program.is_deleted = true;
    program.updated_at = m->at;
    effect_put(out, TABLE_PROGRAM, &key, &program);
    count_audience(m, view, out, &program.audience_id, false);
    directory_count_flow(m, view, out, &program.flow_id, false);
    directory_count_attribute(m, view, out, &program, false);
    effect_reply_nothing(out, m->exchange);
}
