#include "model/retry.h"

#include "base/check.h"
#include "base/instant.h"

/* "at most maxRetries + 1 attempts" */
static int64_t after_delay(const struct retry_strategy *retry, uint32_t attempts, int64_t failed_at)
{
    if (attempts > retry->max_retries) {
        return INSTANT_NEVER;
    }
    return instant_add(failed_at, retry->delay_ms);
}

/* "A failed attempt is retried at the next date later than the failure" */
static int64_t next_date(const struct retry_strategy *retry, int64_t failed_at)
{
    OD_CHECK(retry->date_count <= RETRY_DATES_MAX);
    for (uint32_t i = 0; i < retry->date_count; i++) {
        if (retry->dates[i] > failed_at) {
            return retry->dates[i];
        }
    }
    return INSTANT_NEVER;
}

int64_t retry_next_at(const struct retry_strategy *retry, uint32_t attempts, int64_t failed_at)
{
    if (retry->type == RETRY_NONE) {
        return INSTANT_NEVER;
    }
    if (retry->type == RETRY_FIXED_DELAY) {
        return after_delay(retry, attempts, failed_at);
    }
    OD_CHECK(retry->type == RETRY_SCHEDULED);
    return next_date(retry, failed_at);
}
