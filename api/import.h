/* POST /api/contacts/import: contacts from NDJSON or CSV, of any length, in constant memory.
 *
 *   body as it comes --import_rows--> rows --(a batch is full)--> CONTACTS_IMPORT --> directory
 *         ^                                                                             |
 *         +---- reading stops while IMPORT_IN_FLIGHT messages wait for their replies <--+
 *
 * Rows are numbered from 1 without the header of a CSV and without empty lines. Each stands for
 * itself: a bad one is rejected, the others are kept, whatever becomes of the request afterwards.
 */
#ifndef OUTDIAL_API_IMPORT_H
#define OUTDIAL_API_IMPORT_H

#include "api/exchange.h"

/* The route's handler. */
void import_begin(struct exchange *exchange);

#endif
