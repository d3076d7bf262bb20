/* The campaign through the whole engine but HTTP: actors, group commit, simulator, all durable.
 *
 * N contacts in one audience are launched; each call is answered at once, 30 % of the attempts fail
 * and are retried after 0.2 s, at most 3 attempts. What is measured is the time from the launch to
 * `completed`; the counters must add up.
 *
 *     ./dev bench engine [--contacts N]... [--window W] [--dir DIR] [--json] [--record]
 *
 * With --record each run is done twice, the second time with a trace recorded beside the store.
 *
 * Prints a table, and with --json one JSON object a line.
 */
#include "engine/engine.h"

#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/instant.h"
#include "base/memory.h"
#include "bench/report.h"
#include "engine/clock.h"
#include "engine/mailbox.h"
#include "engine/metrics.h"
#include "gateways/kinds.h"
#include "storage/store.h"

enum {
    RUNS_MAX = 16,
    UPSERT_SIZE = 1000,
    UPSERTS_AHEAD = 8,
    WINDOW_DEFAULT = 4000,
    RETRY_MS = 200,
    RETRIES = 2
};

struct options {
    uint32_t contacts[RUNS_MAX];
    unsigned runs;
    const char *window;
    const char *directory;
    bool json;
    bool records; /* each run once more, recorded */
};

enum stage { MAKING, LOADING, LAUNCHING, DIALLING, DONE };

struct bench {
    struct engine *engine;
    struct event *watch;
    enum stage stage;
    uint32_t contacts, asked, loaded;
    struct uuid audience, flow, did, program, execution;
    uint32_t organisation, audience_number, execution_number;
    unsigned made;
    int64_t started_ns, launched_ns, first_call_ns, finished_ns;
    uint64_t attempts;
    struct execution_counters counters;
};

/* ---- messages ---- */

static void post(struct bench *bench, struct actor_name actor, enum message_type type,
                 const union payload *payload, struct arena *arena)
{
    struct message message = {.actor = actor,
                              .type = type,
                              .exchange = engine_next_exchange(bench->engine),
                              .payload = *payload};

    engine_post(bench->engine, &message, arena);
}

static struct actor_name directory(const struct bench *bench)
{
    return (struct actor_name){ACTOR_DIRECTORY, bench->organisation};
}

static void make_organisation(struct bench *bench)
{
    struct arena *arena = arena_new();
    struct organisation *organisation = arena_zalloc(arena, sizeof(*organisation));
    struct arena *did_arena = arena_new();
    struct did *did = arena_zalloc(did_arena, sizeof(*did));
    union payload payload;

    bench->organisation = engine_next_number(bench->engine, TABLE_ORGANISATION);
    organisation->number = bench->organisation;
    organisation->id = engine_new_id(bench->engine);
    organisation->name = SLICE("bench");
    organisation->timezone = SLICE("UTC");
    payload.organisation = organisation;
    post(bench, (struct actor_name){ACTOR_PLATFORM, 0}, MESSAGE_ORGANISATION_CREATE, &payload,
         arena);
    did->id = bench->did = engine_new_id(bench->engine);
    did->number = SLICE("+212520001234");
    did->status = DID_ACTIVE;
    payload.did = did;
    post(bench, (struct actor_name){ACTOR_PLATFORM, 0}, MESSAGE_DID_CREATE, &payload, did_arena);
}

static void make_directory(struct bench *bench)
{
    struct arena *arena = arena_new();
    struct audience *audience = arena_zalloc(arena, sizeof(*audience));
    struct arena *flow_arena = arena_new();
    struct flow *flow = arena_zalloc(flow_arena, sizeof(*flow));
    union payload payload;

    audience->id = bench->audience = engine_new_id(bench->engine);
    audience->number = bench->audience_number = engine_next_number(bench->engine, TABLE_AUDIENCE);
    audience->name = SLICE("bench");
    payload.audience = audience;
    post(bench, directory(bench), MESSAGE_AUDIENCE_CREATE, &payload, arena);
    flow->id = bench->flow = engine_new_id(bench->engine);
    flow->name = SLICE("bench");
    payload.flow = flow;
    post(bench, directory(bench), MESSAGE_FLOW_CREATE, &payload, flow_arena);
}

