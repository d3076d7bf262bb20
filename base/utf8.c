#include "base/utf8.h"

size_t utf8_decode(struct slice text, uint32_t *code_point)
{
    /* By length: the smallest code point that needs it, so that overlong forms are seen. */
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)text.data;
    uint32_t value;
    size_t length;

    if (text.size == 0) {
        return 0;
    }
    if (bytes[0] < 0x80) {
        *code_point = bytes[0];
        return 1;
    }
    if (bytes[0] < 0xc2 || bytes[0] > 0xf4) {
        return 0;
    }
    length = bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;
    if (text.size < length) {
        return 0;
    }
    value = bytes[0] & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
        value = value << 6 | (bytes[i] & 0x3fu);
    }
    if (value < smallest[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
        return 0;
    }
    *code_point = value;
    return length;
}

bool utf8_is_valid(struct slice text)
{
    uint32_t code_point;

    while (text.size > 0) {
        size_t length = utf8_decode(text, &code_point);

        if (length == 0) {
            return false;
        }
        text = slice_make(text.data + length, text.size - length);
    }
    return true;
}

size_t utf8_length(struct slice text)
{
    uint32_t code_point;
    size_t count = 0;

    while (text.size > 0) {
        size_t length = utf8_decode(text, &code_point);

        length += length == 0;
        text = slice_make(text.data + length, text.size - length);
        count++;
    }
    return count;
}
