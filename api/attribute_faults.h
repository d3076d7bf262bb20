/* Faults of custom attributes in a body that is refused anyway.
 *
 * That attributes exist and have their type is for the directory to see, when the message comes to
 * it. A body that has other faults never gets there, and its answer has to list these too: they are
 * found here in durable rows, with the directory's paths and texts.
 */
#ifndef OUTDIAL_API_ATTRIBUTE_FAULTS_H
#define OUTDIAL_API_ATTRIBUTE_FAULTS_H

#include "api/exchange.h"
#include "model/records.h"

/* When the exchange has a fault already: adds those of the contact's attributes. `prefix` is the
 * way to the contact in the body ("data[3]."), borrowed for the call. While the handler runs. */
void attribute_faults_add(struct exchange *exchange, const struct contact *contact,
                          struct slice prefix);

#endif
