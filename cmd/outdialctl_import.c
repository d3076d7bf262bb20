/* outdialctl import: contacts from a CSV file, or from one of NDJSON, which goes out as it is.
 *
 * 1. The header says what the columns are; the audience is found, or made.
 * 2. Its rows, as CSV with commas and without the columns that are ignored, go out in one request
 *    (POST /api/contacts/import) as fast as the daemon takes them.
 * 3. Bad rows are reported, good ones are kept (outdialctl_import_report.c).
 * Doing it again is harmless: contacts are matched by their number.
 */
#include "cmd/outdialctl_import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/check.h"

#define PIECE_BYTES 16384 /* of the file, read at once */

enum {
    OPTION_AUDIENCE = 'a',
    OPTION_DELIMITER = 'd',
    OPTION_IGNORE_UNKNOWN = 0x200,
    OPTION_NDJSON
};

static const struct argp_option options[] = {
    {"audience", OPTION_AUDIENCE, "NAME|ID", 0,
     "add the contacts to this audience, which is made when the name is new", 0},
    {"delimiter", OPTION_DELIMITER, "CHARACTER", 0, "between cells (,)", 0},
    {"ignore-unknown", OPTION_IGNORE_UNKNOWN, NULL, 0,
     "pass over columns that contacts do not have", 0},
    {"ndjson", OPTION_NDJSON, NULL, 0,
     "FILE has a JSON object a line, as one whose name ends with .ndjson or .jsonl", 0},
    {0},
};

