/* uthash, with memory that is never refused: as it comes it would end the process without a word.
 */
#ifndef OUTDIAL_API_TABLE_H
#define OUTDIAL_API_TABLE_H

#include "base/memory.h"

/* NOLINTBEGIN(readability-identifier-naming): uthash names them */
#define uthash_malloc(size)       memory_of_library(size)
#define uthash_free(memory, size) memory_free(memory)
/* NOLINTEND(readability-identifier-naming) */

#include <uthash.h>

#endif
