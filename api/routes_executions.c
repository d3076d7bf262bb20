/* Executions: reading, pausing, resuming, cancelling. What may be done in which status is for the
 * execution to see.
 */
#include "api/routes.h"

#include "api/routes_execution_lists.h"
#include "api/routes_records.h"
#include "api/rules_body.h"

bool find_execution(struct exchange *exchange, struct execution_view *execution)
{
    struct key by_id = key_uuid(&exchange->ids[0]), key;
    struct number_row number;

    if (!records_read(exchange, TABLE_EXECUTION_BY_ID, &by_id, FAULT_EXECUTION_NOT_FOUND,
                      &number)) {
        return false;
    }
    key = key_u32(number.number);
    if (!records_read(exchange, TABLE_EXECUTION, &key, FAULT_EXECUTION_NOT_FOUND,
                      &execution->settings)) {
        return false;
    }
    if (execution->settings.organisation != exchange->organisation) {
        exchange_send_not_found(exchange, FAULT_EXECUTION_NOT_FOUND, &exchange->ids[0]);
        return false;
    }
    return records_read(exchange, TABLE_EXECUTION_STATE, &key, FAULT_EXECUTION_NOT_FOUND,
                        &execution->state);
}

static void on_list(struct exchange *exchange)
{
    send_organisation_executions(exchange);
}

static void on_get(struct exchange *exchange)
{
    struct render_context context = records_context(exchange);
    struct execution_view execution;
    struct buf text;

    if (!find_execution(exchange, &execution)) {
        return;
    }
    buf_init(&text);
    render_execution_text(&context, &execution.settings, &execution.state, &text);
    records_send_text(exchange, &context, buf_slice(&text));
    buf_deinit(&text);
}

static void post_control(struct exchange *exchange, enum message_type type)
{
    struct execution_view execution;

    if (find_execution(exchange, &execution)) {
        struct message message = exchange_message(exchange, type, execution.settings.number);
        exchange_post(exchange, &message);
    }
}

static void on_pause(struct exchange *exchange)
{
    struct body_value root;

    if (exchange->body != NULL) { /* it may be left out, and has no property */
        records_open_body(exchange, &root);
        if (!records_close_body(exchange, &root)) {
            return;
        }
    }
    post_control(exchange, MESSAGE_PAUSE);
}

/* Reads the body of a resume, which may be left out; false, with the exchange answered, when it has
 * faults. `null` clears the rules, as it does in a program. */
static bool read_resume(struct exchange *exchange, const struct uuid *flow_id, struct resume *out)
{
    struct body_value root;
    struct rules_body rules;

    if (exchange->body == NULL) {
        return true;
    }
    records_open_body(exchange, &root);
    rules_read(&root, &rules);
    rules_check_flow(exchange, &rules, flow_id);
    out->has_rules = rules.found == PROPERTY_GIVEN || rules.found == PROPERTY_NULL;
    out->rules = rules.rules;
    out->rule_count = rules.count;
    return records_close_body(exchange, &root);
}

static void on_resume(struct exchange *exchange)
{
    struct execution_view execution;
    struct message message;

    if (!find_execution(exchange, &execution)) {
        return;
    }
    message = exchange_message(exchange, MESSAGE_RESUME, execution.settings.number);
    if (read_resume(exchange, &execution.settings.flow_id, &message.payload.resume)) {
        exchange_post(exchange, &message);
    }
}

static void on_cancel(struct exchange *exchange)
{
    post_control(exchange, MESSAGE_CANCEL);
}

/* Finds it for an answer that may take more than this callback; NULL: the exchange is answered. */
static struct execution_view *keep_execution(struct exchange *exchange)
{
    struct execution_view *execution = arena_alloc(&exchange->arena, sizeof(*execution));

    return find_execution(exchange, execution) ? execution : NULL;
}

static void on_contacts(struct exchange *exchange)
{
    const struct execution_view *execution = keep_execution(exchange);

    if (execution != NULL) {
        send_entries(exchange, execution);
    }
}

static void on_calls(struct exchange *exchange)
{
    const struct execution_view *execution = keep_execution(exchange);

    if (execution != NULL) {
        send_calls(exchange, execution);
    }
}

static void on_report(struct exchange *exchange)
{
    const struct execution_view *execution = keep_execution(exchange);

    if (execution != NULL) {
        send_report(exchange, execution);
    }
}

static void on_diagnostics(struct exchange *exchange)
{
    const struct execution_view *execution = keep_execution(exchange);

    if (execution != NULL) {
        send_diagnostics(exchange, execution);
    }
}

static const struct route_query status_query[] = {{"status", true}, {NULL, false}};
static const struct route_query calls_query[] = {
    {"outcome", true}, {"contactId", false}, {NULL, false}};
static const struct route_query report_query[] = {{"from", false}, {"to", false}, {NULL, false}};

const struct route routes_executions[] = {
    {.method = EVHTTP_REQ_GET,
     .path = "/api/program-executions",
     .access = ACCESS_ORGANISATION,
     .is_list = true,
     .query = status_query,
     .handle = on_list},
    {.method = EVHTTP_REQ_GET,
     .path = "/api/program-executions/:id",
     .access = ACCESS_ORGANISATION,
     .not_found = {FAULT_EXECUTION_NOT_FOUND},
     .handle = on_get},
    {.method = EVHTTP_REQ_PATCH,
     .path = "/api/program-executions/:id/pause",
     .access = ACCESS_ORGANISATION,
     .body = ROUTE_BODY_OPTIONAL,
     .not_found = {FAULT_EXECUTION_NOT_FOUND},
     .handle = on_pause},
    {.method = EVHTTP_REQ_PATCH,
     .path = "/api/program-executions/:id/resume",
     .access = ACCESS_ORGANISATION,
     .body = ROUTE_BODY_OPTIONAL,
     .not_found = {FAULT_EXECUTION_NOT_FOUND},
     .handle = on_resume},
    {.method = EVHTTP_REQ_DELETE,
     .path = "/api/program-executions/:id",
     .access = ACCESS_ORGANISATION,
     .not_found = {FAULT_EXECUTION_NOT_FOUND},
     .handle = on_cancel},
    {.method = EVHTTP_REQ_GET,
     .path = "/api/program-executions/:id/contacts",
     .access = ACCESS_ORGANISATION,
     .is_list = true,
     .query = status_query,
     .not_found = {FAULT_EXECUTION_NOT_FOUND},
     .handle = on_contacts},
    {.method = EVHTTP_REQ_GET,
     .path = "/api/program-executions/:id/calls",
     .access = ACCESS_ORGANISATION,
     .is_list = true,
     .query = calls_query,
     .not_found = {FAULT_EXECUTION_NOT_FOUND},
     .handle = on_calls},
    {.method = EVHTTP_REQ_GET,
     .path = "/api/program-executions/:id/report",
     .access = ACCESS_ORGANISATION,
     .query = report_query,
     .not_found = {FAULT_EXECUTION_NOT_FOUND},
     .handle = on_report},
    {.method = EVHTTP_REQ_GET,
     .path = "/api/program-executions/:id/diagnostics",
     .access = ACCESS_ORGANISATION,
     .not_found = {FAULT_EXECUTION_NOT_FOUND},
     .handle = on_diagnostics},
    {.path = NULL},
};
