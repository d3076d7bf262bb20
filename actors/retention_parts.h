/* Inside of the retention: one sweep, and what its files share. Nobody else includes this. */
#ifndef OUTDIAL_ACTORS_RETENTION_PARTS_H
#define OUTDIAL_ACTORS_RETENTION_PARTS_H

#include "actors/retention.h"

enum {
    RETENTION_ROWS = 500 /* removed a message, about: 2 ms of a turn */
};

struct sweep {
    const struct message *m;
    struct view *view;
    struct effects *out;
    unsigned rows;    /* removed so far */
    bool is_half_way; /* a job goes on with what this message has begun */
};

/* ---- retention_executions.c ---- */

/* Removes an execution that is over, or the first part of it. `key` is of ENDED_EXECUTION. */
void retention_remove_execution(struct sweep *s, const struct key *key);

/* Goes on with one. True: nothing is left of it. */
bool retention_on_remove_execution_slice(struct sweep *s);

#endif
