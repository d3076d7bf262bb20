/* What the guard makes of one line; for guard.c. Each returns false after a breach. */
#ifndef OUTDIAL_API_GUARD_LINE_H
#define OUTDIAL_API_GUARD_LINE_H

#include <stdbool.h>

#include "api/guard.h"

/* A line without its end: the request line, or a header, of which the empty one ends the block. */
bool guard_request_line(struct guard *guard, struct slice line);
bool guard_header_line(struct guard *guard, struct slice line);

/* A header or trailer: what its form breaks. Its parts are written where they are asked for. */
bool guard_field_line(struct guard *guard, struct slice line, struct slice *name,
                      struct slice *value);

/* The size of a chunk, of up to 15 hexadecimal digits, and its extensions, which are dropped;
 * false: the line is none. */
bool guard_chunk_line(struct slice line, uint64_t *size);

/* Breaks the connection; always false. `message` is static. */
bool guard_breach(struct guard *guard, enum fault_code code, const char *message);
bool guard_malformed(struct guard *guard, const char *message);

#endif
