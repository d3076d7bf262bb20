/* The deterministic simulation: the whole engine but HTTP in one process, and a world around it
 * that one seed decides (docs/testing.md).
 *
 *     step n ─▶ a move of the world: a client, a worker, the clock, the disk, a crash
 *            ─▶ some turns and commits of the engine
 *            ─▶ what has become durable is told to the model (model.h), which judges it
 *
 * Each step draws from a stream of its own, made of the seed and its number. So a step that is left
 * out changes what it did, and not what the others draw: that is how a failing seed is shrunk.
 */
#ifndef OUTDIAL_TESTS_SIM_SIM_H
#define OUTDIAL_TESTS_SIM_SIM_H

#include <stdio.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/instant.h"
#include "engine/engine.h"
#include "engine/steps.h"
#include "engine/zones.h"
#include "tests/sim/counts.h"
#include "tests/sim/log.h"
#include "tests/sim/model.h"

enum {
    SIM_TEXT_MAX = 512,
    SIM_SKIPS_MAX = 4096,
    SIM_KNOWN_CALLS = 256,
    SIM_KEYS = 64,
    SIM_EXCHANGES = 262144,   /* of one life of the engine */
    SIM_MAP_BYTES = 64 << 20, /* of its store */
};

/* What a run tells the process that started it; in memory that both share. */
struct sim_slot {
    uint64_t seed;
    uint32_t step;
    char text[SIM_TEXT_MAX]; /* what was broken; empty: nothing yet */
    uint64_t counts[COUNTS];
};

/* Steps that do nothing. */
struct sim_skips {
    bool is_skipped[SIM_SKIPS_MAX];
};

/* What a client remembers of its request. */
enum request_kind {
    REQUEST_NONE,
    REQUEST_WRITE,   /* of the directory or the platform: any answer will do */
    REQUEST_FOREIGN, /* with an id of another tenant: not found */
    REQUEST_CONTROL,
    REQUEST_CLAIM,
    REQUEST_EVENT,
    REQUEST_KEYED,    /* with an Idempotency-Key: `key` */
    REQUEST_EVENTS,   /* over HTTP: a batch of them */
    REQUEST_READ,     /* over HTTP, without a message */
    REQUEST_NONSENSE, /* over HTTP: refused with the status `index` */
};

/* What an actor has replied, since that is durable. */
struct told_answer {
    bool is_told, is_new, flag; /* flag: of a contact, doNotCall */
    enum reply_kind kind;
    enum fault_code fault;
    enum table table;
    struct uuid id; /* of the record, where its key has one; of the execution that was launched */
    int64_t credits;
    uint32_t count, changed, unchanged; /* calls of a claim; members */
    enum execution_status status;
};

struct request {
    enum request_kind kind;
    enum message_type type;
    bool is_waiting;
    bool is_web;                /* over HTTP (web.h) */
    uint32_t posted;            /* messages */
    uint32_t durable, released; /* replies that are on disk; of these, let out */
    uint32_t index;             /* of the known call, or of the key */
    struct uuid claim_id;
    struct told_answer told;
};

/* A call as a worker knows it. */
struct known_call {
    bool is_there;
    uint32_t execution, entry, tag;
    uint16_t attempt;
    struct uuid claim_id;
    uint64_t seq;
    bool has_dialled, is_over;
    int64_t dial_by; /* of the first `accepted`; 0: none came */
};

/* A POST with an Idempotency-Key, repeated until it is answered. */
struct keyed_request {
    bool is_used, is_done, is_in_flight;
    enum message_type type;
    uint32_t organisation;
    struct uuid id; /* the program */
    int64_t amount;
    uint8_t hash[KEY_HASH_BYTES];
    bool is_web; /* over HTTP: `text` is the key, and the API looks the response up */
    char text[2 * KEY_HASH_BYTES + 1];
    struct told_answer told; /* the first time */
    int64_t told_at;
    unsigned done;     /* times that it was carried out, durably */
    int64_t done_at;   /* by the wall clock, as its message says */
    int64_t latest_at; /* that the wall clock, which may be set back, has shown since */
    unsigned tries;
};

#define SIM_ADMIN_KEY "sim-admin-key"

struct web;