/* A batch of contacts, and their membership right behind it. */
static void load_contacts(struct bench *bench)
{
    uint32_t left = bench->contacts - bench->asked;
    uint32_t count = left < UPSERT_SIZE ? left : UPSERT_SIZE;
    struct arena *arena = arena_new();
    struct arena *member_arena = arena_new();
    struct contact_patch *patches = arena_zalloc(arena, count * sizeof(*patches));
    struct contact_list *list = arena_alloc(arena, sizeof(*list));
    struct uuid *ids = arena_alloc(member_arena, count * sizeof(*ids));
    union payload payload;

    for (uint32_t i = 0; i != count; i++) {
        patches[i].present = CONTACT_PRIMARY_PHONE | CONTACT_FULL_NAME;
        patches[i].value.id = ids[i] = engine_new_id(bench->engine);
        patches[i].value.primary_phone = arena_printf(arena, "+2126%08u", bench->asked + i);
        patches[i].value.full_name = SLICE("Amina Benali");
    }
    bench->asked += count;
    *list = (struct contact_list){.contacts = patches, .count = count};
    payload.contacts = list;
    post(bench, directory(bench), MESSAGE_CONTACTS_UPSERT, &payload, arena);
    payload.members = (struct id_list){.id = bench->audience, .ids = ids, .count = count};
    post(bench, directory(bench), MESSAGE_MEMBERS_ADD, &payload, member_arena);
}

static void make_program(struct bench *bench)
{
    struct arena *arena = arena_new();
    struct program *program = arena_zalloc(arena, sizeof(*program));
    union payload payload;

    program->id = bench->program = engine_new_id(bench->engine);
    program->name = SLICE("bench");
    program->flow_id = bench->flow;
    program->did_pool =
        memcpy(arena_alloc(arena, sizeof(bench->did)), &bench->did, sizeof(bench->did));
    program->did_count = 1;
    program->mode = MODE_BATCH;
    program->audience_id = bench->audience;
    program->retry = (struct retry_strategy){
        .type = RETRY_FIXED_DELAY, .delay_ms = RETRY_MS, .max_retries = RETRIES};
    program->status = PROGRAM_DRAFT;
    payload.program = program;
    post(bench, directory(bench), MESSAGE_PROGRAM_CREATE, &payload, arena);
}

static void launch(struct bench *bench)
{
    union payload payload;

    bench->execution_number = engine_next_number(bench->engine, TABLE_EXECUTION);
    bench->execution = engine_new_id(bench->engine);
    payload.launch_request = (struct launch_request){.program_id = bench->program,
                                                     .execution_number = bench->execution_number,
                                                     .execution_id = bench->execution};
    bench->started_ns = clock_mono_ns();
    post(bench, directory(bench), MESSAGE_PROGRAM_LAUNCH, &payload, NULL);
}

/* ---- stages ---- */

static bool read_state(struct bench *bench, struct execution_state *state)
{
    struct reader *reader = engine_begin_read(bench->engine);
    struct key key = key_u32(bench->execution_number);
    struct arena arena;
    int code;

    OD_CHECK(reader != NULL);
    arena_init(&arena, 1024);
    code = reader_get(reader, TABLE_EXECUTION_STATE, &key, &arena, state);
    engine_end_read(bench->engine, reader);
    arena_deinit(&arena);
    return code == 0;
}

static void on_watch(evutil_socket_t fd, short what, void *context)
{
    struct bench *bench = context;
    static const struct timeval again = {0, 1000};
    struct execution_state state;
    const struct metrics *metrics = engine_metrics(bench->engine);

    (void)fd;
    (void)what;
    if (bench->first_call_ns == 0 && metrics_value(metrics, METRIC_CALLS_QUEUED) > 0) {
        bench->first_call_ns = clock_mono_ns();
    }
    if (read_state(bench, &state)) {
        if (state.snapshot_done && bench->launched_ns == 0) {
            bench->launched_ns = clock_mono_ns();
        }
        if (state.status == EXECUTION_COMPLETED) {
            bench->finished_ns = clock_mono_ns();
            bench->counters = state.counters;
            bench->attempts = (uint64_t)metrics_value(metrics, METRIC_ATTEMPTS);
            bench->stage = DONE;
            engine_stop(bench->engine);
            return;
        }
    }
    evtimer_add(bench->watch, &again);
}

