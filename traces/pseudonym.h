/* Pseudonyms: what a trace says instead of phone numbers, names and other personal texts, unless it
 * is recorded raw.
 *
 * A number becomes another number of as many digits that does not begin with 0, by a permutation:
 * two numbers stay two, and one number is the same wherever it occurs, so lookups, joins and
 * conflicts come out as they did. A name becomes a keyed hash. The key is random for each trace and
 * kept nowhere: numbers are few, so a hash that can be repeated would be undone in seconds.
 */
#ifndef OUTDIAL_TRACES_PSEUDONYM_H
#define OUTDIAL_TRACES_PSEUDONYM_H

#include <stdint.h>

#include "base/arena.h"
#include "storage/record_fields.h"

enum { PSEUDONYM_KEY_BYTES = 32, PSEUDONYM_TEXT_SIZE = 17 /* "x" and 16 hexadecimal digits */ };

struct pseudonyms {
    uint8_t key[PSEUDONYM_KEY_BYTES];
    struct arena scratch; /* what pseudonym_of returns */
};

/* Draws a key. */
void pseudonyms_init(struct pseudonyms *p);

/* Forgets the key. */
void pseudonyms_deinit(struct pseudonyms *p);

/* The pseudonym of a number, by digits: `text` may have signs in it ("+"), which stay. Written over
 * `out`, which has as many bytes as `text`. */
void pseudonym_digits(const struct pseudonyms *p, struct slice text, char *out);

/* A member of a private field as the trace says it: of the same type, `member` itself where nothing
 * is replaced. It lives until pseudonyms_forget. */
const void *pseudonym_of(struct pseudonyms *p, uint8_t privacy, const void *member);

/* Ends the life of what pseudonym_of has returned. */
void pseudonyms_forget(struct pseudonyms *p);

#endif
