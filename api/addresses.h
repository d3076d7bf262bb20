/* How many connections each address has. */
#ifndef OUTDIAL_API_ADDRESSES_H
#define OUTDIAL_API_ADDRESSES_H

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

#include "api/table.h"

struct address_count {
    struct in6_addr address;
    uint32_t count;
    uint64_t held_bytes; /* api/held.h */
    UT_hash_handle hh;
};

/* Counts a connection from `peer`: by its address, not its port; those without one (a socket of the
 * file system, NULL) count together. `all` is a uthash by address, NULL at first. What is returned
 * lives until it has been removed as often as it was added. */
struct address_count *addresses_add(struct address_count **all, const struct sockaddr *peer);
void addresses_remove(struct address_count **all, struct address_count *count);

#endif
