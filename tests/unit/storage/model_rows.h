/* The plainest model of a table: an array of rows sorted by key. Tests of storage/ compare with it.
 */
#ifndef OUTDIAL_TESTS_UNIT_STORAGE_MODEL_ROWS_H
#define OUTDIAL_TESTS_UNIT_STORAGE_MODEL_ROWS_H

#include "base/hash.h"
#include "base/memory.h"
#include "model/key.h"

struct model_row {
    struct key key;
    uint32_t number; /* what the row says */
    bool is_deleted; /* kept only by models of batches */
};

struct model_rows {
    struct model_row *rows;
    size_t count, room;
};

/* The index of the first row at or after the key. */
static inline size_t model_seek(const struct model_rows *model, const struct key *key)
{
    size_t low = 0, high = model->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (key_compare(&model->rows[middle].key, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The row of the key, or NULL. */
static inline const struct model_row *model_find(const struct model_rows *model,
                                                 const struct key *key)
{
    size_t at = model_seek(model, key);

    return at < model->count && key_compare(&model->rows[at].key, key) == 0 ? &model->rows[at]
                                                                            : NULL;
}

static inline void model_put(struct model_rows *model, struct model_row row)
{
    size_t at = model_seek(model, &row.key);

    if (at == model->count || key_compare(&model->rows[at].key, &row.key) != 0) {
        if (model->count == model->room) {
            model->room = model->room == 0 ? 64 : model->room * 2;
            model->rows = memory_resize(model->rows, model->room, sizeof(*model->rows));
        }
        memmove(&model->rows[at + 1], &model->rows[at], (model->count - at) * sizeof(*model->rows));
        model->count++;
    }
    model->rows[at] = row;
}

static inline void model_remove(struct model_rows *model, const struct key *key)
{
    size_t at = model_seek(model, key);

    if (at < model->count && key_compare(&model->rows[at].key, key) == 0) {
        model->count--;
        memmove(&model->rows[at], &model->rows[at + 1], (model->count - at) * sizeof(*model->rows));
    }
}

static inline void model_free(struct model_rows *model)
{
    memory_free(model->rows);
    *model = (struct model_rows){0};
}

/* A key out of few, so that the same come again: of 1 to 20 bytes, where few values of a byte make
 * common beginnings, zeros and ends of the range. */
static inline struct key model_key(struct prng *prng)
{
    static const uint8_t bytes[] = {0, 0, 1, 0xff};
    struct key key = key_empty();
    uint64_t shape = prng_below(prng, 4);

    if (shape == 0) {
        key_add_u32(&key, (uint32_t)prng_below(prng, 3));
        key_add_u32(&key, (uint32_t)prng_below(prng, 300));
        return key;
    }
    key.size = (uint8_t)(shape == 1 ? 15 + prng_below(prng, 6) : 1 + prng_below(prng, 6));
    for (size_t i = 0; i < key.size; i++) {
        key.bytes[i] = i < 12 && shape == 1 ? 7 : bytes[prng_below(prng, sizeof(bytes))];
    }
    return key;
}

#endif
