/* Inside of the engine: its parts, and what its files share. Nobody outside of engine/ includes
 * this. */
#ifndef OUTDIAL_ENGINE_ENGINE_STATE_H
#define OUTDIAL_ENGINE_ENGINE_STATE_H

#include <event2/event.h>

#include "actors/dispatcher.h"
#include "actors/retention.h"
#include "base/log.h"
#include "engine/clock.h"
#include "engine/engine.h"
#include "engine/gateway_port.h"
#include "engine/mailbox.h"
#include "engine/metrics.h"
#include "engine/outbox.h"
#include "engine/registry.h"
#include "engine/steps.h"
#include "engine/zones.h"
#include "storage/batch.h"
#include "storage/reader.h"
#include "storage/snapshot.h"
#include "storage/writer.h"
#include "traces/trace.h"

enum {
    TURN_BUDGET_NS = 2000000,    /* then other events get their turn */
    TURN_TICKS = 256,            /* timers fired a turn */
    GATEWAY_BUDGET = 256,        /* pieces of work of a push gateway a turn */
    RELEASE_BUDGET_NS = 2000000, /* replies and offers let out a turn */
    CHUNK_OPERATIONS = 4000,     /* an idle writer gets a batch of this size at once */
    PROBE_SECONDS = 1,           /* while the store takes no writes */
    EXIT_STORE = 70,             /* the exit status when the store can no longer be trusted */
    UPKEEP_SECONDS = 60,
    PULSE_SECONDS = 1,  /* the time is taken at least so often (engine/clock.h, CLOCK_GAP_MS) */
    ZONES_UPKEEPS = 60, /* an upgraded tzdata is seen within an hour (reliability.md 2.8) */
};

enum engine_mode {
    ENGINE_STARTING,
    ENGINE_READY,
    ENGINE_READ_ONLY, /* the store takes no writes: reads go on, writes get 503 */
    ENGINE_DRAINING,
    ENGINE_STOPPED,
};

/* What one batch did, from its first message to its last reply. */
struct work {
    struct batch *batch;
    struct outbox outbox;
    uint64_t messages;
    struct trace_buffer trace; /* what is recorded of it */
    uint64_t digest;           /* the running digest behind it */
};

struct world_view {
    struct view view;
    struct engine *engine;
};

struct world_effects {
    struct effects effects;
    struct engine *engine;
};

/* Of an engine that is stepped by hand (engine/steps.h): what the event loop would keep. */
struct stepping {
    bool is_stepped;
    bool has_foreign_zones, has_foreign_store; /* somebody else closes them */
    bool is_volatile;                          /* the store is not synced: a replay's */
    bool is_turn_wanted;                       /* run_event */
    bool is_probe_wanted;                      /* probe_event */
    bool is_carried_out;                       /* of the batch with the writer the result waits */
    bool is_broken;                            /* the loop has been left */
    uint32_t turn_letters, turn_items;
    int64_t at, mono; /* where its clocks start */
    const struct engine_watch *watch;
};

struct engine {
    const struct config *config;
    struct stepping steps;
    struct actor_settings settings;
    enum engine_mode mode;
    int exit_status;
    struct clock clock;
    struct zones *zones;
    struct metrics metrics;

    /* storage */
    struct store *store;
    struct writer *writer;
    struct reader *reader;     /* for the actors, within a turn */
    struct reader *api_reader; /* for the API */
    unsigned api_reads;        /* nested engine_begin_read */
    bool is_releasing;         /* api_reader stands at the batch that is being let out */
    struct work works[3];
    struct work *filling, *writing, *releasing; /* writing: with the writer; releasing: on disk, its
                                                 * outbox is being let out; NULL: none */

    /* actors */
    struct mailbox mailbox;
    struct registry registry;
    struct dispatcher dispatcher;
    struct retention retention;
    struct gateway_instance *gateways[CONFIG_GATEWAYS_MAX];
    struct arena memory; /* of the letter that is being handled, with what follows from it */
    struct letter letter;
    struct world_view view;
    struct world_effects effects;
    const struct message *handled; /* by an actor, now */
    bool dispatcher_is_ticked;     /* a TICK for it is in the mailbox */
    bool retention_is_ticked;      /* likewise */

    /* traces */
    struct recording *recording; /* NULL: nothing is recorded */
    struct replay *replay;       /* NULL: this engine runs by itself */
    bool counts_digest;
    uint64_t digest; /* the running digest of what actors put and deleted */

