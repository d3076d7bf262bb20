/* An execution as the text of its JSON. It is the answer that is asked for most, so it is written
 * as it stands: no value is made for a property that is a number, an id, an instant or a plain
 * word. */
#ifndef OUTDIAL_API_EXECUTION_TEXT_H
#define OUTDIAL_API_EXECUTION_TEXT_H

#include "api/render.h"

/* What its rows alone do not say. */
struct execution_facts {
    bool in_pause_window;
    int64_t next_dial_at;        /* 0, INSTANT_NEVER: it does not dial */
    bool has_node_counters;      /* false: it has no rules, or has ended */
    const uint64_t *node_counts; /* one a rule; NULL: all are 0 */
};

/* Appends the text. Of the context only `bytes` is used. */
void execution_print(struct buf *out, struct render_context *context,
                     const struct execution_settings *settings, const struct execution_state *state,
                     const struct execution_facts *facts);

#endif
