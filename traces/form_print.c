/* From msgpack to JSON. */
#include "traces/form.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/check.h"
#include "base/id.h"
#include "base/utf8.h"
#include "traces/form_parts.h"

static const struct form plain = {.kind = FORM_PLAIN};

/* ---- texts and bytes ---- */

static void put(struct buf *out, const char *text)
{
    OD_CHECK(buf_append_text(out, text) == 0);
}

static void put_hex(struct buf *out, const char *prefix, struct slice bytes)
{
    static const char digits[] = "0123456789abcdef";

    OD_CHECK(buf_printf(out, "\"%s", prefix) == 0);
    OD_CHECK(buf_reserve(out, 2 * bytes.size + 1) == 0);
    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t byte = (uint8_t)bytes.data[i];

        out->data[out->size++] = digits[byte >> 4];
        out->data[out->size++] = digits[byte & 0xf];
    }
    out->data[out->size++] = '"';
}

static void put_escaped(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];

        if (c == '"' || c == '\\') {
            OD_CHECK(buf_printf(out, "\\%c", c) == 0);
        } else if ((unsigned char)c < 0x20 || c == 0x7f) {
            OD_CHECK(buf_printf(out, "\\u%04x", (unsigned)(unsigned char)c) == 0);
        } else {
            OD_CHECK(buf_append_byte(out, c) == 0);
        }
    }
}

bool form_has_prefix(struct slice text)
{
    for (size_t i = 0; i < FORM_PREFIXES; i++) {
        size_t size = strlen(form_prefixes[i]);

        if (text.size >= size && memcmp(text.data, form_prefixes[i], size) == 0) {
            return true;
        }
    }
    return false;
}

static void put_text(struct buf *out, struct slice text, bool needs_prefix)
{
    if (!utf8_is_valid(text)) {
        put_hex(out, "raw:", text);
        return;
    }
    put(out, needs_prefix || form_has_prefix(text) ? "\"text:" : "\"");
    put_escaped(out, text);
    put(out, "\"");
}

void form_print_text(struct slice text, struct buf *out)
{
    put_text(out, text, false);
}

static void put_bytes(struct buf *out, struct slice bytes, bool is_id)
{
    char text[UUID_TEXT_SIZE];
    struct uuid uuid;

    if (bytes.size != sizeof(uuid.bytes)) {
        put_hex(out, "hex:", bytes);
        return;
    }
    memcpy(uuid.bytes, bytes.data, sizeof(uuid.bytes));
    uuid_print(&uuid, text);
    OD_CHECK(buf_printf(out, "\"%s%s\"", is_id ? "" : "uuid:", text) == 0);
}

/* ---- numbers ---- */

static void put_uint(struct buf *out, uint64_t number)
{
    OD_CHECK(buf_printf(out, number > INT64_MAX ? "\"uint:%" PRIu64 "\"" : "%" PRIu64, number) ==
             0);
}

/* With a point or an exponent, so that it is read as a double again. */
static void put_double(struct buf *out, double number)
{
    char text[40];
    uint64_t bits;

    if (!isfinite(number)) {
        memcpy(&bits, &number, sizeof(bits));
        OD_CHECK(buf_printf(out, "\"double:%016" PRIx64 "\"", bits) == 0);
        return;
    }
    (void)snprintf(text, sizeof(text), "%.17g", number);
    put(out, text);
    if (strpbrk(text, ".e") == NULL) {
        put(out, ".0");
    }
}

/* ---- values ---- */

static bool print_value(const struct form *form, struct unpacker *in, struct buf *out,
                        unsigned depth);

static bool print_list(const struct form *item, size_t count, struct unpacker *in, struct buf *out,
                       unsigned depth)
{
    put(out, "[");
    for (size_t i = 0; i < count; i++) {
        put(out, i > 0 ? "," : "");
        if (!print_value(item, in, out, depth + 1)) {
            return false;
        }
    }
    put(out, "]");
    return true;
}

static void put_name(struct buf *out, const char *name, bool is_first)
{
    OD_CHECK(buf_printf(out, "%s\"%s\":", is_first ? "" : ",", name) == 0);
}

static bool print_tuple(const struct form *form, size_t count, struct unpacker *in, struct buf *out,
                        unsigned depth)
{
    const struct form_member *last = &form->members[form->member_count - 1];
    size_t i;

    if (count > form->member_count && !last->is_rest) {
        return false;
    }
    put(out, "{");
    for (i = 0; i < count && !form->members[i].is_rest; i++) {
        put_name(out, form->members[i].name, i == 0);
        if (!print_value(form->members[i].form, in, out, depth + 1)) {
            return false;
        }
    }
    if (i < count) {
        put_name(out, last->name, i == 0);
        if (!print_list(last->form, count - i, in, out, depth)) {
            return false;
        }
    }
    put(out, "}");
    return true;
}

