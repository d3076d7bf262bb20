/* The recorder's eyes in the engine.
 *
 * A record goes into the buffer of the batch that is being filled, and from there to the file when
 * the batch is durable: so a trace never knows more than the store. A batch that was dropped takes
 * its records along, and the running digest goes back to what it was at the last durable batch.
 */
#include "engine/recording.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/version.h"
#include "engine/engine_state.h"
#include "engine/recorder.h"
#include "model/calendar.h"
#include "model/key.h"
#include "storage/row_digest.h"

/* A table that the trace knows by a number. */
struct told_zone {
    const struct zone_table *table;
    bool is_told;     /* the trace has it */
    bool is_current;  /* the name stands for it */
    bool is_doubtful; /* it may, in what is durable: what was told since then has been dropped */
};

struct recording {
    struct recorder *recorder;
    bool has_pseudonyms;
    struct pseudonyms pseudonyms;
    bool is_over;            /* lost: nothing is recorded any more */
    bool is_open;            /* a message was handled since the last COMMIT */
    uint64_t durable;        /* the running digest at the last durable COMMIT */
    struct told_zone *zones; /* number n is at n - 1 */
    size_t zone_count, zone_room;
    struct trace_kept *kept; /* of the letter */
    size_t kept_count, kept_room;
    uint32_t replies; /* of the letter, so far */
};

static bool records(const struct engine *engine)
{
    return engine->recording != NULL && !engine->recording->is_over;
}

static struct pseudonyms *pseudonyms_of(struct recording *recording)
{
    return recording->has_pseudonyms ? &recording->pseudonyms : NULL;
}

/* Once: the trace has ended early, and everything else goes on. */
static void give_up(struct engine *engine)
{
    struct recording *recording = engine->recording;

    recording->is_over = true;
    engine->counts_digest = false;
    metrics_set(&engine->metrics, METRIC_TRACE_LOST, 1);
    log_error("the recording has ended early",
              FIELD_SLICE("reason", recorder_lost(recording->recorder)));
    for (unsigned i = 0; i < 3; i++) {
        trace_buffer_clear(&engine->works[i].trace);
    }
}

static void put(struct engine *engine, const struct trace_record *record)
{
    struct recording *recording = engine->recording;

    trace_put(&engine->filling->trace, record, pseudonyms_of(recording));
    if (trace_frame_is_too_long(&engine->filling->trace)) {
        recorder_lose(recording->recorder, "trace: a message is too long");
        give_up(engine);
    }
}

/* ---- life ---- */

static void fill_settings(const struct actor_settings *from, struct arena *arena,
                          struct trace_settings *to)
{
    struct trace_gateway *gateways = arena_alloc(arena, from->gateway_count * sizeof(*gateways));

    for (uint32_t i = 0; i < from->gateway_count; i++) {
        gateways[i] = (struct trace_gateway){.name = slice_from(from->gateways[i].name),
                                             .is_pull = from->gateways[i].is_pull,
                                             .max_calls = from->gateways[i].max_calls,
                                             .max_offered = from->gateways[i].max_offered};
    }
    *to = (struct trace_settings){.lease_ms = from->lease_ms,
                                  .call_timeout_ms = from->call_timeout_ms,
                                  .dial_by_ms = from->dial_by_ms,
                                  .lease_limit = from->lease_limit,
                                  .max_calls = from->max_calls,
                                  .keep_executions_ms = from->keep_executions_ms,
                                  .keep_events_ms = from->keep_events_ms,
                                  .gateways = gateways,
                                  .gateway_count = from->gateway_count};
}

static int read_store_id(struct engine *engine, struct arena *arena, struct slice *out,
                         struct od_error *error)
{
    struct key key = key_text(SLICE("store.id"));
    struct meta meta;
    int code = reader_begin(engine->reader, error);

    if (code != 0) {
        return code;
    }
    code = reader_get(engine->reader, TABLE_META, &key, arena, &meta);
    reader_end(engine->reader);
    if (code != 0) {
        return od_error_set(error, code, "the store's id: %s", od_error_text(code));
    }
    *out = meta.text;
    return 0;
}

