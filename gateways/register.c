/* gateway_kinds of engine/gateway_port.h. */
#include "gateways/kinds.h"

const struct gateway_kind *const gateway_kinds[] = {
#define REGISTER_KIND(kind) &(kind),
    GATEWAY_KINDS(REGISTER_KIND)
#undef REGISTER_KIND
        NULL,
};
