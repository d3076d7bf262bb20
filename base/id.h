/* Ids: UUIDs as text and bytes, UUIDv7 from a given time, and call ids from which the execution,
 * the attempt and the contact can be read back. Source: RFC 9562. */
#ifndef OUTDIAL_BASE_ID_H
#define OUTDIAL_BASE_ID_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"

/* In the order of the text, so that memcmp orders UUIDs as their texts are ordered. */
struct uuid {
    uint8_t bytes[16];
};

/* Characters of a UUID's text and its NUL. */
#define UUID_TEXT_SIZE 37

/* The UUID of zeros, which no record has. */
#define UUID_NIL ((struct uuid){.bytes = {0}})

/* Reads the 36 characters of the canonical form, digits in either case, any version. Returns
 * false, and leaves `out` as it was, for anything else. */
bool uuid_parse(struct slice text, struct uuid *out);

/* Prints the canonical form in lower case with a NUL. */
void uuid_print(const struct uuid *uuid, char out[UUID_TEXT_SIZE]);

static inline int uuid_compare(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static inline bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
    return uuid_compare(a, b) == 0;
}

static inline bool uuid_is_nil(const struct uuid *uuid)
{
    return uuid_equal(uuid, &UUID_NIL);
}

/* Returns a UUIDv7 (section 5.7): `at_ms` in the first 48 bits, so that ids sort by their time,
 * and 74 of the 80 random bits. `at_ms` is an instant from 0 on that 48 bits can hold. */
struct uuid uuid_v7(int64_t at_ms, const uint8_t random[10]);

/* What a call id says. The same attempt of the same contact in the same execution has the same
 * id after any crash or replay. */
struct call_name {
    uint64_t execution; /* the execution's number in its store, 48 bits */
    uint32_t attempt;   /* from 1 to OD_ATTEMPT_MAX, 12 bits */
    uint32_t tag;       /* call_tag_of_era of the execution's id, 22 bits */
    uint64_t entry;     /* the contact's number in the execution, 40 bits */
};

/* Returns the call id, a UUIDv8 (section 5.8):
 *
 *     custom_a 48: execution | 4: version 8 | custom_b 12: attempt
 *     2: variant | custom_c 62: tag (22), entry (40)
 *
 * Checks that each number fits. */
struct uuid call_id_make(const struct call_name *name);

/* Reads a call id back. Returns false, and leaves `out` as it was, for what call_id_make cannot
 * have made: another version or variant, or attempt 0. Whether the tag is that of the execution
 * is for the caller to see. */
bool call_id_read(const struct uuid *id, struct call_name *out);

/* The id of a trigger: a call id's layout with the trigger's serial number as the entry and attempt
 * 0, which no call has. So it is the same after any crash, and can be read back. */
struct uuid trigger_id_make(uint64_t execution, uint32_t tag, uint64_t serial);

/* Returns the 22 bits that tell the calls of an execution from those of an execution of the same
 * number in another store: the last bits of its UUIDv7, which are random. */
uint32_t call_tag(const struct uuid *execution_id);

/* The tag of calls that were queued in an era of the store. An era begins when a backup is restored
 * (storage/restore.h), and is a random number of which the last 22 bits are not 0; 0: from before
 * the first one, the tag is call_tag. So an attempt that is made anew after a restore has another
 * call id than the one that was made after the backup. */
uint32_t call_tag_of_era(const struct uuid *execution_id, uint32_t era);

#endif
