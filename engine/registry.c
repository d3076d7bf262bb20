#include "engine/registry.h"

#include <stddef.h>
#include <string.h>

#include "base/check.h"
#include "base/instant.h"
#include "base/memory.h"

#define RESIDENT_OF(node, member)                                                                  \
    ((struct resident *)(void *)((char *)(node)-offsetof(struct resident, member)))

void registry_init(struct registry *registry)
{
    memset(registry, 0, sizeof(*registry));
    index32_init(&registry->index);
    heap_init(&registry->wall);
    heap_init(&registry->mono);
}

void registry_clear(struct registry *registry)
{
    while (registry->count > 0) {
        registry_remove(registry, registry->slots[registry->count - 1]);
    }
    registry->touched_count = 0;
}

void registry_deinit(struct registry *registry)
{
    registry_clear(registry);
    index32_deinit(&registry->index);
    heap_deinit(&registry->wall);
    heap_deinit(&registry->mono);
    memory_free(registry->slots);
    memory_free(registry->touched);
}

struct resident *registry_find(const struct registry *registry, uint32_t number)
{
    uint32_t slot = index32_find(&registry->index, number);

    return slot == INDEX32_NONE ? NULL : registry->slots[slot];
}

struct resident *registry_add(struct registry *registry, uint32_t number)
{
    struct resident *resident = memory_zero(1, sizeof(*resident));

    if (registry->count == registry->room) {
        registry->room = registry->room == 0 ? 64 : registry->room * 2;
        registry->slots = memory_resize(registry->slots, registry->room, sizeof(struct resident *));
    }
    heap_node_init(&resident->wall);
    heap_node_init(&resident->mono);
    resident->execution.number = number;
    index32_add(&registry->index, number, registry->count);
    registry->slots[registry->count++] = resident;
    return resident;
}

static void disarm(struct heap *heap, struct heap_node *node)
{
    if (heap_contains(heap, node)) {
        heap_remove(heap, node);
    }
}

void registry_remove(struct registry *registry, struct resident *resident)
{
    uint32_t slot = index32_find(&registry->index, resident->execution.number);
    struct resident *last = registry->slots[registry->count - 1];

    OD_CHECK(slot != INDEX32_NONE && registry->slots[slot] == resident);
    index32_remove(&registry->index, resident->execution.number);
    if (last != resident) { /* the last one moves into the gap */
        index32_remove(&registry->index, last->execution.number);
        index32_add(&registry->index, last->execution.number, slot);
        registry->slots[slot] = last;
    }
    registry->count--;
    disarm(&registry->wall, &resident->wall);
    disarm(&registry->mono, &resident->mono);
    execution_deinit(&resident->execution);
    memory_free(resident);
}

void registry_forget(struct registry *registry, uint32_t number)
{
    struct resident *resident = registry_find(registry, number);
    uint32_t kept = 0;

    if (resident == NULL) {
        return;
    }
    for (uint32_t i = 0; i < registry->touched_count; i++) {
        if (registry->touched[i] != resident) {
            registry->touched[kept++] = registry->touched[i];
        }
    }
    registry->touched_count = kept;
    registry_remove(registry, resident);
}

void registry_touch(struct registry *registry, struct resident *resident)
{
    if (resident->is_listed) {
        return;
    }
    if (registry->touched_count == registry->touched_room) {
        registry->touched_room = registry->touched_room == 0 ? 64 : registry->touched_room * 2;
        registry->touched =
            memory_resize(registry->touched, registry->touched_room, sizeof(struct resident *));
    }
    resident->is_listed = true;
    registry->touched[registry->touched_count++] = resident;
}

static void arm(struct heap *heap, struct heap_node *node, int64_t due)
{
    bool is_armed = heap_contains(heap, node);

    if (due == INSTANT_NEVER) {
        if (is_armed) {
            heap_remove(heap, node);
        }
    } else if (!is_armed) {
        OD_CHECK(heap_insert(heap, node, due) == 0);
    } else if (node->due != due) {
        heap_move(heap, node, due);
    }
}

void registry_arm(struct registry *registry, struct resident *resident)
{
    struct wake wake = execution_wake(&resident->execution);

    arm(&registry->wall, &resident->wall, wake.at);
    arm(&registry->mono, &resident->mono, wake.mono);
}

struct resident *registry_take_due(struct registry *registry, int64_t at, int64_t mono)
{
    struct heap_node *node = heap_first(&registry->wall);

    if (node != NULL && node->due <= at) {
        heap_remove(&registry->wall, node);
        return RESIDENT_OF(node, wall);
    }
    node = heap_first(&registry->mono);
    if (node != NULL && node->due <= mono) {
        heap_remove(&registry->mono, node);
        return RESIDENT_OF(node, mono);
    }
    return NULL;
}

struct wake registry_wake(const struct registry *registry)
{
    const struct heap_node *wall = heap_first(&registry->wall);
    const struct heap_node *mono = heap_first(&registry->mono);

    return (struct wake){.at = wall != NULL ? wall->due : INSTANT_NEVER,
                         .mono = mono != NULL ? mono->due : INSTANT_NEVER};
}
