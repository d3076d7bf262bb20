#include "api/held.h"

void held_set(struct held *held, size_t bytes)
{
    *held->all += bytes;
    *held->all -= held->bytes;
    if (held->address != NULL) {
        held->address->held_bytes += bytes;
        held->address->held_bytes -= held->bytes;
    }
    held->bytes = bytes;
}

bool held_is_too_much(const struct held *held, uint64_t body_limit)
{
    uint64_t of_address =
        body_limit > HELD_BYTES_OF_ADDRESS_MAX ? body_limit : HELD_BYTES_OF_ADDRESS_MAX;

    return held->bytes > HELD_BYTES_LITTLE &&
           (*held->all > HELD_BYTES_MAX || held->address->held_bytes > of_address);
}
