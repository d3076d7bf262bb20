#include "actors/counters.h"

#include <string.h>

#include "base/check.h"
#include "base/memory.h"

/* ---- the embedded store ---- */

static void embedded_load(struct view *view, uint32_t execution, uint64_t *counts, size_t count)
{
    struct key key = key_u32(execution);
    struct node_counters row;

    if (view_get(view, TABLE_NODE_COUNTERS, &key, &row)) {
        OD_CHECK(row.count == count);
        memcpy(counts, row.counts, count * sizeof(*counts));
    }
}

static void embedded_save(struct effects *out, uint32_t execution, const uint64_t *counts,
                          size_t count)
{
    const struct node_counters row = {.counts = counts, .count = count};
    struct key key = key_u32(execution);

    effect_put(out, TABLE_NODE_COUNTERS, &key, &row);
}

static void embedded_remove(struct effects *out, uint32_t execution)
{
    struct key key = key_u32(execution);

    effect_delete(out, TABLE_NODE_COUNTERS, &key);
}

const struct counter_store counter_store_embedded = {embedded_load, embedded_save, embedded_remove};

/* ---- the counters ---- */

void counters_init(struct counters *counters, const struct counter_store *store)
{
    *counters = (struct counters){.store = store};
}

void counters_deinit(struct counters *counters)
{
    memory_free(counters->counts);
    counters_init(counters, counters->store);
}

void counters_load(struct counters *counters, struct view *view, uint32_t execution,
                   size_t rule_count)
{
    OD_CHECK(counters->count == 0);
    if (rule_count > 0) {
        counters->counts = memory_zero(rule_count, sizeof(*counters->counts));
        counters->count = rule_count;
        counters->is_kept = true;
        counters->store->load(view, execution, counters->counts, rule_count);
    }
}

bool counters_find(const struct auto_pause_rule *rules, size_t rule_count, struct slice node_id,
                   size_t *index)
{
    for (size_t i = 0; i < rule_count; i++) {
        if (slice_equal(rules[i].node_id, node_id)) {
            *index = i;
            return true;
        }
    }
    return false;
}

uint64_t counters_add(struct counters *counters, size_t index)
{
    OD_CHECK(index < counters->count);
    counters->is_dirty = true;
    return ++counters->counts[index];
}

void counters_reset(struct counters *counters, size_t index)
{
    OD_CHECK(index < counters->count);
    counters->is_dirty = true;
    counters->counts[index] = 0;
}

void counters_replace(struct counters *counters, const struct auto_pause_rule *before,
                      const struct auto_pause_rule *after, size_t after_count)
{
    uint64_t *counts = after_count > 0 ? memory_zero(after_count, sizeof(*counts)) : NULL;

    for (size_t i = 0; i < after_count; i++) {
        size_t index;

        if (counters_find(before, counters->count, after[i].node_id, &index)) {
            counts[i] = counters->counts[index];
        }
    }
    memory_free(counters->counts);
    counters->counts = counts;
    counters->count = after_count;
    counters->is_dirty = true;
}

void counters_clear(struct counters *counters)
{
    memory_free(counters->counts);
    counters->counts = NULL;
    counters->count = 0;
    counters->is_dirty = counters->is_kept;
}

void counters_save(struct counters *counters, uint32_t execution, struct effects *out)
{
    if (!counters->is_dirty) {
        return;
    }
    counters->is_dirty = false;
    if (counters->count > 0) {
        counters->is_kept = true;
        counters->store->save(out, execution, counters->counts, counters->count);
    } else if (counters->is_kept) {
        counters->is_kept = false;
        counters->store->remove(out, execution);
    }
}
