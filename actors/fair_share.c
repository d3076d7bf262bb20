/* Two levels of rings, linked through slots. A ring's head is the one whose turn it is; its end is
 * the head's predecessor. */
#include "actors/fair_share.h"

#include <string.h>

#include "base/check.h"
#include "base/memory.h"

struct share_node {
    uint32_t number;
    uint32_t wanted;         /* a member's turns */
    uint32_t group;          /* a member's group: its slot */
    uint32_t ring;           /* a group's members: the slot whose turn it is, or INDEX32_NONE */
    uint32_t previous, next; /* in the ring; free slots are linked by next */
};

static void nodes_init(struct share_nodes *nodes)
{
    memset(nodes, 0, sizeof(*nodes));
    nodes->free = INDEX32_NONE;
    index32_init(&nodes->index);
}

static void nodes_deinit(struct share_nodes *nodes)
{
    memory_free(nodes->slots);
    index32_deinit(&nodes->index);
}

static uint32_t nodes_add(struct share_nodes *nodes, uint32_t number)
{
    if (nodes->free == INDEX32_NONE) {
        uint32_t room = nodes->room == 0 ? 8 : nodes->room * 2;

        nodes->slots = memory_resize(nodes->slots, room, sizeof(*nodes->slots));
        for (uint32_t i = nodes->room; i < room; i++) {
            nodes->slots[i].next = i + 1 < room ? i + 1 : INDEX32_NONE;
        }
        nodes->free = nodes->room;
        nodes->room = room;
    }
    uint32_t slot = nodes->free;

    nodes->free = nodes->slots[slot].next;
    nodes->slots[slot] = (struct share_node){.number = number, .ring = INDEX32_NONE};
    index32_add(&nodes->index, number, slot);
    return slot;
}

static void nodes_remove(struct share_nodes *nodes, uint32_t slot)
{
    index32_remove(&nodes->index, nodes->slots[slot].number);
    nodes->slots[slot].next = nodes->free;
    nodes->free = slot;
}

/* Puts the slot at the end of the ring. */
static void ring_append(struct share_nodes *nodes, uint32_t *ring, uint32_t slot)
{
    struct share_node *node = &nodes->slots[slot];

    if (*ring == INDEX32_NONE) {
        node->previous = node->next = slot;
        *ring = slot;
        return;
    }
    struct share_node *head = &nodes->slots[*ring];

    node->next = *ring;
    node->previous = head->previous;
    nodes->slots[head->previous].next = slot;
    head->previous = slot;
}

static void ring_remove(struct share_nodes *nodes, uint32_t *ring, uint32_t slot)
{
    struct share_node *node = &nodes->slots[slot];

    if (node->next == slot) {
        *ring = INDEX32_NONE;
        return;
    }
    nodes->slots[node->previous].next = node->next;
    nodes->slots[node->next].previous = node->previous;
    if (*ring == slot) {
        *ring = node->next;
    }
}

void fair_share_init(struct fair_share *share)
{
    nodes_init(&share->groups);
    nodes_init(&share->members);
    share->ring = INDEX32_NONE;
    share->active_groups = 0;
}

void fair_share_deinit(struct fair_share *share)
{
    nodes_deinit(&share->groups);
    nodes_deinit(&share->members);
}

static void join(struct fair_share *share, uint32_t group, uint32_t member, uint32_t turns)
{
    uint32_t group_slot = index32_find(&share->groups.index, group);

    if (group_slot == INDEX32_NONE) {
        group_slot = nodes_add(&share->groups, group);
        ring_append(&share->groups, &share->ring, group_slot);
        share->active_groups++;
    }
    uint32_t slot = nodes_add(&share->members, member);

    share->members.slots[slot].wanted = turns;
    share->members.slots[slot].group = group_slot;
    ring_append(&share->members, &share->groups.slots[group_slot].ring, slot);
}

static void leave(struct fair_share *share, uint32_t slot)
{
    uint32_t group_slot = share->members.slots[slot].group;
    struct share_node *group = &share->groups.slots[group_slot];

    ring_remove(&share->members, &group->ring, slot);
    nodes_remove(&share->members, slot);
    if (group->ring == INDEX32_NONE) {
        ring_remove(&share->groups, &share->ring, group_slot);
        nodes_remove(&share->groups, group_slot);
        share->active_groups--;
    }
}

void fair_share_want(struct fair_share *share, uint32_t group, uint32_t member, uint32_t turns)
{
    uint32_t slot = index32_find(&share->members.index, member);

    if (slot == INDEX32_NONE) {
        if (turns > 0) {
            join(share, group, member, turns);
        }
        return;
    }
    OD_CHECK(share->groups.slots[share->members.slots[slot].group].number == group);
    if (turns == 0) {
        leave(share, slot);
    } else {
        share->members.slots[slot].wanted = turns;
    }
}

uint32_t fair_share_wanted(const struct fair_share *share, uint32_t member)
{
    uint32_t slot = index32_find(&share->members.index, member);

    return slot == INDEX32_NONE ? 0 : share->members.slots[slot].wanted;
}

bool fair_share_next(const struct fair_share *share, uint32_t *group, uint32_t *member)
{
    if (share->ring == INDEX32_NONE) {
        return false;
    }
    const struct share_node *head = &share->groups.slots[share->ring];

    *group = head->number;
    *member = share->members.slots[head->ring].number;
    return true;
}

void fair_share_take(struct fair_share *share)
{
    OD_CHECK(share->ring != INDEX32_NONE);
    uint32_t group_slot = share->ring;
    struct share_node *group = &share->groups.slots[group_slot];
    uint32_t slot = group->ring;
    struct share_node *member = &share->members.slots[slot];

    share->ring = group->next;
    group->ring = member->next;
    member->wanted--;
    if (member->wanted == 0) {
        leave(share, slot);
    }
}

void fair_share_pass(struct fair_share *share)
{
    OD_CHECK(share->ring != INDEX32_NONE);
    share->ring = share->groups.slots[share->ring].next;
}
