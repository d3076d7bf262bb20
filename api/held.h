/* Bytes of unfinished messages. Bodies are held whole before they are parsed, so 10,000 connections
 * of 8 MiB each would be 80 GiB: there is a limit for all of them, and a lower one for those of
 * each address, so that one address cannot use up what is for all. A connection that holds little
 * is within any limit: whoever fills them, small requests go on. */
#ifndef OUTDIAL_API_HELD_H
#define OUTDIAL_API_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/addresses.h"

enum {
    HELD_BYTES_MAX = 256 * 1024 * 1024,
    HELD_BYTES_OF_ADDRESS_MAX = 64 * 1024 * 1024,
    HELD_BYTES_LITTLE = 64 * 1024,
};

/* What one connection holds. */
struct held {
    uint64_t *all;                 /* the sum of all connections */
    struct address_count *address; /* NULL while `bytes` is 0: not known yet */
    size_t bytes;
};

void held_set(struct held *held, size_t bytes);

/* True when the connection is to be refused. An address may always hold one body of `body_limit`.
 */
bool held_is_too_much(const struct held *held, uint64_t body_limit);

#endif
