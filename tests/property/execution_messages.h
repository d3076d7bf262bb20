/* Random messages from outside for the execution's properties: commands, claims, events of calls.
 */
#ifndef OUTDIAL_TESTS_PROPERTY_EXECUTION_MESSAGES_H
#define OUTDIAL_TESTS_PROPERTY_EXECUTION_MESSAGES_H

#include "tests/property/execution_moves.h"

/* ---- moves: commands ---- */

static inline uint32_t some_execution(struct moves *m)
{
    return chance(m, 3) ? 99 : 1 + below(m, m->model.execution_count + (chance(m, 5) ? 1 : 0));
}

static inline void move_command(struct moves *m)
{
    static const enum message_type types[] = {MESSAGE_PAUSE, MESSAGE_RESUME, MESSAGE_RESUME,
                                              MESSAGE_PAUSE, MESSAGE_RESUME, MESSAGE_CANCEL};

    stage_command(m->model.stage, types[below(m, chance(m, 80) ? 5 : 6)], some_execution(m),
                  next_exchange(m));
}

static inline void move_resume(struct moves *m)
{
    struct auto_pause_rule *rules =
        arena_alloc(stage_arena(m->model.stage), MODEL_RULES * sizeof(*rules));
    size_t count = choose_rules(m, rules);

    stage_resume(m->model.stage, some_execution(m), rules, count, next_exchange(m));
}

static inline void move_credits(struct moves *m)
{
    struct message add = {.actor = {ACTOR_DISPATCHER, 0}, .type = MESSAGE_CREDITS_ADD};
    uint32_t organisation = 1 + below(m, m->model.organisation_count);

    if (chance(m, 25)) {
        stage_set_credits(m->model.stage, organisation, (int64_t)below(m, 12) - 2);
        return;
    }
    add.exchange = next_exchange(m);
    add.payload.credits =
        (struct credits_change){.organisation = organisation, .amount = (int64_t)below(m, 24) - 6};
    stage_post(m->model.stage, &add);
}

static inline void move_tick(struct moves *m)
{
    stage_command(m->model.stage, MESSAGE_TICK, 1 + below(m, m->model.execution_count), 0);
}

/* ---- moves: claims and events ---- */

static inline void move_claim(struct moves *m)
{
    uint64_t exchange = next_exchange(m);
    bool waits = chance(m, 40);

    m->model.is_waiting[exchange] = waits;
    m->next_claim += 1000;
    stage_claim(m->model.stage, 1 + below(m, 6), waits, m->next_claim, exchange);
}

static inline void move_give_up(struct moves *m)
{
    struct message message = {.actor = {ACTOR_DISPATCHER, 0}, .type = MESSAGE_CLAIM_GIVEN_UP};

    for (uint64_t exchange = 1; exchange <= m->model.last_exchange; exchange++) {
        if (m->model.is_waiting[exchange] && chance(m, 50)) {
            message.exchange = exchange;
            stage_post(m->model.stage, &message);
            return;
        }
    }
}

/* A call that somebody was given, mostly of late; or any one. */
static inline struct known_call some_call(struct moves *m)
{
    uint32_t known = smaller(m->call_count, MOVES_CALLS);
    uint32_t recent = smaller(known, 8);

    if (known == 0 || chance(m, 3)) {
        return (struct known_call){.execution = some_execution(m),
                                   .entry = below(m, MODEL_ENTRIES),
                                   .attempt = (uint16_t)(1 + below(m, 2))};
    }
    return m->calls[(m->call_count - 1 - below(m, chance(m, 75) ? recent : known)) % MOVES_CALLS];
}

static inline void post_event(struct moves *m, enum message_type type,
                              const struct known_call *call, struct call_event *event)
{
    event->entry = call->entry;
    event->attempt = call->attempt;
    event->from_gateway = call->from_gateway;
    stage_event(m->model.stage, type, call->execution, event, next_exchange(m));
}

static inline void move_started(struct moves *m)
{
    struct known_call call = some_call(m);
    struct call_event event = {.started.claim_id = call.claim_id};

    if (chance(m, 10)) {
        event.started.claim_id = stage_id(below(m, 5000));
    }
    if (chance(m, 3)) {
        call.from_gateway = !call.from_gateway;
    }
    post_event(m, MESSAGE_CALL_STARTED, &call, &event);
}

static inline void move_result(struct moves *m)
{
    static const enum outcome usual[] = {OUTCOME_ANSWERED, OUTCOME_BUSY, OUTCOME_NO_ANSWER};
    struct known_call call = some_call(m);
    struct call_event event = {.result.detail = SLICE("as it was")};

    event.result.outcome = chance(m, 70) ? usual[below(m, 3)] : OUTCOME_ANSWERED + below(m, 7);
    event.result.has_duration = chance(m, 50);
    post_event(m, MESSAGE_CALL_RESULT, &call, &event);
}

static inline void move_node(struct moves *m)
{
    struct known_call call = some_call(m);
    struct call_event event = {
        .node = {.node_id = node_names[below(m, MODEL_RULES)], .seq = below(m, 40)}};

    if (chance(m, 5)) {
        event.node.seq = UINT64_MAX - below(m, 3);
    }
    post_event(m, MESSAGE_NODE_EXECUTED, &call, &event);
}

static inline void move_released(struct moves *m)
{
    struct known_call call = some_call(m);
    struct call_event event = {.released.reason = SLICE("busy trunk")};

    event.released.retry_after_seconds = chance(m, 30) ? below(m, 100) : 0;
    if (chance(m, 60)) { /* else it is not said */
        event.released.claim_id = chance(m, 90) ? call.claim_id : stage_id(below(m, 5000));
    }
    post_event(m, MESSAGE_CALL_RELEASED, &call, &event);
}

/* A message from outside. */
static inline void move_message(struct moves *m)
{
    static void (*const moves[])(struct moves * m) = {
        move_claim,   move_claim,   move_claim,  move_started, move_started,  move_started,
        move_started, move_result,  move_result, move_result,  move_released, move_node,
        move_node,    move_command, move_tick,   move_give_up, move_resume,   move_credits,
    };

    moves[below(m, sizeof(moves) / sizeof(moves[0]))](m);
}

#endif
