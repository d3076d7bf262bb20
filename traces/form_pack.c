/* From JSON to msgpack. */
#include "traces/form.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/id.h"
#include "storage/pack.h"
#include "traces/form_parts.h"

const char *const form_prefixes[FORM_PREFIXES] = {
    "uuid:", "hex:", "uint:", "double:", "raw:", "text:"};

static const struct form plain = {.kind = FORM_PLAIN};

bool form_take_bytes(struct unpacker *in, struct slice *out)
{
    uint64_t size;
    uint8_t tag;

    if (in->at == in->end) {
        return false;
    }
    tag = *in->at++;
    if (tag < 0xc4 || tag > 0xc6 || !unpack_wide(in, 1U << (tag - 0xc4), &size) ||
        size > unpack_left(in)) {
        return false;
    }
    *out = slice_make((const char *)in->at, (size_t)size);
    in->at += size;
    return true;
}

/* ---- output ---- */

/* Room for a head and `more` bytes; the place to write at. */
static uint8_t *room(struct buf *out, size_t more)
{
    OD_CHECK(buf_reserve(out, PACK_HEAD_MAX + more) == 0);
    return (uint8_t *)out->data + out->size;
}

static void wrote(struct buf *out, const uint8_t *end)
{
    out->size = (size_t)(end - (const uint8_t *)out->data);
}

static void put_bytes(struct buf *out, struct slice bytes)
{
    uint8_t *at = room(out, bytes.size);

    if (bytes.size <= UINT8_MAX) {
        at[0] = 0xc4;
        at[1] = (uint8_t)bytes.size;
        at += 2;
    } else if (bytes.size <= UINT16_MAX) {
        at = pack_u16(at, 0xc5, (uint16_t)bytes.size);
    } else {
        at = pack_u32(at, 0xc6, (uint32_t)bytes.size);
    }
    if (bytes.size > 0) {
        memcpy(at, bytes.data, bytes.size);
    }
    wrote(out, at + bytes.size);
}

/* The head's width hangs on how many keys there may be, as in storage/record.c. */
static void put_map(struct buf *out, size_t most, size_t count)
{
    uint8_t *at = room(out, 0);

    OD_CHECK(count <= most);
    OD_CHECK(most <= UINT8_MAX);
    if (most < 16) {
        *at++ = (uint8_t)(0x80 | count);
    } else {
        at = pack_u16(at, 0xde, (uint16_t)count);
    }
    wrote(out, at);
}

