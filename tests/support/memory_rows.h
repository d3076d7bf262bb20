/* Rows of one table in memory, sorted by key, each with its encoded value. */
#ifndef OUTDIAL_TESTS_SUPPORT_MEMORY_ROWS_H
#define OUTDIAL_TESTS_SUPPORT_MEMORY_ROWS_H

#include "base/buf.h"
#include "model/key.h"

struct memory_row {
    struct key key;
    struct buf value;
};

/* Zeros are an empty table. Read `rows` and `count` freely. */
struct memory_rows {
    struct memory_row *rows;
    size_t count, room;
};

void memory_rows_deinit(struct memory_rows *rows);

/* The index of the first row whose key is not less than `key`; `count` when there is none. */
size_t memory_rows_lower(const struct memory_rows *rows, const struct key *key);

/* The row under the key, or NULL; borrowed until the next change. */
struct memory_row *memory_rows_find(const struct memory_rows *rows, const struct key *key);

/* Takes over the value's memory. */
void memory_rows_put(struct memory_rows *rows, const struct key *key, struct buf *value);

/* Nothing happens when there is no such row. */
void memory_rows_delete(struct memory_rows *rows, const struct key *key);

#endif
