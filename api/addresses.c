#include "api/addresses.h"

#include <string.h>

#include "base/memory.h"

/* NOLINTBEGIN(readability-function-size): the size is that of uthash's macros */
static struct address_count *find(struct address_count *all, const struct in6_addr *address)
{
    struct address_count *count;

    HASH_FIND(hh, all, address, sizeof(*address), count);
    return count;
}

static void put(struct address_count **all, struct address_count *count)
{
    HASH_ADD(hh, *all, address, sizeof(count->address), count);
}

static void take(struct address_count **all, struct address_count *count)
{
    HASH_DEL(*all, count);
}

/* NOLINTEND(readability-function-size) */

/* IPv4 as an address of IPv6 (RFC 4291 2.5.5.2). */
static struct in6_addr address_of(const struct sockaddr *peer)
{
    struct in6_addr address = IN6ADDR_ANY_INIT;

    if (peer != NULL && peer->sa_family == AF_INET6) {
        address = ((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr;
    } else if (peer != NULL && peer->sa_family == AF_INET) {
        address.s6_addr[10] = 0xff;
        address.s6_addr[11] = 0xff;
        memcpy(&address.s6_addr[12], &((const struct sockaddr_in *)(const void *)peer)->sin_addr,
               4);
    }
    return address;
}

struct address_count *addresses_add(struct address_count **all, const struct sockaddr *peer)
{
    struct in6_addr address = address_of(peer);
    struct address_count *count = find(*all, &address);

    if (count == NULL) {
        count = memory_zero(1, sizeof(*count));
        count->address = address;
        put(all, count);
    }
    count->count++;
    return count;
}

void addresses_remove(struct address_count **all, struct address_count *count)
{
    count->count--;
    if (count->count == 0) {
        take(all, count);
        memory_free(count);
    }
}
