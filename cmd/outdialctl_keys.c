/* outdialctl keys: API keys. A key is shown once, when it is made: alone on standard output, so
 * that a script can take it, with what there is to say about it on standard error. */
#include "cmd/outdialctl.h"

#include <stdio.h>

#include "base/check.h"

#define ROLE_COLUMNS 8
#define NAME_COLUMNS 32
#define PATH_SIZE    256

enum { OPTION_NAME = 'n', OPTION_ROLE = 'r', WORDS_MAX = 2 };

struct keys_input {
    const char *name, *role;
    char *words[WORDS_MAX];
    size_t count;
};

static const struct argp_option options[] = {
    {"name", OPTION_NAME, "NAME", 0, "what the new key is for", 0},
    {"role", OPTION_ROLE, "ROLE", 0,
     "admin, org or worker; org is the default with --organization, and needs it", 0},
    {0},
};

static error_t on_option(int key, char *argument, struct argp_state *state)
{
    struct keys_input *input = state->input;

    switch (key) {
    case OPTION_NAME: input->name = argument; return 0;
    case OPTION_ROLE: input->role = argument; return 0;
    case ARGP_KEY_ARG:
        return ctl_take_word(state, argument, input->words, WORDS_MAX, &input->count);
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = options,
    .parser = on_option,
    .args_doc = "create --name NAME [--role ROLE]\nlist\ndelete KEY-ID",
    .doc =
        "Makes, lists and deletes API keys, with an admin key. With --organization they are that "
        "organisation's (role org), without it the platform's (admin, worker). A new key is "
        "printed once and cannot be read again."};

/* The list that keys of a role belong to; NULL: of those that the options name. */
static void print_path(const struct ctl *ctl, const char *role, char path[PATH_SIZE])
{
    bool is_owned = role != NULL ? strcmp(role, "org") == 0 : ctl->organisation != NULL;

    if (is_owned) {
        (void)snprintf(path, PATH_SIZE, "/api/organizations/%s/api-keys", ctl->organisation);
    } else {
        (void)snprintf(path, PATH_SIZE, "/api/api-keys");
    }
}

static int create(struct ctl *ctl, const struct keys_input *input)
{
    const char *role = input->role != NULL ? input->role : ctl->organisation != NULL ? "org" : NULL;
    char path[PATH_SIZE];
    json_t *body;
    json_t *answer;
    int status;

    if (input->name == NULL || role == NULL) {
        return ctl_fail(ctl, CTL_USAGE, "keys create: needs --name, and --role or --organization");
    }
    if (strcmp(role, "org") == 0 && ctl->organisation == NULL) {
        return ctl_fail(ctl, CTL_USAGE, "keys create: a key of role org needs --organization");
    }
    /* Else a key of the whole platform would be made where one of an organisation was meant. */
    if (strcmp(role, "org") != 0 && ctl->names_organisation) {
        return ctl_fail(ctl, CTL_USAGE,
                        "keys create: a key of role %s is the platform's: leave out --organization",
                        role);
    }
    print_path(ctl, role, path);
    body = json_pack("{s:s, s:s}", "name", input->name, "role", role);
    if (body == NULL) {
        return ctl_fail(ctl, CTL_USAGE, "keys create: the name is not UTF-8");
    }
    status = ctl_post(ctl, path, body, &answer);
    json_decref(body);
    if (status != CTL_OK) {
        return status;
    }
    if (ctl->is_json) {
        ctl_print_json(answer);
    } else {
        (void)fprintf(stderr, "key %s, role %s; it is shown this once:\n", ctl_text(answer, "id"),
                      ctl_text(answer, "role"));
        (void)puts(ctl_text(answer, "key"));
    }
    json_decref(answer);
    return CTL_OK;
}

static void print_key(const json_t *row)
{
    (void)printf("%s  ", ctl_text(row, "id"));
    ctl_print_clean(ctl_text(row, "role"), ROLE_COLUMNS);
    ctl_print_clean(ctl_text(row, "name"), NAME_COLUMNS);
    (void)printf("  %s\n", ctl_text(row, "createdAt"));
}

static int list(struct ctl *ctl)
{
    char path[PATH_SIZE];

    print_path(ctl, NULL, path);
    return ctl_print_list(ctl, path, print_key);
}

static int delete (struct ctl *ctl, const char *id)
{
    struct ctl_request request = {.method = "DELETE", .is_repeatable = true};
    char list_path[PATH_SIZE];
    struct buf path;
    int status;

    print_path(ctl, NULL, list_path);
    buf_init(&path);
    OD_CHECK(buf_printf(&path, "%s/", list_path) == 0);
    ctl_encode(&path, id);
    OD_CHECK(buf_append_byte(&path, '\0') == 0);
    request.path = path.data;
    status = ctl_send(ctl, &request, NULL);
    buf_deinit(&path);
    if (status == CTL_OK && ctl->is_json) {
        (void)printf("{\"deleted\":true}\n");
    } else if (status == CTL_OK) {
        (void)printf("%s deleted\n", id);
    }
    return status;
}

int command_keys(struct ctl *ctl, int argc, char **argv)
{
    struct keys_input input = {0};
    const char *verb;

    ctl_parse(ctl, &argp, &input, argc, argv);
    verb = input.count > 0 ? input.words[0] : "";
    if (strcmp(verb, "create") == 0 && input.count == 1) {
        return create(ctl, &input);
    }
    if (strcmp(verb, "list") == 0 && input.count == 1) {
        return list(ctl);
    }
    if (strcmp(verb, "delete") == 0 && input.count == 2) {
        return delete (ctl, input.words[1]);
    }
    return ctl_fail(ctl, CTL_USAGE, "keys: say create, list, or delete and a key's id");
}
