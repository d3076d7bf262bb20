/* One record after the other:
 *
 *   START, RELOAD   the actors are what the store says, loaded at these times
 *   ZONE            a name stands for another table
 *   MESSAGE         it is handled, then all that follows from it; the digest is compared
 *   COMMIT          a batch ended here: executions save their state, and those that are over leave
 *                   the memory
 *
 * The digest counts rows as the actors put them, so the place of a batch's end matters: an
 * execution saves its state once a batch. What is on disk when does not, as nobody waits for it:
 * many batches of a trace are one for the writer, which stores it while the next one fills.
 */
#include "engine/replay.h"

#include <errno.h>
#include <time.h>

#include "base/check.h"
#include "base/memory.h"
#include "engine/replay_state.h"
#include "model/calendar.h"
#include "storage/row_digest.h"

enum {
    BATCH_BYTES = 512 << 20, /* a trace with larger ones is refused */
    WRITE_ROWS = 8000,       /* so many, or so many bytes, are worth a transaction */
    WRITE_BYTES = 4 << 20,
};

/* ---- zones ---- */

static struct current_zone *zone_slot(const struct replay *replay, struct slice name)
{
    for (size_t i = 0; i < replay->zone_count; i++) {
        if (slice_equal_text(name, replay->zones[i].name)) {
            return &replay->zones[i];
        }
    }
    return NULL;
}

const struct zone_table *replay_zone(const struct replay *replay, struct slice name)
{
    const struct current_zone *zone = zone_slot(replay, name);

    if (slice_equal_text(name, calendar_utc.name)) {
        return &calendar_utc;
    }
    return zone != NULL ? zone->table : NULL;
}

static void on_zone(struct replay *replay, const struct trace_zone *traced)
{
    struct slice name = slice_from(traced->table->name);
    struct current_zone *zone = zone_slot(replay, name);

    if (!traced->is_current) {
        return;
    }
    if (zone == NULL) {
        if (replay->zone_count == replay->zone_room) {
            replay->zone_room = replay->zone_room == 0 ? 16 : 2 * replay->zone_room;
            replay->zones = memory_resize(replay->zones, replay->zone_room, sizeof(*replay->zones));
        }
        zone = &replay->zones[replay->zone_count++];
        zone->name = arena_text(&replay->zone_names, name);
    }
    zone->table = traced->number != 0 ? traced->table : NULL;
}

/* ---- the store ---- */

static int begin_reading(struct replay *replay, struct od_error *error)
{
    int code = reader_begin(replay->engine->reader, error);

    replay->is_reading = code == 0;
    return code;
}

void replay_end_reading(struct replay *replay)
{
    if (replay->is_reading) {
        reader_end(replay->engine->reader);
        replay->is_reading = false;
    }
}

/* Waits for the batch that is with the writer. */
int replay_settle(struct replay *replay, struct od_error *error)
{
    struct engine *engine = replay->engine;
    struct writer_result result;

    if (engine->writing == NULL) {
        return 0;
    }
    writer_wait(engine->writer, &result);
    recovery_forget_work(engine->writing);
    engine->writing = NULL;
    if (result.code != 0) {
        *error = result.error;
    }
    return result.code;
}

/* Hands what has been closed to the writer. */
static int write_batch(struct replay *replay, struct od_error *error)
{
    struct engine *engine = replay->engine;
    int code = replay_settle(replay, error);

    if (code != 0) {
        return code;
    }
    replay_end_reading(replay);
    outbox_clear(&engine->filling->outbox);
    if (batch_count(engine->filling->batch) > 0) {
        replay->figures.operations += batch_count(engine->filling->batch);
        replay->figures.transactions++;
        replay->closed_bytes = 0;
        turn_submit(engine);
    }
    return begin_reading(replay, error);
}

