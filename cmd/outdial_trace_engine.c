/* The engine of `outdial-trace gen`: stepped, on a store that need not survive, recorded raw
 * (nobody in it is real). Everything that a running daemon takes from its machine comes from the
 * options. */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sodium.h>

#include "base/check.h"
#include "base/instant.h"
#include "cmd/outdial_trace_gen.h"
#include "cmd/outdialctl.h"
#include "engine/metrics.h"
#include "engine/steps.h"
#include "gateways/kinds.h"
#include "traces/trace.h"

#define RECORDED "/recorded.trace"

enum {
    FOLDER_SIZE = 4096,
    TURN_LETTERS = 256, /* what a turn does does not depend on the machine */
    TURN_ITEMS = 4096,
    OPEN_FILES = 8, /* of nftw */
};

/* ---- random bytes ---- */

static struct prng random_numbers; /* libsodium takes functions without a context */

static const char *random_name(void)
{
    return "outdial-trace gen";
}

static uint32_t random_number(void)
{
    return (uint32_t)prng_next(&random_numbers);
}

static void random_bytes(void *const out, const size_t size)
{
    uint8_t *bytes = out;

    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)prng_next(&random_numbers);
    }
}

void gen_seed_random(uint64_t seed)
{
    static randombytes_implementation seeded = {
        .implementation_name = random_name, .random = random_number, .buf = random_bytes};

    prng_seed(&random_numbers, seed ^ UINT64_C(0x6f75746469616c21)); /* another sequence than the
                                                                      * world's own */
    OD_CHECK(randombytes_set_implementation(&seeded) == 0);
}

/* ---- the folder ---- */

static int make_folder(char folder[FOLDER_SIZE], struct od_error *error)
{
    const char *parent = ctl_environment("TMPDIR");
    int size =
        snprintf(folder, FOLDER_SIZE, "%s/outdial-gen-XXXXXX", parent != NULL ? parent : "/tmp");

    if (size >= FOLDER_SIZE || mkdtemp(folder) == NULL) {
        return od_error_set(error, OD_EIO, "%s: no folder can be made: %s",
                            parent != NULL ? parent : "/tmp", strerrordesc_np(errno));
    }
    return 0;
}

static int remove_entry(const char *path, const struct stat *what, int kind, struct FTW *place)
{
    (void)what;
    (void)kind;
    (void)place;
    return remove(path);
}

/* ---- running ---- */

static int live(const struct config *config, const struct gen_target *target,
                const struct world_options *options,
                void (*on_progress)(void *context, const struct world_progress *progress),
                void *context, struct od_error *error)
{
    const struct engine_steps steps = {
        .at = target->start_at, .mono = MS_PER_DAY, .is_volatile = true};
    struct engine *engine;
    struct world *world;
    int code = engine_open_stepped(config, &steps, &engine, error);

    if (code != 0) {
        return code;
    }
    if (!engine_need_zone(engine, slice_from(options->timezone))) {
        engine_close(engine);
        return od_error_set(error, OD_EINVAL, "--timezone: there is no \"%s\"", options->timezone);
    }
    engine_limit_turns(engine, TURN_LETTERS, TURN_ITEMS);
    world = world_new(engine, options);
    code = world_live(world, on_progress, context, error);
    if (code == 0 && metrics_value(engine_metrics(engine), METRIC_TRACE_LOST) != 0) {
        code = od_error_set(error, OD_EIO, "the recording was lost: it cannot be written as fast");
    }
    world_free(world);
    engine_close(engine);
    return code;
}

/* ---- the file ---- */

/* Copies what was recorded, which has a frame for each batch, into full frames, under an id of the
 * store that follows from the seed. The recording must have come to its end. */
static int copy_records(struct trace_reader *from, const char *path, struct od_error *error)
{
    struct trace_header header = *trace_reader_header(from);
    uint8_t random[10];
    char id[UUID_TEXT_SIZE];
    struct uuid uuid;
    struct trace_record record;
    struct trace_writer *to;
    struct od_error ignored;
    enum trace_kind last = TRACE_LOST;
    int code;

    random_bytes(random, sizeof(random));
    uuid = uuid_v7(header.at, random);
    uuid_print(&uuid, id);
    header.store_id = slice_from(id);
    code = trace_writer_open(path, &header, &to, error);
    if (code != 0) {
        return code;
    }
    while (code == 0 && (code = trace_reader_next(from, &record, error)) == 0) {
        last = record.kind;
        code = trace_writer_put(to, &record, error);
    }
    if (code != OD_ENOTFOUND) {
        (void)trace_writer_close(to, &ignored);
    } else {
        code = trace_writer_close(to, error);
    }
    if (code == 0 && last != TRACE_END) {
        code = od_error_set(error, OD_EIO, "the recording did not come to its end");
    }
    if (code != 0) {
        (void)unlink(path);
    }
    return code;
}

static int copy(const char *recorded, const char *path, struct od_error *error)
{
    struct trace_reader *reader;
    int code = trace_reader_open(recorded, &reader, error);

    if (code != 0) {
        return code;
    }
    code = copy_records(reader, path, error);
    trace_reader_close(reader);
    return code;
}

static int record_world(const char *folder, const struct gen_target *target,
                        const struct world_options *options,
                        void (*on_progress)(void *context, const struct world_progress *progress),
                        void *context, struct od_error *error)
{
    char recorded[FOLDER_SIZE + sizeof(RECORDED)];
    struct config config;
    int code;

    (void)snprintf(recorded, sizeof(recorded), "%s" RECORDED, folder);
    config_defaults(&config, gateway_kinds);
    config.data_dir = folder;
    config.record_path = recorded;
    config.records_raw = true;
    code = live(&config, target, options, on_progress, context, error);
    config_free(&config);
    return code == 0 ? copy(recorded, target->path, error) : code;
}

int gen_run_world(const struct gen_target *target, const struct world_options *options,
                  void (*on_progress)(void *context, const struct world_progress *progress),
                  void *context, struct od_error *error)
{
    char folder[FOLDER_SIZE];
    int code;

    if (access(target->path, F_OK) == 0) {
        return od_error_set(error, OD_EINVAL, "%s: exists; nothing is overwritten", target->path);
    }
    code = make_folder(folder, error);
    if (code != 0) {
        return code;
    }
    code = record_world(folder, target, options, on_progress, context, error);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the tool has one thread by now */
    if (nftw(folder, remove_entry, OPEN_FILES, FTW_DEPTH | FTW_PHYS) != 0 && code == 0) {
        code = od_error_set(error, OD_EIO, "%s cannot be removed", folder);
    }
    return code;
}
