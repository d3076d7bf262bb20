/* A stage: a small engine for tests of the actors. One world of rows (memory_world), a dispatcher,
 * executions in memory and a clock that is moved by hand; no thread, no disk.
 *
 *     struct stage *stage = stage_new();
 *     stage_put_organisation(stage, 1, 0, 0);
 *     stage_put_did(stage, 0, 901, DID_ACTIVE);
 *     stage_put_contact(stage, 1, 7, 101, false);
 *     stage_launch(stage, &settings, 1);
 *     stage_advance(stage, stage->at + MS_PER_HOUR);
 *     stage_free(stage);
 *
 * It keeps the engine's order (engine/turn.c):
 *
 * 1. A letter is handled, then what it derived, in order, until nothing derived is left: a closure.
 *
 * 2. The batch closes: executions that were touched save their state, who is over leaves.
 *
 * 3. What the batch says to push gateways goes to `watch.on_offer`.
 *
 * 4. Then the next letter. What actors send `later` is one, with the time at which it was sent.
 *
 * An execution that is not in memory is loaded for a message. Memory of a closure is freed when it
 * ends, so that whoever keeps a text of it is found by the address sanitizer.
 */
#ifndef OUTDIAL_TESTS_SUPPORT_STAGE_H
#define OUTDIAL_TESTS_SUPPORT_STAGE_H

#include "actors/dispatcher.h"
#include "actors/execution.h"
#include "tests/support/memory_world.h"

enum {
    STAGE_SIMULATOR = 0, /* index of the push gateway "simulator", the default one */
    STAGE_WORKER = 1,    /* index of the pull gateway "worker" */
    STAGE_GATEWAYS = 2,
};

/* 2026-01-05T10:00:00Z, a Monday: where the clock stands at first. */
#define STAGE_START INT64_C(1767607200000)

/* What a test wants to hear, while it happens; NULL: nothing. Everything is borrowed for the call.
 */
struct stage_watch {
    void *context;
    void (*on_message)(void *context, const struct message *message); /* about to be handled */
    void (*on_put)(void *context, enum table table, const struct key *key, const void *record);
    void (*on_delete)(void *context, enum table table, const struct key *key);
    void (*on_reply)(void *context, const struct message *cause, const struct reply *reply);
    void (*on_offer)(void *context, const struct offer *offer); /* after its batch; may queue */
    void (*on_closed)(void *context);                           /* the batch, before its offers */
};

struct stage_resident {
    struct execution execution;
    bool is_touched;
};

/* A growing ring of messages. Private. */
struct stage_queue {
    struct message *items;
    size_t head, count, room;
};

/* Read freely. `settings`, `gateways` and `watch` may be changed before the first message, the
 * clock whenever no message is being handled. */
struct stage {
    struct world *world;
    struct gateway_settings gateways[STAGE_GATEWAYS];
    struct actor_settings settings;
    struct stage_watch watch;
    int64_t at, mono;
    struct dispatcher dispatcher;
    struct stage_resident **residents; /* in the order of loading */
    size_t resident_count, resident_room;
    uint64_t handled; /* messages so far */
    bool is_held; /* stage_post only queues, so that letters from outside stand before what actors
                     send later */

    /* see stage_story */
    bool tells;
    bool tells_states_only; /* of the rows */
    struct buf story;

    /* private */
    struct view view;
    struct effects effects;
    struct arena memory; /* of the closure */
    struct stage_queue letters, derived;
    const struct message *now; /* the message that is being handled */
    struct offer *offers;
    size_t offer_count, offer_room;
};

struct stage *stage_new(void);
void stage_free(struct stage *stage);

/* ---- messages ---- */

/* Puts a message into the queue of letters; `at` and `mono` are filled in. What its payload points
 * to must live until it has been handled (stage_arena lives as long as the stage). */
void stage_queue(struct stage *stage, const struct message *message);

/* Handles one letter with all that is derived from it, and closes the batch. False: no letter
 * waits. */
