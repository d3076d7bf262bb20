/* Reading a body call by call: each call names a property, its rule and its range, and puts what
 * it finds into a C variable or what is wrong into the list of faults. All faults are found in one
 * pass, and what was never asked for is named as unknown at the end.
 *
 *     struct body_value root, window;
 *
 *     body_open(&root, exchange->body, &exchange->faults, arena);
 *     body_text(&root, "name", PROPERTY_REQUIRED, 1, 255, &program->name);
 *     if (body_object(&root, "pacing", PROPERTY_OPTIONAL, &pacing) == PROPERTY_GIVEN) {
 *         body_integer(&pacing, "maxConcurrentCalls", PROPERTY_OPTIONAL, 1, 100000, &calls);
 *         body_close(&pacing);
 *     }
 *     body_close(&root);
 *     if (faults_any(&exchange->faults)) {
 *         exchange_send_faults(exchange);
 *         return;
 *     }
 *
 * Rules by method:
 *                          POST                  PATCH
 *     a required property  PROPERTY_REQUIRED     PROPERTY_PATCHED
 *     an optional one      PROPERTY_OPTIONAL     PROPERTY_OPTIONAL (PROPERTY_NULL clears it)
 *
 * A body_value points to its parent, which must outlive it. Texts are copied into the arena that
 * body_open was given: that of the message to be posted (exchange_payload), as a rule.
 */
#ifndef OUTDIAL_API_BODY_H
#define OUTDIAL_API_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "api/faults.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/id.h"

enum {
    BODY_PROPERTIES_MAX = 32 /* of one object, that a route can ask for */
};

/* A value of the body and the way to it. */
struct body_value {
    const struct body_value *parent; /* NULL: the root */
    const char *name;                /* as a property of its parent; NULL: an item of an array */
    size_t index;                    /* as an item */
    json_t *json;                    /* borrowed from the body */
    struct fault_list *faults;
    struct arena *arena;
    uint32_t asked_count; /* an object's properties that have been asked for */
    const char *asked[BODY_PROPERTIES_MAX];
};

enum property_rule {
    PROPERTY_REQUIRED, /* must be there and not null */
    PROPERTY_PATCHED,  /* may be absent, must not be null */
    PROPERTY_OPTIONAL, /* may be absent or null */
};

/* What a call found. Outputs are written for PROPERTY_GIVEN only. */
enum property {
    PROPERTY_ABSENT, /* a fault was added if it was required */
    PROPERTY_NULL,   /* and allowed to be */
    PROPERTY_GIVEN,
    PROPERTY_FAULTY, /* there, and a fault was added */
};

/* ---- the root, and what ends each object ---- */

/* Begins at the body's root, which the router has seen to be an object. */
void body_open(struct body_value *root, json_t *json, struct fault_list *faults,
               struct arena *arena);

/* Adds a fault for each property of the object that was not asked for. */
void body_close(const struct body_value *object);

/* ---- properties of an object ---- */

/* A property of whatever type; body_object and body_array check the type too. `out` is a place for
 * value_… calls. */
enum property body_get(struct body_value *object, const char *name, enum property_rule rule,
                       struct body_value *out);
enum property body_object(struct body_value *object, const char *name, enum property_rule rule,
                          struct body_value *out);
enum property body_array(struct body_value *object, const char *name, enum property_rule rule,
                         size_t min, size_t max, struct body_value *out);

/* A text of `min` to `max` characters (Unicode code points), copied into the arena. */
enum property body_text(struct body_value *object, const char *name, enum property_rule rule,
                        size_t min, size_t max, struct slice *out);
enum property body_integer(struct body_value *object, const char *name, enum property_rule rule,
                           int64_t min, int64_t max, int64_t *out);
enum property body_boolean(struct body_value *object, const char *name, enum property_rule rule,
                           bool *out);
enum property body_uuid(struct body_value *object, const char *name, enum property_rule rule,
                        struct uuid *out);
/* ISO 8601 with an offset. */
enum property body_instant(struct body_value *object, const char *name, enum property_rule rule,
                           int64_t *out);
/* E.164 after normalisation, copied into the arena. */
enum property body_phone(struct body_value *object, const char *name, enum property_rule rule,
                         struct slice *out);
/* Calls per second, above 0 and up to 100,000, as millionths. */
enum property body_rate(struct body_value *object, const char *name, enum property_rule rule,
                        uint64_t *out_micro);

/* A word of a list and what it stands for; a list ends with a NULL word. */
struct body_word {
    const char *word;
    int value;
};

enum property body_word(struct body_value *object, const char *name, enum property_rule rule,
                        const struct body_word *words, int *out);

/* ---- values: items of arrays, and properties got with body_get ---- */

static inline size_t value_count(const struct body_value *array)
{
    return json_array_size(array->json);
}

/* The item of an array; `index` is below value_count. */
void value_item(const struct body_value *array, size_t index, struct body_value *out);

/* False, with a fault added, when the value is of another type. */
bool value_is_object(const struct body_value *value);
bool value_is_array(const struct body_value *value, size_t min, size_t max);

/* True with *out written; false with a fault added. As the property of the same name above. */
bool value_text(const struct body_value *value, size_t min, size_t max, struct slice *out);
bool value_integer(const struct body_value *value, int64_t min, int64_t max, int64_t *out);
bool value_number(const struct body_value *value, double min, double max, double *out);
bool value_boolean(const struct body_value *value, bool *out);
bool value_uuid(const struct body_value *value, struct uuid *out);
bool value_instant(const struct body_value *value, int64_t *out);
bool value_phone(const struct body_value *value, struct slice *out);
bool value_rate(const struct body_value *value, uint64_t *out_micro);
bool value_word(const struct body_value *value, const struct body_word *words, int *out);

/* ---- faults that the caller finds ---- */

/* The way to the value, as in "pauseWindows.monday[0].endAt"; lives in the faults' arena. */
struct slice value_path(const struct body_value *value);

/* Adds a fault at the value, or at a property of an object (asked for or not). */
void value_fault(const struct body_value *value, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void body_fault(const struct body_value *object, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
