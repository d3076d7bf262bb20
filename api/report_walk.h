/* The report of an execution that has kept none: its calls and contacts are counted row by row. */
#ifndef OUTDIAL_API_REPORT_WALK_H
#define OUTDIAL_API_REPORT_WALK_H

#include "base/arena.h"
#include "model/records.h"
#include "storage/reader.h"

/* Read `report` when the walk has ended. */
struct report_walk {
    uint32_t execution;
    bool has_calls; /* all calls have been counted, and contacts are */
    struct key at;  /* where it goes on */
    struct execution_report report;
};

void report_walk_init(struct report_walk *walk, uint32_t execution);

/* Counts up to so many rows, for which `arena` is emptied. 0: there may be more; OD_ENOTFOUND: all
 * have been counted; else what the reader returned. */
int report_walk_rows(struct report_walk *walk, struct reader *reader, struct arena *arena,
                     unsigned rows);

#endif
