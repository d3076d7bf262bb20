/* outdiald: the daemon. Arguments and wiring only.
 *
 * 1. The command line, the configuration file, the command line over it; faults end with status 2.
 * 2. Limits of the process, log, libevent's own messages.
 * 3. The engine opens the store, the API listens; systemd is told READY.
 * 4. The reactor runs until SIGTERM or SIGINT, then drains; systemd is told STOPPING.
 *
 * Status: 0 drained, 1 could not start, 2 bad command line or configuration, 70 the store cannot be
 * trusted.
 */
#include <argp.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>
#include <jansson.h>
#include <sodium.h>
#include <systemd/sd-daemon.h>

#include "api/api.h"
#include "base/instant.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/version.h"
#include "engine/clock.h"
#include "engine/engine.h"
#include "engine/gateway_port.h"

enum {
    STATUS_CANNOT_START = 1,
    STATUS_USAGE = 2,
    STATUS_STORE = 70,
};

/* ---- command line ---- */

enum {
    OPTION_CONFIG = 256,
    OPTION_LISTEN,
    OPTION_DATA_DIR,
    OPTION_TEST_CLOCK,
    OPTION_CHECK_CONFIG,
    OPTION_RECORD,
    OPTION_RECORD_RAW,
};

struct arguments {
    const char *config, *listen, *data_dir;
    bool has_test_clock;
    const char *test_clock; /* NULL: starts now */
    bool is_check;
    const char *record; /* NULL: nothing */
    bool is_raw;
};

static const struct argp_option options[] = {
    {"config", OPTION_CONFIG, "FILE", 0, "Read settings from FILE", 0},
    {"listen", OPTION_LISTEN, "ADDR:PORT", 0, "Serve the API there", 0},
    {"data-dir", OPTION_DATA_DIR, "DIR", 0, "Keep all data in DIR", 0},
    {"test-clock", OPTION_TEST_CLOCK, "ISO", OPTION_ARG_OPTIONAL,
     "Run on a virtual clock that stands still, at ISO or now, until a request moves it", 0},
    {"record", OPTION_RECORD, "FILE", 0,
     "Record all messages to FILE, a new file, with pseudonyms for numbers and names", 0},
    {"record-raw", OPTION_RECORD_RAW, NULL, 0, "Record numbers and names as they are", 0},
    {"check-config", OPTION_CHECK_CONFIG, NULL, 0, "Check the configuration and end", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct arguments *arguments = state->input;

    switch (key) {
    case OPTION_CONFIG: arguments->config = value; break;
    case OPTION_LISTEN: arguments->listen = value; break;
    case OPTION_DATA_DIR: arguments->data_dir = value; break;
    case OPTION_TEST_CLOCK:
        arguments->has_test_clock = true;
        arguments->test_clock = value;
        break;
    case OPTION_CHECK_CONFIG: arguments->is_check = true; break;
    case OPTION_RECORD: arguments->record = value; break;
    case OPTION_RECORD_RAW: arguments->is_raw = true; break;
    case ARGP_KEY_ARG:
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread */
        argp_error(state, "unexpected argument: %s", value);
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static void print_version(FILE *stream, struct argp_state *state)
{
    (void)state;
    (void)fprintf(stream, "outdiald %s\n", OUTDIAL_VERSION);
}

static void parse_arguments(int argc, char **argv, struct arguments *out)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .doc = "The outbound dialling engine."
               "\vWithout --config the defaults of conf/outdial.conf hold.",
    };

    argp_program_version_hook = print_version;
    argp_err_exit_status = STATUS_USAGE;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread */
    (void)argp_parse(&argp, argc, argv, 0, NULL, out);
}

/* ---- configuration ---- */

static int set_test_clock(const struct arguments *arguments, struct config *config,
                          struct buf *errors)
{
    struct clock clock;

    if (!arguments->has_test_clock) {
        return 0;
    }
    config->has_test_clock = true;
    if (arguments->test_clock == NULL) {
        clock_open_real(&clock);
        config->test_clock_at = clock_now(&clock);
        return 0;
    }
    if (!instant_parse(slice_from(arguments->test_clock), &config->test_clock_at)) {
        (void)buf_printf(errors, "--test-clock: \"%.64s\" is no instant, as 2026-11-23T20:53:57Z\n",
                         arguments->test_clock);
        return OD_EINVAL;
    }
    return 0;
}

/* Makes the configuration, or prints its faults. */
static int configure(const struct arguments *arguments, struct config *config)
{
    struct buf errors;
    int code = 0;

    buf_init(&errors);
    config_defaults(config, gateway_kinds);
    if (arguments->config != NULL) {
        code = config_load(arguments->config, config, &errors);
    }
    if (arguments->listen != NULL &&
        config_override(config, "--listen", "server.listen", arguments->listen, &errors) != 0) {
        code = OD_EINVAL;
    }
    if (arguments->data_dir != NULL && config_override(config, "--data-dir", "store.data_dir",
                                                       arguments->data_dir, &errors) != 0) {
        code = OD_EINVAL;
    }
    if (set_test_clock(arguments, config, &errors) != 0) {
        code = OD_EINVAL;
    }
    config->record_path = arguments->record;
    config->records_raw = arguments->is_raw;
    if (arguments->is_raw && arguments->record == NULL) {
        (void)buf_printf(&errors, "--record-raw: goes with --record FILE\n");
        code = OD_EINVAL;
    }
    if (errors.size > 0) {
        (void)fwrite(errors.data, 1, errors.size, stderr);
    }
    buf_deinit(&errors);
    return code;
}

/* ---- the process ---- */

static void open_log(const struct config *config)
{
    enum log_format format =
        config->log_format == CONFIG_LOG_JSON ? LOG_JSON_FORMAT : LOG_TEXT_FORMAT;

    if (config->log_format == CONFIG_LOG_AUTO && isatty(STDERR_FILENO) == 0) {
        format = LOG_JSON_FORMAT;
    }
    log_open((enum log_level)config->log_level, format, STDERR_FILENO);
}

/* libevent repeats itself when file descriptors run out, so at most one line a second. */
static void on_libevent_log(int severity, const char *text)
{
    static struct log_limit limit = LOG_LIMIT_INIT(1000);

    if (severity == EVENT_LOG_DEBUG) {
        return;
    }
    log_limited(&limit, severity == EVENT_LOG_ERR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, "libevent",
                FIELD_TEXT("text", text));
}

/* Without this it would end the process with status 1 and without a word. */
static void on_libevent_fatal(int error)
{
    log_error("libevent cannot go on", FIELD_INT("error", error));
    abort();
}

/* As many file descriptors as are allowed. */
static void raise_file_limit(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0) {
        return;
    }
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) {
        log_warn("the limit of open files cannot be raised");
    }
}

