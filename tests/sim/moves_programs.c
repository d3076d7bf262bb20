/* Moves of programs and of what they are launched as. */
#include "base/check.h"
#include "model/lifecycle.h"
#include "tests/sim/sim.h"

void moves_make_flow(struct sim *sim, uint32_t organisation)
{
    struct arena *arena = arena_new();
    struct flow *flow = arena_zalloc(arena, sizeof(*flow));
    union payload payload = {.flow = flow};

    flow->id = sim->flows[organisation] = engine_new_id(sim->engine);
    flow->name = SLICE("Survey");
    clients_post(sim, REQUEST_WRITE, MESSAGE_FLOW_CREATE, organisation, &payload, arena, 0);
}

/* ---- settings ---- */

static void choose_retry(struct sim *sim, struct retry_strategy *retry)
{
    int64_t date = sim->at - MS_PER_HOUR;

    retry->type = RETRY_NONE + below(sim, 3);
    if (retry->type == RETRY_FIXED_DELAY) {
        retry->delay_ms = between(sim, 1, 90) * (uint32_t)MS_PER_MINUTE;
        retry->max_retries = between(sim, 1, 4);
    } else if (retry->type == RETRY_SCHEDULED) {
        retry->date_count = between(sim, 1, 6);
        for (uint32_t i = 0; i < retry->date_count; i++) {
            date += (1 + (int64_t)below(sim, 8 * 3600)) * MS_PER_SECOND;
            retry->dates[i] = date;
        }
    }
}

/* Windows of the coming days, some of which begin or end where clocks change. */
static void choose_windows(struct sim *sim, struct arena *arena, struct program *program)
{
    uint32_t weekly_count = below(sim, 4);
    uint32_t advanced_count = below(sim, 3);
    struct weekly_window *weekly = arena_zalloc(arena, 4 * sizeof(*weekly));
    struct instant_window *advanced = arena_zalloc(arena, 3 * sizeof(*advanced));
    unsigned today = (unsigned)((sim->at / MS_PER_DAY + 4) % 7);

    if (chance(sim, 45)) {
        return;
    }
    for (uint32_t i = 0; i < weekly_count; i++) {
        weekly[i].weekday = (uint8_t)((today + below(sim, 3)) % 7);
        weekly[i].start_minute =
            (uint16_t)(chance(sim, 40) ? 30 * below(sim, 8) : below(sim, 1440));
        weekly[i].end_minute = (uint16_t)(chance(sim, 40) ? 30 * below(sim, 8) : below(sim, 1440));
        if (chance(sim, 10)) {
            weekly[i].end_minute = chance(sim, 50) ? 1439 : weekly[i].start_minute;
        }
    }
    for (uint32_t i = 0; i < advanced_count; i++) {
        advanced[i].start_at = sim->at + ((int64_t)below(sim, 4 * 3600) - 3600) * MS_PER_SECOND;
        advanced[i].end_at = advanced[i].start_at + 1 + below(sim, 7200000);
    }
    program->has_pause_windows = true;
    program->windows = (struct pause_windows){.weekly = weekly,
                                              .weekly_count = weekly_count,
                                              .advanced = advanced,
                                              .advanced_count = advanced_count};
}

/* Different nodes, in any order. */
static struct auto_pause_rule *choose_rules(struct sim *sim, struct arena *arena, size_t *count)
{
    struct auto_pause_rule *rules = arena_zalloc(arena, LOG_NODES * sizeof(*rules));
    uint32_t first = below(sim, LOG_NODES);

    *count = below(sim, LOG_NODES + 1);
    for (size_t i = 0; i < *count; i++) {
        rules[i].node_id = log_node_names[(first + i) % LOG_NODES];
        rules[i].threshold = between(sim, 1, 8);
        rules[i].reset_on_resume = chance(sim, 50);
    }
    return rules;
}

static void choose_limits(struct sim *sim, struct program *program)
{
    static const uint64_t paces[] = {500000, 1000000, 5000000, 50000000};

    if (sim->kind == SIM_LARGE && chance(sim, 70)) { /* asleep for a long time */
        program->start_at = sim->at + (int64_t)below(sim, 86400) * MS_PER_SECOND;
    } else if (chance(sim, 25)) {
        program->start_at = sim->at + ((int64_t)below(sim, 7200) - 3600) * MS_PER_SECOND;
    }
    if (chance(sim, 20)) {
        int64_t from = program->start_at > sim->at ? program->start_at : sim->at;

        program->stop_at = from + 1 + (int64_t)below(sim, 2 * 86400) * MS_PER_SECOND;
    }
    if (chance(sim, 40)) {
        program->pacing.max_concurrent_calls = between(sim, 1, 6);
    }
    if (chance(sim, 25)) {
        program->pacing.calls_per_second_micro = paces[below(sim, 4)];
    }
}

/* Some of them are another organisation's, and the program is refused; not where there are to be
 * thousands. */
static void choose_pool(struct sim *sim, struct arena *arena, uint32_t organisation,
                        struct program *program)
{
    struct uuid *pool = arena_zalloc(arena, 4 * sizeof(*pool));
    struct model *model = &sim->model;
    size_t count = 0;

    for (uint32_t i = 0; i < 8 && count < 4 && model->did_count > 0; i++) {
        const struct model_did *did = &model->dids[below(sim, model->did_count)];
        bool is_new = did->exists && did->is_active;

        is_new &= sim->kind != SIM_LARGE || did->owner == 0 || did->owner == organisation;

        for (size_t n = 0; n < count; n++) {
            is_new &= !uuid_equal(&pool[n], &did->id);
        }
        if (is_new) {
            pool[count++] = did->id;
        }
    }
    program->did_pool = pool;
    program->did_count = count;
}

