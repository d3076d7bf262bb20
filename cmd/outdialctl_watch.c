/* outdialctl watch: live progress.
 *
 * 1. Reads the executions (one, or all that are active), and what the daemon counts, a few times a
 *    second on a terminal, else once a second.
 * 2. On a terminal the lines are drawn over the last ones; elsewhere each reading is a line.
 * 3. Ends with the last execution that is watched.
 */
#include "cmd/outdialctl_watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"

#define TERMINAL_INTERVAL_MS 200
#define LOG_INTERVAL_MS      1000
#define WATCHED_MAX          200
#define MS_PER_S             1000.0

enum { OPTION_INTERVAL = 'i', WORDS_MAX = 1 };

struct watch_input {
    double interval_s; /* 0: the default */
    char *words[WORDS_MAX];
    size_t count;
};

struct watch {
    struct ctl *ctl;
    bool is_terminal;
    bool is_one; /* a single execution, shown in full */
    int64_t interval_ms;
    struct watched *list[WATCHED_MAX];
    size_t count;
    struct watched_daemon daemon;
    int lines; /* drawn the last time */
};

static const struct argp_option options[] = {
    {"interval", OPTION_INTERVAL, "SECONDS", 0, "between two readings (0.2 on a terminal, else 1)",
     0},
    {0},
};

