/* Rows: an array a table, sorted by key, each with its encoded value. Effects change the rows at
 * once, keep a copy of what leaves the actor, and add a line to the story. */
#include "tests/support/memory_world.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/check.h"
#include "model/calendar.h"
#include "storage/record.h"
#include "tests/support/memory_rows.h"
#include "tests/support/memory_world_print.h"

enum { ZONES_MAX = 16, ARENA_BLOCK_BYTES = 64 * 1024 };

/* What effects have left behind since the last take. */
struct world_sent {
    void *items;
    size_t item_size, count, room;
};

/* A row as it was before a change. */
struct world_change {
    enum table table;
    bool was_there;
    struct memory_row row;
};

struct world {
    struct view view;
    struct effects effects;
    struct arena arena;
    struct memory_rows tables[TABLE_COUNT];
    const struct zone_table *zones[ZONES_MAX];
    size_t zone_count;
    struct world_sent messages, replies, offers;
    struct buf story, shown;
    bool is_marked;
    struct world_sent changes; /* struct world_change, since the mark */
};

static struct world *world_of_view(struct view *view)
{
    return (struct world *)(void *)((char *)view - offsetof(struct world, view));
}

static struct world *world_of_effects(struct effects *effects)
{
    return (struct world *)(void *)((char *)effects - offsetof(struct world, effects));
}

static void *sent_add(struct world_sent *sent)
{
    if (sent->count == sent->room) {
        sent->room = sent->room == 0 ? 16 : sent->room * 2;
        sent->items = realloc(sent->items, sent->room * sent->item_size);
        OD_CHECK(sent->items != NULL);
    }
    return (char *)sent->items + sent->count++ * sent->item_size;
}

/* ---- rows ---- */

static void decode(struct world *world, enum table table, const struct memory_row *row,
                   void *record)
{
    struct slice bytes = buf_slice(&row->value);

    OD_CHECK(record_decode(table, &row->key, bytes, &world->arena, record) == 0);
}

/* Remembers the row under the key, once the world is marked. */
static void note_change(struct world *world, enum table table, const struct key *key)
{
    const struct memory_row *row = memory_rows_find(&world->tables[table], key);
    struct world_change *change;

    if (!world->is_marked) {
        return;
    }
    change = sent_add(&world->changes);
    *change = (struct world_change){.table = table, .was_there = row != NULL, .row.key = *key};
    buf_init(&change->row.value);
    if (row != NULL) {
        OD_CHECK(buf_append_slice(&change->row.value, buf_slice(&row->value)) == 0);
    }
}

void world_mark(struct world *world)
{
    OD_CHECK(!world->is_marked);
    world->is_marked = true;
}

void world_rewind(struct world *world)
{
    struct world_change *changes = world->changes.items;

    OD_CHECK(world->is_marked);
    while (world->changes.count > 0) {
        struct world_change *change = &changes[--world->changes.count];

        if (change->was_there) {
            memory_rows_put(&world->tables[change->table], &change->row.key, &change->row.value);
        } else {
            memory_rows_delete(&world->tables[change->table], &change->row.key);
        }
    }
    world->messages.count = world->replies.count = world->offers.count = 0;
    buf_clear(&world->story);
    arena_reset(&world->arena);
}

void world_put(struct world *world, enum table table, const struct key *key, const void *record)
{
    struct buf encoded;

    note_change(world, table, key);
    buf_init(&encoded);
    OD_CHECK(record_encode(table, key, record, &encoded) == 0);
    memory_rows_put(&world->tables[table], key, &encoded);
}

void world_delete(struct world *world, enum table table, const struct key *key)
{
    note_change(world, table, key);
    memory_rows_delete(&world->tables[table], key);
}

bool world_has(const struct world *world, enum table table, const struct key *key)
{
    return memory_rows_find(&world->tables[table], key) != NULL;
}

bool world_get(struct world *world, enum table table, const struct key *key, void *record)
{
    const struct memory_row *row = memory_rows_find(&world->tables[table], key);

    if (row == NULL) {
        return false;
    }
    decode(world, table, row, record);
    return true;
}

size_t world_count(const struct world *world, enum table table, const struct key *prefix)
{
    const struct memory_rows *rows = &world->tables[table];

    if (prefix == NULL) {
        return rows->count;
    }
    size_t first = memory_rows_lower(rows, prefix), end = first;
    while (end < rows->count && key_has_prefix(&rows->rows[end].key, prefix)) {
        end++;
    }
    return end - first;
}

bool world_row(struct world *world, enum table table, const struct key *prefix, size_t n,
               struct key *key, void *record)
{
    const struct memory_rows *rows = &world->tables[table];

    if (n >= world_count(world, table, prefix)) {
        return false;
    }
    size_t first = prefix == NULL ? 0 : memory_rows_lower(rows, prefix);
    *key = rows->rows[first + n].key;
    if (record != NULL) {
        decode(world, table, &rows->rows[first + n], record);
    }
    return true;
}

/* ---- the view ---- */

static bool view_get_row(struct view *view, enum table table, const struct key *key, void *record)
{
    return world_get(world_of_view(view), table, key, record);
}

static bool view_seek_row(struct view *view, enum table table, const struct key *prefix,
                          const struct key *from, struct key *key, void *record)
{
    struct world *world = world_of_view(view);
    const struct memory_rows *rows = &world->tables[table];

    OD_CHECK(table_is_scanned(table));
    const struct key *start = key_compare(from, prefix) < 0 ? prefix : from;
    size_t at = memory_rows_lower(rows, start);
    if (at == rows->count || !key_has_prefix(&rows->rows[at].key, prefix)) {
        return false;
    }
    *key = rows->rows[at].key;
    if (record != NULL) {
        decode(world, table, &rows->rows[at], record);
    }
    return true;
}

static const struct zone_table *view_find_zone(struct view *view, struct slice name)
{
    const struct world *world = world_of_view(view);

    for (size_t i = 0; i < world->zone_count; i++) {
        if (slice_equal_text(name, world->zones[i]->name)) {
            return world->zones[i];
        }
    }
    return NULL;
}

static const struct view_ops view_ops = {view_get_row, view_seek_row, view_find_zone};

/* ---- the effects ---- */

static void on_put(struct effects *effects, enum table table, const struct key *key,
                   const void *record)
{
    struct world *world = world_of_effects(effects);

    world_put(world, table, key, record);
    story_put(&world->story, table, key, record);
}

static void on_delete(struct effects *effects, enum table table, const struct key *key)
{
    struct world *world = world_of_effects(effects);

    world_delete(world, table, key);
    story_delete(&world->story, table, key);
}

static void on_send(struct effects *effects, const struct message *message)
{
    struct world *world = world_of_effects(effects);

    story_send(&world->story, message);
    *(struct message *)sent_add(&world->messages) = *message;
}

/* A copy of a record with its texts: what the codec makes of it. */
static void *copy_record(struct world *world, enum table table, const struct key *key,
                         const void *record)
{
    void *copy = arena_zalloc(&world->arena, record_size(table));
    struct buf encoded;

    buf_init(&encoded);
    OD_CHECK(record_encode(table, key, record, &encoded) == 0);
    OD_CHECK(record_decode(table, key, buf_slice(&encoded), &world->arena, copy) == 0);
    buf_deinit(&encoded);
    return copy;
}

static void *copy_items(struct world *world, const void *items, size_t bytes)
{
    void *copy = arena_alloc(&world->arena, bytes);

    if (bytes > 0) {
        memcpy(copy, items, bytes);
    }
    return copy;
}

static void copy_fault(struct world *world, struct reply *reply)
{
    size_t count = reply->fault.detail_count;
    struct fault_detail *details =
        copy_items(world, reply->fault.details, count * sizeof(*details));

    for (size_t i = 0; i < count; i++) {
        details[i].path = arena_copy(&world->arena, details[i].path);
        details[i].message = arena_copy(&world->arena, details[i].message);
    }
    reply->fault.details = details;
    reply->fault.message = arena_copy(&world->arena, reply->fault.message);
}

static void copy_upserted(struct world *world, struct reply *reply)
{
    size_t count = reply->upserted.count;
    struct contact_made *contacts =
        copy_items(world, reply->upserted.contacts, count * sizeof(*contacts));

    for (size_t i = 0; i < count; i++) {
        contacts[i].primary_phone = arena_copy(&world->arena, contacts[i].primary_phone);
    }
    reply->upserted.contacts = contacts;
}

static void copy_imported(struct world *world, struct reply *reply)
{
    size_t count = reply->imported.rejected_count;
    struct row_fault *rejected =
        copy_items(world, reply->imported.rejected, count * sizeof(*rejected));

    for (size_t i = 0; i < count; i++) {
        rejected[i].message = arena_copy(&world->arena, rejected[i].message);
    }
    reply->imported.rejected = rejected;
}

static void copy_execution(struct world *world, struct reply *reply)
{
    struct key key = key_u32(reply->execution.settings->number);

    reply->execution.settings =
        copy_record(world, TABLE_EXECUTION, &key, reply->execution.settings);
    reply->execution.state =
        copy_record(world, TABLE_EXECUTION_STATE, &key, reply->execution.state);
}

