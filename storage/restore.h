/* A backup that is restored: the store says so by itself, and a start knows what to do.
 *
 * The copy that `outdialctl backup` makes has a row that its store does not have: the META row
 * "backup", with the instant of the copy. The first opening by a daemon takes the row away and
 * begins a new era in the same transaction: the META row "restore", whose number is the era and
 * whose text is that instant until every execution has been told (engine/recovery.c, the messages
 * RESTORED and RESTORE_TOLD). So calls that were under way when the copy was made end in doubt,
 * once, whatever crashes meanwhile; and calls that are queued from then on have ids that the store
 * did not give after the backup (call_tag_of_era).
 */
#ifndef OUTDIAL_STORAGE_RESTORE_H
#define OUTDIAL_STORAGE_RESTORE_H

#include <stdint.h>

#include <lmdb.h>

/* Puts the row into a copy, which nobody else has open: a file, not a folder. Synced when it
 * returns. Returns 0, MDB_…, or an errno. */
int restore_mark(const char *path, int64_t made_at);

/* Within the transaction that opens a store for writing: begins an era if the row is there. Returns
 * 0 or an LMDB code. */
int restore_begin(MDB_txn *txn, MDB_dbi meta);

#endif
