/* The reference: what must be true of the whole engine, told from outside and naively.
 *
 * It reads the log of each batch once that is on disk: messages, rows and answers in the order in
 * which actors were told and said them. It mirrors the rows that the promises are about
 * (model_rows.c), and judges each new fact by rules that are written down here anew (judge.c): may
 * this contact be queued now, was this permission due, do the counters say what the rows say.
 */
#ifndef OUTDIAL_TESTS_SIM_MODEL_H
#define OUTDIAL_TESTS_SIM_MODEL_H

#include "tests/sim/log.h"

enum {
    MODEL_ORGANISATIONS = 8,
    MODEL_DIDS = 64,
    MODEL_AUDIENCES = 64,
    MODEL_SLICE = 500,   /* contacts of an audience that a snapshot takes in one message */
    MODEL_ATTEMPTS = 32, /* whose outcomes are remembered */
    MODEL_PACE = 64,
    MODEL_GATEWAYS = 2,
    MODEL_SIMULATOR = 0,
    MODEL_WORKER = 1,
};

/* What a directory or the platform has, by the order in which it came. */
struct model_contact {
    uint32_t organisation;
    struct uuid id;
    bool exists, may_be_called;
};

struct model_did {
    uint32_t owner; /* 0: shared */
    struct uuid id;
    bool exists, is_active;
};

struct model_program {
    uint32_t organisation;
    struct uuid id;
    bool exists;
    uint32_t active; /* its execution */
};

struct model_audience {
    uint32_t organisation, number;
    struct uuid id;
    bool exists;
};

struct model_member {
    uint32_t audience, contact; /* its number, and the contact's index */
    bool exists;
};

struct model_organisation {
    bool exists;
    struct uuid id;
    uint32_t cap, live;
    bool has_rate;
    bool is_limited;
    int64_t balance, reserved, spent, granted; /* credits; granted: in all */
    struct credits saved;                      /* as the row */
};

struct model_entry {
    uint32_t contact; /* index */
    enum entry_status status;
    uint32_t attempts; /* ended */
    uint8_t outcomes[MODEL_ATTEMPTS];
    bool is_live, has_ended_now, is_touched;
    uint8_t dues;        /* due rows */
    int64_t due_at;      /* of the last one */
    int64_t expected_at; /* by this model; INSTANT_NEVER: no further attempt */

    bool has_claim, is_claimed_now, is_permitted, has_credit, was_handed_out, was_skipped_now;
    enum call_status call_status;
    struct uuid claim_id, given_claim_id;
    uint64_t last_seq;
    int64_t
        sign_mono; /* the last sign of life, of a lease or of a call; a start and a gap are one */
    uint32_t leases;
    uint32_t queued_attempt; /* the highest attempt that was ever queued, durably */
    uint32_t dials;          /* of that attempt, by workers that keep the contract */
};

struct model_execution {
    uint32_t number, organisation, tag;
    bool exists, is_live, is_pull, is_removed;
    bool is_changed; /* in this batch */
    const struct execution_settings *settings;
    struct execution_state state; /* as saved */
    enum execution_status status; /* as told last, within a batch */
    bool is_paused, is_cancelled; /* as answered */
    bool is_over_threshold;       /* a rule has fired, and no resume came after it */
    uint64_t counts[LOG_NODES];   /* by the order of its rules */
    uint64_t saved[LOG_NODES];
    int64_t last_at; /* of the last message that it has handled */
    int64_t seen_at; /* the latest wall instant of a message that it has handled */
    bool has_expected;
    uint64_t expected_total; /* of its snapshot */
    uint64_t fired;          /* triggers */

    struct model_entry *entries;
    uint32_t entry_count, entry_room;
    uint64_t by_status[ENTRY_SKIPPED + 1];
    uint32_t live, due;
    uint32_t *touched; /* entries of this batch */
    uint32_t touched_count, touched_room;
    int64_t queued_mono[MODEL_PACE]; /* since the last start */
    uint32_t queued_count;
    uint32_t wanted, wants_at; /* calls, and the gateway: as it has said to the dispatcher */
};

/* Of one gateway: what the executions of each organisation want, and by how many calls one
 * organisation is ahead of another since both have wanted some. */
