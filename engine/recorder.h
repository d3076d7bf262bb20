/* The recorder: a thread that writes a trace to its file. The reactor hands over framed bytes and
 * never waits: when too many wait already, or the file cannot be written, the recording is over,
 * and the file says so where it can (a LOST record).
 */
#ifndef OUTDIAL_ENGINE_RECORDER_H
#define OUTDIAL_ENGINE_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "traces/trace.h"

enum { RECORDER_WAITING_MAX = 64 << 20 /* bytes */ };

struct recorder;

/* Makes the file (traces/trace.h, trace_file_create) with its header, and starts the thread with
 * all signals blocked. *out is the caller's to close. */
int recorder_open(const char *path, const struct trace_header *header, struct recorder **out,
                  struct od_error *error);

/* The same without a thread: what is handed over is written before recorder_append returns. For an
 * engine that is stepped by hand. */
int recorder_open_stepped(const char *path, const struct trace_header *header,
                          struct recorder **out, struct od_error *error);

/* Hands over what is in the buffer, whose frame has been closed, and clears it. False: the
 * recording is over. */
bool recorder_append(struct recorder *recorder, struct trace_buffer *buffer);

/* Ends the recording: the file says so behind what has been handed over. */
void recorder_lose(struct recorder *recorder, const char *reason);

/* Why the recording is over; empty while it is not. Lives as long as the recorder. */
struct slice recorder_lost(struct recorder *recorder);

/* Waits until all is written, syncs the file and closes it. NULL is nothing. */
void recorder_close(struct recorder *recorder);

/* For tests: how many bytes may wait; the thread stops writing while `holds`. */
void recorder_set_limit(struct recorder *recorder, size_t waiting_max, bool holds);

#endif
