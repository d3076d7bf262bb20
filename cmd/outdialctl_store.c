/* outdialctl backup and check: the store itself, without the daemon. */
#include "cmd/outdialctl.h"

#include <signal.h>
#include <stdio.h>

#include "base/check.h"
#include "storage/backup.h"
#include "storage/check.h"

#define BAR_COLUMNS     30
#define BAR_INTERVAL_MS 100

struct store_input {
    char *words[1];
    size_t count;
};

static error_t on_option(int key, char *argument, struct argp_state *state)
{
    struct store_input *input = state->input;

    if (key == ARGP_KEY_ARG) {
        return ctl_take_word(state, argument, input->words, 1, &input->count);
    }
    return ARGP_ERR_UNKNOWN;
}

/* ---- check ---- */

struct check_run {
    struct ctl *ctl;
    json_t *findings; /* with --json */
    bool has_bar;
    int64_t shown_at;
    uint64_t rows;
};

static void clear_bar(const struct check_run *run)
{
    if (run->has_bar) {
        (void)fputs("\r\033[K", stderr);
    }
}

static void on_finding(void *context, const char *text)
{
    struct check_run *run = context;
    struct buf clean;

    buf_init(&clean);
    ctl_append_clean(&clean, text);
    if (run->findings != NULL) {
        OD_CHECK(json_array_append_new(run->findings, ctl_json_text(text)) == 0);
    } else {
        clear_bar(run);
        (void)printf("%.*s\n", SLICE_ARGS(buf_slice(&clean)));
        (void)fflush(stdout);
    }
    buf_deinit(&clean);
}

static void on_progress(void *context, uint64_t rows, uint64_t rows_in_all)
{
    struct check_run *run = context;
    int64_t now = ctl_mono_ms();
    struct buf out;

    run->rows = rows;
    if (!run->has_bar || now - run->shown_at < BAR_INTERVAL_MS) {
        return;
    }
    run->shown_at = now;
    buf_init(&out);
    OD_CHECK(buf_append_text(&out, "\r  ") == 0);
    ctl_bar(&out, BAR_COLUMNS, (int64_t)rows, (int64_t)rows_in_all);
    OD_CHECK(buf_printf(&out, "  %s of", CTL_NUMBER(rows)) == 0);
    OD_CHECK(buf_printf(&out, " %s rows\033[K", CTL_NUMBER(rows_in_all)) == 0);
    ctl_write(2, &out);
    buf_deinit(&out);
}

static void print_result(const struct check_run *run, uint64_t findings, int64_t ms)
{
    if (run->findings != NULL) {
        json_t *json =
            json_pack("{s:I, s:O}", "count", (json_int_t)findings, "findings", run->findings);

        OD_CHECK(json != NULL);
        ctl_print_json(json);
        json_decref(json);
        return;
    }
    clear_bar(run);
    if (findings > CHECK_TOLD_MAX) {
        (void)printf("… and %s more\n", CTL_NUMBER(findings - CHECK_TOLD_MAX));
    }
    if (findings == 0) {
        (void)printf("nothing found");
    } else {
        (void)printf("%s finding%s", CTL_NUMBER(findings), findings == 1 ? "" : "s");
    }
    (void)printf(", %s rows in %.1f s\n", CTL_NUMBER(run->rows), (double)ms / 1000.0);
}

static const struct argp check_argp = {
    .parser = on_option,
    .args_doc = "",
    .doc = "Reads every row of the store in the data folder and proves that it is sound and that "
           "the rows agree: the counters of each execution with its contacts, each index with what "
           "it points to. Prints a line for each finding, and ends with 1 if there is any. Works "
           "beside a running daemon; it needs the right to read the folder, and no key."};

int command_check(struct ctl *ctl, int argc, char **argv)
{
    struct store_input input = {.count = 0};
    struct check_run run = {.ctl = ctl};
    const struct check_listener listener = {
        .context = &run, .on_finding = on_finding, .on_progress = on_progress};
    struct od_error error;
    uint64_t findings = 0;
    int64_t begun_at = ctl_mono_ms();
    int code;

    ctl_parse(ctl, &check_argp, &input, argc, argv);
    if (input.count > 0) {
        return ctl_fail(ctl, CTL_USAGE, "check: takes --data-dir and no other argument");
    }
    run.has_bar = !ctl->is_json && ctl_is_terminal(2);
    run.findings = ctl->is_json ? json_array() : NULL;
    code = check_run(ctl_data_dir(ctl), &listener, &findings, &error);
    if (code == 0) {
        print_result(&run, findings, ctl_mono_ms() - begun_at);
    } else {
        clear_bar(&run);
        (void)ctl_fail(ctl, CTL_FAILED, "%s", error.text);
    }
    json_decref(run.findings);
    return code == 0 && findings == 0 ? CTL_OK : CTL_FAILED;
}

/* ---- backup ---- */

static const struct argp backup_argp = {
    .parser = on_option,
    .args_doc = "FILE",
    .doc = "Copies the store in the data folder to FILE, or into a folder; nothing is overwritten. "
           "The copy is one committed state, also beside a running daemon. It holds phone numbers "
           "and names, so only its owner may read it. To restore: docs/operations.md."};

int command_backup(struct ctl *ctl, int argc, char **argv)
{
    struct store_input input = {.count = 0};
    struct backup backup;
    struct od_error error;
    json_t *json;

    ctl_parse(ctl, &backup_argp, &input, argc, argv);
    if (input.count != 1) {
        return ctl_fail(ctl, CTL_USAGE, "backup: into which file?");
    }
    /* Past a limit of the file's size a write fails then, as on a full disk. */
    (void)signal(SIGXFSZ, SIG_IGN);
    if (backup_run(ctl_data_dir(ctl), input.words[0], ctl_now_ms(), &backup, &error) != 0) {
        return ctl_fail(ctl, CTL_FAILED, "%s", error.text);
    }
    if (!ctl->is_json) {
        (void)printf("%s: %s bytes\n", backup.path, CTL_NUMBER(backup.bytes));
        return CTL_OK;
    }
    json = json_pack("{s:o, s:I, s:b}", "path", ctl_json_text(backup.path), "bytes",
                     (json_int_t)backup.bytes, "isCompact", backup.is_compact);
    OD_CHECK(json != NULL);
    ctl_print_json(json);
    json_decref(json);
    return CTL_OK;
}
