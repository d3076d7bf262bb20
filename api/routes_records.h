/* What the routes of an organisation's records have in common: a record is found under
 * (organisation, id of the path), shown by api/render, listed newest first, and deleted by its
 * directory.
 */
#ifndef OUTDIAL_API_ROUTES_RECORDS_H
#define OUTDIAL_API_ROUTES_RECORDS_H

#include "api/body.h"
#include "api/exchange.h"
#include "api/page.h"
#include "api/render.h"

/* Reads for the route's handler, with scratch memory that lives as long as the exchange. */
struct render_context records_context(struct exchange *exchange);

/* Reads a row into *record (the table's struct). False, with the exchange answered, when there is
 * none (the 404 `not_found` of the path's first id) or it cannot be read. */
bool records_read(struct exchange *exchange, enum table table, const struct key *key,
                  enum fault_code not_found, void *record);

/* The same for the key (organisation, first id of the path). */
bool records_find(struct exchange *exchange, enum table table, enum fault_code not_found,
                  void *record);

/* Ends a handler: answers with what was rendered, or with the reader's error. */
void records_send(struct exchange *exchange, const struct render_context *context, json_t *json);
void records_send_text(struct exchange *exchange, const struct render_context *context,
                       struct slice text);

/* Answers GET of one record, and of the organisation's list. */
void records_send_one(struct exchange *exchange, enum table table, enum fault_code not_found);
void records_send_list(struct exchange *exchange, enum table table);

/* Posts a …_DELETE of the path's first id to the directory. */
void records_delete(struct exchange *exchange, enum message_type type);

/* Begins to read the exchange's body; texts go into the arena of the message to be posted. */
void records_open_body(struct exchange *exchange, struct body_value *root);

/* Ends it. False, with the exchange answered, when the body has faults. */
bool records_close_body(struct exchange *exchange, const struct body_value *root);

#endif
