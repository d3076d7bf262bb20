/* The validator walks the heads of all values once, with a small stack of what is still open:
 *
 *   1. a head says how many bytes of its own follow and how many values it contains;
 *   2. both must fit into what is left (each value has at least one byte), else the value is
 *      refused before anyone allocates by its count;
 *   3. the value is sound when the outermost container closes exactly at the end.
 */
#include "storage/unpack.h"

/* What the head at `at` says: bytes of head and payload, and values within. False: no such tag, or
 * the head is cut off. */
struct unpack_head {
    uint64_t bytes;  /* head and payload */
    uint64_t values; /* elements, or keys and values */
    bool is_container;
};

/* How the tags 0xc0 to 0xdf are built: width of the length that follows, fixed bytes beside it,
 * values for each counted element (0: the length counts bytes). */
struct unpack_tag {
    uint8_t is_valid, length_width, fixed_bytes, values_each;
};

static const struct unpack_tag unpack_tags[0x20] = {
    [0x00] = {1, 0, 0, 0},                                                /* nil */
    [0x02] = {1, 0, 0, 0}, [0x03] = {1, 0, 0, 0},                         /* false, true */
    [0x04] = {1, 1, 0, 0}, [0x05] = {1, 2, 0, 0},  [0x06] = {1, 4, 0, 0}, /* bin */
    [0x07] = {1, 1, 1, 0}, [0x08] = {1, 2, 1, 0},  [0x09] = {1, 4, 1, 0}, /* ext */
    [0x0a] = {1, 0, 4, 0}, [0x0b] = {1, 0, 8, 0},                         /* float */
    [0x0c] = {1, 0, 1, 0}, [0x0d] = {1, 0, 2, 0},                         /* uint */
    [0x0e] = {1, 0, 4, 0}, [0x0f] = {1, 0, 8, 0},                         /* uint */
    [0x10] = {1, 0, 1, 0}, [0x11] = {1, 0, 2, 0},                         /* int */
    [0x12] = {1, 0, 4, 0}, [0x13] = {1, 0, 8, 0},                         /* int */
    [0x14] = {1, 0, 2, 0}, [0x15] = {1, 0, 3, 0},  [0x16] = {1, 0, 5, 0}, /* fixext */
    [0x17] = {1, 0, 9, 0}, [0x18] = {1, 0, 17, 0},                        /* fixext */
    [0x19] = {1, 1, 0, 0}, [0x1a] = {1, 2, 0, 0},  [0x1b] = {1, 4, 0, 0}, /* str */
    [0x1c] = {1, 2, 0, 1}, [0x1d] = {1, 4, 0, 1},                         /* array */
    [0x1e] = {1, 2, 0, 2}, [0x1f] = {1, 4, 0, 2},                         /* map */
};

static bool unpack_tagged(struct unpacker in, struct unpack_head *out)
{
    const struct unpack_tag *tag = &unpack_tags[*in.at - 0xc0];
    uint64_t length = 0;

    in.at++;
    if (tag->is_valid == 0 || !unpack_wide(&in, tag->length_width, &length)) {
        return false;
    }
    out->bytes = 1U + tag->length_width + tag->fixed_bytes + (tag->values_each == 0 ? length : 0);
    out->values = length * tag->values_each;
    out->is_container = tag->values_each != 0;
    return true;
}

static inline bool unpack_head(const struct unpacker *in, struct unpack_head *out)
{
    uint8_t tag = *in->at;

    *out = (struct unpack_head){.bytes = 1};
    if (tag < 0x80 || tag >= 0xe0) {
        return true; /* a small number */
    }
    if (tag < 0xa0) {
        out->values = (tag & 0x0fU) << (tag < 0x90 ? 1 : 0);
        out->is_container = true;
        return true;
    }
    if (tag < 0xc0) {
        out->bytes = 1 + (tag & 0x1fU);
        return true;
    }
    return unpack_tagged(*in, out);
}

