/* The worker gateway: its calls are claimed by workers through the API, and what they report goes
 * straight to the executions (POST /api/calls/claim, POST /api/call-events). So it has no state.
 */
#include "gateways/kinds.h"

static int worker_open(const struct gateway_host *host, struct gateway_instance **out,
                       struct od_error *error)
{
    (void)host;
    (void)error;
    *out = NULL;
    return 0;
}

static void worker_close(struct gateway_instance *instance)
{
    (void)instance;
}

static const struct gateway_option worker_options[] = {{.key = NULL}};

const struct gateway_kind worker_kind = {
    .name = "worker",
    .is_pull = true,
    .options = worker_options,
    .open = worker_open,
    .close = worker_close,
};
