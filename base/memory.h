/* Heap memory: for what grows with the calls in flight, for arenas and bufs, and for the libraries
 * that let a program say where their memory comes from.
 *
 * None of it is ever refused: a process that has no memory left stops, with a line in the log and
 * MEMORY_EXIT_STATUS, as if it had been killed at that moment. What it answered is on disk, what it
 * did not answer never happened, and its supervisor starts it anew. Going on with half of a state
 * would need a way back from each of thousands of places, none of which is ever walked. */
#ifndef OUTDIAL_BASE_MEMORY_H
#define OUTDIAL_BASE_MEMORY_H

#include <stddef.h>

enum { MEMORY_EXIT_STATUS = 70 };

/* Returns memory for `count` pieces of `size` bytes, with the contents of `old` (which may be NULL)
 * and otherwise undefined. Never NULL; the caller's, to be given to memory_free. `count` and `size`
 * are above 0. */
void *memory_resize(void *old, size_t count, size_t size) __attribute__((returns_nonnull));

/* Returns zeroed memory, never NULL; the caller's. */
void *memory_zero(size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/* Frees; NULL is nothing. */
void memory_free(void *memory);

/* malloc and realloc, for libraries: never NULL, and size 0 is 1. */
void *memory_of_library(size_t size) __attribute__((malloc, returns_nonnull));
void *memory_of_library_again(void *old, size_t size) __attribute__((returns_nonnull));

/* Says that there is no memory, and ends the process. */
_Noreturn void memory_exhausted(void);

#endif
