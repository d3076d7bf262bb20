/* The store: one LMDB environment in a data folder, one writer (engine.md, "Storage";
 * reliability.md 2.3).
 *
 * Opening takes DATA/lock with flock (a second daemon is refused: OD_ELOCKED), checks the file's
 * size against its meta page and its pages and checksums (storage/verifier.h), opens every table of
 * model/tables.h, and refuses schema versions that are newer than the program's (OD_EVERSION).
 * Default sync mode only. Values end in a CRC-32C over key and value (storage/record.h).
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
    uint64_t map_size_bytes; /* 0: 64 GiB, sparse; read only: as the store was last opened */
    bool is_read_only; /* for outdialctl, beside a running daemon too: our lock is not taken and
                          no row is written; the store must exist, of this program's versions */
    bool is_volatile;  /* MDB_NOSYNC, for tests only */
    bool is_mapped;    /* MDB_WRITEMAP too, which saves the system calls of a commit; likewise */

    /* Told, in whichever thread finds out, that the file is damaged while it is used
     * (storage/guard.h); must end the process. NULL: nobody is told, and the opening looks at all
     * of the store before it returns, however long that takes. */
    void (*on_damage)(void *context, const char *text);

    /* For check: told of every damaged page, and returns whether to go on; rows are not looked at.
     * If there is one, the opening fails with OD_ECORRUPT. NULL: it fails with the first damage. */
    bool (*on_page_damage)(void *context, const char *text);
    void *damage_context; /* of both */
};

/* Opens; on success *out is the caller's to close. Errors: OD_ELOCKED, OD_EVERSION, OD_ECORRUPT,
 * OD_EIO, OD_EFULL, OD_ENOMEM, and read only OD_ENOTFOUND where there is no store; each with the
 * folder and its reason in *error. May fork (a file that looks cut off is examined in a child), so
 * open before threads start. Within one process a folder is open once at a time.
 *
 * Under a limit of the file's size (RLIMIT_FSIZE) the process must ignore SIGXFSZ. */
int store_open(const struct store_options *options, struct store **out, struct od_error *error);

/* Closes the environment. All readers and the writer must be closed before. */
void store_close(struct store *store);

/* The folder, as given. The store's random id is the META row "store.id", a text. */
const char *store_directory(const struct store *store);

/* True when, as it was opened, the store had no row but the META rows that opening writes. */
bool store_is_new(const struct store *store);

/* Maps an LMDB or errno code (and the file system's free room) to an operating code: OD_EFULL for a
 * full disk or map, OD_EPANIC when the environment must be reopened, OD_ECORRUPT for damaged pages,
 * OD_ENOMEM, OD_EIO otherwise. Fills *error: `what` and the reason. */
int store_error(const struct store *store, int code, const char *what, struct od_error *error);

/* Bytes used of the map, for metrics. Rows of a table: reader_count. */
uint64_t store_bytes(const struct store *store);

/* True when the file system of the data folder and the map have room for a large batch; also when
 * they cannot be asked. Walks the free list, so not for every turn. */
bool store_has_room(const struct store *store);

/* Clears the slots of readers that died without a word (a killed outdialctl), which would keep
 * pages from being used again. For once a minute. */
void store_clear_dead_readers(struct store *store);

#endif
