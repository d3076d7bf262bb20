#include "base/hash.h"

#include <string.h>

#include "base/check.h"

/* The constants of wyhash, final version 4: odd, half of the bits set, far apart. */
#define HASH_A UINT64_C(0x2d358dccaa6c78a5)
#define HASH_B UINT64_C(0x8bb84b93962eacc9)

__extension__ typedef unsigned __int128 hash_wide;

/* Multiplies to 128 bits and folds the halves: each bit of the result hangs on all bits. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
    hash_wide product = (hash_wide)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t read_8(const unsigned char *data)
{
    uint64_t word;

    memcpy(&word, data, sizeof(word));
    return word;
}

static inline uint64_t read_4(const unsigned char *data)
{
    uint32_t word;

    memcpy(&word, data, sizeof(word));
    return word;
}

/* Reads up to 16 bytes into two words without a loop: from 4 on by reads that overlap in the
 * middle, below by the first, the middle and the last byte. */
static inline void read_short(const unsigned char *data, size_t size, uint64_t *a, uint64_t *b)
{
    if (size >= 4) {
        const unsigned char *end = data + size - 4;
        size_t step = (size >> 3) << 2;

        *a = read_4(data) << 32 | read_4(data + step);
        *b = read_4(end) << 32 | read_4(end - step);
    } else if (size > 0) {
        *a = (uint64_t)data[0] << 16 | (uint64_t)data[size >> 1] << 8 | data[size - 1];
        *b = 0;
    } else {
        *a = 0;
        *b = 0;
    }
}

uint64_t hash_bytes(const void *data, size_t size)
{
    const unsigned char *next = data;
    uint64_t state = mix(HASH_A, HASH_B);
    size_t left = size;
    uint64_t a;
    uint64_t b;

    if (size <= 16) {
        read_short(next, size, &a, &b);
    } else {
        for (; left > 16; left -= 16) {
            state = mix(read_8(next) ^ HASH_B, read_8(next + 8) ^ state);
            next += 16;
        }
        /* The last 16 bytes, some of which may have been read already. */
        a = read_8(next + left - 16);
        b = read_8(next + left - 8);
    }
    return mix(HASH_A ^ size, mix(a ^ HASH_B, b ^ state));
}

/* The finisher of splitmix64 (Steele, Lea, Flood 2014, variant 13 of Stafford): a bijection. */
uint64_t hash_number(uint64_t number)
{
    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
    return number ^ number >> 31;
}

void prng_seed(struct prng *prng, uint64_t seed)
{
    prng->state = seed;
}

uint64_t prng_next(struct prng *prng)
{
    prng->state += UINT64_C(0x9e3779b97f4a7c15);
    return hash_number(prng->state);
}

/* Lemire 2019: the upper half of a product is the number; the lower half shows the few products
 * that would make some numbers likelier than others, and those are drawn again. */
uint64_t prng_below(struct prng *prng, uint64_t n)
{
    hash_wide product;

    OD_CHECK(n >= 1);
    product = (hash_wide)prng_next(prng) * n;
    if ((uint64_t)product < n) {
        uint64_t uneven = (0 - n) % n;

        while ((uint64_t)product < uneven) {
            product = (hash_wide)prng_next(prng) * n;
        }
    }
    return (uint64_t)(product >> 64);
}
