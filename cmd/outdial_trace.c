/* outdial-trace: makes, shows and changes traces. Command line and dispatch; a command is in
 * outdial_trace_NAME.c. */
#include "cmd/outdial_trace.h"

#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/version.h"
#include "cmd/outdialctl.h"

#define BAR_COLUMNS     30
#define BAR_INTERVAL_MS 100

static const struct tool_command commands[] = {
    {"gen", "-o FILE", "makes a trace of a world that a seed decides", command_gen},
    {"dump", "FILE", "prints a trace as NDJSON, a record a line", command_dump},
    {"load", "FILE -o FILE", "makes a trace of such NDJSON", command_load},
    {"stat", "FILE", "says what is in a trace", command_stat},
    {"cut", "FILE -o FILE", "takes a part, by time or by execution", command_cut},
    {"merge", "FILE... -o FILE", "puts traces together, by time", command_merge},
    {NULL, NULL, NULL, NULL},
};

static const char exit_statuses[] =
    "Exit status: 0 done; 1 a file cannot be read or written, or the engine has failed; 2 wrong "
    "usage, or what was given is no trace; 3 a trace is damaged or cut off, and what lies before "
    "the damage has been used.";

const char *argp_program_version = "outdial-trace " OUTDIAL_VERSION;

/* ---- what commands share ---- */

int tool_fail(enum tool_status status, const char *format, ...)
{
    struct buf text;
    char message[1024];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    buf_init(&text);
    OD_CHECK(buf_append_text(&text, "outdial-trace: ") == 0);
    ctl_append_clean(&text, message);
    OD_CHECK(buf_append_byte(&text, '\n') == 0);
    ctl_write(2, &text);
    buf_deinit(&text);
    return (int)status;
}

void tool_parse(const struct argp *argp, void *input, int argc, char **argv)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread */
    if (argp_parse(argp, argc, argv, 0, NULL, input) != 0) {
        exit(TOOL_USAGE); /* NOLINT(concurrency-mt-unsafe) */
    }
}

uint64_t tool_number(struct argp_state *state, const char *option, const char *text, uint64_t low,
                     uint64_t high)
{
    uint64_t number = 0;
    bool is_good = text[0] != '\0';

    for (const char *c = text; *c != '\0' && is_good; c++) {
        is_good = *c >= '0' && *c <= '9' && !__builtin_mul_overflow(number, 10, &number) &&
                  !__builtin_add_overflow(number, (uint64_t)(*c - '0'), &number);
    }
    if (!is_good || number < low || number > high) {
        /* NOLINTNEXTLINE(concurrency-mt-unsafe) */
        argp_error(state, "--%s must be a whole number from %llu to %llu", option,
                   (unsigned long long)low, (unsigned long long)high);
    }
    return number;
}

void tool_bar_begin(struct tool_bar *bar)
{
    *bar = (struct tool_bar){.is_shown = ctl_is_terminal(2), .begun_at = ctl_mono_ms()};
}

void tool_bar_draw(struct tool_bar *bar, uint64_t done, uint64_t all, const char *format, ...)
{
    int64_t now = ctl_mono_ms();
    char words[128];
    va_list arguments;
    struct buf out;

    if (!bar->is_shown || now - bar->drawn_at < BAR_INTERVAL_MS) {
        return;
    }
    bar->drawn_at = now;
    va_start(arguments, format);
    (void)vsnprintf(words, sizeof(words), format, arguments);
    va_end(arguments);
    buf_init(&out);
    OD_CHECK(buf_append_text(&out, "\r  ") == 0);
    ctl_bar(&out, BAR_COLUMNS, (int64_t)done, (int64_t)all);
    OD_CHECK(buf_printf(&out, "  %s\033[K", words) == 0);
    ctl_write(2, &out);
    buf_deinit(&out);
}

void tool_bar_end(struct tool_bar *bar)
{
    if (bar->is_shown && bar->drawn_at != 0) {
        (void)fputs("\r\033[K", stderr);
    }
    bar->is_shown = false;
}

/* ---- the command line ---- */

struct choice {
    const struct tool_command *command;
    int first; /* where the command's name stands */
};

static error_t on_option(int key, char *argument, struct argp_state *state)
{
    struct choice *choice = state->input;

    if (key == ARGP_KEY_ARG) {
        for (const struct tool_command *c = commands; c->name != NULL; c++) {
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
    return ARGP_ERR_UNKNOWN;
}

/* The text of --help, with a NUL. */
static void print_doc(struct buf *out)
{
    OD_CHECK(buf_append_text(out, "Makes, shows and changes outdial's traces.\v"
                                  "Commands, each with a --help of its own:\n") == 0);
    for (const struct tool_command *c = commands; c->name != NULL; c++) {
        char usage[64];

        (void)snprintf(usage, sizeof(usage), "%s %s", c->name, c->synopsis);
        OD_CHECK(buf_printf(out, "  %-24s %s\n", usage, c->summary) == 0);
    }
    OD_CHECK(buf_printf(out, "\n%s", exit_statuses) == 0);
    OD_CHECK(buf_append_byte(out, '\0') == 0);
}

int main(int argc, char **argv)
{
    struct choice choice = {.command = NULL};
    struct argp argp = {.parser = on_option, .args_doc = "COMMAND [ARGUMENT...]"};
    char name[64];
    struct buf doc;
    int status;

    (void)setlocale(LC_CTYPE, ""); /* NOLINT(concurrency-mt-unsafe): there is one thread */
    (void)signal(SIGPIPE, SIG_DFL);
    buf_init(&doc);
    print_doc(&doc);
    argp.doc = doc.data;
    argp_err_exit_status = TOOL_USAGE;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe) */
    status = argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &choice);
    buf_deinit(&doc);
    if (status != 0 || choice.command == NULL) {
        return TOOL_USAGE;
    }
    (void)snprintf(name, sizeof(name), "outdial-trace %s", choice.command->name);
    argv[choice.first] = name;
    return choice.command->run(argc - choice.first, argv + choice.first);
}
