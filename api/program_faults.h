/* Faults of a program's body that stored rows know of. The directory judges them; these are for a
 * body that is refused anyway, so that it is told everything at once. Each adds a fault when there
 * are others, and nothing where a row cannot be read. */
#ifndef OUTDIAL_API_PROGRAM_FAULTS_H
#define OUTDIAL_API_PROGRAM_FAULTS_H

#include "api/body.h"
#include "api/exchange.h"
#include "model/message.h"

/* The trigger condition names no date attribute. */
void program_add_trigger_fault(struct exchange *exchange, struct body_value *root,
                               const struct program_patch *patch);

/* The time of a patch does not fit the one that it leaves as it is. */
void program_add_time_fault(struct exchange *exchange, struct body_value *root,
                            const struct program_patch *patch);

#endif
