/* Contacts and calls of an execution as JSON. */
#ifndef OUTDIAL_API_RENDER_CALL_H
#define OUTDIAL_API_RENDER_CALL_H

#include "api/render.h"

/* What the rows of an execution's lists are shown with. */
struct execution_view {
    struct execution_settings settings;
    struct execution_state state;
};

/* A contact in an execution, as it is now. */
struct entry_view {
    uint32_t number;
    struct entry entry;
    bool has_live_call;
    struct live_call live_call;
};

/* The status that is shown: an entry with a live call is queued or in a call, and one that an ended
 * execution has not yet come to skip is skipped. */
enum entry_status entry_shown_status(const struct execution_view *execution,
                                     const struct entry_view *view);

json_t *render_entry(struct render_context *context, const struct execution_view *execution,
                     const struct entry_view *view);

/* A call that has ended, and one that is queued or under way. */
json_t *render_call(const struct execution_view *execution, const struct call *call);
json_t *render_live_call(const struct execution_view *execution, const struct live_call *call);

#endif