static void on_loaded(struct bench *bench)
{
    bench->loaded += 1;
    if (bench->asked < bench->contacts) {
        if (bench->loaded % 2 == 0) {
            load_contacts(bench);
        }
    } else if (bench->loaded == 2 * ((bench->contacts + UPSERT_SIZE - 1) / UPSERT_SIZE)) {
        bench->stage = LAUNCHING;
        make_program(bench);
    }
}

static void on_made(struct bench *bench)
{
    bench->made++;
    if (bench->made == 2) {
        make_directory(bench);
    } else if (bench->made == 4) {
        bench->stage = LOADING;
        for (unsigned i = 0; i < UPSERTS_AHEAD && bench->asked < bench->contacts; i++) {
            load_contacts(bench);
        }
    }
}

static void on_reply(void *context, uint64_t exchange, const struct reply *reply)
{
    struct bench *bench = context;
    static const struct timeval soon = {0, 1000};

    (void)exchange;
    if (reply->kind == REPLY_FAULT) {
        (void)fprintf(stderr, "engine: %s: %.*s\n", fault_name(reply->fault.code),
                      SLICE_ARGS(reply->fault.message));
        _exit(1);
    }
    if (bench->stage == MAKING) {
        on_made(bench);
    } else if (bench->stage == LOADING) {
        on_loaded(bench);
    } else if (bench->stage == LAUNCHING && reply->kind == REPLY_RECORD) {
        launch(bench);
        evtimer_add(bench->watch, &soon);
        bench->stage = DIALLING;
    }
}

/* ---- a run ---- */

static void set_option(struct gateway_config *gateway, const char *key, const char *value)
{
    gateway->options[gateway->option_count++] =
        (struct gateway_option_value){.key = key, .value = value};
}

static void configure(struct config *config, const struct options *options, const char *directory)
{
    struct gateway_config *simulator = &config->gateways[0];

    config_defaults(config, gateway_kinds);
    config->data_dir = directory;
    config->gateway_settings[0].max_calls = (uint32_t)strtoul(options->window, NULL, 10);
    set_option(simulator, "answer_instantly", "true");
    set_option(simulator, "answered", "70");
    set_option(simulator, "no_answer", "30");
    set_option(simulator, "voicemail", "0");
    set_option(simulator, "busy", "0");
    set_option(simulator, "rejected", "0");
    set_option(simulator, "error", "0");
}

static double seconds(int64_t from_ns, int64_t to_ns)
{
    return (double)(to_ns - from_ns) / 1e9;
}

static double ms_of(const struct histogram *histogram, uint32_t millionths)
{
    return (double)histogram_percentile(histogram, millionths) / 1e6;
}

static void print_result(const struct bench *bench, const struct options *options, long rss_before)
{
    const struct metrics *metrics = engine_metrics(bench->engine);
    const struct histogram *turn = metrics_histogram(metrics, METRIC_TURN_TIME);
    const struct histogram *commit = metrics_histogram(metrics, METRIC_COMMIT_TIME);
    const struct histogram *ops = metrics_histogram(metrics, METRIC_COMMIT_OPERATIONS);
    double dial_s = seconds(bench->started_ns, bench->finished_ns);
    double anon_kb = (double)status_kb("RssAnon:");
    const struct figure figures[] = {
        {"contacts", bench->contacts, 0},
        {"attempts", (double)bench->attempts, 0},
        {"attempts_per_s", (double)bench->attempts / dial_s, 0},
        {"launch_per_s", bench->contacts / seconds(bench->started_ns, bench->launched_ns), 0},
        {"first_call_ms", seconds(bench->started_ns, bench->first_call_ns) * 1e3, 1},
        {"operations_per_commit", (double)ops->sum / (double)ops->count, 0},
        {"commit_p50_ms", ms_of(commit, 500000), 2},
        {"commit_p99_ms", ms_of(commit, 990000), 2},
        {"turn_p50_ms", ms_of(turn, 500000), 3},
        {"turn_p99_ms", ms_of(turn, 990000), 3},
        {"turn_p999_ms", ms_of(turn, 999000), 3},
        {"turn_max_ms", (double)turn->maximum / 1e6, 3},
        {"rss_anon_mib", anon_kb / 1024, 1},
        {"rss_anon_growth_mib", (anon_kb - (double)rss_before) / 1024, 1},
        {"peak_rss_mib", (double)status_kb("VmHWM:") / 1024, 1},
        {"store_bytes_per_contact",
         (double)metrics_value(metrics, METRIC_STORE_BYTES) / bench->contacts, 0},
        {"trace_bytes_per_attempt",
         (double)metrics_value(metrics, METRIC_TRACE_BYTES) / (double)bench->attempts, 0},
    };

    print_figures(figures, sizeof(figures) / sizeof(figures[0]), options->json);
}

