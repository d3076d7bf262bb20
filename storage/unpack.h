/* Reading msgpack out of memory, without an allocation: what pack.h writes, and any other encoding
 * of the same values. Nothing is read beyond the end, whatever the bytes are.
 */
#ifndef OUTDIAL_STORAGE_UNPACK_H
#define OUTDIAL_STORAGE_UNPACK_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"

/* Containers within containers, beyond which a value is refused (reliability.md 2.4). */
#define UNPACK_DEPTH_MAX 16

struct unpacker {
    const uint8_t *at, *end;
};

static inline struct unpacker unpack_from(struct slice bytes)
{
    const uint8_t *at = (const uint8_t *)bytes.data;

    return (struct unpacker){at, bytes.size > 0 ? at + bytes.size : at};
}

static inline size_t unpack_left(const struct unpacker *in)
{
    return (size_t)(in->end - in->at);
}

/* True when the bytes are exactly one value whose every length and count fits into them and whose
 * depth is at most UNPACK_DEPTH_MAX: only then may anything be allocated by what they say. */
bool unpack_validate(struct slice bytes);

/* All of these return false for another type, a number out of range, or bytes that end too soon;
 * the position is then undefined. */

/* The numbers of `width` bytes, big-endian, that follow the tag. */
static inline bool unpack_wide(struct unpacker *in, unsigned width, uint64_t *out)
{
    uint64_t number = 0;

    if (unpack_left(in) < width) {
        return false;
    }
    for (unsigned i = 0; i < width; i++) {
        number = number << 8 | in->at[i];
    }
    in->at += width;
    *out = number;
    return true;
}

/* The fast path is one byte; an instant, the commonest of the others, has a tag of its own. */
static inline bool unpack_uint(struct unpacker *in, uint64_t *out)
{
    uint8_t tag;

    if (in->at == in->end) {
        return false;
    }
    tag = *in->at++;
    if (tag < 0x80) {
        *out = tag;
        return true;
    }
    if (tag == 0xcf && unpack_left(in) >= sizeof(uint64_t)) {
        uint64_t big;

        memcpy(&big, in->at, sizeof(big));
        in->at += sizeof(big);
        *out = be64toh(big);
        return true;
    }
    if (tag < 0xcc || tag > 0xcf) {
        return false;
    }
    return unpack_wide(in, 1U << (tag - 0xcc), out);
}

/* Also the signed encodings, which other writers may choose for a positive number. */
bool unpack_int(struct unpacker *in, int64_t *out);

static inline bool unpack_bool(struct unpacker *in, bool *out)
{
    if (in->at == in->end || (*in->at | 1) != 0xc3) {
        return false;
    }
    *out = *in->at++ == 0xc3;
    return true;
}

static inline bool unpack_double(struct unpacker *in, double *out)
{
    uint64_t bits;

    if (in->at == in->end || *in->at != 0xcb) {
        return false;
    }
    in->at++;
    if (!unpack_wide(in, sizeof(bits), &bits)) {
        return false;
    }
    memcpy(out, &bits, sizeof(bits));
    return true;
}

/* Binary of exactly `size` bytes. */
static inline bool unpack_bin(struct unpacker *in, void *out, uint8_t size)
{
    if (unpack_left(in) < 2U + size || in->at[0] != 0xc4 || in->at[1] != size) {
        return false;
    }
    memcpy(out, in->at + 2, size);
    in->at += 2 + size;
    return true;
}

/* The text is borrowed from the bytes. */
bool unpack_text(struct unpacker *in, struct slice *out);

/* Passes over one value, of whatever type, with all that is in it. */
bool unpack_skip(struct unpacker *in);

/* The number of elements that follow, never more than bytes are left. */
bool unpack_array(struct unpacker *in, size_t *count);

/* The number of pairs that follow. */
bool unpack_map(struct unpacker *in, size_t *count);

#endif
