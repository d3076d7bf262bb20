/* outdialctl org: organisations, with an admin key. */
#include "cmd/outdialctl.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"

#define NAME_COLUMNS 32
#define ZONE_COLUMNS 20

enum {
    OPTION_NAME = 'n',
    OPTION_TIMEZONE = 't',
    OPTION_CREDITS = 'c',
    OPTION_MAX_CALLS = 'm',
    OPTION_CALLS_PER_SECOND = 's',
    WORDS_MAX = 2
};

struct org_input {
    json_t *body; /* of create and update, property by property */
    char *words[WORDS_MAX];
    size_t count;
};

static const struct argp_option options[] = {
    {"name", OPTION_NAME, "NAME", 0, "its name", 0},
    {"timezone", OPTION_TIMEZONE, "ZONE", 0, "IANA time zone, such as Africa/Casablanca (UTC)", 0},
    {"credits", OPTION_CREDITS, "N", 0, "balance, or `unlimited` (unlimited)", 0},
    {"max-concurrent-calls", OPTION_MAX_CALLS, "N", 0, "cap, or `none`", 0},
    {"calls-per-second", OPTION_CALLS_PER_SECOND, "RATE", 0, "cap, or `none`", 0},
    {0},
};

/* A number of the command line as JSON, null for `none` and `unlimited`; NULL: it is none. */
static json_t *read_number(const char *text)
{
    char *end;

    if (strcmp(text, "none") == 0 || strcmp(text, "unlimited") == 0) {
        return json_null();
    }
    errno = 0;
    if (strpbrk(text, ".eE") == NULL) {
        long long number = strtoll(text, &end, 10);

        return errno != 0 || end == text || *end != '\0' ? NULL : json_integer(number);
    }
    double real = strtod(text, &end);

    return errno != 0 || end == text || *end != '\0' || !isfinite(real) ? NULL : json_real(real);
}

static error_t add_property(struct argp_state *state, const char *name, json_t *value,
                            const char *argument)
{
    struct org_input *input = state->input;

    if (value == NULL) {
        /* NOLINTNEXTLINE(concurrency-mt-unsafe) */
        argp_error(state, "%s: \"%s\" will not do", name, argument);
        return EINVAL;
    }
    OD_CHECK(json_object_set_new(input->body, name, value) == 0);
    return 0;
}

static error_t on_option(int key, char *argument, struct argp_state *state)
{
    struct org_input *input = state->input;

    switch (key) {
    case OPTION_NAME: return add_property(state, "name", json_string(argument), argument);
    case OPTION_TIMEZONE: return add_property(state, "timezone", json_string(argument), argument);
    case OPTION_CREDITS: return add_property(state, "credits", read_number(argument), argument);
    case OPTION_MAX_CALLS:
        return add_property(state, "maxConcurrentCalls", read_number(argument), argument);
    case OPTION_CALLS_PER_SECOND:
        return add_property(state, "callsPerSecond", read_number(argument), argument);
    case ARGP_KEY_ARG:
        return ctl_take_word(state, argument, input->words, WORDS_MAX, &input->count);
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = options,
    .parser = on_option,
    .args_doc = "create --name NAME\nlist\nshow ID\nupdate ID",
    .doc = "Makes, lists, shows and changes organisations, with an admin key. `create` prints the "
           "new id."};

/* ---- printing ---- */

static void print_cap(const json_t *row, const char *name, const char *words)
{
    const json_t *cap = json_object_get(row, name);

    if (json_is_number(cap)) {
        (void)printf("  %s %.15g", words, json_number_value(cap));
    }
}

static void print_organisation(const json_t *row)
{
    const json_t *balance = json_object_get(row, "credits");

    (void)printf("%s  ", ctl_text(row, "id"));
    ctl_print_clean(ctl_text(row, "name"), NAME_COLUMNS);
    (void)printf("  ");
    ctl_print_clean(ctl_text(row, "timezone"), ZONE_COLUMNS);
    if (json_is_integer(balance)) {
        (void)printf("  credits %s", CTL_NUMBER(json_integer_value(balance)));
    }
    print_cap(row, "maxConcurrentCalls", "calls at a time");
    print_cap(row, "callsPerSecond", "calls/s");
    (void)putchar('\n');
}

/* ---- verbs ---- */

/* Sends a request about an organisation; `id` NULL: about all of them. */
static int send(struct ctl *ctl, const char *method, const char *id, const char *rest,
                const json_t *body, json_t **answer)
{
    struct ctl_request request = {
        .method = method, .body = body, .is_repeatable = strcmp(method, "POST") != 0};
    struct buf path;
    int status;

    buf_init(&path);
    OD_CHECK(buf_append_text(&path, "/api/organizations") == 0);
    if (id != NULL) {
        OD_CHECK(buf_append_byte(&path, '/') == 0);
        ctl_encode(&path, id);
    }
    OD_CHECK(buf_append_text(&path, rest) == 0 && buf_append_byte(&path, '\0') == 0);
    request.path = path.data;
    status = ctl_send(ctl, &request, answer);
    buf_deinit(&path);
    return status;
}

static int create(struct ctl *ctl, const struct org_input *input)
{
    json_t *answer;
    int status;

    if (json_object_get(input->body, "name") == NULL) {
        return ctl_fail(ctl, CTL_USAGE, "org create: needs --name");
    }
    status = send(ctl, "POST", NULL, "", input->body, &answer);
    if (status != CTL_OK) {
        return status;
    }
    if (ctl->is_json) {
        ctl_print_json(answer);
    } else {
        (void)puts(ctl_text(answer, "id"));
    }
    json_decref(answer);
    return CTL_OK;
}

static int show(struct ctl *ctl, const char *method, const char *id, const json_t *body)
{
    json_t *answer;
    int status = send(ctl, method, id, "", body, &answer);

    if (status != CTL_OK) {
        return status;
    }
    if (ctl->is_json) {
        ctl_print_json(answer);
    } else {
        print_organisation(answer);
    }
    json_decref(answer);
    return CTL_OK;
}

static int run(struct ctl *ctl, const struct org_input *input)
{
    const char *verb = input->count > 0 ? input->words[0] : "";

    if (strcmp(verb, "create") == 0 && input->count == 1) {
        return create(ctl, input);
    }
    if (strcmp(verb, "list") == 0 && input->count == 1) {
        return ctl_print_list(ctl, "/api/organizations", print_organisation);
    }
    if (strcmp(verb, "show") == 0 && input->count == 2) {
        return show(ctl, "GET", input->words[1], NULL);
    }
    if (strcmp(verb, "update") == 0 && input->count == 2 && json_object_size(input->body) > 0) {
        return show(ctl, "PATCH", input->words[1], input->body);
    }
    return ctl_fail(ctl, CTL_USAGE, "org: say create, list, show or update; see --help");
}

int command_org(struct ctl *ctl, int argc, char **argv)
{
    struct org_input input = {.body = json_object()};
    int status;

    OD_CHECK(input.body != NULL);
    ctl_parse(ctl, &argp, &input, argc, argv);
    status = run(ctl, &input);
    json_decref(input.body);
    return status;
}
