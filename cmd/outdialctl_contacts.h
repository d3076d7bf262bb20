/* Columns of a CSV file as properties of contacts. */
#ifndef OUTDIAL_CMD_OUTDIALCTL_CONTACTS_H
#define OUTDIAL_CMD_OUTDIALCTL_CONTACTS_H

#include "api/csv.h"
#include "cmd/outdialctl.h"

enum column_type {
    COLUMN_IGNORED,
    COLUMN_TEXT,
    COLUMN_FLAG,
    COLUMN_NUMBER,
};

struct column {
    char *name;
    enum column_type type;
    bool is_attribute; /* a property of customAttributes */
};

struct columns {
    struct column *list;
    size_t count;
};

/* Reads the header row; asks the API for the types of custom attributes if it names any. A column
 * that is neither is a usage error, or ignored. CTL_OK, or another status with its reason
 * printed. */
int columns_read(struct ctl *ctl, const struct csv_row *header, bool ignores_unknown,
                 struct columns *out);

/* Makes a contact of a row; the caller's. NULL: *fault says why. */
json_t *columns_contact(const struct columns *columns, const struct csv_row *row,
                        struct buf *fault);

void columns_free(struct columns *columns);

#endif
