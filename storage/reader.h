/* Reads of durable rows, within short read transactions (a slice at most: a long one stops page
 * reuse).
 *
 * reader_begin … reader_end brackets each use; between them one snapshot is seen. MDB_NOTLS:
 * several readers may live on one thread. Cursors are kept per table and reused.
 */
#ifndef OUTDIAL_STORAGE_READER_H
#define OUTDIAL_STORAGE_READER_H

#include "base/arena.h"
#include "model/key.h"
#include "storage/store.h"

struct reader;

int reader_open(struct store *store, struct reader **out, struct od_error *error);
void reader_close(struct reader *reader);

/* Starts to read the newest committed state. 0, OD_EPANIC, OD_EIO. All reads may also return
 * OD_EPANIC, OD_ENOMEM, and OD_ECORRUPT for a damaged page that LMDB notices. */
int reader_begin(struct reader *reader, struct od_error *error);
void reader_end(struct reader *reader);

/* The row under the key, decoded with its texts in `arena`: 0, OD_ENOTFOUND, OD_ECORRUPT, OD_EIO.
 */
int reader_get(struct reader *reader, enum table table, const struct key *key, struct arena *arena,
               void *record);

/* The encoded row, borrowed until reader_end: 0, OD_ENOTFOUND, OD_EIO. */
int reader_get_raw(struct reader *reader, enum table table, const struct key *key,
                   struct slice *value);

/* The first row at or after `from` (…_before: the last row before `before`, itself not included)
 * whose key starts with `prefix`; *key is written. `raw` is the encoded row, to be decoded by
 * record_decode. 0, OD_ENOTFOUND, OD_EIO. */
int reader_seek(struct reader *reader, enum table table, const struct key *prefix,
                const struct key *from, struct key *key, struct slice *raw);
int reader_seek_before(struct reader *reader, enum table table, const struct key *prefix,
                       const struct key *before, struct key *key, struct slice *raw);

/* The row after the last one that a walk found in this table, with the same prefix rule. Behind the
 * end of a walk: OD_ENOTFOUND. snapshot_seek walks the same table's cursor. */
int reader_next(struct reader *reader, enum table table, const struct key *prefix, struct key *key,
                struct slice *raw);

/* The row before it, for walks with reader_seek_before. */
int reader_previous(struct reader *reader, enum table table, const struct key *prefix,
                    struct key *key, struct slice *raw);

/* Number of rows of the table. */
int reader_count(struct reader *reader, enum table table, uint64_t *rows);

#endif
