/* The parser: large JSON bodies are parsed beside the reactor, by one thread.
 *
 * jansson needs 45 to 75 ms a MiB (reliability.md 2.5), during which nobody else would be served. A
 * body goes to the thread as bytes and comes back as values, each time with all that belongs to it:
 * nothing is shared, so the thread needs no lock but that of its queue. Values that the reactor has
 * done with go back to be freed, which takes as long again.
 */
#ifndef OUTDIAL_API_PARSER_H
#define OUTDIAL_API_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <jansson.h>

#include "api/faults.h"
#include "base/error.h"

enum {
    PARSER_BODY_BYTES_MIN = 64 * 1024,         /* smaller ones cost less than the way there */
    PARSER_QUEUE_BYTES_MAX = 128 * 1024 * 1024 /* of bodies under way; beyond it clients get 503 */
};

struct parser;

/* Gets a parsed body, on the reactor. `json` is taken over; NULL: there are faults, which are
 * borrowed for the call. */
typedef void (*parser_done_fn)(void *context, uint64_t exchange, json_t *json,
                               const struct fault_list *faults);

/* Starts the thread. 0, or an operating code. */
int parser_open(struct event_base *base, parser_done_fn done, void *context, struct parser **out,
                struct od_error *error);

/* Ends the thread behind what it is doing, and drops what waits. NULL is nothing. */
void parser_close(struct parser *parser);

/* Hands over all bytes of `body`. False when too many are under way; they are left. */
bool parser_submit(struct parser *parser, uint64_t exchange, struct evbuffer *body);

/* Takes over a value to be freed; NULL is nothing. */
void parser_discard(struct parser *parser, json_t *json);

#endif
