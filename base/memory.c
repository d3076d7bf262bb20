#include "base/memory.h"

#include <stdlib.h>

#include "base/check.h"

void *memory_resize(void *old, size_t count, size_t size)
{
    OD_CHECK(count > 0 && size > 0);

    void *memory = reallocarray(old, count, size);

    OD_CHECK(memory != NULL);
    return memory;
}

void *memory_zero(size_t count, size_t size)
{
    OD_CHECK(count > 0 && size > 0);

    void *memory = calloc(count, size);

    OD_CHECK(memory != NULL);
    return memory;
}

void memory_free(void *memory)
{
    free(memory);
}
