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
    RATE_MAX = 100000,        /* calls per second (api.md, "pacing") */
    FAULT_TEXT_SIZE = 512,    /* of a message that the caller formats */
    UNKNOWN_NAME_MAX = 128,   /* bytes of a client's name that are quoted */
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

/* Where a property of the object is, or would be. */
static struct body_value place(const struct body_value *object, const char *name, json_t *json)
{
    return (struct body_value){
        .parent = object,
        .name = name,
        .json = json,
        .faults = object->faults,
        .arena = object->arena,
    };
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

void body_fault(const struct body_value *object, const char *name, const char *format, ...)
{
    struct body_value property = place(object, name, NULL);
    char text[FAULT_TEXT_SIZE];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    faults_add(object->faults, value_path(&property), "%s", text);
}

/* ---- objects ---- */

void body_open(struct body_value *root, json_t *json, struct fault_list *faults,
               struct arena *arena)
{
    OD_CHECK(json_is_object(json));
    *root = (struct body_value){.json = json, .faults = faults, .arena = arena};
}

static bool was_asked(const struct body_value *object, const char *name)
{
    for (uint32_t i = 0; i < object->asked_count; i++) {
        if (strcmp(object->asked[i], name) == 0) {
            return true;
        }
    }
    return false;
}

void body_close(const struct body_value *object)
{
    const char *name;
    json_t *value;

    json_object_foreach(object->json, name, value)
    {
        if (object->faults->count == FAULTS_MAX) {
            return;
        }
        if (!was_asked(object, name)) {
            struct slice text = arena_copy(object->faults->arena,
                                           slice_make(name, strnlen(name, UNKNOWN_NAME_MAX)));
            struct body_value property =
                place(object, arena_text(object->faults->arena, text), value);

            value_fault(&property, "is not a known property");
        }
    }
}

enum property body_get(struct body_value *object, const char *name, enum property_rule rule,
                       struct body_value *out)
{
    json_t *json = json_object_get(object->json, name);

    if (!was_asked(object, name)) {
        OD_CHECK(object->asked_count < BODY_PROPERTIES_MAX);
        object->asked[object->asked_count++] = name;
    }
    if (json == NULL) {
        if (rule == PROPERTY_REQUIRED) {
            body_fault(object, name, "is required");
        }
        return PROPERTY_ABSENT;
    }
    if (json_is_null(json)) {
        if (rule == PROPERTY_OPTIONAL) {
            return PROPERTY_NULL;
        }
        body_fault(object, name, "must not be null");
        return PROPERTY_FAULTY;
    }
    *out = place(object, name, json);
    return PROPERTY_GIVEN;
}

static enum property given(bool is_good)
{
    return is_good ? PROPERTY_GIVEN : PROPERTY_FAULTY;
}

enum property body_object(struct body_value *object, const char *name, enum property_rule rule,
                          struct body_value *out)
{
    enum property found = body_get(object, name, rule, out);

    return found == PROPERTY_GIVEN ? given(value_is_object(out)) : found;
}

enum property body_array(struct body_value *object, const char *name, enum property_rule rule,
                         size_t min, size_t max, struct body_value *out)
{
    enum property found = body_get(object, name, rule, out);

    return found == PROPERTY_GIVEN ? given(value_is_array(out, min, max)) : found;
}

enum property body_text(struct body_value *object, const char *name, enum property_rule rule,
                        size_t min, size_t max, struct slice *out)
{
    struct body_value value;
    enum property found = body_get(object, name, rule, &value);

    return found == PROPERTY_GIVEN ? given(value_text(&value, min, max, out)) : found;
}

enum property body_integer(struct body_value *object, const char *name, enum property_rule rule,
                           int64_t min, int64_t max, int64_t *out)
{
    struct body_value value;
    enum property found = body_get(object, name, rule, &value);

    return found == PROPERTY_GIVEN ? given(value_integer(&value, min, max, out)) : found;
}

enum property body_boolean(struct body_value *object, const char *name, enum property_rule rule,
                           bool *out)
{
    struct body_value value;
    enum property found = body_get(object, name, rule, &value);

    return found == PROPERTY_GIVEN ? given(value_boolean(&value, out)) : found;
}

enum property body_uuid(struct body_value *object, const char *name, enum property_rule rule,
                        struct uuid *out)
{
    struct body_value value;
    enum property found = body_get(object, name, rule, &value);

    return found == PROPERTY_GIVEN ? given(value_uuid(&value, out)) : found;
}

enum property body_instant(struct body_value *object, const char *name, enum property_rule rule,
                           int64_t *out)
{
    struct body_value value;
    enum property found = body_get(object, name, rule, &value);

    return found == PROPERTY_GIVEN ? given(value_instant(&value, out)) : found;
}

enum property body_phone(struct body_value *object, const char *name, enum property_rule rule,
                         struct slice *out)
{
    struct body_value value;
    enum property found = body_get(object, name, rule, &value);

    return found == PROPERTY_GIVEN ? given(value_phone(&value, out)) : found;
}

enum property body_rate(struct body_value *object, const char *name, enum property_rule rule,
                        uint64_t *out_micro)
{
    struct body_value value;
    enum property found = body_get(object, name, rule, &value);

    return found == PROPERTY_GIVEN ? given(value_rate(&value, out_micro)) : found;
}

enum property body_word(struct body_value *object, const char *name, enum property_rule rule,
                        const struct body_word *words, int *out)
{
    struct body_value value;
    enum property found = body_get(object, name, rule, &value);

    return found == PROPERTY_GIVEN ? given(value_word(&value, words, out)) : found;
}

/* ---- values ---- */

void value_item(const struct body_value *array, size_t index, struct body_value *out)
{
    *out = (struct body_value){
        .parent = array,
        .index = index,
        .json = json_array_get(array->json, index),
        .faults = array->faults,
        .arena = array->arena,
    };
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

bool value_integer(const struct body_value *value, int64_t min, int64_t max, int64_t *out)
{
    json_int_t number = json_integer_value(value->json);

    if (!json_is_integer(value->json) || number < min || number > max) {
        value_fault(value, "must be an integer from %lld to %lld", (long long)min,
                    (long long)max);
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
        int more = snprintf(text + size, sizeof(text) - size, "%s%s", size > 0 ? ", " : "",
                            words->word);

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
