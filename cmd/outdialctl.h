/* outdialctl: the parts that its commands share.
 *
 * A command parses its own arguments (ctl_parse), talks to the daemon (ctl_send) and returns the
 * exit status. With --json a command prints JSON and nothing else to standard output.
 */
#ifndef OUTDIAL_CMD_OUTDIALCTL_H
#define OUTDIAL_CMD_OUTDIALCTL_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/error.h"

/* Exit statuses; --help and docs/operations.md list them. */
enum ctl_status {
    CTL_OK = 0,
    CTL_FAILED = 1,      /* it failed here, or something was found */
    CTL_USAGE = 2,       /* the command line or its input is wrong */
    CTL_ENDED = 3,       /* the execution ended otherwise than by completion */
    CTL_UNREACHABLE = 4, /* no answer from the daemon */
    CTL_REFUSED = 5,     /* the API refused the request */
};

struct ctl_http;

/* The common options, and the connection. Texts are borrowed from the command line. */
struct ctl {
    const char *url;
    const char *ca_file;        /* certificates to trust; NULL: those of the system */
    const char *key, *key_file; /* NULL: not given */
    const char *organisation;   /* an id; NULL: the key's own */
    bool names_organisation;    /* by an option, not by the environment */
    const char *data_dir;       /* NULL: not given */
    bool is_json;
    const char *stream_type; /* Content-Type of ctl_stream; before the first request */
    struct ctl_http *http;   /* made by the first request */
};

struct ctl_command {
    const char *name;
    const char *synopsis; /* of its arguments, for the list of commands */
    const char *summary;
    int (*run)(struct ctl *ctl, int argc, char **argv);
};

int command_keys(struct ctl *ctl, int argc, char **argv);
int command_org(struct ctl *ctl, int argc, char **argv);
int command_import(struct ctl *ctl, int argc, char **argv);
int command_launch(struct ctl *ctl, int argc, char **argv);
int command_watch(struct ctl *ctl, int argc, char **argv);
int command_pause(struct ctl *ctl, int argc, char **argv);
int command_resume(struct ctl *ctl, int argc, char **argv);
int command_cancel(struct ctl *ctl, int argc, char **argv);
int command_api(struct ctl *ctl, int argc, char **argv);
int command_backup(struct ctl *ctl, int argc, char **argv);
int command_check(struct ctl *ctl, int argc, char **argv);

/* ---- command line (outdialctl.c) ---- */

/* Parses a command's arguments, of which the common options may be a part. `own` is the command's
 * parser, which gets `input`. Ends the process with CTL_USAGE for a wrong one, and after --help. */
void ctl_parse(struct ctl *ctl, const struct argp *own, void *input, int argc, char **argv);

/* Adds a positional argument to those of `words`, up to `max`; for a parser's ARGP_KEY_ARG. */
int ctl_take_word(struct argp_state *state, char *word, char **words, size_t max, size_t *count);

/* Prints "outdialctl: …" to standard error (with --json: {"error": …, "message": …}) and returns
 * `status`. */
