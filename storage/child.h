/* Work that may meet damaged pages, in a process of its own: LMDB has no checksums, and a bad page
 * ends the process that reads it (reliability.md 2.3).
 */
#ifndef OUTDIAL_STORAGE_CHILD_H
#define OUTDIAL_STORAGE_CHILD_H

#include <sys/types.h>

/* Runs `work` in a child; what it returns (0 to 127) becomes the child's exit code. The child
 * writes no core, restores the default handlers of the signals that damage raises, and must open
 * the store itself: an LMDB environment does not survive a fork. Returns the child's process, or a
 * negative errno. */
pid_t child_start(int (*work)(void *context), void *context);

/* Waits for its end. Returns its exit code, or minus the number of the signal that ended it. */
int child_wait(pid_t child);

#endif
