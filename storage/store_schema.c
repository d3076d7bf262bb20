/* The META rows: "schema.<table>", the version of the table's records, and "store.id".
 *
 *   1. open every table; a new store gets its META rows here
 *   2. a version above the program's: refuse, naming the table
 *   3. a version below: run the steps from that version on, in order, then note the new one
 *
 * All in the transaction of the caller, so a migration is done as a whole or not at all.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include "storage/record.h"
#include "storage/restore.h"
#include "storage/store_lmdb.h"

/* A step rewrites what the rows of a table of version `from` need to be read as version from + 1.
 * A version whose records are read as they are (absent keys are zero) has none. Returns 0 or an
 * LMDB code. */
struct migration {
    enum table table;
    uint32_t from;
    int (*run)(MDB_txn *txn, MDB_dbi dbi);
};

/* Ends with a step without function. */
static const struct migration migrations[] = {
    {TABLE_COUNT, 0, NULL},
};

enum { META_ARENA_BYTES = 1024 };

static int tables_open(MDB_txn *txn, bool is_read_only, MDB_dbi tables[TABLE_COUNT])
{
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        int code = mdb_dbi_open(txn, table_name((enum table)table), is_read_only ? 0 : MDB_CREATE,
                                &tables[table]);

        if (code != 0) {
            return code;
        }
    }
    return 0;
}

static struct key schema_key(enum table table)
{
    char name[KEY_BYTES_MAX];
    int length = snprintf(name, sizeof(name), "schema.%s", table_name(table));

    return key_text(slice_make(name, (size_t)length));
}

int store_meta_put(MDB_txn *txn, MDB_dbi dbi, const struct key *key, const struct meta *meta)
{
    MDB_val name = store_key(key), value;
    struct buf encoded;
    int code;

    buf_init(&encoded);
    code = record_encode(TABLE_META, key, meta, &encoded) != 0 ? ENOMEM : 0;
    if (code == 0) {
        value = store_value(buf_slice(&encoded));
        code = mdb_put(txn, dbi, &name, &value, 0);
    }
    buf_deinit(&encoded);
    return code;
}

int store_meta_get(MDB_txn *txn, MDB_dbi dbi, const struct key *key, struct arena *arena,
                   struct meta *meta)
{
    MDB_val name = store_key(key), value;
    int code = mdb_get(txn, dbi, &name, &value);

    if (code != 0) {
        return code;
    }
    return record_decode(TABLE_META, key, store_slice(&value), arena, meta) == 0 ? 0
                                                                                 : MDB_CORRUPTED;
}

static int meta_number(MDB_txn *txn, MDB_dbi dbi, const struct key *key, uint64_t *number)
{
    struct arena arena;
    struct meta meta;
    int code;

    arena_init(&arena, META_ARENA_BYTES);
    code = store_meta_get(txn, dbi, key, &arena, &meta);
    if (code == 0) {
        *number = meta.number;
    }
    arena_deinit(&arena);
    return code;
}

/* A random id (version 4 of RFC 9562), so that two stores can be told apart. */
static int store_id_put(MDB_txn *txn, MDB_dbi dbi)
{
    struct key key = key_text(SLICE("store.id"));
    char text[UUID_TEXT_SIZE];
    struct uuid id;

    if (getrandom(id.bytes, sizeof(id.bytes), 0) != (ssize_t)sizeof(id.bytes)) {
        return EIO;
    }
    id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0f) | 0x40);
    id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3f) | 0x80);
    uuid_print(&id, text);
    return store_meta_put(txn, dbi, &key, &(struct meta){.text = slice_from(text)});
}

/* ---- versions ---- */

static bool table_is_known(struct slice name)
{
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        if (slice_equal_text(name, table_name((enum table)table))) {
            return true;
        }
    }
    return false;
}

/* A table that this program has never heard of is a newer version's, whose rules about the others
 * may have changed with it. */