struct model_shares {
    uint64_t wanted[MODEL_ORGANISATIONS + 1];
    int64_t ahead[MODEL_ORGANISATIONS + 1][MODEL_ORGANISATIONS + 1];
};

/* How much of each there may be in a run: the arrays are made for it. */
struct model_limits {
    uint32_t executions, contacts, programs, members;
};

struct model {
    struct model_limits most;
    struct model_organisation organisations[MODEL_ORGANISATIONS + 1]; /* by number */
    struct model_contact *contacts;
    uint32_t contact_count;
    uint32_t *contact_slots; /* a hash table: index + 1 */
    uint32_t contact_slot_count;
    struct model_did dids[MODEL_DIDS];
    uint32_t did_count;
    struct model_program *programs;
    uint32_t program_count;
    struct model_audience audiences[MODEL_AUDIENCES];
    uint32_t audience_count;
    struct model_member *members;
    uint32_t member_count;
    struct model_execution **executions;
    uint32_t execution_count;
    uint32_t *by_number; /* index + 1 in executions */
    uint32_t number_room;
    struct model_execution **changed; /* in this batch */
    uint32_t changed_count;
    uint32_t gateway_live[MODEL_GATEWAYS];
    struct model_shares shares[MODEL_GATEWAYS];
    bool has_stepped_back; /* the wall clock has */
    int64_t all_told_at;   /* of the last message to every execution */
    const struct told_message *now;
    bool is_first_of_batch;
};

/* ---- judge.c ---- */

/* Reads the log of a batch that is on disk now, or that has no rows. */
void model_hear(struct sim *sim, const struct sim_log *log, bool has_rows);
/* An execution has been made. Its launch is done then, and its response kept, though it is answered
 * when its contacts have been taken, which may be many batches later. */
void judge_on_launched(struct sim *sim, const struct uuid *id);
/* The engine was loaded from the store, or is about to be: leases and signs of life count from now.
 */
void model_on_start(struct sim *sim);
/* What is let out: each must have been heard. */
void model_on_offer(struct sim *sim, const struct offer *offer);
/* A worker dials. */
void model_on_dial(struct sim *sim, uint32_t execution, uint32_t entry, uint16_t attempt);
void model_init(struct sim *sim, const struct model_limits *most);
void model_free(struct sim *sim);

/* ---- judge_closed.c: what stands when a batch has closed ---- */

void closed_judge(struct sim *sim);

/* ---- model_rows.c ---- */

void model_put(struct sim *sim, const struct told_row *row);
void model_delete(struct sim *sim, const struct told_row *row);
struct model_execution *model_find(struct model *model, uint32_t number);
/* It will be judged when the batch has closed. */
void model_change(struct model *model, struct model_execution *x);
/* NULL: not known. */
struct model_contact *model_contact(struct model *model, uint32_t organisation,
                                    const struct uuid *id);
void model_touch(struct model_execution *x, uint32_t entry);

/* ---- model_rules.c: naive rules ---- */

bool rules_is_closed(const struct model_execution *x, int64_t at);
/* Near a change of clocks the engine may take the stricter reading. */
bool rules_is_near_change(const struct model_execution *x, int64_t at);
int64_t rules_retry_at(const struct retry_strategy *retry, uint32_t attempts, int64_t failed_at);
bool rules_may_attempt(const struct model *model, const struct retry_strategy *retry,
                       uint32_t attempt);
bool rules_has_ended(const struct model_execution *x);
/* The wall clock of a zone, as milliseconds since 1970 there. */
int64_t rules_local(struct slice zone, int64_t at);

/* ---- model_shares.c: capacity that is short is shared, turn and turn about ---- */

void shares_on_message(struct sim *sim, const struct told_message *message);
void shares_on_start(struct model *model);
void shares_on_closed(struct sim *sim);

/* ---- model_calls.c: a call is queued, and ends ---- */

void calls_put_live(struct sim *sim, struct model_execution *x, uint32_t entry,
                    const struct live_call *row);
void calls_delete_live(struct sim *sim, struct model_execution *x, uint32_t entry);
void calls_put_ended(struct sim *sim, struct model_execution *x, uint32_t entry,
                     const struct call *row);

#endif
