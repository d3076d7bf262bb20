/* Programs: their bodies, lists, and launch. Whether DIDs, audience and flow exist and may be used
 * is for the directory to see.
 */
#include "api/routes.h"

#include "api/program_body.h"
#include "api/program_faults.h"
#include "api/routes_execution_lists.h"
#include "api/routes_records.h"
#include "api/rules_body.h"
#include "model/names.h"

enum { NAME_CHARACTERS_MAX = 255, GATEWAY_CHARACTERS_MAX = 64 };

/* ---- bodies ---- */

static bool is_there(enum property found)
{
    return found == PROPERTY_GIVEN || found == PROPERTY_NULL;
}

/* An instant for which null and 0 mean "none": one of 1970 is a millisecond later. */
static void read_instant(struct body_value *root, const char *name, struct program_patch *patch,
                         enum program_field field, int64_t *out)
{
    enum property found = body_instant(root, name, PROPERTY_OPTIONAL, out);

    if (is_there(found)) {
        patch->present |= field;
    }
    if (found == PROPERTY_GIVEN && *out == 0) {
        *out = 1;
    }
}

static void read_times(struct body_value *root, struct program_patch *patch)
{
    struct program *program = &patch->value;

    read_instant(root, "startAt", patch, PROGRAM_START_AT, &program->start_at);
    read_instant(root, "stopAt", patch, PROGRAM_STOP_AT, &program->stop_at);
    if (program->start_at != 0 && program->stop_at != 0 && program->stop_at <= program->start_at) {
        body_fault(root, "stopAt", "must be after startAt");
    }
}

static void read_gateway(struct exchange *exchange, struct body_value *root,
                         struct program_patch *patch)
{
    struct slice *name = &patch->value.gateway;
    enum property found =
        body_text(root, "gateway", PROPERTY_OPTIONAL, 1, GATEWAY_CHARACTERS_MAX, name);
    uint32_t index;

    if (is_there(found)) {
        patch->present |= PROGRAM_GATEWAY;
    }
    if (found == PROPERTY_GIVEN && !engine_gateway_index(exchange->engine, *name, &index)) {
        body_fault(root, "gateway", "is not a configured gateway");
    }
}

/* A rule is about a node of the program's flow: of the one in the body, or else the stored one's.
 */
static void read_rules(struct exchange *exchange, struct body_value *root,
                       struct program_patch *patch, const struct program *stored)
{
    struct program *program = &patch->value;
    struct rules_body rules;

    rules_read(root, &rules);
    program->rules = rules.rules;
    program->rule_count = rules.count;
    if (is_there(rules.found)) {
        patch->present |= PROGRAM_RULES;
        rules_check_flow(exchange, &rules,
                         patch->present & PROGRAM_FLOW ? &program->flow_id : &stored->flow_id);
    } else if (patch->present & PROGRAM_FLOW) {
        rules_check_other_flow(exchange, root, stored->rules, stored->rule_count,
                               &program->flow_id);
    }
}

/* "live: required; batch: forbidden" (api.md). In a PATCH the program's mode decides; 0: it is not
 * known, and 404 is what comes of it. */
static void read_trigger(struct body_value *root, enum property_rule rule,
                         struct program_patch *patch)
{
    struct body_value value;

    if (patch->value.mode == MODE_LIVE) {
        if (program_read_trigger(root, rule, &patch->value.trigger) == PROPERTY_GIVEN) {
            patch->present |= PROGRAM_TRIGGER;
        }
    } else if (body_get(root, "triggerCondition", PROPERTY_OPTIONAL, &value) == PROPERTY_GIVEN &&
               patch->value.mode == MODE_BATCH) {
        value_fault(&value, "must not be given in batch mode");
    }
}

/* Mode 0 is one that is not known. In live mode an audience is made for a program that has none:
 * when a POST names none, and when a PATCH clears it. */
static void read_audience(struct exchange *exchange, struct body_value *root,
                          enum property_rule rule, struct program_patch *patch)
{
    struct program *program = &patch->value;
    bool is_live = program->mode == MODE_LIVE;
    bool is_optional = is_live || (program->mode == 0 && rule == PROPERTY_REQUIRED);
    enum property found = body_uuid(root, "audienceId", is_optional ? PROPERTY_OPTIONAL : rule,
                                    &program->audience_id);
    bool is_wanted =
        found == PROPERTY_NULL || (found == PROPERTY_ABSENT && rule == PROPERTY_REQUIRED);

    if (is_live && is_wanted && !faults_any(&exchange->faults)) {
        program->audience_id = engine_new_id(exchange->engine);
        program->new_audience = engine_next_number(exchange->engine, TABLE_AUDIENCE);
        found = PROPERTY_GIVEN;
    }
    if (found == PROPERTY_GIVEN) {
        patch->present |= PROGRAM_AUDIENCE;
    }
}

