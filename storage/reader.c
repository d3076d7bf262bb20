/* A read transaction that is reset and renewed, and for each table two cursors that are renewed
 * with the first use after that:
 *
 *   point   of reader_get: LMDB looks at the page where a cursor stands before it searches from the
 *           root, so rows near the last one are cheap
 *   walk    of reader_seek and reader_next
 *
 * Beside the walk cursor the reader remembers that the table has no row from `gap` up to the
 * cursor's row. A seek into that gap needs no call at all, and a seek to right behind the cursor's
 * row is one step. That is what a walk by repeated seeks does, and a merge that looked a row ahead.
 */
#include "storage/reader.h"

#include <errno.h>

#include "base/check.h"
#include "base/memory.h"
#include "storage/record.h"
#include "storage/store_lmdb.h"

enum walk_place {
    WALK_NOWHERE,
    WALK_AT_ROW,
    WALK_AT_END, /* no row from the gap on */
};

struct reader_table {
    MDB_cursor *point, *walk;
    uint64_t point_use, walk_use; /* the bracket in which the cursor was renewed */
    enum walk_place place;
    struct key gap;
    MDB_val key, value; /* WALK_AT_ROW: where the walk cursor stands */
};

struct reader {
    struct store *store;
    MDB_txn *txn;
    uint64_t use; /* counts brackets */
    bool is_open; /* within one */
    struct reader_table tables[TABLE_COUNT];
};

int reader_open(struct store *store, struct reader **out, struct od_error *error)
{
    struct reader *reader = memory_zero(1, sizeof(*reader));
    int code = mdb_txn_begin(store_env(store), NULL, MDB_RDONLY, &reader->txn);

    if (code != 0) {
        memory_free(reader);
        return store_error(store, code, "begin to read", error);
    }
    mdb_txn_reset(reader->txn);
    reader->store = store;
    *out = reader;
    return 0;
}

void reader_close(struct reader *reader)
{
    if (reader == NULL) {
        return;
    }
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        if (reader->tables[table].point != NULL) {
            mdb_cursor_close(reader->tables[table].point);
        }
        if (reader->tables[table].walk != NULL) {
            mdb_cursor_close(reader->tables[table].walk);
        }
    }
    mdb_txn_abort(reader->txn);
    memory_free(reader);
}

int reader_begin(struct reader *reader, struct od_error *error)
{
    int code;

    OD_CHECK(!reader->is_open);
    code = mdb_txn_renew(reader->txn);
    if (code != 0) {
        return store_error(reader->store, code, "begin to read", error);
    }
    reader->use++;
    reader->is_open = true;
    return 0;
}

void reader_end(struct reader *reader)
{
    OD_CHECK(reader->is_open);
    mdb_txn_reset(reader->txn);
    reader->is_open = false;
}

/* What a failed read says, where there is no text to fill. */
static int read_error(int code)
{
    switch (code) {
    case 0: return 0;
    case MDB_NOTFOUND: return OD_ENOTFOUND;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_CURSOR_FULL: return OD_ECORRUPT;
    case MDB_PANIC: return OD_EPANIC;
    case ENOMEM: return OD_ENOMEM;
    default: return OD_EIO;
    }
}

/* Makes a cursor usable in this bracket. */
static int cursor_ready(struct reader *reader, enum table table, MDB_cursor **cursor, uint64_t *use)
{
    int code;

    OD_CHECK(reader->is_open);
    if (*use == reader->use) {
        return 0;
    }
    if (*cursor == NULL) {
        code = mdb_cursor_open(reader->txn, store_dbi(reader->store, table), cursor);
    } else {
        code = mdb_cursor_renew(reader->txn, *cursor);
    }
    if (code == 0) {
        *use = reader->use;
    }
    return code;
}

/* ---- single rows ---- */

int reader_get_raw(struct reader *reader, enum table table, const struct key *key,
                   struct slice *value)
{
    struct reader_table *state = &reader->tables[table];
    int code = cursor_ready(reader, table, &state->point, &state->point_use);
    MDB_val name = store_key(key), found;

    if (code == 0) {
        code = mdb_cursor_get(state->point, &name, &found, MDB_SET);
    }
    if (code != 0) {
        return read_error(code);
    }
    *value = store_slice(&found);
    return 0;
}

int reader_get(struct reader *reader, enum table table, const struct key *key, struct arena *arena,
               void *record)
{
    struct slice value;
    int error = reader_get_raw(reader, table, key, &value);

    return error != 0 ? error : record_decode(table, key, value, arena, record);
}

int reader_count(struct reader *reader, enum table table, uint64_t *rows)
{
    MDB_stat stat;
    int code;

    OD_CHECK(reader->is_open);
    code = mdb_stat(reader->txn, store_dbi(reader->store, table), &stat);
    if (code != 0) {
        return read_error(code);
    }
    *rows = stat.ms_entries;
    return 0;
}

/* ---- walks ---- */

static int walk_ready(struct reader *reader, enum table table, struct reader_table **out)
{
    struct reader_table *state = &reader->tables[table];
    bool is_ready = state->walk_use == reader->use;
    int code = cursor_ready(reader, table, &state->walk, &state->walk_use);

    if (!is_ready) {
        state->place = WALK_NOWHERE;
    }
    *out = state;
    return code;
}

