/* What a stream tells next, from durable rows.
 *
 *   1. events, from its place to the last one there is
 *   2. at the end of them, and when it is asked for: executions, whose state is told as progress
 *      when it is another than was told last
 *
 * Both within one read transaction, so a state is never told before the event that led to it.
 *
 * Of an organisation, executions with work left are gone through by number, a few at a time (a
 * lap), together with those that were told before: one that has just ended is in the second list
 * only, is looked at a last time and forgotten. At the start of a stream the first lap goes on at
 * once; later ones take so many executions a tick, whatever their number.
 */
#include "api/event_stream.h"
#include "api/event_text.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/memory.h"
#include "model/lifecycle.h"
#include "storage/record.h"

enum {
    EVENTS_A_PIECE = 200,     /* rows looked at */
    EXECUTIONS_A_PIECE = 64,  /* looked at */
    BYTES_A_PIECE = 32 * 1024 /* of text; one event goes beyond it at most */
};

/* ---- what was told ---- */

/* The index of the first one that is not below the execution. */
static size_t told_bound(const struct event_stream *stream, uint32_t execution)
{
    size_t low = 0, high = stream->told_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (stream->told[middle].execution < execution) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool was_told(const struct event_stream *stream, uint32_t execution, uint64_t digest)
{
    size_t at = told_bound(stream, execution);

    return at < stream->told_count && stream->told[at].execution == execution &&
           stream->told[at].digest == digest;
}

static void note_told(struct event_stream *stream, uint32_t execution, uint64_t digest)
{
    size_t at = told_bound(stream, execution);

    if (at == stream->told_count || stream->told[at].execution != execution) {
        if (stream->told_count == stream->told_room) {
            stream->told_room = stream->told_room == 0 ? 8 : stream->told_room * 2;
            stream->told = memory_resize(stream->told, stream->told_room, sizeof(*stream->told));
        }
        memmove(stream->told + at + 1, stream->told + at,
                (stream->told_count - at) * sizeof(*stream->told));
        stream->told_count++;
        stream->told[at].execution = execution;
    }
    stream->told[at].digest = digest;
}

static void forget_told(struct event_stream *stream, uint32_t execution)
{
    size_t at = told_bound(stream, execution);

    if (at < stream->told_count && stream->told[at].execution == execution) {
        stream->told_count--;
        memmove(stream->told + at, stream->told + at + 1,
                (stream->told_count - at) * sizeof(*stream->told));
    }
}

/* Two moments of an execution look the same exactly when they have the same digest, but for one
 * chance in 2^64. */
static uint64_t digest_of(enum execution_status status, const struct execution_counters *n)
{
    const uint64_t words[] = {(uint64_t)status, n->total,       n->completed, n->failed,
                              n->pending,       n->in_progress, n->skipped};

    return hash_bytes(words, sizeof(words));
}

/* ---- events ---- */

static void tell_event(struct event_stream *stream, uint64_t sequence,
                       const struct status_event *event, struct buf *out)
{
    if (stream->of.execution != 0 && stream->of.execution != event->execution) {
        return;
    }
    event_print_status(out, sequence, event);
    note_told(stream, event->execution, digest_of(event->status, &event->counters));
}

static int read_events(struct event_stream *stream, struct reader *reader, struct arena *arena,
                       struct buf *out)
{
    struct key prefix = key_u32(stream->organisation);
    struct key from = key_event(stream->organisation, stream->next), key;
    struct slice raw;

    stream->is_at_end = false;
    for (unsigned i = 0; i < EVENTS_A_PIECE && out->size < BYTES_A_PIECE; i++) {
        struct status_event event;
        int code = i == 0 ? reader_seek(reader, TABLE_EVENT, &prefix, &from, &key, &raw)
                          : reader_next(reader, TABLE_EVENT, &prefix, &key, &raw);

        if (code == OD_ENOTFOUND) {
            stream->is_at_end = true;
            return 0;
        }
        if (code == 0) {
            code = record_decode(TABLE_EVENT, &key, raw, arena, &event);
        }
        if (code != 0) {
            return code;
        }
        stream->next = key_u64_at(&key, sizeof(uint32_t)) + 1;
        tell_event(stream, stream->next - 1, &event, out);
        arena_reset(arena);
    }
    return 0;
}

/* ---- states ---- */

/* Tells an execution's state unless it was told so. Absent: it has been removed. */
static int read_state(struct event_stream *stream, struct reader *reader, struct arena *arena,
                      uint32_t execution, struct execution_state *state, struct buf *out)
{
    struct key key = key_u32(execution);
    struct execution_settings settings;
    struct status_event now;
    int code = reader_get(reader, TABLE_EXECUTION_STATE, &key, arena, state);
    uint64_t digest;

    if (code != 0) {
        return code;
    }
    digest = digest_of(state->status, &state->counters);
    if (was_told(stream, execution, digest)) {
        return 0;
    }
    now = (struct status_event){.execution = execution,
                                .execution_id = stream->of.execution_id,
                                .program_id = stream->of.program_id,
                                .status = state->status,
                                .status_reason = state->status_reason,
                                .counters = state->counters,
                                .at = state->updated_at};
    if (stream->of.execution == 0) {
        code = reader_get(reader, TABLE_EXECUTION, &key, arena, &settings);
        now.execution_id = settings.id;
        now.program_id = settings.program_id;
    }
    if (code == 0) {
        event_print_progress(out, &now);
        note_told(stream, execution, digest);
    }
    return code;
}

/* The stream of an execution ends when no event and no count of it can change any more. */
static int read_execution(struct event_stream *stream, struct reader *reader, struct arena *arena,
                          struct buf *out)
{
    struct execution_state state;
    int code = read_state(stream, reader, arena, stream->of.execution, &state, out);

    stream->wants_states = false;
    if (code == OD_ENOTFOUND) {
        stream->is_over = true;
        return 0;
    }
    if (code == 0 && execution_has_ended(state.status) && state.counters.in_progress == 0) {
        stream->is_over = true;
    }
    return code;
}

/* The first execution from lap_at on that has work left or was told before. */
static int next_of_lap(const struct event_stream *stream, struct reader *reader,
                       uint32_t *execution, bool *is_active)
{
    struct key prefix = key_u32(stream->organisation);
    struct key from = key_organisation_execution(stream->organisation, stream->lap_at), key;
    size_t told = told_bound(stream, stream->lap_at);
    struct slice raw;
    int code = reader_seek(reader, TABLE_ACTIVE_EXECUTION, &prefix, &from, &key, &raw);

    if (code != 0 && code != OD_ENOTFOUND) {
        return code;
    }
    *is_active = code == 0;
    *execution = code == 0 ? key_u32_at(&key, sizeof(uint32_t)) : UINT32_MAX;
    if (told < stream->told_count && stream->told[told].execution < *execution) {
        *execution = stream->told[told].execution;
        *is_active = false;
        return 0;
    }
    return code;
}

static int read_lap(struct event_stream *stream, struct reader *reader, struct arena *arena,
                    struct buf *out)
{
    for (unsigned i = 0; i < EXECUTIONS_A_PIECE && out->size < BYTES_A_PIECE; i++) {
        struct execution_state state;
        uint32_t execution;
        bool is_active;
        int code = next_of_lap(stream, reader, &execution, &is_active);

        if (code == OD_ENOTFOUND) {
            stream->lap_at = 0;
            stream->is_introduced = true;
            break;
        }
        if (code == 0) {
            code = read_state(stream, reader, arena, execution, &state, out);
        }
        if (code != 0 && code != OD_ENOTFOUND) {
            return code;
        }
        if (!is_active) {
            forget_told(stream, execution);
        }
        stream->lap_at = execution + 1;
        arena_reset(arena);
    }
    stream->wants_states = !stream->is_introduced;
    return 0;
}

int event_stream_read(struct event_stream *stream, struct reader *reader, struct buf *out)
{
    struct arena arena;
    int code;

    arena_init(&arena, 4096);
    code = read_events(stream, reader, &arena, out);
    if (code == 0 && stream->is_at_end && stream->wants_states) {
        code = stream->of.execution != 0 ? read_execution(stream, reader, &arena, out)
                                         : read_lap(stream, reader, &arena, out);
    }
    arena_deinit(&arena);
    return code;
}
