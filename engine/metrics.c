/* The text lists each metric once, with HELP and TYPE before its values, in the order of the list.
 * Histograms are told at the powers of two between their bounds, where their buckets are exact.
 */
#include "engine/metrics.h"

#include <inttypes.h>

#include "base/check.h"
#include "base/version.h"
#include "model/names.h"

#define NS_PER_SECOND UINT64_C(1000000000)

struct metric_text {
    const char *name;
    enum metric_type type;
    const char *label;
    const char *help;
};

static const struct metric_text metric_texts[METRIC_COUNT] = {
#define METRIC(constant, name, type, label, help)                                                  \
    [METRIC_##constant] = {name, METRIC_##type, label, help},
    METRICS(METRIC)
#undef METRIC
};

static const struct metric_text histogram_texts[METRIC_HISTOGRAM_COUNT] = {
#define HISTOGRAM(constant, name, type, help) [METRIC_##constant] = {name, METRIC_##type, "", help},
    METRICS_HISTOGRAMS(HISTOGRAM)
#undef HISTOGRAM
};

/* The text of the n-th value of a label; NULL: there is none. */
static const char *version_text(uint32_t n)
{
    return n == 0 ? OUTDIAL_VERSION : NULL;
}

static const char *status_text(uint32_t n)
{
    static const char *const texts[] = {"1xx", "2xx", "3xx", "4xx", "5xx"};

    return n <= METRIC_STATUS_5XX ? texts[n] : NULL;
}

static const char *outcome_text(uint32_t n)
{
    return n < OUTCOME_TIMEOUT ? outcome_name((enum outcome)(n + 1)) : NULL;
}

static const struct metric_label {
    const char *name;
    const char *(*text)(uint32_t n);
} labels[] = {
    {"version", version_text},
    {"status", status_text},
    {"outcome", outcome_text},
};

static const struct metric_label *find_label(const char *name)
{
    size_t i = 0;

    while (i < sizeof(labels) / sizeof(labels[0]) && strcmp(labels[i].name, name) != 0) {
        i++;
    }
    OD_CHECK(i < sizeof(labels) / sizeof(labels[0]));
    return &labels[i];
}

void metrics_init(struct metrics *metrics)
{
    memset(metrics, 0, sizeof(*metrics));
    metrics->values[METRIC_BUILD_INFO][0] = 1;
}

void metrics_add(struct metrics *metrics, enum metric metric, uint64_t n)
{
    metrics->values[metric][0] += (int64_t)n;
}

void metrics_set(struct metrics *metrics, enum metric metric, int64_t value)
{
    metrics->values[metric][0] = value;
}

int64_t metrics_value(const struct metrics *metrics, enum metric metric)
{
    return metrics->values[metric][0];
}

void metrics_add_outcome(struct metrics *metrics, enum outcome outcome, uint64_t n)
{
    OD_CHECK(outcome >= OUTCOME_ANSWERED);
    OD_CHECK(outcome <= OUTCOME_TIMEOUT);
    metrics->values[METRIC_OUTCOMES][outcome - 1] += (int64_t)n;
}

void metrics_add_http_status(struct metrics *metrics, int status)
{
    OD_CHECK(status >= 100);
    OD_CHECK(status <= 599);
    metrics->values[METRIC_HTTP_REQUESTS][status / 100 - 1]++;
}

void metrics_observe_ns(struct metrics *metrics, enum metric_histogram histogram, int64_t ns)
{
    metrics_observe(metrics, histogram, ns > 0 ? (uint64_t)ns : 0);
}

void metrics_observe(struct metrics *metrics, enum metric_histogram histogram, uint64_t number)
{
    histogram_add(&metrics->histograms[histogram], number);
}

const struct histogram *metrics_histogram(const struct metrics *metrics,
                                          enum metric_histogram histogram)
{
    return &metrics->histograms[histogram];
}

/* ---- text ---- */

static const char *type_name(enum metric_type type)
{
    switch (type) {
    case METRIC_COUNTER: return "counter";
    case METRIC_GAUGE: return "gauge";
    case METRIC_SECONDS:
    case METRIC_NUMBERS: return "histogram";
    }
    return "untyped";
}

static int print_head(const struct metric_text *text, struct buf *out)
{
    return buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", text->name, text->help, text->name,
                      type_name(text->type));
}

static int print_labelled(const struct metric_text *text, const int64_t *values, struct buf *out)
{
    const struct metric_label *label = find_label(text->label);
    int error = 0;

    for (uint32_t i = 0; i < METRIC_SERIES_MAX && label->text(i) != NULL && error == 0; i++) {
        error = buf_printf(out, "%s{%s=\"%s\"} %" PRId64 "\n", text->name, label->name,
                           label->text(i), values[i]);
    }
    return error;
}

static int print_metric(const struct metric_text *text, const int64_t *values, struct buf *out)
{
    int error = print_head(text, out);

    if (error != 0) {
        return error;
    }
    if (text->label[0] != '\0') {
        return print_labelled(text, values, out);
    }
    return buf_printf(out, "%s %" PRId64 "\n", text->name, values[0]);
}

/* A number of the histogram's unit: seconds are nanoseconds with a point, whatever the locale. */
static int print_number(enum metric_type type, uint64_t number, struct buf *out)
{
    if (type == METRIC_SECONDS) {
        return buf_printf(out, "%" PRIu64 ".%09" PRIu64, number / NS_PER_SECOND,
                          number % NS_PER_SECOND);
    }
    return buf_printf(out, "%" PRIu64, number);
}

static int print_bucket(const struct metric_text *text, const struct histogram *histogram,
                        uint64_t bound, struct buf *out)
{
    int error = buf_printf(out, "%s_bucket{le=\"", text->name);

    if (error == 0) {
        error = print_number(text->type, bound, out);
    }
    if (error == 0) {
        error = buf_printf(out, "\"} %" PRIu64 "\n", histogram_at_most(histogram, bound));
    }
    return error;
}

static int print_histogram(const struct metric_text *text, const struct histogram *histogram,
                           struct buf *out)
{
    /* From 16 µs to 17 s, and from 1 to a million. */
    unsigned first = text->type == METRIC_SECONDS ? 14 : 0;
    unsigned last = text->type == METRIC_SECONDS ? 34 : 20;
    int error = print_head(text, out);

    for (unsigned bit = first; bit <= last && error == 0; bit++) {
        error = print_bucket(text, histogram, UINT64_C(1) << bit, out);
    }
    if (error == 0) {
        error = buf_printf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum ", text->name,
                           histogram->count, text->name);
    }
    if (error == 0) {
        error = print_number(text->type, histogram->sum, out);
    }
    if (error == 0) {
        error = buf_printf(out, "\n%s_count %" PRIu64 "\n", text->name, histogram->count);
    }
    return error;
}

int metrics_print(const struct metrics *metrics, struct buf *out)
{
    int error = 0;

    for (unsigned i = 0; i < METRIC_COUNT && error == 0; i++) {
        error = print_metric(&metric_texts[i], metrics->values[i], out);
    }
    for (unsigned i = 0; i < METRIC_HISTOGRAM_COUNT && error == 0; i++) {
        error = print_histogram(&histogram_texts[i], &metrics->histograms[i], out);
    }
    return error;
}
