/* Custom attributes: which values an attribute of a type may have (api.md: "a date is YYYY-MM-DD or
 * a full ISO time"). */
#ifndef OUTDIAL_MODEL_ATTRIBUTE_H
#define OUTDIAL_MODEL_ATTRIBUTE_H

#include "model/records.h"

enum {
    ATTRIBUTE_NAME_BYTES_MAX = 64 /* of an attribute (api.md); a body may ask for any name */
};

/* What is wrong with a value that is not null, as a constant text without its path; NULL: nothing.
 * A text has the type ATTRIBUTE_STRING or ATTRIBUTE_DATE: JSON knows no dates. */
const char *attribute_fault(enum attribute_type type, const struct attribute_value *value);

/* What is said of a name that the organisation has no attribute of. */
#define ATTRIBUTE_UNKNOWN "is not a custom attribute of the organization"

#endif
