/* outdialctl api: any request of the API, for what has no command and for scripts. */
#include "cmd/outdialctl.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"

#define READ_SIZE 65536

enum { OPTION_GET = 'g', WORDS_MAX = 3 };

struct api_input {
    const char *get;
    char *words[WORDS_MAX];
    size_t count;
};

static const struct argp_option options[] = {
    {"get", OPTION_GET, "PROPERTY", 0,
     "print this property of the answer alone, a text without its quotes; a dot leads into "
     "objects and arrays (data.0.id)",
     0},
    {0},
};

static error_t on_option(int key, char *argument, struct argp_state *state)
{
    struct api_input *input = state->input;

    switch (key) {
    case OPTION_GET: input->get = argument; return 0;
    case ARGP_KEY_ARG:
        return ctl_take_word(state, argument, input->words, WORDS_MAX, &input->count);
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = options,
    .parser = on_option,
    .args_doc = "METHOD PATH [BODY|-]",
    .doc = "Sends a request with the key and the organisation of the common options, and prints "
           "the body of the answer. BODY is JSON; - reads it from standard input. A request that "
           "changes something is sent once and not repeated."};

static bool is_method(const char *word)
{
    return strcmp(word, "GET") == 0 || strcmp(word, "POST") == 0 || strcmp(word, "PATCH") == 0 ||
           strcmp(word, "DELETE") == 0;
}

static json_t *read_body(const char *word)
{
    struct buf text;
    json_t *body;

    if (strcmp(word, "-") != 0) {
        return json_loads(word, JSON_REJECT_DUPLICATES, NULL);
    }
    buf_init(&text);
    for (;;) {
        char data[READ_SIZE];
        size_t size = fread(data, 1, sizeof(data), stdin);

        OD_CHECK(buf_append(&text, data, size) == 0);
        if (size == 0) {
            break;
        }
    }
    body = json_loadb(text.data != NULL ? text.data : "", text.size, JSON_REJECT_DUPLICATES, NULL);
    buf_deinit(&text);
    return body;
}

/* Follows a dotted path; NULL: there is nothing. */
static const json_t *find(const json_t *json, const char *path)
{
    while (json != NULL && *path != '\0') {
        size_t size = strcspn(path, ".");
        char name[256];

        if ((size_t)snprintf(name, sizeof(name), "%.*s", (int)size, path) >= sizeof(name)) {
            return NULL;
        }
        if (json_is_array(json)) {
            char *end;
            unsigned long index = strtoul(name, &end, 10);

            json = *end == '\0' && end != name ? json_array_get(json, index) : NULL;
        } else {
            json = json_object_get(json, name);
        }
        path += size;
        path += *path == '.' ? 1 : 0;
    }
    return json;
}

static int print_answer(const struct ctl *ctl, const json_t *answer, const char *path)
{
    const json_t *found = path != NULL ? find(answer, path) : answer;

    if (path == NULL && answer == NULL) {
        return CTL_OK; /* 204 */
    }
    if (found == NULL) {
        return ctl_fail(ctl, CTL_FAILED, "the answer has no %s", path);
    }
    if (path != NULL && json_is_string(found)) {
        (void)puts(json_string_value(found));
    } else {
        ctl_print_json(found);
    }
    return CTL_OK;
}

int command_api(struct ctl *ctl, int argc, char **argv)
{
    struct api_input input = {0};
    struct ctl_request request = {0};
    json_t *body = NULL;
    json_t *answer;
    int status;

    ctl_parse(ctl, &argp, &input, argc, argv);
    if (input.count < 2 || input.words[1][0] != '/') {
        return ctl_fail(ctl, CTL_USAGE, "api: needs a method and a path that begins with /");
    }
    if (!is_method(input.words[0])) {
        return ctl_fail(ctl, CTL_USAGE, "api: the method is GET, POST, PATCH or DELETE");
    }
    if (input.count == WORDS_MAX) {
        body = read_body(input.words[2]);
        if (body == NULL) {
            return ctl_fail(ctl, CTL_USAGE, "api: the body is not a JSON object or array");
        }
    }
    request = (struct ctl_request){.method = input.words[0],
                                   .path = input.words[1],
                                   .body = body,
                                   .is_repeatable = strcmp(input.words[0], "GET") == 0};
    status = ctl_send(ctl, &request, &answer);
    json_decref(body);
    if (status != CTL_OK) {
        return status;
    }
    status = print_answer(ctl, answer, input.get);
    json_decref(answer);
    return status;
}
