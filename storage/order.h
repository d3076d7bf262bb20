/* An ordered index of a batch's operations by key, that only grows: a skip list (Pugh 1990) in one
 * block of memory, cleared as a whole. For storage/batch.
 *
 * A search for the place of a new key starts where the last one went in, since keys of the hot path
 * come nearly in order: then it costs a step or two.
 */
#ifndef OUTDIAL_STORAGE_ORDER_H
#define OUTDIAL_STORAGE_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    ORDER_HEIGHT_MAX = 12, /* of a tower; one in four grows on, so 4^12 keys */
};

struct order {
    char *memory;
    size_t size, room;
    uint32_t head[ORDER_HEIGHT_MAX];   /* the first node of each level; 0: none */
    uint32_t finger[ORDER_HEIGHT_MAX]; /* on each level the last node up to the newest; 0: none */
    uint64_t dice;                     /* for the heights of towers; decides no result */
};

void order_init(struct order *order);
void order_deinit(struct order *order);

/* Forgets all keys; gives memory beyond `keep` bytes back. */
void order_clear(struct order *order, size_t keep);

/* Adds a key, which the index does not have yet, as a node that holds the number `operation`. The
 * key's bytes are not copied: `operations` + `offset` is where they will be found; the base may
 * move with the next insert. Returns the node. */
uint32_t order_insert(struct order *order, const char *operations, uint32_t offset, uint8_t size,
                      uint32_t operation);

/* The first node at or after the key; 0: none. */
uint32_t order_seek(const struct order *order, const char *operations, const uint8_t *bytes,
                    uint8_t size);

/* The node after a node; 0: none. */
uint32_t order_next(const struct order *order, uint32_t node);

/* The number that a node holds, and its replacement. */
uint32_t order_operation(const struct order *order, uint32_t node);
void order_set_operation(struct order *order, uint32_t node, uint32_t operation);

#endif