    /* reactor */
    struct event_base *base;
    struct event *run_event;    /* a turn, as soon as other events had theirs */
    struct event *writer_event; /* a batch is durable, or refused */
    struct event *wall_event, *mono_event, *probe_event, *upkeep_event, *pulse_event;
    unsigned upkeeps;     /* minutes */
    bool was_full;        /* when the store began to take no writes */
    int wall_fd, mono_fd; /* -1 with a test clock */
    struct wake armed;    /* what the timerfds are set to */

    /* replies and ids */
    reply_fn on_reply;
    void *reply_context;
    keep_fn on_keep;
    void *keep_context;
    publish_fn on_publish;
    void *publish_context;
    uint64_t last_exchange;
    uint32_t last_number[TABLE_COUNT];
    int64_t last_id_ms;
    uint64_t last_id_counter;
    uint8_t id_random[1024]; /* drawn in blocks: a system call for each id costs more than the id */
    size_t id_random_left;

    /* test clock */
    bool is_advancing;
    int64_t advance_to;
    void (*on_advanced)(void *context, int64_t now);
    void *advanced_context;
};

/* ---- engine.c ---- */

/* `stepping` is all zeros, and `steps` too, for an engine with an event loop. */
int engine_open_with(const struct config *config, const struct stepping *stepping,
                     const struct engine_steps *steps, struct engine **out, struct od_error *error);

/* ---- reactor.c ---- */

void engine_take_turn(struct engine *engine);  /* and stops, when it has drained */
void engine_send_probe(struct engine *engine); /* the probe row, as a batch of its own */
void engine_probe_later(struct engine *engine);
void engine_leave(struct engine *engine); /* the loop; engine_run returns exit_status */

/* ---- world.c: the view and the effects ---- */

void world_init(struct engine *engine);
void world_handle(struct engine *engine, const struct message *message);

/* ---- engine.c, replay.c ---- */

/* Makes an engine for a replay: store, view and effects, without timers, zones, gateways and
 * actors. Of `stepping`, it looks at is_stepped (no thread) and is_volatile. */
int engine_open_for_replay(const struct config *config, const struct actor_settings *settings,
                           const struct stepping *stepping, struct engine **out,
                           struct od_error *error);
const struct zone_table *replay_zone(const struct replay *replay, struct slice name);

/* ---- turn.c ---- */

void turn_run(struct engine *engine);
void turn_save(struct engine *engine);      /* the executions that were touched, into the batch */
void turn_submit(struct engine *engine);    /* the batch that is being filled, to an idle writer */
void turn_hand_over(struct engine *engine); /* saves and submits; between letters only */
void turn_wanted(struct engine *engine);    /* a turn will run as soon as the loop is free */
bool turn_is_idle(const struct engine *engine);

/* ---- release.c ---- */

void release_on_writer(struct engine *engine);
void release_run(struct engine *engine);

/* ---- recovery.c ---- */

void recovery_drop(struct engine *engine, const struct writer_result *result);
int recovery_load(struct engine *engine, struct od_error *error);
void recovery_probe(struct engine *engine, const struct writer_result *result);
int recovery_find_numbers(struct engine *engine, struct od_error *error);
void recovery_forget(struct engine *engine); /* the actors, and what waits for them */
void recovery_forget_work(struct work *work);

/* ---- timers.c ---- */

int timers_open(struct engine *engine, struct od_error *error);
void timers_close(struct engine *engine);
/* Takes the time anew. When the process has stood still, every execution is told, before any
 * message that is made with the new time. */
void timers_take_time(struct engine *engine);
void timers_clock_was_set(struct engine *engine);       /* TICKs for everybody */
void timers_process_stood_still(struct engine *engine); /* CLOCK_GAP to every execution */
void timers_fire(struct engine *engine);                /* TICKs for what is due; gateways run */
void timers_arm(struct engine *engine);
struct wake timers_wake(const struct engine *engine); /* the earliest of everybody's */

/* ---- advance.c ---- */

void advance_step(struct engine *engine);
void advance_store_clock(struct engine *engine); /* the test clock's instant, as a row */

/* ---- gateways.c ---- */

int engine_open_gateways(struct engine *engine, struct od_error *error);
void engine_close_gateways(struct engine *engine);

#endif
