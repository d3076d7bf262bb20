/* After a start and after a failed commit: the actors are what the store says.
 *
 * A commit that failed leaves the actors ahead of the disk. The one safe answer (reliability.md,
 * finding 9): drop the batch and everything computed on it, answer 503 to whoever waits, reload the
 * actors from the store as after a crash. A full disk or map makes the engine read-only until a
 * probe row can be written again; a store that cannot be trusted any more ends the process with
 * status 70, and the supervisor starts it anew.
 */
#include "base/check.h"
#include "base/instant.h"
#include "engine/engine_state.h"
#include "engine/recording.h"
#include "model/key.h"
#include "storage/record.h"

/* ---- numbers that are given outside of the actors ---- */

static int last_key(struct engine *engine, enum table table, struct key *key)
{
    struct key prefix = key_empty();
    struct key end = key_u32(UINT32_MAX);
    struct slice raw;

    return reader_seek_before(engine->reader, table, &prefix, &end, key, &raw);
}

static void raise_number(struct engine *engine, enum table table, uint32_t number)
{
    if (number > engine->last_number[table]) {
        engine->last_number[table] = number;
    }
}

static int find_audience_numbers(struct engine *engine)
{
    struct key prefix = key_empty();
    struct key key;
    struct slice raw;
    struct audience audience;
    struct job job;
    int code;

    for (code = reader_seek(engine->reader, TABLE_AUDIENCE, &prefix, &prefix, &key, &raw);
         code == 0; code = reader_next(engine->reader, TABLE_AUDIENCE, &prefix, &key, &raw)) {
        code = record_decode(TABLE_AUDIENCE, &key, raw, &engine->memory, &audience);
        if (code != 0) {
            return code;
        }
        raise_number(engine, TABLE_AUDIENCE, audience.number);
        arena_reset(&engine->memory);
    }
    for (code = reader_seek(engine->reader, TABLE_JOB, &prefix, &prefix, &key, &raw); code == 0;
         code = reader_next(engine->reader, TABLE_JOB, &prefix, &key, &raw)) {
        code = record_decode(TABLE_JOB, &key, raw, &engine->memory, &job);
        if (code != 0) {
            return code;
        }
        if (job.kind != JOB_REMOVE_ATTRIBUTE) {
            raise_number(engine, job.kind == JOB_EMPTY_AUDIENCE ? TABLE_AUDIENCE : TABLE_EXECUTION,
                         job.number);
        }
    }
    return code == OD_ENOTFOUND ? 0 : code;
}

/* Executions that were removed have given up their rows, not their numbers. */
static int find_removed_number(struct engine *engine)
{
    struct key key = key_text(SLICE("last_execution"));
    struct meta meta;
    int code = reader_get(engine->reader, TABLE_META, &key, &engine->memory, &meta);

    if (code == 0) {
        raise_number(engine, TABLE_EXECUTION, (uint32_t)meta.number);
    }
    return code == OD_ENOTFOUND ? 0 : code;
}

int recovery_find_numbers(struct engine *engine, struct od_error *error)
{
    const enum table tables[] = {TABLE_ORGANISATION, TABLE_EXECUTION};
    struct key key;
    int code = reader_begin(engine->reader, error);

    if (code != 0) {
        return code;
    }
    for (unsigned i = 0; i < 2 && (code == 0 || code == OD_ENOTFOUND); i++) {
        code = last_key(engine, tables[i], &key);
        if (code == 0) {
            raise_number(engine, tables[i], key_u32_at(&key, 0));
        }
    }
    if (code == 0 || code == OD_ENOTFOUND) {
        code = find_audience_numbers(engine);
    }
    if (code == 0) {
        code = find_removed_number(engine);
    }
    reader_end(engine->reader);
    return code == 0 ? 0 : od_error_set(error, code, "numbers: %s", od_error_text(code));
}

/* ---- loading ---- */

static void post(struct engine *engine, struct actor_name actor, enum message_type type,
                 const union payload *payload)
{
    struct letter letter = {.message = {.actor = actor,
                                        .type = type,
                                        .at = clock_now(&engine->clock),
                                        .mono = clock_mono(&engine->clock)}};

    if (payload != NULL) {
        letter.message.payload = *payload;
    }
    mailbox_post(&engine->mailbox, &letter);
}

/* A restored backup, until every execution has been told (storage/restore.h). */
struct restore {
    bool is_pending;
    uint32_t era;
};

