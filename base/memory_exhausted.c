/* The end of a process that is refused memory. */
#include "base/memory.h"

#include <unistd.h>

#include "base/log.h"

/* The log needs no memory. No handlers of exit: they may. */
void memory_exhausted(void)
{
    log_error("out of memory: the process ends, and goes on from the store at its next start",
              FIELD_INT("status", MEMORY_EXIT_STATUS));
    _exit(MEMORY_EXIT_STATUS);
}
