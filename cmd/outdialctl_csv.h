/* Rows of a CSV file (RFC 4180), strictly: a damaged row is reported, and reading goes on with the
 * next line.
 */
#ifndef OUTDIAL_CMD_OUTDIALCTL_CSV_H
#define OUTDIAL_CMD_OUTDIALCTL_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"

struct csv_row {
    uint64_t row;  /* from 1: the header */
    uint64_t line; /* of the file, at which the row begins */
    size_t count;
    const struct slice *cells; /* of `count`; without the quotes */
    const char *fault;         /* NULL, or what is wrong with it: then it has no cells */
};

/* Returns false to end the reading. Cells are borrowed for the call. */
typedef bool (*csv_row_fn)(void *context, const struct csv_row *row);

/* Reads a file to its end, or until `each` is done. A byte order mark is taken away; empty lines
 * are no rows. 0, OD_EIO, or OD_EINVAL for a file in UTF-16. */
int csv_read(FILE *file, char delimiter, csv_row_fn each, void *context);

#endif
