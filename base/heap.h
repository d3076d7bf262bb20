/* A heap of things that are due, the earliest first and equal ones in the order in which they
 * were put. A node is embedded in what it stands for. */
#ifndef OUTDIAL_BASE_HEAP_H
#define OUTDIAL_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The index of a node that is in no heap. */
#define HEAP_NONE SIZE_MAX

/* Embedded in the thing that is due. Read `due` freely, change nothing. May not move or be freed
 * while in a heap. */
struct heap_node {
    int64_t due;
    uint64_t sequence; /* order among equal dues */
    size_t index;      /* place in the heap, or HEAP_NONE */
};

struct heap_entry;

/* Private. */
struct heap {
    struct heap_entry *entries;
    size_t count;
    size_t room;
    uint64_t next_sequence;
};

/* Makes an empty heap. Allocates nothing. */
void heap_init(struct heap *heap);

/* Frees the heap's own memory. Nodes that are still in it are not touched. */
void heap_deinit(struct heap *heap);

/* Makes a node that is in no heap. To be called before anything else is done with it. */
static inline void heap_node_init(struct heap_node *node)
{
    node->due = 0;
    node->sequence = 0;
    node->index = HEAP_NONE;
}

/* Makes room for `count` nodes in all, up to which heap_insert cannot fail. Returns 0, or
 * OD_ENOMEM and changes nothing. */
int heap_reserve(struct heap *heap, size_t count);

/* Puts a node that is in no heap, behind those with the same due. Returns 0, or OD_ENOMEM and
 * changes nothing. */
int heap_insert(struct heap *heap, struct heap_node *node, int64_t due);

/* Takes a node out of the heap that it is in. */
void heap_remove(struct heap *heap, struct heap_node *node);

/* Gives a node of the heap another due, behind those that have it already. With the due that it
 * has, it keeps its place. Cannot fail. */
void heap_move(struct heap *heap, struct heap_node *node, int64_t due);

/* Returns the earliest node, or NULL. It stays in the heap. */
struct heap_node *heap_first(const struct heap *heap);

/* Returns whether an initialised node is in this heap. */
bool heap_contains(const struct heap *heap, const struct heap_node *node);

static inline size_t heap_count(const struct heap *heap)
{
    return heap->count;
}

#endif
