/* outdial-trace stat: what is in a trace. */
#include "cmd/outdial_trace_stat.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/instant.h"
#include "base/memory.h"
#include "cmd/outdial_trace_io.h"
#include "cmd/outdialctl.h"
#include "model/names.h"

enum { SHOWN = 10 };

struct stat_input {
    struct path_input paths;
    bool is_json;
};

static const struct argp_option options[] = {
    {"json", TOOL_OPTION_JSON, NULL, 0, "print JSON, with every organisation and execution", 0},
    {0},
};

static error_t on_option(int key, char *argument, struct argp_state *state)
{
    struct stat_input *input = state->input;

    if (key == TOOL_OPTION_JSON) {
        input->is_json = true;
        return 0;
    }
    return key == ARGP_KEY_ARG && path_parse(&input->paths, key, argument, state)
               ? 0
               : ARGP_ERR_UNKNOWN;
}

static const struct argp stat_argp = {
    .options = options,
    .parser = on_option,
    .args_doc = "TRACE",
    .doc =
        "Says what is in a trace: records and messages by type, the time that it spans, messages a "
        "second, the organisations and executions with the most messages, and sizes."};

/* ---- figures ---- */

struct stat {
    const struct trace_header *header;
    const struct trace_counts *counts;
    uint64_t records, bytes;
    bool is_whole; /* not damaged */
};

static double seconds(const struct trace_counts *counts)
{
    return (double)(counts->last_at - counts->first_at) / 1000.0;
}

static double rate(const struct trace_counts *counts)
{
    double span = seconds(counts);

    return span > 0 ? (double)counts->kinds[TRACE_MESSAGE] / span : 0;
}

static const char *ending(const struct stat *stat)
{
    if (!stat->is_whole) {
        return "damaged";
    }
    if (stat->counts->kinds[TRACE_LOST] > 0) {
        return "ended early";
    }
    return stat->counts->kinds[TRACE_END] > 0 ? "ended well" : "has no end";
}

static int by_messages(const void *a, const void *b)
{
    const struct counted *left = a;
    const struct counted *right = b;

    if (left->messages != right->messages) {
        return left->messages < right->messages ? 1 : -1;
    }
    return left->number < right->number ? -1 : left->number > right->number;
}

/* ---- JSON ---- */

static json_t *counted_json(const struct counted_set *set)
{
    json_t *array = json_array();

    OD_CHECK(array != NULL);
    for (uint32_t i = 0; i < set->count; i++) {
        const struct counted *item = &set->items[i];
        char id[UUID_TEXT_SIZE];
        json_t *json;

        uuid_print(&item->id, id);
        json = json_pack("{s:I, s:s?, s:I, s:I, s:I, s:I, s:I, s:I}", "number",
                         (json_int_t)item->number, "id", uuid_is_nil(&item->id) ? NULL : id,
                         "organisation", (json_int_t)item->organisation, "messages",
                         (json_int_t)item->messages, "executions", (json_int_t)item->executions,
                         "permissions", (json_int_t)item->permissions, "nodes",
                         (json_int_t)item->nodes, "results", (json_int_t)item->results);
        OD_CHECK(json != NULL && json_array_append_new(array, json) == 0);
    }
    return array;
}

static void put(json_t *object, const char *name, json_t *value)
{
    OD_CHECK(value != NULL && json_object_set_new(object, name, value) == 0);
}

static json_t *types_json(const struct trace_counts *counts)
{
    json_t *types = json_object();

    OD_CHECK(types != NULL);
    for (unsigned i = 0; i < MESSAGE_TYPE_COUNT; i++) {
        if (counts->types[i] > 0) {
            put(types, message_type_name((enum message_type)i),
                json_integer((json_int_t)counts->types[i]));
        }
    }
    return types;
}

static json_t *outcomes_json(const struct trace_counts *counts)
{
    json_t *outcomes = json_object();

    OD_CHECK(outcomes != NULL);
    for (unsigned i = OUTCOME_ANSWERED; i <= OUTCOME_TIMEOUT; i++) {
        if (counts->outcomes[i] > 0) {
            put(outcomes, outcome_name((enum outcome)i),
                json_integer((json_int_t)counts->outcomes[i]));
        }
    }
    return outcomes;
}

