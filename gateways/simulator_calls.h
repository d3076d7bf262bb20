/* The calls that a simulator has: a pool that is grown in blocks, a table by (execution, entry) and
 * a heap by the time of the next step. No allocation a call.
 */
#ifndef OUTDIAL_GATEWAYS_SIMULATOR_CALLS_H
#define OUTDIAL_GATEWAYS_SIMULATOR_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/heap.h"

struct simulated_call {
    struct heap_node step; /* in the heap from the permission to dial on */
    uint32_t execution, entry;
    uint32_t tag;
    uint16_t attempt;
    uint8_t outcome;    /* enum outcome; these four from the permission on */
    uint8_t nodes_done; /* node_executed events that have been posted */
    uint32_t ring_ms, talk_ms;
    int64_t dialled_at;          /* mono */
    struct simulated_call *next; /* of the same bucket, or of the free ones */
};

struct simulated_block;

struct simulated_calls {
    struct heap heap;
    struct simulated_call **buckets; /* a power of two */
    size_t bucket_count;
    size_t count;
    struct simulated_call *free;
    struct simulated_block *blocks; /* the newest first */
    size_t fresh;                   /* calls of that one that were never used */
};

/* Allocates nothing. */
void simulated_calls_init(struct simulated_calls *calls);
void simulated_calls_deinit(struct simulated_calls *calls);

/* The call of the contact, or NULL. */
struct simulated_call *simulated_calls_find(const struct simulated_calls *calls, uint32_t execution,
                                            uint32_t entry);

/* A new call, zero but for the two numbers, that is not there yet; one insertion of it into the
 * heap cannot fail. NULL when memory is short. */
struct simulated_call *simulated_calls_add(struct simulated_calls *calls, uint32_t execution,
                                           uint32_t entry);

/* Takes it out of the table and the heap; its memory is used again. */
void simulated_calls_remove(struct simulated_calls *calls, struct simulated_call *call);

#endif
