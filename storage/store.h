/* The store: one LMDB environment in a data folder, one writer (engine.md, "Storage"; reliability.md 2.3).
 *
 * Opening takes DATA/lock with flock (a second daemon is refused: OD_ELOCKED), checks the file's size against its
 * meta page, opens every table of model/tables.h, and refuses schema versions that are newer than the program's
 * (OD_EVERSION). Default sync mode only. Values end in a CRC-32C over key and value (storage/record.h).
 */
#ifndef OUTDIAL_STORAGE_STORE_H
#define OUTDIAL_STORAGE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"
#include "model/tables.h"

struct store;

struct store_options {
    const char *directory;   /* made with mode 0700 when absent */
    uint64_t map_size_bytes; /* default 64 GiB, sparse */
    bool is_read_only;       /* for outdialctl: no lock is taken, nothing is written, the folder must exist */
    bool is_volatile;        /* MDB_NOSYNC, for tests only */
};

/* Opens; on success *out is the caller's to close. Errors: OD_ELOCKED, OD_EVERSION, OD_ECORRUPT, OD_EIO, OD_ENOMEM,
 * each with its reason in *error. */
int store_open(const struct store_options *options, struct store **out, struct od_error *error);

/* Closes the environment. All readers and the writer must be closed before. */
void store_close(struct store *store);

/* The id of this store, made when it was first opened from `random` bytes that the caller gives. */
const char *store_directory(const struct store *store);

/* True when nothing has ever been stored. */
bool store_is_new(const struct store *store);

/* Maps an LMDB or errno code (and the file system's free room) to an operating code: OD_EFULL for a full disk or map,
 * OD_EPANIC when the environment must be reopened, OD_EIO otherwise. Fills *error. */
int store_error(const struct store *store, int code, const char *what, struct od_error *error);

/* Bytes used of the map, and rows of a table, for metrics. */
uint64_t store_bytes(const struct store *store);

#endif
