/* Design: a status machine is a table, from each status to the set of those that may follow.
 *
 *     scheduled ──▶ running ──▶ completed
 *         │          │   ▲
 *         │          ▼   │ resume
 *         │        paused · paused_no_credits · paused_threshold
 *         ▼          ▼
 *       cancelled · stopped
 *
 * Calls under way go on counting while an execution is paused, so a rule may fire then: any of the
 * others becomes paused_threshold.
 *
 * The picture of the interface has `stopped` from running and paused only. It also follows
 * scheduled: startAt and stopAt may both pass while the engine is down. `completed` follows running
 * alone: when the last call of a paused execution ends, completion waits for the resume. */
#include "model/lifecycle.h"

#include "base/check.h"

#define TO(status) (1u << (status))

#define ENDS_EARLY      (TO(EXECUTION_CANCELLED) | TO(EXECUTION_STOPPED))
#define RESUMES_OR_ENDS (TO(EXECUTION_RUNNING) | ENDS_EARLY)
#define PAUSES                                                                                     \
    (TO(EXECUTION_PAUSED) | TO(EXECUTION_PAUSED_NO_CREDITS) | TO(EXECUTION_PAUSED_THRESHOLD))

static const unsigned execution_moves[] = {
    [EXECUTION_SCHEDULED] = TO(EXECUTION_RUNNING) | ENDS_EARLY,
    [EXECUTION_RUNNING] = TO(EXECUTION_COMPLETED) | PAUSES | ENDS_EARLY,
    [EXECUTION_PAUSED] = RESUMES_OR_ENDS | TO(EXECUTION_PAUSED_THRESHOLD),
    [EXECUTION_PAUSED_NO_CREDITS] = RESUMES_OR_ENDS | TO(EXECUTION_PAUSED_THRESHOLD),
    [EXECUTION_PAUSED_THRESHOLD] = RESUMES_OR_ENDS,
    [EXECUTION_COMPLETED] = 0,
    [EXECUTION_STOPPED] = 0,
    [EXECUTION_CANCELLED] = 0,
};

#define ENTRY_ENDS (TO(ENTRY_COMPLETED) | TO(ENTRY_FAILED) | TO(ENTRY_SKIPPED))

/* ENTRY_QUEUED and ENTRY_IN_CALL are said of an entry that has a live call, and never stored. A
 * pending entry stays so when its call was given back before the first attempt has ended. */
static const unsigned entry_moves[] = {
    [ENTRY_PENDING] = TO(ENTRY_PENDING) | TO(ENTRY_PENDING_RETRY) | ENTRY_ENDS,
    [ENTRY_PENDING_RETRY] = TO(ENTRY_PENDING_RETRY) | ENTRY_ENDS,
    [ENTRY_QUEUED] = 0,
    [ENTRY_IN_CALL] = 0,
    [ENTRY_COMPLETED] = 0,
    [ENTRY_FAILED] = 0,
    [ENTRY_SKIPPED] = 0,
};

/* From queued at once to started or ended: a push gateway claims nothing, and what has happened is
 * accepted from whoever reports it. */
static const unsigned call_moves[] = {
    [CALL_QUEUED] = TO(CALL_CLAIMED) | TO(CALL_STARTED) | TO(CALL_ENDED),
    [CALL_CLAIMED] = TO(CALL_QUEUED) | TO(CALL_STARTED) | TO(CALL_ENDED),
    [CALL_STARTED] = TO(CALL_QUEUED) | TO(CALL_ENDED),
    [CALL_ENDED] = 0,
};

/* A pending trigger that moves to before the launch is missed. */
static const unsigned trigger_moves[] = {
    [TRIGGER_PENDING] = TO(TRIGGER_FIRED) | TO(TRIGGER_MISSED) | TO(TRIGGER_CANCELLED),
    [TRIGGER_FIRED] = 0,
    [TRIGGER_MISSED] = 0,
    [TRIGGER_CANCELLED] = 0,
};

static bool allows(const unsigned moves[], size_t count, size_t from, size_t to)
{
    OD_CHECK(from > 0);
    OD_CHECK(from < count);
    OD_CHECK(to > 0);
    OD_CHECK(to < count);
    return (moves[from] & TO(to)) != 0;
}

#define ALLOWS(moves, from, to)                                                                    \
    allows(moves, sizeof(moves) / sizeof((moves)[0]), (size_t)(from), (size_t)(to))

bool lifecycle_execution_allows(enum execution_status from, enum execution_status to)
{
    return ALLOWS(execution_moves, from, to);
}

void lifecycle_execution(enum execution_status *status, enum execution_status to)
{
    OD_CHECK(lifecycle_execution_allows(*status, to));
    *status = to;
}

void lifecycle_entry(enum entry_status *status, enum entry_status to)
{
    OD_CHECK(ALLOWS(entry_moves, *status, to));
    *status = to;
}

void lifecycle_call(enum call_status *status, enum call_status to)
{
    OD_CHECK(ALLOWS(call_moves, *status, to));
    *status = to;
}

void lifecycle_trigger(enum trigger_status *status, enum trigger_status to)
{
    OD_CHECK(ALLOWS(trigger_moves, *status, to));
    *status = to;
}

bool execution_has_ended(enum execution_status status)
{
    return status == EXECUTION_COMPLETED || status == EXECUTION_STOPPED ||
           status == EXECUTION_CANCELLED;
}

bool execution_is_paused(enum execution_status status)
{
    return status == EXECUTION_PAUSED || status == EXECUTION_PAUSED_NO_CREDITS ||
           status == EXECUTION_PAUSED_THRESHOLD;
}
