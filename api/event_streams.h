/* Streams of server-sent events: who listens, and what each has been told.
 *
 * A stream is a reader of durable rows that keeps its place. Changes of status are EVENT rows: it
 * tells them in their order, from the number at which it began or was resumed. Progress is what the
 * rows of the executions say now: it is looked at four times a second, and told when it differs
 * from what the stream told last. So nothing waits in memory for a client: one that does not read
 * is not read for either, and one that has read nothing for a while is dropped.
 */
#ifndef OUTDIAL_API_EVENT_STREAMS_H
#define OUTDIAL_API_EVENT_STREAMS_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "base/id.h"

struct api;
struct event_stream;
struct exchange;

/* All streams of an API. */
struct event_streams {
    struct api *api;
    struct event_stream *all;   /* a list */
    struct event_stream *queue; /* a list: those that have something to do, in turn */
    struct event *run;
    uint32_t count;
    uint64_t second; /* counts up */
};

/* Where a stream begins, and what it is about. */
struct event_stream_start {
    uint32_t execution; /* 0: all of the exchange's organisation */
    struct uuid execution_id, program_id;
    uint64_t next; /* the first event to be told */
};

void event_streams_init(struct event_streams *streams, struct api *api);

/* All streams must have ended. */
void event_streams_deinit(struct event_streams *streams);

/* False when there are as many streams as the configuration allows. */
bool event_streams_have_room(const struct event_streams *streams, uint32_t organisation);

/* Answers the exchange with a stream that begins with `text`. */
void event_stream_open(struct exchange *exchange, const struct event_stream_start *start,
                       struct slice text);

/* engine_set_publish's callback; the context is the API. */
void event_streams_published(void *context, uint32_t organisation);

/* Four times a second: progress. */
void event_streams_tick(struct event_streams *streams);

/* Each second: heartbeats, keys that were revoked, clients that do not read. */
void event_streams_second(struct event_streams *streams);

/* Ends all of them, for a drain. */
void event_streams_stop(struct event_streams *streams);

#endif
