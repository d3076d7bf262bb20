/* outdial-replay: runs a trace through the engine's actors and store, or drives a daemon with it
 * (docs/traces.md).
 *
 * Status: 0 replayed, and with --verify as it was recorded, with --http answered as it was; 1 could
 * not run; 2 bad command line; 3 the trace is damaged, cut off or ended early, and was replayed up
 * to there; 4 something came out otherwise than it was recorded; 70 an invariant of the engine
 * failed.
 */
#include "cmd/outdial_replay.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/log.h"
#include "base/version.h"
#include "cmd/outdial_replay_http.h"
#include "cmd/outdial_replay_http_wire.h"
#include "cmd/outdialctl.h"
#include "engine/clock.h"

enum {
    OPTION_STORE = 256,
    OPTION_MAP_SIZE,
    OPTION_SPEED,
    OPTION_VERIFY,
    OPTION_JSON,
    OPTION_HTTP,
    OPTION_KEY,
    OPTION_KEY_FILE,
    OPTION_CA_FILE,
    OPTION_CONNECTIONS,
    OPTION_WAIT,
    BAR_STEPS = 256, /* records between two looks at the clock */
    CONNECTIONS = 8,
    CONNECTIONS_MAX = 1000,
    WAIT_S = 30,
    WAIT_MAX_S = 86400 * 366,
    MAP_MAX_GIB = 64 << 10,
};

struct arguments {
    struct replay_options replay;
    struct http_options http; /* `url` NULL: no daemon is driven */
    const char *only_http;    /* an option that was given and needs --http */
    bool json;
};

/* ---- command line ---- */

static const struct argp_option options[] = {
    {"store", OPTION_STORE, "DIR", 0,
     "Replay on the store in DIR, a copy of the one that the trace began at; it is changed", 0},
    {"map-size", OPTION_MAP_SIZE, "GIB", 0, "How large the store may become (64)", 0},
    {"speed", OPTION_SPEED, "max|Nx", 0,
     "As fast as it goes (max, the default), or N times as fast "
     "as it was recorded",
     0},
    {"verify", OPTION_VERIFY, NULL, 0,
     "Compare with the recorded digests, and name the first message that differs", 0},
    {"json", OPTION_JSON, NULL, 0, "Print one JSON object", 0},
    {NULL, 0, NULL, 0, "Driving a running daemon:", 1},
    {"http", OPTION_HTTP, "URL", 0,
     "Let what clients and workers did happen again to the daemon at URL", 1},
    {"key", OPTION_KEY, "KEY", 0,
     "An admin's API key ($OUTDIAL_KEY; other users of the machine see options)", 1},
    {"key-file", OPTION_KEY_FILE, "FILE", 0, "File whose first line is that key", 1},
    {"ca-file", OPTION_CA_FILE, "FILE", 0,
     "Certificates that an https address may have ($OUTDIAL_CA_FILE; those of the system)", 1},
    {"connections", OPTION_CONNECTIONS, "N", 0, "So many at a time (8), and a few for claims", 1},
    {"wait", OPTION_WAIT, "SECONDS", 0,
     "Wait so long for a call that the daemon does not offer (30)", 1},
    {NULL, 0, NULL, 0, NULL, 0},
};

/* "max", "10x", "0.5x"; -1: none of these. */
static double parse_speed(const char *text)
{
    char *end;
    double speed;

    if (strcmp(text, "max") == 0) {
        return 0;
    }
    speed = strtod(text, &end);
    return end != text && strcmp(end, "x") == 0 && isfinite(speed) && speed > 0 ? speed : -1;
}

static unsigned parse_number(struct argp_state *state, const char *option, const char *text,
                             unsigned low, unsigned high)
{
    char *end;
    unsigned long number;

    errno = 0;
    number = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || number < low ||
        number > high) {
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread */
        argp_error(state, "%s: \"%s\" is no number from %u to %u", option, text, low, high);
    }
    return (unsigned)number;
}

