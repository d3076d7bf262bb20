/* Encoding into memory that the caller has made large enough. For storage/batch, which has no
 * memory of its own to spend on a row.
 */
#ifndef OUTDIAL_STORAGE_RECORD_WRITE_H
#define OUTDIAL_STORAGE_RECORD_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "model/key.h"
#include "model/tables.h"

/* The bytes that record_write needs at most. */
size_t record_bound(enum table table, const void *record);

/* Writes the encoded record at `at`, as record_encode does. Returns its size. */
size_t record_write(enum table table, const struct key *key, const void *record, uint8_t *at);

#endif
