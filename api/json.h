/* JSON text to values and back: strict and bounded (api.md, "Bodies"; reliability.md 2.5).
 *
 * Reading the properties of a parsed body, with faults by path, is in api/body.h.
 */
#ifndef OUTDIAL_API_JSON_H
#define OUTDIAL_API_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "api/faults.h"
#include "base/buf.h"
#include "base/id.h"

enum {
    JSON_DEPTH_MAX = 32,      /* objects and arrays within one another (api.md) */
    JSON_TOKENS_MAX = 200000, /* 1,000 contacts of 30 fields have about 100,000 */
};

/* Parses a whole text. Refused are, each as one fault with an empty path: an empty text, duplicate
 * keys, invalid UTF-8, NUL in a string, numbers out of range, nesting deeper than JSON_DEPTH_MAX,
 * more than JSON_TOKENS_MAX tokens, anything behind the value. Returns a value that is the
 * caller's to json_decref, or NULL with the fault added. */
json_t *json_parse(struct slice text, struct fault_list *faults);

/* Appends the compact text of a value. Returns 0 or OD_ENOMEM. */
int json_print(const json_t *value, struct buf *out);

/* ---- values for answers; each returns a new reference, never NULL ---- */

json_t *json_from_slice(struct slice text);          /* a string, "" for an empty slice */
json_t *json_from_slice_or_null(struct slice text);  /* null for an empty slice */
json_t *json_from_uuid(const struct uuid *id);       /* the nil UUID: null */
json_t *json_from_instant(int64_t at);               /* ISO 8601, UTC, milliseconds */
json_t *json_from_instant_or_null(int64_t at);       /* null for 0 and INSTANT_NEVER */
json_t *json_from_count_or_null(uint64_t count);     /* null for 0: "no cap" */
json_t *json_from_rate_or_null(uint64_t rate_micro); /* calls per second × 10^6; null for 0 */

/* Sets a property of an answer and takes over the value. Aborts where memory is short, since
 * nothing in an answer can be left out. */
void json_put(json_t *object, const char *name, json_t *value);
void json_put_item(json_t *array, json_t *value);

/* New empty ones, never NULL. */
json_t *json_new_object(void);
json_t *json_new_array(void);

#endif
