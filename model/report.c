#include "model/report.h"

#include "base/check.h"
#include "base/instant.h"

_Static_assert((int)OUTCOME_TIMEOUT < (int)REPORT_COUNTS, "each outcome has a count");

/* When its phone may have rung first; of one that was never permitted, when it was queued. */
static int64_t dialled_at(const struct call *call)
{
    return call->started_at != 0 ? call->started_at : call->queued_at;
}

void report_add_call(struct execution_report *report, const struct call *call)
{
    int64_t at = dialled_at(call);

    OD_CHECK((unsigned)call->outcome < REPORT_COUNTS);
    report->outcomes.at[call->outcome]++;
    if (report->first_call_at == 0 || at < report->first_call_at) {
        report->first_call_at = at;
    }
    if (at > report->last_call_at) {
        report->last_call_at = at;
    }
    if (call->outcome == OUTCOME_ANSWERED && call->has_duration) {
        report->talk_calls++;
        report->talk_seconds += call->duration_seconds;
    }
}

void report_add_contact(struct execution_report *report, uint32_t attempts)
{
    OD_CHECK(attempts < REPORT_COUNTS);
    report->attempts.at[attempts]++;
}

void report_add_minute(struct call_minute *minute, const struct call *call)
{
    minute->calls++;
    minute->answered += call->outcome == OUTCOME_ANSWERED;
}

static uint64_t sum_of(const struct report_counts *counts)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < REPORT_COUNTS; i++) {
        total += counts->at[i];
    }
    return total;
}

uint64_t report_calls(const struct execution_report *report)
{
    return sum_of(&report->outcomes);
}

uint64_t report_contacts(const struct execution_report *report)
{
    return sum_of(&report->attempts);
}

uint64_t report_attempts(const struct execution_report *report)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < REPORT_COUNTS; i++) {
        total += i * report->attempts.at[i];
    }
    return total;
}

uint32_t report_minute(int64_t at)
{
    OD_CHECK(at >= 0 && at / MS_PER_MINUTE <= UINT32_MAX);
    return (uint32_t)(at / MS_PER_MINUTE);
}
