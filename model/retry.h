/* When is the next attempt? (api.md, "Retry strategy") */
#ifndef OUTDIAL_MODEL_RETRY_H
#define OUTDIAL_MODEL_RETRY_H

#include "model/records.h"

/* The instant of the attempt after `attempts` attempts have ended, the last at `failed_at`;
 * INSTANT_NEVER when none is left. fixed_delay: at most max_retries + 1 attempts. scheduled: the
 * next date later than the failure. */
int64_t retry_next_at(const struct retry_strategy *retry, uint32_t attempts, int64_t failed_at);

#endif
