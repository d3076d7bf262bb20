/* What takes the place of the event loop: the flags that the callbacks of a running engine are, and
 * the callbacks themselves, called by hand. */
#include "engine/steps.h"

#include "base/check.h"
#include "base/instant.h"
#include "engine/engine_state.h"

int engine_open_stepped(const struct config *config, const struct engine_steps *steps,
                        struct engine **out, struct od_error *error)
{
    const struct stepping stepping = {.is_stepped = true,
                                      .has_foreign_store = steps->store != NULL,
                                      .has_foreign_zones = steps->zones != NULL,
                                      .is_volatile = steps->is_volatile,
                                      .turn_letters = UINT32_MAX,
                                      .turn_items = UINT32_MAX,
                                      .at = steps->at,
                                      .mono = steps->mono,
                                      .watch = steps->watch};

    return engine_open_with(config, &stepping, steps, out, error);
}

void engine_set_clock(struct engine *engine, int64_t at, int64_t mono, enum clock_move move)
{
    OD_CHECK(engine->steps.is_stepped);
    clock_set(&engine->clock, at, mono);
    switch (move) {
    case CLOCK_GOES_ON: break;
    case CLOCK_WAS_SET: timers_clock_was_set(engine); break;
    case CLOCK_STOOD_STILL: timers_process_stood_still(engine); break;
    }
    turn_wanted(engine);
}

struct wake engine_wake(const struct engine *engine)
{
    if (engine->mode != ENGINE_READY) { /* there are no actors that could want anything */
        return (struct wake){.at = INSTANT_NEVER, .mono = INSTANT_NEVER};
    }
    return timers_wake(engine);
}

void engine_limit_turns(struct engine *engine, uint32_t letters, uint32_t items)
{
    OD_CHECK(letters > 0);
    OD_CHECK(items > 0);
    engine->steps.turn_letters = letters;
    engine->steps.turn_items = items;
}

bool engine_wants_turn(const struct engine *engine)
{
    return engine->steps.is_turn_wanted && !engine->steps.is_broken;
}

void engine_run_turn(struct engine *engine)
{
    OD_CHECK(engine->steps.is_stepped);
    OD_CHECK(!engine->steps.is_broken);
    engine->steps.is_turn_wanted = false;
    engine_take_turn(engine);
}

bool engine_is_committing(const struct engine *engine)
{
    return engine->writing != NULL && !engine->steps.is_carried_out && !engine->steps.is_broken;
}

int engine_commit(struct engine *engine)
{
    OD_CHECK(engine_is_committing(engine));
    engine->steps.is_carried_out = true;
    return writer_step(engine->writer);
}

void engine_hear_commit(struct engine *engine)
{
    release_on_writer(engine);
}

bool engine_reads_all(const struct engine *engine)
{
    return !engine->steps.is_carried_out;
}

bool engine_wants_probe(const struct engine *engine)
{
    return engine->steps.is_probe_wanted && !engine->steps.is_broken;
}

void engine_run_probe(struct engine *engine)
{
    OD_CHECK(engine_wants_probe(engine));
    engine->steps.is_probe_wanted = false;
    engine_send_probe(engine);
}

bool engine_is_broken(const struct engine *engine, int *status)
{
    *status = engine->exit_status;
    return engine->steps.is_broken;
}