static void on_reply(struct effects *effects, const struct reply *reply)
{
    struct world *world = world_of_effects(effects);
    struct reply copy = *reply;

    story_reply(&world->story, reply);
    switch (reply->kind) {
    case REPLY_FAULT: copy_fault(world, &copy); break;
    case REPLY_RECORD:
        copy.record.record =
            copy_record(world, reply->record.table, &reply->record.key, reply->record.record);
        break;
    case REPLY_UPSERTED: copy_upserted(world, &copy); break;
    case REPLY_IMPORTED: copy_imported(world, &copy); break;
    case REPLY_EXECUTION: copy_execution(world, &copy); break;
    case REPLY_CLAIMED:
        copy.claimed.calls = copy_items(world, reply->claimed.calls,
                                        reply->claimed.count * sizeof(*reply->claimed.calls));
        break;
    case REPLY_NOTHING:
    case REPLY_MEMBERS_ADDED:
    case REPLY_MEMBERS_REMOVED:
    case REPLY_LAUNCHED:
    case REPLY_CREDITS:
    case REPLY_EVENT: break;
    }
    *(struct reply *)sent_add(&world->replies) = copy;
}

static void on_offer(struct effects *effects, const struct offer *offer)
{
    struct world *world = world_of_effects(effects);
    struct offer copy = *offer;

    story_offer(&world->story, offer);
    copy.to = arena_copy(&world->arena, offer->to);
    copy.from = arena_copy(&world->arena, offer->from);
    *(struct offer *)sent_add(&world->offers) = copy;
}

static void on_publish(struct effects *effects, uint32_t organisation)
{
    SAY(&world_of_effects(effects)->story, "publish %" PRIu32 "\n", organisation);
}

static const struct effects_ops effects_ops = {on_put,   on_delete, on_send,
                                               on_reply, on_offer,  on_publish};

/* ---- the world ---- */

struct world *world_new(void)
{
    struct world *world = calloc(1, sizeof(*world));

    OD_CHECK(world != NULL);
    arena_init(&world->arena, ARENA_BLOCK_BYTES);
    world->view = (struct view){.ops = &view_ops, .arena = &world->arena};
    world->effects.ops = &effects_ops;
    world->messages.item_size = sizeof(struct message);
    world->replies.item_size = sizeof(struct reply);
    world->offers.item_size = sizeof(struct offer);
    world->changes.item_size = sizeof(struct world_change);
    buf_init(&world->story);
    buf_init(&world->shown);
    world_add_zone(world, &calendar_utc);
    return world;
}

void world_free(struct world *world)
{
    if (world->is_marked) {
        world_rewind(world);
    }
    for (size_t table = 0; table < TABLE_COUNT; table++) {
        memory_rows_deinit(&world->tables[table]);
    }
    free(world->messages.items);
    free(world->replies.items);
    free(world->offers.items);
    free(world->changes.items);
    buf_deinit(&world->story);
    buf_deinit(&world->shown);
    arena_deinit(&world->arena);
    free(world);
}

struct view *world_view(struct world *world)
{
    return &world->view;
}

struct effects *world_effects(struct world *world)
{
    return &world->effects;
}

struct arena *world_arena(struct world *world)
{
    return &world->arena;
}

void world_add_zone(struct world *world, const struct zone_table *zone)
{
    OD_CHECK(world->zone_count < ZONES_MAX);
    world->zones[world->zone_count++] = zone;
}

/* The items as a copy that stays while new ones come. */
static void *sent_take(struct world *world, struct world_sent *sent, size_t *count)
{
    void *items = copy_items(world, sent->items, sent->count * sent->item_size);

    *count = sent->count;
    sent->count = 0;
    return items;
}

size_t world_take_messages(struct world *world, const struct message **out)
{
    size_t count;

    *out = sent_take(world, &world->messages, &count);
    return count;
}

size_t world_take_replies(struct world *world, const struct reply **out)
{
    size_t count;

    *out = sent_take(world, &world->replies, &count);
    return count;
}

size_t world_take_offers(struct world *world, const struct offer **out)
{
    size_t count;

    *out = sent_take(world, &world->offers, &count);
    return count;
}

const char *world_print(struct world *world)
{
    struct buf story = world->story;

    world->story = world->shown;
    world->shown = story;
    buf_clear(&world->story);
    OD_CHECK(buf_append_byte(&world->shown, '\0') == 0);
    return world->shown.data;
}

const char *world_print_table(struct world *world, enum table table)
{
    const struct memory_rows *rows = &world->tables[table];
    void *record = arena_zalloc(&world->arena, record_size(table));

    buf_clear(&world->shown);
    for (size_t i = 0; i < rows->count; i++) {
        decode(world, table, &rows->rows[i], record);
        story_row(&world->shown, table, &rows->rows[i].key, record);
    }
    OD_CHECK(buf_append_byte(&world->shown, '\0') == 0);
    return world->shown.data;
}
