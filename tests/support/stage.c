#include "tests/support/stage.h"

#include <inttypes.h>
#include <stdlib.h>

#include "actors/directory.h"
#include "base/check.h"
#include "base/instant.h"
#include "base/memory.h"
#include "tests/support/memory_world_print.h"

enum {
    CLOSURE_BLOCK_BYTES = 4096,
    TICKS_AT_ONE_INSTANT = 1000 /* more of them, and somebody spins */
};

static struct stage *stage_of_view(struct view *view)
{
    return (struct stage *)(void *)((char *)view - offsetof(struct stage, view));
}

static struct stage *stage_of_effects(struct effects *effects)
{
    return (struct stage *)(void *)((char *)effects - offsetof(struct stage, effects));
}

/* ---- queues ---- */

static struct message *queue_at(const struct stage_queue *queue, size_t n)
{
    return &queue->items[(queue->head + n) & (queue->room - 1)];
}

static void queue_push(struct stage_queue *queue, const struct message *message)
{
    if (queue->count == queue->room) {
        struct stage_queue grown = {.room = queue->room == 0 ? 16 : queue->room * 2};

        grown.items = memory_resize(NULL, grown.room, sizeof(*grown.items));
        for (; grown.count < queue->count; grown.count++) {
            grown.items[grown.count] = *queue_at(queue, grown.count);
        }
        memory_free(queue->items);
        *queue = grown;
    }
    *queue_at(queue, queue->count++) = *message;
}

static bool queue_pop(struct stage_queue *queue, struct message *out)
{
    if (queue->count == 0) {
        return false;
    }
    *out = *queue_at(queue, 0);
    queue->head = (queue->head + 1) & (queue->room - 1);
    queue->count--;
    return true;
}

/* ---- the view: the world's rows, their texts in the view's arena as in the engine ---- */

/* The world decodes into its own arena, so the two change places for the call. */
static void swap_arenas(struct stage *stage, struct view *view)
{
    struct arena *own = world_arena(stage->world);
    struct arena kept = *own;

    *own = *view->arena;
    *view->arena = kept;
}

static bool stage_get(struct view *view, enum table table, const struct key *key, void *record)
{
    struct stage *stage = stage_of_view(view);

    swap_arenas(stage, view);
    bool is_found = world_get(stage->world, table, key, record);
    swap_arenas(stage, view);
    return is_found;
}

static bool stage_seek(struct view *view, enum table table, const struct key *prefix,
                       const struct key *from, struct key *key, void *record)
{
    struct stage *stage = stage_of_view(view);

    swap_arenas(stage, view);
    bool is_found = view_seek(world_view(stage->world), table, prefix, from, key, record);
    swap_arenas(stage, view);
    return is_found;
}

static const struct zone_table *stage_zone(struct view *view, struct slice name)
{
    return view_zone(world_view(stage_of_view(view)->world), name);
}

/* ---- the effects ---- */

static bool is_told(enum table table)
{
    return table == TABLE_EXECUTION_STATE || table == TABLE_ENTRY || table == TABLE_LIVE_CALL ||
           table == TABLE_CALL;
}

static void stage_put(struct effects *effects, enum table table, const struct key *key,
                      const void *record)
{
    struct stage *stage = stage_of_effects(effects);

    if (stage->watch.on_put != NULL) {
        stage->watch.on_put(stage->watch.context, table, key, record);
    }
    world_put(stage->world, table, key, record);
    if (stage->tells && is_told(table)) {
        SAY(&stage->story, "  ");
        story_put(&stage->story, table, key, record);
    }
}

static void stage_delete(struct effects *effects, enum table table, const struct key *key)
{
    struct stage *stage = stage_of_effects(effects);

    if (stage->watch.on_delete != NULL) {
        stage->watch.on_delete(stage->watch.context, table, key);
    }
    world_delete(stage->world, table, key);
    if (stage->tells && is_told(table)) {
        SAY(&stage->story, "  ");
        story_delete(&stage->story, table, key);
    }
}

static void stage_send(struct effects *effects, const struct message *message)
{
    struct stage *stage = stage_of_effects(effects);
    struct message sent = *message;

    sent.is_derived = true;
    if (sent.is_later) {
        stage_queue(stage, &sent);
        return;
    }
    sent.at = stage->now->at;
    sent.mono = stage->now->mono;
    queue_push(&stage->derived, &sent);
}

