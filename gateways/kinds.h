/* The kinds of gateway that this program has. A new one is a file of its own and a line here. */
#ifndef OUTDIAL_GATEWAYS_KINDS_H
#define OUTDIAL_GATEWAYS_KINDS_H

#include "engine/gateway_port.h"

#define GATEWAY_KINDS(KIND)                                                                        \
    KIND(simulator_kind)                                                                           \
    KIND(worker_kind)

#define DECLARE_KIND(kind) extern const struct gateway_kind kind;
GATEWAY_KINDS(DECLARE_KIND)
#undef DECLARE_KIND

#endif
