/* What the engine asks of its event loop, and what that does for it; or, where the engine is
 * stepped by hand (engine/steps.h), the flags that take its place. */
#include "engine/engine_state.h"
#include "model/key.h"

void engine_leave(struct engine *engine)
{
    if (engine->steps.is_stepped) {
        engine->steps.is_broken = true;
    } else {
        event_base_loopbreak(engine->base);
    }
}

void engine_take_turn(struct engine *engine)
{
    turn_run(engine);
    if (engine->mode == ENGINE_DRAINING && turn_is_idle(engine)) {
        engine->mode = ENGINE_STOPPED;
        engine_leave(engine);
    }
}

void engine_probe_later(struct engine *engine)
{
    static const struct timeval wait = {PROBE_SECONDS, 0};

    if (engine->steps.is_stepped) {
        engine->steps.is_probe_wanted = true;
    } else {
        evtimer_add(engine->probe_event, &wait);
    }
}

void engine_send_probe(struct engine *engine)
{
    const struct meta meta = {.number = 1};
    struct key key = key_text(SLICE("probe"));

    batch_put(engine->filling->batch, TABLE_META, &key, &meta);
    if (engine->clock.is_test) { /* its last move may have been in what was refused */
        advance_store_clock(engine);
    }
    engine->writing = engine->filling;
    engine->filling = engine->writing == &engine->works[0] ? &engine->works[1] : &engine->works[0];
    writer_submit(engine->writer, engine->writing->batch);
}
