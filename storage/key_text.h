/* Keys as a person reads them: their parts, separated by slashes. For check and other tools.
 */
#ifndef OUTDIAL_STORAGE_KEY_TEXT_H
#define OUTDIAL_STORAGE_KEY_TEXT_H

#include <stdbool.h>

#include "model/key.h"
#include "model/tables.h"

/* The longest text: 80 escaped bytes, or four parts; and the NUL. */
enum { KEY_TEXT_SIZE = 4 * KEY_BYTES_MAX + 1 };

/* Whether the key has the size that a key of the table has (model/tables.h). Only then may its
 * parts be read. */
bool key_fits(enum table table, const struct key *key);

/* Prints "3/17" or "3/0192…/17"; of a key that does not fit, its bytes in hexadecimal. Instants are
 * ISO 8601; bytes of texts that are not printable ASCII are escaped. */
void key_print(enum table table, const struct key *key, char out[KEY_TEXT_SIZE]);

#endif