static int find_restore(struct engine *engine, struct restore *out)
{
    struct key key = key_text(SLICE(META_RESTORE));
    struct meta meta;
    int code = reader_get(engine->reader, TABLE_META, &key, &engine->memory, &meta);

    *out = (struct restore){.is_pending = false};
    if (code == 0 && meta.text.size > 0) {
        *out = (struct restore){.is_pending = true, .era = (uint32_t)meta.number};
        log_warn("a backup was restored: calls that were under way end in doubt, and what happened "
                 "after it is unknown",
                 FIELD_SLICE("backup_of", meta.text));
    }
    return code == OD_ENOTFOUND ? 0 : code;
}

/* The first that an execution hears. */
static void post_first(struct engine *engine, uint32_t number, const struct restore *restore)
{
    const struct actor_name actor = {ACTOR_EXECUTION, number};
    const union payload payload = {.restored = {restore->era}};

    if (restore->is_pending) {
        post(engine, actor, MESSAGE_RESTORED, &payload);
    } else {
        post(engine, actor, MESSAGE_TICK, NULL);
    }
}

static int load_executions(struct engine *engine, const struct restore *restore)
{
    struct key prefix = key_empty();
    struct key from = prefix;
    struct key key;
    struct slice raw;
    int code;

    while ((code = reader_seek(engine->reader, TABLE_ACTIVE_EXECUTION, &prefix, &from, &key,
                               &raw)) == 0) {
        uint32_t number = key_u32_at(&key, sizeof(uint32_t));
        struct resident *resident = registry_add(&engine->registry, number);

        if (!execution_load(&resident->execution, number, &engine->settings, &engine->view.view,
                            clock_mono(&engine->clock))) {
            return OD_ECORRUPT;
        }
        resident->told = resident->execution.state.status;
        arena_reset(&engine->memory);
        post_first(engine, number, restore);
        from = key_after(&key);
    }
    return code == OD_ENOTFOUND ? 0 : code;
}

/* A store of an earlier version has executions that are over and not listed as such: a TICK lets
 * them say so. */
static int list_ended(struct engine *engine)
{
    struct key prefix = key_empty(), key;
    uint64_t all, active = 0, ended = 0;
    struct slice raw;
    int code = reader_count(engine->reader, TABLE_ORGANISATION_EXECUTION, &all);

    if (code == 0) {
        code = reader_count(engine->reader, TABLE_ACTIVE_EXECUTION, &active);
    }
    if (code == 0) {
        code = reader_count(engine->reader, TABLE_ENDED_EXECUTION, &ended);
    }
    if (code != 0 || all <= active + ended) {
        return code;
    }
    for (code = reader_seek(engine->reader, TABLE_ORGANISATION_EXECUTION, &prefix, &prefix, &key,
                            &raw);
         code == 0;
         code = reader_next(engine->reader, TABLE_ORGANISATION_EXECUTION, &prefix, &key, &raw)) {
        uint32_t number = key_u32_at(&key, sizeof(uint32_t));

        if (registry_find(&engine->registry, number) == NULL) {
            post(engine, (struct actor_name){ACTOR_EXECUTION, number}, MESSAGE_TICK, NULL);
        }
    }
    return code == OD_ENOTFOUND ? 0 : code;
}

static void post_job(struct engine *engine, const struct job *job)
{
    const struct actor_name directory = {ACTOR_DIRECTORY, job->organisation};
    union payload payload = {.slice = {.number = job->number}};

    if (job->kind == JOB_REMOVE_EXECUTION) {
        post(engine, (struct actor_name){ACTOR_RETENTION, 0}, MESSAGE_REMOVE_EXECUTION_SLICE,
             &payload);
    } else if (job->kind == JOB_REMOVE_ATTRIBUTE) {
        payload.id = (struct owned_id){job->organisation, job->attribute_id};
        post(engine, directory, MESSAGE_REMOVE_ATTRIBUTE_SLICE, &payload);
    } else {
        post(engine, directory, MESSAGE_EMPTY_AUDIENCE_SLICE, &payload);
    }
}

static int load_jobs(struct engine *engine)
{
    struct key prefix = key_empty();
    struct key key;
    struct slice raw;
    struct job job;
    int code;

    for (code = reader_seek(engine->reader, TABLE_JOB, &prefix, &prefix, &key, &raw); code == 0;
         code = reader_next(engine->reader, TABLE_JOB, &prefix, &key, &raw)) {
        code = record_decode(TABLE_JOB, &key, raw, &engine->memory, &job);
        if (code != 0) {
            return code;
        }
        post_job(engine, &job);
    }
    return code == OD_ENOTFOUND ? 0 : code;
}

