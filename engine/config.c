/* Defaults, overrides and questions; what a file says is in config_file.c. */
#include "engine/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "base/check.h"
#include "base/instant.h"
#include "engine/config_table.h"
#include "engine/gateway_port.h"

#define TEXTS_BLOCK 4096

/* Bytes of a file, and of one read. */
#define FILE_MAX  ((size_t)1024 * 1024)
#define READ_SIZE 4096

/* The gateways that are there without a file. */
static const char *const built_in_gateways[] = {"simulator", "worker"};

const struct gateway_kind *config_find_kind(const struct config *config, const char *name)
{
    for (size_t i = 0; config->kinds[i] != NULL; i++) {
        if (strcmp(config->kinds[i]->name, name) == 0) {
            return config->kinds[i];
        }
    }
    return NULL;
}

struct gateway_config *config_add_gateway(struct config *config, const char *name,
                                          const struct gateway_kind *kind)
{
    struct gateway_settings *limits = &config->gateway_settings[config->gateway_count];
    size_t count;
    const struct setting *table = config_gateway_table(&count);
    struct od_error error;

    OD_CHECK(config->gateway_count < CONFIG_GATEWAYS_MAX);
    config->gateways[config->gateway_count] = (struct gateway_config){.kind = kind};
    *limits = (struct gateway_settings){.name = name, .is_pull = kind->is_pull};
    for (size_t i = 0; i < count; i++) {
        OD_CHECK(setting_apply(&table[i], limits, &config->texts, table[i].fallback, &error) == 0);
    }
    return &config->gateways[config->gateway_count++];
}

void config_defaults(struct config *config, const struct gateway_kind *const *kinds)
{
    size_t count;
    const struct setting *table = config_table(&count);
    struct od_error error;

    memset(config, 0, sizeof(*config));
    config->kinds = kinds;
    arena_init(&config->texts, TEXTS_BLOCK);
    for (size_t i = 0; i < count; i++) {
        OD_CHECK(setting_apply(&table[i], config, &config->texts, table[i].fallback, &error) == 0);
    }
    for (size_t i = 0; i < sizeof(built_in_gateways) / sizeof(built_in_gateways[0]); i++) {
        const struct gateway_kind *kind = config_find_kind(config, built_in_gateways[i]);

        if (kind != NULL) {
            config_add_gateway(config, built_in_gateways[i], kind);
        }
    }
}

static int read_file(const char *path, struct buf *text)
{
    FILE *file = fopen(path, "re");
    size_t size = 1;
    int error = 0;

    if (file == NULL) {
        return errno;
    }
    while (size > 0 && text->size <= FILE_MAX && error == 0) {
        error = buf_reserve(text, READ_SIZE) == 0 ? 0 : ENOMEM;
        if (error == 0) {
            size = fread(text->data + text->size, 1, READ_SIZE, file);
            text->size += size;
        }
    }
    if (error == 0 && ferror(file) != 0) {
        error = errno;
    }
    if (error == 0 && text->size > FILE_MAX) {
        error = EFBIG;
    }
    (void)fclose(file);
    return error;
}

int config_load(const char *path, struct config *config, struct buf *errors)
{
    struct buf text;
    int error;

    buf_init(&text);
    error = read_file(path, &text);
    if (error != 0) {
        (void)buf_printf(errors, "%s: cannot be read: %s\n", path, strerrordesc_np(error));
        error = OD_EINVAL;
    } else {
        error = config_load_text(path, buf_slice(&text), config, errors);
    }
    buf_deinit(&text);
    return error;
}

int config_override(struct config *config, const char *option, const char *name, const char *value,
                    struct buf *errors)
{
    size_t count;
    const struct setting *table = config_table(&count);
    const char *dot = strchr(name, '.');
    char section[CONFIG_GATEWAY_NAME_MAX];
    struct od_error error;
    int i;

    /* The names are those of the program, not those that a user gives. */
    OD_CHECK(dot != NULL);
    OD_CHECK((size_t)(dot - name) < sizeof(section));
    memcpy(section, name, (size_t)(dot - name));
    section[dot - name] = '\0';
    i = setting_find(table, count, section, dot + 1);
    OD_CHECK(i >= 0);
    if (setting_apply(&table[i], config, &config->texts, value, &error) == 0) {
        return 0;
    }
    (void)buf_printf(errors, "%s: %s: %s\n", option, name, error.text);
    return OD_EINVAL;
}

void config_free(struct config *config)
{
    arena_deinit(&config->texts);
    config->gateway_count = 0;
}

void config_settings(const struct config *config, struct actor_settings *out)
{
    *out = (struct actor_settings){
        .lease_ms = config->lease_seconds * MS_PER_SECOND,
        .call_timeout_ms = config->call_timeout_seconds * MS_PER_SECOND,
        .dial_by_ms = config->dial_by_seconds * MS_PER_SECOND,
        .lease_limit = config->lease_limit,
        .gateways = config->gateway_settings,
        .gateway_count = config->gateway_count,
        .max_calls = config->max_calls,
        .keep_executions_ms = config->executions_days * MS_PER_DAY,
        .keep_events_ms = config->events_days * MS_PER_DAY,
    };
}

const char *config_gateway_option(const void *gateway, const char *key)
{
    const struct gateway_config *config = gateway;
    const struct gateway_option *options = config->kind->options;

    for (size_t i = 0; i < config->option_count; i++) {
        if (strcmp(config->options[i].key, key) == 0) {
            return config->options[i].value;
        }
    }
    for (size_t i = 0; options != NULL && options[i].key != NULL; i++) {
        if (strcmp(options[i].key, key) == 0) {
            return options[i].fallback;
        }
    }
    return NULL;
}

bool config_gateway_index(const struct config *config, struct slice name, uint32_t *out)
{
    struct slice wanted = slice_is_empty(name) ? slice_from(config->default_gateway) : name;

    for (uint32_t i = 0; i < config->gateway_count; i++) {
        if (slice_equal_text(wanted, config->gateway_settings[i].name)) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* Digits up to 65535, at least one, and nothing else. */
static bool parse_port(const char *text, uint16_t *out)
{
    uint32_t port = 0;

    if (text[0] == '\0' || strlen(text) > 5 || text[strspn(text, "0123456789")] != '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        port = port * 10 + (uint32_t)(*text - '0');
    }
    if (port > UINT16_MAX) {
        return false;
    }
    *out = (uint16_t)port;
    return true;
}

bool config_split_address(const char *text, char host[CONFIG_HOST_SIZE], uint16_t *port)
{
    bool is_bracketed = text[0] == '[';
    const char *start = is_bracketed ? text + 1 : text;
    const char *end = strchr(start, is_bracketed ? ']' : ':');
    unsigned char address[sizeof(struct in6_addr)];
    char copy[CONFIG_HOST_SIZE];
    const char *colon;

    if (end == NULL || (size_t)(end - start) >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, start, (size_t)(end - start));
    copy[end - start] = '\0';
    colon = is_bracketed ? end + 1 : end;
    if (inet_pton(is_bracketed ? AF_INET6 : AF_INET, copy, address) != 1 || *colon != ':' ||
        !parse_port(colon + 1, port)) {
        return false;
    }
    memcpy(host, copy, (size_t)(end - start) + 1);
    return true;
}
