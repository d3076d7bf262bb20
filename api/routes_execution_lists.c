/* Executions and their contacts, a page at a time. A filter that lets few rows through makes a page
 * short (api/page.h), never a request long.
 */
#include "api/routes_execution_lists.h"

#include "api/csv_export.h"
#include "api/page.h"
#include "api/routes_records.h"
#include "base/check.h"
#include "model/lifecycle.h"
#include "model/names.h"

/* Statuses as bits; statuses are small numbers. */
struct status_set {
    uint32_t bits;
};

static bool has_status(const struct status_set *set, unsigned status)
{
    return (set->bits & (UINT32_C(1) << status)) != 0;
}

/* ---- executions ---- */

static const struct status_set active_statuses = {
    (1u << EXECUTION_SCHEDULED) | (1u << EXECUTION_RUNNING) | (1u << EXECUTION_PAUSED) |
    (1u << EXECUTION_PAUSED_NO_CREDITS) | (1u << EXECUTION_PAUSED_THRESHOLD)};

/* A row whose key ends in the execution's number. The state is read first: most rows that a filter
 * does not let through need nothing else. */
static json_t *show_execution(struct render_context *context, void *state_filter,
                              const struct key *key, struct slice raw)
{
    const struct status_set *filter = state_filter;
    OD_CHECK(key->size >= sizeof(uint32_t));
    uint32_t number = key_u32_at(key, key->size - (unsigned)sizeof(uint32_t));
    struct key by_number = key_u32(number);
    struct execution_settings settings;
    struct execution_state state;

    (void)raw;
    if (!render_get(context, TABLE_EXECUTION_STATE, &by_number, &state) ||
        (filter != NULL && !has_status(filter, state.status)) ||
        !render_get(context, TABLE_EXECUTION, &by_number, &settings)) {
        return NULL;
    }
    return render_execution(context, &settings, &state);
}

void send_program_executions(struct exchange *exchange, const struct uuid *program)
{
    struct page_list list = {.table = TABLE_PROGRAM_EXECUTION,
                             .prefix = key_owned(exchange->organisation, program),
                             .show = show_execution,
                             .state = NULL};

    page_send(exchange, &list);
}

/* Reads each ?status= into the set, or adds a fault for one that is none. */
static void read_statuses(struct exchange *exchange, struct status_set *set)
{
    for (size_t i = 0; i < exchange->query_count; i++) {
        enum execution_status status;
        if (!slice_equal_text(exchange->query[i].name, "status")) {
            continue;
        }
        if (execution_status_from(exchange->query[i].value, &status)) {
            set->bits |= UINT32_C(1) << status;
        } else {
            faults_add(&exchange->faults, SLICE("status"), "must be a status of an execution");
        }
    }
}

/* Which of the two lists is meant cannot be told when a status is none: a cursor of either will do,
 * one of neither is a fault as well. */
static void send_status_faults(struct exchange *exchange)
{
    struct key prefix = key_u32(exchange->organisation);

    if (!page_cursor_fits(exchange, TABLE_ACTIVE_EXECUTION, &prefix) &&
        !page_cursor_fits(exchange, TABLE_ORGANISATION_EXECUTION, &prefix)) {
        faults_add(&exchange->faults, SLICE("cursor"), PAGE_CURSOR_FAULT);
    }
    exchange_send_faults(exchange);
}

void send_organisation_executions(struct exchange *exchange)
{
    struct status_set set = {0};
    struct page_list list = {
        .prefix = key_u32(exchange->organisation), .show = show_execution, .state = &set};

    read_statuses(exchange, &set);
    if (faults_any(&exchange->faults)) {
        send_status_faults(exchange);
        return;
    }
    if (set.bits == 0) {
        set = active_statuses;
    }
    /* The active ones are few and have a table of their own. */
    list.table = (set.bits & ~active_statuses.bits) == 0 ? TABLE_ACTIVE_EXECUTION
                                                         : TABLE_ORGANISATION_EXECUTION;
    page_send(exchange, &list);
}

/* ---- contacts ---- */

struct entry_list {
    const struct execution_view *execution;
    struct status_set filter; /* none: any */
};

static json_t *show_entry(struct render_context *context, void *state, const struct key *key,
                          struct slice raw)
{
    const struct entry_list *list = state;
    struct entry_view view = {.number = key_u32_at(key, sizeof(uint32_t))};

    if (!render_decode(context, TABLE_ENTRY, key, raw, &view.entry)) {
        return NULL;
    }
    view.has_live_call = render_get(context, TABLE_LIVE_CALL, key, &view.live_call);
    if (list->filter.bits != 0 &&
        !has_status(&list->filter, entry_shown_status(list->execution, &view))) {
        return NULL;
    }
    return render_entry(context, list->execution, &view);
}

static const struct csv_column entry_columns[] = {
    CSV_COLUMN("contactId"),   CSV_COLUMN("primaryPhone"), CSV_COLUMN("status"),
    CSV_COLUMN("attempts"),    CSV_COLUMN("lastOutcome"),  CSV_COLUMN("nextAttemptAt"),
    CSV_COLUMN("completedAt"),
};

static void send_entry_list(struct exchange *exchange, struct page_list *list)
{
    const struct csv_list csv = {.file = "contacts",
                                 .columns = entry_columns,
                                 .column_count = sizeof(entry_columns) / sizeof(entry_columns[0]),
                                 .next = page_next,
                                 .state = list};

    if (csv_is_wanted(exchange)) {
        csv_send(exchange, &csv);
    } else {
        page_send(exchange, list);
    }
}

void send_entries(struct exchange *exchange, const struct execution_view *execution)
{
    struct entry_list *entries = arena_zalloc(&exchange->arena, sizeof(*entries));
    struct page_list *list = arena_zalloc(&exchange->arena, sizeof(*list));

    entries->execution = execution;
    *list = (struct page_list){.table = TABLE_ENTRY,
                               .prefix = key_u32(execution->settings.number),
                               .show = show_entry,
                               .state = entries};
    for (size_t i = 0; i < exchange->query_count; i++) {
        enum entry_status status;
        if (!slice_equal_text(exchange->query[i].name, "status")) {
            continue;
        }
        if (entry_status_from(exchange->query[i].value, &status)) {
            entries->filter.bits |= UINT32_C(1) << status;
        } else {
            faults_add(&exchange->faults, SLICE("status"), "must be a status of a contact");
        }
    }
    send_entry_list(exchange, list);
}