/* Compares the key where the cursor stands with another: key_compare without a copy. */
static int walk_compare(const struct reader_table *state, const struct key *key)
{
    return slice_compare(store_slice(&state->key), slice_make((const char *)key->bytes, key->size));
}

/* True when `from` is the cursor's key and a zero byte. */
static bool walk_is_before(const struct reader_table *state, const struct key *from)
{
    return from->size == state->key.mv_size + 1 && from->bytes[from->size - 1] == 0 &&
           memcmp(from->bytes, state->key.mv_data, state->key.mv_size) == 0;
}

/* Moves the cursor; the gap is what the caller knows to be empty before the row that is found. */
static int walk_move(struct reader_table *state, MDB_cursor_op operation, const struct key *gap)
{
    int code = mdb_cursor_get(state->walk, &state->key, &state->value, operation);

    if (code == 0 && state->key.mv_size > KEY_BYTES_MAX) {
        code = MDB_CORRUPTED; /* no program has written such a key */
    }
    state->place = code == 0 ? WALK_AT_ROW : code == MDB_NOTFOUND ? WALK_AT_END : WALK_NOWHERE;
    state->gap = *gap;
    return code == MDB_NOTFOUND ? 0 : code;
}

/* Puts the cursor at the first row at or after `from`. */
static int walk_seek(struct reader_table *state, const struct key *from)
{
    if (state->place != WALK_NOWHERE && key_compare(from, &state->gap) >= 0) {
        if (state->place == WALK_AT_END || walk_compare(state, from) >= 0) {
            return 0;
        }
        if (walk_is_before(state, from)) {
            return walk_move(state, MDB_NEXT, from);
        }
    }
    if (from->size == 0) {
        return walk_move(state, MDB_FIRST, from);
    }
    state->key = store_key(from);
    return walk_move(state, MDB_SET_RANGE, from);
}

/* The row where the cursor stands, if it has the prefix. */
static int walk_row(const struct reader_table *state, const struct key *prefix, struct key *key,
                    struct slice *raw)
{
    if (state->place != WALK_AT_ROW) {
        return OD_ENOTFOUND;
    }
    if (state->key.mv_size < prefix->size ||
        memcmp(state->key.mv_data, prefix->bytes, prefix->size) != 0) {
        return OD_ENOTFOUND;
    }
    key->size = (uint8_t)state->key.mv_size;
    memcpy(key->bytes, state->key.mv_data, key->size);
    *raw = store_slice(&state->value);
    return 0;
}

int reader_seek(struct reader *reader, enum table table, const struct key *prefix,
                const struct key *from, struct key *key, struct slice *raw)
{
    struct reader_table *state;
    int code = walk_ready(reader, table, &state);

    if (code == 0) {
        code = walk_seek(state, key_compare(from, prefix) < 0 ? prefix : from);
    }
    return code != 0 ? read_error(code) : walk_row(state, prefix, key, raw);
}

/* A step knows nothing of what lies before the row that it finds: the gap is that row alone. */
static int walk_step(struct reader_table *state, MDB_cursor_op operation)
{
    struct key gap = key_empty();
    int code = walk_move(state, operation, &gap);

    if (state->place == WALK_AT_END) {
        state->place = WALK_NOWHERE; /* no row this way is not no row the other */
    } else if (state->place == WALK_AT_ROW) {
        state->gap.size = (uint8_t)state->key.mv_size;
        memcpy(state->gap.bytes, state->key.mv_data, state->gap.size);
    }
    return code;
}

int reader_next(struct reader *reader, enum table table, const struct key *prefix, struct key *key,
                struct slice *raw)
{
    struct reader_table *state;
    int code = walk_ready(reader, table, &state);

    if (code == 0 && state->place == WALK_AT_ROW) {
        code = walk_step(state, MDB_NEXT);
    }
    return code != 0 ? read_error(code) : walk_row(state, prefix, key, raw);
}

/* The end of the keys with the prefix, where `before` lies behind it; else `before`. */
static struct key walk_end(const struct key *prefix, const struct key *before)
{
    struct key end = *prefix;

    if (key_compare(before, prefix) < 0 || key_has_prefix(before, prefix)) {
        return *before;
    }
    while (end.size > 0 && end.bytes[end.size - 1] == UINT8_MAX) {
        end.size--;
    }
    if (end.size == 0) {
        return *before;
    }
    end.bytes[end.size - 1]++;
    return end;
}

int reader_seek_before(struct reader *reader, enum table table, const struct key *prefix,
                       const struct key *before, struct key *key, struct slice *raw)
{
    struct reader_table *state;
    struct key end = walk_end(prefix, before);
    int code = walk_ready(reader, table, &state);

    if (code == 0) {
        code = walk_seek(state, &end);
    }
    if (code == 0) {
        code = walk_step(state, state->place == WALK_AT_ROW ? MDB_PREV : MDB_LAST);
    }
    return code != 0 ? read_error(code) : walk_row(state, prefix, key, raw);
}

int reader_previous(struct reader *reader, enum table table, const struct key *prefix,
                    struct key *key, struct slice *raw)
{
    struct reader_table *state;
    int code = walk_ready(reader, table, &state);

    if (code == 0 && state->place == WALK_AT_ROW) {
        code = walk_step(state, MDB_PREV);
    }
    return code != 0 ? read_error(code) : walk_row(state, prefix, key, raw);
}
