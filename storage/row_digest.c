/* A row is hashed in pieces: the table's name and the operation, the key, and of the value all but
 * what is private. Of an encoded value (storage/record.h) that is
 *
 *   a table without private fields   the map as it lies there, in one piece
 *   another                          pair by pair up to the last private field, the rest in one
 * piece
 *
 * The hash takes 8 bytes a multiplication to 128 bits whose halves are folded, as hash_bytes does
 * (base/hash.h), but its value may never change.
 */
#include "storage/row_digest.h"

#include <endian.h>
#include <pthread.h>
#include <string.h>

#include "base/check.h"
#include "model/records.h"
#include "storage/reader.h"
#include "storage/record_fields.h"

#define DIGEST_A UINT64_C(0x9e3779b97f4a7c15)
#define DIGEST_B UINT64_C(0xd6e8feb86659fd93)

enum {
    DIGEST_CRC_BYTES = 4, /* at the end of a value */
    DIGEST_RUN_MIN = 7,   /* digits in a row that may be a phone number */
};

__extension__ typedef unsigned __int128 digest_wide;

static inline uint64_t mix(uint64_t a, uint64_t b)
{
    digest_wide product = (digest_wide)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t word_at(const unsigned char *bytes, size_t size)
{
    uint64_t word = 0;

    memcpy(&word, bytes, size);
    return le64toh(word);
}

uint64_t digest_bytes(uint64_t state, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    size_t left = size;

    for (; left >= sizeof(uint64_t); left -= sizeof(uint64_t)) {
        state = mix(state ^ word_at(at, sizeof(uint64_t)) ^ DIGEST_A, DIGEST_B);
        at += sizeof(uint64_t);
    }
    if (left > 0) {
        state = mix(state ^ word_at(at, left) ^ DIGEST_A, DIGEST_B);
    }
    return mix(state ^ size ^ DIGEST_B, DIGEST_A);
}

/* ---- what of a row is private ---- */

/* The last private field's key of each table, 0: none. row_digest_test compares it with the field
 * tables. */
static const uint8_t last_private[TABLE_COUNT] = {
    [TABLE_ORGANISATION] = 3, [TABLE_API_KEY] = 5, [TABLE_DID] = 3,         [TABLE_CONTACT] = 9,
    [TABLE_AUDIENCE] = 3,     [TABLE_FLOW] = 3,    [TABLE_PROGRAM] = 2,     [TABLE_EXECUTION] = 12,
    [TABLE_LIVE_CALL] = 5,    [TABLE_CALL] = 7,    [TABLE_IDEMPOTENCY] = 5,
};

/* How much of a key counts. */
static size_t public_key(enum table table, size_t size)
{
    size_t counts = size;

    if (table == TABLE_CONTACT_BY_PHONE) {
        counts = sizeof(uint32_t); /* the organisation; a phone number follows */
    } else if (table == TABLE_DID_BY_NUMBER || table == TABLE_API_KEY_BY_HASH) {
        counts = 0;
    }
    return counts < size ? counts : size;
}

/* ---- what is looked up for each row ---- */

enum { PRIVATE_KEYS = 16 /* keys up to the last private one of any table are below it */ };

/* What of a field is private, and the digest of the operation and the table's name, with which that
 * of each row begins. */
static uint8_t privacies[TABLE_COUNT][PRIVATE_KEYS];
static uint64_t beginnings[TABLE_COUNT][2];
static pthread_once_t prepared = PTHREAD_ONCE_INIT;

static void prepare(void)
{
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        const struct record_kind *kind = &record_kinds[table];

        beginnings[table][false] = digest_bytes(1, kind->name, strlen(kind->name));
        beginnings[table][true] = digest_bytes(2, kind->name, strlen(kind->name));
        OD_CHECK(last_private[table] < PRIVATE_KEYS);
        for (size_t i = 0; i < kind->field_count; i++) {
            if (kind->fields[i].key < PRIVATE_KEYS) {
                privacies[table][kind->fields[i].key] = (uint8_t)kind->fields[i].privacy;
            }
        }
    }
}

/* ---- values that are private in part ---- */

/* Of the runs of digits that may be numbers only their lengths count. */
static uint64_t free_text_digest(uint64_t state, struct slice text)
{
    size_t from = 0, at = 0;

    while (at < text.size) {
        size_t run = at;

        while (run < text.size && text.data[run] >= '0' && text.data[run] <= '9') {
            run++;
        }
        if (run - at >= DIGEST_RUN_MIN) {
            state = digest_bytes(state, text.data + from, at - from);
            state = mix(state ^ (run - at), DIGEST_A);
            from = run;
        }
        at = run > at ? run : at + 1;
    }
    return digest_bytes(state, text.data + from, text.size - from);
}

/* [[name, type, value], …]: all but the values of type string. */
static bool attributes_digest(struct unpacker *in, uint64_t *state)
{
    size_t count, members;

    if (!unpack_array(in, &count)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const uint8_t *from = in->at;
        struct slice name;
        uint64_t type;

        if (!unpack_array(in, &members) || members != 3 || !unpack_text(in, &name) ||
            !unpack_uint(in, &type)) {
            return false;
        }
        if (type != ATTRIBUTE_STRING) {
            if (!unpack_skip(in)) {
                return false;
            }
            *state = digest_bytes(*state, from, (size_t)(in->at - from));
        } else {
            *state = digest_bytes(*state, from, (size_t)(in->at - from));
            if (!unpack_skip(in)) {
                return false;
            }
        }
    }
    return true;
}