static bool choose_audience(struct sim *sim, uint32_t organisation, struct program *program)
{
    struct model *model = &sim->model;

    for (uint32_t i = 0; i < 12 && model->audience_count > 0; i++) {
        const struct model_audience *audience =
            &model->audiences[below(sim, model->audience_count)];

        if (audience->exists && audience->organisation == organisation) {
            program->audience_id = audience->id;
            return true;
        }
    }
    return false;
}

static void choose_trigger(struct sim *sim, struct trigger_condition *trigger)
{
    trigger->attribute_name = SLICE("due");
    trigger->offset_minutes = chance(sim, 60) ? 0 : (int32_t)below(sim, 600) - 300;
    trigger->has_time_of_day = chance(sim, 20);
    trigger->minute_of_day = (uint16_t)(trigger->has_time_of_day ? below(sim, 1440) : 0);
    trigger->recurrence = chance(sim, 80) ? RECURRENCE_ONCE : RECURRENCE_YEARLY;
}

void moves_make_program(struct sim *sim, uint32_t organisation)
{
    struct arena *arena = arena_new();
    struct program *program = arena_zalloc(arena, sizeof(*program));
    union payload payload = {.program = program};

    program->mode = chance(sim, 80) ? MODE_BATCH : MODE_LIVE;
    choose_pool(sim, arena, organisation, program);
    if (sim->model.program_count + 4 >= sim->model.most.programs || program->did_count == 0 ||
        !choose_audience(sim, organisation, program)) {
        arena_free(arena);
        return;
    }
    program->id = engine_new_id(sim->engine);
    program->name = SLICE("Autumn");
    program->flow_id = sim->flows[organisation];
    program->gateway = chance(sim, 65) ? SLICE("worker") : SLICE("simulator");
    program->status = PROGRAM_DRAFT;
    program->rules = choose_rules(sim, arena, &program->rule_count);
    choose_retry(sim, &program->retry);
    choose_windows(sim, arena, program);
    choose_limits(sim, program);
    if (program->mode == MODE_LIVE) {
        choose_trigger(sim, &program->trigger);
    }
    clients_post(sim, REQUEST_WRITE, MESSAGE_PROGRAM_CREATE, organisation, &payload, arena, 0);
}

/* ---- programs ---- */

static const struct model_program *some_program(struct sim *sim)
{
    struct model *model = &sim->model;

    return model->program_count == 0 ? NULL : &model->programs[below(sim, model->program_count)];
}

void moves_change_program(struct sim *sim)
{
    const struct model_program *program = some_program(sim);
    struct program_patch *patch;
    struct arena *arena;
    union payload payload;
    uint32_t organisation = moves_some_organisation(sim);

    if (organisation == 0) {
        return;
    }
    if (program == NULL || chance(sim, 60)) {
        moves_make_program(sim, organisation);
        return;
    }
    if (chance(sim, 20)) {
        payload.id = (struct owned_id){program->organisation, program->id};
        clients_post(sim, REQUEST_WRITE, MESSAGE_PROGRAM_DELETE, program->organisation, &payload,
                     NULL, 0);
        return;
    }
    arena = arena_new();
    patch = arena_zalloc(arena, sizeof(*patch));
    patch->value.id = program->id;
    patch->present = PROGRAM_PAUSE_WINDOWS | PROGRAM_START_AT | PROGRAM_STOP_AT | PROGRAM_RETRY;
    choose_windows(sim, arena, &patch->value);
    choose_limits(sim, &patch->value);
    choose_retry(sim, &patch->value.retry);
    payload.program_patch = patch;
    clients_post(sim, REQUEST_WRITE, MESSAGE_PROGRAM_PATCH, program->organisation, &payload, arena,
                 0);
}

void moves_launch(struct sim *sim)
{
    const struct model_program *program = some_program(sim);
    union payload payload;

    if (program == NULL || sim->model.execution_count + 8 >= sim->model.most.executions) {
        return;
    }
    if (chance(sim, 50)) {
        clients_launch(sim, program);
        return;
    }
    payload.launch_request = (struct launch_request){
        .program_id = program->id,
        .execution_number = engine_next_number(sim->engine, TABLE_EXECUTION),
        .execution_id = engine_new_id(sim->engine)};
    clients_post(sim, REQUEST_WRITE, MESSAGE_PROGRAM_LAUNCH, program->organisation, &payload, NULL,
                 0);
}

/* ---- executions ---- */

void moves_control(struct sim *sim)
{
    struct model *model = &sim->model;
    const struct model_execution *x;
    unsigned what = below(sim, 100);
    struct arena *arena = NULL;
    union payload payload = {.resume = {.has_rules = false}};
    enum message_type type = MESSAGE_RESUME;

    if (model->execution_count == 0) {
        return;
    }
    x = model->executions[below(sim, model->execution_count)];
    if (what < 35) {
        type = MESSAGE_PAUSE;
    } else if (what < 45) {
        type = MESSAGE_CANCEL;
    } else if (what < 60 && x->exists) {
        arena = arena_new();
        payload.resume.has_rules = true;
        payload.resume.rules = choose_rules(sim, arena, &payload.resume.rule_count);
    }
    clients_post(sim, REQUEST_CONTROL, type, x->number, &payload, arena, 0);
}