static int strangers_check(MDB_txn *txn, MDB_dbi dbi, struct od_error *error, int *lmdb)
{
    struct slice prefix = SLICE("schema.");
    MDB_val name = store_value(prefix), value;
    MDB_cursor *cursor;
    int result = 0;

    *lmdb = mdb_cursor_open(txn, dbi, &cursor);
    if (*lmdb != 0) {
        return OD_EIO;
    }
    *lmdb = mdb_cursor_get(cursor, &name, &value, MDB_SET_RANGE);
    while (*lmdb == 0 && result == 0) {
        struct slice row = store_slice(&name);

        if (row.size < prefix.size || memcmp(row.data, prefix.data, prefix.size) != 0) {
            break;
        }
        row = slice_make(row.data + prefix.size, row.size - prefix.size);
        if (!table_is_known(row)) {
            result = od_error_set(error, OD_EVERSION,
                                  "table %.*s is unknown to this program: it was written by a "
                                  "newer version",
                                  SLICE_ARGS(row));
        }
        *lmdb = mdb_cursor_get(cursor, &name, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    if (*lmdb == MDB_NOTFOUND || result != 0) {
        *lmdb = 0;
    }
    return *lmdb != 0 ? OD_EIO : result;
}

static int table_migrate(MDB_txn *txn, const MDB_dbi tables[TABLE_COUNT], enum table table,
                         uint64_t version)
{
    struct key key = schema_key(table);

    for (uint64_t from = version; from < record_version(table); from++) {
        for (const struct migration *step = migrations; step->run != NULL; step++) {
            int code = 0;

            if (step->table == table && step->from == from) {
                code = step->run(txn, tables[table]);
            }
            if (code != 0) {
                return code;
            }
        }
    }
    return store_meta_put(txn, tables[TABLE_META], &key,
                          &(struct meta){.number = record_version(table)});
}

static int table_check(MDB_txn *txn, bool is_read_only, const MDB_dbi tables[TABLE_COUNT],
                       enum table table, struct od_error *error, int *lmdb)
{
    struct key key = schema_key(table);
    uint32_t known = record_version(table);
    uint64_t version = 0;

    *lmdb = meta_number(txn, tables[TABLE_META], &key, &version);
    if (*lmdb == MDB_NOTFOUND) {
        *lmdb = 0; /* a table that is new in this program's version, or a new store */
    }
    if (*lmdb != 0) {
        return OD_EIO;
    }
    if (version > known) {
        return od_error_set(error, OD_EVERSION,
                            "table %s has schema version %llu, this program knows up to %lu: it "
                            "was written by a newer version",
                            table_name(table), (unsigned long long)version, (unsigned long)known);
    }
    if (version == known) {
        return 0;
    }
    if (is_read_only) {
        return od_error_set(error, OD_EVERSION,
                            "table %s has schema version %llu, this program expects %lu: start "
                            "outdiald once to migrate the store",
                            table_name(table), (unsigned long long)version, (unsigned long)known);
    }
    *lmdb = table_migrate(txn, tables, table, version);
    return *lmdb != 0 ? OD_EIO : 0;
}

int store_schema_open(MDB_txn *txn, bool is_read_only, MDB_dbi tables[TABLE_COUNT], int *lmdb,
                      struct od_error *error)
{
    struct key id = key_text(SLICE("store.id"));
    MDB_val name = store_key(&id), value;
    int result;

    *lmdb = tables_open(txn, is_read_only, tables);
    if (*lmdb == MDB_NOTFOUND) {
        *lmdb = 0;
        return od_error_set(error, OD_EVERSION,
                            "a table is missing: start outdiald once to migrate the store");
    }
    if (*lmdb != 0) {
        return OD_EIO;
    }
    result = strangers_check(txn, tables[TABLE_META], error, lmdb);
    if (result != 0) {
        return result;
    }
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        result = table_check(txn, is_read_only, tables, (enum table)table, error, lmdb);
        if (result != 0) {
            return result;
        }
    }
    *lmdb = mdb_get(txn, tables[TABLE_META], &name, &value);
    if (*lmdb == MDB_NOTFOUND && !is_read_only) {
        *lmdb = store_id_put(txn, tables[TABLE_META]);
    }
    if (*lmdb == 0 && !is_read_only) {
        *lmdb = restore_begin(txn, tables[TABLE_META]);
    }
    return *lmdb != 0 ? OD_EIO : 0;
}

int store_schema_is_new(MDB_txn *txn, const MDB_dbi tables[TABLE_COUNT], bool *is_new)
{
    *is_new = true;
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        size_t own_rows = table == TABLE_META ? TABLE_COUNT + 1 : 0;
        MDB_stat stat;
        int code = mdb_stat(txn, tables[table], &stat);

        if (code != 0) {
            return code;
        }
        if (stat.ms_entries > own_rows) {
            *is_new = false;
        }
    }
    return 0;
}
