/* The state as the actors see it: the committed rows with the batches that are not yet on disk laid
 * over them, newest first.
 */
#ifndef OUTDIAL_STORAGE_SNAPSHOT_H
#define OUTDIAL_STORAGE_SNAPSHOT_H

#include "storage/batch.h"
#include "storage/reader.h"

enum { SNAPSHOT_BATCHES_MAX = 4 };

/* A batch may leave the list once a bracket of the reader has begun after its commit; that it is
 * still laid over rows which already hold it does no harm. */
struct snapshot {
    struct reader *reader;                             /* within reader_begin … reader_end */
    const struct batch *batches[SNAPSHOT_BATCHES_MAX]; /* newest first */
    size_t batch_count;
};

/* As reader_get, through the batches: 0, OD_ENOTFOUND, OD_ECORRUPT, OD_EIO. */
int snapshot_get(const struct snapshot *snapshot, enum table table, const struct key *key,
                 struct arena *arena, void *record);

/* The first row of a scanned table at or after `from` with the prefix. `raw` as reader_seek. To go
 * on, seek again from the key with a zero byte added (key_after): that is a
 * step, not a search. 0, OD_ENOTFOUND, OD_ECORRUPT, OD_EIO. */
int snapshot_seek(const struct snapshot *snapshot, enum table table, const struct key *prefix,
                  const struct key *from, struct key *key, struct slice *raw);

#endif
