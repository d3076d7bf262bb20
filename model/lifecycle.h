/* The allowed moves of an execution's, an entry's, a call's and a trigger's status, as tables; the
 * only setters of a status. */
#ifndef OUTDIAL_MODEL_LIFECYCLE_H
#define OUTDIAL_MODEL_LIFECYCLE_H

#include <stdbool.h>

#include "model/records.h"

/* Moves the status; a move that the table does not allow is a defect (OD_CHECK). */
void lifecycle_execution(enum execution_status *status, enum execution_status to);
void lifecycle_entry(enum entry_status *status, enum entry_status to);
void lifecycle_call(enum call_status *status, enum call_status to);
void lifecycle_trigger(enum trigger_status *status, enum trigger_status to);

bool lifecycle_execution_allows(enum execution_status from, enum execution_status to);

/* completed, stopped or cancelled. */
bool execution_has_ended(enum execution_status status);

/* paused, paused_no_credits or paused_threshold. */
bool execution_is_paused(enum execution_status status);

#endif
