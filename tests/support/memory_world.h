/* A world in memory for tests of actors: the view reads its rows, the effects change them at once
 * and are recorded.
 *
 *     struct world *world = world_new();
 *     world_put(world, TABLE_ORGANISATION, &key, &organisation);    a row that is there before
 *     directory_handle(&settings, &message, world_view(world), world_effects(world));
 *     assert_string_equal(world_print(world), "put contacts 1/…\nreply 9: 201 contacts 1/…\n");
 *
 * Rows are kept encoded (storage/record), so what a handler puts goes through the codec, and what
 * it reads comes from there. What effects did is had twice: as text in the order in which it was
 * done (world_print), and as structs (world_take_…). Messages are not delivered: that is the
 * test's part.
 */
#ifndef OUTDIAL_TESTS_SUPPORT_MEMORY_WORLD_H
#define OUTDIAL_TESTS_SUPPORT_MEMORY_WORLD_H

#include "actors/effect.h"
#include "actors/view.h"

struct world;

/* A world without rows, that knows the zone UTC. The caller frees it. */
struct world *world_new(void);
void world_free(struct world *world);

/* What handlers get. The view sees a row as soon as it has been put; seeking in a table that is
 * not scanned is a defect, as it is in the engine. The view's arena lives as long as the world,
 * and so do texts that a handler has read. */
struct view *world_view(struct world *world);
struct effects *world_effects(struct world *world);

/* The view's arena, for payloads and for what a test reads. */
struct arena *world_arena(struct world *world);

/* Makes a zone known to view_zone under zone->name. The table is borrowed for the world's life. */
void world_add_zone(struct world *world, const struct zone_table *zone);

/* ---- rows; nothing of this is recorded ---- */

/* `record` is the table's struct. */
void world_put(struct world *world, enum table table, const struct key *key, const void *record);
void world_delete(struct world *world, enum table table, const struct key *key);

/* Decodes into *record, its texts in the world's arena. False: no such row. */
bool world_get(struct world *world, enum table table, const struct key *key, void *record);
bool world_has(const struct world *world, enum table table, const struct key *key);

/* The number of rows of a table whose key starts with `prefix`; NULL: of all. */
size_t world_count(const struct world *world, enum table table, const struct key *prefix);

/* The n-th of those rows, in the order of keys: its key and, unless `record` is NULL, its record.
 * False: there are not so many. */
bool world_row(struct world *world, enum table table, const struct key *prefix, size_t n,
               struct key *key, void *record);

/* From here on the world can go back to what it is now: to its rows, with nothing sent, replied or
 * told. At most once; the memory of the arena goes with each rewind. */
void world_mark(struct world *world);
void world_rewind(struct world *world);

/* ---- what effects have done since the last take or print ----
 *
 * *out is an array of the returned number of items. It lives as long as the world, so messages
 * that are being delivered may send new ones. */

/* Payload pointers are those of the handler (in the view's arena). */
size_t world_take_messages(struct world *world, const struct message **out);

/* Everything in a reply is a copy that lives as long as the world; `record.record` is the table's
 * struct, not encoded as it is in the engine. */
size_t world_take_replies(struct world *world, const struct reply **out);
size_t world_take_offers(struct world *world, const struct offer **out);

/* All effects in order, a line each. Borrowed until the next print.
 *
 *     put TABLE KEY [WORDS OF THE RECORD]
 *     delete TABLE KEY
 *     send ACTOR NUMBER TYPE [later] [exchange=N] [WORDS OF THE PAYLOAD]
 *     reply EXCHANGE: STATUS … | FAULT: MESSAGE [PATH: MESSAGE] … | event PART STATUS …
 *     offer GATEWAY: EXECUTION/ENTRY/ATTEMPT to TO from FROM [resumed] [started]
 *
 * The parts of a key are joined by "/": numbers in decimal, ids, texts and instants as in the
 * API. The words are those of rows and payloads that tell a story: statuses, counters, counts. */
const char *world_print(struct world *world);

/* The rows of one table in order, a line each: KEY [WORDS OF THE RECORD]. Borrowed until the next
 * print. */
const char *world_print_table(struct world *world, enum table table);

#endif
