/* Values of a body: where they stand, and what they must be. */
#include "api/body.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/json.h"
#include "base/check.h"
#include "base/instant.h"
#include "base/utf8.h"
#include "model/phone.h"

enum {
    RATE_MAX = 100000,     /* calls per second (api.md, "pacing") */
    FAULT_TEXT_SIZE = 512, /* of a message that the caller formats */
};

/* ---- places ---- */

struct slice value_path(const struct body_value *value)
{
    const struct body_value *way[JSON_DEPTH_MAX + 2];
    size_t depth = 0;
    struct buf buf;
    struct slice path;

    for (; value->parent != NULL; value = value->parent) {
        OD_CHECK(depth < sizeof(way) / sizeof(way[0]));
        way[depth++] = value;
    }
    buf_init(&buf);
    while (depth > 0) {
        const struct body_value *step = way[--depth];
        int error;

        if (step->name == NULL) {
            error = buf_printf(&buf, "[%zu]", step->index);
        } else {
            error = buf_printf(&buf, "%s%s", buf.size > 0 ? "." : "", step->name);
        }
        OD_CHECK(error == 0);
    }
    path = arena_copy(value->faults->arena, buf_slice(&buf));
    buf_deinit(&buf);
    return path;
}

void value_fault(const struct body_value *value, const char *format, ...)
{
    char text[FAULT_TEXT_SIZE];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    faults_add(value->faults, value_path(value), "%s", text);
}

/* ---- values ---- */

void value_item(const struct body_value *array, size_t index, struct body_value *out)
{
    out->parent = array;
    out->name = NULL;
    out->index = index;
    out->json = json_array_get(array->json, index);
    out->faults = array->faults;
    out->arena = array->arena;
    out->asked_count = 0;
    OD_CHECK(out->json != NULL);
}

bool value_is_object(const struct body_value *value)
{
    if (!json_is_object(value->json)) {
        value_fault(value, "must be an object");
        return false;
    }
    return true;
}

bool value_is_array(const struct body_value *value, size_t min, size_t max)
{
    size_t count = json_array_size(value->json);

    if (!json_is_array(value->json)) {
        value_fault(value, "must be an array");
        return false;
    }
    if (count < min || count > max) {
        value_fault(value, "must have %zu to %zu items", min, max);
        return false;
    }
    return true;
}

/* The text of a string, borrowed from the body. */
static bool value_string(const struct body_value *value, struct slice *out)
{
    if (!json_is_string(value->json)) {
        value_fault(value, "must be a string");
        return false;
    }
    *out = slice_make(json_string_value(value->json), json_string_length(value->json));
    return true;
}

bool value_text(const struct body_value *value, size_t min, size_t max, struct slice *out)
{
    struct slice text;
    size_t length;

    if (!value_string(value, &text)) {
        return false;
    }
    length = utf8_length(text);
    if (length < min || length > max) {
        value_fault(value, "must have %zu to %zu characters", min, max);
        return false;
    }
    *out = arena_copy(value->arena, text);
    return true;
}

/* 1.0 and 1e3 are integers, as in JSON Schema. False for a number that is none, or that a double
 * has not exactly. */
static bool integer_of(const json_t *json, int64_t *out)
{
    const double exact_max = 9007199254740991.0; /* 2^53 - 1 */
    double real = json_real_value(json);

    if (json_is_integer(json)) {
        *out = json_integer_value(json);
        return true;
    }
    if (!json_is_real(json) || !(real >= -exact_max && real <= exact_max)) {
        return false;
    }
    *out = (int64_t)real;
    return (double)*out == real;
}

bool value_integer(const struct body_value *value, int64_t min, int64_t max, int64_t *out)
{
    int64_t number = 0;

    if (!integer_of(value->json, &number) || number < min || number > max) {
        value_fault(value, "must be an integer from %lld to %lld", (long long)min, (long long)max);
        return false;
    }
    *out = number;
    return true;
}

bool value_number(const struct body_value *value, double min, double max, double *out)
{
    double number = json_number_value(value->json);

    if (!json_is_number(value->json) || number < min || number > max) {
        value_fault(value, "must be a number from %.15g to %.15g", min, max);
        return false;
    }
    *out = number;
    return true;
}

bool value_boolean(const struct body_value *value, bool *out)
{
    if (!json_is_boolean(value->json)) {
        value_fault(value, "must be true or false");
        return false;
    }
    *out = json_is_true(value->json);
    return true;
}

bool value_uuid(const struct body_value *value, struct uuid *out)
{
    struct slice text;

    if (!value_string(value, &text)) {
        return false;
    }
    if (!uuid_parse(text, out)) {
        value_fault(value, "must be a UUID");
        return false;
    }
    return true;
}

bool value_instant(const struct body_value *value, int64_t *out)
{
    struct slice text;

    if (!value_string(value, &text)) {
        return false;
    }
    if (!instant_parse(text, out)) {
        value_fault(value, "must be an ISO 8601 time with an offset");
        return false;
    }
    return true;
}

bool value_phone(const struct body_value *value, struct slice *out)
{
    char phone[PHONE_TEXT_SIZE];
    struct slice text;

    if (!value_string(value, &text)) {
        return false;
    }
    if (!phone_normalise(text, phone)) {
        value_fault(value, "must be a phone number in E.164: + and 7 to 15 digits");
        return false;
    }
    *out = arena_copy(value->arena, slice_from(phone));
    return true;
}

bool value_rate(const struct body_value *value, uint64_t *out_micro)
{
    double number = json_number_value(value->json);
    uint64_t micro;

    if (!json_is_number(value->json) || !(number > 0) || number > RATE_MAX) {
        value_fault(value, "must be a number above 0, up to %d", RATE_MAX);
        return false;
    }
    micro = (uint64_t)(number * 1e6 + 0.5);
    /* 0 means "no cap" in a record, so the slowest rate is one call in a million seconds. */
    *out_micro = micro > 0 ? micro : 1;
    return true;
}

/* "must be one of: a, b", with as many of the words as fit. */
static void fault_words(const struct body_value *value, const struct body_word *words)
{
    char text[FAULT_TEXT_SIZE];
    size_t size = 0;

    for (; words->word != NULL && size < sizeof(text); words++) {
        int more =
            snprintf(text + size, sizeof(text) - size, "%s%s", size > 0 ? ", " : "", words->word);

        size += more > 0 ? (size_t)more : 0;
    }
    value_fault(value, "must be one of: %s", text);
}

bool value_word(const struct body_value *value, const struct body_word *words, int *out)
{
    struct slice text;

    if (!value_string(value, &text)) {
        return false;
    }
    for (const struct body_word *word = words; word->word != NULL; word++) {
        if (slice_equal_text(text, word->word)) {
            *out = word->value;
            return true;
        }
    }
    fault_words(value, words);
    return false;
}