int recording_open(struct engine *engine, struct od_error *error)
{
    struct trace_header header = {.format = TRACE_FORMAT,
                                  .program = SLICE(OUTDIAL_VERSION),
                                  .has_test_clock =
                                      engine->clock.is_test || engine->clock.is_by_hand,
                                  .is_raw = engine->config->records_raw,
                                  .was_empty = store_is_new(engine->store),
                                  .at = clock_now(&engine->clock),
                                  .mono = clock_mono(&engine->clock)};
    struct recording *recording;
    int code;

    if (engine->config->record_path == NULL) {
        return 0;
    }
    trace_header_types(&header, &engine->memory);
    fill_settings(&engine->settings, &engine->memory, &header.settings);
    code = read_store_id(engine, &engine->memory, &header.store_id, error);
    if (code == 0) {
        code = store_digest(engine->store, &header.store_digest, error);
    }
    if (code != 0) {
        return code;
    }
    recording = memory_zero(1, sizeof(*recording));
    code = (engine->steps.is_stepped ? recorder_open_stepped : recorder_open)(
        engine->config->record_path, &header, &recording->recorder, error);
    if (code != 0) {
        memory_free(recording);
        return code;
    }
    recording->has_pseudonyms = !header.is_raw;
    if (recording->has_pseudonyms) {
        pseudonyms_init(&recording->pseudonyms);
    }
    engine->recording = recording;
    engine->counts_digest = true;
    arena_reset(&engine->memory);
    log_info("recording", FIELD_TEXT("file", engine->config->record_path));
    if (recording->has_pseudonyms && !header.was_empty) {
        log_warn("the store has rows: a trace with pseudonyms can be verified from an empty store "
                 "only");
    }
    return 0;
}

static void put_times(struct engine *engine, enum trace_kind kind)
{
    const struct trace_record record = {
        .kind = kind, .at = clock_now(&engine->clock), .mono = clock_mono(&engine->clock)};

    put(engine, &record);
}

void recording_start(struct engine *engine)
{
    if (records(engine)) {
        put_times(engine, TRACE_START);
        recording_flush(engine, engine->filling);
    }
}

void recording_reload(struct engine *engine)
{
    if (records(engine)) {
        put_times(engine, TRACE_RELOAD);
        recording_flush(engine, engine->filling);
    }
}

/* ---- zones ---- */

static uint64_t zone_number(const struct recording *recording, const struct zone_table *table)
{
    for (size_t i = 0; i < recording->zone_count; i++) {
        if (recording->zones[i].table == table) {
            return i + 1;
        }
    }
    return 0;
}

/* Makes a name stand for nothing. True: it did for something. */
static bool zone_unset(struct recording *recording, struct slice name)
{
    bool was_set = false;

    for (size_t i = 0; i < recording->zone_count; i++) {
        struct told_zone *zone = &recording->zones[i];

        if ((zone->is_current || zone->is_doubtful) && slice_equal_text(name, zone->table->name)) {
            zone->is_current = zone->is_doubtful = false;
            was_set = true;
        }
    }
    return was_set;
}

static void put_zone(struct engine *engine, uint64_t number, const struct zone_table *table,
                     bool is_current)
{
    const struct trace_record record = {
        .kind = TRACE_ZONE, .zone = {.number = number, .is_current = is_current, .table = table}};

    put(engine, &record);
}

/* The number of a table, which the trace is told of if need be. */
static uint64_t tell_zone(struct engine *engine, const struct zone_table *table, bool is_current)
{
    struct recording *recording = engine->recording;
    uint64_t number = zone_number(recording, table);

    if (number == 0) {
        if (recording->zone_count == recording->zone_room) {
            recording->zone_room = recording->zone_room == 0 ? 16 : 2 * recording->zone_room;
            recording->zones =
                memory_resize(recording->zones, recording->zone_room, sizeof(*recording->zones));
        }
        recording->zones[recording->zone_count++] = (struct told_zone){.table = table};
        number = recording->zone_count;
    } else if (recording->zones[number - 1].is_told &&
               (!is_current || recording->zones[number - 1].is_current)) {
        return number;
    }
    recording->zones[number - 1].is_told = true;
    if (is_current) {
        (void)zone_unset(recording, slice_from(table->name));
        recording->zones[number - 1].is_current = true;
    }
    put_zone(engine, number, table, is_current);
    return number;
}

void recording_zone(struct engine *engine, struct slice name, const struct zone_table *table)
{
    if (!records(engine) || table == &calendar_utc) {
        return;
    }
    if (table != NULL) {
        (void)tell_zone(engine, table, true);
    } else if (zone_unset(engine->recording, name)) {
        const struct zone_table gone = {.name = arena_text(&engine->memory, name)};

        put_zone(engine, 0, &gone, true);
    }
}

