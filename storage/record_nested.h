/* What the writing (record_nested.c) and the reading (record_nested_read.c) of nested fields share:
 * the lengths of arrays that say which form they have. Nobody else includes this.
 */
#ifndef OUTDIAL_STORAGE_RECORD_NESTED_H
#define OUTDIAL_STORAGE_RECORD_NESTED_H

#include "storage/record_fields.h"

enum {
    NESTED_RETRY_HEAD = 3, /* numbers before the dates */
    NESTED_TRIGGER = 3,
    NESTED_TRIGGER_TIMED = 4, /* with a time of day */
};

#endif
