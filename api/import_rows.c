/* A row of either format becomes the JSON of a contact, and is read as any other contact is. Lines
 * of NDJSON that come whole are parsed where they lie. */
#include "api/import_rows.h"

#include <string.h>

#include "api/import_columns.h"
#include "api/json.h"
#include "api/routes_contacts.h"
#include "base/check.h"

enum {
    MEMORY_BLOCK = 1024,
    FAULTS_SHOWN = 5 /* of one row */
};

static bool on_csv_row(void *context, const struct csv_row *row);

void import_rows_init(struct import_rows *rows, struct exchange *exchange, bool is_csv,
                      import_row_fn each, void *context)
{
    *rows = (struct import_rows){.exchange = exchange,
                                 .is_csv = is_csv,
                                 .each = each,
                                 .context = context,
                                 .is_first_line = true};
    csv_init(&rows->csv, ',', on_csv_row, rows);
    buf_init(&rows->line);
    arena_init(&rows->memory, MEMORY_BLOCK);
    arena_init(&rows->scratch, MEMORY_BLOCK);
}

void import_rows_deinit(struct import_rows *rows)
{
    csv_deinit(&rows->csv);
    buf_deinit(&rows->line);
    arena_deinit(&rows->memory);
    arena_deinit(&rows->scratch);
}

/* ---- contacts ---- */

static void reject(struct import_rows *rows, struct slice fault)
{
    rows->is_full = !rows->each(rows->context, NULL, fault);
}

/* All that is wrong with a row, as one text. */
static struct slice fault_text(struct import_rows *rows, const struct fault_list *faults)
{
    struct slice text = SLICE("");

    for (size_t i = 0; i < faults->count && i < FAULTS_SHOWN; i++) {
        const struct fault_detail *fault = &faults->items[i];

        text = arena_printf(&rows->scratch, "%.*s%s%.*s%s%.*s", SLICE_ARGS(text), i > 0 ? "; " : "",
                            SLICE_ARGS(fault->path), fault->path.size > 0 ? " " : "",
                            SLICE_ARGS(fault->message));
    }
    if (faults->count > FAULTS_SHOWN) {
        text = arena_printf(&rows->scratch, "%.*s; and %zu more", SLICE_ARGS(text),
                            faults->count - FAULTS_SHOWN);
    }
    return text;
}

/* `json` may be NULL, when the faults say why. */
static void give(struct import_rows *rows, json_t *json, struct fault_list *faults)
{
    struct contact_patch patch = {0};
    struct body_value root;

    if (json != NULL && !json_is_object(json)) {
        faults_add(faults, SLICE(""), "must be a JSON object");
    }
    if (!faults_any(faults)) {
        body_open(&root, json, faults, exchange_payload(rows->exchange));
        contact_read(rows->exchange, &root, PROPERTY_REQUIRED, &patch);
    }
    if (faults_any(faults)) {
        reject(rows, fault_text(rows, faults));
        return;
    }
    patch.value.id = engine_new_id(rows->exchange->engine);
    rows->is_full = !rows->each(rows->context, &patch, SLICE(""));
}

/* ---- CSV ---- */

static bool on_csv_row(void *context, const struct csv_row *row)
{
    struct import_rows *rows = context;
    struct fault_list faults;
    struct slice fault;
    json_t *json;

    arena_reset(&rows->scratch);
    if (!rows->has_header) {
        rows->has_header = true;
        rows->is_refused = !import_columns_read(rows, row);
        return !rows->is_refused;
    }
    json = import_columns_contact(rows, row, &fault);
    if (json == NULL) {
        reject(rows, fault);
    } else {
        faults_init(&faults, &rows->scratch);
        give(rows, json, &faults);
        json_decref(json);
    }
    return !rows->is_full;
}

/* ---- NDJSON ---- */

static bool is_blank(struct slice line)
{
    for (size_t i = 0; i < line.size; i++) {
        if (strchr(" \t\r", line.data[i]) == NULL || line.data[i] == '\0') {
            return false;
        }
    }
    return true;
}

static void on_line(struct import_rows *rows, struct slice line)
{
    static const char mark[] = "\xef\xbb\xbf";
    struct fault_list faults;
    json_t *json;

    if (rows->is_first_line && line.size >= 3 && memcmp(line.data, mark, 3) == 0) {
        line = slice_make(line.data + 3, line.size - 3);
    }
    rows->is_first_line = false;
    if (is_blank(line)) {
        return;
    }
    arena_reset(&rows->scratch);
    faults_init(&faults, &rows->scratch);
    json = json_parse(line, &faults);
    give(rows, json, &faults);
    json_decref(json);
}

/* Takes a line, or the beginning of one. Returns how many bytes it took. */
static size_t feed_line(struct import_rows *rows, const char *bytes, size_t size)
{
    const char *end = memchr(bytes, '\n', size);
    size_t taken = end != NULL ? (size_t)(end - bytes) + 1 : size;
    size_t text = end != NULL ? taken - 1 : taken;

    if (rows->is_skipping) {
        rows->is_skipping = end == NULL;
    } else if (rows->line.size + text > IMPORT_LINE_BYTES_MAX) {
        rows->is_skipping = end == NULL;
        rows->is_first_line = false;
        buf_clear(&rows->line);
        reject(rows, SLICE("the line is longer than 64 KiB"));
    } else if (end != NULL && rows->line.size == 0) {
        on_line(rows, slice_make(bytes, text));
    } else {
        OD_CHECK(buf_append(&rows->line, bytes, text) == 0);
        if (end != NULL) {
            on_line(rows, buf_slice(&rows->line));
            buf_clear(&rows->line);
        }
    }
    return taken;
}

/* ---- either ---- */

size_t import_rows_feed(struct import_rows *rows, const char *bytes, size_t size)
{
    size_t taken = 0;

    rows->is_full = false;
    if (rows->is_csv) {
        return rows->is_refused ? 0 : csv_feed(&rows->csv, bytes, size);
    }
    while (taken < size && !rows->is_full) {
        taken += feed_line(rows, bytes + taken, size - taken);
    }
    return taken;
}

void import_rows_end(struct import_rows *rows)
{
    if (!rows->is_csv) {
        if (rows->line.size > 0) {
            on_line(rows, buf_slice(&rows->line));
            buf_clear(&rows->line);
        }
        return;
    }
    csv_end(&rows->csv);
    if (!rows->has_header) {
        rows->is_refused = true;
        faults_add(&rows->exchange->faults, SLICE("header"), "is missing: the body is empty");
    }
}
