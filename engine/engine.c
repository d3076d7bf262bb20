/* Wiring, start, run and drain; and the public verbs that need no room of their own. */
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/check.h"
#include "base/instant.h"
#include "base/memory.h"
#include "engine/engine_state.h"
#include "engine/recording.h"
#include "model/key.h"

enum { WORLD_BLOCK = 65536 };

/* ---- events ---- */

static void on_run(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    engine_take_turn(context);
}

static void on_writer(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    release_on_writer(context);
}

static void on_probe(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    engine_send_probe(context);
}

static void on_upkeep(evutil_socket_t fd, short what, void *context)
{
    struct engine *engine = context;

    (void)fd;
    (void)what;
    store_clear_dead_readers(engine->store);
    if (++engine->upkeeps % ZONES_UPKEEPS == 0) {
        engine_reload_zones(engine);
    }
}

static void on_pulse(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    timers_take_time(context);
}

static int open_upkeep(struct engine *engine, struct od_error *error)
{
    static const struct timeval minute = {UPKEEP_SECONDS, 0};
    static const struct timeval pulse = {PULSE_SECONDS, 0};

    engine->upkeep_event = event_new(engine->base, -1, EV_PERSIST, on_upkeep, engine);
    engine->pulse_event = event_new(engine->base, -1, EV_PERSIST, on_pulse, engine);
    if (engine->upkeep_event == NULL || event_add(engine->upkeep_event, &minute) != 0 ||
        engine->pulse_event == NULL || event_add(engine->pulse_event, &pulse) != 0) {
        return od_error_set(error, OD_ENOMEM, "event loop");
    }
    return 0;
}

/* ---- opening ---- */

static int open_events(struct engine *engine, struct od_error *error)
{
    /* evhttp turns reading and writing on and off several times a request; the list of changes
     * saves most of these system calls, about an eighth of a read's time. It asks that no
     * descriptor in the loop is a copy of another (dup), and none is. */
    const int flags = EVENT_BASE_FLAG_PRECISE_TIMER | EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST;
    struct event_config *config = event_config_new();

    if (config == NULL || event_config_set_flag(config, flags) != 0) {
        return od_error_set(error, OD_ENOMEM, "event loop");
    }
    engine->base = event_base_new_with_config(config);
    event_config_free(config);
    if (engine->base == NULL) {
        return od_error_set(error, OD_ENOMEM, "event loop");
    }
    engine->run_event = evtimer_new(engine->base, on_run, engine);
    engine->probe_event = evtimer_new(engine->base, on_probe, engine);
    if (engine->run_event == NULL || engine->probe_event == NULL) {
        return od_error_set(error, OD_ENOMEM, "event loop");
    }
    return timers_open(engine, error);
}

/* Of the store's file, while it is in use: the end, as by kill -9, which loses nothing that was
 * answered. */
static void on_damage(void *context, const char *text)
{
    const struct engine *engine = context;

    log_error("the store is damaged: restore the backup",
              FIELD_TEXT("data_dir", engine->config->data_dir), FIELD_TEXT("reason", text));
    _exit(EXIT_STORE);
}

static int open_storage(struct engine *engine, struct od_error *error)
{
    const struct store_options options = {.directory = engine->config->data_dir,
                                          .map_size_bytes = engine->config->map_size_bytes,
                                          .is_volatile = engine->steps.is_volatile,
                                          .on_damage = engine->steps.is_stepped ? NULL : on_damage,
                                          .damage_context = engine};
    int code = engine->store == NULL ? store_open(&options, &engine->store, error) : 0;

    if (code == 0) {
        code = reader_open(engine->store, &engine->reader, error);
    }
    if (code == 0) {
        code = reader_open(engine->store, &engine->api_reader, error);
    }
    if (code == 0 && engine->steps.is_stepped) {
        code = writer_open_stepped(engine->store, &engine->writer, error);
    } else if (code == 0) {
        code = writer_open(engine->store, &engine->writer, error);
    }
    if (code != 0) {
        return code;
    }
    for (unsigned i = 0; i < 3; i++) {
        engine->works[i].batch = batch_new();
        if (engine->works[i].batch == NULL) {
            return od_error_set(error, OD_ENOMEM, "batches");
        }
        outbox_init(&engine->works[i].outbox);
        trace_buffer_init(&engine->works[i].trace);
    }
    engine->filling = &engine->works[0];
    if (engine->steps.is_stepped) {
        return 0;
    }
    engine->writer_event = event_new(engine->base, writer_eventfd(engine->writer),
                                     EV_READ | EV_PERSIST, on_writer, engine);
    if (engine->writer_event == NULL || event_add(engine->writer_event, NULL) != 0) {
        return od_error_set(error, OD_ENOMEM, "event loop");
    }
    return 0;
}

