/* outdial-trace: the parts that its commands share. */
#ifndef OUTDIAL_CMD_OUTDIAL_TRACE_H
#define OUTDIAL_CMD_OUTDIAL_TRACE_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* Exit statuses; --help, the man page and docs/traces.md list them. */
enum tool_status {
    TOOL_OK = 0,
    TOOL_FAILED = 1,  /* a file cannot be read or written, or the engine has failed */
    TOOL_USAGE = 2,   /* wrong usage, or text that is no trace */
    TOOL_DAMAGED = 3, /* a trace is damaged or cut off: what lies before it has been used */
};

enum {
    TOOL_OPTION_JSON = 0x100,
    TOOL_OPTION_OUTPUT = 'o',
};

struct tool_command {
    const char *name;
    const char *synopsis;
    const char *summary;
    int (*run)(int argc, char **argv);
};

int command_gen(int argc, char **argv);
int command_dump(int argc, char **argv);
int command_load(int argc, char **argv);
int command_stat(int argc, char **argv);
int command_cut(int argc, char **argv);
int command_merge(int argc, char **argv);

/* Parses a command's arguments. Ends the process with TOOL_USAGE for wrong ones. */
void tool_parse(const struct argp *argp, void *input, int argc, char **argv);

/* A whole number from `low` to `high`, or argp's error. */
uint64_t tool_number(struct argp_state *state, const char *option, const char *text, uint64_t low,
                     uint64_t high);

/* Prints "outdial-trace: …" to standard error and returns `status`. */
int tool_fail(enum tool_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- progress, on a terminal only, at most ten times a second ---- */

struct tool_bar {
    bool is_shown;
    int64_t drawn_at, begun_at;
};

void tool_bar_begin(struct tool_bar *bar);

/* Draws the bar, with what there is to say behind it. */
void tool_bar_draw(struct tool_bar *bar, uint64_t done, uint64_t all, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void tool_bar_end(struct tool_bar *bar);

#endif
