/* What actors are told and say, kept until it is durable: the engine's watch writes it down batch
 * by batch, in order; the model reads it when the batch is on disk. What a crash or a refused
 * commit drops is forgotten here, too.
 */
#ifndef OUTDIAL_TESTS_SIM_LOG_H
#define OUTDIAL_TESTS_SIM_LOG_H

#include "engine/steps.h"

struct sim;

enum { LOG_NODES = 3, LOG_CLAIMED_MAX = 64 };

enum fact_kind { FACT_MESSAGE, FACT_PUT, FACT_DELETE, FACT_REPLY, FACT_ANSWER };

/* A message, without what it points to but for what the model needs. */
struct told_message {
    enum message_type type;
    struct actor_name actor;
    int64_t at, mono;
    uint64_t exchange;
    bool is_derived;
    struct call_event event; /* of call events; its texts are gone */
    unsigned node;           /* NODE_EXECUTED: log_node_names[node]; LOG_NODES: another one */
    int64_t amount;          /* CREDITS_ADD; of an organisation whose credits are set */
    uint32_t organisation;   /* likewise */
    bool sets_credits, is_limited;
    struct uuid id; /* of an organisation that is patched */
    struct demand demand;
};

/* A row: the parts of its key, and what the model needs of the record. */
struct told_row {
    enum table table;
    uint32_t owner; /* organisation, audience or execution: the first part */
    uint32_t entry; /* or a trigger's serial number */
    uint16_t attempt;
    int64_t due_at;
    struct uuid id;

    union {
        bool flag; /* contact: may be called; DID: is active */
        struct entry entry_row;
        struct live_call live;
        struct call call;
        struct execution_state state;
        struct credits credits;
        enum execution_status status;
        enum trigger_status trigger;
        const struct execution_settings *settings; /* in the run's memory */
        uint64_t counts[LOG_NODES];

        struct {
            uint32_t cap;
            bool has_rate;
        } organisation; /* its id is `id` */

        uint32_t number; /* audience */

        struct {
            bool is_deleted;
            uint32_t active;
        } program;
    };
};

struct told_reply {
    uint64_t exchange;
    enum reply_kind kind;
    enum fault_code fault;
    enum event_status status;
    char why; /* of a refusal: the first letter but for 'd'o_not_call, 'c'ontact_deleted,
                 'p'ause_window */
    int64_t dial_by, credits;
    enum execution_status execution_status;
    uint32_t part;                      /* of an event */
    enum table table;                   /* of a record */
    bool is_new, flag;                  /* of a record; of a contact, doNotCall */
    struct uuid id;                     /* of a record, or of what was launched */
    uint32_t changed, unchanged;        /* members */
    const struct claimed_call *claimed; /* in the run's memory */
    size_t claimed_count;
};

struct fact {
    enum fact_kind kind;

    union {
        struct told_message message;
        struct told_row row;
        struct told_reply reply;
        struct gateway_answer answer;
    };
};

struct sim_log {
    struct fact *facts;
    size_t count, room;
};

extern const struct slice log_node_names[LOG_NODES];

/* Which of them; LOG_NODES: none. */
unsigned log_node_of(struct slice name);

/* A watch that writes into sim->filling, and moves it to sim->writing when a batch closes. */
void log_watch(struct sim *sim, struct engine_watch *watch);
void log_clear(struct sim_log *log);
void log_free(struct sim_log *log);

#endif