/* ---- strings ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(struct slice text, struct buf *out)
{
    for (size_t i = 0; i + 1 < text.size; i += 2) {
        int high = hex_digit(text.data[i]);
        int low = hex_digit(text.data[i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }
        OD_CHECK(buf_append_byte(out, (char)(uint8_t)(high << 4 | low)) == 0);
    }
    return text.size % 2 == 0;
}

static bool pack_hex(struct slice digits, bool is_text, struct buf *out)
{
    struct buf bytes;
    bool is_good;

    buf_init(&bytes);
    is_good = read_hex(digits, &bytes);
    if (is_good && is_text) {
        wrote(out, pack_text(room(out, bytes.size), buf_slice(&bytes)));
    } else if (is_good) {
        put_bytes(out, buf_slice(&bytes));
    }
    buf_deinit(&bytes);
    return is_good;
}

static bool pack_uuid(struct slice text, struct buf *out)
{
    struct uuid uuid;

    if (!uuid_parse(text, &uuid)) {
        return false;
    }
    put_bytes(out, slice_make((const char *)uuid.bytes, sizeof(uuid.bytes)));
    return true;
}

static bool pack_big(struct slice digits, struct buf *out)
{
    uint64_t number = 0;

    for (size_t i = 0; i < digits.size; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9' ||
            __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(digits.data[i] - '0'), &number)) {
            return false;
        }
    }
    wrote(out, pack_uint(room(out, 0), number));
    return digits.size > 0;
}

static bool read_bits(struct slice digits, uint64_t *out)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < digits.size; i++) {
        int digit = hex_digit(digits.data[i]);

        if (digit < 0) {
            return false;
        }
        bits = bits << 4 | (uint64_t)digit;
    }
    *out = bits;
    return digits.size == 16;
}

static bool pack_bits(struct slice digits, struct buf *out)
{
    uint64_t bits;
    double number;

    if (!read_bits(digits, &bits)) {
        return false;
    }
    memcpy(&number, &bits, sizeof(number));
    wrote(out, pack_double(room(out, 0), number));
    return true;
}

static bool pack_prefixed(struct slice text, struct buf *out)
{
    struct slice rest = {NULL, 0};
    unsigned which = 0;

    while (which < FORM_PREFIXES) {
        size_t size = strlen(form_prefixes[which]);

        if (text.size >= size && memcmp(text.data, form_prefixes[which], size) == 0) {
            rest = slice_make(text.data + size, text.size - size);
            break;
        }
        which++;
    }
    switch (which) {
    case 0: return pack_uuid(rest, out);
    case 1: return pack_hex(rest, false, out);
    case 2: return pack_big(rest, out);
    case 3: return pack_bits(rest, out);
    case 4: return pack_hex(rest, true, out);
    case 5: text = rest; break;
    default: break;
    }
    wrote(out, pack_text(room(out, text.size), text));
    return true;
}

static bool pack_word(const struct form *form, struct slice text, struct buf *out)
{
    for (size_t i = 0; i < form->word_count; i++) {
        if (form->words[i] != NULL && slice_equal_text(text, form->words[i])) {
            wrote(out, pack_uint(room(out, 0), i));
            return true;
        }
    }
    return false;
}

static bool pack_digest(struct slice text, struct buf *out)
{
    uint64_t number;

    if (!read_bits(text, &number)) {
        return false;
    }
    wrote(out, pack_uint(room(out, 0), number));
    return true;
}

static int pack_string(const struct form *form, const json_t *json, struct buf *out,
                       struct od_error *error)
{
    struct slice text = slice_make(json_string_value(json), json_string_length(json));

    if (!form_has_prefix(text) && form->kind == FORM_WORD) {
        return pack_word(form, text, out) ? 0 : od_error_set(error, OD_EINVAL, "no such word");
    }
    if (!form_has_prefix(text) && form->kind == FORM_UUID) {
        return pack_uuid(text, out) ? 0 : od_error_set(error, OD_EINVAL, "must be an id");
    }
    if (!form_has_prefix(text) && form->kind == FORM_HEX) {
        return pack_digest(text, out)
                   ? 0
                   : od_error_set(error, OD_EINVAL, "must be 16 hexadecimal digits");
    }
    return pack_prefixed(text, out) ? 0
                                    : od_error_set(error, OD_EINVAL, "not what its prefix says");
}

/* ---- values ---- */

static int pack_value(const struct form *form, const json_t *json, struct buf *out, unsigned depth,
                      struct od_error *error);

/* The place goes in front of a fault. "a: b[3]: reason" would be of more than one fault, so places
 * are joined by who is above. */
static int at_name(struct od_error *error, int code, const char *name)
{
    if (code != 0) {
        od_error_prefix(error, "%.64s", name);
    }
    return code;
}

static int pack_items(const struct form *item, const json_t *json, struct buf *out, unsigned depth,
                      struct od_error *error)
{
    for (size_t i = 0; i < json_array_size(json); i++) {
        int code = pack_value(item, json_array_get(json, i), out, depth + 1, error);

        if (code != 0) {
            od_error_prefix(error, "[%zu]", i);
            return code;
        }
    }
    return 0;
}

static int pack_run(const struct form *form, const json_t *json, struct buf *out, unsigned depth,
                    struct od_error *error);

static int pack_list(const struct form *form, const json_t *json, struct buf *out, unsigned depth,
                     struct od_error *error)
{
    if (form->kind == FORM_RUN) {
        return pack_run(form, json, out, depth, error);
    }
    wrote(out, pack_array(room(out, 0), json_array_size(json)));
    return pack_items(form->kind == FORM_LIST ? form->item : &plain, json, out, depth, error);
}

/* Whether the object has no other properties. */
static int check_names(const struct form *form, const json_t *json, struct od_error *error)
{
    const char *name;
    json_t *value;
    /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
    json_t *object = (json_t *)(uintptr_t)json; /* jansson's macro reads, and asks for more */

    json_object_foreach(object, name, value)
    {
        bool is_known = false;

        (void)value;
        for (size_t i = 0; i < form->member_count && !is_known; i++) {
            is_known = strcmp(name, form->members[i].name) == 0;
        }
        if (!is_known) {
            return od_error_set(error, OD_EINVAL, "%.64s: there is no such field", name);
        }
    }
    return 0;
}

static int pack_rest(const struct form_member *member, const json_t *json, struct buf *out,
                     unsigned depth, struct od_error *error)
{
    if (!json_is_array(json)) {
        return od_error_set(error, OD_EINVAL, "must be an array");
    }
    return pack_items(member->form, json, out, depth, error);
}

