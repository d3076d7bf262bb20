/* The engine: everything that has time or order. The public verbs that the API and the programs
 * use.
 *
 * Everything here runs on the reactor's thread.
 */
#ifndef OUTDIAL_ENGINE_ENGINE_H
#define OUTDIAL_ENGINE_ENGINE_H

#include <event2/event.h>

#include "actors/effect.h"
#include "base/arena.h"
#include "engine/config.h"
#include "model/message.h"
#include "storage/reader.h"

struct engine;
struct metrics;
struct zones;

/* ---- life ---- */

/* Opens the store in config->data_dir, loads what is active and starts the reactor's parts.
 * `config` is borrowed for the engine's life. */
int engine_open(const struct config *config, struct engine **out, struct od_error *error);

/* Runs the reactor until engine_stop. Returns the exit status: 0, or 70 when the store can no
 * longer be trusted. */
int engine_run(struct engine *engine);

/* Drains: no new messages, what has been handled is committed, replies are handed to who gets them,
 * then engine_run returns. */
void engine_stop(struct engine *engine);

void engine_close(struct engine *engine);

struct event_base *engine_base(struct engine *engine);
const struct config *engine_config(const struct engine *engine);

/* ---- messages ---- */

/* What a reply carries, once it is durable: `reply` is borrowed for the call; a record inside of it
 * is encoded (reply->record.record is a struct slice *, to be decoded with record_decode), the rest
 * is as the actor said. */
typedef void (*reply_fn)(void *context, uint64_t exchange, const struct reply *reply);

/* The exchange of a reply that is meant for everyone who waits: a failed commit has dropped what
 * they wait for. */
#define ENGINE_EVERY_EXCHANGE UINT64_MAX

/* Who gets all replies: the API. */
void engine_set_replies(struct engine *engine, reply_fn on_reply, void *context);

/* Asked for each reply of an actor, in the turn that made it and before it is durable: what is to
 * be kept of it for an Idempotency-Key, or NULL. `reply` is as in reply_fn; what is returned lives
 * in `arena`. It becomes a row in the batch of the reply's cause (RESPONSE_KEPT), so that no crash
 * can come between the two. It must not post or reply. */
typedef const struct response_kept *(*keep_fn)(void *context, uint64_t exchange,
                                               const struct reply *reply, struct arena *arena);

/* Who keeps responses: the API. NULL: nobody. */
void engine_set_keeper(struct engine *engine, keep_fn on_keep, void *context);

/* Hears that an organisation has new EVENT rows, once they are durable. It reads them itself. */
typedef void (*publish_fn)(void *context, uint32_t organisation);
void engine_set_publish(struct engine *engine, publish_fn on_publish, void *context);

/* A number for an exchange, never 0 and never used twice in this process. */
uint64_t engine_next_exchange(struct engine *engine);

/* Posts a message from outside. `at` and `mono` are filled in. The payload's pointers must live in
 * `arena` (may be NULL when it has none), which the engine takes over and frees; the arena struct
 * itself was allocated by arena_new. When the engine cannot take it (full disk, draining), the
 * exchange gets FAULT_UNAVAILABLE, before this returns. */
void engine_post(struct engine *engine, const struct message *message, struct arena *arena);

/* An arena on the heap for a payload, and its end if it is not posted; NULL is nothing. */
struct arena *arena_new(void);
void arena_free(struct arena *arena);

/* True while messages are taken: not draining, not read-only, not starting. *reason is a constant
 * text otherwise. */
bool engine_is_ready(const struct engine *engine, const char **reason);

bool engine_is_draining(const struct engine *engine);

/* ---- facts that are made outside of the actors ---- */

int64_t engine_now(
    const struct engine *engine); /* wall clock, ms; the test clock when there is one */
int64_t engine_mono(const struct engine *engine); /* ms, never goes back */
int64_t engine_real_mono_ns(
    void); /* the same in ns and of real time, whatever the test clock says */
struct uuid engine_new_id(struct engine *engine); /* UUIDv7 of now, ascending within a process */
void engine_random(struct engine *engine, void *out, size_t size);
uint32_t engine_next_number(struct engine *engine,
                            enum table table); /* for organisations, audiences, executions */

struct zones *engine_zones(struct engine *engine);

/* Makes the rules of a zone known to the actors (a ZONE_RULES message) unless they are; false: no
 * such zone. */
bool engine_need_zone(struct engine *engine, struct slice name);
void engine_reload_zones(
    struct engine *engine); /* when tzdata was upgraded: at SIGHUP and hourly */
const struct zone_table *engine_zone_table(struct engine *engine, struct slice name);

/* The index of a configured gateway; false: no such gateway. An empty name is the default one. */
bool engine_gateway_index(const struct engine *engine, struct slice name, uint32_t *out);

/* ---- reads ---- */

/* A reader for use within the current callback: reader_begin has been called on it; engine_end_read
 * after use. NULL when the store cannot be read (503). */
struct reader *engine_begin_read(struct engine *engine);
void engine_end_read(struct engine *engine, struct reader *reader);

/* ---- test clock ---- */

bool engine_has_test_clock(const struct engine *engine);

/* Moves the test clock on to `to`: everything due up to it happens in order; `done` is called when
 * all of it is durable. Only one advance at a time: false when one is under way. */
bool engine_advance(struct engine *engine, int64_t to, void (*done)(void *context, int64_t now),
                    void *context);

/* ---- metrics ---- */

struct metrics *engine_metrics(struct engine *engine);

/* For tests and benches: a hook on the writer, the store's size. */
struct writer *engine_writer(struct engine *engine);
struct store *engine_store(struct engine *engine);

#endif
