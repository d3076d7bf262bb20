#include "gateways/simulator_options.h"

#include <stdio.h>

#include "base/check.h"
#include "base/hash.h"

#define PERCENT 100U

/* ---- option by option ---- */

/* Digits up to `maximum`, at least one, and nothing else. */
static bool read_number(struct slice text, uint64_t maximum, uint64_t *out)
{
    uint64_t number = 0;

    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' ||
            __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(text.data[i] - '0'), &number)) {
            return false;
        }
    }
    if (text.size == 0 || number > maximum) {
        return false;
    }
    *out = number;
    return true;
}

static bool is_seed(struct slice text)
{
    uint64_t number;

    return read_number(text, UINT64_MAX, &number);
}

static bool is_percent(struct slice text)
{
    uint64_t number;

    return read_number(text, PERCENT, &number);
}

/* Up to an hour. */
static bool is_milliseconds(struct slice text)
{
    uint64_t number;

    return read_number(text, UINT64_C(3600000), &number);
}

static bool is_seconds(struct slice text)
{
    uint64_t number;

    return read_number(text, 3600, &number);
}

static bool is_flag(struct slice text)
{
    return slice_equal_text(text, "true") || slice_equal_text(text, "false");
}

/* The text up to the next comma, without blanks around it; `rest` is moved behind the comma. */
static struct slice take_node(struct slice *rest)
{
    const char *comma = memchr(rest->data, ',', rest->size);
    size_t size = comma != NULL ? (size_t)(comma - rest->data) : rest->size;
    size_t taken = comma != NULL ? size + 1 : size;
    struct slice node = slice_make(rest->data, size);

    *rest = slice_make(rest->data + taken, rest->size - taken);
    while (node.size > 0 && node.data[0] == ' ') {
        node = slice_make(node.data + 1, node.size - 1);
    }
    while (node.size > 0 && node.data[node.size - 1] == ' ') {
        node.size--;
    }
    return node;
}

static bool is_path(struct slice text)
{
    size_t count = 0;

    if (text.size >= SIMULATOR_PATH_MAX) {
        return false;
    }
    if (text.size > 0 && text.data[text.size - 1] == ',') {
        return false;
    }
    while (text.size > 0) {
        struct slice node = take_node(&text);

        if (node.size == 0 || node.size > SIMULATOR_NODE_ID_MAX || ++count > SIMULATOR_NODES_MAX) {
            return false;
        }
    }
    return true;
}

const struct gateway_option simulator_option_table[] = {
    {"seed", "1", "a whole number; another one gives other calls", is_seed},
    {"answered", "45", "weight of the outcome, 0 to 100", is_percent},
    {"voicemail", "15", "weight of the outcome, 0 to 100", is_percent},
    {"busy", "10", "weight of the outcome, 0 to 100", is_percent},
    {"no_answer", "25", "weight of the outcome, 0 to 100", is_percent},
    {"rejected", "4", "weight of the outcome, 0 to 100", is_percent},
    {"error", "1", "weight of the outcome, 0 to 100", is_percent},
    {"ring_ms_min", "1000", "milliseconds that a call rings at least, 0 to 3600000",
     is_milliseconds},
    {"ring_ms_max", "8000", "milliseconds that a call rings at most, 0 to 3600000",
     is_milliseconds},
    {"talk_ms_min", "2000", "milliseconds that an answered call takes at least, 0 to 3600000",
     is_milliseconds},
    {"talk_ms_max", "20000", "milliseconds that an answered call takes at most, 0 to 3600000",
     is_milliseconds},
    {"nodes", "",
     "ids of nodes, with commas between them, that an answered call executes; up to 32", is_path},
    {"release_percent", "0", "how many of 100 calls are given back instead of dialled, 0 to 100",
     is_percent},
    {"release_retry_seconds", "1",
     "seconds for which the gateway backs off after giving a call back, 0 to 3600", is_seconds},
    {"answer_instantly", "false", "true or false; true: calls neither ring nor talk", is_flag},
    {NULL, NULL, NULL, NULL},
};

/* ---- all options ---- */

static struct slice option_text(const struct gateway_host *host, const char *key)
{
    const char *text = host->option(host->option_context, key);

    OD_CHECK(text != NULL);
    return slice_from(text);
}

static uint64_t option_number(const struct gateway_host *host, const char *key)
{
    uint64_t number = 0;

    OD_CHECK(read_number(option_text(host, key), UINT64_MAX, &number));
    return number;
}

