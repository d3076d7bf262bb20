/* Why an execution is or is not dialling, as JSON. */
#ifndef OUTDIAL_API_RENDER_DIAGNOSTICS_H
#define OUTDIAL_API_RENDER_DIAGNOSTICS_H

#include <jansson.h>

#include "engine/diagnose.h"
#include "model/records.h"

/* What is known of it; instants are 0 where there is none. */
struct diagnostics_facts {
    enum execution_status status;
    int64_t start_at;      /* scheduled */
    int64_t window_end;    /* of the pause windows that are open now */
    uint64_t pending;      /* contacts; after the end: none */
    uint64_t due, not_due; /* two parts of them */
    uint64_t parked;       /* the third: they wait until another call of their contact has ended */
    int64_t next_due_at;   /* of those that are not due */
    int64_t next_dial_at;  /* the execution's nextDialAt */
    struct diagnosis seen;
};

/* {dialling, blockedBy: [{reason, contacts, until, limit}], nextDialAt}; never NULL. */
json_t *render_diagnostics(const struct diagnostics_facts *facts);

#endif