/* [[id, number], …]: the ids. */
static bool pool_digest(struct unpacker *in, uint64_t *state)
{
    size_t count, members;
    struct uuid id;

    if (!unpack_array(in, &count)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!unpack_array(in, &members) || members != 2 ||
            !unpack_bin(in, id.bytes, sizeof(id.bytes)) || !unpack_skip(in)) {
            return false;
        }
        *state = digest_bytes(*state, id.bytes, sizeof(id.bytes));
    }
    return true;
}

/* A value whose key has been read. */
static bool private_digest(enum record_privacy privacy, struct unpacker *in, uint64_t *state)
{
    struct slice text;

    switch (privacy) {
    case PRIVACY_FREE:
        if (!unpack_text(in, &text)) {
            return false;
        }
        *state = free_text_digest(*state, text);
        return true;
    case PRIVACY_ATTRIBUTES: return attributes_digest(in, state);
    case PRIVACY_POOL: return pool_digest(in, state);
    case PRIVACY_NONE:
    case PRIVACY_PHONE:
    case PRIVACY_TEXT:
    case PRIVACY_HASH: break;
    }
    return unpack_skip(in);
}

/* False: the value is not what a row of the table is. */
static bool value_digest(enum table table, struct slice map, uint64_t *state)
{
    struct unpacker in = unpack_from(map);
    const uint8_t *from = in.at; /* what has not been hashed yet */
    size_t count;

    if (!unpack_map(&in, &count)) {
        return false;
    }
    for (; count > 0; count--) {
        enum record_privacy privacy;
        uint64_t key;

        if (!unpack_uint(&in, &key)) {
            return false;
        }
        if (key > last_private[table]) {
            break;
        }
        privacy = (enum record_privacy)privacies[table][key];
        if (privacy != PRIVACY_NONE) {
            *state = digest_bytes(*state, from, (size_t)(in.at - from));
            if (!private_digest(privacy, &in, state)) {
                return false;
            }
            from = in.at;
        } else if (!unpack_skip(&in)) {
            return false;
        }
    }
    *state = digest_bytes(*state, from, (size_t)(in.end - from));
    return true;
}

/* ---- rows ---- */

uint64_t row_digest(enum table table, bool is_delete, struct slice key, struct slice value)
{
    struct slice map = value;
    uint64_t state;

    OD_CHECK(pthread_once(&prepared, prepare) == 0);
    state = digest_bytes(beginnings[table][is_delete], key.data, public_key(table, key.size));
    if (is_delete) {
        return state;
    }
    map.size -= map.size < DIGEST_CRC_BYTES ? map.size : DIGEST_CRC_BYTES;
    if (last_private[table] == 0) {
        return digest_bytes(state, map.data, map.size);
    }
    if (!value_digest(table, map, &state)) {
        return digest_bytes(state, map.data, map.size); /* a damaged row: what is there */
    }
    return state;
}

uint64_t row_digest_add(uint64_t sequence, uint64_t row)
{
    return mix(sequence ^ row ^ DIGEST_A, DIGEST_B);
}

/* ---- a store ---- */

static bool is_own(const struct key *key)
{
    static const struct slice own[] = {SLICE_INIT("store.id"),   SLICE_INIT("schema."),
                                       SLICE_INIT("test_clock"), SLICE_INIT("probe"),
                                       SLICE_INIT(META_BACKUP),  SLICE_INIT(META_RESTORE)};

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (key->size >= own[i].size && memcmp(key->bytes, own[i].data, own[i].size) == 0) {
            return true;
        }
    }
    return false;
}

static int table_digest(struct reader *reader, enum table table, uint64_t *sum, uint64_t *count)
{
    const struct key prefix = key_empty();
    struct key key;
    struct slice raw;
    int code = reader_seek(reader, table, &prefix, &prefix, &key, &raw);

    for (; code == 0; code = reader_next(reader, table, &prefix, &key, &raw)) {
        if (table == TABLE_META && is_own(&key)) {
            continue;
        }
        *sum += row_digest(table, false, slice_make((const char *)key.bytes, key.size), raw);
        (*count)++;
    }
    return code == OD_ENOTFOUND ? 0 : code;
}

int store_digest(struct store *store, uint64_t *out, struct od_error *error)
{
    struct reader *reader;
    uint64_t sum = 0, count = 0;
    int code = reader_open(store, &reader, error);

    if (code != 0) {
        return code;
    }
    code = reader_begin(reader, error);
    if (code == 0) {
        for (unsigned table = 0; code == 0 && table < TABLE_COUNT; table++) {
            code = table_digest(reader, (enum table)table, &sum, &count);
        }
        reader_end(reader);
        if (code != 0) {
            (void)od_error_set(error, code, "digest of the store: %s", od_error_text(code));
        }
    }
    reader_close(reader);
    *out = mix(sum ^ DIGEST_A, count ^ DIGEST_B);
    return code;
}