static error_t on_option(int key, char *argument, struct argp_state *state)
{
    struct import_input *input = state->input;

    switch (key) {
    case OPTION_AUDIENCE: input->audience = argument; return 0;
    case OPTION_DELIMITER:
        if (strlen(argument) != 1 || strchr("\"\r\n", argument[0]) != NULL) {
            /* NOLINTNEXTLINE(concurrency-mt-unsafe) */
            argp_error(state, "--delimiter is one character");
        }
        input->delimiter = argument[0];
        return 0;
    case OPTION_IGNORE_UNKNOWN: input->ignores_unknown = true; return 0;
    case OPTION_NDJSON: input->is_ndjson = true; return 0;
    case ARGP_KEY_ARG: return ctl_take_word(state, argument, input->words, 1, &input->count);
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = options,
    .parser = on_option,
    .args_doc = "FILE.csv|FILE.ndjson",
    .doc = "Creates contacts, or updates those whose number is there already. The file is UTF-8 "
           "(- reads standard input); its first row names the columns: primaryPhone, firstName, "
           "lastName, fullName, primaryEmail, timezone, doNotCall, and custom attributes by their "
           "names. An empty cell changes nothing. NDJSON has an object a line, as the API takes "
           "a contact. Bad rows are reported, and good ones kept; the "
           "exit status is then 1."};

/* ---- rows ---- */

/* An id is asked for before any row goes out: else contacts would be made that join nothing. */
static int check_audience(struct import *import)
{
    json_t *audience;
    int status = ctl_get(import->ctl, &audience, "/api/audiences/%s", import->audience);

    if (status == CTL_OK) {
        json_decref(audience);
    }
    return status;
}

static int find_audience(struct import *import)
{
    const char *word = import->input->audience;
    json_t *body;
    json_t *answer;
    int status;

    if (word == NULL) {
        return CTL_OK;
    }
    status = ctl_find(import->ctl, "/api/audiences", word, import->audience);
    if (status == CTL_OK && ctl_is_id(word)) {
        return check_audience(import);
    }
    if (status != CTL_OK || import->audience[0] != '\0') {
        return status;
    }
    body = json_pack("{s:s}", "name", word);
    if (body == NULL) {
        return ctl_fail(import->ctl, CTL_USAGE, "--audience is not UTF-8");
    }
    status = ctl_post(import->ctl, "/api/audiences", body, &answer);
    json_decref(body);
    if (status == CTL_OK) {
        (void)snprintf(import->audience, CTL_ID_SIZE, "%s", ctl_text(answer, "id"));
        json_decref(answer);
    }
    return status;
}

static bool on_header(struct import *import, const struct csv_row *row)
{
    import->has_header = true;
    if (row->fault != NULL) {
        import->status = ctl_fail(import->ctl, CTL_USAGE, "the header: %s", row->fault);
        return false;
    }
    import->status =
        columns_read(import->ctl, row, import->input->ignores_unknown, &import->columns);
    if (import->status == CTL_OK) {
        import->status = find_audience(import);
    }
    columns_print_header(&import->columns, &import->out);
    return import->status == CTL_OK;
}

static bool on_row(void *context, const struct csv_row *row)
{
    struct import *import = context;
    struct buf fault;

    if (!import->has_header) {
        return on_header(import, row);
    }
    import->rows++;
    if (row->fault != NULL) {
        import_reject(import, row->row, row->line, row->fault);
        return true;
    }
    buf_init(&fault);
    if (columns_print_row(&import->columns, row, &import->out, &fault)) {
        import_note_place(import, row->row, row->line);
    } else {
        OD_CHECK(buf_append_byte(&fault, '\0') == 0);
        import_reject(import, row->row, row->line, fault.data);
    }
    buf_deinit(&fault);
    return true;
}

/* ---- the file ---- */

static void pass_on(struct import *import, const char *piece, size_t size)
{
    for (const char *at = piece; (at = memchr(at, '\n', size - (size_t)(at - piece))) != NULL;
         at++) {
        import->rows++; /* for the bar: the API says in the end how many there are */
    }
    OD_CHECK(buf_append(&import->out, piece, size) == 0);
}

/* Reads a piece of the file; false at its end, or when the import has been given up. */
static bool read_piece(struct import *import)
{
    char piece[PIECE_BYTES];
    size_t size = fread(piece, 1, sizeof(piece), import->file);
    size_t taken;

    if (ferror(import->file) != 0) {
        import->status =
            ctl_fail(import->ctl, CTL_USAGE, "%s: cannot be read", import->input->words[0]);
    }
    if (import->status != CTL_OK) {
        return false;
    }
    if (size == 0) {
        if (!import->input->is_ndjson) {
            csv_end(&import->csv);
        }
        return false;
    }
    if (import->input->is_ndjson) {
        pass_on(import, piece, size);
    }
    for (taken = import->input->is_ndjson ? size : 0; taken < size && import->status == CTL_OK;) {
        taken += csv_feed(&import->csv, piece + taken, size - taken);
    }
    import_show_bar(import);
    return import->status == CTL_OK;
}

/* Fills `out` with rows. Returns how many bytes; 0 at the end of the file. */
static size_t read_rows(void *context, char *out, size_t size)
{
    struct import *import = context;
    size_t left;

    if (import->out_at == import->out.size) {
        bool is_over = false;

        buf_clear(&import->out);
        import->out_at = 0;
        while (import->out.size == 0 && !is_over) {
            is_over = !read_piece(import);
        }
    }
    left = import->out.size - import->out_at;
    size = size < left ? size : left;
    if (size > 0) {
        memcpy(out, import->out.data + import->out_at, size);
    }
    import->out_at += size;
    return import->status == CTL_OK ? size : CTL_STREAM_ABORT;
}

/* Reads until the header has been seen: what it names is looked up before the first row goes out.
 */
static int read_header(struct import *import)
{
    if (import->input->is_ndjson) {
        import->ctl->stream_type = "application/x-ndjson";
        import->status = find_audience(import);
        return import->status;
    }
    while (!import->has_header && read_piece(import)) {
    }
    if (import->status == CTL_OK && !import->has_header) {
        import->status = ctl_fail(import->ctl, CTL_USAGE, "%s: is empty", import->input->words[0]);
    }
    return import->status;
}

static int send_rows(struct import *import)
{
    char path[128] = "/api/contacts/import";
    json_t *answer;
    int status;

    if (import->audience[0] != '\0') {
        (void)snprintf(path, sizeof(path), "/api/contacts/import?audienceId=%s", import->audience);
    }
    status = ctl_stream(import->ctl, path, read_rows, import, &answer);
    if (import->status == CTL_OK) {
        import->status = status;
    }
    if (status == CTL_OK) {
        import_take_answer(import, answer);
        json_decref(answer);
    }
    return import->status;
}

static bool ends_with(const char *name, const char *end)
{
    size_t size = strlen(name), end_size = strlen(end);

    return size > end_size && strcmp(name + size - end_size, end) == 0;
}

static int open_file(struct import *import)
{
    const char *name = import->input->words[0];
    struct stat status;

    import->file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
    if (import->file == NULL) {
        return ctl_fail(import->ctl, CTL_USAGE, "%s: %s", name, strerrordesc_np(errno));
    }
    if (fstat(fileno(import->file), &status) == 0 && S_ISREG(status.st_mode)) {
        import->file_size = status.st_size;
    }
    return CTL_OK;
}

static int run(struct import *import)
{
    int status = open_file(import);

    if (status == CTL_OK) {
        status = read_header(import);
    }
    if (status == CTL_OK) {
        status = send_rows(import);
    }
    if (status == CTL_OK) {
        import_print(import);
    } else {
        import_clear_bar(import);
    }
    if (import->file != NULL && import->file != stdin) {
        (void)fclose(import->file);
    }
    return status;
}

int command_import(struct ctl *ctl, int argc, char **argv)
{
    struct import_input input = {.delimiter = ','};
    struct import *import;
    int status;

    ctl_parse(ctl, &argp, &input, argc, argv);
    if (input.count != 1) {
        return ctl_fail(ctl, CTL_USAGE, "import: which file?");
    }
    input.is_ndjson = input.is_ndjson || ends_with(input.words[0], ".ndjson") ||
                      ends_with(input.words[0], ".jsonl");
    import = calloc(1, sizeof(*import));
    OD_CHECK(import != NULL);
    import->ctl = ctl;
    import->input = &input;
    csv_init(&import->csv, input.delimiter, on_row, import);
    buf_init(&import->out);
    import->begun_at = ctl_mono_ms();
    import->has_bar = !ctl->is_json && ctl_is_terminal(2);
    status = run(import);
    if (status == CTL_OK && import->rejected > 0) {
        status = CTL_FAILED;
    }
    columns_free(&import->columns);
    csv_deinit(&import->csv);
    buf_deinit(&import->out);
    import_free_report(import);
    free(import);
    return status;
}
