/* A batch: the puts and deletes of many transitions, in order, that one LMDB transaction will carry
 * out.
 *
 * The reactor appends to a flat buffer without an allocation per row; an index beside it lets later
 * reads see rows that are not yet on disk (storage/snapshot.h). After hand-over nothing in it
 * changes until it comes back.
 */
#ifndef OUTDIAL_STORAGE_BATCH_H
#define OUTDIAL_STORAGE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/key.h"
#include "model/tables.h"

struct batch;

/* A heap object. NULL when memory is short. */
struct batch *batch_new(void);
void batch_free(struct batch *batch);

/* Empties the batch for its next use; keeps its memory up to a bound. */
void batch_clear(struct batch *batch);

/* Appends. `record` is the table's struct and is encoded at once. Never fails for want of memory
 * (OD_CHECK). */
void batch_put(struct batch *batch, enum table table, const struct key *key, const void *record);
void batch_delete(struct batch *batch, enum table table, const struct key *key);

/* The encoded value of the last put, with its checksum: borrowed until the next put or delete. */
struct slice batch_last_value(const struct batch *batch);

/* What the batch says of a key: the last put (its encoded value in *value, borrowed until the next
 * put), the last delete, or nothing. */
enum batch_answer { BATCH_SILENT, BATCH_PUT, BATCH_DELETED };
enum batch_answer batch_find(const struct batch *batch, enum table table, const struct key *key,
                             struct slice *value);

/* For scanned tables: the first key of the table at or after `from` that the batch says something
 * of. False: none. */
bool batch_next(const struct batch *batch, enum table table, const struct key *from,
                struct key *key, enum batch_answer *answer, struct slice *value);

/* Keys that the batch says something of, and bytes that it takes up. */
size_t batch_count(const struct batch *batch);
size_t batch_bytes(const struct batch *batch);

/* Walks the operations in the order in which they came, without those that a later one of the same
 * key replaced: false ends. `at` starts at 0 and is moved. */
struct batch_operation {
    enum table table;
    bool is_delete;
    struct slice key, value; /* borrowed from the batch */
};

bool batch_read(const struct batch *batch, size_t *at, struct batch_operation *out);

#endif
