/* Writing msgpack (the format's specification, msgpack.org) straight into memory that the caller
 * has made large enough: a byte or two an item, no call, no allocation. msgpack-c's packer writes
 * through a callback an item.
 *
 * Every function returns the place behind what it wrote.
 */
#ifndef OUTDIAL_STORAGE_PACK_H
#define OUTDIAL_STORAGE_PACK_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"

/* The most bytes that an item's head takes: a number whole, of a text all but its bytes. */
#define PACK_HEAD_MAX 9

static inline uint8_t *pack_u16(uint8_t *at, uint8_t tag, uint16_t number)
{
    uint16_t big = htobe16(number);

    *at = tag;
    memcpy(at + 1, &big, sizeof(big));
    return at + 1 + sizeof(big);
}

static inline uint8_t *pack_u32(uint8_t *at, uint8_t tag, uint32_t number)
{
    uint32_t big = htobe32(number);

    *at = tag;
    memcpy(at + 1, &big, sizeof(big));
    return at + 1 + sizeof(big);
}

static inline uint8_t *pack_u64(uint8_t *at, uint8_t tag, uint64_t number)
{
    uint64_t big = htobe64(number);

    *at = tag;
    memcpy(at + 1, &big, sizeof(big));
    return at + 1 + sizeof(big);
}

static inline uint8_t *pack_uint(uint8_t *at, uint64_t number)
{
    if (number < 0x80) {
        *at = (uint8_t)number;
        return at + 1;
    }
    if (number <= UINT8_MAX) {
        at[0] = 0xcc;
        at[1] = (uint8_t)number;
        return at + 2;
    }
    if (number <= UINT16_MAX) {
        return pack_u16(at, 0xcd, (uint16_t)number);
    }
    if (number <= UINT32_MAX) {
        return pack_u32(at, 0xce, (uint32_t)number);
    }
    return pack_u64(at, 0xcf, number);
}

/* Negative numbers, which are rare here, take 9 bytes unless they are small. */
static inline uint8_t *pack_int(uint8_t *at, int64_t number)
{
    if (number >= 0) {
        return pack_uint(at, (uint64_t)number);
    }
    if (number >= -32) {
        *at = (uint8_t)number;
        return at + 1;
    }
    return pack_u64(at, 0xd3, (uint64_t)number);
}

static inline uint8_t *pack_bool(uint8_t *at, bool value)
{
    *at = value ? 0xc3 : 0xc2;
    return at + 1;
}

static inline uint8_t *pack_double(uint8_t *at, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    return pack_u64(at, 0xcb, bits);
}

static inline uint8_t *pack_bin(uint8_t *at, const void *bytes, uint8_t size)
{
    at[0] = 0xc4;
    at[1] = size;
    memcpy(at + 2, bytes, size);
    return at + 2 + size;
}

static inline uint8_t *pack_text(uint8_t *at, struct slice text)
{
    if (text.size < 32) {
        *at++ = (uint8_t)(0xa0 | text.size);
    } else if (text.size <= UINT8_MAX) {
        *at++ = 0xd9;
        *at++ = (uint8_t)text.size;
    } else if (text.size <= UINT16_MAX) {
        at = pack_u16(at, 0xda, (uint16_t)text.size);
    } else {
        at = pack_u32(at, 0xdb, (uint32_t)text.size);
    }
    if (text.size > 0) {
        memcpy(at, text.data, text.size);
    }
    return at + text.size;
}

static inline uint8_t *pack_array(uint8_t *at, size_t count)
{
    if (count < 16) {
        *at = (uint8_t)(0x90 | count);
        return at + 1;
    }
    if (count <= UINT16_MAX) {
        return pack_u16(at, 0xdc, (uint16_t)count);
    }
    return pack_u32(at, 0xdd, (uint32_t)count);
}

#endif
