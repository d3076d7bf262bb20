/* The way from check's child to its parent.
 */
#ifndef OUTDIAL_STORAGE_CHECK_PIPE_H
#define OUTDIAL_STORAGE_CHECK_PIPE_H

#include <stdint.h>

enum {
    CHECK_FRAME_HEAD = 3,
    CHECK_FRAME_MAX = 1024,   /* with its head; below PIPE_BUF */
    CHECK_NOBODY_LISTENS = 3, /* exit codes of the child */
    CHECK_COULD_NOT_OPEN = 4,
    CHECK_ASSERTED = 5,
};

/* Writes a frame; what does not fit is cut. */
void check_send(int pipe, char kind, const void *bytes, uint16_t size);

#endif
