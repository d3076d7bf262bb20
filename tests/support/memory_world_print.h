/* The lines of a story: effects and rows as text (tests/support/memory_world.h). */
#ifndef OUTDIAL_TESTS_SUPPORT_MEMORY_WORLD_PRINT_H
#define OUTDIAL_TESTS_SUPPORT_MEMORY_WORLD_PRINT_H

#include "actors/effect.h"
#include "base/check.h"

/* Prints or aborts: a test has memory. */
#define SAY(out, ...) OD_CHECK(buf_printf(out, __VA_ARGS__) == 0)

/* A text, then an id. */
void story_id(struct buf *out, const char *before, const struct uuid *id);

/* A line each. */

void story_row(struct buf *out, enum table table, const struct key *key, const void *record);
void story_put(struct buf *out, enum table table, const struct key *key, const void *record);
void story_delete(struct buf *out, enum table table, const struct key *key);
void story_send(struct buf *out, const struct message *message);
void story_reply(struct buf *out, const struct reply *reply);
void story_offer(struct buf *out, const struct offer *offer);

#endif
