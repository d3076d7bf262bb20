/* The test clock moves on: everything due up to the instant happens in order (api.md, "Test
 * clock").
 *
 * Whenever the engine has come to rest (nothing waits, everything is durable and let out), the
 * clock moves to the next instant at which anything is due, and a turn runs. When nothing is due up
 * to the end, the clock is set to it, and the caller hears once the engine has come to rest there,
 * with the clock's instant stored.
 */
#include "base/instant.h"
#include "engine/engine_state.h"
#include "model/key.h"

bool engine_has_test_clock(const struct engine *engine)
{
    return engine->clock.is_test;
}

static int64_t next_due(const struct engine *engine)
{
    struct wake wake = timers_wake(engine);
    int64_t at = wake.at;

    if (wake.mono != INSTANT_NEVER) {
        int64_t mono_at =
            instant_add(clock_now(&engine->clock), wake.mono - clock_mono(&engine->clock));

        at = mono_at < at ? mono_at : at;
    }
    return at;
}

/* A data folder that has seen a later instant goes on from that one: it is a row like any other, in
 * each batch that has rows, and at the end of an advance. */
void advance_store_clock(struct engine *engine)
{
    const struct meta meta = {.number = (uint64_t)clock_now(&engine->clock)};
    struct key key = key_text(SLICE("test_clock"));

    batch_put(engine->filling->batch, TABLE_META, &key, &meta);
}

static void move_clock(struct engine *engine, int64_t to)
{
    clock_advance_to(&engine->clock, to);
    if (to == engine->advance_to) {
        advance_store_clock(engine);
    }
    turn_wanted(engine);
}

void advance_step(struct engine *engine)
{
    if (!engine->is_advancing) {
        return;
    }
    int64_t due = next_due(engine);

    if (due <= clock_now(&engine->clock)) {
        turn_wanted(engine); /* due now: a turn fires it */
    } else if (due <= engine->advance_to) {
        move_clock(engine, due);
    } else if (clock_now(&engine->clock) < engine->advance_to) {
        move_clock(engine, engine->advance_to);
    } else {
        engine->is_advancing = false;
        engine->on_advanced(engine->advanced_context, clock_now(&engine->clock));
    }
}

bool engine_advance(struct engine *engine, int64_t to, void (*done)(void *context, int64_t now),
                    void *context)
{
    if (!engine->clock.is_test || engine->is_advancing || engine->mode != ENGINE_READY) {
        return false;
    }
    engine->is_advancing = true;
    engine->advance_to = to;
    engine->on_advanced = done;
    engine->advanced_context = context;
    turn_wanted(engine);
    return true;
}
