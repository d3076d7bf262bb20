/* `outdialctl backup`: a copy of a store, consistent also while a daemon writes to it.
 *
 * To restore: stop the daemon; put the copy as data.mdb, with mode 0600 and the daemon's owner,
 * into an empty folder (nothing else of the old folder: its lock files belong to the old file);
 * start outdiald with that folder as --data-dir. A copy that was made into a folder is such a
 * folder already. What happened after the backup is lost. The copy says that it is one: the first
 * daemon that opens it ends the calls that were under way in doubt, and offers none of them again
 * (storage/restore.h).
 *
 * The copy holds everything, keys' hashes and phone numbers too: its mode is 0600.
 */
#ifndef OUTDIAL_STORAGE_BACKUP_H
#define OUTDIAL_STORAGE_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum { BACKUP_PATH_MAX = 4096 };

struct backup {
    char path[BACKUP_PATH_MAX]; /* of the copy */
    uint64_t bytes;
    bool is_compact; /* free pages were left out */
};

/* Copies the store in `directory` to `target`, and notes in the copy that it was made at `made_at`:
 * a file that does not exist, or a folder (made with mode 0700 when its name ends in a slash),
 * which gets a data.mdb. Nothing is overwritten. The copy appears under its name only when it is
 * whole and on disk. Errors: as of store_open, OD_EINVAL when the target exists, OD_EFULL, OD_EIO.
 *
 * While it lasts the daemon cannot reuse freed pages, so its file may grow. Under a limit of the
 * file's size (RLIMIT_FSIZE) the process must ignore SIGXFSZ. */
int backup_run(const char *directory, const char *target, int64_t made_at, struct backup *out,
               struct od_error *error);

#endif