enum sim_kind {
    SIM_USUAL,
    SIM_WIDE,  /* audiences of many contacts, whose snapshots take several messages */
    SIM_LARGE, /* thousands of executions of many organisations, most of them asleep */
};

struct sim {
    uint64_t seed;
    enum sim_kind kind;
    uint32_t step;
    bool tells;
    struct prng prng;
    struct sim_slot *slot;

    char folder[64];
    struct config *config;
    struct zones *zones;
    struct store *store;
    struct engine *engine;
    struct engine_watch watch;
    int64_t at, mono;
    bool is_shared; /* organisations without limits compete for little capacity */
    bool is_disk_full, is_disk_slow;
    int refusal; /* of the next commit; 0: none */
    int told;    /* the code of the last commit that was carried out */
    bool has_crashed_by_itself;

    bool records;           /* each life of the engine, to a trace */
    unsigned life;          /* how many there were */
    bool began_new;         /* this one, at an empty store */
    bool is_trace_complete; /* all that is durable is in it */
    bool is_trace_ended;    /* and it says that it ended well */
    char trace[96];
    struct web *web;     /* the API; NULL: no request goes over HTTP */
    struct arena memory; /* of the run */
    struct sim_log filling, writing;
    struct model model;

    struct request *requests; /* by exchange; those up to last_exchange are in use */
    uint64_t last_exchange;   /* the highest of this life */
    struct known_call calls[SIM_KNOWN_CALLS];
    uint32_t next_call;
    struct keyed_request keys[SIM_KEYS];
    uint32_t next_key;
    uint32_t next_phone, next_number;
    struct uuid flows[MODEL_ORGANISATIONS + 1]; /* each has one, from the beginning */
};

/* ---- chance ---- */

static inline uint32_t below(struct sim *sim, uint32_t n)
{
    return (uint32_t)prng_below(&sim->prng, n);
}

static inline bool chance(struct sim *sim, uint32_t percent)
{
    return below(sim, 100) < percent;
}

static inline uint32_t between(struct sim *sim, uint32_t low, uint32_t high)
{
    return low + below(sim, high - low + 1);
}

static inline void sim_count(struct sim *sim, enum count what)
{
    sim->slot->counts[what]++;
}

/* ---- run.c ---- */

/* Runs one seed from an empty store to its end. What is broken ends the process: with
 * SIM_BROKEN and a text in the slot, or by a signal of the engine's own checks. */
enum { SIM_BROKEN = 3 };

/* `is_large`: of the kind SIM_LARGE; else the seed decides the kind. */
void sim_run(struct sim *sim, uint32_t steps, bool is_large, const struct sim_skips *skips);