/* The batch ends at the clock's time. Nobody waits for what is in its outbox. */
static int close_batch(struct replay *replay, struct od_error *error)
{
    struct engine *engine = replay->engine;
    struct work *work = engine->filling;

    turn_save(engine);
    outbox_clear(&work->outbox);
    if (batch_bytes(work->batch) > replay->closed_bytes) {
        replay->figures.commits++;
        if (engine->clock.is_test) {
            advance_store_clock(engine);
        }
        replay->closed_bytes = batch_bytes(work->batch);
    }
    if (batch_count(work->batch) < WRITE_ROWS && batch_bytes(work->batch) < WRITE_BYTES) {
        return 0;
    }
    return write_batch(replay, error);
}

static void set_clock(struct replay *replay, int64_t at, int64_t mono)
{
    replay->engine->clock.now = at;
    replay->engine->clock.mono = mono;
}

static int load_actors(struct replay *replay, int64_t at, int64_t mono, struct od_error *error)
{
    struct engine *engine = replay->engine;
    int code = replay->closed_bytes > 0 ? write_batch(replay, error) : 0;

    if (code == 0) {
        code = replay_settle(replay, error);
    }
    replay_end_reading(replay);
    set_clock(replay, at, mono);
    if (code == 0) {
        recovery_forget_work(engine->filling);
        recovery_forget(engine);
        code = recovery_load(engine, error);
    }
    if (code != 0) {
        return code;
    }
    mailbox_deinit(&engine->mailbox); /* what they post comes from the trace */
    arena_reset(&engine->memory);
    replay->is_loaded = true;
    return begin_reading(replay, error);
}

/* ---- messages ---- */

/* The keeper of responses: says what it said when this was recorded. */
const struct response_kept *replay_on_keep(void *context, uint64_t exchange,
                                           const struct reply *reply, struct arena *arena)
{
    struct replay *replay = context;
    const struct trace_message *letter = replay->letter;
    uint32_t number = replay->replies++;

    (void)exchange;
    (void)reply;
    (void)arena;
    for (size_t i = 0; letter != NULL && i < letter->kept_count; i++) {
        if (letter->kept[i].reply == number) {
            return letter->kept[i].response;
        }
    }
    return NULL;
}

static bool compares(const struct replay *replay)
{
    return replay->options.verify && !replay->figures.is_different;
}

static void differ(struct replay *replay, const struct replay_difference *difference)
{
    replay->figures.is_different = true;
    replay->figures.difference = *difference;
}

/* Waits until the message's time has come. */
static void keep_pace(struct replay *replay, int64_t mono)
{
    struct timespec until;
    int64_t due_ns;

    if (replay->options.speed <= 0) {
        return;
    }
    if (replay->started_ns == 0) {
        replay->started_ns = clock_mono_ns();
        replay->first_mono = mono;
    }
    due_ns = replay->started_ns +
             (int64_t)((double)(mono - replay->first_mono) * 1e6 / replay->options.speed);
    until.tv_sec = (time_t)(due_ns / 1000000000);
    until.tv_nsec = (long)(due_ns % 1000000000);
    if (due_ns > clock_mono_ns()) {
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
        }
    }
}

static void count_letter(struct replay *replay, const struct message *message, int64_t ns)
{
    struct replay_figures *figures = &replay->figures;

    histogram_add(&replay->types[message->type], (uint64_t)ns);
    histogram_add(&replay->types[MESSAGE_TYPE_COUNT], (uint64_t)ns);
    figures->letters++;
    if (figures->first_at == 0) {
        figures->first_at = message->at;
    }
    figures->last_at = message->at;
}

static int on_message(struct replay *replay, const struct trace_message *traced,
                      struct od_error *error)
{
    struct engine *engine = replay->engine;
    const struct message *message = &traced->message;
    struct message derived;
    int64_t begun;

