/* The rows of an import: from bytes to contacts. For import.c alone. */
#ifndef OUTDIAL_API_IMPORT_ROWS_H
#define OUTDIAL_API_IMPORT_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/csv.h"
#include "api/exchange.h"
#include "base/arena.h"

enum {
    IMPORT_LINE_BYTES_MAX = 64 * 1024, /* of NDJSON */
    IMPORT_COLUMNS_MAX = 1000,
};

struct import_column {
    struct slice name;      /* in `memory` of the rows */
    struct slice attribute; /* empty: a property of contacts */
    enum attribute_type type;
};

/* Gets each row: a contact whose texts are in the exchange's payload, or what is wrong with it.
 * Returns false when it can take no more for now. */
typedef bool (*import_row_fn)(void *context, const struct contact_patch *patch, struct slice fault);

struct import_rows {
    struct exchange *exchange;
    import_row_fn each;
    void *context;
    bool is_csv;
    bool is_refused; /* the header has faults: they are in the exchange's */
    bool is_full;    /* `each` has had enough for now */
    struct csv csv;
    bool has_header;
    struct import_column *columns;
    size_t column_count;
    struct buf line; /* of NDJSON: the beginning of one */
    bool is_skipping, is_first_line;
    struct arena memory;  /* of the columns */
    struct arena scratch; /* of one row */
};

void import_rows_init(struct import_rows *rows, struct exchange *exchange, bool is_csv,
                      import_row_fn each, void *context);
void import_rows_deinit(struct import_rows *rows);

/* Reads on. Returns how many bytes it took: all, or fewer when `each` has had enough, or when the
 * header is refused. */
size_t import_rows_feed(struct import_rows *rows, const char *bytes, size_t size);

/* The body has ended: its last row may have no line end, and a CSV has a header. */
void import_rows_end(struct import_rows *rows);

#endif
