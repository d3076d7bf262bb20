/* outdial-trace merge: several traces as one, by time.
 *
 * Organisations, audiences and executions have their numbers in keys and in payloads of others, so
 * traces that share one are refused (`gen --first` makes traces that do not). What is only a name
 * within a trace is given anew: numbers of zones, and of exchanges. Both clocks of all traces are
 * brought together at the wall clock of the first start; mono never goes back.
 */
#include "base/check.h"
#include "base/instant.h"
#include "base/memory.h"
#include "cmd/outdial_trace_io.h"
#include "cmd/outdial_trace_stat.h"
#include "traces/payload.h"

enum { MERGE_MAX = 64 };

#define GATEWAY_EXCHANGE (UINT64_C(1) << 63) /* of push gateways: these are no requests */

struct merge_input {
    const char *paths[MERGE_MAX];
    size_t count;
    const char *output;
    bool is_json;
};

static const struct argp_option options[] = {
    {"output", TOOL_OPTION_OUTPUT, "FILE", 0, "write FILE, which must not be there yet", 0},
    {"json", TOOL_OPTION_JSON, NULL, 0, "print what was made as JSON", 0},
    {0},
};

/* NOLINTNEXTLINE(readability-non-const-parameter): the type is argp's */
static error_t on_option(int key, char *argument, struct argp_state *state)
{
    struct merge_input *input = state->input;

    if (key == TOOL_OPTION_OUTPUT) {
        input->output = argument;
        return 0;
    }
    if (key == TOOL_OPTION_JSON) {
        input->is_json = true;
        return 0;
    }
    if (key != ARGP_KEY_ARG) {
        return ARGP_ERR_UNKNOWN;
    }
    if (input->count == MERGE_MAX) {
        argp_error(state, "at most %d traces", MERGE_MAX); /* NOLINT(concurrency-mt-unsafe) */
    }
    input->paths[input->count++] = argument;
    return 0;
}

static const struct argp merge_argp = {
    .options = options,
    .parser = on_option,
    .args_doc = "TRACE TRACE... -o FILE",
    .doc =
        "Puts the messages of several traces together, by the wall clock. They must share no "
        "organisation, audience or execution, and have the same settings. The engine would decide "
        "otherwise with all of them at once, so the result holds no digests, and its header says "
        "that it is a part."};

struct source {
    struct trace_input trace;
    struct trace_record record;
    bool has_record;
    int64_t key;        /* the latest wall clock so far: what it is merged by */
    int64_t mono_shift; /* added to its mono */
    uint64_t *zones;    /* their numbers in the result, by their numbers here */
    uint64_t zone_room;
};

struct merge {
    struct source sources[MERGE_MAX];
    size_t count;
    struct counted_set organisations, executions, audiences;
    struct trace_output output;
    uint64_t last_zone, kept;
    int64_t mono;
    bool has_start;
    int status; /* TOOL_DAMAGED once one of them was */
};

/* ---- may they be merged? ---- */

/* Notes that source `which` (from 1 on) has this one. False: another has it as well. */
static bool claim(struct counted_set *set, uint32_t number, uint32_t which)
{
    struct counted *item = counted_of(set, number);

    if (item->organisation == 0) {
        item->organisation = which;
    }
    return item->organisation == which;
}

static const char *collision(struct merge *merge, const struct message *m, uint32_t which)
{
    bool is_free = true;

    if (m->actor.kind == ACTOR_DIRECTORY && !claim(&merge->organisations, m->actor.number, which)) {
        return "organisation";
    }
    if (m->actor.kind == ACTOR_EXECUTION && !claim(&merge->executions, m->actor.number, which)) {
        return "execution";
    }
    switch ((int)m->type) {
    case MESSAGE_ORGANISATION_CREATE:
        return claim(&merge->organisations, m->payload.organisation->number, which)
                   ? NULL
                   : "organisation";
    case MESSAGE_AUDIENCE_CREATE:
        is_free = claim(&merge->audiences, m->payload.audience->number, which);
        break;
    case MESSAGE_PROGRAM_CREATE:
        is_free = m->payload.program->new_audience == 0 ||
                  claim(&merge->audiences, m->payload.program->new_audience, which);
        break;
    case MESSAGE_PROGRAM_LAUNCH:
        return claim(&merge->executions, m->payload.launch_request.execution_number, which)
                   ? NULL
                   : "execution";
    default: break;
    }
    return is_free ? NULL : "audience";
}

