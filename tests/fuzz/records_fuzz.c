/* Stored records: the value of a row of any table.
 *
 *     TABLE NEWLINE MAP        a map in msgpack; the checksum is added
 *     TABLE "!" NEWLINE VALUE  a value with its checksum, which will seldom fit
 *
 * What decodes is encoded to the same value again, however it was packed; what does not is refused,
 * and leaves nothing behind.
 */
#include "base/crc32c.h"
#include "storage/record.h"
#include "storage/unpack.h"
#include "tests/fuzz/fuzz.h"

enum { CRC_BYTES = 4, ARENA_BLOCK = 4096, RECORD_ROOM = 64 * 1024 };

/* The table of that name; of another text, one by its first byte. */
static enum table table_of(struct slice name)
{
    for (unsigned i = 0; i < TABLE_COUNT; i++) {
        if (slice_equal_text(name, table_name((enum table)i))) {
            return (enum table)i;
        }
    }
    return (enum table)(fuzz_byte(&name) % TABLE_COUNT);
}

static void add_crc(const struct key *key, struct buf *value)
{
    uint32_t crc = htole32(
        crc32c_extend(crc32c(key->bytes, key->size), (const uint8_t *)value->data, value->size));

    OD_CHECK(buf_append(value, &crc, sizeof(crc)) == 0);
}

static int decode(enum table table, const struct key *key, struct slice value, struct arena *arena,
                  void *record)
{
    char *copy = fuzz_copy(value);
    int code = record_decode(table, key, slice_make(copy, value.size), arena, record);

    free(copy); /* texts must have been copied */
    OD_CHECK(code == 0 || code == OD_ECORRUPT);
    return code;
}

/* The record as it was decoded, encoded and decoded again, and encoded a second time. */
static void check_round_trip(enum table table, const struct key *key, const void *record,
                             struct arena *arena)
{
    void *again = arena_alloc(arena, record_size(table));
    struct buf first, second;

    buf_init(&first);
    buf_init(&second);
    OD_CHECK(record_encode(table, key, record, &first) == 0);
    OD_CHECK(decode(table, key, buf_slice(&first), arena, again) == 0);
    OD_CHECK(record_encode(table, key, again, &second) == 0);
    OD_CHECK(slice_equal(buf_slice(&first), buf_slice(&second)));

    /* Nor does it decode under another key, or with a bit of it changed. */
    struct key other = *key;
    other.bytes[0] ^= 1;
    OD_CHECK(decode(table, &other, buf_slice(&first), arena, again) == OD_ECORRUPT);
    first.data[first.size / 2] ^= 1;
    OD_CHECK(decode(table, key, buf_slice(&first), arena, again) == OD_ECORRUPT);
    buf_deinit(&first);
    buf_deinit(&second);
}

static void check_refused(enum table table, const void *record)
{
    const char *bytes = record;

    for (size_t i = 0; i < record_size(table); i++) {
        OD_CHECK(bytes[i] == 0);
    }
}

/* outdialctl prints what it can of any value that is well-formed msgpack. */
static void check_dump(struct slice value)
{
    struct slice map = slice_make(value.data, value.size - CRC_BYTES);
    struct buf text;
    int code;

    buf_init(&text);
    code = record_dump(value, &text);
    OD_CHECK(code == (unpack_validate(map) ? 0 : OD_ECORRUPT));
    buf_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_make((const char *)data, size);
    struct slice name = fuzz_line(&input);
    bool is_whole = name.size > 0 && name.data[name.size - 1] == '!';
    struct key key = key_u32(7);
    enum table table;
    struct arena arena;
    struct buf value;
    void *record;

    table = table_of(is_whole ? slice_make(name.data, name.size - 1) : name);
    arena_init(&arena, ARENA_BLOCK);
    buf_init(&value);
    OD_CHECK(buf_append_slice(&value, input) == 0);
    if (!is_whole) {
        add_crc(&key, &value);
    }
    record = arena_alloc(&arena, record_size(table));
    if (decode(table, &key, buf_slice(&value), &arena, record) == 0) {
        /* Memory follows the size of the value: no count is believed. */
        OD_CHECK(arena_used(&arena) <= RECORD_ROOM + 256 * value.size);
        check_round_trip(table, &key, record, &arena);
    } else {
        check_refused(table, record);
    }
    if (value.size > CRC_BYTES) {
        check_dump(buf_slice(&value));
    }
    buf_deinit(&value);
    arena_deinit(&arena);
    return 0;
}