/* Reads what POST and PATCH have in common. `stored`: what is patched, zeros if that is nothing. */
static void read_program(struct exchange *exchange, struct body_value *root,
                         enum property_rule rule, struct program_patch *patch,
                         const struct program *stored)
{
    struct program *program = &patch->value;

    if (body_text(root, "name", rule, 1, NAME_CHARACTERS_MAX, &program->name) == PROPERTY_GIVEN) {
        patch->present |= PROGRAM_NAME;
    }
    if (body_uuid(root, "flowId", rule, &program->flow_id) == PROPERTY_GIVEN) {
        patch->present |= PROGRAM_FLOW;
    }
    if (program_read_pool(root, rule, program) == PROPERTY_GIVEN) {
        patch->present |= PROGRAM_DID_POOL;
    }
    read_trigger(root, rule, patch);
    read_times(root, patch);
    if (is_there(program_read_retry(root, &program->retry))) {
        patch->present |= PROGRAM_RETRY;
    }
    if (is_there(program_read_windows(root, &program->has_pause_windows, &program->windows))) {
        patch->present |= PROGRAM_PAUSE_WINDOWS;
    }
    if (is_there(program_read_pacing(root, &program->pacing))) {
        patch->present |= PROGRAM_PACING;
    }
    read_gateway(exchange, root, patch);
    read_rules(exchange, root, patch, stored);
    read_audience(exchange, root, rule, patch);
}

static void read_mode(struct body_value *root, struct program *program)
{
    static const struct body_word modes[] = {{"batch", MODE_BATCH}, {"live", MODE_LIVE}, {NULL, 0}};
    int mode = 0;

    switch (body_word(root, "mode", PROPERTY_OPTIONAL, modes, &mode)) {
    case PROPERTY_GIVEN: program->mode = (enum program_mode)mode; break;
    case PROPERTY_FAULTY: program->mode = 0; break; /* what it needs is not known */
    case PROPERTY_ABSENT:
    case PROPERTY_NULL: break;
    }
}

static void read_status(struct body_value *root, struct program_patch *patch)
{
    static const struct body_word statuses[] = {{"archived", PROGRAM_ARCHIVED}, {NULL, 0}};
    int status;

    if (body_word(root, "status", PROPERTY_PATCHED, statuses, &status) == PROPERTY_GIVEN) {
        patch->present |= PROGRAM_STATUS;
        patch->value.status = PROGRAM_ARCHIVED;
    }
}

/* ---- handlers ---- */

/* Reads the program of the path; false, with the exchange answered, when there is none or it has
 * been deleted. */
static bool find_program(struct exchange *exchange, struct program *program)
{
    if (!records_find(exchange, TABLE_PROGRAM, FAULT_PROGRAM_NOT_FOUND, program)) {
        return false;
    }
    if (program->is_deleted) {
        exchange_send_not_found(exchange, FAULT_PROGRAM_NOT_FOUND, &exchange->ids[0]);
        return false;
    }
    return true;
}

static void on_create(struct exchange *exchange)
{
    struct message message =
        exchange_message(exchange, MESSAGE_PROGRAM_CREATE, exchange->organisation);
    struct program_patch *patch = arena_zalloc(exchange_payload(exchange), sizeof(*patch));
    struct body_value root;

    patch->value.mode = MODE_BATCH;
    patch->value.retry.type = RETRY_NONE;
    records_open_body(exchange, &root);
    read_mode(&root, &patch->value);
    read_program(exchange, &root, PROPERTY_REQUIRED, patch, &(struct program){0});
    body_close(&root);
    program_add_trigger_fault(exchange, &root, patch);
    if (faults_any(&exchange->faults)) {
        exchange_send_faults(exchange);
        return;
    }
    patch->value.id = engine_new_id(exchange->engine);
    message.payload.program = &patch->value;
    exchange_post(exchange, &message);
}

static void on_patch(struct exchange *exchange)
{
    struct message message =
        exchange_message(exchange, MESSAGE_PROGRAM_PATCH, exchange->organisation);
    struct program_patch *patch = arena_zalloc(exchange_payload(exchange), sizeof(*patch));
    struct body_value root, mode;
    struct program stored;

    if (!find_program(exchange, &stored)) {
        return;
    }
    records_open_body(exchange, &root);
    if (body_get(&root, "mode", PROPERTY_OPTIONAL, &mode) != PROPERTY_ABSENT) {
        body_fault(&root, "mode", "cannot be changed");
    }
    patch->value.mode = stored.mode;
    read_status(&root, patch);
    read_program(exchange, &root, PROPERTY_PATCHED, patch, &stored);
    body_close(&root);
    program_add_trigger_fault(exchange, &root, patch);
    program_add_time_fault(exchange, &root, patch);
    if (faults_any(&exchange->faults)) {
        exchange_send_faults(exchange);
        return;
    }
    patch->value.id = exchange->ids[0];
    message.payload.program_patch = patch;
    exchange_post(exchange, &message);
}

/* What a list of programs is asked for; 0: any. */
struct program_filter {
    enum program_status status;
    enum program_mode mode;
};

static json_t *show_program(struct render_context *context, void *state, const struct key *key,
                            struct slice raw)
{
    const struct program_filter *filter = state;
    struct program program;

