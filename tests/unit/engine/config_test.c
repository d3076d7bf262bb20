/* engine/config: the defaults, conf/outdial.conf, the command line. */
#include "engine/config.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/config_table.h"
#include "engine/gateway_port.h"
#include "tests/support/od_test.h"

static const struct gateway_kind *kind_of(const struct config *config, uint32_t index)
{
    return config->gateways[index].kind;
}

/* Compares two values of a setting. */
static void assert_same_setting(const struct setting *setting, const void *a, const void *b)
{
    const char *field_a = (const char *)a + setting->offset;
    const char *field_b = (const char *)b + setting->offset;

    switch (setting->type) {
    case SETTING_TEXT:
    case SETTING_ADDRESS:
    case SETTING_OPTIONAL_ADDRESS:
        assert_string_equal(*(const char *const *)(const void *)field_a,
                            *(const char *const *)(const void *)field_b);
        break;
    case SETTING_NUMBER:
    case SETTING_CHOICE: assert_memory_equal(field_a, field_b, sizeof(uint32_t)); break;
    case SETTING_SIZE: assert_memory_equal(field_a, field_b, sizeof(uint64_t)); break;
    case SETTING_FLAG: assert_memory_equal(field_a, field_b, sizeof(bool)); break;
    }
}

static void assert_same_gateway(const struct config *a, const struct config *b, uint32_t index)
{
    const struct gateway_option *option = kind_of(a, index)->options;
    size_t count;
    const struct setting *table = config_gateway_table(&count);

    assert_ptr_equal(kind_of(a, index), kind_of(b, index));
    assert_string_equal(a->gateway_settings[index].name, b->gateway_settings[index].name);
    assert_int_equal(a->gateway_settings[index].is_pull, b->gateway_settings[index].is_pull);
    for (size_t i = 0; i < count; i++) {
        assert_same_setting(&table[i], &a->gateway_settings[index], &b->gateway_settings[index]);
    }
    for (; option->key != NULL; option++) {
        assert_string_equal(config_gateway_option(&a->gateways[index], option->key),
                            config_gateway_option(&b->gateways[index], option->key));
    }
}

static const char *conf_path(char out[512])
{
    const char *root = getenv("OUTDIAL_SOURCE_DIR");

    (void)snprintf(out, 512, "%s/conf/outdial.conf", root != NULL ? root : ".");
    return out;
}

/* ---- defaults ---- */

static void the_defaults_are_those_of_the_contract(void **state)
{
    struct config config;

    (void)state;
    config_defaults(&config, gateway_kinds);
    assert_string_equal(config.listen, "127.0.0.1:3000");
    assert_string_equal(config.ops_listen, "");
    assert_int_equal(config.max_connections, 10000);
    assert_int_equal(config.max_connections_per_address, 1000);
    assert_int_equal(config.requests_per_minute, 0);
    assert_int_equal(config.requests_burst, 100);
    assert_int_equal(config.requests_in_flight, 0);
    assert_int_equal(config.body_limit_bytes, 8 * 1024 * 1024);
    assert_string_equal(config.data_dir, "data");
    assert_int_equal(config.map_size_bytes, INT64_C(64) << 30);
    assert_int_equal(config.batch_max_messages, 4096);
    assert_int_equal(config.batch_max_bytes, 16 << 20);
    assert_int_equal(config.log_level, LOG_LEVEL_INFO);
    assert_int_equal(config.log_format, CONFIG_LOG_AUTO);
    assert_false(config.core_dumps);
    assert_false(config.has_test_clock);
    assert_int_equal(config.gateway_count, 2);
    assert_string_equal(config.gateway_settings[0].name, "simulator");
    assert_string_equal(config.gateway_settings[1].name, "worker");
    config_free(&config);
}

static void the_actors_get_their_settings(void **state)
{
    struct config config;
    struct actor_settings settings;

    (void)state;
    config_defaults(&config, gateway_kinds);
    config_settings(&config, &settings);
    assert_int_equal(settings.lease_ms, 60000);
    assert_int_equal(settings.call_timeout_ms, 3600000);
    assert_int_equal(settings.dial_by_ms, 5000);
    assert_int_equal(settings.lease_limit, 5);
    assert_int_equal(settings.max_calls, 100000);
    assert_int_equal(settings.gateway_count, 2);
    assert_string_equal(settings.gateways[0].name, "simulator");
    assert_false(settings.gateways[0].is_pull);
    assert_string_equal(settings.gateways[1].name, "worker");
    assert_true(settings.gateways[1].is_pull);
    assert_int_equal(settings.gateways[1].max_calls, 100000);
    assert_int_equal(settings.gateways[1].max_offered, 10000);
    config_free(&config);
}

