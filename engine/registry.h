/* The registry: the executions that are in memory, by number, with their timers.
 *
 * An execution is loaded at a start while there is work left for it, or when a message comes for
 * it; it leaves when it is over and its state is in a batch, or when it is removed.
 */
#ifndef OUTDIAL_ENGINE_REGISTRY_H
#define OUTDIAL_ENGINE_REGISTRY_H

#include "actors/execution.h"
#include "base/heap.h"
#include "base/index32.h"

struct resident {
    struct execution execution;
    struct heap_node wall, mono; /* when it wants a TICK */
    bool is_listed;              /* in the list of those to be saved */
    enum execution_status told;  /* the status that the log knows; 0: none */
};

struct registry {
    struct index32 index;
    struct resident **slots; /* dense: the first `count` are in use */
    uint32_t count, room;
    struct resident **touched; /* since the last batch was closed */
    uint32_t touched_count, touched_room;
    struct heap wall, mono;
};

void registry_init(struct registry *registry);

/* Drops all executions: what they hold in memory is forgotten. */
void registry_clear(struct registry *registry);
void registry_deinit(struct registry *registry);

/* NULL: not in memory. */
struct resident *registry_find(const struct registry *registry, uint32_t number);

/* Adds one that is not there; its execution is to be initialised or loaded by the caller. */
struct resident *registry_add(struct registry *registry, uint32_t number);
void registry_remove(struct registry *registry, struct resident *resident);

/* Its rows have been deleted: it leaves at once, and is not looked at when the batch closes.
 * Nothing when it is not in memory. */
void registry_forget(struct registry *registry, uint32_t number);

/* Lists it to be looked at when the batch closes. */
void registry_touch(struct registry *registry, struct resident *resident);

/* Sets its timers from execution_wake. */
void registry_arm(struct registry *registry, struct resident *resident);

/* The next resident whose timer is due at these instants; its timer is taken out. NULL: none. */
struct resident *registry_take_due(struct registry *registry, int64_t at, int64_t mono);

/* The earliest of all timers; INSTANT_NEVER: none. */
struct wake registry_wake(const struct registry *registry);

#endif
