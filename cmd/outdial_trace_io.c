#include "cmd/outdial_trace_io.h"

#include <stdio.h>
#include <unistd.h>

#include "base/check.h"
#include "cmd/outdialctl.h"

const struct argp_option output_options[] = {
    {"output", TOOL_OPTION_OUTPUT, "FILE", 0, "write FILE, which must not be there yet", 0},
    {0},
};

bool path_parse(struct path_input *input, int key, char *argument, struct argp_state *state)
{
    if (key == TOOL_OPTION_OUTPUT) {
        input->output = argument;
        return true;
    }
    if (key != ARGP_KEY_ARG) {
        return false;
    }
    if (input->path != NULL) {
        argp_error(state, "too many arguments: %s", argument); /* NOLINT(concurrency-mt-unsafe) */
    }
    input->path = argument;
    return true;
}

/* ---- reading ---- */

static int status_of(int code)
{
    return code == OD_ECORRUPT || code == OD_EVERSION ? TOOL_USAGE : TOOL_FAILED;
}

int input_open(struct trace_input *input, const char *path)
{
    struct od_error error;
    int code;

    *input = (struct trace_input){.path = path};
    code = trace_reader_open(path, &input->reader, &error);
    if (code != 0) {
        return tool_fail((enum tool_status)status_of(code), "%s", error.text);
    }
    tool_bar_begin(&input->bar);
    return TOOL_OK;
}

void input_close(struct trace_input *input)
{
    tool_bar_end(&input->bar);
    trace_reader_close(input->reader);
    input->reader = NULL;
}

bool input_next(struct trace_input *input, struct trace_record *out)
{
    struct od_error error;
    int code = trace_reader_next(input->reader, out, &error);

    if (code == 0) {
        input->records++;
        tool_bar_draw(&input->bar, trace_reader_at(input->reader), trace_reader_size(input->reader),
                      "%s records", CTL_NUMBER(input->records));
        return true;
    }
    tool_bar_end(&input->bar);
    if (code == OD_ECORRUPT) {
        input->status = tool_fail(TOOL_DAMAGED, "%s: %s; %s records before it were read",
                                  input->path, error.text, CTL_NUMBER(input->records));
    } else if (code != OD_ENOTFOUND) {
        input->status = tool_fail(TOOL_FAILED, "%s: %s", input->path, error.text);
    }
    return false;
}

/* ---- writing ---- */

int output_open(struct trace_output *output, const char *path, const struct trace_header *header)
{
    struct od_error error;
    int code;

    *output = (struct trace_output){.path = path};
    trace_buffer_init(&output->buffer);
    code = trace_file_create(path, &output->fd, &error);
    if (code != 0) {
        return tool_fail(code == OD_EINVAL ? TOOL_USAGE : TOOL_FAILED, "%s", error.text);
    }
    trace_put_header(&output->buffer, header);
    return TOOL_OK;
}

static void flush(struct trace_output *output)
{
    struct od_error error;

    if (trace_frame_is_too_long(&output->buffer)) {
        output->status = output->status == TOOL_OK
                             ? tool_fail(TOOL_FAILED, "%s: a record is too long", output->path)
                             : output->status;
    } else {
        trace_close_frame(&output->buffer);
    }
    if (output->status == TOOL_OK &&
        trace_file_write(output->fd, buf_slice(&output->buffer.bytes), &error) != 0) {
        output->status = tool_fail(TOOL_FAILED, "%s: %s", output->path, error.text);
    }
    trace_buffer_clear(&output->buffer);
}

static void flush_when_full(struct trace_output *output)
{
    if (output->buffer.bytes.size >= TRACE_FRAME_BYTES) {
        flush(output);
    }
}

void output_put(struct trace_output *output, const struct trace_record *record)
{
    trace_put(&output->buffer, record, NULL);
    flush_when_full(output);
}

void output_put_packed(struct trace_output *output, struct slice record)
{
    trace_put_packed(&output->buffer, record);
    flush_when_full(output);
}

int output_close(struct trace_output *output, int status)
{
    flush(output);
    if (close(output->fd) != 0 && output->status == TOOL_OK) {
        output->status = tool_fail(TOOL_FAILED, "%s: the file cannot be closed", output->path);
    }
    trace_buffer_deinit(&output->buffer);
    status = output->status != TOOL_OK ? output->status : status;
    if (status != TOOL_OK && status != TOOL_DAMAGED) {
        (void)unlink(output->path);
    }
    return status;
}

int output_tell(const char *path, uint64_t messages, bool is_json)
{
    if (is_json) {
        json_t *json =
            json_pack("{s:o, s:I}", "file", ctl_json_text(path), "messages", (json_int_t)messages);

        OD_CHECK(json != NULL);
        ctl_print_json(json);
        json_decref(json);
    } else {
        (void)printf("%s messages: %s\n", CTL_NUMBER(messages), path);
    }
    return fflush(stdout) == 0 ? TOOL_OK : tool_fail(TOOL_FAILED, "the output cannot be written");
}
