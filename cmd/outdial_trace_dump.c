/* outdial-trace dump and load: a trace as NDJSON, and the other way. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/check.h"
#include "cmd/outdial_trace_io.h"
#include "cmd/outdialctl.h"
#include "traces/ndjson.h"

enum { DUMP_BYTES = 1 << 16 };

static error_t on_option(int key, char *argument, struct argp_state *state)
{
    return path_parse(state->input, key, argument, state) ? 0 : ARGP_ERR_UNKNOWN;
}

/* ---- dump ---- */

static const struct argp dump_argp = {
    .options = output_options,
    .parser = on_option,
    .args_doc = "TRACE",
    .doc = "Prints a trace as NDJSON, to standard output or to FILE: the header, then a record a "
           "line, "
           "every field by its name. `load` makes a trace of it again."};

/* Writes what there is, and empties it. False: that failed. */
static bool write_lines(FILE *file, struct buf *lines)
{
    bool is_written = fwrite(lines->data, 1, lines->size, file) == lines->size;

    buf_clear(lines);
    return is_written;
}

static int dump_records(struct trace_input *input, FILE *file, const char *name)
{
    struct ndjson *ndjson = ndjson_new();
    struct trace_record record;
    struct buf lines;
    bool is_written = true;

    buf_init(&lines);
    ndjson_print_header(ndjson, trace_reader_header(input->reader), &lines);
    while (is_written && input_next(input, &record)) {
        ndjson_print(ndjson, &record, &lines);
        if (lines.size >= DUMP_BYTES) {
            is_written = write_lines(file, &lines);
        }
    }
    is_written = is_written && write_lines(file, &lines) && fflush(file) == 0;
    buf_deinit(&lines);
    ndjson_free(ndjson);
    return is_written ? input->status
                      : tool_fail(TOOL_FAILED, "%s: %s", name, strerrordesc_np(errno));
}

/* A dump of a raw trace tells numbers and names: only its owner may read it. */
static FILE *make_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, S_IRUSR | S_IWUSR);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;

    return file;
}

static int dump_to(struct trace_input *input, const char *path)
{
    FILE *file = make_file(path);
    int status;

    if (file == NULL) {
        return tool_fail(errno == EEXIST ? TOOL_USAGE : TOOL_FAILED, "%s: %s", path,
                         strerrordesc_np(errno));
    }
    status = dump_records(input, file, path);
    if (fclose(file) != 0 && status == TOOL_OK) {
        status = tool_fail(TOOL_FAILED, "%s: %s", path, strerrordesc_np(errno));
    }
    return status;
}

int command_dump(int argc, char **argv)
{
    struct path_input paths = {.path = NULL};
    struct trace_input input;
    int status;

    tool_parse(&dump_argp, &paths, argc, argv);
    if (paths.path == NULL) {
        return tool_fail(TOOL_USAGE, "which trace? See --help");
    }
    status = input_open(&input, paths.path);
    if (status != TOOL_OK) {
        return status;
    }
    if (paths.output != NULL) {
        status = dump_to(&input, paths.output);
    } else {
        input.bar.is_shown &= !ctl_is_terminal(1);
        status = dump_records(&input, stdout, "the output");
    }
    input_close(&input);
    return status;
}

/* ---- load ---- */

static const struct argp load_argp = {
    .options = output_options,
    .parser = on_option,
    .args_doc = "[NDJSON] -o FILE",
    .doc = "Makes a trace of NDJSON as `dump` prints it, from a file or from standard input."};

struct load {
    const char *path; /* of the NDJSON */
    FILE *file;
    char *line;
    size_t room;
    uint64_t number; /* of the line */
    struct ndjson *ndjson;
};

/* The next line, without its newline. False: there is none. */
static bool next_line(struct load *load, struct slice *out)
{
    ssize_t size = getline(&load->line, &load->room, load->file);

    if (size < 0) {
        return false;
    }
    load->number++;
    if (size > 0 && load->line[size - 1] == '\n') {
        size--;
    }
    *out = slice_make(load->line, (size_t)size);
    return true;
}

static int bad_line(const struct load *load, const char *reason)
{
    return tool_fail(TOOL_USAGE, "%s: line %llu: %s", load->path, (unsigned long long)load->number,
                     reason);
}

static int load_records(struct load *load, struct trace_output *output)
{
    struct od_error error;
    struct buf record;
    struct slice line;
    int status = TOOL_OK;

    buf_init(&record);
    while (status == TOOL_OK && output->status == TOOL_OK && next_line(load, &line)) {
        buf_clear(&record);
        if (ndjson_pack(load->ndjson, line, &record, &error) != 0) {
            status = bad_line(load, error.text);
        } else {
            output_put_packed(output, buf_slice(&record));
        }
    }
    if (status == TOOL_OK && ferror(load->file) != 0) {
        status = tool_fail(TOOL_FAILED, "%s: cannot be read", load->path);
    }
    buf_deinit(&record);
    return status;
}

/* What the fields mean is for the reader of traces to judge: it reads what was made. The n-th
 * record is of line n + 1. */
static int verify(const struct load *load, const char *path)
{
    struct trace_reader *reader;
    struct trace_record record;
    struct od_error error;
    uint64_t records = 0;
    int code = trace_reader_open(path, &reader, &error);

    if (code != 0) {
        return tool_fail(TOOL_USAGE, "%s: line 1: %s", load->path, error.text);
    }
    while ((code = trace_reader_next(reader, &record, &error)) == 0) {
        records++;
    }
    trace_reader_close(reader);
    if (code == OD_ENOTFOUND) {
        return TOOL_OK;
    }
    return tool_fail(TOOL_USAGE, "%s: line %llu: a field has a value that it cannot have",
                     load->path, (unsigned long long)records + 2);
}

static int load_file(struct load *load, const char *path)
{
    struct trace_header header;
    struct trace_output output;
    struct od_error error;
    struct slice line;
    int status;

    if (!next_line(load, &line)) {
        return tool_fail(TOOL_USAGE, "%s: is empty", load->path);
    }
    if (ndjson_read_header(load->ndjson, line, &header, &error) != 0) {
        return bad_line(load, error.text);
    }
    status = output_open(&output, path, &header);
    if (status != TOOL_OK) {
        return status;
    }
    status = output_close(&output, load_records(load, &output));
    if (status != TOOL_OK) {
        return status;
    }
    status = verify(load, path);
    if (status != TOOL_OK) {
        (void)remove(path);
    }
    return status;
}

int command_load(int argc, char **argv)
{
    struct path_input paths = {.path = NULL};
    struct load load = {.path = "standard input"};
    int status;

    tool_parse(&load_argp, &paths, argc, argv);
    if (paths.output == NULL) {
        return tool_fail(TOOL_USAGE, "where to? See --help");
    }
    load.file = stdin;
    if (paths.path != NULL && strcmp(paths.path, "-") != 0) {
        load.path = paths.path;
        load.file = fopen(paths.path, "re");
    }
    if (load.file == NULL) {
        return tool_fail(TOOL_FAILED, "%s: %s", paths.path, strerrordesc_np(errno));
    }
    load.ndjson = ndjson_new();
    status = load_file(&load, paths.output);
    ndjson_free(load.ndjson);
    free(load.line);
    if (load.file != stdin) {
        (void)fclose(load.file);
    }
    return status;
}
