/* outdial-trace gen: a trace of a made-up world (outdial_trace_world.h).
 *
 * The engine itself runs, stepped by hand on a store in a temporary folder, and is recorded as a
 * daemon's would be: so the trace says what the engine has decided, and verifies. Clock, ids and
 * random bytes come from the options, so the same options make the same bytes.
 */
#include "cmd/outdial_trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/check.h"
#include "base/instant.h"
#include "base/log.h"
#include "cmd/outdial_trace_gen.h"
#include "cmd/outdial_trace_world.h"
#include "cmd/outdialctl.h"
#include "model/names.h"

#define DEFAULT_MIX   "answered=0.45,voicemail=0.15,busy=0.1,no_answer=0.25,rejected=0.04,error=0.01"
#define DEFAULT_START INT64_C(1767603600000) /* 2026-01-05T09:00:00Z, a Monday */

enum {
    OPTION_EXECUTIONS = 0x200,
    OPTION_CONTACTS,
    OPTION_ORGANISATIONS,
    OPTION_MIX,
    OPTION_ARRIVAL,
    OPTION_RATE,
    OPTION_BATCH,
    OPTION_RETRIES,
    OPTION_PAUSES,
    OPTION_CANCELS,
    OPTION_FAULTS,
    OPTION_SEED,
    OPTION_START,
    OPTION_TIMEZONE,
    OPTION_FIRST,
};

enum {
    ORGANISATIONS_MAX = 10000,
    EXECUTIONS_MAX = 100000,
    CONTACTS_MAX = 100000000,
    BATCH_MAX = 1000,
    RETRIES_MAX = 20,
    FIRST_MAX = 100000000,
};

struct gen_input {
    struct world_options world;
    struct gen_target target;
    bool has_pauses, has_cancels, is_json;
};

static const struct argp_option options[] = {
    {"output", TOOL_OPTION_OUTPUT, "FILE", 0, "the trace; a file that is there is not overwritten",
     0},
    {"seed", OPTION_SEED, "N", 0, "decides everything that the other options leave open (1)", 0},
    {"organisations", OPTION_ORGANISATIONS, "N", 0, "(1)", 0},
    {"organizations", OPTION_ORGANISATIONS, "N", OPTION_ALIAS | OPTION_HIDDEN, NULL, 0},
    {"executions", OPTION_EXECUTIONS, "N", 0,
     "launched a second apart, the organisations in turn (1)", 0},
    {"contacts", OPTION_CONTACTS, "N", 0, "of all executions together (1000)", 0},
    {"mix", OPTION_MIX, "OUTCOME=WEIGHT,...", 0,
     "how calls end (" DEFAULT_MIX "). Of `timeout` nothing is heard any more", 0},
    {"arrival", OPTION_ARRIVAL, "SHAPE", 0,
     "how the claims of workers are spread: constant, poisson, or burst, each ten seconds "
     "(poisson)",
     0},
    {"rate", OPTION_RATE, "N", 0, "calls that workers ask for, a second (50)", 0},
    {"batch", OPTION_BATCH, "N", 0, "calls a claim (1)", 0},
    {"retries", OPTION_RETRIES, "N", 0, "of a failed contact, a minute later (2)", 0},
    {"pauses", OPTION_PAUSES, "N", 0, "executions that are paused for half a minute (a fifth)", 0},
    {"cancels", OPTION_CANCELS, "N", 0, "executions that are cancelled (a tenth)", 0},
    {"faults", OPTION_FAULTS, "SHARE", 0,
     "of the calls, with which a worker dies, gives back, or tells twice (0.02)", 0},
    {"start", OPTION_START, "ISO", 0, "where the clock starts (2026-01-05T09:00:00Z)", 0},
    {"timezone", OPTION_TIMEZONE, "NAME", 0,
     "of the organisations; any but UTC brings this machine's rules into the trace (UTC)", 0},
    {"first", OPTION_FIRST, "N", 0,
     "number of the first organisation, audience and execution, so that traces can be merged (1)",
     0},
    {"json", TOOL_OPTION_JSON, NULL, 0, "print what was made as JSON", 0},
    {0},
};

/* ---- options ---- */

/* A decimal with up to 6 places, in millionths. */
static bool read_millionths(struct slice text, uint64_t *out)
{
    uint64_t number = 0;
    int places = -1; /* -1: no point yet */

    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '.' && places < 0) {
            places = 0;
        } else if (text.data[i] < '0' || text.data[i] > '9' || places == 6 || number > UINT32_MAX) {
            return false;
        } else {
            number = number * 10 + (uint64_t)(text.data[i] - '0');
            places += places >= 0;
        }
    }
    for (int i = places < 0 ? 0 : places; i < 6; i++) {
        number *= 10;
    }
    *out = number;
    return text.size > 0;
}

