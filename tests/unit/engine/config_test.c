/* engine/config: the defaults, conf/outdial.conf, and every fault with its exact line. */
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

/* ---- helpers ---- */

/* Loads text over the defaults; the faults are printed into `out`. */
static int load(const char *text, struct config *config, char out[1024])
{
    struct buf errors;
    int code;

    buf_init(&errors);
    config_defaults(config, gateway_kinds);
    code = config_load_text("t.conf", slice_from(text), config, &errors);
    (void)snprintf(out, 1024, "%.*s", SLICE_ARGS(buf_slice(&errors)));
    buf_deinit(&errors);
    return code;
}

static void assert_loads(const char *text, struct config *config)
{
    char faults[1024];
    int code = load(text, config, faults);

    assert_string_equal(faults, "");
    assert_int_equal(code, 0);
}

static void assert_faults(const char *text, const char *expected)
{
    struct config config;
    char faults[1024];
    int code = load(text, &config, faults);

    config_free(&config);
    assert_string_equal(faults, expected);
    assert_int_equal(code, OD_EINVAL);
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

static void outdial_conf_sets_every_setting(void **state)
{
    char text[16384];
    char path[512];
    FILE *file = fopen(conf_path(path), "re");
    size_t size;
    size_t count;
    const struct setting *table = config_table(&count);

    (void)state;
    assert_non_null(file);
    size = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    text[size] = '\0';
    for (size_t i = 0; i < count; i++) {
        if (!sets(text, table[i].key)) {
            fail_msg("%s.%s is not in conf/outdial.conf", table[i].section, table[i].key);
        }
    }
    table = config_gateway_table(&count);
    for (size_t i = 0; i < count; i++) {
        assert_true(sets(text, table[i].key));
    }
    for (size_t i = 0; gateway_kinds[i] != NULL; i++) {
        const struct gateway_option *option = gateway_kinds[i]->options;

        for (; option->key != NULL; option++) {
            if (!sets(text, option->key)) {
                fail_msg("%s is not in conf/outdial.conf", option->key);
            }
        }
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

/* ---- good files ---- */

static void a_file_changes_what_it_names(void **state)
{
    struct config config;

    (void)state;
    assert_loads("\xef\xbb\xbf; a byte order mark, and every form of a line\r\n"
                 "[server] ; behind a section\r\n"
                 "  listen = [::1]:0   ; behind a value\r\n"
                 "\tops_listen=0.0.0.0:65535\n"
                 "# a comment\n"
                 "body_limit_bytes = 4096\n"
                 "\n"
                 "[store]\n"
                 "map_size_bytes = 2 TiB\n"
                 "data_dir = /srv/out dial\n"
                 "[log]\n"
                 "level = error\n"
                 "format = json\n"
                 "[process]\n"
                 "core_dumps = true",
                 &config);
    assert_string_equal(config.listen, "[::1]:0");
    assert_string_equal(config.ops_listen, "0.0.0.0:65535");
    assert_int_equal(config.body_limit_bytes, 4096);
    assert_int_equal(config.map_size_bytes, INT64_C(2) << 40);
    assert_string_equal(config.data_dir, "/srv/out dial");
    assert_int_equal(config.log_level, LOG_LEVEL_ERROR);
    assert_int_equal(config.log_format, CONFIG_LOG_JSON);
    assert_true(config.core_dumps);
    assert_int_equal(config.max_connections, 10000);
    assert_int_equal(config.gateway_count, 2);
    config_free(&config);
}

static void an_empty_file_is_the_defaults(void **state)
{
    struct config config;

    (void)state;
    assert_loads("", &config);
    assert_string_equal(config.listen, "127.0.0.1:3000");
    assert_int_equal(config.gateway_count, 2);
    config_free(&config);
}

static void a_file_with_a_gateway_names_all_gateways(void **state)
{
    struct config config;
    uint32_t index = 9;

    (void)state;
    assert_loads("[gateway sip-1]\nmax_calls = 30\nkind = worker\nmax_offered = 7\n"
                 "[gateway simulator]\n"
                 "[gateway demo]\nseed = 9\nkind = simulator\nnodes = a, b\n"
                 "[calls]\ndefault_gateway = demo\n",
                 &config);
    assert_int_equal(config.gateway_count, 3);
    assert_string_equal(config.gateway_settings[0].name, "demo");
    assert_string_equal(config.gateway_settings[1].name, "sip-1");
    assert_string_equal(config.gateway_settings[2].name, "simulator");
    assert_int_equal(config.gateway_settings[1].max_calls, 30);
    assert_int_equal(config.gateway_settings[1].max_offered, 7);
    assert_true(config.gateway_settings[1].is_pull);
    assert_int_equal(config.gateways[1].line, 1);
    assert_string_equal(config_gateway_option(&config.gateways[0], "seed"), "9");
    assert_string_equal(config_gateway_option(&config.gateways[0], "nodes"), "a, b");
    assert_string_equal(config_gateway_option(&config.gateways[0], "busy"), "10");
    assert_null(config_gateway_option(&config.gateways[0], "no_such_key"));
    assert_true(config_gateway_index(&config, SLICE("sip-1"), &index));
    assert_int_equal(index, 1);
    assert_true(config_gateway_index(&config, slice_make(NULL, 0), &index));
    assert_int_equal(index, 0);
    assert_false(config_gateway_index(&config, SLICE("worker"), &index));
    config_free(&config);
}

static void the_command_line_is_over_the_file(void **state)
{
    struct config config;
    struct buf errors;

    (void)state;
    buf_init(&errors);
    assert_loads("[server]\nlisten = 127.0.0.1:1\n", &config);
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

/* ---- faults ---- */

static void every_kind_of_fault_has_its_line(void **state)
{
    static const struct {
        const char *text, *faults;
    } cases[] = {
        {"[servr]\nlisten = x\n", "t.conf:1: servr: unknown section\n"},
        {"[server]\n\nlistn = 127.0.0.1:1\n", "t.conf:3: server.listn: unknown setting\n"},
        {"[store]\nlisten = 127.0.0.1:1\n", "t.conf:2: store.listen: unknown setting\n"},
        {"listen = 127.0.0.1:1\n", "t.conf:1: listen: no section begins before this line\n"},
        {"[server]\nmax_connections = many\n",
         "t.conf:2: server.max_connections: \"many\" is no whole number\n"},
        {"[server]\nmax_connections = 10.5\n",
         "t.conf:2: server.max_connections: \"10.5\" is no whole number\n"},
        {"[server]\nmax_connections = -1\n",
         "t.conf:2: server.max_connections: \"-1\" is no whole number\n"},
        {"[server]\nmax_connections =\n",
         "t.conf:2: server.max_connections: \"\" is no whole number\n"},
        {"[server]\nmax_connections = 18446744073709551616\n",
         "t.conf:2: server.max_connections: \"18446744073709551616\" is no whole number\n"},
        {"[server]\nmax_connections = 0\n",
         "t.conf:2: server.max_connections: must be 1 to 1000000\n"},
        {"[server]\nmax_connections = 4294967297\n",
         "t.conf:2: server.max_connections: must be 1 to 1000000\n"},
        {"[server]\nbody_limit_bytes = 8MB\n",
         "t.conf:2: server.body_limit_bytes: \"8MB\" is no size, as 8MiB or 8388608\n"},
        {"[server]\nbody_limit_bytes = 99999999999999999999\n",
         "t.conf:2: server.body_limit_bytes: \"99999999999999999999\" is no size, as 8MiB or "
         "8388608\n"},
        {"[store]\nmap_size_bytes = 16777216TiB\n",
         "t.conf:2: store.map_size_bytes: \"16777216TiB\" is no size, as 8MiB or 8388608\n"},
        {"[server]\nbody_limit_bytes = 2GiB\n",
         "t.conf:2: server.body_limit_bytes: must be 1024 to 1073741824 bytes\n"},
        {"[log]\nlevel = loud\n", "t.conf:2: log.level: must be one of debug, info, warn, error\n"},
        {"[process]\ncore_dumps = yes\n", "t.conf:2: process.core_dumps: must be true or false\n"},
        {"[store]\ndata_dir =\n", "t.conf:2: store.data_dir: must not be empty\n"},
        {"[server]\nlisten =\n", "t.conf:2: server.listen: \"\" is no address and port, as "
                                 "127.0.0.1:3000 or [::1]:3000\n"},
        {"[server]\nlisten = 127.0.0.1:1\n[log]\n[server]\nlisten = 127.0.0.1:2\n",
         "t.conf:5: server.listen: repeated, it is set in line 2 already\n"},
        {"[server\nlisten = 127.0.0.1:1\n", "t.conf:1: a section's line must end in ]\n"},
        {"[server] x\n", "t.conf:1: a section's line must end in ]\n"},
        {"[server]\nlisten\n\n", "t.conf:2: neither a section nor KEY = VALUE\n"},
        {"[server]\nlisten", "t.conf:2: neither a section nor KEY = VALUE\n"},
        {"[server]\nlisten = \x01\n", "t.conf:2: the line has a control character\n"},
        {"[server]\nlisten = \xff\n", "t.conf:2: the line is not UTF-8\n"},
        {"[calls]\n\ndefault_gateway = sip\n",
         "t.conf:3: calls.default_gateway: there is no gateway \"sip\"\n"},
        {"[gateway sip]\nkind = worker\n",
         "t.conf: calls.default_gateway: there is no gateway \"simulator\"\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_faults(cases[i].text, cases[i].faults);
    }
}

static void every_fault_of_a_gateway_has_its_line(void **state)
{
    static const struct {
        const char *text, *faults;
    } cases[] = {
        {"[gateway sip]\nmax_calls = 1\n", "t.conf:1: gateway sip.kind: missing\n"},
        {"[gateway sip]\nkind = sipp\n",
         "t.conf:2: gateway sip.kind: there is no kind of gateway \"sipp\"\n"},
        {"[gateway a b]\nx = 1\n", "t.conf:1: gateway a b: a gateway's name has 1 to 32 letters, "
                                   "digits, dots, dashes and underscores\n"},
        {"[gateway ]\n", "t.conf:1: gateway : a gateway's name has 1 to 32 letters, digits, dots, "
                         "dashes and underscores\n"},
        {"[gateway simulator]\n[gateway worker]\n[gateway simulator]\n",
         "t.conf:3: gateway simulator: repeated section\n"},
        {"[gateway simulator]\nspeed = 1\n",
         "t.conf:2: gateway simulator.speed: unknown setting\n"},
        {"[gateway worker]\nseed = 1\n", "t.conf:2: gateway worker.seed: unknown setting\n"},
        {"[gateway simulator]\nmax_calls = 0\n",
         "t.conf:2: gateway simulator.max_calls: must be 1 to 10000000\n"},
        {"[gateway simulator]\nbusy = 101\n", "t.conf:2: gateway simulator.busy: \"101\" does not "
                                              "fit: weight of the outcome, 0 to 100\n"},
        {"[gateway simulator]\nbusy = 1\nbusy = 1\n",
         "t.conf:3: gateway simulator.busy: repeated, it is set in line 2 already\n"},
        {"[gateway simulator]\nkind = simulator\nkind = worker\n",
         "t.conf:3: gateway simulator.kind: repeated, it is set in line 2 already\n"},
        {"\n[gateway simulator]\nring_ms_min = 2000\nring_ms_max = 1000\n",
         "t.conf:2: gateway simulator: ring_ms_min is above ring_ms_max\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_faults(cases[i].text, cases[i].faults);
    }
}

static void all_faults_are_listed(void **state)
{
    (void)state;
    assert_faults("[server]\n"
                  "listen = nowhere\n"
                  "what is this\n"
                  "[gateway simulator]\n"
                  "seed = one\n"
                  "[more]\n"
                  "[log]\n"
                  "level = 3\n",
                  "t.conf:2: server.listen: \"nowhere\" is no address and port, as 127.0.0.1:3000 "
                  "or [::1]:3000\n"
                  "t.conf:3: neither a section nor KEY = VALUE\n"
                  "t.conf:5: gateway simulator.seed: \"one\" does not fit: a whole number; another "
                  "one gives other calls\n"
                  "t.conf:6: more: unknown section\n"
                  "t.conf:8: log.level: must be one of debug, info, warn, error\n");
}

static void a_long_line_is_a_fault(void **state)
{
    char text[2048] = "[server]\n";
    size_t size = strlen(text);

    (void)state;
    memset(text + size, 'x', 1500);
    memcpy(text + size + 1500, "\n[more]\n", 9);
    assert_faults(text, "t.conf:2: the line is too long\nt.conf:3: more: unknown section\n");
}

static void a_nul_is_a_fault(void **state)
{
    struct config config;
    struct buf errors;

    (void)state;
    buf_init(&errors);
    config_defaults(&config, gateway_kinds);
    assert_int_equal(
        config_load_text("t.conf", SLICE("[log]\nlevel = info\0x\n"), &config, &errors), OD_EINVAL);
    assert_int_equal(buf_append_byte(&errors, '\0'), 0);
    assert_string_equal(errors.data, "t.conf:2: the line has a control character\n");
    buf_deinit(&errors);
    config_free(&config);
}

static void too_many_gateways_are_a_fault(void **state)
{
    struct buf text;
    struct config config;
    char faults[1024];

    (void)state;
    buf_init(&text);
    for (int i = 0; i <= CONFIG_GATEWAYS_MAX; i++) {
        assert_int_equal(buf_printf(&text, "[gateway g%d]\nkind = worker\n", i), 0);
    }
    assert_int_equal(buf_append_byte(&text, '\0'), 0);
    assert_int_equal(load(text.data, &config, faults), OD_EINVAL);
    assert_string_equal(faults, "t.conf:65: gateway g32: too many gateways\n");
    config_free(&config);
    buf_deinit(&text);
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
    struct config config;
    struct buf errors;

    (void)state;
    buf_init(&errors);
    config_defaults(&config, gateway_kinds);
    assert_int_equal(config_load("/no/such.conf", &config, &errors), OD_EINVAL);
    assert_int_equal(config_load("/", &config, &errors), OD_EINVAL);
    assert_int_equal(buf_append_byte(&errors, '\0'), 0);
    assert_string_equal(errors.data, "/no/such.conf: cannot be read: No such file or directory\n"
                                     "/: cannot be read: Is a directory\n");
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
    cmocka_unit_test(a_file_changes_what_it_names),
    cmocka_unit_test(an_empty_file_is_the_defaults),
    cmocka_unit_test(a_file_with_a_gateway_names_all_gateways),
    cmocka_unit_test(the_command_line_is_over_the_file),
    cmocka_unit_test(every_kind_of_fault_has_its_line),
    cmocka_unit_test(every_fault_of_a_gateway_has_its_line),
    cmocka_unit_test(all_faults_are_listed),
    cmocka_unit_test(a_long_line_is_a_fault),
    cmocka_unit_test(a_nul_is_a_fault),
    cmocka_unit_test(too_many_gateways_are_a_fault),
    cmocka_unit_test(a_file_that_cannot_be_read_is_named),
    cmocka_unit_test(addresses_are_taken_apart),
};

OD_TEST_MAIN(tests)
