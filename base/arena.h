/* A bump allocator: many pieces of memory that are freed as a whole, with the turn or request
 * they belong to. */
#ifndef OUTDIAL_BASE_ARENA_H
#define OUTDIAL_BASE_ARENA_H

#include <stddef.h>

#include "base/buf.h"

/* All memory of an arena is aligned to this, and the size of a piece is rounded up to it. */
#define ARENA_ALIGNMENT 16

struct arena_block;

/* Private but for its size. Belongs to one thread at a time. */
struct arena {
    struct arena_block *blocks; /* newest first; pieces come from the first */
    char *next;                 /* the next free byte of the newest block */
    size_t room;                /* free bytes of the newest block */
    size_t used;                /* bytes handed out, rounded up */
    size_t block_size;
};

/* Makes an empty arena that takes memory from malloc in blocks of at least `block_size` bytes.
 * Allocates nothing. */
void arena_init(struct arena *arena, size_t block_size);

/* Frees everything. May be used again as after arena_init. */
void arena_deinit(struct arena *arena);

/* Ends the life of all pieces. Keeps up to one block for the next use. */
void arena_reset(struct arena *arena);

/* Returns the bytes handed out since init or reset, each piece rounded up to the alignment. */
size_t arena_used(const struct arena *arena);

/* Makes sure that the next pieces, of `size` bytes in all when each is rounded up to the
 * alignment, come without malloc. Returns 0, or OD_ENOMEM and changes nothing for a size that no
 * machine has. */
int arena_reserve(struct arena *arena, size_t size);

/* Returns `size` bytes, undefined, aligned, never NULL; 0 bytes count as 1. Where neither a reserve
 * nor malloc has them the process ends (base/memory.h). */
void *arena_alloc(struct arena *arena, size_t size)
    __attribute__((malloc, alloc_size(2), returns_nonnull, assume_aligned(ARENA_ALIGNMENT)));

/* The same, filled with zeros. */
void *arena_zalloc(struct arena *arena, size_t size)
    __attribute__((malloc, alloc_size(2), returns_nonnull, assume_aligned(ARENA_ALIGNMENT)));

/* Returns a copy of the bytes. */
struct slice arena_copy(struct arena *arena, struct slice bytes);

/* Returns a copy of the bytes with a NUL behind. A NUL within ends the text for who reads it. */
char *arena_text(struct arena *arena, struct slice bytes);

/* Returns formatted text; a NUL that is not counted follows it. */
struct slice arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
