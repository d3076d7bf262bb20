/* Phone numbers in E.164 (ITU-T E.164; api.md, "A contact is …"). */
#ifndef OUTDIAL_MODEL_PHONE_H
#define OUTDIAL_MODEL_PHONE_H

#include <stdbool.h>

#include "base/buf.h"

enum {
    PHONE_TEXT_SIZE = 17 /* "+", 15 digits, NUL */
};

/* Normalises: spaces, dots, dashes and parentheses are dropped; "+" and 7 to 15 digits remain, the
 * first not 0. False, with nothing written, for anything else. */
bool phone_normalise(struct slice text, char out[PHONE_TEXT_SIZE]);

#endif