/* A promise is broken, or the simulation itself. */
void sim_fail(struct sim *sim, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

#define SIM_REQUIRE(sim, condition)                                                                \
    ((condition) ? (void)0 : sim_fail(sim, "%s:%d: %s", __FILE_NAME__, __LINE__, #condition))

/* A line of the story, where it is told. */
void sim_tell(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- world.c: the engine's life ---- */

void world_begin(struct sim *sim);
void world_end(struct sim *sim);
/* Drops the engine and loads another one from the store, after a while. */
void world_crash(struct sim *sim);
/* Drains the engine, as a program that is told to end does, and starts another one. */
void world_drain(struct sim *sim);
/* A turn, or a commit, or a probe, if anything is to be done: false, it rests. */
bool world_step(struct sim *sim, bool may_commit);
/* Carries out the commit under way; unheard, the engine is not told. */
void world_commit(struct sim *sim, bool is_unheard);
/* Until nothing is left to do at this instant. */
void world_rest(struct sim *sim);
/* The engine sees the times that sim->at and sim->mono say. */
void world_set_clock(struct sim *sim, enum clock_move move);
/* Lets time pass until `at`: what is due happens in order, the clock being looked at no more often
 * than each `grain` (0: whenever something is due). */
void world_pass_until(struct sim *sim, int64_t at, int64_t grain);
/* What the engine does between two moves, without commits. */
void world_work(struct sim *sim, uint32_t steps);
/* The store's own check, and the model against its rows. */
void world_check(struct sim *sim);

/* ---- pages.c ---- */

/* Before the first seed of a process. */
void pages_keep_heap(void);

/* ---- no_memory.c ---- */

/* An allocation of the engine or the API is refused, in a copy of this process: it ends with 70 and
 * has let nothing out that is not durable. Then the engine is loaded from what is on disk. */
void memory_move(struct sim *sim);

/* ---- traces.c: recordings of the engine's lives ---- */

/* What the seed decides. */
void traces_choose(struct sim *sim);
/* Before an engine is opened over sim->store: it will record. */
void traces_begin_life(struct sim *sim);
/* Before it is closed, and behind that: its trace is torn, or whole, and is replayed. */
void traces_note_end(struct sim *sim, bool is_drained);
void traces_check(struct sim *sim);

/* ---- carrier.c: the push gateway, seen from outside ---- */

const struct gateway_kind *const *carrier_kinds(struct sim *sim);

/* ---- clients.c ---- */

void clients_begin_life(struct sim *sim);
/* Takes note of a request that is about to be made, of a message of it that is posted, and of its
 * end: an answer, or none. */
void clients_note(struct sim *sim, uint64_t exchange, enum request_kind kind,
                  enum message_type type, uint32_t index);
void clients_note_post(struct sim *sim, const struct message *message);
void clients_forget(struct sim *sim, uint64_t exchange);
void clients_on_reply(void *context, uint64_t exchange, const struct reply *reply);
const struct response_kept *clients_on_keep(void *context, uint64_t exchange,
                                            const struct reply *reply, struct arena *arena);
/* Asks, over HTTP or by the message itself, and remembers it. Returns the exchange. */
uint64_t clients_post(struct sim *sim, enum request_kind kind, enum message_type type,
                      uint32_t actor, const union payload *payload, struct arena *arena,
                      uint32_t index);
/* The same past the API. */
uint64_t clients_post_past(struct sim *sim, enum request_kind kind, enum message_type type,
                           uint32_t actor, const union payload *payload, struct arena *arena,
                           uint32_t index);
void clients_give_up(struct sim *sim);          /* claims past the API, as it does for a drain */
void clients_repeat(struct sim *sim);           /* keyed requests that nobody has answered */
bool clients_are_all_answered(struct sim *sim); /* the keyed ones */
void clients_add_credits(struct sim *sim, uint32_t organisation, int64_t amount);
void clients_launch(struct sim *sim, const struct model_program *program);

/* ---- workers.c ---- */

void workers_on_claimed(struct sim *sim, const struct reply *reply);
void workers_take(struct sim *sim, const struct known_call *call);
/* NOLINTNEXTLINE(readability-function-size): its parameters are an answer */
void workers_on_event(struct sim *sim, uint32_t index, const struct uuid *claim_id,
                      enum message_type type, enum event_status status, int64_t dial_by);
void workers_claim(struct sim *sim, uint32_t max, bool waits);
void workers_move(struct sim *sim);    /* one of them does something, honest or not */
void workers_forget(struct sim *sim);  /* one dies with what it knew */
bool workers_work_on(struct sim *sim); /* honest: the next event of each call; false: none */

/* ---- moves.c ---- */

void moves_make_world(struct sim *sim);
void moves_do(struct sim *sim);
uint32_t moves_some_organisation(struct sim *sim); /* its number; 0: there is none */

/* ---- moves_programs.c ---- */

void moves_make_flow(struct sim *sim, uint32_t organisation);
void moves_make_program(struct sim *sim, uint32_t organisation);
void moves_change_program(struct sim *sim);
void moves_control(struct sim *sim);
void moves_launch(struct sim *sim);

/* ---- moves_contacts.c ---- */

const struct model_contact *moves_some_contact(struct sim *sim); /* NULL: none */
void moves_make_contacts(struct sim *sim, uint32_t organisation, uint32_t count);
void moves_change_contact(struct sim *sim);
void moves_make_audience(struct sim *sim, uint32_t organisation);
void moves_change_members(struct sim *sim);
void moves_fill_audience(struct sim *sim); /* the first one, with all that its organisation has */
void moves_make_did(struct sim *sim);
void moves_change_did(struct sim *sim);
void moves_make_organisation(struct sim *sim);
void moves_change_organisation(struct sim *sim);

/* ---- finale.c ---- */

/* Everything heals, and whatever has begun comes to its end. */
void finale_run(struct sim *sim);

#endif
