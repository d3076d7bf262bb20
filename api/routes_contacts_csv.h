/* Contacts as CSV. */
#ifndef OUTDIAL_API_ROUTES_CONTACTS_CSV_H
#define OUTDIAL_API_ROUTES_CONTACTS_CSV_H

#include "api/exchange.h"
#include "model/key.h"

/* Answers with the contacts whose keys start with `prefix`, newest first: the columns are those
 * that an import knows, with one for each custom attribute that there is now. */
void send_contacts_csv(struct exchange *exchange, const struct key *prefix);

#endif
