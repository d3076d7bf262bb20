#include "tests/support/stage.h"

#include <inttypes.h>
#include <stdlib.h>

#include "actors/directory.h"
#include "base/check.h"
#include "base/instant.h"
#include "base/memory.h"
#include "tests/support/memory_world_print.h"
#include "tests/support/stage_parts.h"

enum { CLOSURE_BLOCK_BYTES = 4096 };

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
    case ACTOR_PLATFORM:
    case ACTOR_RETENTION: OD_CHECK(!"a message of the stage"); break;
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
    dispatcher_save(&stage->dispatcher, &stage->effects);
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
    size_t told_before = stage->story.size;
    size_t told_letter = 0;
    struct message message;

    OD_CHECK(stage->now == NULL);
    if (!stage_queue_pop(&stage->letters, &message)) {
        return false;
    }
    if (stage->tells) {
        tell_letter(stage, &message);
        told_letter = message.is_derived ? stage->story.size : 0;
    }
    do {
        handle(stage, &message);
    } while (stage_queue_pop(&stage->derived, &message));
    stage->now = NULL;
    arena_deinit(&stage->memory);
    arena_init(&stage->memory, CLOSURE_BLOCK_BYTES);
    close_batch(stage);
    if (stage->story.size == told_letter) { /* an actor's word to itself, and nothing came of it */
        stage->story.size = told_before;
    }
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
    stage_queue_push(&stage->letters, &letter);
}

void stage_post(struct stage *stage, const struct message *message)
{
    stage_queue(stage, message);
    if (!stage->is_held) {
        stage_run(stage);
    }
}

/* ---- a crash ---- */

void stage_tick(struct stage *stage, enum actor_kind_id kind, uint32_t number)
{
    stage_queue(stage, &(struct message){.actor = {kind, number}, .type = MESSAGE_TICK});
}

static void drop_actors(struct stage *stage)
{
    while (stage->resident_count > 0) {
        drop_resident(stage, stage->resident_count - 1);
    }
    dispatcher_deinit(&stage->dispatcher);
    stage->letters.count = 0;
}

/* What each execution that is active hears first. */
static void start_again(struct stage *stage, int64_t mono, const struct message *first)
{
    struct key key;

    OD_CHECK(stage->now == NULL);
    drop_actors(stage);
    stage->mono = mono;
    dispatcher_init(&stage->dispatcher, &stage->settings);
    for (size_t i = 0; world_row(stage->world, TABLE_ACTIVE_EXECUTION, NULL, i, &key, NULL); i++) {
        uint32_t number = key_u32_at(&key, sizeof(uint32_t));

        struct message each = *first;

        OD_CHECK(load_resident(stage, number, false) != NULL);
        each.actor = (struct actor_name){ACTOR_EXECUTION, number};
        stage_queue(stage, &each);
    }
}

void stage_crash(struct stage *stage, int64_t mono)
{
    start_again(stage, mono, &(struct message){.type = MESSAGE_TICK});
}

void stage_drop_letters(struct stage *stage)
{
    stage->letters.head = stage->letters.count = 0;
}

void stage_restore(struct stage *stage, int64_t mono, uint32_t era)
{
    start_again(stage, mono,
                &(struct message){.type = MESSAGE_RESTORED, .payload = {.restored = {era}}});
}

/* ---- life ---- */

struct stage *stage_new(void)
{
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
    stage_world_init(stage);
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
