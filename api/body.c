/* Objects of a body and their properties. */
#include "api/body.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

enum {
    FAULT_TEXT_SIZE = 512,  /* of a message that the caller formats */
    UNKNOWN_NAME_MAX = 128, /* bytes of a client's name that are quoted */
};

/* Where a property of the object is, or would be. The list of what has been asked for is not
 * cleared, as its count says that it is empty: places are made for each property of each event. */
static void place(const struct body_value *object, const char *name, json_t *json,
                  struct body_value *out)
{
    out->parent = object;
    out->name = name;
    out->index = 0;
    out->json = json;
    out->faults = object->faults;
    out->arena = object->arena;
    out->asked_count = 0;
}

void body_fault(const struct body_value *object, const char *name, const char *format, ...)
{
    struct body_value property;
    char text[FAULT_TEXT_SIZE];
    va_list arguments;

    place(object, name, NULL, &property);
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
    root->parent = NULL;
    root->name = NULL;
    root->index = 0;
    root->json = json;
    root->faults = faults;
    root->arena = arena;
    root->asked_count = 0;
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
            struct arena *arena = object->faults->arena;
            struct slice text = slice_make(name, strnlen(name, UNKNOWN_NAME_MAX));
            struct body_value property;

            place(object, arena_text(arena, text), value, &property);
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
    place(object, name, json, out);
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
