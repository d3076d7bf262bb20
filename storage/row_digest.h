/* The digest of rows: 64 bits that are the same wherever the same rows were put and deleted, so
 * that a replayed trace can be compared with its recording (docs/traces.md). Not for security.
 *
 * Fields that may tell of a person (storage/record_fields.h, PRIVACY_…) and keys that are phone
 * numbers or hashes of API keys do not count: a trace whose numbers and names were replaced has the
 * digests of the original. Checksums do not count either. The function is part of the trace's
 * format: it is the same on every machine, and changes with the format's version only.
 */
#ifndef OUTDIAL_STORAGE_ROW_DIGEST_H
#define OUTDIAL_STORAGE_ROW_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/tables.h"
#include "storage/store.h"

/* The digest of bytes that follow others whose digest is `state`; 0 is that of none. */
uint64_t digest_bytes(uint64_t state, const void *bytes, size_t size);

/* The digest of a put of `value`, as it is stored (with its checksum), or of a delete: `value` is
 * then empty. */
uint64_t row_digest(enum table table, bool is_delete, struct slice key, struct slice value);

/* The digest of a sequence of rows with one more. */
uint64_t row_digest_add(uint64_t sequence, uint64_t row);

/* The digest of a store: of all its rows, whatever their order, but for the META rows that are the
 * machine's own (its id, versions, the test clock, that it is or was a backup). Reads everything,
 * in one transaction: for a start and an end, not for a running reactor. 0 or an operating code
 * with *error. */
int store_digest(struct store *store, uint64_t *out, struct od_error *error);

#endif
