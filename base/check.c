#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void od_check_failed(const char *file, int line, const char *condition)
{
    char text[512];
    int size = snprintf(text, sizeof(text), "%s:%d: %s\n", file, line, condition);

    /* One write and no stdio: the heap or a lock may be what is broken. */
    if (size >= (int)sizeof(text)) {
        size = (int)sizeof(text);
        text[size - 1] = '\n';
    }
    if (size > 0 && write(STDERR_FILENO, text, (size_t)size) < 0) {
        /* Nowhere left to say it; the core dump still does. */
        abort();
    }
    abort();
}
