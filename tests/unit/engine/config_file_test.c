/* engine/config_file and config_gateways: what files say, and every fault with its exact line. */
#include <stdio.h>

#include "engine/config.h"
#include "engine/gateway_port.h"
#include "tests/support/od_test.h"

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
        {"[server]\ntls_key = key.pem\n", "t.conf:2: server.tls_key: needs tls_certificate too\n"},
        {"[server]\ntls_certificate = cert.pem\ntls_key =\n",
         "t.conf:2: server.tls_certificate: needs tls_key too\n"},
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

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_file_changes_what_it_names),
    cmocka_unit_test(an_empty_file_is_the_defaults),
    cmocka_unit_test(a_file_with_a_gateway_names_all_gateways),
    cmocka_unit_test(every_kind_of_fault_has_its_line),
    cmocka_unit_test(every_fault_of_a_gateway_has_its_line),
    cmocka_unit_test(all_faults_are_listed),
    cmocka_unit_test(a_long_line_is_a_fault),
    cmocka_unit_test(a_nul_is_a_fault),
    cmocka_unit_test(too_many_gateways_are_a_fault),
    cmocka_unit_test(a_file_that_cannot_be_read_is_named),
};

OD_TEST_MAIN(tests)
