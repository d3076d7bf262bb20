/* UTF-8 (RFC 3629): the one decoder, so that all parts agree on which bytes are text. */
#ifndef OUTDIAL_BASE_UTF8_H
#define OUTDIAL_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Returns how many bytes (1 to 4) the first character of the text has and sets `code_point` to
 * it; 0 where the text is empty or does not begin with a character: a stray or missing
 * continuation, an overlong form, a surrogate, or beyond U+10FFFF. `code_point` is then left. */
size_t utf8_decode(struct slice text, uint32_t *code_point);

/* Returns whether the bytes are UTF-8 throughout. A NUL is a character. */
bool utf8_is_valid(struct slice text);

/* Returns the number of characters (code points); a byte that begins none counts as one. */
size_t utf8_length(struct slice text);

#endif
