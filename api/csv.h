/* CSV (RFC 4180), strictly, and as it comes: bytes in, rows out.
 *
 * A row ends with LF or CR LF. A cell that begins with a quote ends with one, and a quote within it
 * is written twice; other cells have no quotes. Cells are taken as they are, spaces included. A
 * byte order mark is taken away; empty lines are no rows. A damaged row is reported and not guessed
 * at: reading goes on behind the line on which the damage was found.
 */
#ifndef OUTDIAL_API_CSV_H
#define OUTDIAL_API_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    CSV_ROW_BYTES_MAX = 64 * 1024 /* a longer row lacks a closing quote */
};

struct csv_row {
    uint64_t row;  /* from 1: the header */
    uint64_t line; /* at which the row begins, from 1 */
    size_t count;
    const struct slice *cells; /* of `count`; without the quotes; UTF-8 without NUL */
    const char *fault;         /* NULL, or what is wrong with it: then it has no cells; static */
};

/* Gets each row; returns false to be called no more during this csv_feed. Cells are borrowed for
 * the call. */
typedef bool (*csv_row_fn)(void *context, const struct csv_row *row);

/* Private. */
struct csv {
    char delimiter;
    csv_row_fn each;
    void *context;
    int state;
    bool is_stopped;
    uint64_t bytes, row, line, row_line;
    size_t row_bytes;
    struct buf text;     /* of the cells of the row so far */
    size_t *ends;        /* of each cell in text */
    struct slice *cells; /* the same as slices, at the end of the row */
    size_t count, room;
};

void csv_init(struct csv *csv, char delimiter, csv_row_fn each, void *context);
void csv_deinit(struct csv *csv);

/* Reads on. Returns how many bytes it took: all of them, or those up to the end of the row for
 * which `each` returned false. */
size_t csv_feed(struct csv *csv, const char *bytes, size_t size);

/* The text has ended: its last row may have no line end. */
void csv_end(struct csv *csv);

#endif