static json_t *header_json(const struct trace_header *header)
{
    json_t *json =
        json_pack("{s:s%, s:b, s:b, s:b, s:b}", "program", header->program.data,
                  header->program.size, "testClock", header->has_test_clock, "raw", header->is_raw,
                  "part", header->is_part, "fromEmptyStore", header->was_empty);

    return json;
}

static void print_json(const struct stat *stat)
{
    const struct trace_counts *counts = stat->counts;
    json_t *kinds = json_object();
    json_t *json = json_object();
    char first[INSTANT_TEXT_SIZE], last[INSTANT_TEXT_SIZE];

    OD_CHECK(kinds != NULL && json != NULL);
    for (unsigned i = TRACE_START; i <= TRACE_KIND_LAST; i++) {
        put(kinds, trace_kind_name((enum trace_kind)i), json_integer((json_int_t)counts->kinds[i]));
    }
    instant_print(counts->first_at, first);
    instant_print(counts->last_at, last);
    put(json, "header", header_json(stat->header));
    put(json, "bytes", json_integer((json_int_t)stat->bytes));
    put(json, "ending", json_string(ending(stat)));
    put(json, "records", kinds);
    put(json, "from", json_string(first));
    put(json, "to", json_string(last));
    put(json, "seconds", json_real(seconds(counts)));
    put(json, "messagesPerSecond", json_real(rate(counts)));
    put(json, "contacts", json_integer((json_int_t)counts->contacts));
    put(json, "types", types_json(counts));
    put(json, "outcomes", outcomes_json(counts));
    put(json, "organisations", counted_json(&counts->organisations));
    put(json, "executions", counted_json(&counts->executions));
    ctl_print_json(json);
    json_decref(json);
}

/* ---- text ---- */

static void print_head(const struct stat *stat, const char *path)
{
    const struct trace_header *header = stat->header;
    const struct trace_counts *counts = stat->counts;
    uint64_t messages = counts->kinds[TRACE_MESSAGE];
    char first[INSTANT_TEXT_SIZE], last[INSTANT_TEXT_SIZE];
    struct buf program;

    buf_init(&program);
    OD_CHECK(buf_append_slice(&program, header->program) == 0);
    OD_CHECK(buf_append_byte(&program, '\0') == 0);
    (void)printf("%s: by outdial ", path);
    ctl_print_clean(program.data, 0);
    buf_deinit(&program);
    (void)printf(", %s clock, %s, %s%s; it %s\n", header->has_test_clock ? "test" : "real",
                 header->is_raw ? "raw" : "with pseudonyms",
                 header->was_empty ? "from an empty store" : "from a store with rows",
                 header->is_part ? ", a part" : "", ending(stat));
    (void)printf("%s records", CTL_NUMBER(stat->records));
    (void)printf(" in %s bytes", CTL_NUMBER(stat->bytes));
    if (messages == 0) {
        (void)printf(", no message\n");
        return;
    }
    instant_print(counts->first_at, first);
    instant_print(counts->last_at, last);
    (void)printf(", %.1f bytes a message\n", (double)stat->bytes / (double)messages);
    (void)printf("%s messages", CTL_NUMBER(messages));
    (void)printf(" in %s commits", CTL_NUMBER(counts->kinds[TRACE_COMMIT]));
    (void)printf(", %s reloads", CTL_NUMBER(counts->kinds[TRACE_RELOAD]));
    (void)printf("; %s contacts\n", CTL_NUMBER(counts->contacts));
    (void)printf("%s to %s, %s, %.1f messages a second\n", first, last,
                 ctl_duration(counts->last_at - counts->first_at).text, rate(counts));
}

static void print_types(const struct trace_counts *counts)
{
    uint64_t all = counts->kinds[TRACE_MESSAGE];

    (void)printf("\n%-24s %14s %7s\n", "type", "messages", "share");
    for (unsigned i = 0; i < MESSAGE_TYPE_COUNT; i++) {
        if (counts->types[i] > 0) {
            (void)printf("%-24s %14s %6.1f%%\n", message_type_name((enum message_type)i),
                         CTL_NUMBER(counts->types[i]),
                         100.0 * (double)counts->types[i] / (double)all);
        }
    }
}

