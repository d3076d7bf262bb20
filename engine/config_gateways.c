/* The gateways of a file. Their settings are gathered and judged as a whole where the section ends,
 * since the kind, which may come last, says what they mean.
 */
#include "base/check.h"
#include "engine/config_file.h"
#include "engine/config_table.h"
#include "engine/gateway_port.h"

static const struct gateway_option *find_option(const struct gateway_kind *kind, const char *key)
{
    for (size_t i = 0; kind->options != NULL && kind->options[i].key != NULL; i++) {
        if (strcmp(kind->options[i].key, key) == 0) {
            return &kind->options[i];
        }
    }
    return NULL;
}

void loading_add_option(struct loading *loading, const char *key, const char *value)
{
    struct gateway_config *gateway = &loading->gateway;
    struct od_error error;

    for (size_t i = 0; i < gateway->option_count; i++) {
        if (strcmp(gateway->options[i].key, key) == 0) {
            (void)od_error_set(&error, OD_EINVAL, "repeated, it is set in line %d already",
                               gateway->options[i].line);
            loading_setting_fault(loading, loading->line, key, error.text);
            return;
        }
    }
    if (gateway->option_count == CONFIG_GATEWAY_OPTIONS_MAX) {
        loading_setting_fault(loading, loading->line, key, "too many settings of one gateway");
        return;
    }
    gateway->options[gateway->option_count++] = (struct gateway_option_value){
        .key = arena_text(&loading->config->texts, slice_from(key)),
        .value = arena_text(&loading->config->texts, slice_from(value)),
        .line = loading->line,
    };
}

/* The kind that the present gateway names, by default that of its own name; NULL with a fault. */
static const struct gateway_kind *gateway_kind_of(struct loading *loading)
{
    const struct gateway_config *gateway = &loading->gateway;
    const char *name = loading->gateway_name;
    const struct gateway_kind *kind;
    int line = 0;
    struct od_error error;

    for (size_t i = 0; i < gateway->option_count; i++) {
        if (strcmp(gateway->options[i].key, "kind") == 0) {
            name = gateway->options[i].value;
            line = gateway->options[i].line;
        }
    }
    kind = config_find_kind(loading->config, name);
    if (kind == NULL && line == 0) {
        loading_setting_fault(loading, gateway->line, "kind", "missing");
    } else if (kind == NULL) {
        (void)od_error_set(&error, OD_EINVAL, "there is no kind of gateway \"%.64s\"", name);
        loading_setting_fault(loading, line, "kind", error.text);
    }
    return kind;
}

/* Sets one gathered setting of a gateway that has been added. */
static void apply_option(struct loading *loading, struct gateway_config *gateway,
                         struct gateway_settings *limits, const struct gateway_option_value *given)
{
    size_t count;
    const struct setting *table = config_gateway_table(&count);
    int i = setting_find(table, count, "gateway", given->key);
    const struct gateway_option *option = find_option(gateway->kind, given->key);
    struct arena *texts = &loading->config->texts;
    struct od_error error;

    if (strcmp(given->key, "kind") == 0) {
        return;
    }
    if (i >= 0) {
        if (setting_apply(&table[i], limits, texts, given->value, &error) != 0) {
            loading_setting_fault(loading, given->line, given->key, error.text);
        }
        return;
    }
    if (option == NULL) {
        loading_setting_fault(loading, given->line, given->key, "unknown setting");
        return;
    }
    if (option->is_valid != NULL && !option->is_valid(slice_from(given->value))) {
        (void)od_error_set(&error, OD_EINVAL, "\"%.64s\" does not fit: %s", given->value,
                           option->comment);
        loading_setting_fault(loading, given->line, given->key, error.text);
        return;
    }
    gateway->options[gateway->option_count++] = *given;
}

/* Whether the options of a gateway that has been added fit together. */
static void check_options(struct loading *loading, const struct gateway_config *gateway)
{
    struct gateway_host host = {.option = config_gateway_option, .option_context = gateway};
    struct od_error error;

    if (gateway->kind->check != NULL && gateway->kind->check(&host, &error) != 0) {
        loading_fault(loading, gateway->line, loading->section, error.text);
    }
}

void loading_finish_gateway(struct loading *loading)
{
    struct config *config = loading->config;
    const struct gateway_kind *kind;
    struct gateway_config *gateway;
    struct gateway_settings *limits;

    if (loading->place != IN_GATEWAY) {
        return;
    }
    loading->place = IN_NOTHING;
    kind = gateway_kind_of(loading);
    if (kind == NULL) {
        return;
    }
    limits = &config->gateway_settings[config->gateway_count];
    gateway = config_add_gateway(config, loading->gateway_name, kind);
    gateway->line = loading->gateway.line;
    for (size_t i = 0; i < loading->gateway.option_count; i++) {
        apply_option(loading, gateway, limits, &loading->gateway.options[i]);
    }
    check_options(loading, gateway);
}

static bool is_gateway_name(const char *name)
{
    size_t size = strlen(name);

    return size >= 1 && size <= CONFIG_GATEWAY_NAME_MAX &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
               size;
}

/* What is wrong with a gateway section of that name; NULL: nothing. */
static const char *gateway_section_fault(const struct loading *loading, const char *name)
{
    uint32_t index;

    if (!is_gateway_name(name)) {
        return "a gateway's name has 1 to 32 letters, digits, dots, dashes and underscores";
    }
    if (config_gateway_index(loading->config, slice_from(name), &index)) {
        return "repeated section";
    }
    if (loading->config->gateway_count == CONFIG_GATEWAYS_MAX) {
        return "too many gateways";
    }
    return NULL;
}

void loading_begin_gateway(struct loading *loading)
{
    const char *name = loading->section + strlen(CONFIG_GATEWAY_PREFIX);
    const char *reason;

    /* A file that names a gateway names them all. */
    if (!loading->has_gateways) {
        loading->config->gateway_count = 0;
        loading->has_gateways = true;
    }
    reason = gateway_section_fault(loading, name);
    if (reason != NULL) {
        loading_fault(loading, loading->line, loading->section, reason);
        return;
    }
    loading->place = IN_GATEWAY;
    loading->gateway = (struct gateway_config){.line = loading->line};
    loading->gateway_name = arena_text(&loading->config->texts, slice_from(name));
}

/* Moves the default gateway to the front; the others keep their order. */
static void put_default_first(struct config *config, uint32_t index)
{
    struct gateway_config gateway = config->gateways[index];
    struct gateway_settings limits = config->gateway_settings[index];

    memmove(config->gateways + 1, config->gateways, index * sizeof(config->gateways[0]));
    memmove(config->gateway_settings + 1, config->gateway_settings,
            index * sizeof(config->gateway_settings[0]));
    config->gateways[0] = gateway;
    config->gateway_settings[0] = limits;
}

void loading_find_default(struct loading *loading)
{
    struct config *config = loading->config;
    size_t count;
    const struct setting *table = config_table(&count);
    int i = setting_find(table, count, "calls", "default_gateway");
    struct od_error error;
    uint32_t index;

    OD_CHECK(i >= 0);
    if (config_gateway_index(config, slice_make(NULL, 0), &index)) {
        put_default_first(config, index);
        return;
    }
    (void)od_error_set(&error, OD_EINVAL, "there is no gateway \"%.64s\"", config->default_gateway);
    loading_fault(loading, loading->set_lines[i], "calls.default_gateway", error.text);
}
