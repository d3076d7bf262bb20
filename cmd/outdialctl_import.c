/* outdialctl import: contacts from a CSV file.
 *
 * 1. The header says what the columns are; the audience is found, or made.
 * 2. Rows become contacts, and go out in batches (outdialctl_import_batch.c).
 * 3. Bad rows are reported, good ones are kept.
 * Doing it again is harmless: contacts are matched by their number.
 */
#include "cmd/outdialctl_import.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/check.h"

#define ERRORS_SHOWN 100
#define BAR_COLUMNS  30

enum { OPTION_AUDIENCE = 'a', OPTION_DELIMITER = 'd', OPTION_IGNORE_UNKNOWN = 0x200 };

static const struct argp_option options[] = {
    {"audience", OPTION_AUDIENCE, "NAME|ID", 0,
     "add the contacts to this audience, which is made when the name is new", 0},
    {"delimiter", OPTION_DELIMITER, "CHARACTER", 0, "between cells (,)", 0},
    {"ignore-unknown", OPTION_IGNORE_UNKNOWN, NULL, 0,
     "pass over columns that contacts do not have", 0},
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
    case ARGP_KEY_ARG: return ctl_take_word(state, argument, input->words, 1, &input->count);
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = options,
    .parser = on_option,
    .args_doc = "FILE.csv",
    .doc = "Creates contacts, or updates those whose number is there already. The file is UTF-8 "
           "(- reads standard input); its first row names the columns: primaryPhone, firstName, "
           "lastName, fullName, primaryEmail, timezone, doNotCall, and custom attributes by their "
           "names. An empty cell changes nothing. Bad rows are reported, and good ones kept; the "
           "exit status is then 1."};

/* ---- reporting ---- */

void import_clear_bar(const struct import *import)
{
    if (import->has_bar) {
        (void)fputs("\r\033[K", stderr);
    }
}

void import_show_bar(const struct import *import)
{
    int64_t ms = ctl_mono_ms() - import->begun_at;
    int64_t at = import->file_size > 0 ? ftello(import->file) : 0;
    struct buf out;

    if (!import->has_bar) {
        return;
    }
    buf_init(&out);
    OD_CHECK(buf_append_text(&out, "\r  ") == 0);
    if (import->file_size > 0) {
        ctl_bar(&out, BAR_COLUMNS, at, import->file_size);
        OD_CHECK(buf_printf(&out, "  %3" PRId64 " %%", at * 100 / import->file_size) == 0);
    }
    OD_CHECK(buf_printf(&out, "  %s rows", CTL_NUMBER(import->rows)) == 0);
    if (ms > 0) {
        OD_CHECK(buf_printf(&out, "  %s rows/s", CTL_NUMBER((int64_t)import->rows * 1000 / ms)) ==
                 0);
    }
    OD_CHECK(buf_append_text(&out, "\033[K") == 0);
    ctl_write(2, &out);
    buf_deinit(&out);
}

void import_reject(struct import *import, const struct batch_row *row)
{
    import->rejected++;
    if (import->rejected > ERRORS_SHOWN) {
        return;
    }
    OD_CHECK(json_array_append_new(import->errors,
                                   json_pack("{s:I, s:I, s:o}", "row", (json_int_t)row->row, "line",
                                             (json_int_t)row->line, "message",
                                             ctl_json_text(row->fault))) == 0);
    if (!import->ctl->is_json) {
        struct buf text;

        buf_init(&text);
        OD_CHECK(buf_printf(&text, "row %" PRIu64, row->row) == 0);
        if (row->line != row->row) {
            OD_CHECK(buf_printf(&text, " (line %" PRIu64 ")", row->line) == 0);
        }
        OD_CHECK(buf_append_text(&text, ": ") == 0);
        ctl_append_clean(&text, row->fault);
        OD_CHECK(buf_append_byte(&text, '\n') == 0);
        import_clear_bar(import);
        ctl_write(2, &text);
        buf_deinit(&text);
    }
}

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
    return import->status == CTL_OK;
}