bool stage_step(struct stage *stage);

/* Handles letters until none waits. */
void stage_run(struct stage *stage);

/* Both: queues it and, unless the stage is held, runs. */
void stage_post(struct stage *stage, const struct message *message);

struct arena *stage_arena(struct stage *stage);

/* The execution if it is in memory, or NULL. */
struct execution *stage_find(struct stage *stage, uint32_t number);

/* ---- time ---- */

/* Runs, then moves both clocks to the wall instant `to`, from one due instant to the next; all who
 * are due there get a TICK. A thing that stays due whatever ticks it gets is a defect (OD_CHECK).
 */
void stage_advance(struct stage *stage, int64_t to);

/* The wall clock is set; the other one goes on. The engine hears of it: every execution gets a
 * TICK. */
void stage_set_clock(struct stage *stage, int64_t at);

/* The process dies and starts again: letters and all that was in memory are gone, and what is
 * active is loaded from its rows. `mono` is what the new process sees. The TICKs of the start are
 * queued, not yet handled. */
void stage_crash(struct stage *stage, int64_t mono);

/* What the actors' own letters are to a drain: dropped. */
void stage_drop_letters(struct stage *stage);

/* The same as stage_crash, and what is loaded is a backup that was restored: RESTORED takes the
 * place of the TICKs. */
void stage_restore(struct stage *stage, int64_t mono, uint32_t era);

/* ---- rows of a story ---- */

/* An id whose text ends in n. */
struct uuid stage_id(uint32_t n);

/* Puts an organisation (caps: 0 is none), and tells the dispatcher. */
void stage_put_organisation(struct stage *stage, uint32_t number, uint32_t max_concurrent_calls,
                            uint64_t calls_per_second_micro);

/* Sets the organisation's balance; below 0: unlimited. */
void stage_set_credits(struct stage *stage, uint32_t organisation, int64_t credits);

/* A contact of the organisation, and its membership of the audience, if that is not 0. Again for a
 * known contact: changes do_not_call. The phone is +2126 and eight digits of the id's number. */
void stage_put_contact(struct stage *stage, uint32_t organisation, uint32_t audience, uint32_t id,
                       bool do_not_call);
void stage_delete_contact(struct stage *stage, uint32_t organisation, uint32_t id);

/* A DID, shared if owner is 0; executions are told. Deleted: its rows go. */
void stage_put_did(struct stage *stage, uint32_t owner, uint32_t id, enum did_status status);
void stage_delete_did(struct stage *stage, uint32_t owner, uint32_t id);

/* ---- usual messages ---- */

/* Launches an execution: created_at is set to now, timezone to UTC if empty, mode to batch, and the
 * ids that are nil are made of the number. */
void stage_launch(struct stage *stage, struct execution_settings *settings, uint64_t exchange);

/* A resume that replaces the rules, which are borrowed until it has been handled. */
void stage_resume(struct stage *stage, uint32_t execution, const struct auto_pause_rule *rules,
                  size_t rule_count, uint64_t exchange);

/* MESSAGE_PAUSE, …_RESUME, …_CANCEL, …_TICK. */
void stage_command(struct stage *stage, enum message_type type, uint32_t execution,
                   uint64_t exchange);

void stage_claim(struct stage *stage, uint32_t max, bool waits, uint32_t claim_id,
                 uint64_t exchange);

/* CALL_STARTED and the others; the tag is filled in from the execution's id made by stage_launch.
 */
void stage_event(struct stage *stage, enum message_type type, uint32_t execution,
                 const struct call_event *event, uint64_t exchange);

/* ---- the story ----
 *
 * While stage->tells is true each letter is a line "TIME ACTOR NUMBER TYPE" and below it, indented,
 * are the rows that it changed in the tables of an execution's life (states, entries, live calls,
 * calls) and what left: replies, offers. Derived messages are not told. */
const char *stage_story(struct stage *stage); /* since the last one; borrowed until the next */

#endif
