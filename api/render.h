/* Rows as the interface shows them: one function a kind of record.
 *
 * They run on durable rows: within a route's handler, or when a reply is being turned into its
 * response. Each returns a new reference, never NULL. A reader's error is put into context->error
 * (the first one counts); what is returned is then thrown away and the answer is 503 or 500.
 */
#ifndef OUTDIAL_API_RENDER_H
#define OUTDIAL_API_RENDER_H

#include <jansson.h>

#include "api/exchange.h"
#include "api/json.h"
#include "base/arena.h"
#include "model/records.h"
#include "model/tables.h"

struct render_context {
    struct exchange *exchange;
    struct reader *reader;
    struct arena *arena; /* scratch, for rows that are looked up */
    int error;           /* 0, or what a reader returned */
    size_t bytes;        /* about, of parts that the size of a list's row does not show */
};

/* ---- one a table ---- */

json_t *render_organisation(struct render_context *context, const void *record);
json_t *render_api_key(struct render_context *context, const void *record);
json_t *render_did(struct render_context *context, const void *record);
json_t *render_attribute(struct render_context *context, const void *record);
json_t *render_contact(struct render_context *context, const void *record);
json_t *render_audience(struct render_context *context, const void *record);
json_t *render_flow(struct render_context *context, const void *record);
json_t *render_program(struct render_context *context, const void *record);

/* An execution has two rows. The first appends the text of its JSON, the second is for lists. */
void render_execution_text(struct render_context *context,
                           const struct execution_settings *settings,
                           const struct execution_state *state, struct buf *out);
json_t *render_execution(struct render_context *context, const struct execution_settings *settings,
                         const struct execution_state *state);

/* Its nextDialAt; 0: it does not dial. And when the pause windows that are open now have ended; 0:
 * none is open, INSTANT_NEVER: they never end. */
int64_t render_next_dial_at(struct render_context *context,
                            const struct execution_settings *settings,
                            const struct execution_state *state);
int64_t render_window_end(struct render_context *context,
                          const struct execution_settings *settings);

/* By table (render.c): the record is the table's struct. */
json_t *render_record(struct render_context *context, enum table table, const void *record);

/* The path under which a table's records are found by their id, "/api/programs/"; NULL: none. */
const char *render_path(enum table table);

/* ---- helpers ---- */

/* Reads a row; false when there is none or it cannot be read (context->error is then set). */
bool render_get(struct render_context *context, enum table table, const struct key *key,
                void *record);

/* Decodes an encoded row that a walk came by; false as above. */
bool render_decode(struct render_context *context, enum table table, const struct key *key,
                   struct slice raw, void *record);

/* The id of an organisation as JSON; null for number 0. */
json_t *render_organisation_id(struct render_context *context, uint32_t number);

#endif
