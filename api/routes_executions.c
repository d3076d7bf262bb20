/* Executions: reading, pausing, resuming, cancelling. What may be done in which status is for the
 * execution to see.
 */
#include "api/routes.h"

#include "api/routes_execution_lists.h"
#include "api/routes_records.h"

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

    if (find_execution(exchange, &execution)) {
        records_send(exchange, &context,
                     render_execution(&context, &execution.settings, &execution.state));
    }
}

static void post_control(struct exchange *exchange, enum message_type type)
{
    struct execution_view execution;

    if (find_execution(exchange, &execution)) {
        struct message message = exchange_message(exchange, type, execution.settings.number);
        exchange_post(exchange, &message);
    }
}

/* Reads a body that may be left out; false, with the exchange answered, when it has faults. */
static bool read_control_body(struct exchange *exchange, bool knows_rules)
{
    struct body_value root, rules;

    if (exchange->body == NULL) {
        return true;
    }
    records_open_body(exchange, &root);
    if (knows_rules &&
        body_array(&root, "autoPauseRules", PROPERTY_OPTIONAL, 0, 100, &rules) == PROPERTY_GIVEN &&
        value_count(&rules) > 0) {
        value_fault(&rules, "is not available yet");
    }
    return records_close_body(exchange, &root);
}

static void on_pause(struct exchange *exchange)
{
    if (read_control_body(exchange, false)) {
        post_control(exchange, MESSAGE_PAUSE);
    }
}

static void on_resume(struct exchange *exchange)
{
    if (read_control_body(exchange, true)) {
        post_control(exchange, MESSAGE_RESUME);
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