static void outdial_conf_is_the_defaults(void **state)
{
    struct config defaults;
    struct config loaded;
    struct buf errors;
    char path[512];
    size_t count;
    const struct setting *table = config_table(&count);

    (void)state;
    buf_init(&errors);
    config_defaults(&defaults, gateway_kinds);
    config_defaults(&loaded, gateway_kinds);
    assert_int_equal(config_load(conf_path(path), &loaded, &errors), 0);
    assert_int_equal(errors.size, 0);
    for (size_t i = 0; i < count; i++) {
        assert_same_setting(&table[i], &defaults, &loaded);
    }
    assert_int_equal(defaults.gateway_count, loaded.gateway_count);
    for (uint32_t i = 0; i < defaults.gateway_count; i++) {
        assert_same_gateway(&defaults, &loaded, i);
    }
    config_free(&defaults);
    config_free(&loaded);
    buf_deinit(&errors);
}

/* Whether a line of the text sets the key. */
static bool sets(const char *text, const char *key)
{
    size_t size = strlen(key);

    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, size) == 0 && line[size] == ' ') {
            return true;
        }
    }
    return false;
}

static void assert_sets_table(const char *text, const struct setting *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!sets(text, table[i].key)) {
            fail_msg("%s.%s is not in conf/outdial.conf", table[i].section, table[i].key);
        }
    }
}

static void assert_sets_options(const char *text, const struct gateway_option *option)
{
    for (; option->key != NULL; option++) {
        if (!sets(text, option->key)) {
            fail_msg("%s is not in conf/outdial.conf", option->key);
        }
    }
}

static void outdial_conf_sets_every_setting(void **state)
{
    char text[16384];
    char path[512];
    FILE *file = fopen(conf_path(path), "re");
    const struct setting *table;
    size_t size;
    size_t count;

    (void)state;
    assert_non_null(file);
    size = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    text[size] = '\0';
    table = config_table(&count);
    assert_sets_table(text, table, count);
    table = config_gateway_table(&count);
    assert_sets_table(text, table, count);
    for (size_t i = 0; gateway_kinds[i] != NULL; i++) {
        assert_sets_options(text, gateway_kinds[i]->options);
    }
    assert_false(sets(text, "no_such_key"));
}

static void every_default_of_a_gateway_is_valid(void **state)
{
    (void)state;
    for (size_t i = 0; gateway_kinds[i] != NULL; i++) {
        const struct gateway_option *option = gateway_kinds[i]->options;

        for (; option->key != NULL; option++) {
            assert_true(option->is_valid(slice_from(option->fallback)));
        }
    }
}

static void the_command_line_is_over_the_file(void **state)
{
    struct config config;
    struct buf errors;

    (void)state;
    buf_init(&errors);
    config_defaults(&config, gateway_kinds);
    assert_int_equal(
        config_load_text("t.conf", SLICE("[server]\nlisten = 127.0.0.1:1\n"), &config, &errors), 0);
    assert_int_equal(config_override(&config, "--listen", "server.listen", "127.0.0.1:2", &errors),
                     0);
    assert_string_equal(config.listen, "127.0.0.1:2");
    assert_int_equal(config_override(&config, "--listen", "server.listen", "here", &errors),
                     OD_EINVAL);
    assert_string_equal(config.listen, "127.0.0.1:2");
    assert_int_equal(buf_append_byte(&errors, '\0'), 0);
    assert_string_equal(errors.data, "--listen: server.listen: \"here\" is no address and port, as "
                                     "127.0.0.1:3000 or [::1]:3000\n");
    buf_deinit(&errors);
    config_free(&config);
}

static void addresses_are_taken_apart(void **state)
{
    static const struct {
        const char *text, *host;
        uint16_t port;
    } good[] = {
        {"127.0.0.1:3000", "127.0.0.1", 3000},
        {"0.0.0.0:0", "0.0.0.0", 0},
        {"[::1]:65535", "::1", 65535},
    };

    static const char *const bad[] = {
        "",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0:1",
        "localhost:1",
        "::1:1",
        "[::1]",
        "[::1]1",
        "[127.0.0.1]:1",
        "[::1:1",
        ":1",
        "127.0.0.1:1 ",
        "127.0.0.1:000001",
    };
    char host[CONFIG_HOST_SIZE];
    uint16_t port;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(config_split_address(good[i].text, host, &port));
        assert_string_equal(host, good[i].host);
        assert_int_equal(port, good[i].port);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (config_split_address(bad[i], host, &port)) {
            fail_msg("\"%s\" was taken for an address", bad[i]);
        }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_defaults_are_those_of_the_contract),
    cmocka_unit_test(the_actors_get_their_settings),
    cmocka_unit_test(outdial_conf_is_the_defaults),
    cmocka_unit_test(outdial_conf_sets_every_setting),
    cmocka_unit_test(every_default_of_a_gateway_is_valid),
    cmocka_unit_test(the_command_line_is_over_the_file),
    cmocka_unit_test(addresses_are_taken_apart),
};

OD_TEST_MAIN(tests)
