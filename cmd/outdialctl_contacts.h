/* Columns of a CSV file, as the API is to read them: what a cell means is for it to say. */
#ifndef OUTDIAL_CMD_OUTDIALCTL_CONTACTS_H
#define OUTDIAL_CMD_OUTDIALCTL_CONTACTS_H

#include "api/csv.h"
#include "cmd/outdialctl.h"

enum column_kind {
    COLUMN_IGNORED,
    COLUMN_PROPERTY,
    COLUMN_ATTRIBUTE,
};

struct column {
    char *name;
    enum column_kind kind;
};

struct columns {
    struct column *list;
    size_t count;
};

/* Reads the header row; asks the API for the custom attributes if it names any. A column that is
 * neither a property nor one of them is a usage error, or ignored. CTL_OK, or another status with
 * its reason printed. */
int columns_read(struct ctl *ctl, const struct csv_row *header, bool ignores_unknown,
                 struct columns *out);

/* Appends the header, and a row, each without the columns that are ignored. False: the row has
 * another number of cells than the header, and *fault says so. */
void columns_print_header(const struct columns *columns, struct buf *out);
bool columns_print_row(const struct columns *columns, const struct csv_row *row, struct buf *out,
                       struct buf *fault);

void columns_free(struct columns *columns);

#endif