bool unpack_validate(struct slice bytes)
{
    struct unpacker in = unpack_from(bytes);
    uint64_t open[UNPACK_DEPTH_MAX]; /* values still to come in the containers around this one */
    unsigned depth = 0;
    uint64_t values = 1;

    while (true) {
        struct unpack_head head;

        while (values == 0 && depth > 0) {
            values = open[--depth];
        }
        if (values == 0) {
            return in.at == in.end;
        }
        values--;
        if (in.at == in.end || !unpack_head(&in, &head) || head.bytes > unpack_left(&in)) {
            return false;
        }
        in.at += head.bytes;
        if (head.is_container) {
            if (depth == UNPACK_DEPTH_MAX || head.values > unpack_left(&in)) {
                return false;
            }
            open[depth++] = values;
            values = head.values;
        }
    }
}

/* Nil, a boolean or a number that is its own tag. */
static inline bool is_one_byte(uint8_t tag)
{
    return tag < 0x80 || tag >= 0xe0 || tag == 0xc0 || tag == 0xc2 || tag == 0xc3;
}

bool unpack_skip(struct unpacker *in)
{
    uint64_t values = 1;

    if (in->at != in->end && is_one_byte(*in->at)) {
        in->at++;
        return true;
    }
    while (values > 0) {
        struct unpack_head head;

        if (in->at == in->end || !unpack_head(in, &head) || head.bytes > unpack_left(in)) {
            return false;
        }
        in->at += head.bytes;
        values--;
        if (head.is_container) {
            if (head.values > unpack_left(in)) {
                return false;
            }
            values += head.values;
        }
    }
    return true;
}

bool unpack_int(struct unpacker *in, int64_t *out)
{
    uint64_t number;
    uint8_t tag;

    if (in->at == in->end) {
        return false;
    }
    tag = *in->at;
    if (tag < 0x80 || (tag >= 0xcc && tag <= 0xcf)) {
        if (!unpack_uint(in, &number) || number > INT64_MAX) {
            return false;
        }
        *out = (int64_t)number;
        return true;
    }
    in->at++;
    if (tag >= 0xe0) {
        *out = (int64_t)tag - 0x100;
        return true;
    }
    if (tag < 0xd0 || tag > 0xd3 || !unpack_wide(in, 1U << (tag - 0xd0), &number)) {
        return false;
    }
    switch (tag) {
    case 0xd0: *out = number < 0x80 ? (int64_t)number : (int64_t)number - 0x100; break;
    case 0xd1: *out = (int16_t)number; break;
    case 0xd2: *out = (int32_t)number; break;
    default: *out = (int64_t)number; break;
    }
    return true;
}

bool unpack_text(struct unpacker *in, struct slice *out)
{
    uint64_t size;
    uint8_t tag;

    if (in->at == in->end) {
        return false;
    }
    tag = *in->at++;
    if (tag >= 0xa0 && tag < 0xc0) {
        size = tag & 0x1fU;
    } else if (tag < 0xd9 || tag > 0xdb || !unpack_wide(in, 1U << (tag - 0xd9), &size)) {
        return false;
    }
    if (size > unpack_left(in)) {
        return false;
    }
    *out = slice_make((const char *)in->at, (size_t)size);
    in->at += size;
    return true;
}

/* The count behind a head of 16 or 32 bits, or within a small one that starts with `small`. */
static bool unpack_count(struct unpacker *in, uint8_t small, uint8_t wide, size_t *count)
{
    uint64_t number;
    uint8_t tag;

    if (in->at == in->end) {
        return false;
    }
    tag = *in->at++;
    if ((tag & 0xf0) == small) {
        number = tag & 0x0fU;
    } else if ((tag != wide && tag != wide + 1) || !unpack_wide(in, 2U << (tag - wide), &number)) {
        return false;
    }
    if (number > unpack_left(in)) {
        return false;
    }
    *count = (size_t)number;
    return true;
}

bool unpack_array(struct unpacker *in, size_t *count)
{
    return unpack_count(in, 0x90, 0xdc, count);
}

bool unpack_map(struct unpacker *in, size_t *count)
{
    return unpack_count(in, 0x80, 0xde, count);
}
