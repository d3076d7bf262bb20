/* The forms of payloads and records, made of the tables that lay them out (traces/shape.h,
 * storage/record_fields.h), so that no field can be without a name. */
#ifndef OUTDIAL_TRACES_FORMS_H
#define OUTDIAL_TRACES_FORMS_H

#include "base/arena.h"
#include "traces/form.h"
#include "traces/shape.h"

/* Of what the tables of fields say. All live in `arena`. */
const struct form *form_of_shape(const struct trace_shape *shape, struct arena *arena);
const struct form *form_of_record(enum table table, struct arena *arena);

/* By message type; NULL: it has no payload, or a zone's rules. */
struct forms {
    const struct form *payloads[MESSAGE_TYPE_COUNT];
};

void forms_init(struct forms *forms, struct arena *arena);

#endif