    if (batch_bytes(engine->filling->batch) > BATCH_BYTES) {
        return od_error_set(error, OD_ECORRUPT, "a batch of more than %d bytes", BATCH_BYTES);
    }
    keep_pace(replay, message->mono);
    begun = clock_mono_ns();
    set_clock(replay, message->at, message->mono);
    replay->letter = traced;
    replay->replies = 0;
    world_handle(engine, message);
    while (mailbox_take_derived(&engine->mailbox, &derived)) {
        world_handle(engine, &derived);
    }
    replay->letter = NULL;
    arena_reset(&engine->memory);
    count_letter(replay, message, clock_mono_ns() - begun);
    if (compares(replay) && (uint32_t)engine->digest != traced->digest) {
        differ(replay, &(struct replay_difference){.kind = TRACE_MESSAGE,
                                                   .index = replay->figures.letters,
                                                   .at = message->at,
                                                   .actor = message->actor,
                                                   .type = message->type,
                                                   .expected = traced->digest,
                                                   .found = (uint32_t)engine->digest});
    }
    return 0;
}

/* ---- the other records ---- */

static void compare_digest(struct replay *replay, const struct trace_record *record,
                           uint64_t expected, uint64_t found, bool is_state)
{
    if (compares(replay) && expected != found) {
        differ(replay, &(struct replay_difference){.kind = record->kind,
                                                   .index = replay->figures.letters,
                                                   .at = record->at,
                                                   .expected = expected,
                                                   .found = found,
                                                   .is_state = is_state});
    }
}

static int on_commit(struct replay *replay, const struct trace_record *record,
                     struct od_error *error)
{
    int code;

    set_clock(replay, record->at, record->mono);
    code = close_batch(replay, error);
    compare_digest(replay, record, record->digest, replay->engine->digest, false);
    return code;
}

static int on_end(struct replay *replay, const struct trace_record *record, struct od_error *error)
{
    uint64_t state;
    int code = replay_finish(replay, &state, error);

    if (code != 0) {
        return code;
    }
    replay->figures.has_end = true;
    compare_digest(replay, record, record->end.digest, replay->engine->digest, false);
    compare_digest(replay, record, record->end.state, state, true);
    return begin_reading(replay, error);
}

static int on_record(struct replay *replay, const struct trace_record *record,
                     struct od_error *error)
{
    int code = 0;

    if (!replay->is_loaded && (record->kind == TRACE_MESSAGE || record->kind == TRACE_COMMIT)) {
        const struct trace_header *header = replay_header(replay); /* a part of a trace */

        code = load_actors(replay, header->at, header->mono, error);
    }
    if (code != 0) {
        return code;
    }
    switch (record->kind) {
    case TRACE_START: return load_actors(replay, record->at, record->mono, error);
    case TRACE_RELOAD:
        replay->figures.reloads++;
        return load_actors(replay, record->at, record->mono, error);
    case TRACE_ZONE: on_zone(replay, &record->zone); return 0;
    case TRACE_MESSAGE: return on_message(replay, &record->message, error);
    case TRACE_COMMIT: return on_commit(replay, record, error);
    case TRACE_END: return on_end(replay, record, error);
    case TRACE_LOST: replay->figures.is_lost = true; return 0;
    }
    return 0;
}

int replay_step(struct replay *replay, struct od_error *error)
{
    struct trace_record record;
    int code = trace_reader_next(replay->reader, &record, error);

    if (code == 0) {
        code = on_record(replay, &record, error);
    }
    replay->figures.messages = (uint64_t)metrics_value(&replay->engine->metrics, METRIC_MESSAGES);
    return code;
}

int replay_finish(struct replay *replay, uint64_t *state, struct od_error *error)
{
    int code = 0;

    if (replay->is_loaded) {
        code = close_batch(replay, error);
    }
    if (code == 0 && replay->is_loaded) {
        code = write_batch(replay, error);
    }
    if (code == 0) {
        code = replay_settle(replay, error);
    }
    replay_end_reading(replay);
    return code == 0 ? store_digest(replay->engine->store, state, error) : code;
}
