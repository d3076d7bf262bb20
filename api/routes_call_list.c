/* The calls of an execution: those that have ended and those that are queued or under way are in
 * two tables, which are walked backwards and merged by (entry, attempt). A live call is the newest
 * of its entry, so it stands before the ended ones whatever its attempt.
 *
 * api/page.c walks one table; the pages here are made as it makes them.
 */
#include "api/page.h"
#include "api/routes_execution_lists.h"
#include "api/server.h"
#include "model/names.h"
#include "storage/reader.h"

enum {
    ATTEMPT_LIVE = UINT16_MAX /* stands for the attempt of a live call in a position */
};

/* Where a call stands in the list; in a cursor, big-endian. */
struct position {
    uint32_t entry;
    uint16_t attempt;
};

/* The rows of one table. */
struct call_stream {
    enum table table;
    struct key prefix;
    struct key at; /* the next row is sought before this key */
    struct key key;
    struct slice raw;
    bool has_row;
};

struct call_walk {
    struct exchange *exchange;
    const struct execution_view *execution;
    struct render_context context;
    struct call_stream ended, live;
    uint32_t outcomes;          /* wanted ones, by bit; 0: any, and calls without one */
    const struct uuid *contact; /* wanted one, where the walk cannot be narrowed to it; NULL: any */
    uint32_t rows;              /* looked at */
};

/* ---- what is asked for ---- */

/* The entry of a contact in batch mode: entries are numbered in the order of contact ids. False: it
 * has none, or (context->error) the rows cannot be read. */
