/* What the files of cmd/outdial_trace_world share. */
#ifndef OUTDIAL_CMD_OUTDIAL_TRACE_WORLD_PARTS_H
#define OUTDIAL_CMD_OUTDIAL_TRACE_WORLD_PARTS_H

#include "cmd/outdial_trace_world.h"

struct world_organisation {
    uint32_t number;
    struct uuid id, flow, dids[2];
};

/* In the order in which they come to an execution. */
enum world_deed {
    DEED_LAUNCH,
    DEED_PAUSE,
    DEED_RESUME,
    DEED_CANCEL,
    DEED_ARRIVAL, /* a worker claims */
    DEED_GIVE_UP, /* its waiting claim is over */
    DEED_WATCH,   /* have executions ended? */
    DEED_CALL,    /* the next thing that a worker does with a call */
};

struct world_execution {
    struct world_organisation *organisation;
    uint32_t number, index;
    struct uuid id, program, audience;
    uint32_t audience_number;
    uint64_t contacts;
    bool is_launched, has_ended;
    uint64_t ended; /* contacts, as last seen */
};

/* A thing to be done at an instant. */
struct world_event {
    struct heap_node node;
    enum world_deed deed;
    struct world_execution *execution; /* DEED_LAUNCH to DEED_CANCEL */
    struct world_call *call;           /* DEED_CALL */
};

enum call_stage {
    STAGE_START,  /* to ask for the permission to dial */
    STAGE_NODE,   /* it was answered: the flow goes on */
    STAGE_RESULT, /* it is over */
    STAGE_RELEASE,
    STAGE_REPEAT, /* the result, told a second time */
    STAGE_DONE,
};

enum call_fault {
    CALL_SOUND,
    CALL_LOST,          /* the worker dies with its claim */
    CALL_RELEASED,      /* it gives the call back */
    CALL_STARTED_TWICE, /* the answer got lost: it asks again */
    CALL_RESULT_TWICE,
};

struct world_call {
    struct world_event event;
    struct world_execution *execution;
    uint32_t entry;
    uint16_t attempt;
    struct uuid claim_id;
    enum call_stage stage;
    enum call_fault fault;
    enum outcome outcome;
    uint32_t nodes_left, seq;
    uint32_t talk_ms, ring_ms;
    bool has_asked;
};

/* Whom the answer of an exchange is for, within one step. */
struct world_question {
    enum message_type type;
    struct world_call *call; /* NULL: none */
};

struct world {
    struct engine *engine;
    const struct world_options *options;
    struct prng prng;
    struct world_organisation *organisations;
    struct world_execution *executions;
    struct heap events;

    /* the questions since `first_exchange`: they are answered before the next step */
    struct world_question *questions;
    size_t question_count, question_room;
    uint64_t first_exchange;

    struct world_event arrival, give_up, watch;
    int64_t arrival_us; /* of the next claim, by the wall clock */
    bool has_waiting_claim;
    bool is_waiting_new; /* it was made in this step: others may be made beside it */
    uint64_t waiting_exchange;
    uint64_t next_phone;

    struct od_error *error; /* of world_live */
    int code;
    struct world_progress progress;
};

/* ---- outdial_trace_world.c ---- */

/* Posts a message, whose answer comes within the step, and returns its exchange. */
uint64_t world_post(struct world *world, struct actor_name actor, enum message_type type,
                    const union payload *payload, struct arena *arena, struct world_call *call);

/* Lets the engine do everything that is due up to `to`, and stand still there. */
int world_settle(struct world *world, int64_t to);

void world_plan(struct world *world, struct world_event *event, int64_t at);

/* A number from `low` up to `high`. */
uint32_t world_between(struct world *world, uint32_t low, uint32_t high);

/* ---- outdial_trace_world_make.c: what there is before the first launch ---- */

int world_make(struct world *world);
void world_launch(struct world *world, struct world_execution *execution);

/* ---- outdial_trace_world_calls.c: workers ---- */

void world_on_arrival(struct world *world);
void world_on_give_up(struct world *world);
void world_on_call(struct world *world, struct world_call *call);
void world_on_claimed(struct world *world, const struct reply *reply);
void world_on_answer(struct world *world, struct world_call *call, enum event_status status);

#endif
