/* The calls of an execution, newest first: a page of them, or all as CSV (api/call_source.c is the
 * walk).
 */
#include "api/call_source.h"
#include "api/csv_export.h"
#include "api/page.h"
#include "api/routes_execution_lists.h"
#include "api/server.h"
#include "model/names.h"

enum {
    /* Calls that one request looks at: each is sought on its own, which takes longer than a walk.
     */
    PAGE_CALLS_MAX = 5000,
};

static void read_outcomes(struct exchange *exchange, uint32_t *outcomes)
{
    for (size_t i = 0; i < exchange->query_count; i++) {
        enum outcome outcome;
        if (!slice_equal_text(exchange->query[i].name, "outcome")) {
            continue;
        }
        if (outcome_from(exchange->query[i].value, &outcome)) {
            *outcomes |= UINT32_C(1) << outcome;
        } else {
            faults_add(&exchange->faults, SLICE("outcome"), "must be an outcome of a call");
        }
    }
}

/* ---- pages ---- */

/* Shows calls until one more than the page holds has been found. Moves *at, which is where the page
 * begins, to the last call that was taken or passed over; returns whether there is more. */
static bool fill(struct render_context *context, struct call_source *source, struct key *at,
                 json_t *data)
{
    uint32_t limit = context->exchange->page.limit;
    struct key next = *at;

    for (unsigned rows = 0; rows < PAGE_CALLS_MAX; rows++) {
        json_t *item;

        if (!call_source_next(context, source, &next, &item)) {
            return false;
        }
        if (item != NULL && json_array_size(data) == limit) {
            json_decref(item);
            return true;
        }
        if (item != NULL) {
            json_put_item(data, item);
        }
        if (item != NULL || json_array_size(data) < limit) {
            *at = next;
        }
    }
    return true;
}

/* Reads the cursor's position, or adds a fault when it is not of this list. */
static void read_cursor(struct exchange *exchange, const struct call_source *source, struct key *at)
{
    if (slice_is_empty(exchange->page.cursor)) {
        return;
    }
    if (!page_cursor_parse(exchange->api->auth.secret, source->table, &source->prefix,
                           exchange->page.cursor, at) ||
        !call_source_knows(source, at)) {
        faults_add(&exchange->faults, SLICE("cursor"), PAGE_CURSOR_FAULT);
    }
}

static json_t *cursor_json(const struct exchange *exchange, const struct call_source *source,
                           const struct key *at)
{
    char text[PAGE_CURSOR_TEXT_SIZE];

    page_cursor_print(exchange->api->auth.secret, source->table, &source->prefix,
                      slice_make((const char *)at->bytes, at->size), text);
    return json_from_slice(slice_from(text));
}

static void send_page(struct render_context *context, struct call_source *source)
{
    struct exchange *exchange = context->exchange;
    struct key at = key_empty();
    json_t *body, *data;
    bool has_more;

    read_cursor(exchange, source, &at);
    if (faults_any(&exchange->faults)) {
        exchange_send_faults(exchange);
        return;
    }
    body = json_new_object();
    data = json_new_array();
    has_more = fill(context, source, &at, data);
    json_put(body, "data", data);
    json_put(body, "nextCursor", has_more ? cursor_json(exchange, source, &at) : json_null());
    if (context->error != 0) {
        json_decref(body);
        exchange_send_unreadable(exchange, context->error);
        return;
    }
    exchange_send_json(exchange, 200, body);
}

/* ---- CSV ---- */

static const struct csv_column columns[] = {
    CSV_COLUMN("callId"),          CSV_COLUMN("executionId"),
    CSV_COLUMN("contactId"),       CSV_COLUMN("attempt"),
    CSV_COLUMN("status"),          CSV_COLUMN("from"),
    CSV_COLUMN("didId"),           CSV_COLUMN("to"),
    CSV_COLUMN("outcome"),         CSV_COLUMN("detail"),
    CSV_COLUMN("durationSeconds"), CSV_COLUMN("inDoubt"),
    CSV_COLUMN("lateOutcome"),     CSV_COLUMN("queuedAt"),
    CSV_COLUMN("startedAt"),       CSV_COLUMN("endedAt"),
};

static void send_csv(struct exchange *exchange, struct call_source *source)
{
    const struct csv_list list = {.file = "calls",
                                  .columns = columns,
                                  .column_count = sizeof(columns) / sizeof(columns[0]),
                                  .next = call_source_next,
                                  .state = source};

    csv_send(exchange, &list);
}

/* ---- the list ---- */

static void send_source(struct exchange *exchange, struct arena *scratch,
                        struct call_source *source, const struct execution_view *execution,
                        uint32_t outcomes, const struct uuid *contact)
{
    struct render_context context = {
        .exchange = exchange, .reader = exchange->reader, .arena = scratch};

    if (!call_source_init(source, &context, execution, outcomes, contact)) {
        exchange_send_unreadable(exchange, context.error);
    } else if (csv_is_wanted(exchange)) {
        send_csv(exchange, source);
    } else {
        send_page(&context, source);
    }
}

void send_calls(struct exchange *exchange, const struct execution_view *execution)
{
    const struct slice *text = exchange_query(exchange, "contactId");
    struct uuid *contact = arena_zalloc(&exchange->arena, sizeof(*contact));
    uint32_t outcomes = 0;
    struct arena scratch;

    read_outcomes(exchange, &outcomes);
    if (text != NULL && !uuid_parse(*text, contact)) {
        faults_add(&exchange->faults, SLICE("contactId"), "must be a UUID");
        text = NULL;
    }
    arena_init(&scratch, 4096);
    send_source(exchange, &scratch, arena_alloc(&exchange->arena, sizeof(struct call_source)),
                execution, outcomes, text != NULL ? contact : NULL);
    arena_deinit(&scratch);
}
