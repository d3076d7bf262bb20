/* What the routes of contacts share: the body of a contact. */
#ifndef OUTDIAL_API_ROUTES_CONTACTS_H
#define OUTDIAL_API_ROUTES_CONTACTS_H

#include "api/body.h"
#include "api/exchange.h"
#include "model/message.h"

/* Reads a contact's properties, and names the unknown ones; faults go into those of `object`. */
void contact_read(struct exchange *exchange, struct body_value *object,
                  enum property_rule phone_rule, struct contact_patch *patch);

#endif
