/* What is wrong with a request: a list of faults with their places, and the one body that every
 * error of the interface has (api.md, "Errors").
 */
#ifndef OUTDIAL_API_FAULTS_H
#define OUTDIAL_API_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "engine/engine.h"

enum {
    /* A body may have 200,000 tokens, each of them wrong; nobody reads more than this. */
    FAULTS_MAX = 1000
};

/* Faults in the order in which they were found. Texts and the array live in `arena`. */
struct fault_list {
    struct arena *arena;
    struct fault_detail *items;
    size_t count;
    size_t room;
};

/* Makes it empty. Allocates nothing. */
void faults_init(struct fault_list *faults, struct arena *arena);

static inline bool faults_any(const struct fault_list *faults)
{
    return faults->count > 0;
}

/* Adds a fault. `path` is borrowed as long as the list lives ("didPool[1]",
 * "customAttributes.age", the name of a query parameter; empty: the body as a whole). The message
 * says what must be so, without the path: "must be an integer from 1 to 1000". Those beyond
 * FAULTS_MAX are not kept. */
void faults_add(struct fault_list *faults, struct slice path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The body of an error, as JSON text. `details` are written for FAULT_VALIDATION only, and then
 * always (an empty list when there are none). `message` may hold anything: bytes that are no UTF-8
 * are replaced. Returns 0 or OD_ENOMEM. */
int faults_print(enum fault_code code, struct slice message, const struct fault_detail *details,
                 size_t detail_count, const char *request_id, struct buf *out)
    __attribute__((nonnull(6)));

#endif
