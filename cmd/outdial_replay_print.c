/* What a replay came to, as text and as JSON. */
#include "cmd/outdial_replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/check.h"
#include "base/instant.h"

enum { COLUMN_CELLS = 40 };

static const struct percentile {
    const char *name;
    uint32_t millionths;
} percentiles[] = {{"p50", 500000}, {"p90", 900000}, {"p99", 990000}, {"p99.9", 999000}};

enum { PERCENTILES = sizeof(percentiles) / sizeof(percentiles[0]) };

static double rate(const struct replay_outcome *outcome)
{
    return outcome->seconds > 0 ? (double)outcome->figures->messages / outcome->seconds : 0;
}

static const char *actor_kind_text(enum actor_kind_id kind)
{
    switch (kind) {
    case ACTOR_PLATFORM: return "platform";
    case ACTOR_DIRECTORY: return "directory";
    case ACTOR_EXECUTION: return "execution";
    case ACTOR_DISPATCHER: return "dispatcher";
    case ACTOR_EVERY_EXECUTION: return "every execution";
    case ACTOR_RETENTION: return "retention";
    }
    return "?";
}

void print_difference(const struct replay_difference *difference, struct buf *out)
{
    char at[INSTANT_TEXT_SIZE];

    instant_print(difference->at, at);
    if (difference->kind == TRACE_MESSAGE) {
        (void)buf_printf(out,
                         "message %" PRIu64 " (%s to %s %" PRIu32 ", %s): digest %08" PRIx64
                         ", recorded %08" PRIx64,
                         difference->index, message_type_name(difference->type),
                         actor_kind_text(difference->actor.kind), difference->actor.number, at,
                         difference->found, difference->expected);
    } else {
        (void)buf_printf(out,
                         "the %s behind message %" PRIu64 " (%s): digest %016" PRIx64
                         ", recorded %016" PRIx64,
                         difference->is_state ? "store" : trace_kind_name(difference->kind),
                         difference->index, at, difference->found, difference->expected);
    }
}

/* ---- text ---- */

static void print_time(uint64_t ns)
{
    if (ns < 10000) {
        (void)printf(" %6" PRIu64 " ns", ns);
    } else if (ns < 10000000) {
        (void)printf(" %6.1f us", (double)ns / 1e3);
    } else {
        (void)printf(" %6.1f ms", (double)ns / 1e6);
    }
}

void print_latency_row(const char *name, const struct histogram *histogram)
{
    (void)printf("%-22s %10" PRIu64, name, histogram->count);
    for (size_t i = 0; i < PERCENTILES; i++) {
        print_time(histogram_percentile(histogram, percentiles[i].millionths));
    }
    print_time(histogram->maximum);
    (void)printf("\n");
}

void print_latency_head(const char *noun)
{
    (void)printf("\n%-22s %10s", noun, "count");
    for (size_t i = 0; i < PERCENTILES; i++) {
        (void)printf(" %9s", percentiles[i].name);
    }
    (void)printf(" %9s\n", "max");
}

static void print_types(const struct replay_figures *figures)
{
    print_latency_head("message");
    for (unsigned type = 0; type < MESSAGE_TYPE_COUNT; type++) {
        if (figures->types[type].count > 0) {
            print_latency_row(message_type_name((enum message_type)type), &figures->types[type]);
        }
    }
    print_latency_row("all", figures->all);
}

/* A line a power of two, with a bar. */
void print_latency_columns(const struct histogram *histogram)
{
    uint64_t counts[65] = {0};
    uint64_t most = 1;
    unsigned first = 64, last = 0;

    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t maximum = histogram_bucket_maximum(i);
        unsigned power = maximum <= 1 ? 0 : 64 - (unsigned)__builtin_clzll(maximum - 1);

        counts[power] += histogram->buckets[i];
    }
    for (unsigned power = 0; power < 65; power++) {
        if (counts[power] > 0) {
            first = power < first ? power : first;
            last = power;
            most = counts[power] > most ? counts[power] : most;
        }
    }
    (void)printf("\n");
    for (unsigned power = first; power <= last; power++) {
        int cells = (int)((counts[power] * COLUMN_CELLS + most - 1) / most);

        (void)printf("up to");
        print_time(power < 64 ? UINT64_C(1) << power : UINT64_MAX);
        (void)printf(" %10" PRIu64 " %.*s\n", counts[power], cells,
                     "########################################");
    }
}

static void print_verdict(const struct replay_outcome *outcome)
{
    struct buf text;

    (void)printf("\nstate    %016" PRIx64 "\n", outcome->state);
    if (!outcome->is_verified) {
        return;
    }
    if (!outcome->figures->is_different) {
        (void)printf("verified the same as recorded\n");
        return;
    }
    buf_init(&text);
    print_difference(&outcome->figures->difference, &text);
    (void)printf("differs  %.*s\n", SLICE_ARGS(buf_slice(&text)));
    buf_deinit(&text);
}

