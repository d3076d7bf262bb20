/* An engine that is stepped by hand: no event loop, no thread, no clock. The caller sets the time,
 * runs the turns and carries the commits out, so that what happens in which order is a function of
 * what the caller decides. For the simulation (tests/sim).
 *
 * What is stepped is the engine itself: turns, timers, recovery and release are those of a running
 * one. Only the budgets of a turn are counts instead of nanoseconds.
 */
#ifndef OUTDIAL_ENGINE_STEPS_H
#define OUTDIAL_ENGINE_STEPS_H

#include "engine/engine.h"
#include "engine/gateway_port.h"

struct store;
struct zones;

/* What hears of everything that actors are told and say, in this order, and before any of it is
 * durable. Pointers are borrowed for the call. */
struct engine_watch {
    void *context;
    /* The next message is handled: from outside, or derived. */
    void (*on_message)(void *context, const struct message *message);
    void (*on_put)(void *context, enum table table, const struct key *key, const void *record);
    void (*on_delete)(void *context, enum table table, const struct key *key);
    /* A reply to an exchange; what a push gateway asked is answered by on_answer. */
    void (*on_reply)(void *context, const struct reply *reply);
    void (*on_answer)(void *context, uint32_t gateway, const struct gateway_answer *answer);
    /* The batch has been closed: what was heard since it was opened is now with the writer; or
     * nothing of it is stored, and it is let out without a commit. */
    void (*on_closed)(void *context, bool has_rows);
};

struct engine_steps {
    int64_t at, mono;    /* where both clocks start */
    struct zones *zones; /* borrowed for the engine's life; NULL: its own */
    struct store
        *store; /* borrowed for the engine's life, and open; NULL: that of the configuration */
    bool is_volatile; /* the store of the configuration is not synced: nothing has to survive */
    const struct engine_watch *watch; /* borrowed for the engine's life; NULL: nobody */
};

/* As engine_open. Without an event loop engine_base is NULL, and engine_run may not be called. */
int engine_open_stepped(const struct config *config, const struct engine_steps *steps,
                        struct engine **out, struct od_error *error);

/* How the clocks come to a new time. */
enum clock_move {
    CLOCK_GOES_ON,     /* nothing special */
    CLOCK_WAS_SET,     /* the wall clock was set, as timers_open's timerfd would tell */
    CLOCK_STOOD_STILL, /* the process did: CLOCK_GAP_MS or more have passed unseen */
};

/* Sets both clocks (engine/clock.h); a turn is wanted then. */
void engine_set_clock(struct engine *engine, int64_t at, int64_t mono, enum clock_move move);

/* The next instants at which anything is due by itself. */
struct wake engine_wake(const struct engine *engine);

/* How much a turn may do from now on: letters handled, and items of an outbox let out. */
void engine_limit_turns(struct engine *engine, uint32_t letters, uint32_t items);

/* A turn has something to do, apart from what the clock brings. */
bool engine_wants_turn(const struct engine *engine);
void engine_run_turn(struct engine *engine);

/* A batch is with the writer. */
bool engine_is_committing(const struct engine *engine);

/* Carries its commit out, or has it refused by the writer's hook. Returns the writer's code; nobody
 * has been told yet. */
int engine_commit(struct engine *engine);

/* Takes the writer's word, once what was on disk before has been let out: the next batch follows,
 * and the outbox of this one is let out in the next turns. Nothing to take is no error. */
void engine_hear_commit(struct engine *engine);

/* False while a commit has been carried out of which the engine does not know yet: what it reads
 * then may be the rows from before it. */
bool engine_reads_all(const struct engine *engine);

/* While the store takes no writes: the engine waits to try a probe row; and tries it, which is a
 * commit. */
bool engine_wants_probe(const struct engine *engine);
void engine_run_probe(struct engine *engine);

/* The engine has ended itself, with this exit status (70: the store cannot be trusted). */
bool engine_is_broken(const struct engine *engine, int *status);

#endif
