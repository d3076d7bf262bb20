/* What is in a trace, counted record by record. */
#ifndef OUTDIAL_CMD_OUTDIAL_TRACE_STAT_H
#define OUTDIAL_CMD_OUTDIAL_TRACE_STAT_H

#include "base/index32.h"
#include "traces/trace.h"

/* An organisation or an execution, by its number. */
struct counted {
    uint32_t number;
    struct uuid id;        /* nil: it was made before the trace began */
    uint32_t organisation; /* of an execution; 0: not known */
    uint64_t messages; /* of an organisation: those of its executions too, where they are known */
    uint64_t permissions, results, nodes, executions;
    int64_t first_at, last_at; /* of its own messages; 0: none */
};

struct counted_set {
    struct index32 index;
    struct counted *items;
    uint32_t count, room;
};

struct trace_counts {
    uint64_t kinds[TRACE_KIND_LAST + 1];
    uint64_t types[MESSAGE_TYPE_COUNT];
    uint64_t contacts; /* in upserts, imports and one by one */
    uint64_t outcomes[OUTCOME_TIMEOUT + 1];
    int64_t first_at, last_at; /* of messages; 0: there is none */
    struct counted_set organisations, executions;
    struct trace_end end; /* of the last END */
    struct buf lost;      /* the reason of the last LOST */
};

void counts_init(struct trace_counts *counts);
void counts_deinit(struct trace_counts *counts);
void counts_add(struct trace_counts *counts, const struct trace_record *record);

void counted_set_init(struct counted_set *set);
void counted_set_deinit(struct counted_set *set);

/* The one of this number, which is added if need be; valid until the next call. */
struct counted *counted_of(struct counted_set *set, uint32_t number);

/* NULL: it does not occur. */
const struct counted *counted_find(const struct counted_set *set, uint32_t number);

#endif
