#include "cmd/outdial_replay_http_account.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cmd/outdialctl.h"

enum { OK_FROM = 200, OK_TO = 300 };

void account_open(struct account *account)
{
    memset(account, 0, sizeof(*account));
    account->kinds = memory_zero(KIND_COUNT, sizeof(*account->kinds));
}

void account_close(struct account *account)
{
    memory_free(account->kinds);
    account->kinds = NULL;
}

const char *kind_name(unsigned kind)
{
    switch (kind) {
    case KIND_EVENTS: return "call events";
    case KIND_CLAIM: return "claims";
    case KIND_LOOK_UP: return "contact by phone";
    case KIND_CLOCK: return "test clock";
    case KIND_COUNT: return "others";
    default: return message_type_name((enum message_type)kind);
    }
}

void account_answer(struct account *account, unsigned kind, const struct wire_answer *answer)
{
    struct kind_account *counts = &account->kinds[kind];
    unsigned at = 0;

    account->requests++;
    histogram_add(&counts->latencies, (uint64_t)answer->ns);
    while (at < STATUSES - 1 && counts->statuses[at].count > 0 &&
           counts->statuses[at].status != answer->status) {
        at++;
    }
    counts->statuses[at].status = answer->status;
    counts->statuses[at].count++;
}

/* ---- refusals ---- */

static struct refusal *find_refusal(struct account *account, unsigned kind, long status,
                                    const char *error)
{
    struct refusal *refusal;

    for (size_t i = 0; i < account->refusal_count; i++) {
        refusal = &account->refusals[i];
        if (refusal->kind == kind && refusal->status == status &&
            strncmp(refusal->error, error, sizeof(refusal->error) - 1) == 0) {
            return refusal;
        }
    }
    if (account->refusal_count == REFUSALS) { /* the last one stands for all others */
        return &account->refusals[REFUSALS - 1];
    }
    refusal = &account->refusals[account->refusal_count++];
    if (account->refusal_count == REFUSALS) {
        refusal->kind = KIND_COUNT;
        return refusal;
    }
    refusal->kind = kind;
    refusal->status = status;
    (void)snprintf(refusal->error, sizeof(refusal->error), "%s", error);
    return refusal;
}

/* The first detail says more than "2 faults". */
static void take_example(struct refusal *refusal, const json_t *body)
{
    const json_t *detail = json_array_get(json_object_get(body, "details"), 0);

    if (detail != NULL) {
        (void)snprintf(refusal->example, sizeof(refusal->example), "%s: %s",
                       ctl_text(detail, "path"), ctl_text(detail, "message"));
    } else {
        (void)snprintf(refusal->example, sizeof(refusal->example), "%s", ctl_text(body, "message"));
    }
}

void account_refusal(struct account *account, unsigned kind, const struct wire_answer *answer)
{
    json_t *body =
        json_loadb(answer->body.size > 0 ? answer->body.data : "", answer->body.size, 0, NULL);
    struct refusal *refusal = find_refusal(account, kind, answer->status, ctl_text(body, "error"));

    if (refusal->count++ == 0) {
        take_example(refusal, body);
    }
    json_decref(body);
}

/* ---- events ---- */

/* `started` that is refused gives the call back, and a result after the end is kept as the late
 * one: both write rows, as what is accepted does. And an execution that has ended writes some rows
 * again when any message brings it back to memory. */
static bool is_expected(enum told_event event, enum told_status status, enum expectation expect,
                        bool is_known_end)
{
    if (expect == EXPECT_NO_CHANGE) {
        return status != TOLD_ACCEPTED;
    }
    return expect == EXPECT_UNKNOWN || status == TOLD_ACCEPTED ||
           (event == TOLD_STARTED && status == TOLD_REFUSED) ||
           (is_known_end && (status == TOLD_STALE || status == TOLD_DUPLICATE));
}

void account_event(struct account *account, enum told_event event, enum told_status status,
                   enum expectation expect, bool is_known_end)
{
    account->events[event][status]++;
    if (!is_expected(event, status, expect, is_known_end)) {
        account->events_otherwise[event]++;
    }
}

bool account_differs(const struct account *account)
{
    for (unsigned i = 0; i < TOLD_COUNT; i++) {
        if (account->events_otherwise[i] > 0) {
            return true;
        }
    }
    return account->refused_otherwise > 0 || account->taken_otherwise > 0 ||
           account->not_there > 0 || account->never_offered > 0;
}