/* ---- letters ---- */

void recording_kept(struct engine *engine, const struct response_kept *kept)
{
    struct recording *recording = engine->recording;
    uint32_t reply;

    if (!records(engine)) {
        return;
    }
    reply = recording->replies++;
    if (kept == NULL) {
        return;
    }
    if (recording->kept_count == recording->kept_room) {
        recording->kept_room = recording->kept_room == 0 ? 8 : 2 * recording->kept_room;
        recording->kept =
            memory_resize(recording->kept, recording->kept_room, sizeof(*recording->kept));
    }
    recording->kept[recording->kept_count++] =
        (struct trace_kept){.reply = reply, .response = kept};
}

void recording_letter(struct engine *engine, const struct message *message)
{
    struct recording *recording = engine->recording;
    struct trace_record record = {.kind = TRACE_MESSAGE};

    if (!records(engine)) {
        return;
    }
    record.message.message = *message;
    record.message.digest = (uint32_t)engine->digest;
    record.message.kept = recording->kept;
    record.message.kept_count = recording->kept_count;
    if (message->type == MESSAGE_ZONE_RULES && message->payload.zone != &calendar_utc) {
        record.message.zone = tell_zone(engine, message->payload.zone, false);
    }
    put(engine, &record);
    recording->kept_count = 0;
    recording->replies = 0;
    recording->is_open = true;
}

/* ---- batches ---- */

void recording_commit(struct engine *engine)
{
    struct trace_record record = {
        .kind = TRACE_COMMIT, .at = clock_now(&engine->clock), .mono = clock_mono(&engine->clock)};

    if (!records(engine)) {
        return;
    }
    engine->filling->digest = record.digest = engine->digest;
    if (engine->recording->is_open) {
        engine->recording->is_open = false;
        put(engine, &record);
    }
}

void recording_flush(struct engine *engine, struct work *work)
{
    size_t bytes;

    if (!records(engine)) {
        return;
    }
    if (batch_count(work->batch) > 0) {
        engine->recording->durable = work->digest;
    }
    trace_close_frame(&work->trace);
    bytes = work->trace.bytes.size;
    if (bytes == 0) {
        return;
    }
    metrics_add(&engine->metrics, METRIC_TRACE_BYTES, bytes);
    if (!recorder_append(engine->recording->recorder, &work->trace)) {
        give_up(engine);
    }
}

void recording_drop(struct engine *engine)
{
    if (!records(engine)) {
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        trace_buffer_clear(&engine->works[i].trace);
    }
    for (size_t i = 0; i < engine->recording->zone_count; i++) { /* to be told again */
        engine->recording->zones[i] =
            (struct told_zone){.table = engine->recording->zones[i].table, .is_doubtful = true};
    }
    engine->digest = engine->recording->durable;
    engine->recording->kept_count = 0;
    engine->recording->replies = 0;
    engine->recording->is_open = false;
}

/* ---- the end ---- */

static bool all_is_durable(const struct engine *engine)
{
    return engine->exit_status == 0 && engine->writing == NULL && !engine->recording->is_open &&
           batch_count(engine->filling->batch) == 0 && mailbox_derived(&engine->mailbox) == 0;
}

static void put_end(struct engine *engine)
{
    struct trace_record record = {
        .kind = TRACE_END, .at = clock_now(&engine->clock), .mono = clock_mono(&engine->clock)};
    struct od_error error;

    record.end.digest = engine->digest;
    if (store_digest(engine->store, &record.end.state, &error) != 0) {
        log_error("the trace has no end", FIELD_TEXT("reason", error.text));
        return;
    }
    put(engine, &record);
    recording_flush(engine, engine->filling);
}

void recording_close(struct engine *engine)
{
    struct recording *recording = engine->recording;

    if (recording == NULL) {
        return;
    }
    if (!recording->is_over && all_is_durable(engine)) {
        put_end(engine);
    }
    recorder_close(recording->recorder);
    if (recording->has_pseudonyms) {
        pseudonyms_deinit(&recording->pseudonyms);
    }
    memory_free(recording->zones);
    memory_free(recording->kept);
    memory_free(recording);
    engine->recording = NULL;
}
