/* The calls that leave the world: what they would have done is in struct api_world instead. */
#include <stdio.h>

#include <event2/buffer.h>

#include "base/instant.h"
#include "tests/fuzz/api_world_private.h"

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names */

void __real_engine_post(struct engine *engine, const struct message *message, struct arena *arena);
void __wrap_engine_post(struct engine *engine, const struct message *message, struct arena *arena);
struct uuid __wrap_engine_new_id(struct engine *engine);
uint32_t __real_engine_next_number(struct engine *engine, enum table table);
uint32_t __wrap_engine_next_number(struct engine *engine, enum table table);
bool __wrap_engine_advance(struct engine *engine, int64_t to,
                           void (*done)(void *context, int64_t now), void *context);
void __wrap_evhttp_send_reply(struct evhttp_request *request, int status, const char *reason,
                              struct evbuffer *body);
void __wrap_evhttp_send_reply_start(struct evhttp_request *request, int status, const char *reason);
void __wrap_evhttp_send_reply_chunk_with_cb(struct evhttp_request *request, struct evbuffer *body,
                                            void (*done)(struct evhttp_connection *, void *),
                                            void *context);
void __wrap_evhttp_send_reply_end(struct evhttp_request *request);
evutil_socket_t __wrap_connection_fd(const struct connection *connection);
void __wrap_exchange_watch_client(struct exchange *exchange);
bool __wrap_exchange_client_is_there(const struct exchange *exchange);
size_t __wrap_exchange_stream_unsent(const struct exchange *exchange);

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

static void keep_headers(struct evhttp_request *request)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    const char *type = evhttp_find_header(headers, "Content-Type");

    (void)snprintf(api_world.answer.type, sizeof(api_world.answer.type), "%s",
                   type != NULL ? type : "");
    api_world.answer.has_id = evhttp_find_header(headers, "X-Request-Id") != NULL;
}

static void keep_body(struct evbuffer *body)
{
    size_t size = evbuffer_get_length(body);

    OD_CHECK(buf_reserve(&api_world.answer.body, size) == 0);
    (void)evbuffer_remove(body, api_world.answer.body.data + api_world.answer.body.size, size);
    api_world.answer.body.size += size;
}

/* A request without a connection is its receiver's to free. */
void __wrap_evhttp_send_reply(struct evhttp_request *request, int status, const char *reason,
                              struct evbuffer *body)
{
    (void)reason;
    OD_CHECK(body == NULL);
    OD_CHECK(api_world.answer.status == 0);
    api_world.answer.status = status;
    keep_headers(request);
    keep_body(evhttp_request_get_output_buffer(request));
    evhttp_request_free(request);
}

void __wrap_evhttp_send_reply_start(struct evhttp_request *request, int status, const char *reason)
{
    (void)reason;
    OD_CHECK(api_world.answer.status == 0);
    api_world.answer.status = status;
    api_world.answer.has_begun = true;
    keep_headers(request);
}

void __wrap_evhttp_send_reply_chunk_with_cb(struct evhttp_request *request, struct evbuffer *body,
                                            void (*done)(struct evhttp_connection *, void *),
                                            void *context)
{
    (void)request;
    (void)done;
    (void)context;
    OD_CHECK(api_world.answer.has_begun);
    keep_body(body);
}

void __wrap_evhttp_send_reply_end(struct evhttp_request *request)
{
    evhttp_request_free(request);
}

evutil_socket_t __wrap_connection_fd(const struct connection *connection)
{
    (void)connection;
    return -1;
}

void __wrap_exchange_watch_client(struct exchange *exchange)
{
    OD_CHECK(exchange->on_gone != NULL);
}

bool __wrap_exchange_client_is_there(const struct exchange *exchange)
{
    (void)exchange;
    return true;
}

size_t __wrap_exchange_stream_unsent(const struct exchange *exchange)
{
    (void)exchange;
    return 0;
}

/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */
