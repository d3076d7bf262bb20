/* outdial-trace cut: a part of a trace.
 *
 * What lies before an instant is a beginning: it is what the recording would have been had it ended
 * there, and verifies. Anything else leaves out what later messages rest on, so the engine would
 * decide otherwise: such a part keeps no digests, and its header says that it is one.
 */
#include <stdlib.h>

#include "base/check.h"
#include "base/instant.h"
#include "cmd/outdial_trace_io.h"
#include "cmd/outdial_trace_stat.h"

enum { OPTION_FROM = 0x200, OPTION_TO, OPTION_EXECUTION };

struct cut_input {
    struct path_input paths;
    int64_t from, to; /* INT64_MIN, INSTANT_NEVER: not given */
    const char *execution;
    bool is_json;
};

static const struct argp_option options[] = {
    {"output", TOOL_OPTION_OUTPUT, "FILE", 0, "write FILE, which must not be there yet", 0},
    {"from", OPTION_FROM, "ISO", 0, "what came at this instant and later", 0},
    {"to", OPTION_TO, "ISO", 0, "what came before this instant", 0},
    {"execution", OPTION_EXECUTION, "ID|N", 0,
     "the messages of this execution, of its organisation's directory, and of nobody in particular",
     0},
    {"json", TOOL_OPTION_JSON, NULL, 0, "print what was made as JSON", 0},
    {0},
};

static void take_instant(struct argp_state *state, const char *text, int64_t *out)
{
    if (!instant_parse(slice_from(text), out)) {
        /* NOLINTNEXTLINE(concurrency-mt-unsafe) */
        argp_error(state, "\"%s\" is no instant, as 2026-01-05T09:30:00Z", text);
    }
}

static error_t on_option(int key, char *argument, struct argp_state *state)
{
    struct cut_input *input = state->input;

    switch (key) {
    case OPTION_FROM: take_instant(state, argument, &input->from); return 0;
    case OPTION_TO: take_instant(state, argument, &input->to); return 0;
    case OPTION_EXECUTION: input->execution = argument; return 0;
    case TOOL_OPTION_JSON: input->is_json = true; return 0;
    default: return path_parse(&input->paths, key, argument, state) ? 0 : ARGP_ERR_UNKNOWN;
    }
}

static const struct argp cut_argp = {
    .options = options,
    .parser = on_option,
    .args_doc = "TRACE -o FILE",
    .doc =
        "Takes a part of a trace, by the wall clock or by execution. With --to alone it is a "
        "beginning, which replays and verifies. Any other part has no digests, and its header "
        "says that it is a part: it is for looking at, and for trying what a replay makes of it."};

/* ---- which execution ---- */

struct cut {
    const struct cut_input *input;
    bool has_execution;
    uint32_t execution, organisation; /* organisation 0: not known */
    bool is_part;
    struct trace_output output;
    uint64_t kept;
};

static bool read_number(const char *text, uint32_t *out)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    *out = (uint32_t)number;
    return text[0] >= '1' && text[0] <= '9' && *end == '\0' && number <= UINT32_MAX;
}

static bool find_by_id(const struct counted_set *set, const struct uuid *id, uint32_t *out)
{
    for (uint32_t i = 0; i < set->count; i++) {
        if (uuid_equal(&set->items[i].id, id)) {
            *out = set->items[i].number;
            return true;
        }
    }
    return false;
}

/* A first walk over the trace: the execution's number and its organisation. */
static int find_execution(struct cut *cut)
{
    const char *word = cut->input->execution;
    const struct counted *found = NULL;
    struct trace_counts counts;
    struct trace_record record;
    struct trace_input trace;
    struct uuid id;
    int status = input_open(&trace, cut->input->paths.path);

    if (status != TOOL_OK) {
        return status;
    }
    counts_init(&counts);
    while (input_next(&trace, &record)) {
        counts_add(&counts, &record);
    }
    if (read_number(word, &cut->execution) ||
        (uuid_parse(slice_from(word), &id) &&
         find_by_id(&counts.executions, &id, &cut->execution))) {
        found = counted_find(&counts.executions, cut->execution);
    }
    if (found == NULL) {
        status = tool_fail(TOOL_USAGE, "%s: there is no execution \"%s\" in it",
                           cut->input->paths.path, word);
    } else {
        cut->has_execution = true;
        cut->organisation = found->organisation;
    }
    counts_deinit(&counts);
    input_close(&trace);
    return status;
}

