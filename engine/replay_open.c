/* The parts of a replay: the trace, a folder, a store, and an engine that does nothing by itself.
 */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "engine/replay_state.h"
#include "storage/row_digest.h"

enum { ZONE_BLOCK = 4096 };

static int make_directory(struct replay *replay, struct od_error *error)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets it */
    const char *parent = getenv("TMPDIR");
    int size;

    if (replay->options.store != NULL) {
        size = snprintf(replay->directory, REPLAY_DIRECTORY_SIZE, "%s", replay->options.store);
        return size < REPLAY_DIRECTORY_SIZE ? 0
                                            : od_error_set(error, OD_EINVAL, "--store: too long");
    }
    parent = parent != NULL && parent[0] != '\0' ? parent : "/tmp";
    size = snprintf(replay->directory, REPLAY_DIRECTORY_SIZE, "%s/outdial-replay-XXXXXX", parent);
    if (size >= REPLAY_DIRECTORY_SIZE || mkdtemp(replay->directory) == NULL) {
        return od_error_set(error, OD_EIO, "%s: no folder can be made in it: %s", parent,
                            strerrordesc_np(errno));
    }
    replay->owns_directory = true;
    return 0;
}

static void take_settings(struct replay *replay, struct actor_settings *out)
{
    const struct trace_settings *from = &replay_header(replay)->settings;

    replay->gateways = memory_zero(from->gateway_count, sizeof(*replay->gateways));
    for (size_t i = 0; i < from->gateway_count; i++) {
        replay->gateways[i] = (struct gateway_settings){
            .name = arena_text(&replay->zone_names, from->gateways[i].name),
            .is_pull = from->gateways[i].is_pull,
            .max_calls = from->gateways[i].max_calls,
            .max_offered = from->gateways[i].max_offered};
    }
    *out = (struct actor_settings){.lease_ms = from->lease_ms,
                                   .call_timeout_ms = from->call_timeout_ms,
                                   .dial_by_ms = from->dial_by_ms,
                                   .lease_limit = from->lease_limit,
                                   .gateways = replay->gateways,
                                   .gateway_count = (uint32_t)from->gateway_count,
                                   .max_calls = from->max_calls,
                                   .keep_executions_ms = from->keep_executions_ms,
                                   .keep_events_ms = from->keep_events_ms};
}

static int check_store(struct replay *replay, struct od_error *error)
{
    const struct trace_header *header = replay_header(replay);
    uint64_t digest;
    int code = store_digest(replay->engine->store, &digest, error);

    if (code != 0) {
        return code;
    }
    if (replay->options.verify && header->is_part) {
        return od_error_set(error, OD_EINVAL,
                            "the trace is a part of others: it has no digests to compare with");
    }
    replay->fits = digest == header->store_digest && !header->is_part;
    if (replay->options.verify && digest != header->store_digest) {
        return od_error_set(error, OD_EINVAL,
                            replay->options.store == NULL
                                ? "the trace begins at a store that has rows: verify with --store"
                                : "the trace began at another store");
    }
    return 0;
}

static int open_parts(struct replay *replay, struct od_error *error)
{
    const bool is_stepped = replay->options.is_stepped;
    struct stepping stepping = {.is_stepped = is_stepped};
    struct actor_settings settings;
    int code = trace_reader_open(replay->options.trace, &replay->reader, error);

    if (code == 0) {
        code = make_directory(replay, error);
    }
    if (code != 0) {
        return code;
    }
    take_settings(replay, &settings);
    replay->config.data_dir = replay->directory;
    replay->config.map_size_bytes = replay->options.map_size_bytes;
    replay->config.has_test_clock = true; /* no timers */
    stepping.is_volatile = replay->owns_directory || is_stepped;
    code = engine_open_for_replay(&replay->config, &settings, &stepping, &replay->engine, error);
    if (code != 0) {
        return code;
    }
    replay->engine->replay = replay;
    replay->engine->counts_digest = true;
    replay->engine->clock.is_test = replay_header(replay)->has_test_clock;
    engine_set_keeper(replay->engine, replay_on_keep, replay);
    return check_store(replay, error);
}

int replay_open(const struct replay_options *options, struct replay **out, struct od_error *error)
{
    struct replay *replay = memory_zero(1, sizeof(*replay));
    int code;

    replay->options = *options;
    arena_init(&replay->zone_names, ZONE_BLOCK);
    replay->types = memory_zero(MESSAGE_TYPE_COUNT + 1, sizeof(*replay->types));
    replay->figures.types = replay->types;
    replay->figures.all = &replay->types[MESSAGE_TYPE_COUNT];
    code = open_parts(replay, error);
    if (code != 0) {
        replay_close(replay);
        return code;
    }
    *out = replay;
    return 0;
}

static int remove_entry(const char *path, const struct stat *what, int type, struct FTW *where)
{
    (void)what;
    (void)type;
    (void)where;
    return remove(path);
}

void replay_close(struct replay *replay)
{
    struct od_error error;

    if (replay == NULL) {
        return;
    }
    if (replay->engine != NULL) {
        (void)replay_settle(replay, &error);
        replay_end_reading(replay);
        engine_close(replay->engine);
    }
    if (replay->owns_directory) {
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): of a folder that nobody else knows */
        (void)nftw(replay->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    }
    trace_reader_close(replay->reader);
    arena_deinit(&replay->zone_names);
    memory_free(replay->zones);
    memory_free(replay->gateways);
    memory_free(replay->types);
    memory_free(replay);
}

/* ---- what it says ---- */

const struct trace_header *replay_header(const struct replay *replay)
{
    return trace_reader_header(replay->reader);
}

const struct replay_figures *replay_figures(const struct replay *replay)
{
    return &replay->figures;
}

uint64_t replay_at(const struct replay *replay)
{
    return trace_reader_at(replay->reader);
}

uint64_t replay_size(const struct replay *replay)
{
    return trace_reader_size(replay->reader);
}

const char *replay_directory(const struct replay *replay)
{
    return replay->directory;
}

bool replay_fits(const struct replay *replay)
{
    return replay->fits;
}
