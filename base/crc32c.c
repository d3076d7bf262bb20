#include "base/crc32c.h"

#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

/* A checksum is linear: that of a byte is the exclusive or of those of its bits. So a table of 256
 * is written as the checksums of the bits 0 to 7, which the compiler puts together. */
#define BIT(byte, bit, sum) ((byte) >> (bit)&1 ? UINT32_C(sum) : UINT32_C(0))
#define ONE(byte, s0, s1, s2, s3, s4, s5, s6, s7)                                                  \
    (BIT(byte, 0, s0) ^ BIT(byte, 1, s1) ^ BIT(byte, 2, s2) ^ BIT(byte, 3, s3) ^                   \
     BIT(byte, 4, s4) ^ BIT(byte, 5, s5) ^ BIT(byte, 6, s6) ^ BIT(byte, 7, s7))
#define FOUR(byte, ...)                                                                            \
    ONE(byte, __VA_ARGS__), ONE((byte) + 1, __VA_ARGS__), ONE((byte) + 2, __VA_ARGS__),            \
        ONE((byte) + 3, __VA_ARGS__)
#define SIXTEEN(byte, ...)                                                                         \
    FOUR(byte, __VA_ARGS__), FOUR((byte) + 4, __VA_ARGS__), FOUR((byte) + 8, __VA_ARGS__),         \
        FOUR((byte) + 12, __VA_ARGS__)
#define SIXTY_FOUR(byte, ...)                                                                      \
    SIXTEEN(byte, __VA_ARGS__), SIXTEEN((byte) + 16, __VA_ARGS__),                                 \
        SIXTEEN((byte) + 32, __VA_ARGS__), SIXTEEN((byte) + 48, __VA_ARGS__)
#define ALL(...)                                                                                   \
    SIXTY_FOUR(0, __VA_ARGS__), SIXTY_FOUR(64, __VA_ARGS__), SIXTY_FOUR(128, __VA_ARGS__),         \
        SIXTY_FOUR(192, __VA_ARGS__)

/* tables[k][b] is the remainder of byte b followed by k zero bytes, so that eight bytes are one
 * step of eight look-ups ("slicing by 8"). tables[0][128] is the polynomial, bits reversed. */
static const uint32_t tables[8][256] = {
    {ALL(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede, 0x417b1dbc,
         0x82f63b78)},
    {ALL(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302, 0xff17c604,
         0xfbc3faf9)},
    {ALL(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14, 0xc76580d9,
         0x8b277743)},
    {ALL(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b, 0xaba65fe7,
         0x52a0c93f)},
    {ALL(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, 0x8f2261d3, 0x1ba8b557, 0x37516aae,
         0x6ea2d55c)},
    {ALL(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, 0xc00c303e, 0x85f4168d, 0x0e045beb,
         0x1c08b7d6)},
    {ALL(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, 0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a,
         0xf56e0ef4)},
    {ALL(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, 0x847609b4, 0x0d006599, 0x1a00cb32,
         0x34019664)},
};

uint32_t crc32c_extend_by_table(uint32_t crc, const void *data, size_t size)
{
    const unsigned char *bytes = data;

    crc = ~crc;
    for (; size >= 8; size -= 8, bytes += 8) {
        uint32_t low;

        low = crc ^ ((uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
                     (uint32_t)bytes[3] << 24);
        crc = tables[7][low & 0xff] ^ tables[6][low >> 8 & 0xff] ^ tables[5][low >> 16 & 0xff] ^
              tables[4][low >> 24] ^ tables[3][bytes[4]] ^ tables[2][bytes[5]] ^
              tables[1][bytes[6]] ^ tables[0][bytes[7]];
    }
    for (; size > 0; size--, bytes++) {
        crc = crc >> 8 ^ tables[0][(crc ^ *bytes) & 0xff];
    }
    return ~crc;
}

#if defined(__x86_64__)

/* By the instruction of SSE 4.2, which has this polynomial built in. */
__attribute__((target("sse4.2"))) static uint32_t extend_by_instruction(uint32_t crc,
                                                                        const void *data,
                                                                        size_t size)
{
    const unsigned char *bytes = data;
    uint64_t wide = ~crc;

    for (; size >= 8; size -= 8, bytes += 8) {
        uint64_t word;

        memcpy(&word, bytes, sizeof(word));
        wide = _mm_crc32_u64(wide, word);
    }
    crc = (uint32_t)wide;
    for (; size > 0; size--, bytes++) {
        crc = _mm_crc32_u8(crc, *bytes);
    }
    return ~crc;
}

#endif

uint32_t crc32c_extend(uint32_t crc, const void *data, size_t size)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) {
        return extend_by_instruction(crc, data, size);
    }
#endif
    return crc32c_extend_by_table(crc, data, size);
}

uint32_t crc32c(const void *data, size_t size)
{
    return crc32c_extend(0, data, size);
}