static int open_clock(struct engine *engine, struct od_error *error)
{
    struct key key = key_text(SLICE("test_clock"));
    struct meta meta;
    int64_t at = engine->config->test_clock_at;
    int code;

    if (engine->steps.is_stepped) {
        clock_open_by_hand(&engine->clock, engine->steps.at, engine->steps.mono);
        return 0;
    }
    if (!engine->config->has_test_clock) {
        clock_open_real(&engine->clock);
        return 0;
    }
    code = reader_begin(engine->reader, error);
    if (code != 0) {
        return code;
    }
    code = reader_get(engine->reader, TABLE_META, &key, &engine->memory, &meta);
    if (code == 0 && (int64_t)meta.number > at) {
        at = (int64_t)meta.number;
    }
    reader_end(engine->reader);
    if (code != 0 && code != OD_ENOTFOUND) {
        return code;
    }
    clock_open_test(&engine->clock, at);
    advance_store_clock(engine); /* the folder has seen it */
    return 0;
}

static int open_parts(struct engine *engine, struct od_error *error)
{
    int code = engine->steps.is_stepped ? 0 : open_events(engine, error);

    if (code == 0 && engine->zones == NULL) {
        code = zones_open(&engine->zones, error);
    }
    if (code == 0) {
        code = open_storage(engine, error);
    }
    if (code == 0) {
        code = open_clock(engine, error);
    }
    if (code == 0) {
        code = recovery_find_numbers(engine, error);
    }
    if (code == 0) {
        code = recording_open(engine, error);
    }
    if (code == 0) {
        code = recovery_load(engine, error);
    }
    if (code == 0) {
        recording_start(engine);
    }
    if (code == 0 && !engine->steps.is_stepped) {
        code = open_upkeep(engine, error);
    }
    return code;
}

static struct engine *engine_new(const struct config *config)
{
    struct engine *engine = memory_zero(1, sizeof(*engine));

    engine->config = config;
    engine->wall_fd = engine->mono_fd = -1;
    metrics_init(&engine->metrics);
    mailbox_init(&engine->mailbox);
    registry_init(&engine->registry);
    arena_init(&engine->memory, WORLD_BLOCK);
    world_init(engine);
    return engine;
}

static int end_opening(struct engine *engine, int code, struct engine **out)
{
    if (code != 0) {
        engine_close(engine);
        return code;
    }
    engine->mode = ENGINE_READY;
    *out = engine;
    return 0;
}

int engine_open_for_replay(const struct config *config, const struct actor_settings *settings,
                           const struct stepping *stepping, struct engine **out,
                           struct od_error *error)
{
    struct engine *engine = engine_new(config);
    int code = stepping->is_stepped ? 0 : open_events(engine, error);

    engine->steps = *stepping;
    engine->settings = *settings;
    if (code == 0) {
        code = open_storage(engine, error);
    }
    return end_opening(engine, code, out);
}

int engine_open_with(const struct config *config, const struct stepping *stepping,
                     const struct engine_steps *steps, struct engine **out, struct od_error *error)
{
    struct engine *engine = engine_new(config);

    engine->steps = *stepping;
    engine->zones = steps->zones;
    engine->store = steps->store;
    config_settings(config, &engine->settings);
    return end_opening(engine, open_parts(engine, error), out);
}

int engine_open(const struct config *config, struct engine **out, struct od_error *error)
{
    return engine_open_with(config, &(struct stepping){.is_stepped = false},
                            &(struct engine_steps){.zones = NULL}, out, error);
}

/* ---- running ---- */

int engine_run(struct engine *engine)
{
    turn_wanted(engine);
    event_base_dispatch(engine->base);
    return engine->exit_status;
}

void engine_stop(struct engine *engine)
{
    struct letter letter;
    size_t letters = mailbox_letters(&engine->mailbox);

    if (engine->mode != ENGINE_READY) {
        engine->mode = ENGINE_STOPPED;
        engine_leave(engine);
        return;
    }
    engine->mode = ENGINE_DRAINING;
    for (size_t i = 0; i < letters && mailbox_take_letter(&engine->mailbox, &letter); i++) {
        if (letter.message.exchange == 0) { /* its own work goes on after the next start */
            arena_free(letter.arena);
        } else {
            mailbox_post(&engine->mailbox, &letter);
        }
    }
    turn_wanted(engine);
}

static void free_event(struct event *event)
{
    if (event != NULL) {
        event_free(event);
    }
}

static void close_storage(struct engine *engine)
{
    if (engine->writer != NULL) {
        writer_close(engine->writer);
    }
    if (engine->reader != NULL) {
        reader_close(engine->reader);
    }
    if (engine->api_reader != NULL) {
        reader_close(engine->api_reader);
    }
    if (engine->store != NULL && !engine->steps.has_foreign_store) {
        store_close(engine->store);
    }
    for (unsigned i = 0; i < 3; i++) {
        if (engine->works[i].batch != NULL) {
            batch_free(engine->works[i].batch);
            outbox_deinit(&engine->works[i].outbox);
            trace_buffer_deinit(&engine->works[i].trace);
        }
    }
}

