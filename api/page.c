/* A page in five steps: the cursor becomes the key behind which to begin; rows are sought from
 * there, one by one; each is shown or left out; one shown row more than fits says that there is a
 * further page; the last row that was taken becomes the next cursor.
 *
 * Two prefixes are merged by taking the newer of their next rows each time.
 */
#include "api/page.h"

#include <string.h>

#include <sodium.h>

#include "api/json.h"
#include "api/server.h"
#include "base/check.h"
#include "storage/reader.h"

enum {
    CHECK_BYTES = crypto_generichash_BYTES_MIN,
    STREAMS_MAX = 2,
    /* Of rows shown, about: what is over ends the page early, as PAGE_ROWS_MAX does. */
    PAGE_BYTES_MAX = 1024 * 1024,
};

/* ---- cursors ---- */

static void cursor_check(const uint8_t *secret, enum table table, const struct key *prefix,
                         struct slice suffix, uint8_t out[CHECK_BYTES])
{
    const uint8_t list[] = {(uint8_t)table, prefix->size};
    crypto_generichash_state state;

    (void)crypto_generichash_init(&state, secret, 32, CHECK_BYTES);
    (void)crypto_generichash_update(&state, list, sizeof(list));
    (void)crypto_generichash_update(&state, prefix->bytes, prefix->size);
    (void)crypto_generichash_update(&state, (const unsigned char *)suffix.data, suffix.size);
    (void)crypto_generichash_final(&state, out, CHECK_BYTES);
}

void page_cursor_print(const uint8_t *secret, enum table table, const struct key *prefix,
                       struct slice suffix, char out[PAGE_CURSOR_TEXT_SIZE])
{
    uint8_t bytes[CHECK_BYTES + PAGE_CURSOR_BYTES_MAX];

