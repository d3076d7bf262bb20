/* Reading and validating msgpack, held against msgpack-c, and writing it (storage/pack.h). */
#include "storage/unpack.h"

#include <msgpack.h>

#include "base/hash.h"
#include "storage/pack.h"
#include "tests/support/od_test.h"

static void sound_values_are_accepted_and_others_refused(void **state)
{
    static const struct {
        struct slice bytes;
        bool is_sound;
    } cases[] = {
        {SLICE_INIT("\x00"), true},
        {SLICE_INIT("\xff"), true},
        {SLICE_INIT("\xc0"), true},
        {SLICE_INIT("\xc3"), true},
        {SLICE_INIT("\xa2gh"), true},
        {SLICE_INIT("\xc4\x02gh"), true},
        {SLICE_INIT("\x90"), true},
        {SLICE_INIT("\x92\x90\x80"), true},
        {SLICE_INIT("\x81\x01\x91\x02"), true},
        {SLICE_INIT("\xdc\x00\x01\x01"), true},
        {SLICE_INIT("\xdf\x00\x00\x00\x01\x01\x02"), true},
        {SLICE_INIT("\xd4\x01\x01"), true},
        {SLICE_INIT("\xc7\x01\x05z"), true},
        {SLICE_INIT("\xca\0\0\0\0"), true},
        {SLICE_INIT(""), false},
        {SLICE_INIT("\xc1"), false},                     /* never used */
        {SLICE_INIT("\x00\x00"), false},                 /* a second value */
        {SLICE_INIT("\xa2g"), false},                    /* cut off */
        {SLICE_INIT("\xcf\0\0\0\0\0\0\0"), false},       /* cut off */
        {SLICE_INIT("\xd9"), false},                     /* a length cut off */
        {SLICE_INIT("\x91"), false},                     /* an element is missing */
        {SLICE_INIT("\x81\x01"), false},                 /* a value is missing */
        {SLICE_INIT("\xdd\xff\xff\xff\xff\x01"), false}, /* 4 billion elements */
        {SLICE_INIT("\xdf\xff\xff\xff\xff\x01"), false}, /* 4 billion pairs */
        {SLICE_INIT("\xdb\xff\xff\xff\xff\x01"), false}, /* 4 GiB of text */
        {SLICE_INIT("\xc6\xff\xff\xff\xff\x01"), false}, /* 4 GiB of bytes */
        {SLICE_INIT("\xc9\xff\xff\xff\xff\x01z"), false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (unpack_validate(cases[i].bytes) != cases[i].is_sound) {
            fail_msg("case %zu", i);
        }
    }
}

static void depth_ends_at_its_limit(void **state)
{
    char nested[64];

    (void)state;
    memset(nested, 0x91, sizeof(nested));
    nested[UNPACK_DEPTH_MAX] = 0x01;
    assert_true(unpack_validate(slice_make(nested, UNPACK_DEPTH_MAX + 1)));
    nested[UNPACK_DEPTH_MAX] = (char)0x91;
    nested[UNPACK_DEPTH_MAX + 1] = 0x01;
    assert_false(unpack_validate(slice_make(nested, UNPACK_DEPTH_MAX + 2)));
}

/* Random values of msgpack-c's packer: single ones, containers of these, containers of those. */
static void pack_single(struct prng *prng, msgpack_packer *packer)
{
    uint64_t number = prng_next(prng) >> prng_below(prng, 64);
    size_t size = (size_t)prng_below(prng, 40);
    char bytes[40] = {0};

    switch (prng_below(prng, 6)) {
    case 0: msgpack_pack_uint64(packer, number); break;
    case 1: msgpack_pack_int64(packer, -(int64_t)(number >> 1)); break;
    case 2: msgpack_pack_str_with_body(packer, bytes, size); break;
    case 3: msgpack_pack_bin_with_body(packer, bytes, size); break;
    case 4: msgpack_pack_double(packer, 0.5); break;
    default: msgpack_pack_true(packer); break;
    }
}

/* Returns how many values must follow. */
static size_t pack_head(struct prng *prng, msgpack_packer *packer)
{
    size_t size = (size_t)prng_below(prng, 18);

    if (prng_below(prng, 2) == 0) {
        msgpack_pack_array(packer, size);
        return size;
    }
    msgpack_pack_map(packer, size);
    return size * 2;
}

static void pack_random(struct prng *prng, msgpack_packer *packer)
{
    for (size_t outer = pack_head(prng, packer); outer > 0; outer--) {
        if (prng_below(prng, 3) != 0) {
            pack_single(prng, packer);
            continue;
        }
        for (size_t inner = pack_head(prng, packer); inner > 0; inner--) {
            pack_single(prng, packer);
        }
    }
}

static bool library_reads_all(const char *data, size_t size)
{
    msgpack_unpacked unpacked;
    size_t at = 0;
    bool is_read;

    msgpack_unpacked_init(&unpacked);
    is_read =
        msgpack_unpack_next(&unpacked, data, size, &at) == MSGPACK_UNPACK_SUCCESS && at == size;
    msgpack_unpacked_destroy(&unpacked);
    return is_read;
}

static void what_the_library_writes_is_sound_and_its_pieces_are_not(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        msgpack_sbuffer buffer;
        msgpack_packer packer;
        struct prng prng;

        prng_seed(&prng, seed);
        msgpack_sbuffer_init(&buffer);
        msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
        pack_random(&prng, &packer);
        assert_true(unpack_validate(slice_make(buffer.data, buffer.size)));
        for (size_t size = 0; size < buffer.size && size < 2000; size++) {
            assert_false(unpack_validate(slice_make(buffer.data, size)));
        }
        msgpack_sbuffer_destroy(&buffer);
    }
}

