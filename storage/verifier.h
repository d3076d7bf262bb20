/* Every page and every checksum of a store, looked at before and while it is used.
 *
 * LMDB has no checksums: a changed key or page leads to wrong answers, or to the end of the process
 * (reliability.md 2.3). So the opening of a store walks its pages (storage/page_walk.h), the
 * daemon's in a thread of its own. A large store is not waited for there: it is used after a
 * moment, the walk goes on, and what it finds then ends the daemon.
 *
 * The walk holds a read transaction, so until its end freed pages are not used again.
 */
#ifndef OUTDIAL_STORAGE_VERIFIER_H
#define OUTDIAL_STORAGE_VERIFIER_H

#include <lmdb.h>

#include "storage/store.h"

enum { VERIFIER_WAIT_MS = 250 };

struct verifier;

/* Told of each damage, as "page 17 of contacts: …". False: the walk ends. */
struct verifier_listener {
    void *context;
    bool (*on_damage)(void *context, const char *text);
};

/* Walks the newest state in the caller's thread. `has_rows`: the checksums of rows too. Returns 0
 * with the number of damages told, or OD_EIO, OD_ECORRUPT where the heads make no sense. */
int verifier_walk(MDB_env *env, bool has_rows, const struct verifier_listener *listener,
                  uint64_t *damages, struct od_error *error);

/* Walks to the end; with `on_damage`, which is called in the walk's thread and must not return, it
 * starts that thread and waits VERIFIER_WAIT_MS at most. Returns OD_ECORRUPT with the first damage,
 * OD_EIO, or 0 and *out, which is NULL when the walk has ended. */
int verifier_open(MDB_env *env, void (*on_damage)(void *context, const char *text), void *context,
                  struct verifier **out, struct od_error *error);

/* Ends the walk. NULL is fine. */
void verifier_close(struct verifier *verifier);

#endif
