/* The counters of an execution's auto-pause rules: one for each rule, in the rules' order (api.md,
 * "Auto-pause rules").
 *
 * The counts are the execution's: it alone changes them, in the batch of the node event that it
 * counts, so they are exact at every durable instant. Where they are kept beyond the memory is
 * behind `struct counter_store`: the embedded one keeps a row of the execution, once a batch
 * however many events it has. Another store is another set of these functions; it may tell its
 * counts to others (an effect), and must give back what it saved in the same batch.
 */
#ifndef OUTDIAL_ACTORS_COUNTERS_H
#define OUTDIAL_ACTORS_COUNTERS_H

#include "actors/effect.h"
#include "actors/view.h"

struct counter_store {
    /* Writes the counts that were saved last into counts[0 … count); leaves them as they are when
     * there are none. `count` is that of the execution's rules. */
    void (*load)(struct view *view, uint32_t execution, uint64_t *counts, size_t count);

    /* Keeps them, with the batch that is being filled. */
    void (*save)(struct effects *out, uint32_t execution, const uint64_t *counts, size_t count);

    /* Forgets what it has of the execution, with the batch that is being filled. */
    void (*remove)(struct effects *out, uint32_t execution);
};

/* NODE_COUNTERS rows. */
extern const struct counter_store counter_store_embedded;

/* Read freely. */
struct counters {
    const struct counter_store *store;
    uint64_t *counts; /* by the order of the rules; NULL: none */
    size_t count;
    bool is_dirty; /* to be saved before the batch closes */
    bool is_kept;  /* the store has, or had, some of this execution */
};

/* Makes it empty. `store` is borrowed for its life. */
void counters_init(struct counters *counters, const struct counter_store *store);
void counters_deinit(struct counters *counters);

/* Makes one counter for each rule, from what the store has, or 0. */
void counters_load(struct counters *counters, struct view *view, uint32_t execution,
                   size_t rule_count);

/* The index of the rule about a node; false: there is none. */
bool counters_find(const struct auto_pause_rule *rules, size_t rule_count, struct slice node_id,
                   size_t *index);

/* Adds one; returns the new count. */
uint64_t counters_add(struct counters *counters, size_t index);

/* Sets one to 0. */
void counters_reset(struct counters *counters, size_t index);

/* Other rules: counters of nodes that stay are kept, new ones start at 0, others go. */
void counters_replace(struct counters *counters, const struct auto_pause_rule *before,
                      const struct auto_pause_rule *after, size_t after_count);

/* The execution has ended: none is left, and counters_save lets the store forget them. */
void counters_clear(struct counters *counters);

/* Lets the store know of what has changed. */
void counters_save(struct counters *counters, uint32_t execution, struct effects *out);

#endif