/* Options of driving a daemon; false: none of them. */
static bool parse_http(int key, char *value, struct arguments *arguments, struct argp_state *state)
{
    struct http_options *http = &arguments->http;

    switch (key) {
    case OPTION_HTTP:
        if (!wire_url_is_good(value)) {
            /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread */
            argp_error(state, "--http: \"%s\" is no address as http://127.0.0.1:3000", value);
        }
        http->url = value;
        return true;
    case OPTION_KEY:
        http->key = value;
        arguments->only_http = "--key";
        return true;
    case OPTION_KEY_FILE:
        http->key_file = value;
        arguments->only_http = "--key-file";
        return true;
    case OPTION_CA_FILE:
        http->ca_file = value;
        arguments->only_http = "--ca-file";
        return true;
    case OPTION_CONNECTIONS:
        http->connections = parse_number(state, "--connections", value, 1, CONNECTIONS_MAX);
        arguments->only_http = "--connections";
        return true;
    case OPTION_WAIT:
        http->wait_s = parse_number(state, "--wait", value, 0, WAIT_MAX_S);
        arguments->only_http = "--wait";
        return true;
    default: return false;
    }
}

static void check_options(const struct arguments *arguments, struct argp_state *state)
{
    const struct replay_options *replay = &arguments->replay;

    if (replay->trace == NULL) {
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread */
        argp_error(state, "no FILE");
    }
    if (arguments->http.url != NULL && (replay->verify || replay->store != NULL)) {
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread */
        argp_error(state, "%s does not go with --http", replay->verify ? "--verify" : "--store");
    }
    if (arguments->http.url == NULL && arguments->only_http != NULL) {
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread */
        argp_error(state, "%s needs --http", arguments->only_http);
    }
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct arguments *arguments = state->input;

    switch (key) {
    case OPTION_STORE: arguments->replay.store = value; break;
    case OPTION_MAP_SIZE:
        arguments->replay.map_size_bytes =
            (uint64_t)parse_number(state, "--map-size", value, 1, MAP_MAX_GIB) << 30;
        break;
    case OPTION_SPEED:
        arguments->replay.speed = parse_speed(value);
        if (arguments->replay.speed < 0) {
            /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread */
            argp_error(state, "--speed: \"%s\" is not max and no multiple as 10x", value);
        }
        break;
    case OPTION_VERIFY: arguments->replay.verify = true; break;
    case OPTION_JSON: arguments->json = true; break;
    case ARGP_KEY_ARG:
        if (arguments->replay.trace != NULL) {
            /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread */
            argp_error(state, "unexpected argument: %s", value);
        }
        arguments->replay.trace = value;
        break;
    case ARGP_KEY_END: check_options(arguments, state); break;
    default: return parse_http(key, value, arguments, state) ? 0 : ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static void print_version(FILE *stream, struct argp_state *state)
{
    (void)state;
    (void)fprintf(stream, "outdial-replay %s\n", OUTDIAL_VERSION);
}

static void parse_arguments(int argc, char **argv, struct arguments *out)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "FILE",
        .doc = "Replays a trace that outdiald --record made, or lets it happen again to a running "
               "daemon."
               "\vFILE - is standard input. Ends with 0 when it was replayed, and with --verify "
               "came out as "
               "recorded; 3 when the trace is damaged, cut off or ended early; 4 when something "
               "differs; 70 when an invariant failed; else 1 or 2.",
    };

    argp_program_version_hook = print_version;
    argp_err_exit_status = REPLAY_USAGE;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread */
    (void)argp_parse(&argp, argc, argv, 0, NULL, out);
}

/* ---- a failed invariant ---- */

/* A trace of another version, or one that somebody wrote, may lead the actors where they never come
 * by themselves: they stop by OD_CHECK, and this says where. */
static const struct replay_figures *watched;

static void on_abort(int number)
{
    static const char text[] = "outdial-replay: an invariant of the engine failed at message ";
    char digits[24];
    size_t at = sizeof(digits);
    uint64_t index = watched != NULL ? watched->letters + 1 : 0;

    (void)number;
    digits[--at] = '\n';
    do {
        digits[--at] = (char)('0' + index % 10);
        index /= 10;
    } while (index > 0);
    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    (void)!write(STDERR_FILENO, digits + at, sizeof(digits) - at);
    _exit(REPLAY_INVARIANT);
}