static bool print_run(const struct form *form, size_t count, struct unpacker *in, struct buf *out,
                      unsigned depth)
{
    if (count % form->member_count != 0) {
        return false;
    }
    put(out, "[");
    for (size_t i = 0; i < count; i += form->member_count) {
        put(out, i > 0 ? "," : "");
        if (!print_tuple(form, form->member_count, in, out, depth + 1)) {
            return false;
        }
    }
    put(out, "]");
    return true;
}

static bool print_map(const struct form *form, struct unpacker *in, struct buf *out, unsigned depth)
{
    const struct form_member *member = form->members;
    const struct form_member *end = member + form->member_count;
    size_t count;

    if (!unpack_map(in, &count)) {
        return false;
    }
    put(out, "{");
    for (size_t i = 0; i < count; i++, member++) {
        uint64_t key;

        if (!unpack_uint(in, &key)) {
            return false;
        }
        while (member < end && member->key < key) {
            member++;
        }
        if (member == end || member->key != key) {
            return false;
        }
        put_name(out, member->name, i == 0);
        if (!print_value(member->form, in, out, depth + 1)) {
            return false;
        }
    }
    put(out, "}");
    return true;
}

static bool print_array(const struct form *form, struct unpacker *in, struct buf *out,
                        unsigned depth)
{
    size_t count;

    if (!unpack_array(in, &count)) {
        return false;
    }
    if (form->kind == FORM_TUPLE) {
        return print_tuple(form, count, in, out, depth);
    }
    if (form->kind == FORM_RUN) {
        return print_run(form, count, in, out, depth);
    }
    return print_list(form->kind == FORM_LIST ? form->item : &plain, count, in, out, depth);
}

static void put_number(const struct form *form, struct buf *out, uint64_t number)
{
    if (form->kind == FORM_HEX) {
        OD_CHECK(buf_printf(out, "\"%016" PRIx64 "\"", number) == 0);
    } else if (form->kind == FORM_WORD && number < form->word_count &&
               form->words[number] != NULL) {
        OD_CHECK(buf_printf(out, "\"%s\"", form->words[number]) == 0);
    } else {
        put_uint(out, number);
    }
}

static bool print_bytes(const struct form *form, struct unpacker *in, struct buf *out)
{
    struct slice bytes;

    if (!form_take_bytes(in, &bytes)) {
        return false;
    }
    put_bytes(out, bytes, form->kind == FORM_UUID);
    return true;
}

static bool print_scalar(const struct form *form, struct unpacker *in, struct buf *out)
{
    struct unpacker again = *in;
    struct slice text;
    uint64_t number;
    int64_t negative;
    double real;
    bool flag;

    if (unpack_uint(in, &number)) {
        put_number(form, out, number);
        return true;
    }
    *in = again;
    if (unpack_int(in, &negative)) {
        OD_CHECK(buf_printf(out, "%" PRId64, negative) == 0);
        return true;
    }
    *in = again;
    if (unpack_bool(in, &flag)) {
        put(out, flag ? "true" : "false");
        return true;
    }
    if (unpack_double(in, &real)) {
        put_double(out, real);
        return true;
    }
    *in = again;
    if (unpack_text(in, &text)) {
        put_text(out, text,
                 form->kind == FORM_UUID || form->kind == FORM_WORD || form->kind == FORM_HEX);
        return true;
    }
    *in = again;
    return print_bytes(form, in, out);
}

static bool print_value(const struct form *form, struct unpacker *in, struct buf *out,
                        unsigned depth)
{
    uint8_t tag;

    if (form == NULL) {
        form = &plain;
    }
    if (in->at == in->end || depth > UNPACK_DEPTH_MAX) {
        return false;
    }
    tag = *in->at;
    if (tag == 0xc0) {
        in->at++;
        put(out, "null");
        return true;
    }
    if (form->kind == FORM_MAP) {
        return print_map(form, in, out, depth);
    }
    if ((tag & 0xf0) == 0x90 || tag == 0xdc || tag == 0xdd) {
        return print_array(form, in, out, depth);
    }
    return print_scalar(form, in, out);
}

bool form_print(const struct form *form, struct unpacker *in, struct buf *out)
{
    return print_value(form, in, out, 0);
}