static int run(const struct options *options, uint32_t contacts, bool records)
{
    char folder[4096], trace[4096 + 16];
    struct config *config = memory_zero(1, sizeof(*config));
    struct bench bench = {.contacts = contacts};
    struct od_error error;

    (void)snprintf(folder, sizeof(folder), "%s/outdial-bench-XXXXXX", options->directory);
    if (mkdtemp(folder) == NULL) {
        perror(folder);
        return 1;
    }
    configure(config, options, folder);
    if (records) {
        (void)snprintf(trace, sizeof(trace), "%s/trace", folder);
        config->record_path = trace;
    }
    if (engine_open(config, &bench.engine, &error) != 0) {
        (void)fprintf(stderr, "engine: %s\n", error.text);
        return 1;
    }
    long rss_before = status_kb("RssAnon:");

    bench.watch = evtimer_new(engine_base(bench.engine), on_watch, &bench);
    engine_set_replies(bench.engine, on_reply, &bench);
    make_organisation(&bench);
    int status = engine_run(bench.engine);

    OD_CHECK(bench.counters.total == contacts &&
             bench.counters.completed + bench.counters.failed == contacts);
    print_result(&bench, options, rss_before);
    event_free(bench.watch);
    engine_close(bench.engine);
    config_free(config);
    memory_free(config);

    if (records) {
        (void)unlink(trace);
    }
    remove_store(folder);
    return status;
}

/* Each run is a process of its own, so that its memory is its own. */
static int run_apart(const struct options *options, uint32_t contacts, bool records)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        _exit(run(options, contacts, records));
    }
    OD_CHECK(child > 0 && waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case 'n':
        if (options->runs == RUNS_MAX) {
            argp_error(state, "at most %d sizes", RUNS_MAX); // NOLINT(concurrency-mt-unsafe)
        }
        options->contacts[options->runs++] = (uint32_t)strtoul(argument, NULL, 10);
        return 0;
    case 'w': options->window = argument; return 0;
    case 'd': options->directory = argument; return 0;
    case 'j': options->json = true; return 0;
    case 'r': options->records = true; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const char *const heads[] = {"contacts", "attempts", "attempts/s", "launch/s", "first ms",
                                    "ops/com",  "com p50",  "com p99",    "turn p50", "p99",
                                    "p99.9",    "max ms",   "anon MiB",   "growth",   "peak MiB",
                                    "B/cont.",  "trace B"};

int main(int argc, char **argv)
{
    static const struct argp_option argument_options[] = {
        {"contacts", 'n', "N", 0, "Contacts of a run; may be repeated (100000 and 1000000)", 0},
        {"window", 'w', "N", 0, "Calls in flight (4000)", 0},
        {"dir", 'd', "DIR", 0, "Where the data folders are made (/var/tmp)", 0},
        {"json", 'j', NULL, 0, "Print a JSON object a line", 0},
        {"record", 'r', NULL, 0, "Once more with a trace recorded", 0},
        {0}};
    static const struct argp argp = {argument_options,
                                     parse,
                                     NULL,
                                     "The campaign through the whole engine but HTTP",
                                     NULL,
                                     NULL,
                                     NULL};
    struct options options = {.window = "4000", .directory = "/var/tmp"};
    int status = 0;

    /* There are no threads yet. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    (void)argp_parse(&argp, argc, argv, 0, NULL, &options);
    if (options.runs == 0) {
        options.contacts[0] = 100000;
        options.contacts[1] = 1000000;
        options.runs = 2;
    }
    log_open(LOG_LEVEL_WARN, LOG_TEXT_FORMAT, STDERR_FILENO);
    if (!options.json) {
        print_heads(heads, sizeof(heads) / sizeof(heads[0]));
    }
    for (unsigned i = 0; i < options.runs && status == 0; i++) {
        status = run_apart(&options, options.contacts[i], false);
        if (status == 0 && options.records) {
            status = run_apart(&options, options.contacts[i], true);
        }
    }
    return status;
}