static void print_outcomes(const struct trace_counts *counts)
{
    uint64_t all = counts->types[MESSAGE_CALL_RESULT];

    if (all == 0) {
        return;
    }
    (void)printf("\n%-24s %14s %7s\n", "outcome", "results", "share");
    for (unsigned i = OUTCOME_ANSWERED; i <= OUTCOME_TIMEOUT; i++) {
        if (counts->outcomes[i] > 0) {
            (void)printf("%-24s %14s %6.1f%%\n", outcome_name((enum outcome)i),
                         CTL_NUMBER(counts->outcomes[i]),
                         100.0 * (double)counts->outcomes[i] / (double)all);
        }
    }
}

/* Those with the most messages. */
static void print_counted(const struct counted_set *set, bool are_executions)
{
    struct counted *items;

    if (set->count == 0) {
        return;
    }
    items = memory_resize(NULL, set->count, sizeof(*items));
    memcpy(items, set->items, set->count * sizeof(*items));
    qsort(items, set->count, sizeof(*items), by_messages);
    (void)printf("\n%-12s %-36s %14s %12s\n", are_executions ? "execution" : "organisation", "id",
                 "messages", are_executions ? "results" : "executions");
    for (uint32_t i = 0; i < set->count && i < SHOWN; i++) {
        char id[UUID_TEXT_SIZE];

        uuid_print(&items[i].id, id);
        (void)printf("%-12" PRIu32 " %-36s %14s", items[i].number,
                     uuid_is_nil(&items[i].id) ? "made before" : id, CTL_NUMBER(items[i].messages));
        (void)printf(" %12s\n",
                     CTL_NUMBER(are_executions ? items[i].results : items[i].executions));
    }
    if (set->count > SHOWN) {
        (void)printf("… and %s more\n", CTL_NUMBER(set->count - SHOWN));
    }
    memory_free(items);
}

static void print_text(const struct stat *stat, const char *path)
{
    const struct trace_counts *counts = stat->counts;

    print_head(stat, path);
    if (counts->lost.size > 0) {
        struct buf reason;

        buf_init(&reason);
        OD_CHECK(buf_append_slice(&reason, buf_slice(&counts->lost)) == 0);
        OD_CHECK(buf_append_byte(&reason, '\0') == 0);
        (void)fputs("it ended early: ", stdout);
        ctl_print_clean(reason.data, 0);
        (void)putchar('\n');
        buf_deinit(&reason);
    }
    if (counts->kinds[TRACE_END] > 0) {
        (void)printf("digest of the store at the end: %016" PRIx64 "\n", counts->end.state);
    }
    if (counts->kinds[TRACE_MESSAGE] > 0) {
        print_types(counts);
        print_outcomes(counts);
        print_counted(&counts->organisations, false);
        print_counted(&counts->executions, true);
    }
}

int command_stat(int argc, char **argv)
{
    struct stat_input input = {.is_json = false};
    struct trace_counts counts;
    struct trace_record record;
    struct trace_input trace;
    struct stat stat = {.counts = &counts};
    int status;

    tool_parse(&stat_argp, &input, argc, argv);
    if (input.paths.path == NULL) {
        return tool_fail(TOOL_USAGE, "which trace? See --help");
    }
    status = input_open(&trace, input.paths.path);
    if (status != TOOL_OK) {
        return status;
    }
    counts_init(&counts);
    while (input_next(&trace, &record)) {
        counts_add(&counts, &record);
    }
    stat.header = trace_reader_header(trace.reader);
    stat.records = trace.records;
    stat.bytes = trace_reader_at(trace.reader);
    stat.is_whole = trace.status == TOOL_OK;
    if (input.is_json) {
        print_json(&stat);
    } else {
        print_text(&stat, input.paths.path);
    }
    status = trace.status;
    counts_deinit(&counts);
    input_close(&trace);
    return fflush(stdout) == 0 ? status : tool_fail(TOOL_FAILED, "the output cannot be written");
}
