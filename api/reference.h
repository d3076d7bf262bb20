/* The reference: the contract as JSON and the page that shows it, embedded in the program. The
 * files are made at build by tools/embed-reference, from api/openapi.yaml and web/.
 */
#ifndef OUTDIAL_API_REFERENCE_H
#define OUTDIAL_API_REFERENCE_H

#include <stdbool.h>

#include "base/buf.h"

enum reference_name {
    REFERENCE_CONTRACT, /* openapi.json */
    REFERENCE_PAGE,     /* docs.html, which names the others with their hashes */
    REFERENCE_VIEWER,   /* viewer.js: Swagger UI */
    REFERENCE_SCRIPT,   /* docs.js: starts it */
    REFERENCE_STYLE,    /* docs.css */
};

/* One embedded file; the slices live as long as the program. */
struct reference_file {
    const char *content_type;
    struct slice plain;
    struct slice gzip; /* the same, compressed */
    struct slice hash; /* names the content: 32 hex digits */
};

/* Never fails. */
struct reference_file reference_file(enum reference_name name);

/* Whether a client with this Accept-Encoding header (NULL: it sent none) takes gzip. */
bool reference_takes_gzip(const char *accept_encoding);

/* Whether an If-None-Match header (NULL: it sent none) names this entity tag, given with its
 * quotes. Weak comparison (RFC 9110 8.8.3.2). */
bool reference_etag_matches(const char *if_none_match, struct slice etag);

#endif
