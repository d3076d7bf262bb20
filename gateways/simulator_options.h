/* What the options of a simulator say, and what they make of a call: its outcome and its times are
 * a function of (seed, tag of the execution, entry, attempt), the same after any restart.
 */
#ifndef OUTDIAL_GATEWAYS_SIMULATOR_OPTIONS_H
#define OUTDIAL_GATEWAYS_SIMULATOR_OPTIONS_H

#include "engine/gateway_port.h"

enum {
    SIMULATOR_NODES_MAX = 32,
    SIMULATOR_NODE_ID_MAX = 64, /* bytes */
    SIMULATOR_PATH_MAX = SIMULATOR_NODES_MAX * (SIMULATOR_NODE_ID_MAX + 2),
    SIMULATOR_OUTCOMES = 6, /* answered to error; a simulated call does not fall silent */
};

struct simulator_options {
    uint64_t seed;
    uint32_t weights[SIMULATOR_OUTCOMES]; /* of the outcomes from OUTCOME_ANSWERED on */
    uint32_t ring_ms_min, ring_ms_max;
    uint32_t talk_ms_min, talk_ms_max;
    uint32_t release_percent;
    uint32_t release_retry_seconds;
    bool answer_instantly;
    struct slice nodes[SIMULATOR_NODES_MAX]; /* texts in `path` */
    uint32_t node_count;
    char path[SIMULATOR_PATH_MAX];
};

struct simulated_fate {
    enum outcome outcome;
    uint32_t ring_ms;
    uint32_t talk_ms; /* of an answered call, else 0 */
};

/* For struct gateway_kind. */
extern const struct gateway_option simulator_option_table[];

/* Reads the options, each valid by itself; they may not be moved, as `nodes` points into them. 0,
 * or OD_EINVAL when they do not fit together. */
int simulator_options_read(const struct gateway_host *host, struct simulator_options *out,
                           struct od_error *error);

/* What becomes of a call that is permitted to dial. */
struct simulated_fate simulator_fate(const struct simulator_options *options, uint32_t tag,
                                     uint32_t entry, uint16_t attempt);

/* Whether the call is given back. `releases` is the number of calls that the instance has given
 * back so far, so that a call is not given back for ever. */
bool simulator_releases(const struct simulator_options *options, uint32_t tag, uint32_t entry,
                        uint16_t attempt, uint64_t releases);

#endif
