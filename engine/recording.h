/* What the engine tells its recorder: called from its turns, at the places where something happens
 * that a replay has to repeat. All of these do nothing while nothing is recorded.
 */
#ifndef OUTDIAL_ENGINE_RECORDING_H
#define OUTDIAL_ENGINE_RECORDING_H

#include <stdbool.h>

#include "base/error.h"
#include "model/message.h"

struct engine;
struct work;
struct recording;

/* Begins to record to config->record_path, if there is one; before the actors are loaded. Reads the
 * whole store for its digest. Errors as of recorder_open and store_digest. */
int recording_open(struct engine *engine, struct od_error *error);

/* The actors have been loaded: at the start, and after a failed commit. */
void recording_start(struct engine *engine);
void recording_reload(struct engine *engine);

/* An actor was given this table under the name; NULL: none. */
void recording_zone(struct engine *engine, struct slice name, const struct zone_table *table);

/* The keeper of responses was asked, and what it said; NULL: nothing is kept. */
void recording_kept(struct engine *engine, const struct response_kept *kept);

/* A letter was handled, with all that followed. */
void recording_letter(struct engine *engine, const struct message *message);

/* The batch that is being filled is closed: its executions have been saved. */
void recording_commit(struct engine *engine);

/* What was recorded with a batch goes to the file: the batch is durable, or had no rows. */
void recording_flush(struct engine *engine, struct work *work);

/* A commit failed: what its batch and the next one brought about is forgotten, also here. */
void recording_drop(struct engine *engine);

/* Ends the trace: with an END record if all that was handled is durable. Before the store is
 * closed.
 */
void recording_close(struct engine *engine);

#endif