static void read_path(const struct gateway_host *host, struct simulator_options *out)
{
    struct slice text = option_text(host, "nodes");
    struct slice rest = slice_make(out->path, text.size);

    OD_CHECK(is_path(text));
    memcpy(out->path, text.data, text.size);
    while (rest.size > 0) {
        out->nodes[out->node_count++] = take_node(&rest);
    }
}

int simulator_options_read(const struct gateway_host *host, struct simulator_options *out,
                           struct od_error *error)
{
    static const char *const weights[SIMULATOR_OUTCOMES] = {"answered",  "voicemail", "busy",
                                                            "no_answer", "rejected",  "error"};
    uint32_t sum = 0;

    memset(out, 0, sizeof(*out));
    out->seed = option_number(host, "seed");
    for (size_t i = 0; i < SIMULATOR_OUTCOMES; i++) {
        out->weights[i] = (uint32_t)option_number(host, weights[i]);
        sum += out->weights[i];
    }
    out->ring_ms_min = (uint32_t)option_number(host, "ring_ms_min");
    out->ring_ms_max = (uint32_t)option_number(host, "ring_ms_max");
    out->talk_ms_min = (uint32_t)option_number(host, "talk_ms_min");
    out->talk_ms_max = (uint32_t)option_number(host, "talk_ms_max");
    out->release_percent = (uint32_t)option_number(host, "release_percent");
    out->release_retry_seconds = (uint32_t)option_number(host, "release_retry_seconds");
    out->answer_instantly = slice_equal_text(option_text(host, "answer_instantly"), "true");
    read_path(host, out);
    if (sum == 0) {
        return od_error_set(error, OD_EINVAL, "one weight of an outcome must be above 0");
    }
    if (out->ring_ms_min > out->ring_ms_max) {
        return od_error_set(error, OD_EINVAL, "ring_ms_min is above ring_ms_max");
    }
    if (out->talk_ms_min > out->talk_ms_max) {
        return od_error_set(error, OD_EINVAL, "talk_ms_min is above talk_ms_max");
    }
    return 0;
}

/* ---- what becomes of a call ---- */

static struct prng prng_of_call(const struct simulator_options *options, uint32_t tag,
                                uint32_t entry, uint16_t attempt)
{
    struct prng prng;
    uint64_t seed = hash_number(options->seed);

    seed = hash_number(seed ^ ((uint64_t)tag << 32 | entry));
    prng_seed(&prng, hash_number(seed ^ attempt));
    return prng;
}

static uint32_t draw_between(struct prng *prng, uint32_t minimum, uint32_t maximum)
{
    return minimum + (uint32_t)prng_below(prng, (uint64_t)maximum - minimum + 1);
}

static enum outcome draw_outcome(struct prng *prng, const uint32_t weights[SIMULATOR_OUTCOMES])
{
    uint64_t sum = 0;
    uint64_t drawn;
    uint32_t i = 0;

    for (uint32_t j = 0; j < SIMULATOR_OUTCOMES; j++) {
        sum += weights[j];
    }
    drawn = prng_below(prng, sum);
    while (drawn >= weights[i]) {
        drawn -= weights[i++];
    }
    return (enum outcome)(OUTCOME_ANSWERED + i);
}

struct simulated_fate simulator_fate(const struct simulator_options *options, uint32_t tag,
                                     uint32_t entry, uint16_t attempt)
{
    struct prng prng = prng_of_call(options, tag, entry, attempt);
    struct simulated_fate fate = {.outcome = draw_outcome(&prng, options->weights)};

    if (options->answer_instantly) {
        return fate;
    }
    fate.ring_ms = draw_between(&prng, options->ring_ms_min, options->ring_ms_max);
    if (fate.outcome == OUTCOME_ANSWERED) {
        fate.talk_ms = draw_between(&prng, options->talk_ms_min, options->talk_ms_max);
    }
    return fate;
}

bool simulator_releases(const struct simulator_options *options, uint32_t tag, uint32_t entry,
                        uint16_t attempt, uint64_t releases)
{
    struct prng prng = prng_of_call(options, tag, entry, attempt);

    if (options->release_percent == 0) {
        return false;
    }
    prng_seed(&prng, prng_next(&prng) ^ hash_number(releases));
    return prng_below(&prng, PERCENT) < options->release_percent;
}
