/* Heap memory for what grows with the calls in flight: the one place outside of arenas and bufs
 * that asks malloc. A process that has no memory left for its own state stops (OD_CHECK): what it
 * answered is on disk. */
#ifndef OUTDIAL_BASE_MEMORY_H
#define OUTDIAL_BASE_MEMORY_H

#include <stddef.h>

/* Returns memory for `count` pieces of `size` bytes, with the contents of `old` (which may be NULL)
 * and otherwise undefined. Never NULL; the caller's, to be given to memory_free. `count` and `size`
 * are above 0. */
void *memory_resize(void *old, size_t count, size_t size) __attribute__((returns_nonnull));

/* Returns zeroed memory, never NULL; the caller's. */
void *memory_zero(size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/* Frees; NULL is nothing. */
void memory_free(void *memory);

#endif
