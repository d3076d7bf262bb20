/* Records as msgpack maps with small integer keys: one field table a record kind
 * (storage/record_fields.c).
 *
 * An encoded value is: msgpack map, then CRC-32C (4 bytes, little-endian) over the key's bytes and
 * the map. Absent keys decode to zero (how a newer program reads an older record); unknown keys are
 * refused, since the schema version was checked at open. A validator runs before anything is
 * allocated (reliability.md 2.4).
 */
#ifndef OUTDIAL_STORAGE_RECORD_H
#define OUTDIAL_STORAGE_RECORD_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/key.h"
#include "model/records.h"
#include "model/tables.h"

/* Appends the encoded record (a struct of the table's type) to `out`. Returns 0 or OD_ENOMEM.
 * Fields that are zero or empty are left out. */
int record_encode(enum table table, const struct key *key, const void *record, struct buf *out);

/* Decodes into *record (the table's struct). Texts and lists are copied into `arena`. Returns 0, or
 * OD_ECORRUPT for a checksum that does not fit, a malformed map, a wrong type or a number out of
 * the field's range. */
int record_decode(enum table table, const struct key *key, struct slice value, struct arena *arena,
                  void *record);

/* The same of a value that this process has encoded and holds in memory (a batch's): neither its
 * checksum nor its form is looked at once more. */
int record_decode_own(enum table table, struct slice value, struct arena *arena, void *record);

/* Whether the value's checksum fits: nothing has changed in it, and it was written under this key.
 */
bool record_is_intact(const struct key *key, struct slice value);

/* Appends an encoded value as text, {2=>5, 3=>"…"}, for a person who looks for a defect: by
 * msgpack-c and without the field tables, so that what record_decode refuses can be looked at too.
 * 0, OD_ECORRUPT for what is no msgpack (the checksum is not looked at), OD_ENOMEM. */
int record_dump(struct slice value, struct buf *out);

/* The size of the table's struct, and its schema version. */
size_t record_size(enum table table);
uint32_t record_version(enum table table);
const char *table_name(enum table table);
bool table_is_scanned(enum table table);

#endif