static void stage_reply(struct effects *effects, const struct reply *reply)
{
    struct stage *stage = stage_of_effects(effects);

    if (stage->watch.on_reply != NULL) {
        stage->watch.on_reply(stage->watch.context, stage->now, reply);
    }
    if (stage->tells) {
        SAY(&stage->story, "  ");
        story_reply(&stage->story, reply);
    }
}

static void stage_offer(struct effects *effects, const struct offer *offer)
{
    struct stage *stage = stage_of_effects(effects);
    struct offer copy = *offer;

    copy.to = arena_copy(stage_arena(stage), offer->to);
    copy.from = arena_copy(stage_arena(stage), offer->from);
    if (stage->offer_count == stage->offer_room) {
        stage->offer_room = stage->offer_room == 0 ? 16 : stage->offer_room * 2;
        stage->offers = memory_resize(stage->offers, stage->offer_room, sizeof(*stage->offers));
    }
    stage->offers[stage->offer_count++] = copy;
    if (stage->tells) {
        SAY(&stage->story, "  ");
        story_offer(&stage->story, offer);
    }
}

/* ---- executions in memory ---- */

static struct stage_resident *find_resident(const struct stage *stage, uint32_t number)
{
    for (size_t i = 0; i < stage->resident_count; i++) {
        if (stage->residents[i]->execution.number == number) {
            return stage->residents[i];
        }
    }
    return NULL;
}

struct execution *stage_find(struct stage *stage, uint32_t number)
{
    struct stage_resident *resident = find_resident(stage, number);

    return resident != NULL ? &resident->execution : NULL;
}

static void drop_resident(struct stage *stage, size_t n)
{
    execution_deinit(&stage->residents[n]->execution);
    memory_free(stage->residents[n]);
    stage->resident_count--;
    memmove(stage->residents + n, stage->residents + n + 1,
            (stage->resident_count - n) * sizeof(struct stage_resident *));
}

/* NULL: there is no such execution. */
static struct stage_resident *load_resident(struct stage *stage, uint32_t number, bool is_new)
{
    struct stage_resident *resident = memory_zero(1, sizeof(*resident));

    if (is_new) {
        execution_init(&resident->execution, number);
    } else if (!execution_load(&resident->execution, number, &stage->settings, &stage->view,
                               stage->mono)) {
        execution_deinit(&resident->execution);
        memory_free(resident);
        return NULL;
    }
    if (stage->resident_count == stage->resident_room) {
        stage->resident_room = stage->resident_room == 0 ? 16 : stage->resident_room * 2;
        stage->residents =
            memory_resize(stage->residents, stage->resident_room, sizeof(struct stage_resident *));
    }
    stage->residents[stage->resident_count++] = resident;
    return resident;
}

/* ---- handling ---- */

static void answer_missing(struct stage *stage, const struct message *m)
{
    struct reply reply = {.exchange = m->exchange, .kind = REPLY_EVENT};

    if (m->type == MESSAGE_CALL_STARTED || m->type == MESSAGE_NODE_EXECUTED ||
        m->type == MESSAGE_CALL_RESULT || m->type == MESSAGE_CALL_RELEASED) {
        reply.event.part = m->payload.event->part;
        reply.event.status = EVENT_UNKNOWN;
        effect_reply(&stage->effects, &reply);
        return;
    }
    effect_reply_fault(&stage->effects, m->exchange, FAULT_EXECUTION_NOT_FOUND,
                       SLICE("Execution not found"));
}

static void handle_execution(struct stage *stage, const struct message *m)
{
    struct stage_resident *resident = find_resident(stage, m->actor.number);

    if (resident == NULL) {
        resident = load_resident(stage, m->actor.number, m->type == MESSAGE_LAUNCH);
    }
    if (resident == NULL) {
        answer_missing(stage, m);
        return;
    }
    resident->is_touched = true;
    execution_handle(&resident->execution, &stage->settings, m, &stage->view, &stage->effects);
}

static void handle_every_execution(struct stage *stage, const struct message *m)
{
    for (size_t i = 0; i < stage->resident_count; i++) {
        struct message each = *m;

        each.actor = (struct actor_name){ACTOR_EXECUTION, stage->residents[i]->execution.number};
        handle_execution(stage, &each);
    }
}

