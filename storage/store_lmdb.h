/* The store's LMDB handles, for the other files of storage/ only: no other folder sees lmdb.h.
 */
#ifndef OUTDIAL_STORAGE_STORE_LMDB_H
#define OUTDIAL_STORAGE_STORE_LMDB_H

#include <lmdb.h>

#include "base/arena.h"
#include "model/key.h"
#include "model/records.h"
#include "storage/store.h"

MDB_env *store_env(const struct store *store);
MDB_dbi store_dbi(const struct store *store, enum table table);

/* A slice as LMDB takes it: borrowed, and not written to. */
static inline MDB_val store_value(struct slice bytes)
{
    MDB_val value = {.mv_size = bytes.size};

    /* LMDB's type is not const, though it only reads this one. */
    memcpy(&value.mv_data, &bytes.data, sizeof(value.mv_data));
    return value;
}

static inline MDB_val store_key(const struct key *key)
{
    return store_value(slice_make((const char *)key->bytes, key->size));
}

static inline struct slice store_slice(const MDB_val *value)
{
    return slice_make(value->mv_data, value->mv_size);
}

/* Compares the file's length with its meta page: 0, OD_ECORRUPT, OD_EIO. */
int store_file_check(MDB_env *env, const char *directory, struct od_error *error);

/* Opens every table within a transaction, writing the META rows of a new store and carrying out
 * migrations of an older one unless `is_read_only`. 0, OD_EVERSION, OD_ECORRUPT, or an LMDB code
 * in *lmdb with OD_EIO. */
int store_schema_open(MDB_txn *txn, bool is_read_only, MDB_dbi tables[TABLE_COUNT], int *lmdb,
                      struct od_error *error);

/* A META row, within a transaction: 0, MDB_NOTFOUND, MDB_CORRUPTED or another LMDB code. Texts of
 * what is read live in `arena`. */
int store_meta_put(MDB_txn *txn, MDB_dbi dbi, const struct key *key, const struct meta *meta);
int store_meta_get(MDB_txn *txn, MDB_dbi dbi, const struct key *key, struct arena *arena,
                   struct meta *meta);

/* Whether a table has rows that the opening itself did not write. */
int store_schema_is_new(MDB_txn *txn, const MDB_dbi tables[TABLE_COUNT], bool *is_new);

#endif
