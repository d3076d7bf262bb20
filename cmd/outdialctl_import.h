/* An import: what its parts share. */
#ifndef OUTDIAL_CMD_OUTDIALCTL_IMPORT_H
#define OUTDIAL_CMD_OUTDIALCTL_IMPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cmd/outdialctl.h"
#include "cmd/outdialctl_contacts.h"

enum { IMPORT_ERRORS_SHOWN = 100 };

struct import_input {
    const char *audience;
    char delimiter;
    bool ignores_unknown;
    bool is_ndjson; /* passed on as it is: the API reads it */
    char *words[1];
    size_t count;
};

/* Which row of the file the n-th row sent is; from `sent` on, until the next place says otherwise.
 */
struct import_place {
    uint64_t sent, row, line;
};

struct import_fault {
    uint64_t row, line;
    char *message; /* owned */
};

struct import {
    struct ctl *ctl;
    const struct import_input *input;
    FILE *file;
    int64_t file_size; /* 0: unknown */
    bool has_bar;
    int64_t begun_at, bar_at;
    int status; /* other than CTL_OK: given up */
    bool has_header;
    struct csv csv;
    struct columns columns;
    char audience[CTL_ID_SIZE];
    struct buf out; /* rows to be sent */
    size_t out_at;
    uint64_t rows, sent, created, updated, rejected;
    struct import_place *places;
    size_t place_count, place_room;
    /* The first of those found here, and the first of those that the API found. */
    struct import_fault faults[2 * IMPORT_ERRORS_SHOWN];
    size_t fault_count, own_fault_count;
};

/* ---- outdialctl_import_report.c ---- */

/* Keeps a bad row for import_print_faults. */
void import_reject(struct import *import, uint64_t row, uint64_t line, const char *message);

/* Takes over what the API answered. */
void import_take_answer(struct import *import, const json_t *answer);

/* Notes that the next row to be sent is this one of the file. */
void import_note_place(struct import *import, uint64_t row, uint64_t line);

/* The progress on a terminal. */
void import_show_bar(struct import *import);
void import_clear_bar(const struct import *import);

/* The end: bad rows by their numbers, and the counts. */
void import_print(struct import *import);

void import_free_report(struct import *import);

#endif
