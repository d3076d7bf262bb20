/* outdialctl: the operator's tool. Command line and dispatch; a command is in outdialctl_NOUN.c.
 *
 * The common options may stand before or behind the command's name: they are the parent parser of
 * each command's own.
 */
#include "cmd/outdialctl.h"

#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/version.h"

#define DEFAULT_URL      "http://127.0.0.1:3000"
#define DEFAULT_DATA_DIR "data"
#define OPTION_GROUP     10 /* the common options come last */

enum {
    OPTION_URL = 0x100,
    OPTION_CA_FILE,
    OPTION_KEY,
    OPTION_KEY_FILE,
    OPTION_ORGANISATION,
    OPTION_DATA_DIR,
    OPTION_JSON,
};

static const struct ctl_command commands[] = {
    {"keys", "create|list|delete", "API keys", command_keys},
    {"org", "create|list|show|update", "organisations", command_org},
    {"import", "FILE.csv", "contacts from a CSV file", command_import},
    {"launch", "PROGRAM", "starts an execution of a program", command_launch},
    {"watch", "[EXECUTION]", "live progress of one, or of all", command_watch},
    {"pause", "EXECUTION...", "takes no new contact", command_pause},
    {"resume", "EXECUTION...", "goes on", command_resume},
    {"cancel", "EXECUTION...", "ends it: pending contacts are skipped", command_cancel},
    {"api", "METHOD PATH [BODY]", "any request of the API", command_api},
    {"backup", "FILE", "consistent copy of a store in use", command_backup},
    {"check", "", "proves the invariants of the store", command_check},
    {NULL, NULL, NULL, NULL},
};

static const char exit_statuses[] =
    "Exit status: 0 done; 1 it failed, or `check` or `import` found something; 2 wrong usage; "
    "3 the execution that was watched was stopped or cancelled; 4 no answer from the daemon; "
    "5 refused by the API.";

const char *argp_program_version = "outdialctl " OUTDIAL_VERSION;

/* ---- what commands share ---- */

const char *ctl_data_dir(const struct ctl *ctl)
{
    return ctl->data_dir != NULL ? ctl->data_dir : DEFAULT_DATA_DIR;
}

int ctl_fail(const struct ctl *ctl, enum ctl_status status, const char *format, ...)
{
    static const char *const names[] = {"ok", "failed", "usage", "ended", "unreachable", "refused"};
    struct buf text;
    char message[1024];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    buf_init(&text);
    if (ctl->is_json) {
        json_t *json =
            json_pack("{s:s, s:o}", "error", names[status], "message", ctl_json_text(message));
        char *line = json_dumps(json, JSON_COMPACT);

        OD_CHECK(line != NULL && buf_printf(&text, "%s\n", line) == 0);
        free(line);
        json_decref(json);
    } else {
        OD_CHECK(buf_append_text(&text, "outdialctl: ") == 0);
        ctl_append_clean(&text, message);
        OD_CHECK(buf_append_byte(&text, '\n') == 0);
    }
    ctl_write(2, &text);
    buf_deinit(&text);
    return (int)status;
}

int ctl_take_word(struct argp_state *state, char *word, char **words, size_t max, size_t *count)
{
    if (*count >= max) {
        argp_error(state, "too many arguments: %s", word); /* NOLINT(concurrency-mt-unsafe) */
        return EINVAL;
    }
    words[(*count)++] = word;
    return 0;
}

/* ---- the command line ---- */

static const struct argp_option common_options[] = {
    {NULL, 0, NULL, 0, "Common options:", OPTION_GROUP},
    {"url", OPTION_URL, "URL", 0, "address of the daemon ($OUTDIAL_URL; " DEFAULT_URL ")",
     OPTION_GROUP},
    {"ca-file", OPTION_CA_FILE, "FILE", 0,
     "certificates that an https address may have ($OUTDIAL_CA_FILE; those of the system)",
     OPTION_GROUP},
    {"key", OPTION_KEY, "KEY", 0, "API key ($OUTDIAL_KEY; other users of the machine see options)",
     OPTION_GROUP},
    {"key-file", OPTION_KEY_FILE, "FILE", 0, "file whose first line is the API key", OPTION_GROUP},
    {"organization", OPTION_ORGANISATION, "ID", 0,
     "organisation that an admin key acts for ($OUTDIAL_ORGANIZATION)", OPTION_GROUP},
    {"data-dir", OPTION_DATA_DIR, "DIR", 0,
     "the daemon's data folder: the store of `backup` and `check`, and the admin key of the others "
     "when no key is given (" DEFAULT_DATA_DIR ")",
     OPTION_GROUP},
    {"json", OPTION_JSON, NULL, 0, "print JSON, and nothing else", OPTION_GROUP},
    {0},
};