/* The first `named` places of a tuple, without the array's head. */
static int pack_places(const struct form *form, size_t named, const json_t *json, struct buf *out,
                       unsigned depth, struct od_error *error)
{
    int code = 0;

    for (size_t i = 0; i < named && code == 0; i++) {
        const struct form_member *member = &form->members[i];
        const json_t *value = json_object_get(json, member->name);

        if (value == NULL) {
            code = od_error_set(error, OD_EINVAL, "is missing");
        } else if (member->is_rest) {
            code = pack_rest(member, value, out, depth, error);
        } else {
            code = pack_value(member->form, value, out, depth + 1, error);
        }
        code = at_name(error, code, member->name);
    }
    return code;
}

static int pack_tuple(const struct form *form, const json_t *json, struct buf *out, unsigned depth,
                      struct od_error *error)
{
    size_t named = json_object_size(json);
    size_t count = named;

    if (named > 0 && named == form->member_count && form->members[named - 1].is_rest) {
        count += json_array_size(json_object_get(json, form->members[named - 1].name)) - 1;
    }
    wrote(out, pack_array(room(out, 0), count));
    return pack_places(form, named, json, out, depth, error);
}

static int pack_run(const struct form *form, const json_t *json, struct buf *out, unsigned depth,
                    struct od_error *error)
{
    int code = 0;

    wrote(out, pack_array(room(out, 0), form->member_count * json_array_size(json)));
    for (size_t i = 0; i < json_array_size(json) && code == 0; i++) {
        const json_t *item = json_array_get(json, i);

        code = json_is_object(item) ? check_names(form, item, error)
                                    : od_error_set(error, OD_EINVAL, "must be an object");
        if (code == 0) {
            code = pack_places(form, form->member_count, item, out, depth, error);
        }
        if (code != 0) {
            od_error_prefix(error, "[%zu]", i);
        }
    }
    return code;
}

static int pack_map(const struct form *form, const json_t *json, struct buf *out, unsigned depth,
                    struct od_error *error)
{
    int code = 0;

    put_map(out, form->member_count, json_object_size(json));
    for (size_t i = 0; i < form->member_count && code == 0; i++) {
        const struct form_member *member = &form->members[i];
        const json_t *value = json_object_get(json, member->name);

        if (value != NULL) {
            wrote(out, pack_uint(room(out, 0), member->key));
            code = at_name(error, pack_value(member->form, value, out, depth + 1, error),
                           member->name);
        }
    }
    return code;
}

static int pack_object(const struct form *form, const json_t *json, struct buf *out, unsigned depth,
                       struct od_error *error)
{
    int code;

    if (form->kind != FORM_MAP && form->kind != FORM_TUPLE) {
        return od_error_set(error, OD_EINVAL, "must not be an object");
    }
    code = check_names(form, json, error);
    if (code != 0) {
        return code;
    }
    return form->kind == FORM_MAP ? pack_map(form, json, out, depth, error)
                                  : pack_tuple(form, json, out, depth, error);
}

static int pack_value(const struct form *form, const json_t *json, struct buf *out, unsigned depth,
                      struct od_error *error)
{
    if (form == NULL) {
        form = &plain;
    }
    if (depth > UNPACK_DEPTH_MAX) {
        return od_error_set(error, OD_EINVAL, "is too deep");
    }
    if (json_is_null(json)) {
        *room(out, 0) = 0xc0;
        out->size++;
        return 0;
    }
    if (json_is_object(json)) {
        return pack_object(form, json, out, depth, error);
    }
    if (form->kind == FORM_MAP) {
        return od_error_set(error, OD_EINVAL, "must be an object");
    }
    switch (json_typeof(json)) {
    case JSON_ARRAY: return pack_list(form, json, out, depth, error);
    case JSON_STRING: return pack_string(form, json, out, error);
    case JSON_INTEGER: wrote(out, pack_int(room(out, 0), json_integer_value(json))); return 0;
    case JSON_REAL: wrote(out, pack_double(room(out, 0), json_real_value(json))); return 0;
    case JSON_TRUE:
    case JSON_FALSE: wrote(out, pack_bool(room(out, 0), json_is_true(json))); return 0;
    case JSON_NULL:
    case JSON_OBJECT: break;
    }
    OD_CHECK(!"objects and null have been dealt with");
    return OD_EINVAL;
}

int form_pack(const struct form *form, const json_t *json, struct buf *out, struct od_error *error)
{
    return pack_value(form, json, out, 0, error);
}
