/* Records are decoded as they were encoded, and everything else is refused. */
#include "base/crc32c.h"
#include "storage/pack.h"
#include "storage/record_write.h"
#include "tests/support/od_test.h"
#include "tests/unit/storage/random_record.h"

enum { SEEDS = 1500 };

struct fixture {
    struct prng prng;
    struct arena made, read;
    struct buf value;
};

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    arena_init(&f->made, 1 << 16);
    arena_init(&f->read, 1 << 16);
    buf_init(&f->value);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    arena_deinit(&f->made);
    arena_deinit(&f->read);
    buf_deinit(&f->value);
    test_free(f);
    return 0;
}

/* Encodes a random record of the table under a random key. */
static void *encode_random(struct fixture *f, uint64_t seed, enum table table, struct key *key)
{
    void *record;

    arena_reset(&f->made);
    arena_reset(&f->read);
    buf_clear(&f->value);
    prng_seed(&f->prng, seed);
    *key = random_key(&f->prng);
    record = random_record(&f->prng, &f->made, table);
    assert_int_equal(record_encode(table, key, record, &f->value), 0);
    return record;
}

/* Gives the value in `f->value` a checksum that fits, as a writer gone mad would. */
static void forge(struct fixture *f, const struct key *key)
{
    uint32_t crc = crc32c_extend(crc32c(key->bytes, key->size), f->value.data, f->value.size);
    uint8_t bytes[4] = {(uint8_t)crc, (uint8_t)(crc >> 8), (uint8_t)(crc >> 16),
                        (uint8_t)(crc >> 24)};

    assert_int_equal(buf_append(&f->value, bytes, sizeof(bytes)), 0);
}

static int decode(struct fixture *f, enum table table, const struct key *key, struct slice value)
{
    return record_decode(table, key, value, &f->read, arena_alloc(&f->read, record_size(table)));
}

static void every_record_comes_back_as_it_was(void **state)
{
    struct fixture *f = *state;

    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            struct key key;
            void *made = encode_random(f, seed, (enum table)table, &key);
            void *read = arena_alloc(&f->read, record_size((enum table)table));

            assert_true(f->value.size <= record_bound((enum table)table, made));
            assert_int_equal(
                record_decode((enum table)table, &key, buf_slice(&f->value), &f->read, read), 0);
            assert_true(same_record((enum table)table, made, read));
            assert_int_equal(
                record_decode_own((enum table)table, buf_slice(&f->value), &f->read, read), 0);
            assert_true(same_record((enum table)table, made, read));
        }
    }
}

static void an_encoded_record_is_the_same_each_time(void **state)
{
    struct fixture *f = *state;
    struct key key;
    struct buf again;

    buf_init(&again);
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        void *made = encode_random(f, 7, (enum table)table, &key);

        buf_clear(&again);
        assert_int_equal(record_encode((enum table)table, &key, made, &again), 0);
        assert_true(slice_equal(buf_slice(&again), buf_slice(&f->value)));
    }
    buf_deinit(&again);
}

static void every_shortened_value_is_refused(void **state)
{
    struct fixture *f = *state;

    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        for (uint64_t seed = 0; seed < 20; seed++) {
            struct key key;

            encode_random(f, seed, (enum table)table, &key);
            for (size_t size = 0; size < f->value.size && size < 3000; size++) {
                /* A copy of its own, so that a read behind the end is seen by the sanitizer. */
                char *cut = test_malloc(size + 1);

                memcpy(cut, f->value.data, size);
                assert_int_equal(decode(f, (enum table)table, &key, slice_make(cut, size)),
                                 OD_ECORRUPT);
                test_free(cut);
                arena_reset(&f->read);
            }
        }
    }
}

static void every_flipped_bit_is_refused(void **state)
{
    struct fixture *f = *state;

    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        for (uint64_t seed = 0; seed < 4; seed++) {
            struct key key;

            encode_random(f, seed, (enum table)table, &key);
            for (size_t bit = 0; bit < f->value.size * 8 && bit < 8000; bit++) {
                f->value.data[bit / 8] = (char)(f->value.data[bit / 8] ^ (1 << bit % 8));
                assert_int_equal(decode(f, (enum table)table, &key, buf_slice(&f->value)),
                                 OD_ECORRUPT);
                f->value.data[bit / 8] = (char)(f->value.data[bit / 8] ^ (1 << bit % 8));
                arena_reset(&f->read);
            }
        }
    }
}

static void a_value_under_another_key_is_refused(void **state)
{
    struct fixture *f = *state;
    struct key key;

    encode_random(f, 3, TABLE_CONTACT, &key);
    key.bytes[0] ^= 1;
    assert_int_equal(decode(f, TABLE_CONTACT, &key, buf_slice(&f->value)), OD_ECORRUPT);
}

/* What the checksum does not see must still not crash, nor allocate by a count that is a lie. */
static void a_forged_value_is_read_or_refused(void **state)
{
    struct fixture *f = *state;

    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            struct key key;
            size_t changes;
            int code;

            encode_random(f, seed, (enum table)table, &key);
            f->value.size -= 4;
            changes = 1 + (size_t)prng_below(&f->prng, 3);
            for (size_t i = 0; i < changes; i++) {
                f->value.data[prng_below(&f->prng, f->value.size)] = (char)prng_next(&f->prng);
            }
            f->value.size -= prng_below(&f->prng, 8) == 0 ? f->value.size / 2 : 0;
            forge(f, &key);
            code = decode(f, (enum table)table, &key, buf_slice(&f->value));
            assert_true(code == 0 || code == OD_ECORRUPT);
            assert_true(arena_used(&f->read) <= 4096 + 80 * f->value.size);
        }
    }
}