/* A walk over the whole trace, for what it shares with those before it. */
static int check_source(struct merge *merge, const char *path, uint32_t which)
{
    struct trace_record record;
    struct trace_input trace;
    const char *shared = NULL;
    int status = input_open(&trace, path);

    if (status != TOOL_OK) {
        return status;
    }
    while (shared == NULL && input_next(&trace, &record)) {
        if (record.kind == TRACE_MESSAGE) {
            shared = collision(merge, &record.message.message, which);
        }
    }
    if (trace.status != TOOL_OK) {
        merge->status = trace.status;
    }
    input_close(&trace);
    return shared == NULL ? TOOL_OK
                          : tool_fail(TOOL_USAGE,
                                      "%s: has an %s with the number of one in a trace "
                                      "before it",
                                      path, shared);
}

static bool has_settings(const struct trace_header *a, const struct trace_header *b)
{
    const struct trace_header only_a = {.settings = a->settings};
    const struct trace_header only_b = {.settings = b->settings};
    struct buf left, right;
    bool are_equal;

    buf_init(&left);
    buf_init(&right);
    shape_write(&trace_header_shape, &only_a, NULL, &left);
    shape_write(&trace_header_shape, &only_b, NULL, &right);
    are_equal = slice_equal(buf_slice(&left), buf_slice(&right));
    buf_deinit(&left);
    buf_deinit(&right);
    return are_equal;
}

/* ---- what is given anew ---- */

static uint64_t zone_number(struct merge *merge, struct source *source, uint64_t number)
{
    if (number == 0) {
        return 0;
    }
    if (number >= source->zone_room) {
        uint64_t room = 2 * number;

        source->zones = memory_resize(source->zones, room, sizeof(*source->zones));
        memset(source->zones + source->zone_room, 0,
               (room - source->zone_room) * sizeof(*source->zones));
        source->zone_room = room;
    }
    if (source->zones[number] == 0) {
        source->zones[number] = ++merge->last_zone;
    }
    return source->zones[number];
}

static uint64_t exchange_number(const struct merge *merge, const struct source *source,
                                uint64_t exchange)
{
    size_t which = (size_t)(source - merge->sources);
    uint64_t number;

    if (exchange == 0 || (exchange & GATEWAY_EXCHANGE) != 0 ||
        __builtin_mul_overflow(exchange, merge->count, &number) ||
        __builtin_add_overflow(number, which, &number) || (number & GATEWAY_EXCHANGE) != 0) {
        return exchange;
    }
    return number;
}

static void put_times(struct merge *merge, const struct source *source, struct trace_record *record)
{
    int64_t mono = record->mono + source->mono_shift;

    if (mono < merge->mono) {
        mono = merge->mono;
    }
    if (mono > INSTANT_MAX) {
        mono = INSTANT_MAX;
    }
    merge->mono = mono;
    record->mono = mono;
}

/* Writes the source's record. */
static void put(struct merge *merge, struct source *source)
{
    struct trace_record *record = &source->record;

    switch (record->kind) {
    case TRACE_END:
    case TRACE_LOST: return;
    case TRACE_START:
        if (merge->has_start) {
            return;
        }
        merge->has_start = true;
        break;
    case TRACE_ZONE:
        record->zone.number = zone_number(merge, source, record->zone.number);
        output_put(&merge->output, record);
        return;
    case TRACE_MESSAGE:
        record->message.zone = zone_number(merge, source, record->message.zone);
        record->message.message.exchange =
            exchange_number(merge, source, record->message.message.exchange);
        record->message.digest = 0;
        merge->kept++;
        break;
    case TRACE_COMMIT: record->digest = 0; break;
    case TRACE_RELOAD: break;
    }
    put_times(merge, source, record);
    record->message.message.mono =
        record->kind == TRACE_MESSAGE ? record->mono : record->message.message.mono;
    output_put(&merge->output, record);
}

/* ---- merging ---- */

static void next(struct merge *merge, struct source *source)
{
    source->has_record = input_next(&source->trace, &source->record);
    if (!source->has_record) {
        merge->status = source->trace.status != TOOL_OK ? source->trace.status : merge->status;
        return;
    }
    if (source->record.kind != TRACE_ZONE && source->record.kind != TRACE_LOST &&
        source->record.at > source->key) {
        source->key = source->record.at;
    }
}