static bool find_entry(struct render_context *context, const struct execution_view *execution,
                       const struct uuid *contact, uint32_t *out)
{
    uint32_t low = 0, high = execution->state.next_entry;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        struct key key = key_entry(execution->settings.number, middle);
        struct entry entry;
        if (!render_get(context, TABLE_ENTRY, &key, &entry)) {
            return false;
        }
        int order = uuid_compare(&entry.contact_id, contact);
        if (order == 0) {
            *out = middle;
            return true;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

static void read_outcomes(struct exchange *exchange, uint32_t *outcomes)
{
    for (size_t i = 0; i < exchange->query_count; i++) {
        enum outcome outcome;
        if (!slice_equal_text(exchange->query[i].name, "outcome")) {
            continue;
        }
        if (outcome_from(exchange->query[i].value, &outcome)) {
            *outcomes |= UINT32_C(1) << outcome;
        } else {
            faults_add(&exchange->faults, SLICE("outcome"), "must be an outcome of a call");
        }
    }
}

/* ---- walking ---- */

static void advance(struct call_walk *walk, struct call_stream *stream)
{
    int error = reader_seek_before(walk->context.reader, stream->table, &stream->prefix,
                                   &stream->at, &stream->key, &stream->raw);

    stream->has_row = error == 0;
    stream->at = stream->key;
    if (error != 0 && error != OD_ENOTFOUND && walk->context.error == 0) {
        walk->context.error = error;
    }
}

static struct position position_of(const struct call_stream *stream)
{
    struct position at = {key_u32_at(&stream->key, sizeof(uint32_t)), ATTEMPT_LIVE};

    if (stream->table == TABLE_CALL) {
        at.attempt = key_u16_at(&stream->key, 2 * sizeof(uint32_t));
    }
    return at;
}

/* The stream whose row comes next; NULL: there is none left. */
static struct call_stream *next_stream(struct call_walk *walk)
{
    if (!walk->live.has_row) {
        return walk->ended.has_row ? &walk->ended : NULL;
    }
    if (!walk->ended.has_row) {
        return &walk->live;
    }
    return position_of(&walk->live).entry >= position_of(&walk->ended).entry ? &walk->live
                                                                             : &walk->ended;
}

static bool is_to_another(const struct call_walk *walk, const struct uuid *contact)
{
    return walk->contact != NULL && !uuid_equal(walk->contact, contact);
}

/* The row as JSON; NULL: the filter does not let it through, or it cannot be read. */
static json_t *show(struct call_walk *walk, const struct call_stream *stream)
{
    struct live_call live;
    struct call call;

    arena_reset(walk->context.arena);
    if (stream->table == TABLE_LIVE_CALL) {
        if (walk->outcomes != 0 ||
            !render_decode(&walk->context, TABLE_LIVE_CALL, &stream->key, stream->raw, &live) ||
            is_to_another(walk, &live.contact_id)) {
            return NULL;
        }
        return render_live_call(walk->execution, &live);
    }
    if (!render_decode(&walk->context, TABLE_CALL, &stream->key, stream->raw, &call) ||
        (walk->outcomes != 0 && (walk->outcomes & (UINT32_C(1) << call.outcome)) == 0) ||
        is_to_another(walk, &call.contact_id)) {
        return NULL;
    }
    return render_call(walk->execution, &call);
}

/* Shows rows until one more than the page holds has been found. Sets *last to the position of the
 * last row that was taken or passed over; returns whether there is more. */
static bool fill(struct call_walk *walk, json_t *data, struct position *last)
{
    uint32_t limit = walk->exchange->page.limit;
    struct call_stream *stream;

    while (walk->context.error == 0 && (stream = next_stream(walk)) != NULL) {
        if (walk->rows++ == PAGE_ROWS_MAX) {
            return true;
        }
        json_t *item = show(walk, stream);
        if (item != NULL && json_array_size(data) == limit) {
            json_decref(item);
            return true;
        }
        if (item != NULL) {
            json_put_item(data, item);
        }
        if (item != NULL || json_array_size(data) < limit) {
            *last = position_of(stream);
        }
        advance(walk, stream);
    }
    return false;
}

/* ---- pages ---- */

/* Puts both streams behind a position. The last entry that there could be is UINT32_MAX - 1. */
static void begin(struct call_walk *walk, const struct position *behind)
{
    uint32_t execution = walk->execution->settings.number;

    walk->ended.at = key_call(execution, behind->entry, behind->attempt);
    walk->live.at = key_entry(execution, behind->entry);
    advance(walk, &walk->ended);
    advance(walk, &walk->live);
}

/* Reads the cursor's position, or adds a fault when it is not of this list. */
static void read_cursor(struct call_walk *walk, struct position *behind)
{
    struct exchange *exchange = walk->exchange;
    struct key suffix;

    if (slice_is_empty(exchange->page.cursor)) {
        return;
    }
    if (!page_cursor_parse(exchange->api->auth.secret, TABLE_CALL, &walk->ended.prefix,
                           exchange->page.cursor, &suffix) ||
        suffix.size != sizeof(uint32_t) + sizeof(uint16_t)) {
        faults_add(&exchange->faults, SLICE("cursor"), PAGE_CURSOR_FAULT);
        return;
    }
    behind->entry = key_u32_at(&suffix, 0);
    behind->attempt = key_u16_at(&suffix, sizeof(uint32_t));
}

static json_t *cursor_json(const struct call_walk *walk, const struct position *last)
{
    struct key suffix = key_empty();
    char text[PAGE_CURSOR_TEXT_SIZE];

    key_add_u32(&suffix, last->entry);
    key_add_u16(&suffix, last->attempt);
    page_cursor_print(walk->exchange->api->auth.secret, TABLE_CALL, &walk->ended.prefix,
                      slice_make((const char *)suffix.bytes, suffix.size), text);
    return json_from_slice(slice_from(text));
}

static void answer(struct call_walk *walk)
{
    json_t *body = json_new_object(), *data = json_new_array();
    struct position last = {0};
    bool has_more = fill(walk, data, &last);

    json_put(body, "data", data);
    json_put(body, "nextCursor", has_more ? cursor_json(walk, &last) : json_null());
    if (walk->context.error != 0) {
        json_decref(body);
        exchange_send_unreadable(walk->exchange, walk->context.error);
        return;
    }
    exchange_send_json(walk->exchange, 200, body);
}

/* Narrows the walk to a contact's calls. Without an entry the prefixes are of one that cannot be.
 * In live mode a contact has an entry for each firing, anywhere: all calls are looked at. */
static void keep_contact(struct call_walk *walk, const struct uuid *contact,
                         struct position *behind)
{
    uint32_t entry = UINT32_MAX;

    if (walk->execution->settings.mode == MODE_LIVE) {
        walk->contact = contact;
        return;
    }
    if (find_entry(&walk->context, walk->execution, contact, &entry)) {
        behind->entry = entry + 1;
    }
    walk->ended.prefix = key_entry(walk->execution->settings.number, entry);
    walk->live.prefix = walk->ended.prefix;
}

void send_calls(struct exchange *exchange, const struct execution_view *execution)
{
    const struct slice *text = exchange_query(exchange, "contactId");
    struct key prefix = key_u32(execution->settings.number);
    struct position behind = {UINT32_MAX, ATTEMPT_LIVE};
    struct uuid contact = UUID_NIL;
    struct arena arena;
    struct call_walk walk = {
        .exchange = exchange,
        .execution = execution,
        .context = {.exchange = exchange, .reader = exchange->reader, .arena = &arena},
        .ended = {.table = TABLE_CALL, .prefix = prefix},
        .live = {.table = TABLE_LIVE_CALL, .prefix = prefix},
    };

    read_outcomes(exchange, &walk.outcomes);
    arena_init(&arena, 4096);
    if (text != NULL && !uuid_parse(*text, &contact)) {
        faults_add(&exchange->faults, SLICE("contactId"), "must be a UUID");
    } else if (text != NULL) {
        keep_contact(&walk, &contact, &behind);
    }
    read_cursor(&walk, &behind);
    if (faults_any(&exchange->faults)) {
        exchange_send_faults(exchange);
    } else {
        begin(&walk, &behind);
        answer(&walk);
    }
    arena_deinit(&arena);
}
