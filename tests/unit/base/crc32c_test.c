#include "base/crc32c.h"

#include <string.h>

#include "base/hash.h"
#include "tests/support/od_test.h"

/* The definition, bit by bit. */
static uint32_t crc32c_by_bits(const unsigned char *data, size_t size)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ ((crc & 1) != 0 ? UINT32_C(0x82f63b78) : 0);
        }
    }
    return ~crc;
}

static void the_examples_of_rfc_3720_are_met(void **state)
{
    unsigned char zeros[32];
    unsigned char ones[32];
    unsigned char up[32];
    unsigned char down[32];

    (void)state;
    for (unsigned i = 0; i < 32; i++) {
        zeros[i] = 0;
        ones[i] = 0xff;
        up[i] = (unsigned char)i;
        down[i] = (unsigned char)(31 - i);
    }
    assert_int_equal(crc32c("", 0), 0);
    assert_int_equal(crc32c(NULL, 0), 0);
    assert_int_equal(crc32c("123456789", 9), 0xe3069283);
    assert_int_equal(crc32c(zeros, 32), 0x8a9136aa);
    assert_int_equal(crc32c(ones, 32), 0x62a8ab43);
    assert_int_equal(crc32c(up, 32), 0x46dd794e);
    assert_int_equal(crc32c(down, 32), 0x113fdb5c);
}

static void instruction_table_and_definition_agree(void **state)
{
    unsigned char data[600];
    struct prng prng;

    (void)state;
    prng_seed(&prng, 3);
    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (unsigned char)prng_next(&prng);
    }
    for (size_t start = 0; start < 9; start++) {
        for (size_t size = 0; size < 512; size++) {
            uint32_t expected = crc32c_by_bits(data + start, size);

            assert_int_equal(crc32c(data + start, size), expected);
            assert_int_equal(crc32c_extend_by_table(0, data + start, size), expected);
        }
    }
}

static void a_checksum_in_pieces_is_that_of_the_whole(void **state)
{
    const char *text = "The quick brown fox jumps over the lazy dog";
    uint32_t whole = crc32c(text, strlen(text));

    (void)state;
    for (size_t cut = 0; cut <= strlen(text); cut++) {
        uint32_t head = crc32c(text, cut);

        assert_int_equal(crc32c_extend(head, text + cut, strlen(text) - cut), whole);
        assert_int_equal(crc32c_extend_by_table(head, text + cut, strlen(text) - cut), whole);
    }
}

static void each_flipped_bit_is_seen(void **state)
{
    unsigned char data[64] = "a record with its checksum";
    uint32_t sum = crc32c(data, sizeof(data));

    (void)state;
    for (size_t bit = 0; bit < 8 * sizeof(data); bit++) {
        data[bit / 8] ^= (unsigned char)(1u << bit % 8);
        assert_int_not_equal(crc32c(data, sizeof(data)), sum);
        data[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    assert_int_equal(crc32c(data, sizeof(data)), sum);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_examples_of_rfc_3720_are_met),
    cmocka_unit_test(instruction_table_and_definition_agree),
    cmocka_unit_test(a_checksum_in_pieces_is_that_of_the_whole),
    cmocka_unit_test(each_flipped_bit_is_seen),
};

OD_TEST_MAIN(tests)
