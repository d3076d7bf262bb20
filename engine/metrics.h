/* What the process counts, and its text for Prometheus (GET /metrics).
 *
 * All metrics are in the list below, with the values of their label, where they have one. Counting
 * belongs to the reactor's thread.
 */
#ifndef OUTDIAL_ENGINE_METRICS_H
#define OUTDIAL_ENGINE_METRICS_H

#include <stdint.h>

#include "base/buf.h"
#include "engine/histogram.h"
#include "model/records.h"

enum metric_type {
    METRIC_COUNTER,
    METRIC_GAUGE,
    METRIC_SECONDS, /* a histogram of durations, counted in nanoseconds */
    METRIC_NUMBERS, /* a histogram of numbers */
};

/* METRIC(constant, name, type, label, help) of one number a label value, HISTOGRAM(...) likewise of
 * a histogram. A label is "" or one of those in metrics.c: "outcome" (enum outcome less 1),
 * "status" (enum metric_status), "version". */
#define METRICS(METRIC)                                                                            \
    METRIC(BUILD_INFO, "outdial_build_info", GAUGE, "version", "The version that runs.")           \
    METRIC(MESSAGES, "outdial_messages_total", COUNTER, "", "Messages that actors have handled.")  \
    METRIC(CALLS_QUEUED, "outdial_calls_queued_total", COUNTER, "", "Calls that were queued.")     \
    METRIC(CALLS_LIVE, "outdial_calls_live", GAUGE, "", "Calls that are queued or under way.")     \
    METRIC(ATTEMPTS, "outdial_attempts_total", COUNTER, "", "Attempts that have ended.")           \
    METRIC(OUTCOMES, "outdial_outcomes_total", COUNTER, "outcome", "Attempts by their outcome.")   \
    METRIC(LATE_RESULTS, "outdial_late_results_total", COUNTER, "",                                \
           "Results that came after the end of their call.")                                       \
    METRIC(EXECUTIONS_LOADED, "outdial_executions_loaded", GAUGE, "", "Executions in memory.")     \
    METRIC(COMMITS, "outdial_commits_total", COUNTER, "", "Batches that were made durable.")       \
    METRIC(STORE_BYTES, "outdial_store_bytes", GAUGE, "", "Bytes of the store's file in use.")     \
    METRIC(READ_ONLY, "outdial_read_only", GAUGE, "", "1 while the store takes no writes.")        \
    METRIC(HTTP_REQUESTS, "outdial_http_requests_total", COUNTER, "status",                        \
           "Requests that were answered, by the class of the status.")                             \
    METRIC(HTTP_CONNECTIONS, "outdial_http_connections", GAUGE, "", "Connections that are open.")  \
    METRIC(EVENT_STREAMS, "outdial_event_streams", GAUGE, "", "Streams of events that are open.")  \
    METRIC(EVENT_STREAMS_DROPPED, "outdial_event_streams_dropped_total", COUNTER, "",              \
           "Streams of events whose client did not read.")                                         \
    METRIC(TRACE_BYTES, "outdial_trace_bytes_total", COUNTER, "", "Bytes that were recorded.")     \
    METRIC(TRACE_LOST, "outdial_trace_lost", GAUGE, "", "1 when the recording has ended early.")

#define METRICS_HISTOGRAMS(HISTOGRAM)                                                              \
    HISTOGRAM(COMMIT_TIME, "outdial_commit_seconds", SECONDS, "How long a commit took.")           \
    HISTOGRAM(COMMIT_OPERATIONS, "outdial_commit_operations", NUMBERS,                             \
              "Puts and deletes of a commit.")                                                     \
    HISTOGRAM(TURN_TIME, "outdial_turn_seconds", SECONDS, "How long a turn of the reactor took.")

enum metric {

#define METRIC(constant, name, type, label, help) METRIC_##constant,
    METRICS(METRIC)
#undef METRIC
        METRIC_COUNT
};

enum metric_histogram {

#define HISTOGRAM(constant, name, type, help) METRIC_##constant,
    METRICS_HISTOGRAMS(HISTOGRAM)
#undef HISTOGRAM
        METRIC_HISTOGRAM_COUNT
};

/* The values of the label `status`: 1xx to 5xx. */
enum metric_status {
    METRIC_STATUS_1XX,
    METRIC_STATUS_2XX,
    METRIC_STATUS_3XX,
    METRIC_STATUS_4XX,
    METRIC_STATUS_5XX,
};

enum {
    METRIC_SERIES_MAX = 7 /* label values of one metric */
};

struct metrics {
    int64_t values[METRIC_COUNT][METRIC_SERIES_MAX];
    struct histogram histograms[METRIC_HISTOGRAM_COUNT];
};

/* All zero, but for the version. */
void metrics_init(struct metrics *metrics);

/* A metric without a label. Counters only grow. */
void metrics_add(struct metrics *metrics, enum metric metric, uint64_t n);
void metrics_set(struct metrics *metrics, enum metric metric, int64_t value);
int64_t metrics_value(const struct metrics *metrics, enum metric metric);

/* Those with one. */
void metrics_add_outcome(struct metrics *metrics, enum outcome outcome, uint64_t n);
void metrics_add_http_status(struct metrics *metrics, int status); /* 100 to 599 */

/* A duration, and a number. */
void metrics_observe_ns(struct metrics *metrics, enum metric_histogram histogram, int64_t ns);
void metrics_observe(struct metrics *metrics, enum metric_histogram histogram, uint64_t number);

/* For histogram_percentile and the maximum. */
const struct histogram *metrics_histogram(const struct metrics *metrics,
                                          enum metric_histogram histogram);

/* Appends the text for Prometheus (exposition format 0.0.4). 0 or OD_ENOMEM. */
int metrics_print(const struct metrics *metrics, struct buf *out);

#endif
