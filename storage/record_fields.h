/* The field tables: how each record kind is laid out in memory and in msgpack. For storage/record
 * and its tests.
 */
#ifndef OUTDIAL_STORAGE_RECORD_FIELDS_H
#define OUTDIAL_STORAGE_RECORD_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/tables.h"
#include "storage/unpack.h"

enum record_field_type {
    FIELD_BOOL,
    FIELD_UINT, /* unsigned, or an enum, of 1 to 8 bytes */
    FIELD_INT,  /* int64_t */
    FIELD_UUID,
    FIELD_HASH,       /* 32 bytes */
    FIELD_TEXT,       /* struct slice; from here on the encoded size depends on the record */
    FIELD_ATTRIBUTES, /* the lists: a pointer with its count right behind */
    FIELD_UUIDS,
    FIELD_POOL_DIDS,
    FIELD_RULES,
    FIELD_NODE_COUNTS,
    FIELD_RETRY, /* the structs within */
    FIELD_WINDOWS,
    FIELD_PACING,
    FIELD_COUNTERS,
    FIELD_TRIGGER,
    FIELD_COUNTS,
    FIELD_LOGGED_CALLS, /* a list as above */
};

/* What a field may tell of a person. Such fields do not count in the digest of a row
 * (storage/row_digest.h), and are replaced in a trace with pseudonyms (traces/pseudonym.h). */
enum record_privacy {
    PRIVACY_NONE,
    PRIVACY_PHONE,      /* a number in E.164, or none */
    PRIVACY_TEXT,       /* a name, an address, an encrypted body: all of it */
    PRIVACY_FREE,       /* a text that may name a number: its runs of seven digits and more */
    PRIVACY_HASH,       /* FIELD_HASH, of something that could be guessed */
    PRIVACY_ATTRIBUTES, /* FIELD_ATTRIBUTES: the values of type string */
    PRIVACY_POOL,       /* FIELD_POOL_DIDS: the numbers */
};

struct record_field {
    uint8_t key;  /* in msgpack: 1 to 127, ascending in the table, never used again for another */
    uint8_t type; /* enum record_field_type */
    uint16_t size, offset; /* of the member in the struct */
    uint8_t privacy;       /* enum record_privacy */
    uint64_t max;          /* FIELD_UINT: the largest value */
    const char *name;      /* of the member */
};

/* A list as it lies in its struct. */
struct record_list {
    const void *items;
    size_t count;
};

struct record_kind {
    const char *name; /* of the database */
    size_t size;      /* of the struct */
    uint32_t version;
    bool is_scanned;
    const struct record_field *fields;
    size_t field_count;
};

extern const struct record_kind record_kinds[TABLE_COUNT];

/* One field by itself, for who lays out other structs by such tables (traces/). `member` points at
 * the member of the struct. The bytes that record_field_write needs at most: */
size_t record_field_bound(const struct record_field *field, const void *member);

/* Writes key and value at `at`; nothing for a value that is zero or empty. Returns the end. */
uint8_t *record_field_write(const struct record_field *field, const void *member, uint8_t *at);

/* Reads a value, behind its key, that unpack_validate has passed. False: it is none of the field's.
 */
bool record_field_read(const struct record_field *field, struct unpacker *in, struct arena *arena,
                       void *member);

/* The nested fields, which are msgpack arrays (storage/record_nested.c). `member` points at the
 * member of the struct. */
bool record_nested_is_empty(enum record_field_type type, const void *member);
size_t record_nested_bound(enum record_field_type type, const void *member);
uint8_t *record_nested_write(enum record_field_type type, const void *member, uint8_t *at);
bool record_nested_read(enum record_field_type type, struct unpacker *in, struct arena *arena,
                        void *member);

#endif
