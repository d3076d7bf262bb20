/* A dispatcher alone, for its unit tests: two gateways, two organisations; what it does is told as
 * text. */
#ifndef OUTDIAL_TESTS_UNIT_ACTORS_DISPATCHER_FIXTURE_H
#define OUTDIAL_TESTS_UNIT_ACTORS_DISPATCHER_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "actors/dispatcher.h"
#include "base/check.h"
#include "tests/support/memory_world.h"
#include "tests/support/od_test.h"

enum {
    PUSH = 0, /* gateways */
    PULL = 1,
    FIXTURE_MONO = 100000, /* where the clock stands at first */
};

struct fixture {
    struct world *world;
    struct gateway_settings gateways[2];
    struct actor_settings settings;
    struct dispatcher dispatcher;
    int64_t mono;
};

static inline void put_organisation(struct fixture *f, uint32_t number, uint32_t cap, uint64_t pace)
{
    struct organisation row = {.number = number,
                               .name = SLICE_INIT("Atlas"),
                               .timezone = SLICE_INIT("UTC"),
                               .max_concurrent_calls = cap,
                               .calls_per_second_micro = pace};
    struct key key = key_u32(number);

    world_put(f->world, TABLE_ORGANISATION, &key, &row);
}

static inline int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    OD_CHECK(f != NULL);
    f->world = world_new();
    f->mono = FIXTURE_MONO;
    f->gateways[PUSH] = (struct gateway_settings){.name = "simulator", .max_calls = 10};
    f->gateways[PULL] = (struct gateway_settings){
        .name = "worker", .is_pull = true, .max_calls = 10, .max_offered = 8};
    f->settings = (struct actor_settings){
        .gateways = f->gateways, .gateway_count = 2, .max_calls = 20, .lease_limit = 5};
    put_organisation(f, 1, 0, 0);
    put_organisation(f, 2, 0, 0);
    dispatcher_init(&f->dispatcher, &f->settings);
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;

    dispatcher_deinit(&f->dispatcher);
    world_free(f->world);
    free(f);
    return 0;
}

/* What it does with a message (world_print). */
static inline const char *tell(struct fixture *f, enum message_type type, uint64_t exchange,
                               union payload payload)
{
    struct message message = {.at = f->mono,
                              .mono = f->mono,
                              .actor = {ACTOR_DISPATCHER, 0},
                              .type = type,
                              .exchange = exchange,
                              .payload = payload};

    dispatcher_handle(&f->dispatcher, &message, world_view(f->world), world_effects(f->world));
    return world_print(f->world);
}

static inline const char *demand(struct fixture *f, uint32_t organisation, uint32_t execution,
                                 uint32_t gateway, uint32_t calls)
{
    union payload payload = {.demand = {.execution = execution,
                                        .organisation = organisation,
                                        .gateway = gateway,
                                        .calls = calls}};

    return tell(f, MESSAGE_DEMAND, 0, payload);
}

static inline const char *room(struct fixture *f, enum message_type type, uint32_t organisation,
                               uint32_t execution, uint32_t gateway, uint32_t count)
{
    union payload payload = {.room = {.execution = execution,
                                      .organisation = organisation,
                                      .gateway = gateway,
                                      .count = count}};

    return tell(f, type, 0, payload);
}

static inline const char *dispatch(struct fixture *f)
{
    return tell(f, MESSAGE_DISPATCH, 0, (union payload){.grant = {.calls = 0}});
}

/* Calls from/1, from + 1/1, … of an execution. */
static inline const char *offered(struct fixture *f, uint32_t organisation, uint32_t execution,
                                  uint32_t from, uint32_t count)
{
    struct offered_call *calls = arena_alloc(world_arena(f->world), count * sizeof(*calls));
    union payload payload = {
        .offered = {
            .execution = execution, .organisation = organisation, .gateway = PULL, .count = count}};

    for (uint32_t i = 0; i < count; i++) {
        calls[i] = (struct offered_call){from + i, 1};
    }
    payload.offered.calls = calls;
    return tell(f, MESSAGE_CALLS_OFFERED, 0, payload);
}

static inline const char *withdrawn(struct fixture *f, uint32_t organisation, uint32_t execution,
                                    bool is_all, uint32_t entry)
{
    union payload payload = {.room = {.execution = execution,
                                      .organisation = organisation,
                                      .gateway = PULL,
                                      .is_all = is_all,
                                      .call = {entry, 1}}};

    return tell(f, MESSAGE_CALLS_WITHDRAWN, 0, payload);
}

static inline const char *claim(struct fixture *f, uint64_t exchange, uint32_t max, bool waits)
{
    union payload payload = {
        .claim = {.gateway = SLICE_INIT("worker"), .max = max, .waits = waits}};

    return tell(f, MESSAGE_CLAIM, exchange, payload);
}

static inline const char *back_off(struct fixture *f, uint32_t gateway, int64_t ms)
{
    union payload payload = {.back_off = {.gateway = gateway, .until_mono = f->mono + ms}};

    return tell(f, MESSAGE_GATEWAY_BACK_OFF, 0, payload);
}

static inline const char *tick(struct fixture *f)
{
    return tell(f, MESSAGE_TICK, 0, (union payload){.grant = {.calls = 0}});
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
