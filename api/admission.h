/* Who may ask, and with what body: the checks of router.c that look at headers. Each returns false
 * with the exchange answered.
 */
#ifndef OUTDIAL_API_ADMISSION_H
#define OUTDIAL_API_ADMISSION_H

#include <stdbool.h>

#include "api/exchange.h"

/* The key (401), its limits (429), its role (403), and whose data it is (X-Organization-Id: 404, or
 * 400 when an admin leaves it out). Begins exchange->reader, unless the route is open to all. */
bool admission_check_key(struct exchange *exchange);

/* The key once more, for an exchange that has waited meanwhile: 401 when it has been revoked. */
bool admission_check_key_again(struct exchange *exchange, struct reader *reader);

/* True when the request's content type is this one, in UTF-8 if it says so (RFC 8259 11; other
 * parameters mean nothing), and the body has no Content-Encoding (RFC 9110 15.5.16). */
bool admission_is_type(const struct exchange *exchange, const char *media_type);

enum body_state {
    BODY_READ,    /* exchange->body is set, unless none was sent or the route takes it itself */
    BODY_AWAITED, /* it is large: router_body_parsed goes on */
    BODY_REFUSED, /* the exchange has been answered */
};

/* The content type (415) and the body (400), by what the route takes. Faults of the query, if there
 * are any, are in the same 400. */
enum body_state admission_check_body(struct exchange *exchange);

/* The end of it: false, with the exchange answered, when exchange->body is no object. */
bool admission_check_object(struct exchange *exchange);

/* False when the key of a request that was admitted has been revoked since. */
bool admission_key_holds(const struct exchange *exchange, struct reader *reader);

#endif
