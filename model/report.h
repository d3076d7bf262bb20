/* What the report of an execution counts (api.md, "Executions"): pure sums over its ended calls and
 * its finished contacts, so that the execution, `check` and whoever walks the calls get the same.
 */
#ifndef OUTDIAL_MODEL_REPORT_H
#define OUTDIAL_MODEL_REPORT_H

#include "model/records.h"

/* Counts a call that has ended. What comes late (late_outcome) changes nothing. */
void report_add_call(struct execution_report *report, const struct call *call);

/* Counts a contact that has completed or failed after so many attempts. */
void report_add_contact(struct execution_report *report, uint32_t attempts);

/* Counts an ended call in the row of its minute. */
void report_add_minute(struct call_minute *minute, const struct call *call);

/* Calls that have ended, and contacts that have completed or failed. */
uint64_t report_calls(const struct execution_report *report);
uint64_t report_contacts(const struct execution_report *report);

/* The attempts of all finished contacts. */
uint64_t report_attempts(const struct execution_report *report);

/* The minute since 1970 that an instant (not before 1970) is in. */
uint32_t report_minute(int64_t at);

#endif
