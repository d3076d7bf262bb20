/* An array in which the children of place i are the places ARITY * i + 1 and following, each not
 * before its parent. An entry repeats due and sequence of its node: comparing then reads the array
 * only, where four children lie side by side, instead of fetching each node from memory. */
#include "base/heap.h"

#include "base/check.h"
#include "base/memory.h"

#define ARITY 4

/* The first allocation. */
#define HEAP_ROOM_MIN 64

struct heap_entry {
    int64_t due;
    uint64_t sequence;
    struct heap_node *node;
};

static inline bool is_before(const struct heap_entry *a, const struct heap_entry *b)
{
    return a->due < b->due || (a->due == b->due && a->sequence < b->sequence);
}

static inline void put(struct heap *heap, size_t index, struct heap_entry entry)
{
    heap->entries[index] = entry;
    entry.node->index = index;
}

/* Puts the entry at the free place `index` or, where it is before its parents, above. */
static void sift_up(struct heap *heap, size_t index, struct heap_entry entry)
{
    while (index > 0) {
        size_t parent = (index - 1) / ARITY;

        if (!is_before(&entry, &heap->entries[parent])) {
            break;
        }
        put(heap, index, heap->entries[parent]);
        index = parent;
    }
    put(heap, index, entry);
}

/* Puts the entry at the free place `index` or, where children are before it, below. */
static void sift_down(struct heap *heap, size_t index, struct heap_entry entry)
{
    for (;;) {
        size_t first = ARITY * index + 1;
        size_t end = first + ARITY < heap->count ? first + ARITY : heap->count;
        size_t least = first;

        if (first >= heap->count) {
            break;
        }
        for (size_t child = first + 1; child < end; child++) {
            if (is_before(&heap->entries[child], &heap->entries[least])) {
                least = child;
            }
        }
        if (!is_before(&heap->entries[least], &entry)) {
            break;
        }
        put(heap, index, heap->entries[least]);
        index = least;
    }
    put(heap, index, entry);
}

/* Puts the entry at the free place `index` or to where it belongs from there. */
static void sift(struct heap *heap, size_t index, struct heap_entry entry)
{
    if (index > 0 && is_before(&entry, &heap->entries[(index - 1) / ARITY])) {
        sift_up(heap, index, entry);
    } else {
        sift_down(heap, index, entry);
    }
}

void heap_init(struct heap *heap)
{
    *heap = (struct heap){NULL, 0, 0, 0};
}

void heap_deinit(struct heap *heap)
{
    memory_free(heap->entries);
    heap_init(heap);
}

int heap_reserve(struct heap *heap, size_t count)
{
    size_t room = heap->room;

    if (count <= room) {
        return 0;
    }
    if (count > PTRDIFF_MAX / sizeof(*heap->entries) / 2) {
        return OD_ENOMEM;
    }
    room = room < HEAP_ROOM_MIN / 2 ? HEAP_ROOM_MIN : 2 * room;
    room = room < count ? count : room;
    heap->entries = memory_resize(heap->entries, room, sizeof(*heap->entries));
    heap->room = room;
    return 0;
}

int heap_insert(struct heap *heap, struct heap_node *node, int64_t due)
{
    OD_CHECK(node->index == HEAP_NONE);
    if (heap->count == heap->room) {
        int error = heap_reserve(heap, heap->count + 1);

        if (error != 0) {
            return error;
        }
    }
    node->due = due;
    node->sequence = heap->next_sequence++;
    sift_up(heap, heap->count++, (struct heap_entry){due, node->sequence, node});
    return 0;
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    size_t index = node->index;
    struct heap_entry last;

    OD_CHECK(heap_contains(heap, node));
    node->index = HEAP_NONE;
    last = heap->entries[--heap->count];
    if (last.node != node) {
        sift(heap, index, last);
    }
}

void heap_move(struct heap *heap, struct heap_node *node, int64_t due)
{
    OD_CHECK(heap_contains(heap, node));
    if (node->due == due) {
        return;
    }
    node->due = due;
    node->sequence = heap->next_sequence++;
    sift(heap, node->index, (struct heap_entry){due, node->sequence, node});
}

struct heap_node *heap_first(const struct heap *heap)
{
    return heap->count > 0 ? heap->entries[0].node : NULL;
}

bool heap_contains(const struct heap *heap, const struct heap_node *node)
{
    return node->index < heap->count && heap->entries[node->index].node == node;
}