int ctl_fail(const struct ctl *ctl, enum ctl_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The data folder of the commands that need one. */
const char *ctl_data_dir(const struct ctl *ctl);

/* ---- the API (outdialctl_http.c) ---- */

struct ctl_request {
    const char *method;
    const char *path;   /* from /api on */
    const json_t *body; /* NULL: none */
    bool is_repeatable; /* doing it twice is as good as once: may be sent again */
};

/* Sends a request. CTL_OK: *answer is the caller's (NULL after 204, or where `answer` is NULL).
 * Otherwise the reason has been printed. */
int ctl_send(struct ctl *ctl, const struct ctl_request *request, json_t **answer);

/* The same, but a refusal is not printed: CTL_REFUSED with the error's body in *answer and the HTTP
 * status in *http_status. */
int ctl_try(struct ctl *ctl, const struct ctl_request *request, json_t **answer, long *http_status);

/* Prints a refusal that ctl_try has answered. Returns CTL_REFUSED. */
int ctl_print_refusal(const struct ctl *ctl, long http_status, const json_t *body);

/* Shorthands of ctl_send: GET, and a request whose path is formatted. */
int ctl_get(struct ctl *ctl, json_t **answer, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int ctl_post(struct ctl *ctl, const char *path, const json_t *body, json_t **answer);

/* Fills `out` with up to `size` bytes of a body. Returns how many, 0 at its end, or
 * CTL_STREAM_ABORT. */
typedef size_t (*ctl_stream_fn)(void *context, char *out, size_t size);

#define CTL_STREAM_ABORT SIZE_MAX

/* POST of a body of ctl's stream_type that is made while it is sent. CTL_OK: *answer is the
 * caller's. Otherwise the reason has been printed, unless it is that `read` has ended it:
 * CTL_FAILED. */
int ctl_stream(struct ctl *ctl, const char *path, ctl_stream_fn read, void *context,
               json_t **answer);

/* GET of a text that is no JSON, appended to `out`. Prints nothing; may simply fail. */
int ctl_get_text(struct ctl *ctl, const char *path, struct buf *out);

void ctl_http_close(struct ctl *ctl);

/* ---- rows of the API (outdialctl_rows.c) ---- */

/* Calls `each` with every row of a list, page by page. `each` returns false to end the walk. */
typedef bool (*ctl_row_fn)(void *context, const json_t *row);
int ctl_each(struct ctl *ctl, const char *path, ctl_row_fn each, void *context);

enum { CTL_ID_SIZE = 37 };

/* The id of the row of a list that `word` names: itself when it is an id, else that of the only row
 * of that name. CTL_OK with an empty `out`: there is none of that name. */
int ctl_find(struct ctl *ctl, const char *path, const char *word, char out[CTL_ID_SIZE]);

/* Prints a list: with --json as one array, else row by row. */
int ctl_print_list(struct ctl *ctl, const char *path, void (*print)(const json_t *row));

/* Whether the text has the form of an id. */
bool ctl_is_id(const char *word);

/* Appends the text, percent-encoded where a path or query needs it. */
void ctl_encode(struct buf *out, const char *text);

/* ---- watching (outdialctl_watch.c) ---- */

/* Shows the execution until it has ended: CTL_OK when it has completed, CTL_ENDED otherwise. */
int ctl_watch(struct ctl *ctl, const char *execution_id);

/* ---- reaching a daemon (outdialctl_reach.c, which outdial-replay has as well) ---- */

enum { CTL_KEY_MAX = 512 /* with the NUL */ };

/* Where a key may come from, by rank: a text, the first line of a file, $OUTDIAL_KEY, the admin's
 * in a data folder. NULL: not given. */
struct key_source {
    const char *key, *key_file;
    const char *data_dir;
    bool names_data_dir; /* it was asked for: that there is no key in it is the reason */
};

/* 0, or OD_EINVAL with a reason for people. */
int key_find(const struct key_source *source, char key[CTL_KEY_MAX], struct od_error *error);

/* Whether the address is on this machine. */
bool ctl_is_loopback(const char *url);

/* ---- text (outdialctl_text.c, which outdial-trace and outdial-replay have as well) ---- */

/* The text of an environment variable; NULL: unset or empty. */
const char *ctl_environment(const char *name);

/* Whether people see it, and as UTF-8. */
bool ctl_is_terminal(int fd);
bool ctl_has_utf8(void);

/* Columns of the terminal; 80 where that is not known. */
int ctl_columns(int fd);

/* A number with a comma between thousands: 1,234,567. Valid for the expression that it is in. */
struct ctl_number {
    char text[32];
};

struct ctl_number ctl_number(int64_t number);

/* A duration: 0:07, 12:31, 3:04:05. */
struct ctl_number ctl_duration(int64_t ms);

#define CTL_NUMBER(number) (ctl_number((int64_t)(number)).text)

/* Appends a bar of `columns` columns, `done` of `all` filled. */
void ctl_bar(struct buf *out, int columns, int64_t done, int64_t all);

/* Now: wall clock, and a clock for durations. Milliseconds. */
int64_t ctl_now_ms(void);
int64_t ctl_mono_ms(void);

/* Sleeps; a signal may end it early. */
void ctl_sleep_ms(int64_t ms);

/* Prints JSON on a line. */
void ctl_print_json(const json_t *json);

/* Members of an object; "" and 0 where they are absent or null. */
const char *ctl_text(const json_t *object, const char *name);
int64_t ctl_integer(const json_t *object, const char *name);

/* A text that people read: control characters of what others wrote are replaced by '?'. Appended.
 */
void ctl_append_clean(struct buf *out, const char *text);
void ctl_print_clean(const char *text, int columns); /* cut and padded to columns; 0: as it is */

/* The same as JSON, the caller's. */
json_t *ctl_json_text(const char *text);

/* Writes out what a buf holds, at once, and empties it. */
void ctl_write(int fd, struct buf *out);

#endif
