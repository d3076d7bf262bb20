/* What traces/form_print.c and traces/form_pack.c share. */
#ifndef OUTDIAL_TRACES_FORM_PARTS_H
#define OUTDIAL_TRACES_FORM_PARTS_H

#include "traces/form.h"

enum { FORM_PREFIXES = 6 };

/* What a string may begin with that is more than its text. */
extern const char *const form_prefixes[FORM_PREFIXES];

bool form_has_prefix(struct slice text);

/* Takes bytes of any length, borrowed from `in`. */
bool form_take_bytes(struct unpacker *in, struct slice *out);

#endif