static error_t on_option(int key, char *argument, struct argp_state *state)
{
    struct watch_input *input = state->input;
    char *end;

    switch (key) {
    case OPTION_INTERVAL:
        input->interval_s = strtod(argument, &end);
        if (*end != '\0' || !(input->interval_s >= 0.05 && input->interval_s <= 3600)) {
            /* NOLINTNEXTLINE(concurrency-mt-unsafe) */
            argp_error(state, "--interval: 0.05 to 3600 seconds");
        }
        return 0;
    case ARGP_KEY_ARG:
        return ctl_take_word(state, argument, input->words, WORDS_MAX, &input->count);
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = options,
    .parser = on_option,
    .args_doc = "[EXECUTION]",
    .doc = "Shows how an execution goes on until it has ended, or all that are active until none "
           "is. Calls per second are those of the whole daemon. Ends with 0 when all have "
           "completed, with 3 when one was stopped or cancelled. With --json, and where the output "
           "is no terminal, each reading is a line."};

/* ---- what is watched ---- */

static struct watched *watch_add(struct watch *watch, const char *id)
{
    struct watched *watched;

    for (size_t i = 0; i < watch->count; i++) {
        if (strcmp(watch->list[i]->id, id) == 0) {
            return watch->list[i];
        }
    }
    if (watch->count == WATCHED_MAX) {
        return NULL;
    }
    watched = calloc(1, sizeof(*watched));
    OD_CHECK(watched != NULL);
    (void)snprintf(watched->id, sizeof(watched->id), "%s", id);
    watched->begun_at = ctl_mono_ms();
    watch->list[watch->count++] = watched;
    return watched;
}

static void watch_free(struct watch *watch)
{
    for (size_t i = 0; i < watch->count; i++) {
        json_decref(watch->list[i]->json);
        free(watch->list[i]->name);
        free(watch->list[i]);
    }
}

/* The program's name; without it the id must do. */
static void read_name(struct ctl *ctl, struct watched *watched)
{
    struct buf path;
    struct ctl_request request = {.method = "GET", .is_repeatable = true};
    json_t *program;
    long http_status;

    if (watched->name != NULL || watched->json == NULL) {
        return;
    }
    buf_init(&path);
    OD_CHECK(buf_append_text(&path, "/api/programs/") == 0);
    ctl_encode(&path, ctl_text(watched->json, "programId"));
    OD_CHECK(buf_append_byte(&path, '\0') == 0);
    request.path = path.data;
    if (ctl_try(ctl, &request, &program, &http_status) == CTL_OK) {
        watched->name = strdup(ctl_text(program, "name"));
    }
    json_decref(program);
    buf_deinit(&path);
}

static void take_reading(struct watched *watched, const json_t *json)
{
    json_decref(watched->json);
    watched->json = json_deep_copy(json);
    OD_CHECK(watched->json != NULL);
    rate_add(&watched->done, ctl_mono_ms(), watched_done(watched));
}

static int read_one(struct watch *watch, struct watched *watched)
{
    json_t *json;
    struct buf path;
    int status;

    buf_init(&path);
    ctl_encode(&path, watched->id);
    status = ctl_get(watch->ctl, &json, "/api/program-executions/%.*s", (int)path.size, path.data);
    buf_deinit(&path);
    if (status == CTL_OK) {
        take_reading(watched, json);
        json_decref(json);
        read_name(watch->ctl, watched);
    }
    return status;
}

static bool on_active(void *context, const json_t *row)
{
    struct watch *watch = context;
    struct watched *watched = watch_add(watch, ctl_text(row, "id"));

    if (watched != NULL) {
        take_reading(watched, row);
        read_name(watch->ctl, watched);
    }
    return true;
}

/* All that are active, and the last of those that no longer are. */
static int read_all(struct watch *watch)
{
    int64_t now = ctl_mono_ms();
    int status = ctl_each(watch->ctl, "/api/program-executions", on_active, watch);

    for (size_t i = 0; i < watch->count && status == CTL_OK; i++) {
        struct watched *watched = watch->list[i];
        unsigned last = (watched->done.next + RATE_SAMPLES - 1) % RATE_SAMPLES;

        if (!watched_has_ended(watched) && watched->done.at[last] < now) {
            status = read_one(watch, watched);
        }
    }
    return status;
}

/* The value of a counter in the text of /metrics; below 0: it is not there. */
static int64_t find_metric(const struct buf *text, const char *name)
{
    size_t size = strlen(name);
    const char *at = text->data;

    while (at != NULL && *at != '\0') {
        if (strncmp(at, name, size) == 0 && at[size] == ' ') {
            return strtoll(at + size + 1, NULL, 10);
        }
        at = strchr(at, '\n');
        at += at != NULL ? 1 : 0;
    }
    return -1;
}

static void read_daemon(struct watch *watch)
{
    struct buf text;

    buf_init(&text);
    if (ctl_get_text(watch->ctl, "/metrics", &text) == CTL_OK) {
        int64_t calls;

        OD_CHECK(buf_append_byte(&text, '\0') == 0);
        calls = find_metric(&text, "outdial_calls_queued_total");
        if (calls >= 0) {
            rate_add(&watch->daemon.calls, ctl_mono_ms(), calls);
        }
    }
    buf_deinit(&text);
}

/* ---- showing ---- */

/* Cuts the lines that are drawn to the terminal: one that wrapped could not be drawn over. */
static void draw(struct watch *watch, struct buf *lines, int count)
{
    struct buf out;
    char *line = lines->data;

    buf_init(&out);
    /* Without wrapping, the terminal itself cuts what is too long. */
    OD_CHECK(buf_append_text(&out, "\033[?7l\r") == 0);
    if (watch->lines > 0) {
        OD_CHECK(buf_printf(&out, "\033[%dA", watch->lines) == 0);
    }
    for (int i = 0; i < count; i++) {
        size_t size = (size_t)(strchr(line, '\n') - line);

        OD_CHECK(buf_printf(&out, "%.*s\033[K\n", (int)size, line) == 0);
        line += size + 1;
    }
    OD_CHECK(buf_append_text(&out, "\033[J\033[?7h") == 0);
    watch->lines = count;
    ctl_write(1, &out);
    buf_deinit(&out);
}

static void show_on_terminal(struct watch *watch)
{
    struct buf lines;
    int columns = ctl_columns(1);
    int count = 0;

    buf_init(&lines);
    for (size_t i = 0; i < watch->count; i++) {
        count += watch->is_one ? watched_show(&lines, watch->list[i], &watch->daemon, columns)
                               : watched_show_row(&lines, watch->list[i], columns);
    }
    OD_CHECK(buf_append_byte(&lines, '\0') == 0);
    draw(watch, &lines, count);
    buf_deinit(&lines);
}

static void show_as_lines(const struct watch *watch, bool is_first)
{
    struct buf lines;

    buf_init(&lines);
    for (size_t i = 0; i < watch->count; i++) {
        const struct watched *watched = watch->list[i];
        unsigned last = (watched->done.next + RATE_SAMPLES - 1) % RATE_SAMPLES;
        bool is_news = is_first || watch->is_one || !watched_has_ended(watched) ||
                       ctl_mono_ms() - watched->done.at[last] < watch->interval_ms / 2;

        if (watch->ctl->is_json && is_news) {
            json_t *json = watched_json(watched, &watch->daemon);

            ctl_print_json(json);
            json_decref(json);
        } else if (is_news) {
            watched_log(&lines, watched, &watch->daemon, !watch->is_one);
        }
    }
    ctl_write(1, &lines);
    buf_deinit(&lines);
}

/* ---- the loop ---- */

static bool is_over(const struct watch *watch)
{
    for (size_t i = 0; i < watch->count; i++) {
        if (!watched_has_ended(watch->list[i])) {
            return false;
        }
    }
    return true;
}

static int result(const struct watch *watch)
{
    for (size_t i = 0; i < watch->count; i++) {
        if (!watched_has_completed(watch->list[i])) {
            return CTL_ENDED;
        }
    }
    return CTL_OK;
}

static int run(struct watch *watch)
{
    bool is_first = true;

    for (;;) {
        int64_t begun = ctl_mono_ms();
        int64_t rest;
        int status = watch->is_one ? read_one(watch, watch->list[0]) : read_all(watch);

        if (status != CTL_OK) {
            return status;
        }
        read_daemon(watch);
        if (watch->is_terminal) {
            show_on_terminal(watch);
        } else {
            show_as_lines(watch, is_first);
        }
        if (is_over(watch)) {
            break;
        }
        is_first = false;
        rest = watch->interval_ms - (ctl_mono_ms() - begun);
        if (rest > 0) {
            ctl_sleep_ms(rest);
        }
    }
    if (watch->count == 0 && !watch->ctl->is_json) {
        (void)printf("no execution is active\n");
    }
    return result(watch);
}

static int watch_run(struct ctl *ctl, const char *execution_id, double interval_s)
{
    struct watch watch = {.ctl = ctl, .is_one = execution_id != NULL};
    int status;

    watch.is_terminal = !ctl->is_json && ctl_is_terminal(1);
    watch.interval_ms = interval_s > 0      ? (int64_t)(interval_s * MS_PER_S)
                        : watch.is_terminal ? TERMINAL_INTERVAL_MS
                                            : LOG_INTERVAL_MS;
    if (execution_id != NULL) {
        (void)watch_add(&watch, execution_id);
    }
    status = run(&watch);
    watch_free(&watch);
    return status;
}

int ctl_watch(struct ctl *ctl, const char *execution_id)
{
    return watch_run(ctl, execution_id, 0);
}

int command_watch(struct ctl *ctl, int argc, char **argv)
{
    struct watch_input input = {0};

    ctl_parse(ctl, &argp, &input, argc, argv);
    if (input.count > 0 && !ctl_is_id(input.words[0])) {
        return ctl_fail(ctl, CTL_USAGE, "watch: \"%s\" is no id of an execution", input.words[0]);
    }
    return watch_run(ctl, input.count > 0 ? input.words[0] : NULL, input.interval_s);
}
