/* Lists: walking a table's keys backwards (newest first) or forwards, a page at a time (api.md,
 * "Lists").
 *
 * A cursor is the end of the last row's key behind the list's prefix, with a check over it and the
 * prefix, in base64url: it stays valid while rows come and go, a cursor of another list or a
 * changed one is a ValidationError. The router has read ?limit= and ?cursor= into exchange->page;
 * page_send judges the cursor, and answers with it whatever else is wrong with the query: what the
 * router and the handler have put into exchange->faults.
 */
#ifndef OUTDIAL_API_PAGE_H
#define OUTDIAL_API_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "api/exchange.h"
#include "api/render.h"
#include "base/buf.h"
#include "model/key.h"
#include "model/tables.h"

enum {
    PAGE_LIMIT_DEFAULT = 20,
    PAGE_LIMIT_MAX = 100,
    /* Rows that one request looks at, so that a filter that lets few through cannot hold the
     * reactor: the page is then short, and nextCursor goes on behind it. */
    PAGE_ROWS_MAX = 20000,
};

/* Shows a row: a new reference, or NULL when the row is not in this list (a filter, or what
 * it points to is gone). `raw` is the encoded row, to be decoded with record_decode into
 * context->arena, which is emptied before each row. A reader's error goes into context->error. */
typedef json_t *(*page_show_fn)(struct render_context *context, void *state, const struct key *key,
                                struct slice raw);

struct page_list {
    enum table table;
    struct key prefix; /* of the keys; key_empty() for the whole table */
    bool is_ascending; /* else newest first */
    page_show_fn show;
    void *state; /* the second argument of show */
};

/* Answers the exchange with a page: {"data": […], "nextCursor": …}, or with its faults. */
void page_send(struct exchange *exchange, const struct page_list *list);

/* The row behind *at in a descending list, which is a key of it (an empty key: the first row): its
 * key goes to *at. *item as of `show`. False: there is none, or context->error. `list` is a struct
 * page_list. For walks that are no pages. */
bool page_next(struct render_context *context, void *list, struct key *at, json_t **item);

/* Answers as page_send does for two prefixes of one table whose keys end in UUIDv7s, merged newest
 * first. */
void page_send_merged(struct exchange *exchange, const struct page_list *list,
                      const struct key *other_prefix);

/* ---- cursors; `secret` is 32 bytes ---- */

enum {
    PAGE_CURSOR_BYTES_MAX = KEY_BYTES_MAX,
    PAGE_CURSOR_TEXT_SIZE = 128, /* the longest text and its NUL */
};

/* Prints the cursor of a list's row. */
void page_cursor_print(const uint8_t *secret, enum table table, const struct key *prefix,
                       struct slice suffix, char out[PAGE_CURSOR_TEXT_SIZE]);

/* Reads it back: the suffix in `out`. False for what page_cursor_print has not made for this list.
 */
bool page_cursor_parse(const uint8_t *secret, enum table table, const struct key *prefix,
                       struct slice text, struct key *out);

/* What is said of a cursor that is none of the list. */
#define PAGE_CURSOR_FAULT "is not a cursor of this list"

/* Whether the request's cursor, if there is one, is of the list of that table and prefix: for a
 * handler that answers faults of the query without page_send. */
bool page_cursor_fits(const struct exchange *exchange, enum table table, const struct key *prefix);

#endif
