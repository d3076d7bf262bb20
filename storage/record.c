/* Encoding and decoding, driven by the field tables.
 *
 * An encoded value:  map head | key value key value … | CRC-32C (little-endian)
 *
 *   encode   1. bound the size, make room once
 *            2. write each field that is not zero; the head last, when their number is known
 *            3. checksum over the row's key and the map
 *   decode   1. checksum: decay, and a value under another row's key, end here
 *            2. validator: no count and no length that the bytes cannot hold
 *            3. keys ascend like the table, so one walk over the table meets each field
 */
#include "storage/record.h"

#include "base/check.h"
#include "base/crc32c.h"
#include "storage/pack.h"
#include "storage/record_fields.h"
#include "storage/record_write.h"

enum {
    RECORD_CRC_BYTES = 4,
    RECORD_SMALL_MAP = 15, /* the most pairs of a map head of one byte */
    RECORD_MAP_HEAD = 3,   /* of any other kind */
    RECORD_FIELD_MAX = 35, /* the most bytes of a field of fixed size and its key: a hash */
};

static const struct record_kind *record_kind(enum table table)
{
    OD_CHECK((unsigned)table < TABLE_COUNT);
    return &record_kinds[table];
}

size_t record_size(enum table table)
{
    return record_kind(table)->size;
}

uint32_t record_version(enum table table)
{
    return record_kind(table)->version;
}

const char *table_name(enum table table)
{
    return record_kind(table)->name;
}

bool table_is_scanned(enum table table)
{
    return record_kind(table)->is_scanned;
}

/* ---- encoding ---- */

/* What a field takes beyond RECORD_FIELD_MAX. */
static inline size_t field_extra(const struct record_field *field, const void *member)
{
    if (field->type == FIELD_TEXT) {
        return ((const struct slice *)member)->size;
    }
    return field->type > FIELD_TEXT
               ? record_nested_bound((enum record_field_type)field->type, member)
               : 0;
}

size_t record_bound(enum table table, const void *record)
{
    const struct record_kind *kind = record_kind(table);
    size_t bound = RECORD_MAP_HEAD + kind->field_count * RECORD_FIELD_MAX + RECORD_CRC_BYTES;

    for (size_t i = 0; i < kind->field_count; i++) {
        const struct record_field *field = &kind->fields[i];

        bound += field_extra(field, (const char *)record + field->offset);
    }
    return bound;
}

size_t record_field_bound(const struct record_field *field, const void *member)
{
    return RECORD_FIELD_MAX + field_extra(field, member);
}

static inline uint64_t uint_load(const void *member, uint16_t size)
{
    uint8_t small;
    uint16_t medium;
    uint32_t wide;
    uint64_t number;

    switch (size) {
    case sizeof(small): memcpy(&small, member, sizeof(small)); return small;
    case sizeof(medium): memcpy(&medium, member, sizeof(medium)); return medium;
    case sizeof(wide): memcpy(&wide, member, sizeof(wide)); return wide;
    default: memcpy(&number, member, sizeof(number)); return number;
    }
}

static inline void uint_store(void *member, uint16_t size, uint64_t number)
{
    uint8_t small = (uint8_t)number;
    uint16_t medium = (uint16_t)number;
    uint32_t wide = (uint32_t)number;

    switch (size) {
    case sizeof(small): memcpy(member, &small, sizeof(small)); break;
    case sizeof(medium): memcpy(member, &medium, sizeof(medium)); break;
    case sizeof(wide): memcpy(member, &wide, sizeof(wide)); break;
    default: memcpy(member, &number, sizeof(number)); break;
    }
}

/* Writes the value behind its key, which is already at `at`. Returns `at` itself for a zero value,
 * which is left out. */
static inline uint8_t *field_write(const struct record_field *field, const void *member,
                                   uint8_t *at)
{
    static const uint8_t zeros[32];
    uint64_t number;

    switch ((enum record_field_type)field->type) {
    case FIELD_BOOL: return *(const bool *)member ? pack_bool(at + 1, true) : at;
    case FIELD_UINT:
        number = uint_load(member, field->size);
        OD_CHECK(number <= field->max);
        return number != 0 ? pack_uint(at + 1, number) : at;
    case FIELD_INT:
        number = uint_load(member, field->size);
        return number != 0 ? pack_int(at + 1, (int64_t)number) : at;
    case FIELD_UUID:
        return memcmp(member, zeros, sizeof(struct uuid)) != 0
                   ? pack_bin(at + 1, member, sizeof(struct uuid))
                   : at;
    case FIELD_HASH:
        return memcmp(member, zeros, sizeof(zeros)) != 0 ? pack_bin(at + 1, member, sizeof(zeros))
                                                         : at;
    case FIELD_TEXT: {
        const struct slice *text = member;

        return text->size != 0 ? pack_text(at + 1, *text) : at;
    }
    case FIELD_ATTRIBUTES:
    case FIELD_UUIDS:
    case FIELD_POOL_DIDS:
    case FIELD_RULES:
    case FIELD_NODE_COUNTS:
    case FIELD_RETRY:
    case FIELD_WINDOWS:
    case FIELD_PACING:
    case FIELD_COUNTERS:
    case FIELD_TRIGGER:
    case FIELD_COUNTS:
    case FIELD_LOGGED_CALLS: break;
    }
    if (record_nested_is_empty((enum record_field_type)field->type, member)) {
        return at;
    }
    return record_nested_write((enum record_field_type)field->type, member, at + 1);
}