static bool take_common(struct ctl *ctl, int key, const char *argument)
{
    switch (key) {
    case OPTION_URL: ctl->url = argument; return true;
    case OPTION_CA_FILE: ctl->ca_file = argument; return true;
    case OPTION_KEY: ctl->key = argument; return true;
    case OPTION_KEY_FILE: ctl->key_file = argument; return true;
    case OPTION_ORGANISATION:
        ctl->organisation = argument;
        ctl->names_organisation = true;
        return true;
    case OPTION_DATA_DIR: ctl->data_dir = argument; return true;
    case OPTION_JSON: ctl->is_json = true; return true;
    default: return false;
    }
}

struct parse {
    struct ctl *ctl;
    void *input; /* of the command's own parser */
};

static error_t on_command_option(int key, char *argument, struct argp_state *state)
{
    struct parse *parse = state->input;

    if (key == ARGP_KEY_INIT) {
        state->child_inputs[0] = parse->input;
        return 0;
    }
    return take_common(parse->ctl, key, argument) ? 0 : ARGP_ERR_UNKNOWN;
}

void ctl_parse(struct ctl *ctl, const struct argp *own, void *input, int argc, char **argv)
{
    const struct argp_child children[] = {{own, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .options = common_options, .parser = on_command_option, .children = children};
    struct parse parse = {.ctl = ctl, .input = input};

    /* NOLINTNEXTLINE(concurrency-mt-unsafe) */
    if (argp_parse(&argp, argc, argv, 0, NULL, &parse) != 0) {
        exit(CTL_USAGE); /* NOLINT(concurrency-mt-unsafe) */
    }
}

struct choice {
    struct ctl *ctl;
    const struct ctl_command *command;
    int first; /* where the command's name stands */
};

/* Up to the command's name; the rest is the command's own. */
static error_t on_option(int key, char *argument, struct argp_state *state)
{
    struct choice *choice = state->input;

    if (key == ARGP_KEY_ARG) {
        for (const struct ctl_command *c = commands; c->name != NULL; c++) {
            if (strcmp(c->name, argument) == 0) {
                choice->command = c;
            }
        }
        if (choice->command == NULL) {
            /* NOLINTNEXTLINE(concurrency-mt-unsafe) */
            argp_error(state, "there is no command \"%s\"", argument);
        }
        choice->first = state->next - 1;
        state->next = state->argc;
        return 0;
    }
    if (key == ARGP_KEY_NO_ARGS) {
        argp_state_help(state, stderr, ARGP_HELP_STD_ERR); /* NOLINT(concurrency-mt-unsafe) */
    }
    return take_common(choice->ctl, key, argument) ? 0 : ARGP_ERR_UNKNOWN;
}

/* The text of --help, with a NUL. */
static void print_doc(struct buf *out)
{
    OD_CHECK(buf_append_text(out, "Operates outdial, the outbound dialling engine.\v"
                                  "Commands, each with a --help of its own:\n") == 0);
    for (const struct ctl_command *c = commands; c->name != NULL; c++) {
        char usage[64];

        (void)snprintf(usage, sizeof(usage), "%s %s", c->name, c->synopsis);
        OD_CHECK(buf_printf(out, "  %-30s %s\n", usage, c->summary) == 0);
    }
    OD_CHECK(buf_printf(out, "\n%s", exit_statuses) == 0);
    OD_CHECK(buf_append_byte(out, '\0') == 0);
}

static int run_command(struct ctl *ctl, const struct ctl_command *command, int argc, char **argv)
{
    char name[64];
    int status;

    (void)snprintf(name, sizeof(name), "outdialctl %s", command->name);
    argv[0] = name;
    status = command->run(ctl, argc, argv);
    ctl_http_close(ctl);
    return status;
}

int main(int argc, char **argv)
{
    struct ctl ctl = {.url = DEFAULT_URL,
                      .stream_type = "text/csv",
                      .ca_file = ctl_environment("OUTDIAL_CA_FILE"),
                      .organisation = ctl_environment("OUTDIAL_ORGANIZATION")};
    struct choice choice = {.ctl = &ctl};
    struct argp argp = {
        .options = common_options, .parser = on_option, .args_doc = "COMMAND [ARGUMENT...]"};
    const char *url = ctl_environment("OUTDIAL_URL");
    struct buf doc;
    int status;

    (void)setlocale(LC_ALL, ""); /* NOLINT(concurrency-mt-unsafe): there is one thread */
    (void)signal(SIGPIPE, SIG_DFL);
    ctl.url = url != NULL ? url : ctl.url;
    buf_init(&doc);
    print_doc(&doc);
    argp.doc = doc.data;
    argp_err_exit_status = CTL_USAGE;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe) */
    status = argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &choice);
    buf_deinit(&doc);
    if (status != 0 || choice.command == NULL) {
        return CTL_USAGE;
    }
    return run_command(&ctl, choice.command, argc - choice.first, argv + choice.first);
}
