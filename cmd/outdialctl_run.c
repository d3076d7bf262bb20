/* outdialctl launch, pause, resume and cancel. */
#include "cmd/outdialctl.h"

#include <stdio.h>

#include "base/check.h"

enum { OPTION_WATCH = 'w', EXECUTIONS_MAX = 64 };

/* ---- launch ---- */

struct launch_input {
    bool watches;
    char *words[1];
    size_t count;
};

static const struct argp_option launch_options[] = {
    {"watch", OPTION_WATCH, NULL, 0, "then show its progress until it has ended", 0},
    {0},
};

static error_t on_launch_option(int key, char *argument, struct argp_state *state)
{
    struct launch_input *input = state->input;

    switch (key) {
    case OPTION_WATCH: input->watches = true; return 0;
    case ARGP_KEY_ARG: return ctl_take_word(state, argument, input->words, 1, &input->count);
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp launch_argp = {
    .options = launch_options,
    .parser = on_launch_option,
    .args_doc = "PROGRAM",
    .doc = "Launches a program, named by its id or name, and prints the id of the new execution."};

int command_launch(struct ctl *ctl, int argc, char **argv)
{
    struct launch_input input = {0};
    char id[CTL_ID_SIZE];
    char path[128];
    json_t *answer;
    int status;

    ctl_parse(ctl, &launch_argp, &input, argc, argv);
    if (input.count != 1) {
        return ctl_fail(ctl, CTL_USAGE, "launch: which program?");
    }
    status = ctl_find(ctl, "/api/programs", input.words[0], id);
    if (status != CTL_OK) {
        return status;
    }
    if (id[0] == '\0') {
        return ctl_fail(ctl, CTL_USAGE, "launch: there is no program \"%s\"", input.words[0]);
    }
    (void)snprintf(path, sizeof(path), "/api/programs/%s/launch", id);
    status = ctl_post(ctl, path, NULL, &answer);
    if (status != CTL_OK) {
        return status;
    }
    if (ctl->is_json) {
        ctl_print_json(answer);
    } else {
        (void)puts(ctl_text(answer, "executionId"));
        (void)fflush(stdout);
    }
    (void)snprintf(id, sizeof(id), "%s", ctl_text(answer, "executionId"));
    json_decref(answer);
    return input.watches ? ctl_watch(ctl, id) : CTL_OK;
}

/* ---- pause, resume, cancel ---- */

struct executions_input {
    char *words[EXECUTIONS_MAX];
    size_t count;
};

static error_t on_executions_option(int key, char *argument, struct argp_state *state)
{
    struct executions_input *input = state->input;

    if (key == ARGP_KEY_ARG) {
        return ctl_take_word(state, argument, input->words, EXECUTIONS_MAX, &input->count);
    }
    return ARGP_ERR_UNKNOWN;
}

struct change {
    const char *verb;
    const char *method;
    const char *rest; /* of the path */
    const char *doc;
};

static const struct change pause_change = {
    "pause", "PATCH", "/pause",
    "Pauses executions: no new contact is taken; calls that are queued or under way go on."};
static const struct change resume_change = {"resume", "PATCH", "/resume",
                                            "Lets paused executions go on."};
static const struct change cancel_change = {
    "cancel", "DELETE", "",
    "Cancels executions: pending contacts are skipped at once; calls that are queued or under way "
    "go on to their end and are counted."};

static int change_one(struct ctl *ctl, const struct change *change, const char *id)
{
    struct ctl_request request = {.method = change->method};
    struct buf path;
    json_t *answer = NULL;
    int status;

    buf_init(&path);
    OD_CHECK(buf_append_text(&path, "/api/program-executions/") == 0);
    ctl_encode(&path, id);
    OD_CHECK(buf_append_text(&path, change->rest) == 0 && buf_append_byte(&path, '\0') == 0);
    request.path = path.data;
    /* Cancelling again is answered as the first time; the others would be refused. */
    request.is_repeatable = strcmp(change->method, "DELETE") == 0;
    status = ctl_send(ctl, &request, &answer);
    buf_deinit(&path);
    if (status != CTL_OK) {
        return status;
    }
    if (!ctl->is_json) {
        (void)printf("%s %s\n", id, answer != NULL ? ctl_text(answer, "status") : "cancelled");
    } else if (answer != NULL) {
        ctl_print_json(answer);
    } else {
        (void)printf("{\"id\":\"%s\",\"status\":\"cancelled\"}\n", id);
    }
    json_decref(answer);
    return CTL_OK;
}

/* All of the ids before anything is done: a slip must not leave half of it done. */
static int check_ids(const struct ctl *ctl, const struct change *change,
                     const struct executions_input *input)
{
    int status = CTL_OK;

    if (input->count == 0) {
        return ctl_fail(ctl, CTL_USAGE, "%s: which execution?", change->verb);
    }
    for (size_t i = 0; i < input->count; i++) {
        if (!ctl_is_id(input->words[i])) {
            status = ctl_fail(ctl, CTL_USAGE, "%s: \"%s\" is no id of an execution", change->verb,
                              input->words[i]);
        }
    }
    return status;
}

static int change_all(struct ctl *ctl, const struct change *change, int argc, char **argv)
{
    struct executions_input input = {.count = 0};
    const struct argp argp = {
        .parser = on_executions_option, .args_doc = "EXECUTION...", .doc = change->doc};
    int worst;

    ctl_parse(ctl, &argp, &input, argc, argv);
    worst = check_ids(ctl, change, &input);
    if (worst != CTL_OK) {
        return worst;
    }
    for (size_t i = 0; i < input.count; i++) {
        int status = change_one(ctl, change, input.words[i]);

        worst = status > worst ? status : worst;
        if (status == CTL_UNREACHABLE) {
            break;
        }
    }
    return worst;
}

int command_pause(struct ctl *ctl, int argc, char **argv)
{
    return change_all(ctl, &pause_change, argc, argv);
}

int command_resume(struct ctl *ctl, int argc, char **argv)
{
    return change_all(ctl, &resume_change, argc, argv);
}

int command_cancel(struct ctl *ctl, int argc, char **argv)
{
    return change_all(ctl, &cancel_change, argc, argv);
}
