/* Forms: names for what a msgpack value holds, and with them the value as JSON text and back.
 *
 * The text is for reading and for changing by hand; nothing is lost in it. What JSON has no form
 * for is a string with a prefix:
 *
 *     "uuid:0190…"    16 bytes; without the prefix where the form says that there is an id
 *     "hex:00ff…"     other bytes
 *     "uint:…"        a number above 2^63 - 1
 *     "double:…"      the 16 hexadecimal digits of a double that is no number
 *     "raw:00ff…"     a text that is no UTF-8
 *     "text:…"        a text that begins like one of these
 */
#ifndef OUTDIAL_TRACES_FORM_H
#define OUTDIAL_TRACES_FORM_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/error.h"
#include "storage/unpack.h"

enum form_kind {
    FORM_PLAIN, /* one value, or arrays of such */
    FORM_UUID,  /* 16 bytes: an id */
    FORM_HEX,   /* a number as 16 hexadecimal digits: a digest */
    FORM_WORD,  /* a number that stands for a word of `words`, from 0 on; NULL: no word */
    FORM_LIST,  /* an array of `item` */
    FORM_TUPLE, /* an array whose places have names: an object. The last ones may be absent */
    FORM_RUN,   /* an array of such, one behind the other without heads of their own: a list of
                   objects */
    FORM_MAP,   /* a map whose keys are small numbers: an object; any key may be absent */
};

struct form;

struct form_member {
    const char *name;
    uint8_t key;             /* FORM_MAP */
    bool is_rest;            /* the last one of a tuple: the list of all further elements */
    const struct form *form; /* NULL: FORM_PLAIN. Of a rest: of each element */
};

struct form {
    enum form_kind kind;
    const struct form *item;           /* FORM_LIST; NULL: FORM_PLAIN */
    const struct form_member *members; /* FORM_TUPLE, FORM_RUN; FORM_MAP: keys ascending */
    size_t member_count;
    const char *const *words; /* FORM_WORD */
    size_t word_count;
};

/* Takes the next value from `in` and appends its JSON text to `out`. A value of another kind than
 * the form says is still written, if plainly; false is what no record has (floats of
 * 32 bits, extensions), a key that the map does not have, a run that is not whole, or what is
 * deeper than UNPACK_DEPTH_MAX. `out` then holds a part. Aborts where memory is short. */
bool form_print(const struct form *form, struct unpacker *in, struct buf *out);

/* Appends the msgpack of a JSON value, encoded as records and payloads are: the inverse of
 * form_print. Returns 0, or OD_EINVAL with *error, which begins with the place in the
 * value: "contacts[3].value.id: …". */
int form_pack(const struct form *form, const json_t *json, struct buf *out, struct od_error *error);

/* Appends a JSON string, of text that may be anything; without prefix where it needs none. */
void form_print_text(struct slice text, struct buf *out);

#endif