    if (!render_decode(context, TABLE_PROGRAM, key, raw, &program) || program.is_deleted ||
        (filter->status != 0 && filter->status != program.status) ||
        (filter->mode != 0 && filter->mode != program.mode)) {
        return NULL;
    }
    return render_program(context, &program);
}

static void on_list(struct exchange *exchange)
{
    const struct slice *status = exchange_query(exchange, "status");
    const struct slice *mode = exchange_query(exchange, "mode");
    struct program_filter filter = {0};
    struct page_list list = {.table = TABLE_PROGRAM,
                             .prefix = key_u32(exchange->organisation),
                             .show = show_program,
                             .state = &filter};

    if (status != NULL && !program_status_from(*status, &filter.status)) {
        faults_add(&exchange->faults, SLICE("status"), "must be one of: draft, active, archived");
    }
    if (mode != NULL && !program_mode_from(*mode, &filter.mode)) {
        faults_add(&exchange->faults, SLICE("mode"), "must be one of: batch, live");
    }
    page_send(exchange, &list);
}

static void on_get(struct exchange *exchange)
{
    struct render_context context = records_context(exchange);
    struct program program;

    if (find_program(exchange, &program)) {
        records_send(exchange, &context, render_program(&context, &program));
    }
}

static void on_delete(struct exchange *exchange)
{
    records_delete(exchange, MESSAGE_PROGRAM_DELETE);
}

/* The execution's number and id are made here, and the rules of its time zone made known to it. */
static void on_launch(struct exchange *exchange)
{
    struct message message =
        exchange_message(exchange, MESSAGE_PROGRAM_LAUNCH, exchange->organisation);
    struct key key = key_u32(exchange->organisation);
    struct organisation organisation;
    struct body_value root;

    if (exchange->body != NULL) {
        records_open_body(exchange, &root);
        if (!records_close_body(exchange, &root)) {
            return;
        }
    }
    if (!records_read(exchange, TABLE_ORGANISATION, &key, FAULT_ORGANIZATION_NOT_FOUND,
                      &organisation)) {
        return;
    }
    (void)engine_need_zone(exchange->engine, organisation.timezone);
    message.payload.launch_request = (struct launch_request){
        .program_id = exchange->ids[0],
        .execution_number = engine_next_number(exchange->engine, TABLE_EXECUTION),
        .execution_id = engine_new_id(exchange->engine),
    };
    exchange_post(exchange, &message);
}

static void on_executions(struct exchange *exchange)
{
    struct program program;

    if (find_program(exchange, &program)) {
        send_program_executions(exchange, &program.id);
    }
}

static void on_triggers(struct exchange *exchange)
{
    struct program program;

    if (!find_program(exchange, &program)) {
        return;
    }
    if (program.mode != MODE_LIVE) {
        exchange_send_fault(exchange, FAULT_BAD_REQUEST, "The program is not in live mode");
        return;
    }
    send_triggers(exchange, &program.id);
}

static const struct route_query trigger_query[] = {{"status", false}, {NULL, false}};

static const struct route_query list_query[] = {{"status", false}, {"mode", false}, {NULL, false}};

const struct route routes_programs[] = {
    {.method = EVHTTP_REQ_POST,
     .path = "/api/programs",
     .access = ACCESS_ORGANISATION,
     .body = ROUTE_BODY_JSON,
     .handle = on_create},
    {.method = EVHTTP_REQ_GET,
     .path = "/api/programs",
     .access = ACCESS_ORGANISATION,
     .is_list = true,
     .query = list_query,
     .handle = on_list},
    {.method = EVHTTP_REQ_GET,
     .path = "/api/programs/:id",
     .access = ACCESS_ORGANISATION,
     .not_found = {FAULT_PROGRAM_NOT_FOUND},
     .handle = on_get},
    {.method = EVHTTP_REQ_PATCH,
     .path = "/api/programs/:id",
     .access = ACCESS_ORGANISATION,
     .body = ROUTE_BODY_JSON,
     .not_found = {FAULT_PROGRAM_NOT_FOUND},
     .handle = on_patch},
    {.method = EVHTTP_REQ_DELETE,
     .path = "/api/programs/:id",
     .access = ACCESS_ORGANISATION,
     .not_found = {FAULT_PROGRAM_NOT_FOUND},
     .handle = on_delete},
    {.method = EVHTTP_REQ_POST,
     .path = "/api/programs/:id/launch",
     .access = ACCESS_ORGANISATION,
     .body = ROUTE_BODY_OPTIONAL,
     .not_found = {FAULT_PROGRAM_NOT_FOUND},
     .handle = on_launch},
    {.method = EVHTTP_REQ_GET,
     .path = "/api/programs/:id/executions",
     .access = ACCESS_ORGANISATION,
     .is_list = true,
     .not_found = {FAULT_PROGRAM_NOT_FOUND},
     .handle = on_executions},
    {.method = EVHTTP_REQ_GET,
     .path = "/api/programs/:id/triggers",
     .access = ACCESS_ORGANISATION,
     .is_list = true,
     .query = trigger_query,
     .not_found = {FAULT_PROGRAM_NOT_FOUND},
     .handle = on_triggers},
    {.path = NULL},
};
