#include "api/json.h"

#include <string.h>

#include "base/check.h"
#include "base/instant.h"
#include "base/utf8.h"

/* What stands where text is no UTF-8: U+FFFD. */
#define REPLACEMENT "\xef\xbf\xbd"

/* ---- parsing ---- */

/* The structure of a text, seen without parsing it. */
struct outline {
    unsigned depth, deepest;
    size_t tokens;
};

/* Returns the offset behind a string whose first quote is at `at`. */
static size_t skip_string(struct slice text, size_t at)
{
    for (at++; at < text.size; at++) {
        if (text.data[at] == '\\') {
            at++;
        } else if (text.data[at] == '"') {
            return at + 1;
        }
    }
    return text.size;
}

/* Counts what jansson would make memory for: 8 MiB of "[{},{},…]" is 600 MiB of values, and is
 * refused here in a hundredth of the time (reliability.md, finding 6). A malformed text gives
 * some number; jansson judges it. */
static struct outline scan(struct slice text)
{
    struct outline outline = {0};

    for (size_t at = 0; at < text.size && outline.deepest <= JSON_DEPTH_MAX &&
                        outline.tokens <= JSON_TOKENS_MAX;) {
        switch (text.data[at]) {
        case '"': at = skip_string(text, at); continue;
        case '{':
        case '[':
            outline.tokens++;
            outline.depth++;
            if (outline.depth > outline.deepest) {
                outline.deepest = outline.depth;
            }
            break;
        case '}':
        case ']': outline.depth -= outline.depth > 0; break;
        case ',':
        case ':': outline.tokens++; break;
        default: break;
        }
        at++;
    }
    return outline;
}

json_t *json_parse(struct slice text, struct fault_list *faults)
{
    struct outline outline = scan(text);
    json_error_t error;
    json_t *value;

    if (text.size == 0) {
        faults_add(faults, SLICE(""), "must not be empty");
        return NULL;
    }
    if (outline.deepest > JSON_DEPTH_MAX) {
        faults_add(faults, SLICE(""), "must not be nested deeper than %d levels", JSON_DEPTH_MAX);
        return NULL;
    }
    if (outline.tokens > JSON_TOKENS_MAX) {
        faults_add(faults, SLICE(""), "must not have more than %d tokens", JSON_TOKENS_MAX);
        return NULL;
    }
    value = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (value == NULL) {
        faults_add(faults, SLICE(""), "is not valid JSON: line %d, column %d: %s", error.line,
                   error.column, error.text);
    }
    return value;
}

/* ---- printing ---- */

static int print_piece(const char *bytes, size_t size, void *context)
{
    return buf_append(context, bytes, size) == 0 ? 0 : -1;
}

int json_print(const json_t *value, struct buf *out)
{
    size_t begun = out->size;

    /* 15 digits give back what was sent: 0.1 and not 0.10000000000000001. */
    if (json_dump_callback(value, print_piece, out,
                           JSON_COMPACT | JSON_REAL_PRECISION(15) | JSON_ENCODE_ANY) != 0) {
        out->size = begun;
        return OD_ENOMEM;
    }
    return 0;
}

/* ---- making values ---- */

static json_t *made(json_t *value)
{
    OD_CHECK(value != NULL);
    return value;
}

/* A string of text that is not UTF-8 throughout, as a message that quotes a client may be. */
static json_t *repaired(struct slice text)
{
    struct buf buf;
    uint32_t code_point;
    json_t *value;

    buf_init(&buf);
    while (text.size > 0) {
        size_t size = utf8_decode(text, &code_point);
        int error;

        if (size == 0) {
            size = 1;
            error = buf_append_text(&buf, REPLACEMENT);
        } else {
            error = buf_append(&buf, text.data, size);
        }
        OD_CHECK(error == 0);
        text = slice_make(text.data + size, text.size - size);
    }
    value = made(json_stringn_nocheck(buf.data, buf.size));
    buf_deinit(&buf);
    return value;
}

json_t *json_from_slice(struct slice text)
{
    if (text.size == 0) {
        return made(json_stringn_nocheck("", 0));
    }
    if (!utf8_is_valid(text)) {
        return repaired(text);
    }
    return made(json_stringn_nocheck(text.data, text.size));
}

json_t *json_from_slice_or_null(struct slice text)
{
    return text.size == 0 ? json_null() : json_from_slice(text);
}

json_t *json_from_uuid(const struct uuid *id)
{
    char text[UUID_TEXT_SIZE];

    if (uuid_is_nil(id)) {
        return json_null();
    }
    uuid_print(id, text);
    return made(json_stringn_nocheck(text, UUID_TEXT_SIZE - 1));
}

json_t *json_from_instant(int64_t at)
{
    char text[INSTANT_TEXT_SIZE];

    instant_print(at, text);
    return made(json_string_nocheck(text));
}

json_t *json_from_instant_or_null(int64_t at)
{
    return at == 0 || at == INSTANT_NEVER ? json_null() : json_from_instant(at);
}

json_t *json_from_count_or_null(uint64_t count)
{
    return count == 0 ? json_null() : made(json_integer((json_int_t)count));
}

json_t *json_from_rate_or_null(uint64_t rate_micro)
{
    if (rate_micro == 0) {
        return json_null();
    }
    if (rate_micro % 1000000 == 0) {
        return made(json_integer((json_int_t)(rate_micro / 1000000)));
    }
    return made(json_real((double)rate_micro / 1e6));
}

void json_put(json_t *object, const char *name, json_t *value)
{
    int error = json_object_set_new_nocheck(object, name, value);

    OD_CHECK(error == 0);
}

void json_put_item(json_t *array, json_t *value)
{
    int error = json_array_append_new(array, value);

    OD_CHECK(error == 0);
}

json_t *json_new_object(void)
{
    return made(json_object());
}

json_t *json_new_array(void)
{
    return made(json_array());
}
