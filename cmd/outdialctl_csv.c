/* Rows of a CSV file, by libcsv.
 *
 * The file is fed line by line, so that a row's line is known. At a fault, what libcsv has of the
 * row and the rest of the line are dropped, and a new parser goes on with the next line.
 */
#include "cmd/outdialctl_csv.h"

#include <stdlib.h>

#include <csv.h>

#include "base/check.h"
#include "base/error.h"

#define ROW_MAX 65536 /* bytes: a row that is longer lacks a closing quote */

struct csv_reader {
    struct csv_parser parser;
    char delimiter;
    csv_row_fn each;
    void *context;
    bool is_over; /* `each` has had enough */
    uint64_t row, line, row_line;
    struct buf text;     /* of the cells of the row so far */
    size_t *ends;        /* of each cell in text */
    struct slice *cells; /* the same as slices, at the end of the row */
    size_t count, room;
};

static void open_parser(struct csv_reader *reader)
{
    OD_CHECK(csv_init(&reader->parser, CSV_STRICT | CSV_STRICT_FINI) == 0);
    csv_set_delim(&reader->parser, (unsigned char)reader->delimiter);
}

static void forget_row(struct csv_reader *reader)
{
    buf_clear(&reader->text);
    reader->count = 0;
}

static void on_cell(void *data, size_t size, void *context)
{
    struct csv_reader *reader = context;

    if (reader->count == reader->room) {
        reader->room = reader->room == 0 ? 32 : 2 * reader->room;
        reader->ends = reallocarray(reader->ends, reader->room, sizeof(*reader->ends));
        reader->cells = reallocarray(reader->cells, reader->room, sizeof(*reader->cells));
        OD_CHECK(reader->ends != NULL && reader->cells != NULL);
    }
    OD_CHECK(buf_append(&reader->text, data, size) == 0);
    reader->ends[reader->count++] = reader->text.size;
}

static void on_row(int end, void *context)
{
    struct csv_reader *reader = context;
    struct csv_row row = {.row = ++reader->row,
                          .line = reader->row_line,
                          .count = reader->count,
                          .cells = reader->cells};
    size_t from = 0;

    (void)end;
    for (size_t i = 0; i < reader->count; i++) {
        reader->cells[i] = slice_make(reader->text.data + from, reader->ends[i] - from);
        from = reader->ends[i];
    }
    if (!reader->is_over) {
        reader->is_over = !reader->each(reader->context, &row);
    }
    forget_row(reader);
    reader->row_line = reader->line;
}

static void report_fault(struct csv_reader *reader, const char *fault)
{
    struct csv_row row = {.row = ++reader->row, .line = reader->row_line, .fault = fault};

    forget_row(reader);
    csv_free(&reader->parser);
    open_parser(reader);
    reader->is_over = !reader->each(reader->context, &row);
}

static void feed(struct csv_reader *reader, const char *text, size_t size)
{
    if (reader->count == 0 && reader->parser.pstate == 0) {
        reader->row_line = reader->line;
    }
    if (csv_parse(&reader->parser, text, size, on_cell, on_row, reader) != size) {
        OD_CHECK(csv_error(&reader->parser) == CSV_EPARSE);
        report_fault(reader, "a quote stands where none may be");
    } else if (reader->text.size + reader->parser.entry_pos > ROW_MAX) {
        report_fault(reader, "the row is too long; a closing quote may be missing");
    }
}

int csv_read(FILE *file, char delimiter, csv_row_fn each, void *context)
{
    struct csv_reader reader = {.delimiter = delimiter, .each = each, .context = context};
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    int result = 0;

    buf_init(&reader.text);
    open_parser(&reader);
    while (!reader.is_over && (size = getline(&line, &room, file)) > 0) {
        const char *text = line;

        reader.line++;
        if (reader.line == 1 && size >= 2 &&
            (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0)) {
            result = OD_EINVAL;
            break;
        }
        if (reader.line == 1 && size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
            text += 3;
            size -= 3;
        }
        feed(&reader, text, (size_t)size);
    }
    if (result == 0 && ferror(file) != 0) {
        result = OD_EIO;
    }
    if (result == 0 && !reader.is_over && csv_fini(&reader.parser, on_cell, on_row, &reader) != 0) {
        report_fault(&reader, "the file ends within quotes");
    }
    csv_free(&reader.parser);
    buf_deinit(&reader.text);
    free(reader.ends);
    free(reader.cells);
    free(line);
    return result;
}