static bool on_row(void *context, const struct csv_row *row)
{
    struct import *import = context;
    struct batch_row *out = &import->batch[import->batch_count];
    struct buf fault;

    if (!import->has_header) {
        return on_header(import, row);
    }
    import->rows++;
    buf_init(&fault);
    *out = (struct batch_row){.row = row->row, .line = row->line};
    if (row->fault != NULL) {
        OD_CHECK(buf_append_text(&fault, row->fault) == 0);
    } else {
        out->contact = columns_contact(&import->columns, row, &fault);
    }
    if (out->contact == NULL) {
        OD_CHECK(buf_append_byte(&fault, '\0') == 0);
        out->fault = strdup(fault.data);
        OD_CHECK(out->fault != NULL);
    }
    buf_deinit(&fault);
    import->batch_count++;
    if (import->batch_count == IMPORT_BATCH_MAX) {
        import_flush(import);
    }
    return import->status == CTL_OK;
}

/* ---- the whole ---- */

static void print_summary(const struct import *import)
{
    if (import->ctl->is_json) {
        json_t *json =
            json_pack("{s:I, s:I, s:I, s:I, s:O}", "rows", (json_int_t)import->rows, "created",
                      (json_int_t)import->created, "updated", (json_int_t)import->updated,
                      "rejected", (json_int_t)import->rejected, "errors", import->errors);

        OD_CHECK(json != NULL);
        if (import->audience[0] != '\0') {
            OD_CHECK(json_object_update_new(
                         json, json_pack("{s:s, s:I, s:I}", "audienceId", import->audience, "added",
                                         (json_int_t)import->added, "alreadyPresent",
                                         (json_int_t)import->already_present)) == 0);
        }
        ctl_print_json(json);
        json_decref(json);
        return;
    }
    import_clear_bar(import);
    if (import->rejected > ERRORS_SHOWN) {
        (void)fprintf(stderr, "… and %s more\n", CTL_NUMBER(import->rejected - ERRORS_SHOWN));
    }
    (void)printf("%s row%s:", CTL_NUMBER(import->rows), import->rows == 1 ? "" : "s");
    (void)printf(" %s created,", CTL_NUMBER(import->created));
    (void)printf(" %s updated,", CTL_NUMBER(import->updated));
    (void)printf(" %s rejected", CTL_NUMBER(import->rejected));
    (void)printf(" in %.1f s%s\n", (double)(ctl_mono_ms() - import->begun_at) / 1000.0,
                 import->status == CTL_OK ? "" : ", then given up");
    if (import->audience[0] != '\0') {
        (void)printf("audience %s: %s added,", import->audience, CTL_NUMBER(import->added));
        (void)printf(" %s already there\n", CTL_NUMBER(import->already_present));
    }
}

static int read_file(struct import *import)
{
    const char *name = import->input->words[0];
    struct stat status;
    int error;

    import->file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
    if (import->file == NULL) {
        return ctl_fail(import->ctl, CTL_USAGE, "%s: %s", name, strerrordesc_np(errno));
    }
    if (fstat(fileno(import->file), &status) == 0 && S_ISREG(status.st_mode)) {
        import->file_size = status.st_size;
    }
    error = csv_read(import->file, import->input->delimiter, on_row, import);
    if (import->status == CTL_OK && error != 0) {
        import->status =
            ctl_fail(import->ctl, CTL_USAGE, "%s: %s", name,
                     error == OD_EINVAL ? "is UTF-16: save it as UTF-8" : "cannot be read");
    }
    if (import->status == CTL_OK && !import->has_header) {
        import->status = ctl_fail(import->ctl, CTL_USAGE, "%s: is empty", name);
    }
    import_flush(import);
    if (import->file != stdin) {
        (void)fclose(import->file);
    }
    return import->status;
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
    import = calloc(1, sizeof(*import));
    OD_CHECK(import != NULL);
    import->ctl = ctl;
    import->input = &input;
    import->errors = json_array();
    import->begun_at = ctl_mono_ms();
    import->has_bar = !ctl->is_json && ctl_is_terminal(2);
    status = read_file(import);
    if (status == CTL_OK || import->created + import->updated + import->rejected > 0) {
        print_summary(import);
    }
    if (status == CTL_OK && import->rejected > 0) {
        status = CTL_FAILED;
    }
    columns_free(&import->columns);
    json_decref(import->errors);
    free(import);
    return status;
}