/* A core dump holds phone numbers and names. The limit is 1 and not 0, since one that is piped to a
 * program (core_pattern) is not stopped by 0. */
static void forbid_core_dumps(void)
{
    static const struct rlimit none = {.rlim_cur = 1, .rlim_max = 1};

    if (setrlimit(RLIMIT_CORE, &none) != 0) {
        log_warn("core dumps cannot be switched off");
    }
}

static int prepare_process(const struct config *config)
{
    open_log(config);
    /* Before anything of them is used: their memory, too, is there or the process ends. */
    event_set_mem_functions(memory_of_library, memory_of_library_again, memory_free);
    json_set_alloc_funcs(memory_of_library, memory_free);
    event_set_log_callback(on_libevent_log);
    event_set_fatal_callback(on_libevent_fatal);
    raise_file_limit();
    if (!config->core_dumps) {
        forbid_core_dumps();
    }
    (void)umask(S_IRWXG | S_IRWXO);
    /* Writes past RLIMIT_FSIZE are an error of the write then, as on a full disk. */
    if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || sodium_init() < 0) {
        log_error("the process cannot be prepared");
        return OD_EIO;
    }
    return 0;
}

/* ---- the daemon ---- */

enum { SIGNALS = 3 };

struct daemon {
    struct engine *engine;
    struct api *api;
    struct event *signals[SIGNALS];
    struct event *watchdog; /* NULL: systemd does not want it */
};

static void on_stop(evutil_socket_t signal_number, short what, void *context)
{
    struct daemon *daemon = context;

    (void)what;
    if (engine_is_draining(daemon->engine)) {
        return;
    }
    log_info("draining", FIELD_INT("signal", signal_number));
    (void)sd_notify(0, "STOPPING=1");
    api_stop(daemon->api);
    engine_stop(daemon->engine);
}

static void on_hangup(evutil_socket_t signal_number, short what, void *context)
{
    struct daemon *daemon = context;

    (void)signal_number;
    (void)what;
    engine_reload_zones(daemon->engine);
}

static void on_watchdog(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    (void)context;
    (void)sd_notify(0, "WATCHDOG=1");
}

