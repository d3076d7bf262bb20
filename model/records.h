/* The nouns of the domain as they are stored: plain structs, one a table (model/tables.h).
 *
 * Texts are borrowed slices: whoever decodes a record says in which arena they live. Instants are
 * milliseconds since 1970 (base/instant.h); 0 means "not yet" where a field says optional. Status
 * fields are changed only through model/lifecycle.
 */
#ifndef OUTDIAL_MODEL_RECORDS_H
#define OUTDIAL_MODEL_RECORDS_H

#include "model/directory_records.h"
#include "model/execution_records.h"

#endif