int print_outcome(const struct replay_outcome *outcome)
{
    const struct replay_figures *figures = outcome->figures;
    const struct trace_header *header = outcome->header;
    char from[INSTANT_TEXT_SIZE], to[INSTANT_TEXT_SIZE];

    instant_print(figures->first_at, from);
    instant_print(figures->last_at, to);
    (void)printf("trace    %s: of outdial %.*s, %s clock, %s\n", outcome->file,
                 SLICE_ARGS(header->program), header->has_test_clock ? "test" : "real",
                 header->is_raw ? "raw" : "pseudonyms");
    if (!outcome->fits) {
        (void)printf("store    not the one that it began at\n");
    }
    if (figures->letters > 0) {
        (void)printf("times    %s to %s\n", from, to);
    }
    (void)printf("messages %" PRIu64 ", and %" PRIu64 " that followed from them\n",
                 figures->letters, figures->messages - figures->letters);
    (void)printf("commits  %" PRIu64 ", in %" PRIu64 " transactions of %" PRIu64 " rows\n",
                 figures->commits, figures->transactions, figures->operations);
    (void)printf("took     %.3f s, %.0f messages/s\n", outcome->seconds, rate(outcome));
    if (figures->letters > 0) {
        print_types(figures);
        print_latency_columns(figures->all);
    }
    print_verdict(outcome);
    return fflush(stdout) == 0 && ferror(stdout) == 0 ? 0 : -1;
}

/* ---- JSON ---- */

static void put(json_t *object, const char *name, json_t *value)
{
    OD_CHECK(json_object_set_new(object, name, value) == 0);
}

static json_t *digest_json(uint64_t digest)
{
    return json_sprintf("%016" PRIx64, digest);
}

static json_t *instant_json(int64_t at)
{
    char text[INSTANT_TEXT_SIZE];

    instant_print(at, text);
    return json_string(text);
}

json_t *histogram_json(const struct histogram *histogram)
{
    json_t *object = json_object();

    put(object, "count", json_integer((json_int_t)histogram->count));
    for (size_t i = 0; i < PERCENTILES; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "%sNs", percentiles[i].name);
        put(object, name,
            json_integer((json_int_t)histogram_percentile(histogram, percentiles[i].millionths)));
    }
    put(object, "maxNs", json_integer((json_int_t)histogram->maximum));
    return object;
}

static json_t *types_json(const struct replay_figures *figures)
{
    json_t *object = json_object();

    for (unsigned type = 0; type < MESSAGE_TYPE_COUNT; type++) {
        if (figures->types[type].count > 0) {
            put(object, message_type_name((enum message_type)type),
                histogram_json(&figures->types[type]));
        }
    }
    put(object, "all", histogram_json(figures->all));
    return object;
}

static json_t *difference_json(const struct replay_difference *difference)
{
    json_t *object = json_object();
    struct buf text;

    put(object, "record",
        json_string(difference->is_state ? "state" : trace_kind_name(difference->kind)));
    put(object, "message", json_integer((json_int_t)difference->index));
    put(object, "at", instant_json(difference->at));
    if (difference->kind == TRACE_MESSAGE) {
        put(object, "type", json_string(message_type_name(difference->type)));
        put(object, "actor", json_string(actor_kind_text(difference->actor.kind)));
        put(object, "number", json_integer(difference->actor.number));
    }
    put(object, "recorded", digest_json(difference->expected));
    put(object, "found", digest_json(difference->found));
    buf_init(&text);
    print_difference(difference, &text);
    put(object, "text", json_stringn(text.data, text.size));
    buf_deinit(&text);
    return object;
}

int print_outcome_json(const struct replay_outcome *outcome)
{
    const struct replay_figures *figures = outcome->figures;
    json_t *object = json_object();
    int result;

    put(object, "file", json_string(outcome->file));
    put(object, "program",
        json_stringn(outcome->header->program.data, outcome->header->program.size));
    put(object, "clock", json_string(outcome->header->has_test_clock ? "test" : "real"));
    put(object, "raw", json_boolean(outcome->header->is_raw));
    put(object, "fits", json_boolean(outcome->fits));
    put(object, "letters", json_integer((json_int_t)figures->letters));
    put(object, "messages", json_integer((json_int_t)figures->messages));
    put(object, "commits", json_integer((json_int_t)figures->commits));
    put(object, "transactions", json_integer((json_int_t)figures->transactions));
    put(object, "rows", json_integer((json_int_t)figures->operations));
    put(object, "reloads", json_integer((json_int_t)figures->reloads));
    put(object, "from", figures->letters > 0 ? instant_json(figures->first_at) : json_null());
    put(object, "to", figures->letters > 0 ? instant_json(figures->last_at) : json_null());
    put(object, "seconds", json_real(outcome->seconds));
    put(object, "messagesPerSecond", json_real(rate(outcome)));
    put(object, "types", types_json(figures));
    put(object, "damage", outcome->damage != NULL ? json_string(outcome->damage) : json_null());
    put(object, "state", digest_json(outcome->state));
    put(object, "verified",
        outcome->is_verified ? json_boolean(!figures->is_different) : json_null());
    put(object, "difference",
        figures->is_different ? difference_json(&figures->difference) : json_null());
    result = json_dumpf(object, stdout, JSON_PRESERVE_ORDER | JSON_COMPACT);
    json_decref(object);
    return result == 0 && printf("\n") > 0 && fflush(stdout) == 0 ? 0 : -1;
}
