#include "base/index32.h"

#include <stddef.h>

#include "base/check.h"
#include "base/memory.h"

#define FIRST_ROOM 8

struct index32_cell {
    uint32_t number;
    uint32_t slot; /* INDEX32_NONE: the cell is empty */
};

void index32_init(struct index32 *index)
{
    index->cells = NULL;
    index->count = 0;
    index->room = 0;
}

void index32_deinit(struct index32 *index)
{
    memory_free(index->cells);
    index32_init(index);
}

static uint32_t home_of(const struct index32 *index, uint32_t number)
{
    return (uint32_t)((number * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (index->room - 1);
}

/* The number's cell, or the empty one in which its search ends. */
static uint32_t cell_of(const struct index32 *index, uint32_t number)
{
    uint32_t at = home_of(index, number);

    while (index->cells[at].slot != INDEX32_NONE && index->cells[at].number != number) {
        at = (at + 1) & (index->room - 1);
    }
    return at;
}

static void grow(struct index32 *index)
{
    struct index32 old = *index;

    index->room = old.room == 0 ? FIRST_ROOM : old.room * 2;
    OD_CHECK(index->room > old.room);
    index->cells = memory_resize(NULL, index->room, sizeof(*index->cells));
    for (uint32_t i = 0; i < index->room; i++) {
        index->cells[i] = (struct index32_cell){0, INDEX32_NONE};
    }
    for (uint32_t i = 0; i < old.room; i++) {
        if (old.cells[i].slot != INDEX32_NONE) {
            index->cells[cell_of(index, old.cells[i].number)] = old.cells[i];
        }
    }
    memory_free(old.cells);
}

uint32_t index32_find(const struct index32 *index, uint32_t number)
{
    return index->count == 0 ? INDEX32_NONE : index->cells[cell_of(index, number)].slot;
}

void index32_add(struct index32 *index, uint32_t number, uint32_t slot)
{
    OD_CHECK(slot != INDEX32_NONE);
    if (index->count >= index->room / 2) {
        grow(index);
    }
    uint32_t at = cell_of(index, number);

    OD_CHECK(index->cells[at].slot == INDEX32_NONE);
    index->cells[at] = (struct index32_cell){number, slot};
    index->count++;
}

void index32_remove(struct index32 *index, uint32_t number)
{
    OD_CHECK(index->count > 0);
    uint32_t mask = index->room - 1;
    uint32_t hole = cell_of(index, number);

    OD_CHECK(index->cells[hole].slot != INDEX32_NONE);
    for (uint32_t at = (hole + 1) & mask; index->cells[at].slot != INDEX32_NONE;
         at = (at + 1) & mask) {
        uint32_t home = home_of(index, index->cells[at].number);

        /* It may move back into the hole unless its home lies behind the hole. */
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            index->cells[hole] = index->cells[at];
            hole = at;
        }
    }
    index->cells[hole].slot = INDEX32_NONE;
    index->count--;
}
