/* Reading and writing traces for the commands: what goes wrong is printed here. */
#ifndef OUTDIAL_CMD_OUTDIAL_TRACE_IO_H
#define OUTDIAL_CMD_OUTDIAL_TRACE_IO_H

#include "cmd/outdial_trace.h"
#include "traces/trace.h"

/* ---- reading, with a bar ---- */

struct trace_input {
    const char *path;
    struct trace_reader *reader;
    struct tool_bar bar;
    uint64_t records;
    int status; /* of the command, when the reading ends: TOOL_OK, or why it ended early */
};

/* TOOL_OK, or the status of a failure that has been printed. */
int input_open(struct trace_input *input, const char *path);
void input_close(struct trace_input *input);

/* The next record, borrowed until the next call. False: there is none, and `status` is set. */
bool input_next(struct trace_input *input, struct trace_record *out);

/* ---- writing ---- */

struct trace_output {
    const char *path;
    int fd;
    struct trace_buffer buffer;
    int status; /* TOOL_FAILED once a write has failed; nothing more is written */
};

/* Makes the file, which must not exist. TOOL_OK or the status of a failure. */
int output_open(struct trace_output *output, const char *path, const struct trace_header *header);

void output_put(struct trace_output *output, const struct trace_record *record);

/* A record as ndjson_pack makes it. */
void output_put_packed(struct trace_output *output, struct slice record);

/* Writes the rest. With a status that is neither TOOL_OK nor TOOL_DAMAGED the file is removed.
 * Returns the status of the command: that of the writing when it failed, else `status`. */
int output_close(struct trace_output *output, int status);

/* Says how many messages were written where. Returns TOOL_OK, or TOOL_FAILED. */
int output_tell(const char *path, uint64_t messages, bool is_json);

/* ---- what commands that read one trace and write another take ---- */

struct path_input {
    const char *path, *output;
};

/* For ARGP_KEY_ARG and 'o'; false: neither. */
bool path_parse(struct path_input *input, int key, char *argument, struct argp_state *state);

extern const struct argp_option output_options[];

#endif
