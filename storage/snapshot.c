/* A merge of up to five ordered sources: the batches, newest first, then the committed rows.
 *
 *   1. each source shows its first key at or after `from`
 *   2. the smallest key wins; of equal ones the newest source, so later says replace earlier ones
 *   3. a delete wins as a row does, and hides the older ones: every source that stands at its key
 *      moves behind it, the others stay, and 2. again
 *
 * A source that moves by one key does so without a search (batch_next and reader_seek know a walk).
 */
#include "storage/snapshot.h"

#include "base/check.h"
#include "storage/record.h"

/* What a source shows. The last one is the reader. */
struct source {
    struct slice value;
    enum batch_answer answer;
    bool has_row;
    struct key key;
};

int snapshot_get(const struct snapshot *snapshot, enum table table, const struct key *key,
                 struct arena *arena, void *record)
{
    for (size_t i = 0; i < snapshot->batch_count; i++) {
        struct slice value;

        switch (batch_find(snapshot->batches[i], table, key, &value)) {
        case BATCH_PUT: return record_decode_own(table, value, arena, record);
        case BATCH_DELETED: return OD_ENOTFOUND;
        case BATCH_SILENT: break;
        }
    }
    return reader_get(snapshot->reader, table, key, arena, record);
}

/* Shows the source's first key at or after `from`. 0, OD_EIO, OD_ECORRUPT. */
static int source_seek(const struct snapshot *snapshot, size_t index, enum table table,
                       const struct key *prefix, const struct key *from, struct source *source)
{
    int error;

    if (index < snapshot->batch_count) {
        source->has_row = batch_next(snapshot->batches[index], table, from, &source->key,
                                     &source->answer, &source->value) &&
                          key_has_prefix(&source->key, prefix);
        return 0;
    }
    error = reader_seek(snapshot->reader, table, prefix, from, &source->key, &source->value);
    source->has_row = error == 0;
    source->answer = BATCH_PUT;
    return error == OD_ENOTFOUND ? 0 : error;
}

/* The newest source with the smallest key; NULL: none has a row. */
static const struct source *source_first(const struct source *sources, size_t count)
{
    const struct source *first = NULL;

    for (size_t i = 0; i < count; i++) {
        if (sources[i].has_row &&
            (first == NULL || key_compare(&sources[i].key, &first->key) < 0)) {
            first = &sources[i];
        }
    }
    return first;
}

int snapshot_seek(const struct snapshot *snapshot, enum table table, const struct key *prefix,
                  const struct key *from, struct key *key, struct slice *raw)
{
    struct source sources[SNAPSHOT_BATCHES_MAX + 1];
    size_t count = snapshot->batch_count + 1;
    const struct key *start = key_compare(from, prefix) < 0 ? prefix : from;
    const struct source *first;
    int error = 0;

    OD_CHECK(snapshot->batch_count <= SNAPSHOT_BATCHES_MAX);
    OD_CHECK(table_is_scanned(table));
    for (size_t i = 0; i < count && error == 0; i++) {
        error = source_seek(snapshot, i, table, prefix, start, &sources[i]);
    }
    while (error == 0) {
        struct key deleted, behind;

        first = source_first(sources, count);
        if (first == NULL) {
            return OD_ENOTFOUND;
        }
        if (first->answer == BATCH_PUT) {
            *key = first->key;
            *raw = first->value;
            return 0;
        }
        deleted = first->key;
        behind = key_after(&deleted);
        for (size_t i = 0; i < count && error == 0; i++) {
            if (sources[i].has_row && key_compare(&sources[i].key, &deleted) == 0) {
                error = source_seek(snapshot, i, table, prefix, &behind, &sources[i]);
            }
        }
    }
    return error;
}