/* ---- progress ---- */

static void show(struct bar *bar, const struct replay *replay, unsigned *steps)
{
    uint64_t messages = replay_figures(replay)->messages;
    double seconds;

    if (!bar->is_shown || ++*steps % BAR_STEPS != 0) {
        return;
    }
    seconds = (double)(clock_mono_ns() - bar->begun_ns) / 1e9;
    bar_draw(bar, replay_at(replay), replay_size(replay), "%" PRIu64 " messages  %.0f/s ", messages,
             (double)messages / seconds);
}

/* ---- running ---- */

static int status_of(const struct replay_outcome *outcome)
{
    if (outcome->figures->is_different) {
        return REPLAY_DIFFERENT;
    }
    return outcome->damage != NULL ? REPLAY_DAMAGED : 0;
}

/* Replays to the end, or to the damage. Returns the status. */
static int run(const struct arguments *arguments, struct replay *replay)
{
    struct bar bar;
    unsigned steps = 0;
    struct replay_outcome outcome = {.file = arguments->replay.trace,
                                     .header = replay_header(replay),
                                     .figures = replay_figures(replay),
                                     .is_verified = arguments->replay.verify,
                                     .fits = replay_fits(replay)};
    struct od_error error, last;
    int code;

    bar_begin(&bar);
    do {
        code = replay_step(replay, &error);
        show(&bar, replay, &steps);
    } while (code == 0);
    bar_end(&bar);
    if (code == OD_ECORRUPT) {
        outcome.damage = error.text;
    } else if (code != OD_ENOTFOUND) {
        (void)fprintf(stderr, "outdial-replay: %s\n", error.text);
        return REPLAY_CANNOT;
    } else if (!outcome.figures->has_end) {
        outcome.damage = outcome.figures->is_lost ? "the recording ended early"
                                                  : "cut off: it has no end record";
    }
    if (replay_finish(replay, &outcome.state, &last) != 0) {
        (void)fprintf(stderr, "outdial-replay: %s\n", last.text);
        return REPLAY_CANNOT;
    }
    outcome.seconds = (double)(clock_mono_ns() - bar.begun_ns) / 1e9;
    if (outcome.damage != NULL) {
        (void)fprintf(stderr, "outdial-replay: %s: %s; %" PRIu64 " messages before it\n",
                      outcome.file, outcome.damage, outcome.figures->letters);
    }
    if ((arguments->json ? print_outcome_json(&outcome) : print_outcome(&outcome)) != 0) {
        (void)fprintf(stderr, "outdial-replay: standard output: %s\n", strerrordesc_np(errno));
        return REPLAY_CANNOT;
    }
    return status_of(&outcome);
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.http = {.connections = CONNECTIONS,
                                           .wait_s = WAIT_S,
                                           .ca_file = ctl_environment("OUTDIAL_CA_FILE")}};
    struct replay *replay;
    struct od_error error;
    int status;

    parse_arguments(argc, argv, &arguments);
    log_open(LOG_LEVEL_ERROR, LOG_TEXT_FORMAT, STDERR_FILENO);
    if (sodium_init() < 0) {
        (void)fputs("outdial-replay: libsodium cannot be used\n", stderr);
        return REPLAY_CANNOT;
    }
    if (arguments.http.url != NULL) {
        arguments.http.trace = arguments.replay.trace;
        arguments.http.speed = arguments.replay.speed;
        arguments.http.is_json = arguments.json;
        return http_replay(&arguments.http);
    }
    if (replay_open(&arguments.replay, &replay, &error) != 0) {
        (void)fprintf(stderr, "outdial-replay: %s\n", error.text);
        return REPLAY_CANNOT;
    }
    watched = replay_figures(replay);
    (void)signal(SIGABRT, on_abort);
    status = run(&arguments, replay);
    replay_close(replay);
    return status;
}
