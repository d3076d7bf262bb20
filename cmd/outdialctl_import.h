/* An import: what its parts share. */
#ifndef OUTDIAL_CMD_OUTDIALCTL_IMPORT_H
#define OUTDIAL_CMD_OUTDIALCTL_IMPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cmd/outdialctl.h"
#include "cmd/outdialctl_contacts.h"

enum {
    IMPORT_BATCH_MAX = 1000 /* contacts: the most that a request may have */
};

struct import_input {
    const char *audience;
    char delimiter;
    bool ignores_unknown;
    char *words[1];
    size_t count;
};

struct batch_row {
    json_t *contact; /* NULL: it has a fault */
    char *fault;     /* why the row is bad; NULL: it is not, as far as is known */
    uint64_t row, line;
};

struct import {
    struct ctl *ctl;
    const struct import_input *input;
    FILE *file;
    int64_t file_size; /* 0: unknown */
    bool has_bar;
    int64_t begun_at;
    int status; /* other than CTL_OK: given up */
    bool has_header;
    struct columns columns;
    char audience[CTL_ID_SIZE];
    struct batch_row batch[IMPORT_BATCH_MAX];
    size_t batch_count;
    uint64_t rows, created, updated, added, already_present, rejected;
    json_t *errors; /* the first ones */
};

/* Sends the rows of the batch and empties it. Gives the import up (`status`) when the API refuses
 * for another reason than the rows. */
void import_flush(struct import *import);

/* Reports a bad row. */
void import_reject(struct import *import, const struct batch_row *row);

/* The progress on a terminal. */
void import_show_bar(const struct import *import);
void import_clear_bar(const struct import *import);

#endif