static bool read_weight(struct slice part, uint64_t weights[WORLD_OUTCOMES])
{
    const char *equals = memchr(part.data, '=', part.size);
    enum outcome outcome;
    struct slice name, weight;

    if (equals == NULL) {
        return false;
    }
    name = slice_make(part.data, (size_t)(equals - part.data));
    weight = slice_make(equals + 1, part.size - name.size - 1);
    return outcome_from(name, &outcome) && weights[outcome] == 0 &&
           read_millionths(weight, &weights[outcome]);
}

static bool read_mix(const char *text, uint64_t weights[WORLD_OUTCOMES])
{
    uint64_t total = 0;

    memset(weights, 0, WORLD_OUTCOMES * sizeof(*weights));
    while (true) {
        size_t size = strcspn(text, ",");

        if (!read_weight(slice_make(text, size), weights)) {
            return false;
        }
        text += size;
        if (*text == '\0') {
            break;
        }
        text++;
    }
    for (unsigned i = 0; i < WORLD_OUTCOMES; i++) {
        total += weights[i];
    }
    return total > 0;
}

static bool read_arrival(const char *text, enum world_arrival *out)
{
    static const char *const names[] = {"constant", "poisson", "burst"};

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = (enum world_arrival)i;
            return true;
        }
    }
    return false;
}

static void check_read(struct argp_state *state, bool is_good, const char *option)
{
    if (!is_good) {
        argp_error(state, "--%s: see --help", option); /* NOLINT(concurrency-mt-unsafe) */
    }
}

static bool parse_shape(struct gen_input *input, int key, const char *argument,
                        struct argp_state *state)
{
    struct world_options *world = &input->world;
    uint64_t faults = 0;

    switch (key) {
    case OPTION_MIX: check_read(state, read_mix(argument, world->weights), "mix"); return true;
    case OPTION_ARRIVAL:
        check_read(state, read_arrival(argument, &world->arrival), "arrival");
        return true;
    case OPTION_FAULTS:
        check_read(state, read_millionths(slice_from(argument), &faults) && faults <= WORLD_PART,
                   "faults");
        world->faults = (uint32_t)faults;
        return true;
    case OPTION_START:
        check_read(state, instant_parse(slice_from(argument), &input->target.start_at), "start");
        return true;
    case OPTION_TIMEZONE: world->timezone = argument; return true;
    case OPTION_SEED:
        world->seed = tool_number(state, "seed", argument, 0, UINT64_MAX);
        return true;
    case TOOL_OPTION_OUTPUT: input->target.path = argument; return true;
    case TOOL_OPTION_JSON: input->is_json = true; return true;
    default: return false;
    }
}

static bool parse_size(struct gen_input *input, int key, const char *argument,
                       struct argp_state *state)
{
    struct world_options *world = &input->world;

    const struct {
        int key;
        const char *name;
        uint32_t *number;
        uint32_t low, high;
    } numbers[] = {
        {OPTION_ORGANISATIONS, "organisations", &world->organisations, 1, ORGANISATIONS_MAX},
        {OPTION_EXECUTIONS, "executions", &world->executions, 1, EXECUTIONS_MAX},
        {OPTION_RATE, "rate", &world->rate, 1, WORLD_RATE_MAX},
        {OPTION_BATCH, "batch", &world->batch, 1, BATCH_MAX},
        {OPTION_RETRIES, "retries", &world->retries, 0, RETRIES_MAX},
        {OPTION_PAUSES, "pauses", &world->pauses, 0, EXECUTIONS_MAX},
        {OPTION_FIRST, "first", &world->first, 1, FIRST_MAX},
        {OPTION_CANCELS, "cancels", &world->cancels, 0, EXECUTIONS_MAX},
    };

    input->has_pauses |= key == OPTION_PAUSES;
    input->has_cancels |= key == OPTION_CANCELS;
    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (numbers[i].key == key) {
            *numbers[i].number = (uint32_t)tool_number(state, numbers[i].name, argument,
                                                       numbers[i].low, numbers[i].high);
            return true;
        }
    }
    if (key == OPTION_CONTACTS) {
        world->contacts = tool_number(state, "contacts", argument, 1, CONTACTS_MAX);
        return true;
    }
    return false;
}

