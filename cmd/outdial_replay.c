/* outdial-replay: runs a trace through the engine's actors and store (docs/traces.md).
 *
 * Status: 0 replayed, and with --verify as it was recorded; 1 could not run; 2 bad command line; 3
 * the trace is damaged, cut off or ended early, and was replayed up to there; 4 something came out
 * otherwise than it was recorded; 70 an invariant of the engine failed.
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
#include "engine/clock.h"

enum {
    STATUS_CANNOT = 1,
    STATUS_USAGE = 2,
    STATUS_DAMAGED = 3,
    STATUS_DIFFERENT = 4,
    STATUS_INVARIANT = 70,
    OPTION_STORE = 256,
    OPTION_SPEED,
    OPTION_VERIFY,
    OPTION_JSON,
    BAR_CELLS = 40,
    BAR_NS = 100000000,
    BAR_STEPS = 256, /* records between two looks at the clock */
};

struct arguments {
    struct replay_options replay;
    bool json;
};

/* ---- command line ---- */

static const struct argp_option options[] = {
    {"store", OPTION_STORE, "DIR", 0,
     "Replay on the store in DIR, a copy of the one that the trace began at; it is changed", 0},
    {"speed", OPTION_SPEED, "max|Nx", 0,
     "As fast as it goes (max, the default), or N times as fast "
     "as it was recorded",
     0},
    {"verify", OPTION_VERIFY, NULL, 0,
     "Compare with the recorded digests, and name the first message that differs", 0},
    {"json", OPTION_JSON, NULL, 0, "Print one JSON object", 0},
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

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct arguments *arguments = state->input;

    switch (key) {
    case OPTION_STORE: arguments->replay.store = value; break;
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
    case ARGP_KEY_END:
        if (arguments->replay.trace == NULL) {
            /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread */
            argp_error(state, "no FILE");
        }
        break;
    default: return ARGP_ERR_UNKNOWN;
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
        .doc = "Replays a trace that outdiald --record made."
               "\vFILE - is standard input. Ends with 0 when it was replayed, and with --verify "
               "came out as "
               "recorded; 3 when the trace is damaged, cut off or ended early; 4 when something "
               "differs; 70 when an invariant failed; else 1 or 2.",
    };

    argp_program_version_hook = print_version;
    argp_err_exit_status = STATUS_USAGE;
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
    _exit(STATUS_INVARIANT);
}

/* ---- progress ---- */

struct bar {
    bool is_shown;
    int64_t shown_ns;
    unsigned steps;
};

static void show(struct bar *bar, const struct replay *replay, int64_t begun_ns)
{
    uint64_t at = replay_at(replay), size = replay_size(replay);
    int64_t now_ns;
    unsigned filled;
    double seconds;

    if (!bar->is_shown || ++bar->steps % BAR_STEPS != 0) {
        return;
    }
    now_ns = clock_mono_ns();
    if (now_ns - bar->shown_ns < BAR_NS) {
        return;
    }
    bar->shown_ns = now_ns;
    seconds = (double)(now_ns - begun_ns) / 1e9;
    filled = size > 0 ? (unsigned)(at * BAR_CELLS / size) : 0;
    (void)fprintf(stderr, "\r[%.*s%*s] %3u %%  %" PRIu64 " messages  %.0f/s ", (int)filled,
                  "########################################", (int)(BAR_CELLS - filled), "",
                  size > 0 ? (unsigned)(at * 100 / size) : 0, replay_figures(replay)->messages,
                  (double)replay_figures(replay)->messages / seconds);
}

static void clear(const struct bar *bar)
{
    if (bar->shown_ns != 0) {
        (void)fputs("\r\033[K", stderr);
    }
}

/* ---- running ---- */

static int status_of(const struct replay_outcome *outcome)
{
    if (outcome->figures->is_different) {
        return STATUS_DIFFERENT;
    }
    return outcome->damage != NULL ? STATUS_DAMAGED : 0;
}

/* Replays to the end, or to the damage. Returns the status. */
static int run(const struct arguments *arguments, struct replay *replay)
{
    struct bar bar = {.is_shown = isatty(STDERR_FILENO) != 0};
    struct replay_outcome outcome = {.file = arguments->replay.trace,
                                     .header = replay_header(replay),
                                     .figures = replay_figures(replay),
                                     .is_verified = arguments->replay.verify,
                                     .fits = replay_fits(replay)};
    int64_t begun_ns = clock_mono_ns();
    struct od_error error, last;
    int code;

    do {
        code = replay_step(replay, &error);
        show(&bar, replay, begun_ns);
    } while (code == 0);
    clear(&bar);
    if (code == OD_ECORRUPT) {
        outcome.damage = error.text;
    } else if (code != OD_ENOTFOUND) {
        (void)fprintf(stderr, "outdial-replay: %s\n", error.text);
        return STATUS_CANNOT;
    } else if (!outcome.figures->has_end) {
        outcome.damage = outcome.figures->is_lost ? "the recording ended early"
                                                  : "cut off: it has no end record";
    }
    if (replay_finish(replay, &outcome.state, &last) != 0) {
        (void)fprintf(stderr, "outdial-replay: %s\n", last.text);
        return STATUS_CANNOT;
    }
    outcome.seconds = (double)(clock_mono_ns() - begun_ns) / 1e9;
    if (outcome.damage != NULL) {
        (void)fprintf(stderr, "outdial-replay: %s: %s; %" PRIu64 " messages before it\n",
                      outcome.file, outcome.damage, outcome.figures->letters);
    }
    if ((arguments->json ? print_outcome_json(&outcome) : print_outcome(&outcome)) != 0) {
        (void)fprintf(stderr, "outdial-replay: standard output: %s\n", strerrordesc_np(errno));
        return STATUS_CANNOT;
    }
    return status_of(&outcome);
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.json = false};
    struct replay *replay;
    struct od_error error;
    int status;

    parse_arguments(argc, argv, &arguments);
    log_open(LOG_LEVEL_ERROR, LOG_TEXT_FORMAT, STDERR_FILENO);
    if (sodium_init() < 0) {
        (void)fputs("outdial-replay: libsodium cannot be used\n", stderr);
        return STATUS_CANNOT;
    }
    if (replay_open(&arguments.replay, &replay, &error) != 0) {
        (void)fprintf(stderr, "outdial-replay: %s\n", error.text);
        return STATUS_CANNOT;
    }
    watched = replay_figures(replay);
    (void)signal(SIGABRT, on_abort);
    status = run(&arguments, replay);
    replay_close(replay);
    return status;
}
