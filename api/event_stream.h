/* One stream of events, for api/event_streams.c and api/event_reading.c. */
#ifndef OUTDIAL_API_EVENT_STREAM_H
#define OUTDIAL_API_EVENT_STREAM_H

#include "api/event_streams.h"
#include "api/exchange.h"

/* What an execution was when it was told last. */
struct event_told {
    uint32_t execution;
    uint64_t digest;
};

struct event_stream {
    struct exchange *exchange;
    struct event_stream_start of;
    uint32_t organisation;

    /* Where it is (event_reading.c). */
    uint64_t next;           /* the first event that has not been told */
    bool is_at_end;          /* of the events, when it was read last */
    bool wants_states;       /* executions are to be looked at */
    bool is_introduced;      /* all have been looked at once */
    bool is_over;            /* nothing more will come */
    uint32_t lap_at;         /* the first execution that this lap has not looked at */
    struct event_told *told; /* by execution, ascending */
    size_t told_count, told_room;

    /* Its client (event_streams.c). */
    uint64_t sent_bytes, taken_bytes; /* taken: as of taken_second */
    uint64_t sent_second, taken_second;
    bool is_queued;
    struct event_stream *next_of_all, *prev_of_all;
    struct event_stream *next_in_queue, *prev_in_queue;
};

/* Reads on and appends what there is to tell, a bounded piece. Ask again while the stream is not
 * at its end or wants states. 0, or what the reader returned. */
int event_stream_read(struct event_stream *stream, struct reader *reader, struct buf *out);

#endif
