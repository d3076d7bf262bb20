/* The world as the actors of a stage see it: its rows and their texts, and where effects go
 * (tests/support/stage.h). */
#include "base/check.h"
#include "base/memory.h"
#include "tests/support/memory_world_print.h"
#include "tests/support/stage_parts.h"

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

void stage_queue_push(struct stage_queue *queue, const struct message *message)
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

bool stage_queue_pop(struct stage_queue *queue, struct message *out)
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

static bool is_told(const struct stage *stage, enum table table)
{
    if (!stage->tells || stage->tells_states_only) {
        return stage->tells && table == TABLE_EXECUTION_STATE;
    }
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
    if (is_told(stage, table)) {
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
    if (is_told(stage, table)) {
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
    stage_queue_push(&stage->derived, &sent);
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

/* Nobody listens. */
static void stage_publish(struct effects *effects, uint32_t organisation)
{
    (void)effects;
    (void)organisation;
}

/* ---- both ---- */

void stage_world_init(struct stage *stage)
{
    static const struct view_ops view_ops = {stage_get, stage_seek, stage_zone};
    static const struct effects_ops effects_ops = {stage_put,   stage_delete, stage_send,
                                                   stage_reply, stage_offer,  stage_publish};

    stage->view = (struct view){.ops = &view_ops, .arena = &stage->memory};
    stage->effects.ops = &effects_ops;
}
