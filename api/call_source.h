/* The calls of an execution, newest first, one by one: by the log of the order in which they were
 * queued; of one contact, and of an execution that was launched before there was a log, by contact
 * and attempt.
 */
#ifndef OUTDIAL_API_CALL_SOURCE_H
#define OUTDIAL_API_CALL_SOURCE_H

#include "api/render_call.h"

struct call_source {
    const struct execution_view *execution;
    uint32_t outcomes; /* wanted ones, by bit; 0: any, and calls without one */
    enum table table;  /* whose keys, behind the prefix, are the positions */
    struct key prefix;
    uint32_t begin; /* by contact: entries from this one on are left out */
    const struct uuid
        *contact;   /* live mode: all calls are walked, and those to others passed over */
    bool has_calls; /* false: the contact is not in the execution */

    /* private: the row of the log that was read last */
    bool has_log;
    uint64_t serial;
    struct logged_call log[CALL_LOG_ROW_MAX];
    size_t log_count;
};

/* Makes a source of the execution's calls, or of a contact's (`contact` may be NULL). `execution`
 * and `contact` are borrowed for the source's life. False: context->error. */
bool call_source_init(struct call_source *source, struct render_context *context,
                      const struct execution_view *execution, uint32_t outcomes,
                      const struct uuid *contact);

/* True when `at` has the form of a position. */
bool call_source_knows(const struct call_source *source, const struct key *at);

/* Goes on to the next call behind the position *at (an empty key: to the first), and puts its
 * position there. *item is the call as JSON, or NULL when it is not wanted. False: there is none,
 * or context->error says that it cannot be read. `source` is a struct call_source. */
bool call_source_next(struct render_context *context, void *source, struct key *at, json_t **item);

#endif