/* Random short bytes: what the validator lets through, the library reads to its end. */
static void what_is_sound_is_read_by_the_library(void **state)
{
    unsigned sound = 0;
    struct prng prng;

    (void)state;
    prng_seed(&prng, 1);
    for (unsigned i = 0; i < 300000; i++) {
        char bytes[8];
        size_t size = 1 + (size_t)prng_below(&prng, sizeof(bytes));

        for (size_t j = 0; j < size; j++) {
            bytes[j] = (char)prng_next(&prng);
        }
        if (unpack_validate(slice_make(bytes, size))) {
            assert_true(library_reads_all(bytes, size));
            sound++;
        }
    }
    assert_true(sound > 10000);
}

static void numbers_are_read_as_they_were_written(void **state)
{
    (void)state;
    for (unsigned shift = 0; shift < 64; shift++) {
        for (int delta = -1; delta <= 1; delta++) {
            uint64_t number = (UINT64_C(1) << shift) + (uint64_t)(int64_t)delta;
            uint8_t bytes[PACK_HEAD_MAX];
            struct unpacker in;
            uint64_t unsigned_read;
            int64_t read;

            in = (struct unpacker){bytes, pack_uint(bytes, number)};
            assert_true(unpack_uint(&in, &unsigned_read));
            assert_true(unsigned_read == number);
            assert_ptr_equal(in.at, in.end);
            in = (struct unpacker){bytes, pack_int(bytes, (int64_t)number)};
            assert_true(unpack_int(&in, &read));
            assert_true(read == (int64_t)number);
            in = (struct unpacker){bytes, pack_int(bytes, -(int64_t)(number >> 1))};
            assert_true(unpack_int(&in, &read));
            assert_true(read == -(int64_t)(number >> 1));
            assert_ptr_equal(in.at, in.end);
        }
    }
}

static void the_library_reads_the_same_numbers(void **state)
{
    struct prng prng;

    (void)state;
    prng_seed(&prng, 5);
    for (unsigned i = 0; i < 2000; i++) {
        int64_t number = (int64_t)(prng_next(&prng) >> prng_below(&prng, 64));
        uint8_t bytes[PACK_HEAD_MAX];
        msgpack_unpacked unpacked;
        size_t size, at = 0;

        number = prng_below(&prng, 2) == 0 ? number : -(number >> 1);
        size = (size_t)(pack_int(bytes, number) - bytes);
        msgpack_unpacked_init(&unpacked);
        assert_int_equal(msgpack_unpack_next(&unpacked, (const char *)bytes, size, &at),
                         MSGPACK_UNPACK_SUCCESS);
        assert_true(unpacked.data.via.i64 == number);
        msgpack_unpacked_destroy(&unpacked);
    }
}

static void signed_encodings_of_all_widths_are_read(void **state)
{
    static const struct {
        struct slice bytes;
        int64_t number;
    } cases[] = {
        {SLICE_INIT("\xff"), -1},
        {SLICE_INIT("\xe0"), -32},
        {SLICE_INIT("\xd0\x80"), -128},
        {SLICE_INIT("\xd0\x05"), 5},
        {SLICE_INIT("\xd1\xff\xfe"), -2},
        {SLICE_INIT("\xd2\x80\0\0\0"), INT32_MIN},
        {SLICE_INIT("\xd3\x80\0\0\0\0\0\0\0"), INT64_MIN},
        {SLICE_INIT("\xcd\x01\x02"), 0x102},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct unpacker in = unpack_from(cases[i].bytes);
        int64_t number;

        assert_true(unpack_int(&in, &number));
        assert_true(number == cases[i].number);
        assert_ptr_equal(in.at, in.end);
    }
}

