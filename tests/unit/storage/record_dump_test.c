/* A record as text, and random ones without an overflow. */
#include "tests/support/od_test.h"
#include "tests/unit/storage/random_record.h"

static void a_record_is_printed_by_its_keys(void **state)
{
    struct entry entry = {.status = ENTRY_FAILED, .attempts = 2};
    struct key key = key_u32(1);
    struct buf value, text;

    (void)state;
    buf_init(&value);
    buf_init(&text);
    assert_int_equal(record_encode(TABLE_ENTRY, &key, &entry, &value), 0);
    assert_int_equal(record_dump(buf_slice(&value), &text), 0);
    assert_true(slice_equal_text(buf_slice(&text), "{2=>6, 3=>2}"));
    buf_deinit(&value);
    buf_deinit(&text);
}

static void every_record_is_printed(void **state)
{
    struct arena arena;
    struct buf value, text;
    struct prng prng;

    (void)state;
    buf_init(&value);
    buf_init(&text);
    arena_init(&arena, 1 << 16);
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        for (uint64_t seed = 0; seed < 50; seed++) {
            struct key key = key_u32(1);

            prng_seed(&prng, seed);
            buf_clear(&value);
            buf_clear(&text);
            assert_int_equal(record_encode((enum table)table, &key,
                                           random_record(&prng, &arena, (enum table)table), &value),
                             0);
            assert_int_equal(record_dump(buf_slice(&value), &text), 0);
            assert_true(text.size >= 2);
            assert_int_equal(text.data[text.size - 1], '}');
            arena_reset(&arena);
        }
    }
    arena_deinit(&arena);
    buf_deinit(&value);
    buf_deinit(&text);
}

static void what_is_no_msgpack_is_refused(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text);
    assert_int_equal(record_dump(SLICE(""), &text), OD_ECORRUPT);
    assert_int_equal(record_dump(SLICE("\xdf\xff\xff\xff\xff\0\0\0\0"), &text), OD_ECORRUPT);
    assert_int_equal(text.size, 0);
    buf_deinit(&text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_record_is_printed_by_its_keys),
    cmocka_unit_test(every_record_is_printed),
    cmocka_unit_test(what_is_no_msgpack_is_refused),
};
OD_TEST_MAIN(tests)
