/* A fixture's engine recorded, and the recording replayed: for tests of whatever an engine may go
 * through. */
#ifndef OUTDIAL_TESTS_UNIT_ENGINE_REPLAY_CHECK_H
#define OUTDIAL_TESTS_UNIT_ENGINE_REPLAY_CHECK_H

#include "engine/replay.h"
#include "tests/unit/engine/engine_fixture.h"

/* The next engine of the fixture is recorded to this file in its folder. */
static inline const char *replay_record(struct fixture *f)
{
    static char path[96];

    (void)snprintf(path, sizeof(path), "%s/trace", f->directory);
    f->config->record_path = path;
    return path;
}

/* Replays to the end. Returns the last code of replay_step. */
static inline int replay_run(struct replay *replay)
{
    struct od_error error;
    int code;

    while ((code = replay_step(replay, &error)) == 0) {
    }
    return code;
}

/* The whole trace comes out as it was recorded, END included. `reloads`: of failed commits. */
static inline void replay_assert_same(const char *path, uint64_t reloads)
{
    const struct replay_options options = {.trace = path, .verify = true};
    const struct replay_figures *figures;
    struct replay *replay;
    struct od_error error;
    uint64_t state;

    if (replay_open(&options, &replay, &error) != 0) {
        fail_msg("replay: %s", error.text);
    }
    figures = replay_figures(replay);
    assert_int_equal(replay_run(replay), OD_ENOTFOUND);
    if (figures->is_different) {
        fail_msg("message %llu (%s): %llx, recorded %llx",
                 (unsigned long long)figures->difference.index,
                 message_type_name(figures->difference.type),
                 (unsigned long long)figures->difference.found,
                 (unsigned long long)figures->difference.expected);
    }
    assert_true(figures->has_end);
    assert_int_equal(figures->reloads, reloads);
    assert_true(figures->letters > 10 && figures->messages > figures->letters);
    assert_int_equal(replay_finish(replay, &state, &error), 0);
    replay_close(replay);
}

#endif
