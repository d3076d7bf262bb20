/* What a drive came to: counted as it goes, printed at the end. */
#ifndef OUTDIAL_CMD_OUTDIAL_REPLAY_HTTP_ACCOUNT_H
#define OUTDIAL_CMD_OUTDIAL_REPLAY_HTTP_ACCOUNT_H

#include <jansson.h>

#include "cmd/outdial_replay_http_plan.h"
#include "cmd/outdial_replay_http_wire.h"
#include "engine/histogram.h"
#include "traces/trace.h"

/* Kinds of requests: those of a message type go by its number, the others are behind. */
enum {
    KIND_EVENTS = MESSAGE_TYPE_COUNT,
    KIND_CLAIM,
    KIND_LOOK_UP,
    KIND_CLOCK,
    KIND_COUNT,
};

enum told_event { TOLD_STARTED, TOLD_NODE, TOLD_RESULT, TOLD_RELEASED, TOLD_COUNT };

enum told_status {
    TOLD_ACCEPTED,
    TOLD_DUPLICATE,
    TOLD_STALE,
    TOLD_REFUSED,
    TOLD_UNKNOWN,
    TOLD_INVALID,
    TOLD_NOTHING, /* the request was refused as a whole */
    TOLD_STATUSES,
};

enum { STATUSES = 16, REFUSALS = 40 };

struct status_count {
    long status;
    uint64_t count;
};

struct kind_account {
    struct histogram latencies;
    struct status_count statuses[STATUSES]; /* further ones are not told apart */
};

/* Answers that are no success, by what was asked and by the error. */
struct refusal {
    unsigned kind;
    long status;
    char error[48];
    char example[160]; /* the first one's message */
    uint64_t count;
};

struct account {
    uint64_t messages, senders[SENDER_COUNT];
    uint64_t not_there;     /* messages that need what the trace has not made here */
    uint64_t never_offered; /* events of calls that did not come */
    uint64_t left_out;      /* ids of lists that were not there */
    uint64_t requests;      /* that were answered */
    uint64_t waits;         /* answers 429 and 503 that were waited out */
    struct kind_account *kinds;
    struct refusal refusals[REFUSALS];
    size_t refusal_count;
    uint64_t events[TOLD_COUNT][TOLD_STATUSES];
    uint64_t events_otherwise[TOLD_COUNT];
    uint64_t events_again;      /* sent anew, since the lease was lost or a window open */
    uint64_t refused_otherwise; /* requests that the trace's daemon took */
    uint64_t taken_otherwise;   /* and that it refused */
    uint64_t calls_claimed, calls_redelivered;
    uint64_t calls_ended;         /* whose result was accepted */
    uint64_t calls_never_offered; /* of which the trace has events */
    uint64_t calls_unmentioned;   /* claimed, and the trace has no event */
    uint64_t calls_foreign;       /* claimed, of executions that are not the trace's */

    int64_t first_at, last_at; /* of messages that are driven; 0: there was none */
    double seconds;
    bool has_test_clock;
    char damage[512];  /* why the trace could not be read on; empty: it was read to its end */
    char failure[512]; /* why the drive ended early; empty: it did not */
};

/* What was driven and comes into print besides. */
struct account_of {
    const char *file, *url;
    const struct trace_header *header;
};

void account_open(struct account *account);
void account_close(struct account *account);

/* An answer came. */
void account_answer(struct account *account, unsigned kind, const struct wire_answer *answer);

/* It is one that is final, and no success. */
void account_refusal(struct account *account, unsigned kind, const struct wire_answer *answer);

/* An event was answered, of which the trace tells so much. `is_known_end`: the call had ended here
 * before. */
void account_event(struct account *account, enum told_event event, enum told_status status,
                   enum expectation expect, bool is_known_end);

/* Something was answered otherwise than the trace tells, or could not be driven that the trace's
 * daemon has taken. */
bool account_differs(const struct account *account);

/* 0, or -1 when standard output cannot be written. */
int account_print(const struct account *account, const struct account_of *of);
int account_print_json(const struct account *account, const struct account_of *of);

const char *kind_name(unsigned kind);

#endif
