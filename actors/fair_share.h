/* Whose turn is it? Round robin among groups (organisations), and within a group among its members
 * (executions): deficit round robin with a quantum of one call, as every call costs the same. A
 * group with a million waiting and one with a hundred get turn and turn about. */
#ifndef OUTDIAL_ACTORS_FAIR_SHARE_H
#define OUTDIAL_ACTORS_FAIR_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/index32.h"

struct share_node;

struct share_nodes {
    struct share_node *slots;
    uint32_t room, free;
    struct index32 index;
};

struct fair_share {
    struct share_nodes groups, members;
    uint32_t ring;          /* the group whose turn it is; INDEX32_NONE: nobody wants a turn */
    uint32_t active_groups; /* groups in the ring */
};

void fair_share_init(struct fair_share *share);
void fair_share_deinit(struct fair_share *share);

/* Says how many turns a member wants; 0 takes it out. A member belongs to one group for as long as
 * it wants any. Who comes new joins at the end of its ring. */
void fair_share_want(struct fair_share *share, uint32_t group, uint32_t member, uint32_t turns);

/* How many turns the member wants. */
uint32_t fair_share_wanted(const struct fair_share *share, uint32_t member);

/* Whose turn it is; false when nobody wants one. */
bool fair_share_next(const struct fair_share *share, uint32_t *group, uint32_t *member);

/* The one whose turn it is takes it: it wants one less, and it is the next one's turn, in its group
 * and among groups. */
void fair_share_take(struct fair_share *share);

/* The group whose turn it is cannot use it now: it is the next group's turn. */
void fair_share_pass(struct fair_share *share);

/* Groups that want turns. After so many passes in a row nobody can use one. */
static inline uint32_t fair_share_groups(const struct fair_share *share)
{
    return share->active_groups;
}

#endif