static struct source *earliest(struct merge *merge)
{
    struct source *first = NULL;

    for (size_t i = 0; i < merge->count; i++) {
        struct source *source = &merge->sources[i];

        if (source->has_record && (first == NULL || source->key < first->key)) {
            first = source;
        }
    }
    return first;
}

static int open_sources(struct merge *merge, const struct merge_input *input)
{
    for (size_t i = 0; i < input->count; i++) {
        struct source *source = &merge->sources[i];
        int status = input_open(&source->trace, input->paths[i]);

        if (status != TOOL_OK) {
            return status;
        }
        source->trace.bar.is_shown &= i == 0;
        merge->count++;
        if (!has_settings(trace_reader_header(merge->sources[0].trace.reader),
                          trace_reader_header(source->trace.reader))) {
            return tool_fail(TOOL_USAGE, "%s: was recorded with other settings than %s",
                             input->paths[i], input->paths[0]);
        }
    }
    return TOOL_OK;
}

/* The start that is earliest by the wall clock gives the header, and the mono of all. */
static void make_header(struct merge *merge, struct trace_header *out)
{
    const struct trace_header *first = trace_reader_header(merge->sources[0].trace.reader);

    for (size_t i = 1; i < merge->count; i++) {
        const struct trace_header *header = trace_reader_header(merge->sources[i].trace.reader);

        first = header->at < first->at ? header : first;
    }
    *out = *first;
    out->is_part = true;
    out->store_digest = 0;
    for (size_t i = 0; i < merge->count; i++) {
        const struct trace_header *header = trace_reader_header(merge->sources[i].trace.reader);

        merge->sources[i].mono_shift = first->mono + (header->at - first->at) - header->mono;
        out->is_raw |= header->is_raw;
        out->was_empty &= header->was_empty;
    }
}

static int merge_all(struct merge *merge, const char *path)
{
    struct trace_record end = {.kind = TRACE_LOST, .reason = SLICE("merged")};
    struct trace_header header;
    struct source *source;
    struct arena arena;
    int status;

    make_header(merge, &header);
    arena_init(&arena, 4096);
    trace_header_types(&header, &arena); /* records are written with this program's numbers */
    status = output_open(&merge->output, path, &header);
    arena_deinit(&arena);
    if (status != TOOL_OK) {
        return status;
    }
    for (size_t i = 0; i < merge->count; i++) {
        merge->sources[i].key = INT64_MIN;
        next(merge, &merge->sources[i]);
    }
    while ((source = earliest(merge)) != NULL) {
        put(merge, source);
        next(merge, source);
    }
    output_put(&merge->output, &end);
    return output_close(&merge->output, merge->status);
}

static int check_all(struct merge *merge, const struct merge_input *input)
{
    int status = TOOL_OK;

    counted_set_init(&merge->organisations);
    counted_set_init(&merge->executions);
    counted_set_init(&merge->audiences);
    for (size_t i = 0; i < input->count && status == TOOL_OK; i++) {
        status = check_source(merge, input->paths[i], (uint32_t)i + 1);
    }
    counted_set_deinit(&merge->organisations);
    counted_set_deinit(&merge->executions);
    counted_set_deinit(&merge->audiences);
    return status;
}

int command_merge(int argc, char **argv)
{
    struct merge_input input = {.count = 0};
    struct merge *merge;
    int status;

    tool_parse(&merge_argp, &input, argc, argv);
    if (input.count < 2 || input.output == NULL) {
        return tool_fail(TOOL_USAGE, "which traces, and where to? See --help");
    }
    merge = memory_zero(1, sizeof(*merge));
    status = check_all(merge, &input);
    if (status == TOOL_OK) {
        status = open_sources(merge, &input);
    }
    if (status == TOOL_OK) {
        status = merge_all(merge, input.output);
    }
    if (status == TOOL_OK) {
        status = output_tell(input.output, merge->kept, input.is_json);
    }
    for (size_t i = 0; i < merge->count; i++) {
        input_close(&merge->sources[i].trace);
        memory_free(merge->sources[i].zones);
    }
    memory_free(merge);
    return status;
}
