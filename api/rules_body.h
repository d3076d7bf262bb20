/* Auto-pause rules in the bodies of programs and of resume (api.md, "Auto-pause rules"). */
#ifndef OUTDIAL_API_RULES_BODY_H
#define OUTDIAL_API_RULES_BODY_H

#include "api/body.h"
#include "api/exchange.h"
#include "model/records.h"

/* The rules of a body, and their places in it. */
struct rules_body {
    enum property found;
    struct body_value list; /* when they are given */
    struct auto_pause_rule *rules;
    size_t count; /* 0 when they are null */
};

/* Reads `autoPauseRules`, with a fault for everything that is wrong with each of them. */
void rules_read(struct body_value *root, struct rules_body *out);

/* Adds a fault for each rule whose node is none of the flow's, if that exists and has nodes.
 * `flow_id` nil: not known. */
void rules_check_flow(struct exchange *exchange, struct rules_body *body,
                      const struct uuid *flow_id);

/* For a program that gets another flow and keeps its rules: a fault at the body's `flowId` for the
 * first rule whose node is none of it. */
void rules_check_other_flow(struct exchange *exchange, const struct body_value *root,
                            const struct auto_pause_rule *rules, size_t count,
                            const struct uuid *flow_id);

#endif
