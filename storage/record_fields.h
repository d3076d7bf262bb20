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

struct record_field {
    uint8_t key;  /* in msgpack: 1 to 127, ascending in the table, never used again for another */
    uint8_t type; /* enum record_field_type */
    uint16_t size, offset; /* of the member in the struct */
    uint64_t max;          /* FIELD_UINT: the largest value */
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

/* The nested fields, which are msgpack arrays (storage/record_nested.c). `member` points at the
 * member of the struct. */
bool record_nested_is_empty(enum record_field_type type, const void *member);
size_t record_nested_bound(enum record_field_type type, const void *member);
uint8_t *record_nested_write(enum record_field_type type, const void *member, uint8_t *at);
bool record_nested_read(enum record_field_type type, struct unpacker *in, struct arena *arena,
                        void *member);

#endif