static void handle(struct stage *stage, const struct message *m)
{
    stage->now = m;
    stage->handled++;
    if (stage->watch.on_message != NULL) {
        stage->watch.on_message(stage->watch.context, m);
    }
    switch (m->actor.kind) {
    case ACTOR_EXECUTION: handle_execution(stage, m); break;
    case ACTOR_EVERY_EXECUTION: handle_every_execution(stage, m); break;
    case ACTOR_DISPATCHER:
        dispatcher_handle(&stage->dispatcher, m, &stage->view, &stage->effects);
        break;
    case ACTOR_DIRECTORY:
        directory_handle(&stage->settings, m, &stage->view, &stage->effects);
        break;
    case ACTOR_PLATFORM: OD_CHECK(!"a message of the stage"); break;
    }
}

/* Executions save their state, and those that are over leave. */
static void close_batch(struct stage *stage)
{
    for (size_t i = 0; i < stage->resident_count;) {
        struct stage_resident *resident = stage->residents[i];
        bool leaves = resident->is_touched && execution_is_over(&resident->execution);

        resident->is_touched = false;
        if (resident->execution.is_dirty) {
            execution_save(&resident->execution, &stage->effects);
        }
        if (leaves) {
            drop_resident(stage, i);
        } else {
            i++;
        }
    }
    if (stage->watch.on_closed != NULL) {
        stage->watch.on_closed(stage->watch.context);
    }
}

static void let_offers_out(struct stage *stage)
{
    for (size_t i = 0; i < stage->offer_count; i++) {
        struct offer offer = stage->offers[i];

        if (stage->watch.on_offer != NULL) {
            stage->watch.on_offer(stage->watch.context, &offer);
        }
    }
    stage->offer_count = 0;
}

static void tell_letter(struct stage *stage, const struct message *m)
{
    static const char *const actors[] = {[ACTOR_PLATFORM] = "platform",
                                         [ACTOR_DIRECTORY] = "directory",
                                         [ACTOR_EXECUTION] = "execution",
                                         [ACTOR_DISPATCHER] = "dispatcher",
                                         [ACTOR_EVERY_EXECUTION] = "every_execution"};
    char at[INSTANT_TEXT_SIZE];

    instant_print(m->at, at);
    SAY(&stage->story, "%s %s %" PRIu32 " %s\n", at, actors[m->actor.kind], m->actor.number,
        message_type_name(m->type));
}

bool stage_step(struct stage *stage)
{
    struct message message;

    OD_CHECK(stage->now == NULL);
    if (!queue_pop(&stage->letters, &message)) {
        return false;
    }
    if (stage->tells) {
        tell_letter(stage, &message);
    }
    do {
        handle(stage, &message);
    } while (queue_pop(&stage->derived, &message));
    stage->now = NULL;
    arena_deinit(&stage->memory);
    arena_init(&stage->memory, CLOSURE_BLOCK_BYTES);
    close_batch(stage);
    let_offers_out(stage);
    return true;
}

void stage_run(struct stage *stage)
{
    while (stage_step(stage)) {
    }
}

void stage_queue(struct stage *stage, const struct message *message)
{
    struct message letter = *message;

    letter.at = stage->at;
    letter.mono = stage->mono;
    queue_push(&stage->letters, &letter);
}

void stage_post(struct stage *stage, const struct message *message)
{
    stage_queue(stage, message);
    if (!stage->is_held) {
        stage_run(stage);
    }
}

/* ---- time ---- */

/* How long until something is due; INSTANT_NEVER: nothing will be. */
static int64_t due_in(const struct stage *stage, struct wake wake)
{
    int64_t wall = wake.at == INSTANT_NEVER ? INSTANT_NEVER : instant_add(wake.at, -stage->at);
    int64_t mono = wake.mono == INSTANT_NEVER ? INSTANT_NEVER : wake.mono - stage->mono;

    return wall < mono ? wall : mono;
}

static int64_t next_due_in(const struct stage *stage)
{
    int64_t next = due_in(stage, dispatcher_wake(&stage->dispatcher));

    for (size_t i = 0; i < stage->resident_count; i++) {
        int64_t due = due_in(stage, execution_wake(&stage->residents[i]->execution));

        next = due < next ? due : next;
    }
    return next;
}

static void queue_tick(struct stage *stage, enum actor_kind_id kind, uint32_t number)
{
    stage_queue(stage, &(struct message){.actor = {kind, number}, .type = MESSAGE_TICK});
}

