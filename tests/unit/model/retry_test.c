#include "model/retry.h"

#include "base/instant.h"
#include "tests/support/od_test.h"

#define MINUTE MS_PER_MINUTE

static const struct retry_strategy none = {.type = RETRY_NONE};
static const struct retry_strategy delay = {
    .type = RETRY_FIXED_DELAY, .delay_ms = 30 * 60000, .max_retries = 2};
static const struct retry_strategy longest = {
    .type = RETRY_FIXED_DELAY, .delay_ms = UINT32_C(43200) * 60000, .max_retries = 20};
static const struct retry_strategy dates = {
    .type = RETRY_SCHEDULED, .date_count = 3, .dates = {1000, 2000, 3000}};
static const struct retry_strategy full = {
    .type = RETRY_SCHEDULED,
    .date_count = RETRY_DATES_MAX,
    .dates = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}};

/* A row is a sentence of api.md, "Retry strategy". */
static const struct {
    const char *sentence;
    const struct retry_strategy *retry;
    uint32_t attempts;
    int64_t failed_at;
    int64_t next_at;
} cases[] = {
    {"none: a failed attempt is final", &none, 1, 5000, INSTANT_NEVER},
    {"fixed_delay: the delay counts from the failure", &delay, 1, 5000, 5000 + 30 * MINUTE},
    {"at most maxRetries + 1 attempts: the third is allowed", &delay, 2, 0, 30 * MINUTE},
    {"at most maxRetries + 1 attempts: a fourth is not", &delay, 3, 0, INSTANT_NEVER},
    {"no attempt beyond the last, ever", &delay, UINT32_MAX, 0, INSTANT_NEVER},
    {"the longest delay", &longest, 20, 7, 7 + 43200 * MINUTE},
    {"the longest delay has an end, too", &longest, 21, 7, INSTANT_NEVER},
    {"the end of time is not passed", &longest, 1, INSTANT_NEVER - 1, INSTANT_NEVER},
    {"scheduled: the next date later than the failure", &dates, 1, 500, 1000},
    {"a date at the moment of the failure is not later", &dates, 1, 1000, 2000},
    {"a date that has passed is not made up for", &dates, 1, 2500, 3000},
    {"the number of attempts does not matter", &dates, 9, 1999, 2000},
    {"when none is left the contact has failed", &dates, 1, 3000, INSTANT_NEVER},
    {"the last of 20 dates", &full, 19, 19, 20},
    {"nothing behind 20 dates", &full, 20, 20, INSTANT_NEVER},
};

static void the_next_attempt_is_where_the_strategy_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t next_at = retry_next_at(cases[i].retry, cases[i].attempts, cases[i].failed_at);

        if (next_at != cases[i].next_at) {
            fail_msg("%s: %lld", cases[i].sentence, (long long)next_at);
        }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_next_attempt_is_where_the_strategy_says),
};

OD_TEST_MAIN(tests)
