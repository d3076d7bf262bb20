/* LD_PRELOAD: memory that is lost as the program begins, for a search for leaks to find. */
#include <stdlib.h>
#include <string.h>

__attribute__((constructor)) static void lose(void)
{
    void *volatile piece = malloc(4242);

    if (piece != NULL) {
        memset(piece, 0, 4242);
    }
    piece = NULL; // cppcheck-suppress memleak ; that is what it is for
}
