/* The words of the API for enums: one table each, both ways. */
#ifndef OUTDIAL_MODEL_NAMES_H
#define OUTDIAL_MODEL_NAMES_H

#include <stdbool.h>

#include "model/records.h"

/* A constant text; OD_CHECK fails for a value outside of the enum. */
const char *role_name(enum role role);
const char *did_status_name(enum did_status status);
const char *attribute_type_name(enum attribute_type type);
const char *program_mode_name(enum program_mode mode);
const char *program_status_name(enum program_status status);
const char *retry_type_name(enum retry_type type);
const char *execution_status_name(enum execution_status status);
const char *entry_status_name(enum entry_status status);
const char *outcome_name(enum outcome outcome); /* not for OUTCOME_NONE */
const char *call_status_name(enum call_status status);
const char *trigger_status_name(enum trigger_status status);
const char *recurrence_name(enum recurrence recurrence);
const char *weekday_name(unsigned weekday); /* 0 is sunday */

/* False, with nothing written, when the text is no such word. */
bool role_from(struct slice text, enum role *out);
bool did_status_from(struct slice text, enum did_status *out);
bool attribute_type_from(struct slice text, enum attribute_type *out);
bool program_mode_from(struct slice text, enum program_mode *out);
bool program_status_from(struct slice text, enum program_status *out);
bool retry_type_from(struct slice text, enum retry_type *out);
bool execution_status_from(struct slice text, enum execution_status *out);
bool entry_status_from(struct slice text, enum entry_status *out);
bool outcome_from(struct slice text, enum outcome *out);
bool trigger_status_from(struct slice text, enum trigger_status *out);

#endif