/* ---- which records ---- */

static bool is_of_execution(const struct cut *cut, const struct message *m)
{
    switch (m->actor.kind) {
    case ACTOR_EXECUTION: return m->actor.number == cut->execution;
    case ACTOR_DIRECTORY:
        return m->actor.number == cut->organisation &&
               (m->type != MESSAGE_PROGRAM_LAUNCH ||
                m->payload.launch_request.execution_number == cut->execution);
    case ACTOR_PLATFORM:
    case ACTOR_DISPATCHER:
    case ACTOR_EVERY_EXECUTION:
    case ACTOR_RETENTION: break;
    }
    return true;
}

/* Zones are kept whenever they came: a later message may name them. */
static bool is_kept(const struct cut *cut, const struct trace_record *record)
{
    switch (record->kind) {
    case TRACE_ZONE: return true;
    case TRACE_LOST: return false;
    case TRACE_END: return !cut->is_part && cut->input->to == INSTANT_NEVER;
    case TRACE_START: return true;
    case TRACE_MESSAGE:
        if (cut->has_execution && !is_of_execution(cut, &record->message.message)) {
            return false;
        }
        break;
    case TRACE_COMMIT:
    case TRACE_RELOAD: break;
    }
    return record->at >= cut->input->from && record->at < cut->input->to;
}

/* A beginning ends with the first message that is too late, whatever the clock showed after it. */
static bool ends_here(const struct cut *cut, const struct trace_record *record)
{
    return !cut->is_part && record->kind != TRACE_ZONE && record->kind != TRACE_LOST &&
           record->at >= cut->input->to;
}

static void keep(struct cut *cut, struct trace_record *record)
{
    if (cut->is_part && record->kind == TRACE_MESSAGE) {
        record->message.digest = 0;
    } else if (cut->is_part && record->kind == TRACE_COMMIT) {
        record->digest = 0;
    }
    cut->kept += record->kind == TRACE_MESSAGE;
    output_put(&cut->output, record);
}

static void put_lost(struct cut *cut)
{
    struct trace_record lost = {.kind = TRACE_LOST, .reason = SLICE("cut")};

    output_put(&cut->output, &lost);
}

static int copy(struct cut *cut, struct trace_input *trace)
{
    struct trace_header header = *trace_reader_header(trace->reader);
    struct trace_record record;
    bool is_over = false;
    struct arena arena;
    int status;

    cut->is_part |= header.is_part;
    header.is_part = cut->is_part;
    arena_init(&arena, 4096);
    trace_header_types(&header, &arena); /* records are written with this program's numbers */
    status = output_open(&cut->output, cut->input->paths.output, &header);
    arena_deinit(&arena);
    if (status != TOOL_OK) {
        return status;
    }
    while (!is_over && input_next(trace, &record)) {
        is_over = ends_here(cut, &record);
        if (!is_over && is_kept(cut, &record)) {
            keep(cut, &record);
        }
    }
    if (is_over || cut->is_part) {
        put_lost(cut);
    }
    return output_close(&cut->output, trace->status);
}

int command_cut(int argc, char **argv)
{
    struct cut_input input = {.from = INT64_MIN, .to = INSTANT_NEVER};
    struct cut cut = {.input = &input};
    struct trace_input trace;
    int status;

    tool_parse(&cut_argp, &input, argc, argv);
    if (input.paths.path == NULL || input.paths.output == NULL || input.from >= input.to ||
        (input.execution != NULL && strcmp(input.paths.path, "-") == 0)) {
        return tool_fail(TOOL_USAGE, "which part of which trace, and where to? See --help");
    }
    if (input.execution != NULL) {
        status = find_execution(&cut);
        if (status != TOOL_OK) {
            return status;
        }
    }
    cut.is_part = input.execution != NULL || input.from != INT64_MIN;
    status = input_open(&trace, input.paths.path);
    if (status != TOOL_OK) {
        return status;
    }
    status = copy(&cut, &trace);
    input_close(&trace);
    return status == TOOL_OK ? output_tell(input.paths.output, cut.kept, input.is_json) : status;
}
