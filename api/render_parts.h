/* Parts of records that several answers show, as JSON in the form of the bodies that they came in.
 */
#ifndef OUTDIAL_API_RENDER_PARTS_H
#define OUTDIAL_API_RENDER_PARTS_H

#include "api/json.h"
#include "api/render.h"
#include "model/records.h"

json_t *render_retry(const struct retry_strategy *retry);

/* null for an absent one. */
json_t *render_windows(struct render_context *context, bool has,
                       const struct pause_windows *windows);

/* null when nothing is limited; else the limits that there are. */
json_t *render_pacing(const struct pacing_settings *pacing);

/* [{nodeId, threshold, resetOnResume}] */
json_t *render_rules(struct render_context *context, const struct auto_pause_rule *rules,
                     size_t count);

/* Puts totalContacts and the others. */
void render_counters(json_t *json, const struct execution_counters *counters);

/* null in batch mode. */
json_t *render_trigger_condition(const struct trigger_condition *trigger);

/* The customAttributes of a contact, by name. */
json_t *render_attributes(const struct contact *contact);

#endif
