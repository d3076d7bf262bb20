/* Lists of executions, of their contacts and of their calls. Each answers the exchange. */
#ifndef OUTDIAL_API_ROUTES_EXECUTION_LISTS_H
#define OUTDIAL_API_ROUTES_EXECUTION_LISTS_H

#include "api/render_call.h"

/* Reads the execution of the path; false, with the exchange answered, when there is none or it
 * belongs to another organisation (routes_executions.c). */
bool find_execution(struct exchange *exchange, struct execution_view *execution);

/* All executions of a program, newest first. */
void send_program_executions(struct exchange *exchange, const struct uuid *program);

/* Those of the organisation: active ones, or those with a ?status= of the query. */
void send_organisation_executions(struct exchange *exchange);

/* The contacts of an execution, the last one of the snapshot first; ?status=. */
void send_entries(struct exchange *exchange, const struct execution_view *execution);

/* The triggers of a program in live mode, of all its executions, by dueAt ascending; ?status=
 * (routes_triggers.c). */
void send_triggers(struct exchange *exchange, const struct uuid *program);

/* The calls of an execution, those of the last contact first and its last attempt first; ?outcome=,
 * ?contactId= (routes_call_list.c). */
void send_calls(struct exchange *exchange, const struct execution_view *execution);

#endif
