/* engine/metrics: the text for Prometheus. */
#include "engine/metrics.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/version.h"
#include "tests/support/od_test.h"

struct fixture {
    struct metrics metrics;
    struct buf text; /* ends with a NUL */
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    if (fixture == NULL) {
        return -1;
    }
    metrics_init(&fixture->metrics);
    buf_init(&fixture->text);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    buf_deinit(&fixture->text);
    free(fixture);
    return 0;
}

static void print(struct fixture *fixture)
{
    buf_clear(&fixture->text);
    assert_int_equal(metrics_print(&fixture->metrics, &fixture->text), 0);
    assert_int_equal(buf_append_byte(&fixture->text, '\0'), 0);
}

/* The text has exactly this line. */
static void assert_line(const struct fixture *fixture, const char *line)
{
    char wanted[256];

    (void)snprintf(wanted, sizeof(wanted), "\n%s\n", line);
    if (strstr(fixture->text.data, wanted) == NULL) {
        fail_msg("no line \"%s\"", line);
    }
}

static void counters_and_gauges_are_printed(void **state)
{
    struct fixture *fixture = *state;

    metrics_add(&fixture->metrics, METRIC_MESSAGES, 3);
    metrics_add(&fixture->metrics, METRIC_MESSAGES, 4);
    metrics_set(&fixture->metrics, METRIC_CALLS_LIVE, 9);
    metrics_set(&fixture->metrics, METRIC_CALLS_LIVE, 5);
    assert_int_equal(metrics_value(&fixture->metrics, METRIC_MESSAGES), 7);
    print(fixture);
    assert_line(fixture, "# TYPE outdial_messages_total counter");
    assert_line(fixture, "# HELP outdial_messages_total Messages that actors have handled.");
    assert_line(fixture, "outdial_messages_total 7");
    assert_line(fixture, "# TYPE outdial_calls_live gauge");
    assert_line(fixture, "outdial_calls_live 5");
    assert_line(fixture, "outdial_read_only 0");
    assert_line(fixture, "outdial_build_info{version=\"" OUTDIAL_VERSION "\"} 1");
}

static void labels_have_all_their_values(void **state)
{
    struct fixture *fixture = *state;

    metrics_add_outcome(&fixture->metrics, OUTCOME_ANSWERED, 2);
    metrics_add_outcome(&fixture->metrics, OUTCOME_TIMEOUT, 1);
    metrics_add_http_status(&fixture->metrics, 100);
    metrics_add_http_status(&fixture->metrics, 200);
    metrics_add_http_status(&fixture->metrics, 204);
    metrics_add_http_status(&fixture->metrics, 599);
    print(fixture);
    assert_line(fixture, "outdial_outcomes_total{outcome=\"answered\"} 2");
    assert_line(fixture, "outdial_outcomes_total{outcome=\"no_answer\"} 0");
    assert_line(fixture, "outdial_outcomes_total{outcome=\"timeout\"} 1");
    assert_line(fixture, "outdial_http_requests_total{status=\"1xx\"} 1");
    assert_line(fixture, "outdial_http_requests_total{status=\"2xx\"} 2");
    assert_line(fixture, "outdial_http_requests_total{status=\"3xx\"} 0");
    assert_line(fixture, "outdial_http_requests_total{status=\"5xx\"} 1");
}

static void histograms_are_cumulative(void **state)
{
    struct fixture *fixture = *state;

    metrics_observe_ns(&fixture->metrics, METRIC_COMMIT_TIME, 1 << 20);
    metrics_observe_ns(&fixture->metrics, METRIC_COMMIT_TIME, (1 << 20) + 1);
    metrics_observe_ns(&fixture->metrics, METRIC_COMMIT_TIME, INT64_C(100000000000));
    metrics_observe_ns(&fixture->metrics, METRIC_COMMIT_TIME, -1);
    metrics_observe(&fixture->metrics, METRIC_COMMIT_OPERATIONS, 1000);
    print(fixture);
    assert_line(fixture, "# TYPE outdial_commit_seconds histogram");
    assert_line(fixture, "outdial_commit_seconds_bucket{le=\"0.000016384\"} 1");
    assert_line(fixture, "outdial_commit_seconds_bucket{le=\"0.001048576\"} 2");
    assert_line(fixture, "outdial_commit_seconds_bucket{le=\"0.002097152\"} 3");
    assert_line(fixture, "outdial_commit_seconds_bucket{le=\"17.179869184\"} 3");
    assert_line(fixture, "outdial_commit_seconds_bucket{le=\"+Inf\"} 4");
    assert_line(fixture, "outdial_commit_seconds_sum 100.002097153");
    assert_line(fixture, "outdial_commit_seconds_count 4");
    assert_line(fixture, "outdial_commit_operations_bucket{le=\"512\"} 0");
    assert_line(fixture, "outdial_commit_operations_bucket{le=\"1024\"} 1");
    assert_line(fixture, "outdial_commit_operations_sum 1000");
    assert_int_equal(metrics_histogram(&fixture->metrics, METRIC_COMMIT_TIME)->maximum,
                     INT64_C(100000000000));
}

static bool is_name(const char *text, size_t size)
{
    return size > 0 && strspn(text, "abcdefghijklmnopqrstuvwxyz_0123456789") == size;
}

/* Each line is a comment or NAME[{LABEL="…"}] NUMBER; a name is told before its values. */
static void every_line_has_the_form_of_the_format(void **state)
{
    struct fixture *fixture = *state;
    char type[128] = "";
    char *line;
    char *rest;

    print(fixture);
    rest = fixture->text.data;
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        size_t size = strcspn(line, "{ ");

        if (strncmp(line, "# HELP ", 7) == 0) {
            (void)snprintf(type, sizeof(type), "%.*s", (int)strcspn(line + 7, " "), line + 7);
            assert_true(strlen(line) > 7 + strlen(type) + 1);
        } else if (strncmp(line, "# TYPE ", 7) == 0) {
            assert_memory_equal(line + 7, type, strlen(type));
        } else {
            const char *value = strrchr(line, ' ');
            char *end;

            assert_true(is_name(line, size));
            assert_memory_equal(line, type, strlen(type));
            assert_non_null(value);
            (void)strtod(value + 1, &end);
            assert_true(end > value + 1);
            assert_int_equal(*end, '\0');
        }
    }
    assert_non_null(line);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(counters_and_gauges_are_printed, setup, teardown),
    cmocka_unit_test_setup_teardown(labels_have_all_their_values, setup, teardown),
    cmocka_unit_test_setup_teardown(histograms_are_cumulative, setup, teardown),
    cmocka_unit_test_setup_teardown(every_line_has_the_form_of_the_format, setup, teardown),
};

OD_TEST_MAIN(tests)
