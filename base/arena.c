/* Blocks are a list, newest first. A piece is cut from the front of the newest block; where it
 * does not fit, a new block is made, of the size of the piece if that is above the usual, and the
 * rest of the old one stays unused until reset. Reserving is making that block beforehand.
 *
 * Under AddressSanitizer the bytes that are not handed out are poisoned, so that a use behind the
 * end of a piece, or after a reset, is reported as it would be with malloc. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/memory.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#endif

#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(data, size)   ((void)(data), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(data, size) ((void)(data), (void)(size))
#endif

struct arena_block {
    struct arena_block *older;
    size_t size; /* of data */
    _Alignas(ARENA_ALIGNMENT) char data[];
};

/* The largest piece or block: far from where sums of sizes overflow. */
#define ARENA_SIZE_MAX (PTRDIFF_MAX / 2)

static size_t round_up(size_t size)
{
    return (size + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
}

void arena_init(struct arena *arena, size_t block_size)
{
    OD_CHECK(block_size <= ARENA_SIZE_MAX);
    *arena = (struct arena){.block_size = block_size};
}

static void free_blocks(struct arena_block *block)
{
    while (block != NULL) {
        struct arena_block *older = block->older;

        ASAN_UNPOISON_MEMORY_REGION(block->data, block->size);
        memory_free(block);
        block = older;
    }
}

void arena_deinit(struct arena *arena)
{
    free_blocks(arena->blocks);
    arena_init(arena, arena->block_size);
}

/* Makes a block the one that pieces come from. */
static void use_block(struct arena *arena, struct arena_block *block)
{
    arena->blocks = block;
    arena->next = block->data;
    arena->room = block->size;
    ASAN_POISON_MEMORY_REGION(block->data, block->size);
}

void arena_reset(struct arena *arena)
{
    struct arena_block *block = arena->blocks;

    arena->used = 0;
    if (block == NULL) {
        return;
    }
    /* The newest is kept, unless it was made for a large piece: one large request may not hold
     * its memory for ever. */
    free_blocks(block->older);
    block->older = NULL;
    if (block->size > round_up(arena->block_size)) {
        free_blocks(block);
        arena_init(arena, arena->block_size);
        return;
    }
    use_block(arena, block);
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}

int arena_reserve(struct arena *arena, size_t size)
{
    struct arena_block *block;
    size_t block_size;

    if (size <= arena->room) {
        return 0;
    }
    if (size > ARENA_SIZE_MAX) {
        return OD_ENOMEM;
    }
    block_size = round_up(size > arena->block_size ? size : arena->block_size);
    block = memory_resize(NULL, 1, sizeof(*block) + block_size);
    block->older = arena->blocks;
    block->size = block_size;
    use_block(arena, block);
    return 0;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t rounded;
    void *piece;

    OD_CHECK(size <= ARENA_SIZE_MAX);
    /* Size 0 takes a byte, so that every piece has an address of its own. */
    rounded = round_up(size + (size == 0));
    if (rounded > arena->room) {
        OD_CHECK(arena_reserve(arena, rounded) == 0);
    }
    piece = arena->next;
    arena->next += rounded;
    arena->room -= rounded;
    arena->used += rounded;
    ASAN_UNPOISON_MEMORY_REGION(piece, size);
    return piece;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
    return memset(arena_alloc(arena, size), 0, size);
}

struct slice arena_copy(struct arena *arena, struct slice bytes)
{
    char *data = arena_alloc(arena, bytes.size);

    if (bytes.size > 0) {
        memcpy(data, bytes.data, bytes.size);
    }
    return slice_make(data, bytes.size);
}

char *arena_text(struct arena *arena, struct slice bytes)
{
    char *text = arena_alloc(arena, bytes.size + 1);

    if (bytes.size > 0) {
        memcpy(text, bytes.data, bytes.size);
    }
    text[bytes.size] = '\0';
    return text;
}

struct slice arena_printf(struct arena *arena, const char *format, ...)
{
    char short_text[256];
    char *text;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(short_text, sizeof(short_text), format, arguments);
    va_end(arguments);
    OD_CHECK(length >= 0);
    if ((size_t)length < sizeof(short_text)) {
        return slice_make(arena_text(arena, slice_make(short_text, (size_t)length)),
                          (size_t)length);
    }
    text = arena_alloc(arena, (size_t)length + 1);
    va_start(arguments, format);
    OD_CHECK(vsnprintf(text, (size_t)length + 1, format, arguments) == length);
    va_end(arguments);
    return slice_make(text, (size_t)length);
}