static void tick_due(struct stage *stage)
{
    for (size_t i = 0; i < stage->resident_count; i++) {
        const struct execution *e = &stage->residents[i]->execution;

        if (due_in(stage, execution_wake(e)) <= 0) {
            queue_tick(stage, ACTOR_EXECUTION, e->number);
        }
    }
    if (due_in(stage, dispatcher_wake(&stage->dispatcher)) <= 0) {
        queue_tick(stage, ACTOR_DISPATCHER, 0);
    }
    stage_run(stage);
}

void stage_advance(struct stage *stage, int64_t to)
{
    unsigned ticks = 0;

    stage_run(stage);
    for (;;) {
        int64_t due = next_due_in(stage);
        int64_t left = to - stage->at;
        int64_t step = due < left ? due : left;

        if (due > left && left <= 0) {
            return;
        }
        if (step > 0) {
            stage->at += step;
            stage->mono += step;
            ticks = 0;
        }
        OD_CHECK(ticks < TICKS_AT_ONE_INSTANT);
        ticks++;
        tick_due(stage);
    }
}

void stage_set_clock(struct stage *stage, int64_t at)
{
    stage->at = at;
    for (size_t i = 0; i < stage->resident_count; i++) {
        queue_tick(stage, ACTOR_EXECUTION, stage->residents[i]->execution.number);
    }
    if (!stage->is_held) {
        stage_run(stage);
    }
}

static void drop_actors(struct stage *stage)
{
    while (stage->resident_count > 0) {
        drop_resident(stage, stage->resident_count - 1);
    }
    dispatcher_deinit(&stage->dispatcher);
    stage->letters.count = 0;
}

void stage_crash(struct stage *stage, int64_t mono)
{
    struct key key;

    OD_CHECK(stage->now == NULL);
    drop_actors(stage);
    stage->mono = mono;
    dispatcher_init(&stage->dispatcher, &stage->settings);
    for (size_t i = 0; world_row(stage->world, TABLE_ACTIVE_EXECUTION, NULL, i, &key, NULL); i++) {
        uint32_t number = key_u32_at(&key, sizeof(uint32_t));

        OD_CHECK(load_resident(stage, number, false) != NULL);
        queue_tick(stage, ACTOR_EXECUTION, number);
    }
}

/* ---- life ---- */

struct stage *stage_new(void)
{
    static const struct view_ops view_ops = {stage_get, stage_seek, stage_zone};
    static const struct effects_ops effects_ops = {stage_put, stage_delete, stage_send, stage_reply,
                                                   stage_offer};
    struct stage *stage = memory_zero(1, sizeof(*stage));

    stage->world = world_new();
    stage->gateways[STAGE_SIMULATOR] =
        (struct gateway_settings){.name = "simulator", .max_calls = 100};
    stage->gateways[STAGE_WORKER] = (struct gateway_settings){
        .name = "worker", .is_pull = true, .max_calls = 100, .max_offered = 100};
    stage->settings = (struct actor_settings){.lease_ms = 60 * MS_PER_SECOND,
                                              .call_timeout_ms = MS_PER_HOUR,
                                              .dial_by_ms = 5 * MS_PER_SECOND,
                                              .lease_limit = 5,
                                              .gateways = stage->gateways,
                                              .gateway_count = STAGE_GATEWAYS,
                                              .max_calls = 200};
    stage->at = STAGE_START;
    stage->mono = MS_PER_DAY;
    arena_init(&stage->memory, CLOSURE_BLOCK_BYTES);
    buf_init(&stage->story);
    stage->view = (struct view){.ops = &view_ops, .arena = &stage->memory};
    stage->effects.ops = &effects_ops;
    dispatcher_init(&stage->dispatcher, &stage->settings);
    return stage;
}

void stage_free(struct stage *stage)
{
    drop_actors(stage);
    memory_free(stage->residents);
    memory_free(stage->letters.items);
    memory_free(stage->derived.items);
    memory_free(stage->offers);
    buf_deinit(&stage->story);
    arena_deinit(&stage->memory);
    world_free(stage->world);
    memory_free(stage);
}

struct arena *stage_arena(struct stage *stage)
{
    return world_arena(stage->world);
}

const char *stage_story(struct stage *stage)
{
    OD_CHECK(buf_append_byte(&stage->story, '\0') == 0);
    buf_clear(&stage->story);
    return stage->story.data;
}
