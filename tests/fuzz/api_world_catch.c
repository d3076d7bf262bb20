/* The calls that leave the world: what they would have done is in struct api_world instead. */
#include <stdio.h>

#include "base/check.h"
#include "base/instant.h"
#include "tests/fuzz/api_world_private.h"
#include "tests/seam/api_seam.h"

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names */

void __real_engine_post(struct engine *engine, const struct message *message, struct arena *arena);
void __wrap_engine_post(struct engine *engine, const struct message *message, struct arena *arena);
struct uuid __wrap_engine_new_id(struct engine *engine);
uint32_t __real_engine_next_number(struct engine *engine, enum table table);
uint32_t __wrap_engine_next_number(struct engine *engine, enum table table);
bool __wrap_engine_advance(struct engine *engine, int64_t to,
                           void (*done)(void *context, int64_t now), void *context);

void __wrap_engine_post(struct engine *engine, const struct message *message, struct arena *arena)
{
    struct api_world_posted *posted = &api_world.posted[api_world.posted_count];

    if (!api_world.is_open) {
        __real_engine_post(engine, message, arena);
        return;
    }
    OD_CHECK(api_world.posted_count < API_WORLD_POSTED_MAX);
    OD_CHECK(message_actor_kind(message->type) == message->actor.kind);
    *posted = (struct api_world_posted){*message, arena};
    posted->message.at = engine_now(engine);
    posted->message.mono = engine_mono(engine);
    api_world.posted_count++;
    api_world.answer.has_posted = true;
}

struct uuid __wrap_engine_new_id(struct engine *engine)
{
    (void)engine;
    return api_world_id(api_world.next_id++);
}

uint32_t __wrap_engine_next_number(struct engine *engine, enum table table)
{
    return api_world.is_open ? api_world.next_number++ : __real_engine_next_number(engine, table);
}

bool __wrap_engine_advance(struct engine *engine, int64_t to,
                           void (*done)(void *context, int64_t now), void *context)
{
    (void)done;
    (void)context;
    OD_CHECK(to >= engine_now(engine));
    OD_CHECK(to <= INSTANT_MAX);
    return false;
}

/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

/* ---- answers ---- */

static void keep_bytes(struct slice bytes)
{
    OD_CHECK(buf_append_slice(&api_world.answer.body, bytes) == 0);
}

static void on_answer(void *context, const struct evhttp_request *request,
                      const struct api_seam_answer *answer)
{
    (void)context;
    (void)request;
    OD_CHECK(api_world.answer.status == 0);
    api_world.answer.status = answer->status;
    api_world.answer.has_begun = answer->has_begun;
    api_world.answer.has_id = answer->has_id;
    (void)snprintf(api_world.answer.type, sizeof(api_world.answer.type), "%s", answer->type);
    keep_bytes(answer->body);
}

static void on_piece(void *context, struct slice bytes)
{
    (void)context;
    OD_CHECK(api_world.answer.has_begun);
    keep_bytes(bytes);
}

void api_world_catch(void)
{
    api_seam = (struct api_seam){.on_answer = on_answer, .on_piece = on_piece};
}
