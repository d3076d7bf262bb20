#include "api/csv_export.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/log.h"

enum {
    SLICE_ROWS = 200, /* looked at for one piece: about a millisecond */
    SLICE_BYTES = 64 * 1024,
    FILE_NAME_SIZE = 128,
    WEIGHT_ONE = 1000,
};

/* ---- Accept ---- */

static struct slice trimmed(struct slice text)
{
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text = slice_make(text.data + 1, text.size - 1);
    }
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t')) {
        text.size--;
    }
    return text;
}

/* Cuts *rest at the first `separator` and returns what stands before it. */
static struct slice cut(struct slice *rest, char separator)
{
    const char *end = rest->size > 0 ? memchr(rest->data, separator, rest->size) : NULL;
    struct slice first = *rest;

    if (end == NULL) {
        *rest = slice_make(rest->data + rest->size, 0);
    } else {
        first.size = (size_t)(end - rest->data);
        *rest = slice_make(end + 1, rest->size - first.size - 1);
    }
    return trimmed(first);
}

static bool is_word(struct slice text, const char *word)
{
    return text.size == strlen(word) && strncasecmp(text.data, word, text.size) == 0;
}

/* "0.5" is 500; what is none is 1. */
static unsigned read_weight(struct slice text)
{
    unsigned weight = 0, unit = WEIGHT_ONE;

    for (size_t i = 0; i < text.size && i < sizeof("0.000") - 1; i++) {
        if (i == 1 && text.data[i] == '.') {
            continue;
        }
        if (!isdigit((unsigned char)text.data[i])) {
            return WEIGHT_ONE;
        }
        weight += (unsigned)(text.data[i] - '0') * unit;
        unit /= 10;
    }
    return weight;
}

bool csv_accepts(struct slice accept)
{
    unsigned csv = 0, json = 0;

    while (accept.size > 0) {
        struct slice parameters = cut(&accept, ',');
        struct slice type = cut(&parameters, ';');
        unsigned weight = WEIGHT_ONE;

        while (parameters.size > 0) {
            struct slice value = cut(&parameters, ';');
            struct slice name = cut(&value, '=');

            if (is_word(name, "q")) {
                weight = read_weight(trimmed(value));
            }
        }
        if (is_word(type, "text/csv")) {
            csv = weight;
        } else if (is_word(type, "application/json")) {
            json = weight;
        }
    }
    return csv > 0 && csv >= json;
}

bool csv_is_wanted(const struct exchange *exchange)
{
    return csv_accepts(slice_from(evhttp_find_header(
        evhttp_request_get_input_headers(exchange_request(exchange)), "Accept")));
}

/* ---- cells ---- */

static bool is_phone(struct slice text)
{
    for (size_t i = 1; i < text.size; i++) {
        if (!isdigit((unsigned char)text.data[i])) {
            return false;
        }
    }
    return text.size > 1 && text.data[0] == '+';
}

static bool is_one_of(char c, const char *characters)
{
    return c != '\0' && strchr(characters, c) != NULL;
}

static int append_text(struct buf *out, struct slice text)
{
    bool is_formula = text.size > 0 && is_one_of(text.data[0], "=+-@\t\r\n") && !is_phone(text);
    bool is_quoted = false;
    int error;

    for (size_t i = 0; i < text.size && !is_quoted; i++) {
        is_quoted = is_one_of(text.data[i], "\",\r\n");
    }
    error = buf_reserve(out, 2 * text.size + 3);
    if (error != 0) {
        return error;
    }
    if (is_quoted) {
        out->data[out->size++] = '"';
    }
    if (is_formula) {
        out->data[out->size++] = '\'';
    }
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"') {
            out->data[out->size++] = '"';
        }
        out->data[out->size++] = text.data[i];
    }
    if (is_quoted) {
        out->data[out->size++] = '"';
    }
    return 0;
}

int csv_append_cell(struct buf *out, const json_t *value)
{
    if (value == NULL || json_is_null(value)) {
        return 0;
    }
    if (json_is_string(value)) {
        return append_text(out, slice_make(json_string_value(value), json_string_length(value)));
    }
    return json_print(value, out);
}

/* ---- rows ---- */

/* What a stream goes on from. */
struct csv_export {
    struct csv_list list;
    struct key at;
    bool has_header;
};

static int append_header(const struct csv_list *list, struct buf *out)
{
    int error = 0;

    for (size_t i = 0; error == 0 && i < list->column_count; i++) {
        error = i > 0 ? buf_append_byte(out, ',') : 0;
        error = error != 0 ? error : append_text(out, list->columns[i].title);
    }
    return error != 0 ? error : buf_append_text(out, "\r\n");
}

static int append_row(const struct csv_list *list, const json_t *row, struct buf *out)
{
    const json_t *attributes = json_object_get(row, "customAttributes");
    int error = 0;

    for (size_t i = 0; error == 0 && i < list->column_count; i++) {
        const struct csv_column *column = &list->columns[i];

        error = i > 0 ? buf_append_byte(out, ',') : 0;
        error = error != 0
                    ? error
                    : csv_append_cell(out, json_object_get(column->is_attribute ? attributes : row,
                                                           column->property));
    }
    return error != 0 ? error : buf_append_text(out, "\r\n");
}

/* Appends rows up to a slice's end. */
static enum exchange_piece append_rows(struct render_context *context, struct csv_export *export,
                                       struct buf *out)
{
    for (unsigned rows = 0; rows < SLICE_ROWS && out->size < SLICE_BYTES; rows++) {
        json_t *item = NULL;
        bool has_row = export->list.next(context, export->list.state, &export->at, &item);
        int error = item != NULL ? append_row(&export->list, item, out) : 0;

        json_decref(item);
        if (context->error == 0 && error != 0) {
            context->error = error;
        }
        if (context->error != 0) {
            return PIECE_BROKEN;
        }
        if (!has_row) {
            return PIECE_LAST;
        }
    }
    return PIECE_MORE;
}

static enum exchange_piece next_piece(struct exchange *exchange, struct buf *out)
{
    struct csv_export *export = exchange->state;
    struct render_context context = {.exchange = exchange, .reader = exchange->reader};
    enum exchange_piece piece;
    struct arena arena;

    if (!export->has_header) {
        export->has_header = true;
        if (append_header(&export->list, out) != 0) {
            return PIECE_BROKEN;
        }
    }
    arena_init(&arena, 4096);
    context.arena = &arena;
    piece = append_rows(&context, export, out);
    if (context.error != 0) {
        log_error("a row cannot be read", FIELD_TEXT("request", exchange->request_id),
                  FIELD_TEXT("reason", od_error_text(context.error)));
    }
    arena_deinit(&arena);
    return piece;
}

void csv_send(struct exchange *exchange, const struct csv_list *list)
{
    struct csv_export *export = arena_zalloc(&exchange->arena, sizeof(*export));
    char id[UUID_TEXT_SIZE] = "", header[FILE_NAME_SIZE];

    if (faults_any(&exchange->faults)) {
        exchange_send_faults(exchange);
        return;
    }
    export->list = *list;
    export->at = key_empty();
    exchange->state = export;
    if (!uuid_is_nil(&exchange->ids[0])) {
        uuid_print(&exchange->ids[0], id);
    }
    (void)snprintf(header, sizeof(header), "attachment; filename=\"%s%s%s.csv\"", list->file,
                   id[0] != '\0' ? "-" : "", id);
    exchange_add_header(exchange, "Content-Disposition", header);
    exchange_send_pieces(exchange, "text/csv; charset=utf-8; header=present", next_piece);
}
