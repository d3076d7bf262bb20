/* What is made outside of the actors and reaches them in messages: the time, ids, numbers, random
 * bytes, zone rules. */
#include <string.h>

#include <sodium.h>

#include "base/check.h"
#include "engine/engine_state.h"

uint64_t engine_next_exchange(struct engine *engine)
{
    return ++engine->last_exchange;
}

int64_t engine_now(const struct engine *engine)
{
    return clock_now(&engine->clock);
}

int64_t engine_mono(const struct engine *engine)
{
    return clock_mono(&engine->clock);
}

int64_t engine_real_mono_ns(void)
{
    return clock_mono_ns();
}

void engine_random(struct engine *engine, void *out, size_t size)
{
    (void)engine;
    randombytes_buf(out, size);
}

/* The bytes of an id that are not time and counter. */
static const uint8_t *draw_id_bytes(struct engine *engine, size_t size)
{
    if (engine->id_random_left < size) {
        randombytes_buf(engine->id_random, sizeof(engine->id_random));
        engine->id_random_left = sizeof(engine->id_random);
    }
    engine->id_random_left -= size;
    return engine->id_random + engine->id_random_left;
}

/* Within a millisecond a counter of 34 bits takes the place of random bits, so that ids ascend (RFC
 * 9562, 6.2, method 1): the order of ids is the order of creation, on which lists and the snapshot
 * of an audience rest. */
struct uuid engine_new_id(struct engine *engine)
{
    uint8_t random[10];
    uint64_t counter;
    int64_t now;

    timers_take_time(engine);
    now = clock_now(&engine->clock);
    if (now > engine->last_id_ms) {
        engine->last_id_ms = now;
        engine->last_id_counter = randombytes_random();
    } else {
        engine->last_id_counter++;
    }
    counter = engine->last_id_counter;
    memcpy(random, draw_id_bytes(engine, sizeof(random)), sizeof(random));
    random[0] = (uint8_t)((counter >> 30) & 0x0F);
    random[1] = (uint8_t)(counter >> 22);
    random[2] = (uint8_t)((counter >> 16) & 0x3F);
    random[3] = (uint8_t)(counter >> 8);
    random[4] = (uint8_t)counter;
    return uuid_v7(engine->last_id_ms, random);
}

uint32_t engine_next_number(struct engine *engine, enum table table)
{
    OD_CHECK(engine->last_number[table] < UINT32_MAX - 1);
    return ++engine->last_number[table];
}

bool engine_need_zone(struct engine *engine, struct slice name)
{
    return engine_zone_table(engine, name) != NULL;
}

const struct zone_table *engine_zone_table(struct engine *engine, struct slice name)
{
    return zones_table(engine->zones, name, clock_now(&engine->clock));
}

void engine_reload_zones(struct engine *engine)
{
    if (!zones_reload_if_changed(engine->zones)) {
        return;
    }
    log_info("the time-zone database has changed");
    for (uint32_t i = 0; i < engine->registry.count; i++) {
        const struct execution *e = &engine->registry.slots[i]->execution;
        struct letter letter = {.message = {.actor = {ACTOR_EXECUTION, e->number},
                                            .type = MESSAGE_ZONE_RULES,
                                            .at = clock_now(&engine->clock),
                                            .mono = clock_mono(&engine->clock)}};

        letter.message.payload.zone = engine_zone_table(engine, e->settings.timezone);
        if (letter.message.payload.zone != NULL) {
            mailbox_post(&engine->mailbox, &letter);
        }
    }
    turn_wanted(engine);
}
