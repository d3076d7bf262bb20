/* Inside of outdial-replay. */
#ifndef OUTDIAL_CMD_OUTDIAL_REPLAY_H
#define OUTDIAL_CMD_OUTDIAL_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "engine/replay.h"

/* Exit statuses; the man page and docs/traces.md list them. */
enum replay_status {
    REPLAY_OK = 0,
    REPLAY_CANNOT = 1,
    REPLAY_USAGE = 2,
    REPLAY_DAMAGED = 3,
    REPLAY_DIFFERENT = 4,
    REPLAY_INVARIANT = 70,
};

/* What came of a replay. */
struct replay_outcome {
    const char *file;
    const struct trace_header *header;
    const struct replay_figures *figures;
    const char *damage; /* why the trace could not be read on; NULL: it was read to its end */
    bool is_verified;   /* --verify was given */
    bool fits;          /* it began at the store that it was replayed on */
    uint64_t state;     /* the digest of the store */
    double seconds;
};

/* Prints it for people, or as one JSON object. 0, or -1 when standard output cannot be written. */
int print_outcome(const struct replay_outcome *outcome);
int print_outcome_json(const struct replay_outcome *outcome);

/* What differs, as a sentence without a full stop. */
void print_difference(const struct replay_difference *difference, struct buf *out);

/* ---- latencies (outdial_replay_print.c) ---- */

/* A table's head, with `noun` above the names; a row; and all of them by powers of two, with bars.
 */
void print_latency_head(const char *noun);
void print_latency_row(const char *name, const struct histogram *histogram);
void print_latency_columns(const struct histogram *histogram);

/* The caller's. */
json_t *histogram_json(const struct histogram *histogram);

/* ---- progress, on a terminal only, ten times a second (outdial_replay_bar.c) ---- */

struct bar {
    bool is_shown;
    int64_t begun_ns, shown_ns;
};

void bar_begin(struct bar *bar);

/* Draws the bar, with what there is to say behind it. */
void bar_draw(struct bar *bar, uint64_t done, uint64_t all, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void bar_end(const struct bar *bar);

#endif