/* What options together must be. */
static void check_all(struct gen_input *input, struct argp_state *state)
{
    struct world_options *world = &input->world;

    if (!input->has_pauses) {
        world->pauses = world->executions / 5;
    }
    if (!input->has_cancels) {
        world->cancels = world->executions / 10;
    }
    check_read(state, input->target.path != NULL, "output");
    if (world->organisations > world->executions || world->contacts < world->executions ||
        world->pauses > world->executions || world->cancels > world->executions) {
        /* NOLINTNEXTLINE(concurrency-mt-unsafe) */
        argp_error(state, "there must be an execution for each organisation, pause and cancel, and "
                          "a contact for each execution");
    }
}

static error_t on_option(int key, char *argument, struct argp_state *state)
{
    struct gen_input *input = state->input;

    if (key == ARGP_KEY_END) {
        check_all(input, state);
        return 0;
    }
    if (key == ARGP_KEY_ARG) {
        argp_error(state, "unexpected argument: %s", argument); /* NOLINT(concurrency-mt-unsafe) */
    }
    return parse_shape(input, key, argument, state) || parse_size(input, key, argument, state)
               ? 0
               : ARGP_ERR_UNKNOWN;
}

static const struct argp gen_argp = {
    .options = options,
    .parser = on_option,
    .args_doc = "-o FILE",
    .doc =
        "Makes a trace that begins with an empty store: organisations that load contacts and "
        "launch programs, workers that claim calls and report them, executions that are paused "
        "and cancelled. The same options make the same file, byte by byte, with the same version "
        "of the program."};

/* ---- running ---- */

struct gen_run {
    const struct gen_input *input;
    struct tool_bar bar;
    struct world_progress last;
};

static void on_progress(void *context, const struct world_progress *progress)
{
    struct gen_run *run = context;
    char at[INSTANT_TEXT_SIZE];

    run->last = *progress;
    instant_print(progress->at, at);
    tool_bar_draw(&run->bar, progress->ended, run->input->world.contacts, "%s of contacts, at %s",
                  CTL_NUMBER(progress->ended), at);
}

static void print_made(const struct gen_run *run)
{
    const struct world_progress *last = &run->last;
    const struct world_options *world = &run->input->world;

    if (run->input->is_json) {
        json_t *json = json_pack(
            "{s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "file", run->input->target.path, "seed",
            (json_int_t)world->seed, "posted", (json_int_t)last->messages, "calls",
            (json_int_t)last->calls, "contacts", (json_int_t)last->contacts, "ended",
            (json_int_t)last->ended, "ms", (json_int_t)(last->at - run->input->target.start_at));

        OD_CHECK(json != NULL);
        ctl_print_json(json);
        json_decref(json);
        return;
    }
    (void)printf("%s messages from outside", CTL_NUMBER(last->messages));
    (void)printf(" for %s calls", CTL_NUMBER(last->calls));
    (void)printf(" to %s contacts", CTL_NUMBER(last->ended));
    (void)printf(" in %s of the test clock: %s\n",
                 ctl_duration(last->at - run->input->target.start_at).text,
                 run->input->target.path);
}

int command_gen(int argc, char **argv)
{
    struct gen_input input = {.world = {.seed = 1,
                                        .organisations = 1,
                                        .executions = 1,
                                        .contacts = 1000,
                                        .arrival = ARRIVAL_POISSON,
                                        .rate = 50,
                                        .batch = 1,
                                        .retries = 2,
                                        .first = 1,
                                        .faults = WORLD_PART / 50,
                                        .timezone = "UTC"},
                              .target = {.start_at = DEFAULT_START}};
    struct gen_run run = {.input = &input};
    struct od_error error;
    int code;

    OD_CHECK(read_mix(DEFAULT_MIX, input.world.weights));
    tool_parse(&gen_argp, &input, argc, argv);
    log_open(LOG_LEVEL_ERROR, LOG_TEXT_FORMAT, STDERR_FILENO);
    gen_seed_random(input.world.seed);
    if (sodium_init() < 0) {
        return tool_fail(TOOL_FAILED, "random bytes cannot be had");
    }
    tool_bar_begin(&run.bar);
    code = gen_run_world(&input.target, &input.world, on_progress, &run, &error);
    tool_bar_end(&run.bar);
    if (code != 0) {
        return tool_fail(code == OD_EINVAL ? TOOL_USAGE : TOOL_FAILED, "%s", error.text);
    }
    print_made(&run);
    return TOOL_OK;
}
