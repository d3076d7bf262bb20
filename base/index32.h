/* An index from a 32-bit number to a slot of an array: open addressing, linear probing, deletion by
 * shifting back, so that a long life of adding and removing leaves no tombstones. */
#ifndef BASE_INDEX32_H
#define BASE_INDEX32_H

#include <stdint.h>

/* What index32_find answers for a number that is not there. */
#define INDEX32_NONE UINT32_MAX

struct index32_cell;

/* Private. */
struct index32 {
    struct index32_cell *cells;
    uint32_t count;
    uint32_t room; /* a power of two, or 0 */
};

/* Makes an empty index. Allocates nothing. */
void index32_init(struct index32 *index);
void index32_deinit(struct index32 *index);

/* Returns the slot of the number, or INDEX32_NONE. */
uint32_t index32_find(const struct index32 *index, uint32_t number);

/* Adds a number that is not there yet. The slot is not INDEX32_NONE. */
void index32_add(struct index32 *index, uint32_t number, uint32_t slot);

/* Removes a number that is there. */
void index32_remove(struct index32 *index, uint32_t number);

#endif