static int open_signals(struct daemon *daemon, struct od_error *error)
{
    static const struct {
        int number;
        event_callback_fn on_signal;
    } signals[SIGNALS] = {{SIGTERM, on_stop}, {SIGINT, on_stop}, {SIGHUP, on_hangup}};
    struct event_base *base = engine_base(daemon->engine);

    for (size_t i = 0; i < SIGNALS; i++) {
        daemon->signals[i] = evsignal_new(base, signals[i].number, signals[i].on_signal, daemon);
        if (daemon->signals[i] == NULL || event_add(daemon->signals[i], NULL) != 0) {
            return od_error_set(error, OD_ENOMEM, "signals: out of memory");
        }
    }
    return 0;
}

/* Twice in the time in which systemd wants to hear from the reactor. */
static int open_watchdog(struct daemon *daemon, struct od_error *error)
{
    uint64_t wanted_us = 0;
    struct timeval interval;

    if (sd_watchdog_enabled(0, &wanted_us) <= 0) {
        return 0;
    }
    interval.tv_sec = (time_t)(wanted_us / 2 / 1000000);
    interval.tv_usec = (suseconds_t)(wanted_us / 2 % 1000000);
    daemon->watchdog = event_new(engine_base(daemon->engine), -1, EV_PERSIST, on_watchdog, daemon);
    if (daemon->watchdog == NULL || event_add(daemon->watchdog, &interval) != 0) {
        return od_error_set(error, OD_ENOMEM, "watchdog: out of memory");
    }
    return 0;
}

static int open_daemon(struct daemon *daemon, const struct config *config, struct od_error *error)
{
    int code = engine_open(config, &daemon->engine, error);

    if (code == 0) {
        code = api_open(daemon->engine, &daemon->api, error);
    }
    if (code == 0) {
        code = open_signals(daemon, error);
    }
    if (code == 0) {
        code = open_watchdog(daemon, error);
    }
    return code;
}

/* In the reverse order; what was not opened is NULL. */
static void close_daemon(struct daemon *daemon)
{
    if (daemon->watchdog != NULL) {
        event_free(daemon->watchdog);
    }
    for (size_t i = 0; i < SIGNALS; i++) {
        if (daemon->signals[i] != NULL) {
            event_free(daemon->signals[i]);
        }
    }
    /* A further SIGTERM must not end the process while the last answers are being written. libevent
     * has put the default action back with the events. */
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    api_close(daemon->api);
    if (daemon->engine != NULL) {
        engine_close(daemon->engine);
    }
    libevent_global_shutdown();
}

/* An address of the configuration, with the port that a 0 in it became. */
static void print_address(const char *configured, uint16_t port, char out[CONFIG_HOST_SIZE + 8])
{
    const char *colon = strrchr(configured, ':');

    (void)snprintf(out, CONFIG_HOST_SIZE + 8, "%.*s:%" PRIu16, (int)(colon - configured),
                   configured, port);
}

static void tell_ready(const struct daemon *daemon, const struct config *config)
{
    char address[CONFIG_HOST_SIZE + 8];
    struct buf key_file;

    print_address(config->listen, api_port(daemon->api), address);
    buf_init(&key_file);
    (void)buf_printf(&key_file, "%s/admin.key", config->data_dir);
    log_info("ready", FIELD_TEXT("version", OUTDIAL_VERSION), FIELD_TEXT("listen", address),
             FIELD_TEXT("data_dir", config->data_dir),
             FIELD_SLICE("admin_key_file", buf_slice(&key_file)));
    buf_deinit(&key_file);
    if (config->has_test_clock) {
        log_warn("on a test clock", FIELD_INSTANT("now", engine_now(daemon->engine)));
    }
    (void)sd_notify(0, "READY=1");
}

static int run(const struct config *config)
{
    struct daemon daemon = {.engine = NULL};
    struct od_error error;
    int code = open_daemon(&daemon, config, &error);
    int status;

    if (code != 0) {
        log_error("cannot start", FIELD_TEXT("reason", error.text));
        status = code == OD_ECORRUPT || code == OD_EPANIC ? STATUS_STORE : STATUS_CANNOT_START;
    } else {
        tell_ready(&daemon, config);
        status = engine_run(daemon.engine);
        log_info("stopped", FIELD_INT("status", status));
    }
    close_daemon(&daemon);
    return status;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.config = NULL};
    struct config config;
    int status;

    parse_arguments(argc, argv, &arguments);
    if (configure(&arguments, &config) != 0) {
        status = STATUS_USAGE;
    } else if (arguments.is_check) {
        status = puts("the configuration is good") >= 0 ? 0 : STATUS_CANNOT_START;
    } else if (prepare_process(&config) != 0) {
        status = STATUS_CANNOT_START;
    } else {
        status = run(&config);
    }
    config_free(&config);
    return status;
}
