/* Server-sent events as text (WHATWG HTML, "Server-sent events"; docs/api.md, "Events"). Each
 * function appends one block to `out`. */
#ifndef OUTDIAL_API_EVENT_TEXT_H
#define OUTDIAL_API_EVENT_TEXT_H

#include "base/buf.h"
#include "model/records.h"

/* An event's number as an id of the stream reads: what Last-Event-ID may say. */
bool event_id_parse(struct slice text, uint64_t *sequence);

/* The start of a stream: how long to wait before connecting again, and where it stands now. */
void event_print_start(struct buf *out, uint64_t sequence);

/* Some events behind `asked_for` are gone, or were never given. */
void event_print_reset(struct buf *out, uint64_t asked_for, uint64_t sequence);

/* `event: status`, with its id. */
void event_print_status(struct buf *out, uint64_t sequence, const struct status_event *event);

/* `event: progress`, without an id: the same, as of now. */
void event_print_progress(struct buf *out, const struct status_event *now);

/* A comment. */
void event_print_heartbeat(struct buf *out);

#endif