/* A map of the program's own making, with a checksum that fits. */
static int decode_map(struct fixture *f, enum table table, const char *map, size_t size, void *out)
{
    struct key key = key_u32(1);

    buf_clear(&f->value);
    assert_int_equal(buf_append(&f->value, map, size), 0);
    forge(f, &key);
    return record_decode(table, &key, buf_slice(&f->value), &f->read, out);
}

#define DECODE_MAP(f, table, map, out) decode_map(f, table, map, sizeof(map) - 1, out)

static void absent_keys_are_zero(void **state)
{
    struct entry entry = {.attempts = 9};

    assert_int_equal(DECODE_MAP(*state, TABLE_ENTRY, "\x81\x02\x05", &entry), 0);
    assert_int_equal(entry.status, ENTRY_COMPLETED);
    assert_int_equal(entry.attempts, 0);
    assert_int_equal(DECODE_MAP(*state, TABLE_ENTRY, "\x80", &entry), 0);
    assert_int_equal(entry.status, 0);
}

static void other_encodings_of_the_same_number_are_read(void **state)
{
    struct entry entry;

    assert_int_equal(DECODE_MAP(*state, TABLE_ENTRY, "\x81\x03\xcf\0\0\0\0\0\0\0\x07", &entry), 0);
    assert_int_equal(entry.attempts, 7);
    assert_int_equal(DECODE_MAP(*state, TABLE_ENTRY, "\xde\0\x01\x05\xd0\xff", &entry), 0);
    assert_int_equal(entry.next_attempt_at, -1);
}

static void malformed_maps_are_refused(void **state)
{
    static const struct {
        const char *what;
        struct slice map;
    } cases[] = {
        {"nothing", SLICE_INIT("")},
        {"no map", SLICE_INIT("\x01")},
        {"an array", SLICE_INIT("\x92\x02\x05")},
        {"an unknown key", SLICE_INIT("\x81\x07\x01")},
        {"key 0", SLICE_INIT("\x81\x00\x01")},
        {"a repeated key", SLICE_INIT("\x82\x02\x05\x02\x05")},
        {"keys that descend", SLICE_INIT("\x82\x03\x05\x02\x05")},
        {"a key that is a text", SLICE_INIT("\x81\xa1\x02\x05")},
        {"a text for a number", SLICE_INIT("\x81\x02\xa1\x05")},
        {"a status that does not exist", SLICE_INIT("\x81\x02\x08")},
        {"a number beyond its field", SLICE_INIT("\x81\x03\xcf\0\0\0\x01\0\0\0\0")},
        {"a negative for an unsigned", SLICE_INIT("\x81\x03\xff")},
        {"an id that is too short", SLICE_INIT("\x81\x01\xc4\x02zz")},
        {"more pairs than there are", SLICE_INIT("\x82\x02\x05")},
        {"bytes behind the map", SLICE_INIT("\x81\x02\x05\x01")},
        {"4 billion pairs", SLICE_INIT("\xdf\xff\xff\xff\xff\x02\x05")},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct entry entry = {.attempts = 9};
        int code = decode_map(f, TABLE_ENTRY, cases[i].map.data, cases[i].map.size, &entry);

        if (code != OD_ECORRUPT) {
            fail_msg("%s: %d", cases[i].what, code);
        }
        assert_int_equal(entry.attempts, 0);
        assert_int_equal(arena_used(&f->read), 0);
    }
}

/* The place of what is on disk may not move: a change here is a new schema version. */
static void the_layout_is_pinned(void **state)
{
    struct fixture *f = *state;
    struct key key = key_u32(7);
    struct entry entry = {.contact_id = {{0xab}},
                          .status = ENTRY_PENDING_RETRY,
                          .attempts = 1,
                          .last_outcome = OUTCOME_BUSY,
                          .next_attempt_at = 0x0102030405};
    static const char expected[] =
        "\x85\x01\xc4\x10\xab\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\x02\x03\x01\x04\x03\x05"
        "\xcf\0\0\0\x01\x02\x03\x04\x05";

    assert_int_equal(record_encode(TABLE_ENTRY, &key, &entry, &f->value), 0);
    assert_int_equal(f->value.size, sizeof(expected) - 1 + 4);
    assert_memory_equal(f->value.data, expected, sizeof(expected) - 1);
}

static void tables_have_their_names_and_sizes(void **state)
{
    (void)state;
    assert_string_equal(table_name(TABLE_DUE), "due");
    assert_true(table_is_scanned(TABLE_DUE));
    assert_false(table_is_scanned(TABLE_PROGRAM));
    assert_int_equal(record_size(TABLE_CALL), sizeof(struct call));
    assert_int_equal(record_version(TABLE_CALL), 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    CASE(every_record_comes_back_as_it_was),
    CASE(an_encoded_record_is_the_same_each_time),
    CASE(every_shortened_value_is_refused),
    CASE(every_flipped_bit_is_refused),
    CASE(a_value_under_another_key_is_refused),
    CASE(a_forged_value_is_read_or_refused),
    CASE(absent_keys_are_zero),
    CASE(other_encodings_of_the_same_number_are_read),
    CASE(malformed_maps_are_refused),
    CASE(the_layout_is_pinned),
    CASE(tables_have_their_names_and_sizes),
};
OD_TEST_MAIN(tests)
