/* Faults of the process that the store's file causes, while it is mapped and used.
 *
 * Where the file is shorter than its map, or the disk cannot read a page, the processor's access
 * ends in SIGBUS; where a page makes no sense, LMDB aborts or runs out of its memory. A guard makes
 * a word of that: what happened is told, and the process ends. A fault that has nothing to do with
 * the store is left to whoever had the signal before.
 */
#ifndef OUTDIAL_STORAGE_GUARD_H
#define OUTDIAL_STORAGE_GUARD_H

#include <lmdb.h>

enum {
    GUARD_STORES_MAX = 8 /* guarded at once; a daemon has one */
};

/* Guards the environment from now on, for the whole process. Not for several threads at once.
 * `on_damage` is called in whichever thread met the damage, within a signal handler or within LMDB:
 * it may write a line by write(2), and must end the process. Returns 0, an errno code, or EBUSY
 * where GUARD_STORES_MAX are guarded. */
int guard_open(MDB_env *env, void (*on_damage)(void *context, const char *text), void *context);

/* Gives the signals back. Without effect unless this environment is guarded. */
void guard_close(MDB_env *env);

#endif
