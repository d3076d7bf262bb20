#include "api/csv.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/utf8.h"

enum state {
    CELL_BEGINS,
    CELL,
    QUOTED,
    QUOTE_SEEN, /* in a quoted cell: its end, or the first half of a quote */
    CR_SEEN,    /* behind a cell: an LF must follow */
    SKIPPING    /* to the end of the line, behind a fault */
};

static const unsigned char byte_order_mark[] = {0xef, 0xbb, 0xbf};

void csv_init(struct csv *csv, char delimiter, csv_row_fn each, void *context)
{
    *csv = (struct csv){
        .delimiter = delimiter, .each = each, .context = context, .line = 1, .row_line = 1};
    buf_init(&csv->text);
}

void csv_deinit(struct csv *csv)
{
    buf_deinit(&csv->text);
    memory_free(csv->ends);
    memory_free(csv->cells);
}

static void begin_row(struct csv *csv, enum state state)
{
    csv->state = (int)state;
    csv->row_bytes = 0;
    csv->row_line = csv->line;
    csv->count = 0;
    buf_clear(&csv->text);
}

static void give(struct csv *csv, const struct csv_row *row)
{
    if (!csv->each(csv->context, row)) {
        csv->is_stopped = true;
    }
}

static void fault(struct csv *csv, const char *message, enum state state)
{
    struct csv_row row = {.row = ++csv->row, .line = csv->row_line, .fault = message};

    begin_row(csv, state);
    give(csv, &row);
}

static void end_cell(struct csv *csv)
{
    if (csv->count == csv->room) {
        csv->room = csv->room == 0 ? 32 : 2 * csv->room;
        csv->ends = memory_resize(csv->ends, csv->room, sizeof(*csv->ends));
        csv->cells = memory_resize(csv->cells, csv->room, sizeof(*csv->cells));
    }
    csv->ends[csv->count++] = csv->text.size;
    csv->state = CELL_BEGINS;
}

static void end_row(struct csv *csv)
{
    /* Cells are places in the text, also where all of them are empty and there is none. */
    struct slice text = csv->text.size > 0 ? buf_slice(&csv->text) : SLICE("");
    struct csv_row row = {.line = csv->row_line};
    size_t from = 0;

    end_cell(csv);
    if (!utf8_is_valid(text) || (text.size > 0 && memchr(text.data, '\0', text.size) != NULL)) {
        fault(csv, "is not UTF-8", CELL_BEGINS);
        return;
    }
    for (size_t i = 0; i < csv->count; i++) {
        csv->cells[i] = slice_make(text.data + from, csv->ends[i] - from);
        from = csv->ends[i];
    }
    row.row = ++csv->row;
    row.count = csv->count;
    row.cells = csv->cells;
    give(csv, &row);
    begin_row(csv, CELL_BEGINS);
}

static void add(struct csv *csv, char byte)
{
    OD_CHECK(buf_append_byte(&csv->text, byte) == 0);
}

/* A byte that may end a cell without quotes, or one with. */
static bool is_border(const struct csv *csv, char byte)
{
    return byte == csv->delimiter || byte == '\n' || byte == '\r';
}

static void at_border(struct csv *csv, char byte)
{
    if (byte == '\r') {
        csv->state = CR_SEEN;
    } else if (byte == '\n') {
        end_row(csv);
    } else {
        end_cell(csv);
    }
}

static void take(struct csv *csv, char byte)
{
    switch ((enum state)csv->state) {
    case CELL_BEGINS:
        if (byte == '"') {
            csv->state = QUOTED;
            return;
        }
        csv->state = CELL;
        /* fall through */
    case CELL:
        if (is_border(csv, byte)) {
            at_border(csv, byte);
        } else if (byte == '"') {
            fault(csv, "a quote stands where none may be", SKIPPING);
        } else {
            add(csv, byte);
        }
        return;
    case QUOTED:
        if (byte == '"') {
            csv->state = QUOTE_SEEN;
        } else {
            add(csv, byte);
        }
        return;
    case QUOTE_SEEN:
        if (byte == '"') {
            add(csv, byte);
            csv->state = QUOTED;
        } else if (is_border(csv, byte)) {
            at_border(csv, byte);
        } else {
            fault(csv, "a quote stands where none may be", SKIPPING);
        }
        return;
    case CR_SEEN:
        if (byte == '\n') {
            end_row(csv);
        } else {
            fault(csv, "a carriage return stands without a line feed", SKIPPING);
        }
        return;
    case SKIPPING:
        if (byte == '\n') {
            csv->state = CELL_BEGINS;
        }
        return;
    }
}

/* An empty line: nothing has come of the row but its end. */
static bool is_empty_line(const struct csv *csv, char byte)
{
    return byte == '\n' && csv->count == 0 && csv->text.size == 0 &&
           (csv->row_bytes == 0 || (csv->row_bytes == 1 && csv->state == CR_SEEN));
}

size_t csv_feed(struct csv *csv, const char *bytes, size_t size)
{
    size_t at = 0;

    csv->is_stopped = false;
    for (; at < size && !csv->is_stopped; at++) {
        char byte = bytes[at];
        uint64_t n = csv->bytes++;

        if (n < sizeof(byte_order_mark) && csv->row_bytes == n &&
            (unsigned char)byte == byte_order_mark[n]) {
            add(csv, byte);
            csv->row_bytes++;
            csv->state = CELL;
            if (n + 1 == sizeof(byte_order_mark)) {
                begin_row(csv, CELL_BEGINS);
            }
            continue;
        }
        csv->line += byte == '\n';
        if (is_empty_line(csv, byte)) {
            begin_row(csv, CELL_BEGINS);
            continue;
        }
        if (csv->state == SKIPPING) {
            take(csv, byte);
            csv->row_line = csv->line;
            continue;
        }
        csv->row_bytes++;
        if (csv->row_bytes > CSV_ROW_BYTES_MAX) {
            fault(csv, "the row is too long; a closing quote may be missing",
                  byte == '\n' ? CELL_BEGINS : SKIPPING);
        } else {
            take(csv, byte);
        }
    }
    return at;
}

void csv_end(struct csv *csv)
{
    csv->is_stopped = false;
    if (csv->state == QUOTED) {
        fault(csv, "the text ends within quotes", CELL_BEGINS);
    } else if (csv->state != SKIPPING && csv->row_bytes > 0) {
        end_row(csv);
    }
}
