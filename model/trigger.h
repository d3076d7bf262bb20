/* When is a contact of a live execution due? (api.md, "Trigger condition")
 *
 *   once    the attribute's instant plus offsetMinutes; with timeOfDay, that local day at that
 * local time. A plain date means local midnight. yearly  the same for each anniversary of the
 * attribute's local date, from the date itself on; 29 February falls on 28 February in other years.
 *
 * Local times are those of the organisation's zone: one that occurs twice is the first of the two,
 * one that does not occur is as much later as the clock jumps (calendar_instant).
 */
#ifndef OUTDIAL_MODEL_TRIGGER_H
#define OUTDIAL_MODEL_TRIGGER_H

#include <stdbool.h>

#include "model/records.h"
#include "model/zone_table.h"

/* The text of the contact's value of the condition's attribute; empty: it has none, or none that is
 * a date. Borrowed from the contact. */
struct slice trigger_value(const struct trigger_condition *condition,
                           const struct contact *contact);

/* The contact's due instant by the value that trigger_value gave. Once: that of the value, whenever
 * it is. Yearly: the first anniversary's that is not before `since`. False: there is none, as the
 * value is empty or no date, or lies beyond the instants that have a text. */
bool trigger_due(const struct trigger_condition *condition, const struct zone_table *zone,
                 struct slice value, int64_t since, int64_t *due_at);

#endif
