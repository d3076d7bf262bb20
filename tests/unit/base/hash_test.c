#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/od_test.h"

static int compare_numbers(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

static void bytes_hash_alike_wherever_they_lie(void **state)
{
    char data[200];
    char copy[216];

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (char)(i * 7);
    }
    for (size_t start = 0; start < 16; start++) {
        memcpy(copy + start, data, sizeof(data));
        for (size_t size = 0; size <= sizeof(data); size++) {
            assert_true(hash_bytes(data, size) == hash_bytes(copy + start, size));
        }
    }
    assert_true(hash_bytes(NULL, 0) == hash_bytes("", 0));
}

static void each_byte_and_the_size_change_the_hash(void **state)
{
    char data[130] = {0};

    (void)state;
    for (size_t size = 1; size <= sizeof(data); size++) {
        uint64_t hash = hash_bytes(data, size);

        assert_true(hash_bytes(data, size - 1) != hash);
        for (size_t i = 0; i < size; i++) {
            data[i] = 1;
            assert_true(hash_bytes(data, size) != hash);
            data[i] = 0;
        }
    }
}

static void similar_keys_do_not_collide(void **state)
{
    static uint64_t hashes[200000];
    size_t count = sizeof(hashes) / sizeof(hashes[0]);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        char key[32];
        int size = snprintf(key, sizeof(key), "+4930%08zu", i);

        hashes[i] = hash_bytes(key, (size_t)size);
    }
    qsort(hashes, count, sizeof(hashes[0]), compare_numbers);
    for (size_t i = 1; i < count; i++) {
        assert_true(hashes[i - 1] != hashes[i]);
    }
}

/* 65536 keys into 256 places by 8 bits: 256 each, with a spread of 16. */
static void low_and_high_bits_are_spread_evenly(void **state)
{
    int low[256] = {0};
    int high[256] = {0};
    int number[256] = {0};

    (void)state;
    for (uint64_t i = 0; i < 65536; i++) {
        uint64_t hash = hash_bytes(&i, sizeof(i));

        low[hash & 255]++;
        high[hash >> 56]++;
        number[hash_number(i) & 255]++;
    }
    for (int i = 0; i < 256; i++) {
        assert_in_range(low[i], 256 - 96, 256 + 96);
        assert_in_range(high[i], 256 - 96, 256 + 96);
        assert_in_range(number[i], 256 - 96, 256 + 96);
    }
}

/* The first numbers of splitmix64 for the seed 1234567, as published with the algorithm. */
static void a_seed_repeats_its_sequence(void **state)
{
    static const uint64_t expected[] = {
        UINT64_C(6457827717110365317),  UINT64_C(3203168211198807973),
        UINT64_C(9817491932198370423),  UINT64_C(4593380528125082431),
        UINT64_C(16408922859458223821),
    };
    struct prng prng;

    (void)state;
    prng_seed(&prng, 1234567);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_true(prng_next(&prng) == expected[i]);
    }
}

static void numbers_below_a_limit_are_below_it_and_even(void **state)
{
    static const uint64_t limits[] = {1, 2, 3, 7, 10, 1000, UINT64_C(1) << 63, UINT64_MAX};
    int counts[7] = {0};
    struct prng prng;

    (void)state;
    prng_seed(&prng, 5);
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        for (int k = 0; k < 1000; k++) {
            assert_true(prng_below(&prng, limits[i]) < limits[i]);
        }
    }
    for (int i = 0; i < 70000; i++) {
        counts[prng_below(&prng, 7)]++;
    }
    for (int i = 0; i < 7; i++) {
        assert_in_range(counts[i], 9600, 10400);
    }
}

/* Two thirds of 2^64: without drawing again, even numbers would be twice as likely as odd ones. */
static void a_limit_that_does_not_divide_the_range_favours_none(void **state)
{
    uint64_t limit = UINT64_MAX / 3 * 2;
    int even = 0;
    struct prng prng;

    (void)state;
    prng_seed(&prng, 8);
    for (int i = 0; i < 10000; i++) {
        even += prng_below(&prng, limit) % 2 == 0;
    }
    assert_in_range(even, 4700, 5300);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(bytes_hash_alike_wherever_they_lie),
    cmocka_unit_test(each_byte_and_the_size_change_the_hash),
    cmocka_unit_test(similar_keys_do_not_collide),
    cmocka_unit_test(low_and_high_bits_are_spread_evenly),
    cmocka_unit_test(a_seed_repeats_its_sequence),
    cmocka_unit_test(numbers_below_a_limit_are_below_it_and_even),
    cmocka_unit_test(a_limit_that_does_not_divide_the_range_favours_none),
};

OD_TEST_MAIN(tests)