uint8_t *record_field_write(const struct record_field *field, const void *member, uint8_t *at)
{
    *at = field->key;
    return field_write(field, member, at);
}

static uint32_t record_crc(const struct key *key, const uint8_t *map, size_t size)
{
    return crc32c_extend(crc32c(key->bytes, key->size), map, size);
}

size_t record_write(enum table table, const struct key *key, const void *record, uint8_t *at)
{
    const struct record_kind *kind = record_kind(table);
    bool is_small = kind->field_count <= RECORD_SMALL_MAP;
    uint8_t *map = at;
    uint16_t count = 0;
    uint32_t crc;

    at += is_small ? 1 : RECORD_MAP_HEAD;
    for (size_t i = 0; i < kind->field_count; i++) {
        const struct record_field *field = &kind->fields[i];
        uint8_t *end;

        *at = field->key;
        end = field_write(field, (const char *)record + field->offset, at);
        count = (uint16_t)(count + (end != at));
        at = end;
    }
    if (is_small) {
        *map = (uint8_t)(0x80 | count);
    } else {
        pack_u16(map, 0xde, count);
    }
    crc = htole32(record_crc(key, map, (size_t)(at - map)));
    memcpy(at, &crc, sizeof(crc));
    return (size_t)(at - map) + sizeof(crc);
}

int record_encode(enum table table, const struct key *key, const void *record, struct buf *out)
{
    int error = buf_reserve(out, record_bound(table, record));

    if (error != 0) {
        return error;
    }
    out->size += record_write(table, key, record, (uint8_t *)out->data + out->size);
    return 0;
}

/* ---- decoding ---- */

static inline bool field_read(const struct record_field *field, struct unpacker *in,
                              struct arena *arena, void *member)
{
    uint64_t number;
    struct slice text;

    switch ((enum record_field_type)field->type) {
    case FIELD_BOOL: return unpack_bool(in, member);
    case FIELD_UINT:
        if (!unpack_uint(in, &number) || number > field->max) {
            return false;
        }
        uint_store(member, field->size, number);
        return true;
    case FIELD_INT: return unpack_int(in, member);
    case FIELD_UUID: return unpack_bin(in, member, sizeof(struct uuid));
    case FIELD_HASH: return unpack_bin(in, member, 32);
    case FIELD_TEXT:
        if (!unpack_text(in, &text)) {
            return false;
        }
        text = arena_copy(arena, text);
        memcpy(member, &text, sizeof(text));
        return true;
    case FIELD_ATTRIBUTES:
    case FIELD_UUIDS:
    case FIELD_POOL_DIDS:
    case FIELD_RULES:
    case FIELD_NODE_COUNTS:
    case FIELD_RETRY:
    case FIELD_WINDOWS:
    case FIELD_PACING:
    case FIELD_COUNTERS:
    case FIELD_TRIGGER:
    case FIELD_COUNTS:
    case FIELD_LOGGED_CALLS: break;
    }
    return record_nested_read((enum record_field_type)field->type, in, arena, member);
}

bool record_field_read(const struct record_field *field, struct unpacker *in, struct arena *arena,
                       void *member)
{
    return field_read(field, in, arena, member);
}

static bool record_read(const struct record_kind *kind, struct unpacker *in, struct arena *arena,
                        void *record)
{
    const struct record_field *field = kind->fields;
    const struct record_field *end = kind->fields + kind->field_count;
    size_t count;

    if (!unpack_map(in, &count)) {
        return false;
    }
    for (; count > 0; count--) {
        uint64_t key;

        if (!unpack_uint(in, &key)) {
            return false;
        }
        while (field < end && field->key < key) {
            field++;
        }
        if (field == end || field->key != key ||
            !field_read(field, in, arena, (char *)record + field->offset)) {
            return false;
        }
        field++;
    }
    return in->at == in->end;
}

/* The map of a value whose checksum holds. */
static bool record_map(const struct key *key, struct slice value, struct slice *map)
{
    uint32_t crc;

    if (value.size <= RECORD_CRC_BYTES) {
        return false;
    }
    *map = slice_make(value.data, value.size - RECORD_CRC_BYTES);
    memcpy(&crc, map->data + map->size, sizeof(crc));
    return le32toh(crc) == record_crc(key, (const uint8_t *)map->data, map->size);
}

bool record_is_intact(const struct key *key, struct slice value)
{
    struct slice map;

    return record_map(key, value, &map);
}

static int map_decode(enum table table, struct slice map, struct arena *arena, void *record)
{
    const struct record_kind *kind = record_kind(table);
    struct unpacker in = unpack_from(map);

    memset(record, 0, kind->size);
    if (!record_read(kind, &in, arena, record)) {
        memset(record, 0, kind->size);
        return OD_ECORRUPT;
    }
    return 0;
}

int record_decode(enum table table, const struct key *key, struct slice value, struct arena *arena,
                  void *record)
{
    struct slice map;

    if (!record_map(key, value, &map) || !unpack_validate(map)) {
        memset(record, 0, record_size(table));
        return OD_ECORRUPT;
    }
    return map_decode(table, map, arena, record);
}

int record_decode_own(enum table table, struct slice value, struct arena *arena, void *record)
{
    OD_CHECK(value.size > RECORD_CRC_BYTES);
    return map_decode(table, slice_make(value.data, value.size - RECORD_CRC_BYTES), arena, record);
}
