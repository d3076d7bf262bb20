/* Recordings: each life of the engine is recorded to a file of its own. When it is over, the file
 * is what it is, or its end is torn off at any byte, or is zeros, as a crash of the machine may
 * leave it. Then it is replayed from the store at which it began: what can be read of it comes to
 * the digests that were recorded, and all of it to the rows that are on disk.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "engine/replay.h"
#include "storage/row_digest.h"
#include "tests/sim/sim.h"

enum { SEEDS_PERCENT = 6, COPY_BYTES = 1 << 16 };

/* ---- recording ---- */

void traces_choose(struct sim *sim)
{
    sim->records = chance(sim, SEEDS_PERCENT);
}

static void copy_path(const struct sim *sim, const char *name, char out[128])
{
    (void)snprintf(out, 128, "%s/copy%s%s", sim->folder, name[0] != '\0' ? "/" : "", name);
}

/* The pages that are in use; the rest of the file is a hole. */
static void copy_store(struct sim *sim)
{
    static char bytes[COPY_BYTES];
    uint64_t left = store_bytes(sim->store);
    char path[128];
    struct stat status;
    int from, to;

    copy_path(sim, "", path);
    OD_CHECK(mkdir(path, 0700) == 0 || access(path, W_OK) == 0);
    copy_path(sim, "lock.mdb", path);
    (void)unlink(path);
    copy_path(sim, "data.mdb", path);
    to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    (void)snprintf(path, sizeof(path), "%s/data.mdb", sim->folder);
    from = open(path, O_RDONLY | O_CLOEXEC);
    OD_CHECK(from >= 0 && to >= 0 && fstat(from, &status) == 0);
    while (left > 0) {
        ssize_t size = read(from, bytes, left < sizeof(bytes) ? left : sizeof(bytes));

        OD_CHECK(size > 0 && write(to, bytes, (size_t)size) == size);
        left -= (uint64_t)size;
    }
    OD_CHECK(ftruncate(to, status.st_size) == 0);
    OD_CHECK(close(from) == 0 && close(to) == 0);
}

void traces_begin_life(struct sim *sim)
{
    sim->life++;
    sim->config->record_path = NULL;
    if (!sim->records) {
        return;
    }
    sim->began_new = sim->life == 1;
    (void)snprintf(sim->trace, sizeof(sim->trace), "%s/trace", sim->folder);
    (void)unlink(sim->trace);
    sim->config->record_path = sim->trace;
    sim->config->records_raw = !sim->began_new || chance(sim, 50);
    if (!sim->began_new) {
        copy_store(sim);
    }
}

void traces_note_end(struct sim *sim, bool is_drained)
{
    sim->is_trace_complete = engine_reads_all(sim->engine);
    sim->is_trace_ended = is_drained;
}

/* ---- damage ---- */

/* True: something of it has been lost. */
static bool tear(struct sim *sim)
{
    struct stat status;
    off_t at;

    OD_CHECK(stat(sim->trace, &status) == 0);
    if (chance(sim, 40)) {
        return false;
    }
    at = (off_t)below(sim, (uint32_t)status.st_size);
    if (chance(sim, 50) && status.st_size > 4096) { /* near the end */
        at = status.st_size - 1 - (off_t)below(sim, 4096);
    }
    OD_CHECK(truncate(sim->trace, at) == 0);
    if (chance(sim, 30)) { /* its size was written, and its last pages were not */
        OD_CHECK(truncate(sim->trace, status.st_size) == 0);
    }
    return true;
}

/* ---- replaying ---- */

static void judge_whole(struct sim *sim, struct replay *replay,
                        const struct replay_figures *figures)
{
    struct od_error error;
    uint64_t state, expected;

    SIM_REQUIRE(sim, replay_finish(replay, &state, &error) == 0);
    SIM_REQUIRE(sim, !figures->is_lost);
    SIM_REQUIRE(sim, figures->has_end || !sim->is_trace_ended);
    SIM_REQUIRE(sim, store_digest(sim->store, &expected, &error) == 0);
    if (sim->is_trace_complete) { /* all that is durable, and nothing beyond */
        SIM_REQUIRE(sim, state == expected);
        sim_count(sim, COUNT_TRACES);
    }
    if (figures->has_end && sim->is_trace_ended) {
        sim_count(sim, COUNT_TRACES_ENDED);
    }
}

static void play(struct sim *sim, struct replay *replay, bool is_torn)
{
    const struct replay_figures *figures = replay_figures(replay);
    struct od_error error;
    int code;

    do {
        code = replay_step(replay, &error);
    } while (code == 0);
    if (figures->is_different) {
        const struct replay_difference *difference = &figures->difference;

        sim_fail(sim, "the replay differs at message %llu, %s to %u",
                 (unsigned long long)difference->index, message_type_name(difference->type),
                 difference->actor.number);
    }
    /* Cut off where a frame ends, it only ends. */
    SIM_REQUIRE(sim, code == OD_ENOTFOUND || (is_torn && code == OD_ECORRUPT));
    if (!is_torn) {
        judge_whole(sim, replay, figures);
    } else {
        sim_count(sim, COUNT_TRACES_CUT);
    }
}

void traces_check(struct sim *sim)
{
    char copy[128];
    const struct replay_options options = {.trace = sim->trace,
                                           .store = sim->began_new ? NULL : copy,
                                           .verify = true,
                                           .is_stepped = true,
                                           .map_size_bytes = SIM_MAP_BYTES};
    struct replay *replay;
    struct od_error error;
    bool is_torn;
    int code;

    if (!sim->records) {
        return;
    }
    copy_path(sim, "", copy);
    is_torn = tear(sim);
    code = replay_open(&options, &replay, &error);
    if (code != 0) { /* its beginning is torn */
        SIM_REQUIRE(sim, is_torn && code == OD_ECORRUPT);
        return;
    }
    play(sim, replay, is_torn);
    replay_close(replay);
}