void engine_close(struct engine *engine)
{
    recording_close(engine);
    if (engine->dispatcher.settings != NULL) {
        dispatcher_deinit(&engine->dispatcher);
    }
    registry_deinit(&engine->registry);
    mailbox_deinit(&engine->mailbox);
    engine_close_gateways(engine);
    timers_close(engine);
    free_event(engine->run_event);
    free_event(engine->writer_event);
    free_event(engine->probe_event);
    free_event(engine->upkeep_event);
    free_event(engine->pulse_event);
    close_storage(engine);
    if (engine->zones != NULL && !engine->steps.has_foreign_zones) {
        zones_close(engine->zones);
    }
    if (engine->base != NULL) {
        event_base_free(engine->base);
    }
    arena_deinit(&engine->memory);
    memory_free(engine);
}

/* ---- messages ---- */

void engine_set_replies(struct engine *engine, reply_fn on_reply, void *context)
{
    engine->on_reply = on_reply;
    engine->reply_context = context;
}

void engine_set_keeper(struct engine *engine, keep_fn on_keep, void *context)
{
    engine->on_keep = on_keep;
    engine->keep_context = context;
}

void engine_set_publish(struct engine *engine, publish_fn on_publish, void *context)
{
    engine->on_publish = on_publish;
    engine->publish_context = context;
}

static void refuse(struct engine *engine, uint64_t exchange, const char *reason)
{
    struct reply reply = {.exchange = exchange, .kind = REPLY_FAULT};

    if (exchange == 0 || engine->on_reply == NULL) {
        return;
    }
    reply.fault.code = FAULT_UNAVAILABLE;
    reply.fault.message = slice_from(reason);
    engine->on_reply(engine->reply_context, exchange, &reply);
}

/* What ends a request that is under way: a claim that waits, and the response that its client is to
 * find again under its Idempotency-Key. */
static bool is_taken_by_a_drain(enum message_type type)
{
    return type == MESSAGE_CLAIM_GIVEN_UP || type == MESSAGE_RESPONSE_KEPT;
}

void engine_post(struct engine *engine, const struct message *message, struct arena *arena)
{
    struct letter letter = {.message = *message, .arena = arena};
    const char *reason = "";
    bool is_accepted = engine_is_ready(engine, &reason) ||
                       (engine->mode == ENGINE_DRAINING && is_taken_by_a_drain(message->type));

    if (is_accepted && mailbox_letters(&engine->mailbox) >= MAILBOX_LETTERS_MAX) {
        is_accepted = false;
        reason = "Too many requests wait";
    }
    if (!is_accepted) {
        arena_free(arena);
        refuse(engine, message->exchange, reason);
        return;
    }
    timers_take_time(engine); /* the last turn may be long ago */
    letter.message.at = clock_now(&engine->clock);
    letter.message.mono = clock_mono(&engine->clock);
    mailbox_post(&engine->mailbox, &letter);
    turn_wanted(engine);
}

bool engine_is_ready(const struct engine *engine, const char **reason)
{
    switch (engine->mode) {
    case ENGINE_READY: return true;
    case ENGINE_STARTING: *reason = "The engine is starting"; break;
    case ENGINE_READ_ONLY: *reason = "The store takes no writes at the moment"; break;
    case ENGINE_DRAINING:
    case ENGINE_STOPPED: *reason = "The engine is stopping"; break;
    }
    return false;
}

bool engine_is_draining(const struct engine *engine)
{
    return engine->mode == ENGINE_DRAINING || engine->mode == ENGINE_STOPPED;
}

/* ---- reads ---- */

struct reader *engine_begin_read(struct engine *engine)
{
    struct od_error error;

    timers_take_time(engine); /* of what is read, some depends on the time */
    if (engine->api_reads == 0 && !engine->is_releasing &&
        reader_begin(engine->api_reader, &error) != 0) {
        return NULL;
    }
    engine->api_reads++;
    return engine->api_reader;
}

void engine_end_read(struct engine *engine, struct reader *reader)
{
    OD_CHECK(reader == engine->api_reader && engine->api_reads > 0);
    engine->api_reads--;
    if (engine->api_reads == 0 && !engine->is_releasing) {
        reader_end(reader);
    }
}

/* ---- parts ---- */

struct event_base *engine_base(struct engine *engine)
{
    return engine->base;
}

const struct config *engine_config(const struct engine *engine)
{
    return engine->config;
}

struct zones *engine_zones(struct engine *engine)
{
    return engine->zones;
}

struct metrics *engine_metrics(struct engine *engine)
{
    metrics_set(&engine->metrics, METRIC_EXECUTIONS_LOADED, engine->registry.count);
    metrics_set(&engine->metrics, METRIC_CALLS_LIVE, dispatcher_in_flight(&engine->dispatcher));
    metrics_set(&engine->metrics, METRIC_STORE_BYTES, (int64_t)store_bytes(engine->store));
    return &engine->metrics;
}

struct writer *engine_writer(struct engine *engine)
{
    return engine->writer;
}

struct store *engine_store(struct engine *engine)
{
    return engine->store;
}

bool engine_gateway_index(const struct engine *engine, struct slice name, uint32_t *out)
{
    return config_gateway_index(engine->config, name, out);
}
