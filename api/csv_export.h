/* Lists as CSV (RFC 4180), whole, for a request that says `Accept: text/csv`: a header row, lines
 * that end with CRLF, streamed in pieces.
 *
 * A cell is what the JSON answer has under the column's name: nothing for null, true and false,
 * numbers, texts. A text that a spreadsheet would take for a formula (it begins with = + - @, a tab
 * or a line break) gets an apostrophe in front, unless it is a phone number: a plus sign and
 * digits.
 */
#ifndef OUTDIAL_API_CSV_EXPORT_H
#define OUTDIAL_API_CSV_EXPORT_H

#include "api/page.h"

struct csv_column {
    struct slice title;
    const char *property;
    bool is_attribute; /* `property` is one of customAttributes */
};

struct csv_list {
    const char *file; /* "calls": its name is calls-ID.csv where the path has an id */
    const struct csv_column *columns;
    size_t column_count;
    /* As page_next. Its texts need not outlive the call; context->arena is emptied by it. */
    bool (*next)(struct render_context *context, void *state, struct key *at, json_t **item);
    void *state;
};

/* A column of the property's own name. */
#define CSV_COLUMN(name)                                                                           \
    {                                                                                              \
        .title = SLICE_INIT(name), .property = (name)                                              \
    }

/* True when the request names text/csv in Accept, and application/json not with a higher weight. */
bool csv_is_wanted(const struct exchange *exchange);

/* Answers the exchange with all rows, or with its faults. What `list` points to lives as long as
 * the exchange. */
void csv_send(struct exchange *exchange, const struct csv_list *list);

/* Whether an Accept header asks for CSV; and appends a value as a cell: 0 or OD_ENOMEM. */
bool csv_accepts(struct slice accept);
int csv_append_cell(struct buf *out, const json_t *value);

#endif