    OD_CHECK(suffix.size <= PAGE_CURSOR_BYTES_MAX);
    cursor_check(secret, table, prefix, suffix, bytes);
    memcpy(bytes + CHECK_BYTES, suffix.data, suffix.size);
    (void)sodium_bin2base64(out, PAGE_CURSOR_TEXT_SIZE, bytes, CHECK_BYTES + suffix.size,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool page_cursor_parse(const uint8_t *secret, enum table table, const struct key *prefix,
                       struct slice text, struct key *out)
{
    uint8_t bytes[CHECK_BYTES + PAGE_CURSOR_BYTES_MAX];
    uint8_t check[CHECK_BYTES];
    struct slice suffix;
    size_t size;

    if (sodium_base642bin(bytes, sizeof(bytes), text.data, text.size, NULL, &size, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        size < CHECK_BYTES || size - CHECK_BYTES > KEY_BYTES_MAX - (size_t)prefix->size) {
        return false;
    }
    suffix = slice_make((const char *)bytes + CHECK_BYTES, size - CHECK_BYTES);
    cursor_check(secret, table, prefix, suffix, check);
    if (sodium_memcmp(check, bytes, CHECK_BYTES) != 0) {
        return false;
    }
    *out = key_empty();
    out->size = (uint8_t)suffix.size;
    memcpy(out->bytes, suffix.data, suffix.size);
    return true;
}

bool page_cursor_fits(const struct exchange *exchange, enum table table, const struct key *prefix)
{
    struct key suffix;

    return slice_is_empty(exchange->page.cursor) ||
           page_cursor_parse(exchange->api->auth.secret, table, prefix, exchange->page.cursor,
                             &suffix);
}

/* ---- walking ---- */

/* The rows of one prefix. */
struct stream {
    struct key prefix;
    struct key at;  /* the next row is sought before (ascending: from) this key */
    struct key key; /* of the next row */
    struct slice raw;
    bool has_row;
};

struct walk {
    struct exchange *exchange;
    const struct page_list *list;
    struct stream streams[STREAMS_MAX];
    size_t stream_count;
    struct render_context context;
    uint32_t rows; /* looked at */
    size_t bytes;  /* about, of the rows shown */
};

static struct key joined(const struct key *prefix, const uint8_t *bytes, size_t size)
{
    struct key key = *prefix;

    OD_CHECK(key.size + size <= KEY_BYTES_MAX);
    memcpy(key.bytes + key.size, bytes, size);
    key.size = (uint8_t)(key.size + size);
    return key;
}

/* Above every row of the prefix: no key of ours has such an end. */
static struct key behind(const struct key *prefix)
{
    uint8_t end[KEY_BYTES_MAX];

    memset(end, 0xff, sizeof(end));
    return joined(prefix, end, sizeof(end) - prefix->size);
}

/* Finds the stream's next row. */
static void advance(struct walk *walk, struct stream *stream)
{
    struct reader *reader = walk->exchange->reader;
    enum table table = walk->list->table;
    int error;

    if (walk->list->is_ascending) {
        error =
            reader_seek(reader, table, &stream->prefix, &stream->at, &stream->key, &stream->raw);
    } else {
        error = reader_seek_before(reader, table, &stream->prefix, &stream->at, &stream->key,
                                   &stream->raw);
    }
    stream->has_row = error == 0;
    if (error == 0) {
        stream->at = walk->list->is_ascending ? key_after(&stream->key) : stream->key;
    } else if (error != OD_ENOTFOUND && walk->context.error == 0) {
        walk->context.error = error;
    }
}

static int compare_suffixes(const struct stream *a, const struct stream *b)
{
    size_t size = (size_t)(a->key.size - a->prefix.size);

    OD_CHECK(size == (size_t)(b->key.size - b->prefix.size));
    return memcmp(a->key.bytes + a->prefix.size, b->key.bytes + b->prefix.size, size);
}

/* The stream whose next row comes first; NULL: there is no row left. */
static struct stream *first_stream(struct walk *walk)
{
    struct stream *first = &walk->streams[0];
    struct stream *second = &walk->streams[1];

    if (walk->stream_count < 2 || !second->has_row) {
        return first->has_row ? first : NULL;
    }
    if (!first->has_row) {
        return second;
    }
    return compare_suffixes(first, second) > 0 ? first : second;
}

/* Shows rows until one more than the page holds has been found. Sets *last to the end of the key of
 * the last row that was taken (or looked at, when the walk was cut short); returns whether there is
 * more. */
static bool fill(struct walk *walk, json_t *data, struct key *last)
{
    const struct page_list *list = walk->list;

    for (;;) {
        struct stream *stream = first_stream(walk);
        struct key suffix = key_empty();
        json_t *item;

        if (stream == NULL || walk->context.error != 0) {
            return false;
        }
        if (walk->rows == PAGE_ROWS_MAX || walk->bytes + walk->context.bytes > PAGE_BYTES_MAX) {
            return true;
        }
        walk->rows++;
        suffix.size = (uint8_t)(stream->key.size - stream->prefix.size);
        memcpy(suffix.bytes, stream->key.bytes + stream->prefix.size, suffix.size);
        arena_reset(walk->context.arena);
        item = list->show(&walk->context, list->state, &stream->key, stream->raw);
        if (item != NULL && json_array_size(data) == walk->exchange->page.limit) {
            json_decref(item);
            return true;
        }
        if (item != NULL) {
            json_put_item(data, item);
            walk->bytes += stream->raw.size;
        }
        if (item != NULL || json_array_size(data) < walk->exchange->page.limit) {
            *last = suffix;
        }
        advance(walk, stream);
    }
}

/* Puts each stream behind the cursor. False, with the exchange answered, for a bad one, and when
 * the query has other faults. */
static bool begin(struct walk *walk)
{
    struct exchange *exchange = walk->exchange;
    const uint8_t *secret = exchange->api->auth.secret;
    bool has_cursor = !slice_is_empty(exchange->page.cursor);
    struct key suffix = key_empty();

    if (has_cursor && !page_cursor_parse(secret, walk->list->table, &walk->list->prefix,
                                         exchange->page.cursor, &suffix)) {
        faults_add(&exchange->faults, SLICE("cursor"), PAGE_CURSOR_FAULT);
    }
    if (faults_any(&exchange->faults)) {
        exchange_send_faults(exchange);
        return false;
    }
    for (size_t i = 0; i < walk->stream_count; i++) {
        struct stream *stream = &walk->streams[i];

        if (has_cursor) {
            stream->at = joined(&stream->prefix, suffix.bytes, suffix.size);
            stream->at = walk->list->is_ascending ? key_after(&stream->at) : stream->at;
        } else {
            stream->at = walk->list->is_ascending ? stream->prefix : behind(&stream->prefix);
        }
        advance(walk, stream);
    }
    return true;
}

static void answer(struct walk *walk)
{
    struct exchange *exchange = walk->exchange;
    json_t *body = json_new_object();
    json_t *data = json_new_array();
    char cursor[PAGE_CURSOR_TEXT_SIZE];
    struct key last = key_empty();
    bool has_more = fill(walk, data, &last);

    json_put(body, "data", data);
    if (walk->context.error != 0) {
        json_decref(body);
        exchange_send_unreadable(exchange, walk->context.error);
        return;
    }
    if (has_more) {
        page_cursor_print(exchange->api->auth.secret, walk->list->table, &walk->list->prefix,
                          slice_make((const char *)last.bytes, last.size), cursor);
    }
    json_put(body, "nextCursor", has_more ? json_from_slice(slice_from(cursor)) : json_null());
    exchange_send_json(exchange, 200, body);
}

static void send_page(struct exchange *exchange, const struct page_list *list,
                      const struct key *other_prefix)
{
    struct arena arena;
    struct walk walk = {
        .exchange = exchange,
        .list = list,
        .streams = {{.prefix = list->prefix}},
        .stream_count = other_prefix != NULL ? 2 : 1,
        .context = {.exchange = exchange, .reader = exchange->reader, .arena = &arena},
    };

    if (other_prefix != NULL) {
        walk.streams[1].prefix = *other_prefix;
    }
    arena_init(&arena, 4096);
    if (begin(&walk)) {
        answer(&walk);
    }
    arena_deinit(&arena);
}

void page_send(struct exchange *exchange, const struct page_list *list)
{
    send_page(exchange, list, NULL);
}

void page_send_merged(struct exchange *exchange, const struct page_list *list,
                      const struct key *other_prefix)
{
    OD_CHECK(!list->is_ascending);
    send_page(exchange, list, other_prefix);
}

bool page_next(struct render_context *context, void *list, struct key *at, json_t **item)
{
    const struct page_list *rows = list;
    struct key before = at->size > 0 ? *at : behind(&rows->prefix), key;
    struct slice raw;
    int error =
        reader_seek_before(context->reader, rows->table, &rows->prefix, &before, &key, &raw);

    OD_CHECK(!rows->is_ascending);
    *item = NULL;
    if (error != 0) {
        context->error = error == OD_ENOTFOUND ? context->error : error;
        return false;
    }
    *at = key;
    arena_reset(context->arena);
    *item = rows->show(context, rows->state, &key, raw);
    return context->error == 0;
}
