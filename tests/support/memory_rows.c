#include "tests/support/memory_rows.h"

#include <stdlib.h>

#include "base/check.h"

size_t memory_rows_lower(const struct memory_rows *rows, const struct key *key)
{
    size_t low = 0, high = rows->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (key_compare(&rows->rows[middle].key, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct memory_row *memory_rows_find(const struct memory_rows *rows, const struct key *key)
{
    size_t at = memory_rows_lower(rows, key);

    if (at == rows->count || key_compare(&rows->rows[at].key, key) != 0) {
        return NULL;
    }
    return &rows->rows[at];
}

static struct memory_row *insert(struct memory_rows *rows, const struct key *key)
{
    size_t at = memory_rows_lower(rows, key);

    if (rows->count == rows->room) {
        rows->room = rows->room == 0 ? 16 : rows->room * 2;
        rows->rows = realloc(rows->rows, rows->room * sizeof(*rows->rows));
    }
    OD_CHECK(rows->rows != NULL);
    memmove(rows->rows + at + 1, rows->rows + at, (rows->count - at) * sizeof(*rows->rows));
    rows->rows[at] = (struct memory_row){.key = *key};
    buf_init(&rows->rows[at].value);
    rows->count++;
    return &rows->rows[at];
}

void memory_rows_put(struct memory_rows *rows, const struct key *key, struct buf *value)
{
    struct memory_row *row = memory_rows_find(rows, key);

    if (row == NULL) {
        row = insert(rows, key);
    }
    buf_deinit(&row->value);
    row->value = *value;
    buf_init(value);
}

void memory_rows_delete(struct memory_rows *rows, const struct key *key)
{
    struct memory_row *row = memory_rows_find(rows, key);

    if (row == NULL) {
        return;
    }
    buf_deinit(&row->value);
    size_t behind = rows->count - (size_t)(row - rows->rows) - 1;
    memmove(row, row + 1, behind * sizeof(*row));
    rows->count--;
}

void memory_rows_deinit(struct memory_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        buf_deinit(&rows->rows[i].value);
    }
    free(rows->rows);
    *rows = (struct memory_rows){0};
}
