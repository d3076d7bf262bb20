/* Inside of outdial-replay. */
#ifndef OUTDIAL_CMD_OUTDIAL_REPLAY_H
#define OUTDIAL_CMD_OUTDIAL_REPLAY_H

#include <stdbool.h>

#include "engine/replay.h"

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

#endif