static int load_all(struct engine *engine)
{
    struct restore restore;
    int code = find_restore(engine, &restore);

    if (code == 0) {
        code = load_executions(engine, &restore);
    }
    if (code == 0 && restore.is_pending) { /* behind them all */
        const union payload payload = {.restored = {restore.era}};

        post(engine, (struct actor_name){ACTOR_PLATFORM, 0}, MESSAGE_RESTORE_TOLD, &payload);
    }
    if (code == 0) {
        code = list_ended(engine);
    }
    if (code == 0) {
        code = load_jobs(engine);
    }
    return code;
}

int recovery_load(struct engine *engine, struct od_error *error)
{
    int code = engine_open_gateways(engine, error);

    if (code != 0) {
        return code;
    }
    code = reader_begin(engine->reader, error);
    if (code != 0) {
        return code;
    }
    dispatcher_init(&engine->dispatcher, &engine->settings);
    retention_init(&engine->retention);
    post(engine, (struct actor_name){ACTOR_RETENTION, 0}, MESSAGE_TICK, NULL);
    code = load_all(engine);
    reader_end(engine->reader);
    if (code != 0) {
        return od_error_set(error, code, "what is active cannot be loaded: %s",
                            od_error_text(code));
    }
    turn_wanted(engine);
    return 0;
}

/* ---- a failed commit ---- */

void recovery_forget_work(struct work *work)
{
    batch_clear(work->batch);
    outbox_clear(&work->outbox);
    trace_buffer_clear(&work->trace);
    work->messages = 0;
}

void recovery_forget(struct engine *engine)
{
    mailbox_deinit(&engine->mailbox);
    mailbox_init(&engine->mailbox);
    registry_clear(&engine->registry);
    if (engine->dispatcher.settings != NULL) {
        dispatcher_deinit(&engine->dispatcher);
    }
    engine_close_gateways(engine);
    engine->dispatcher_is_ticked = false;
    engine->retention_is_ticked = false;
}

/* Everyone who waits for an answer, whose message or reply has just been dropped. */
static void answer_everyone(struct engine *engine)
{
    struct reply reply = {.exchange = ENGINE_EVERY_EXCHANGE, .kind = REPLY_FAULT};

    reply.fault.code = FAULT_UNAVAILABLE;
    reply.fault.message = SLICE("The store takes no writes at the moment");
    if (engine->on_reply != NULL) {
        engine->on_reply(engine->reply_context, ENGINE_EVERY_EXCHANGE, &reply);
    }
}

void recovery_drop(struct engine *engine, const struct writer_result *result)
{
    if (result->code != OD_EFULL) {
        log_error("a commit failed, and the store cannot be trusted: restart",
                  FIELD_TEXT("reason", result->error.text));
        engine->exit_status = EXIT_STORE;
        engine_leave(engine);
        return;
    }
    log_error("the store takes no writes: reads go on, writes are answered 503",
              FIELD_TEXT("reason", result->error.text));
    OD_CHECK(engine->releasing == NULL);
    recovery_forget_work(engine->writing);
    recovery_forget_work(engine->filling);
    recording_drop(engine);
    engine->writing = NULL;
    recovery_forget(engine);
    if (engine->mode == ENGINE_DRAINING) {
        engine->mode = ENGINE_STOPPED;
        answer_everyone(engine);
        engine_leave(engine);
        return;
    }
    engine->mode = ENGINE_READ_ONLY;
    engine->was_full = !store_has_room(engine->store);
    metrics_set(&engine->metrics, METRIC_READ_ONLY, 1);
    answer_everyone(engine);
    engine_probe_later(engine);
}

/* The word about a probe row: written means that there is room again. But a row of a few bytes may
 * find a free page on a disk or in a map that is still full, and the next batch would fail: what
 * was full has to have room for a batch. */
void recovery_probe(struct engine *engine, const struct writer_result *result)
{
    struct od_error error;

    recovery_forget_work(engine->writing);
    engine->writing = NULL;
    if (result->code == OD_EFULL ||
        (result->code == 0 && engine->was_full && !store_has_room(engine->store))) {
        engine_probe_later(engine);
        return;
    }
    if (result->code != 0 || recovery_load(engine, &error) != 0) {
        log_error("the store cannot be used again: restart",
                  FIELD_TEXT("reason", result->code != 0 ? result->error.text : error.text));
        engine->exit_status = EXIT_STORE;
        engine_leave(engine);
        return;
    }
    recording_reload(engine);
    engine->mode = ENGINE_READY;
    metrics_set(&engine->metrics, METRIC_READ_ONLY, 0);
    log_info("the store takes writes again");
}