static void texts_of_all_lengths_are_read(void **state)
{
    static const size_t sizes[] = {0, 1, 31, 32, 255, 256, 65535, 65536};
    char *text = test_calloc(1, 65536);
    uint8_t *bytes = test_malloc(65536 + PACK_HEAD_MAX);

    (void)state;
    memset(text, 'x', 65536);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct unpacker in = {bytes, pack_text(bytes, slice_make(text, sizes[i]))};
        struct slice read;

        assert_true(unpack_validate(slice_make((const char *)in.at, unpack_left(&in))));
        assert_true(unpack_text(&in, &read));
        assert_true(slice_equal(read, slice_make(text, sizes[i])));
        assert_ptr_equal(in.at, in.end);
    }
    test_free(text);
    test_free(bytes);
}

static void wrong_types_are_refused(void **state)
{
    struct slice text = SLICE("\xa1x"), list = SLICE("\x91\x01"), map = SLICE("\x81\x01\x01");
    struct unpacker in;
    struct slice read;
    uint64_t number;
    int64_t instant;
    uint8_t bytes[2];
    double real;
    size_t count;
    bool flag;

    (void)state;
    in = unpack_from(text);
    assert_false(unpack_uint(&in, &number));
    in = unpack_from(text);
    assert_false(unpack_int(&in, &instant));
    in = unpack_from(text);
    assert_false(unpack_bool(&in, &flag));
    in = unpack_from(text);
    assert_false(unpack_double(&in, &real));
    in = unpack_from(text);
    assert_false(unpack_bin(&in, bytes, sizeof(bytes)));
    in = unpack_from(list);
    assert_false(unpack_text(&in, &read));
    in = unpack_from(list);
    assert_false(unpack_map(&in, &count));
    in = unpack_from(map);
    assert_false(unpack_array(&in, &count));
    in = unpack_from(SLICE("\xdc\x00\x02\x01")); /* one element is missing */
    assert_false(unpack_array(&in, &count));
    in = unpack_from(SLICE("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"));
    assert_false(unpack_int(&in, &instant));
}

static void a_value_is_passed_over_with_all_in_it(void **state)
{
    static const struct {
        struct slice bytes;
        size_t size; /* of the first value; 0: there is none */
    } cases[] = {
        {SLICE_INIT("\x01\x02"), 1},
        {SLICE_INIT("\xa2gh\x02"), 3},
        {SLICE_INIT("\xcf\0\0\0\0\0\0\0\1\x02"), 9},
        {SLICE_INIT("\x92\x91\x01\x81\x02\xa1g\x05"), 7},
        {SLICE_INIT("\xdc\x00\x01\xc0\x05"), 4},
        {SLICE_INIT("\x90\x05"), 1},
        {SLICE_INIT(""), 0},
        {SLICE_INIT("\xa2g"), 0},
        {SLICE_INIT("\x92\x01"), 0},
        {SLICE_INIT("\xc1"), 0},
        {SLICE_INIT("\xdd\xff\xff\xff\xff\x01"), 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct unpacker in = unpack_from(cases[i].bytes);
        const uint8_t *from = in.at;

        assert_int_equal(unpack_skip(&in), cases[i].size > 0);
        if (cases[i].size > 0) {
            assert_int_equal(in.at - from, cases[i].size);
        }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_value_is_passed_over_with_all_in_it),
    cmocka_unit_test(sound_values_are_accepted_and_others_refused),
    cmocka_unit_test(depth_ends_at_its_limit),
    cmocka_unit_test(what_the_library_writes_is_sound_and_its_pieces_are_not),
    cmocka_unit_test(what_is_sound_is_read_by_the_library),
    cmocka_unit_test(numbers_are_read_as_they_were_written),
    cmocka_unit_test(the_library_reads_the_same_numbers),
    cmocka_unit_test(signed_encodings_of_all_widths_are_read),
    cmocka_unit_test(texts_of_all_lengths_are_read),
    cmocka_unit_test(wrong_types_are_refused),
};
OD_TEST_MAIN(tests)
