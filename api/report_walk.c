#include "api/report_walk.h"

#include "model/report.h"
#include "storage/record.h"

void report_walk_init(struct report_walk *walk, uint32_t execution)
{
    *walk = (struct report_walk){.execution = execution, .at = key_u32(execution)};
}

/* 0, or what decoding returned. */
static int count_call(struct report_walk *walk, const struct key *key, struct slice raw,
                      struct arena *arena)
{
    struct call call;
    int error = record_decode(TABLE_CALL, key, raw, arena, &call);

    if (error == 0) {
        report_add_call(&walk->report, &call);
    }
    return error;
}

static int count_contact(struct report_walk *walk, const struct key *key, struct slice raw,
                         struct arena *arena)
{
    struct entry entry;
    int error = record_decode(TABLE_ENTRY, key, raw, arena, &entry);

    if (error == 0 && (entry.status == ENTRY_COMPLETED || entry.status == ENTRY_FAILED) &&
        entry.attempts < REPORT_COUNTS) {
        report_add_contact(&walk->report, entry.attempts);
    }
    return error;
}

int report_walk_rows(struct report_walk *walk, struct reader *reader, struct arena *arena,
                     unsigned rows)
{
    struct key prefix = key_u32(walk->execution), key;
    int error = 0;

    for (; error == 0 && rows > 0; rows--) {
        struct slice raw;

        arena_reset(arena);
        error = reader_seek(reader, walk->has_calls ? TABLE_ENTRY : TABLE_CALL, &prefix, &walk->at,
                            &key, &raw);
        if (error == OD_ENOTFOUND && !walk->has_calls) {
            walk->has_calls = true;
            walk->at = prefix;
            error = 0;
        } else if (error == 0) {
            error = walk->has_calls ? count_contact(walk, &key, raw, arena)
                                    : count_call(walk, &key, raw, arena);
            walk->at = key_after(&key);
        }
    }
    return error;
}
