/* The columns of an import's CSV. For import_rows.c alone. */
#ifndef OUTDIAL_API_IMPORT_COLUMNS_H
#define OUTDIAL_API_IMPORT_COLUMNS_H

#include <jansson.h>

#include "api/import_rows.h"

/* Takes the header: properties of contacts, and custom attributes as NAME or customAttributes.NAME.
 * False, with the faults in the exchange's: a column is unknown, is named twice, or primaryPhone is
 * missing. */
bool import_columns_read(struct import_rows *rows, const struct csv_row *header);

/* A row as the JSON of a contact. NULL, with *fault in `scratch`: it is none. */
json_t *import_columns_contact(struct import_rows *rows, const struct csv_row *row,
                               struct slice *fault);

#endif
