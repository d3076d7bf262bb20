#include "base/memory.h"

#include <stdlib.h>

#include "base/check.h"

void *memory_resize(void *old, size_t count, size_t size)
{
    OD_CHECK(count > 0 && size > 0);

    void *memory = reallocarray(old, count, size);

    if (memory == NULL) {
        memory_exhausted();
    }
    return memory;
}

void *memory_zero(size_t count, size_t size)
{
    OD_CHECK(count > 0 && size > 0);

    void *memory = calloc(count, size);

    if (memory == NULL) {
        memory_exhausted();
    }
    return memory;
}

void memory_free(void *memory)
{
    free(memory);
}

void *memory_of_library(size_t size)
{
    return memory_resize(NULL, size > 0 ? size : 1, 1);
}

void *memory_of_library_again(void *old, size_t size)
{
    return memory_resize(old, size > 0 ? size : 1, 1);
}
