#include "base/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/instant.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "tests/support/od_test.h"

#define AT        INT64_C(1795467237123)
#define TEXT_TIME "2026-11-23T20:53:57.123Z "
#define JSON_TIME "{\"time\":\"2026-11-23T20:53:57.123Z\","

static int64_t now = AT;

static int64_t test_now_ms(void)
{
    return now;
}

/* The ends of a pipe that the log writes to. */
struct fixture {
    int read_end;
    int write_end;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    int ends[2];

    if (pipe2(ends, O_NONBLOCK) != 0) {
        return -1;
    }
    fixture = (struct fixture){ends[0], ends[1]};
    now = AT;
    log_set_clock(test_now_ms);
    log_open(LOG_LEVEL_DEBUG, LOG_TEXT_FORMAT, fixture.write_end);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    log_open(LOG_LEVEL_INFO, LOG_TEXT_FORMAT, STDERR_FILENO);
    log_set_clock(NULL);
    (void)close(fixture->read_end);
    (void)close(fixture->write_end);
    return 0;
}

static void use_json(struct fixture *fixture)
{
    log_open(LOG_LEVEL_DEBUG, LOG_JSON_FORMAT, fixture->write_end);
}

/* Returns all that was written since the last call, "" if nothing. */
static const char *written(struct fixture *fixture)
{
    static char text[65536];
    ssize_t size = read(fixture->read_end, text, sizeof(text) - 1);

    text[size > 0 ? size : 0] = '\0';
    return text;
}

static void an_event_without_fields_is_time_level_and_message(void **state)
{
    struct fixture *fixture = *state;

    log_info("store opened");
    assert_string_equal(written(fixture), TEXT_TIME "INFO  store opened\n");
    use_json(fixture);
    log_info("store opened");
    assert_string_equal(written(fixture),
                        JSON_TIME "\"level\":\"info\",\"message\":\"store opened\"}\n");
}

static void log_all_kinds(void)
{
    struct uuid id;

    assert_true(uuid_parse(SLICE("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"), &id));
    log_warn("all kinds", FIELD_TEXT("path", "/data"), FIELD_SLICE("name", SLICE("Zoë")),
             FIELD_INT("low", INT64_MIN), FIELD_UINT("high", UINT64_MAX), FIELD_BOOL("open", true),
             FIELD_BOOL("late", false), FIELD_UUID("execution", &id), FIELD_INSTANT("due", AT),
             FIELD_INSTANT("end", INSTANT_NEVER), FIELD_TEXT("none", NULL));
}

static void every_kind_of_field_is_printed(void **state)
{
    struct fixture *fixture = *state;

    log_all_kinds();
    assert_string_equal(
        written(fixture),
        TEXT_TIME "WARN  all kinds path=\"/data\" name=\"Zoë\" low=-9223372036854775808 "
                  "high=18446744073709551615 open=true late=false "
                  "execution=017f22e2-79b0-7cc3-98c4-dc0c0c07398f due=2026-11-23T20:53:57.123Z "
                  "end=never none=\"\"\n");
    use_json(fixture);
    log_all_kinds();
    assert_string_equal(
        written(fixture),
        JSON_TIME "\"level\":\"warn\",\"message\":\"all kinds\",\"path\":\"/data\","
                  "\"name\":\"Zoë\",\"low\":-9223372036854775808,\"high\":18446744073709551615,"
                  "\"open\":true,\"late\":false,"
                  "\"execution\":\"017f22e2-79b0-7cc3-98c4-dc0c0c07398f\","
                  "\"due\":\"2026-11-23T20:53:57.123Z\",\"end\":\"never\",\"none\":\"\"}\n");
}

static void values_are_escaped_in_both_formats(void **state)
{
    static const struct {
        struct slice value;
        const char *escaped;
    } rows[] = {
        {SLICE_INIT("plain = text"), "plain = text"},
        {SLICE_INIT("\"\\/"), "\\\"\\\\/"},
        {SLICE_INIT("\b\f\n\r\t"), "\\b\\f\\n\\r\\t"},
        {SLICE_INIT("\0\x01\x1f\x7f"), "\\u0000\\u0001\\u001f\\u007f"},
        {SLICE_INIT("\x1b[2J"), "\\u001b[2J"},
        {SLICE_INIT("x\"\n2026-11-23T20:53:57.123Z INFO  forged"),
         "x\\\"\\n2026-11-23T20:53:57.123Z INFO  forged"},
        {SLICE_INIT("\xc2\x80\xc2\x9f"), "\\u0080\\u009f"},
        {SLICE_INIT("é€😀"), "é€😀"},
        /* Marks that turn or hide what follows, and separators of lines. */
        {SLICE_INIT("\u202e\u2066\u200f\u200b\ufeff\u2028\u2029\u061c"),
         "\\u202e\\u2066\\u200f\\u200b\\ufeff\\u2028\\u2029\\u061c"},
        /* Bytes that are not UTF-8, each on its own. */
        {SLICE_INIT("a\xff"
                    "b\xc3"),
         "a\\ufffdb\\ufffd"},
        {SLICE_INIT("\xed\xa0\x80"), "\\ufffd\\ufffd\\ufffd"},
        {SLICE_INIT("\xe2\x82"), "\\ufffd\\ufffd"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char expected[256];

        log_open(LOG_LEVEL_DEBUG, LOG_TEXT_FORMAT, fixture->write_end);
        log_error("odd", FIELD_SLICE("value", rows[i].value));
        (void)snprintf(expected, sizeof(expected), TEXT_TIME "ERROR odd value=\"%s\"\n",
                       rows[i].escaped);
        assert_string_equal(written(fixture), expected);
        use_json(fixture);
        log_error("odd", FIELD_SLICE("value", rows[i].value));
        (void)snprintf(expected, sizeof(expected),
                       JSON_TIME "\"level\":\"error\",\"message\":\"odd\",\"value\":\"%s\"}\n",
                       rows[i].escaped);
        assert_string_equal(written(fixture), expected);
    }
}

static void events_below_the_minimum_are_neither_written_nor_evaluated(void **state)
{
    struct fixture *fixture = *state;
    int evaluated = 0;

    log_open(LOG_LEVEL_WARN, LOG_TEXT_FORMAT, fixture->write_end);
    log_debug("a", FIELD_INT("n", ++evaluated));
    log_info("b", FIELD_INT("n", ++evaluated));
    assert_int_equal(evaluated, 0);
    assert_string_equal(written(fixture), "");
    log_warn("c", FIELD_INT("n", ++evaluated));
    log_error("d", FIELD_INT("n", ++evaluated));
    assert_string_equal(written(fixture), TEXT_TIME "WARN  c n=1\n" TEXT_TIME "ERROR d n=2\n");
    assert_false(log_enabled(LOG_LEVEL_INFO));
    assert_true(log_enabled(LOG_LEVEL_WARN));
}

/* Logs a value of `count` times the piece and a number behind it. Returns the line. */
static const char *log_long(struct fixture *fixture, struct slice piece, size_t count)
{
    static char value[3 * OD_LOG_LINE_MAX];
    size_t size = 0;

    for (size_t i = 0; i < count && size + piece.size <= sizeof(value); i++) {
        memcpy(value + size, piece.data, piece.size);
        size += piece.size;
    }
    log_info("long", FIELD_SLICE("value", slice_make(value, size)), FIELD_INT("after", 7));
    return written(fixture);
}

static bool ends_in(const char *text, const char *end)
{
    return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

/* Lengths from far below the limit to above it, one by one where the line is cut. */
static void check_long_lines(struct fixture *fixture, const char *whole_end, const char *cut_end)
{
    static const struct slice pieces[] = {SLICE_INIT("x"), SLICE_INIT("\n"), SLICE_INIT("é"),
                                          SLICE_INIT("😀"), SLICE_INIT("\x01")};

    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        for (size_t count = 600; count < 4200; count++) {
            const char *line = log_long(fixture, pieces[i], count);
            size_t size = strlen(line);

            assert_in_range(size, 1, OD_LOG_LINE_MAX);
            assert_true(utf8_is_valid(slice_from(line)));
            assert_ptr_equal(strchr(line, '\n'), line + size - 1);
            assert_true(ends_in(line, whole_end) ||
                        (ends_in(line, cut_end) && size > OD_LOG_LINE_MAX - 40));
        }
    }
}

static void a_line_that_is_too_long_is_cut_and_says_so(void **state)
{
    struct fixture *fixture = *state;

    check_long_lines(fixture, "\" after=7\n", " cut=true\n");
    use_json(fixture);
    check_long_lines(fixture, "\",\"after\":7}\n", ",\"cut\":true}\n");
}

static void many_fields_are_cut_between_fields(void **state)
{
    struct fixture *fixture = *state;
    struct log_field fields[401];
    const char *line;

    for (size_t i = 0; i < 400; i++) {
        fields[i] = FIELD_TEXT("key", "0123456789");
    }
    fields[400] = LOG_FIELDS_END;
    use_json(fixture);
    log_write(LOG_LEVEL_INFO, "many", fields);
    line = written(fixture);
    assert_in_range(strlen(line), OD_LOG_LINE_MAX - 60, OD_LOG_LINE_MAX);
    assert_true(ends_in(line, "\",\"cut\":true}\n"));
}

static void a_limited_event_is_written_once_an_interval_with_a_count(void **state)
{
    struct fixture *fixture = *state;
    struct log_limit limit = LOG_LIMIT_INIT(1000);

    log_open(LOG_LEVEL_INFO, LOG_JSON_FORMAT, fixture->write_end);
    log_limited(&limit, LOG_LEVEL_WARN, "no descriptors", FIELD_INT("n", 1));
    assert_true(ends_in(written(fixture), "\"message\":\"no descriptors\",\"n\":1}\n"));
    for (int i = 0; i < 999; i++) {
        now++;
        log_limited(&limit, LOG_LEVEL_WARN, "no descriptors", FIELD_INT("n", 2));
    }
    assert_string_equal(written(fixture), "");
    now++;
    log_limited(&limit, LOG_LEVEL_WARN, "no descriptors", FIELD_INT("n", 3));
    assert_true(ends_in(written(fixture), "\"n\":3,\"suppressed\":999}\n"));
    now += 1000;
    log_limited(&limit, LOG_LEVEL_WARN, "no descriptors");
    assert_true(ends_in(written(fixture), "\"message\":\"no descriptors\"}\n"));
}

static void a_limit_survives_a_clock_that_goes_backwards(void **state)
{
    struct fixture *fixture = *state;
    struct log_limit limit = LOG_LIMIT_INIT(1000);

    log_limited(&limit, LOG_LEVEL_INFO, "tick");
    (void)written(fixture);
    now -= MS_PER_DAY;
    log_limited(&limit, LOG_LEVEL_INFO, "tick");
    assert_string_not_equal(written(fixture), "");
    log_limited(&limit, LOG_LEVEL_INFO, "tick");
    assert_string_equal(written(fixture), "");
}

static void events_below_the_minimum_are_not_counted_as_suppressed(void **state)
{
    struct fixture *fixture = *state;
    struct log_limit limit = LOG_LIMIT_INIT(1000);

    log_open(LOG_LEVEL_WARN, LOG_TEXT_FORMAT, fixture->write_end);
    log_limited(&limit, LOG_LEVEL_INFO, "tick");
    assert_int_equal(limit.suppressed, 0);
    assert_false(limit.started);
    assert_string_equal(written(fixture), "");
}

/* Sets JOURNAL_STREAM to the identity of a descriptor. */
static void set_journal_stream(int fd)
{
    struct stat status;
    char text[64];

    assert_int_equal(fstat(fd, &status), 0);
    (void)snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t)status.st_dev,
                   (uintmax_t)status.st_ino);
    assert_int_equal(setenv("JOURNAL_STREAM", text, 1), 0);
}

static void lines_to_the_journal_begin_with_their_priority(void **state)
{
    struct fixture *fixture = *state;

    set_journal_stream(fixture->write_end);
    log_open(LOG_LEVEL_DEBUG, LOG_TEXT_FORMAT, fixture->write_end);
    log_debug("d");
    log_info("i");
    log_warn("w");
    log_error("e");
    assert_string_equal(written(fixture),
                        "<7>" TEXT_TIME "DEBUG d\n<6>" TEXT_TIME "INFO  i\n<4>" TEXT_TIME
                        "WARN  w\n<3>" TEXT_TIME "ERROR e\n");
    use_json(fixture);
    log_info("i");
    assert_memory_equal(written(fixture), "<6>{\"time\"", 10);
    assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
}

static void lines_to_elsewhere_have_no_priority(void **state)
{
    static const char *const streams[] = {"", "1:2", "x", "8:"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
        assert_int_equal(setenv("JOURNAL_STREAM", streams[i], 1), 0);
        log_open(LOG_LEVEL_DEBUG, LOG_TEXT_FORMAT, fixture->write_end);
        log_info("i");
        assert_string_equal(written(fixture), TEXT_TIME "INFO  i\n");
    }
    assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
}

static void the_own_clock_is_that_of_the_system(void **state)
{
    struct fixture *fixture = *state;
    int64_t at;

    log_set_clock(NULL);
    log_info("now");
    assert_true(instant_parse(slice_make(written(fixture), INSTANT_TEXT_SIZE - 1), &at));
    assert_true(at > INT64_C(1700000000000));
}

static void a_full_pipe_loses_lines_and_nothing_else(void **state)
{
    struct fixture *fixture = *state;
    size_t size = 0;

    for (int i = 0; i < 10000; i++) {
        log_info("filling", FIELD_TEXT("text", "0123456789"));
    }
    for (const char *text = written(fixture); *text != '\0'; text = written(fixture)) {
        size += strlen(text);
    }
    assert_in_range(size, 1, 65536);
    log_info("again");
    assert_string_equal(written(fixture), TEXT_TIME "INFO  again\n");
}

static void level_names_are_read(void **state)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    enum log_level level = LOG_LEVEL_ERROR;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_true(log_level_parse(slice_from(names[i]), &level));
        assert_int_equal(level, i);
    }
    level = LOG_LEVEL_WARN;
    assert_false(log_level_parse(SLICE("INFO"), &level));
    assert_false(log_level_parse(SLICE(""), &level));
    assert_false(log_level_parse(SLICE("information"), &level));
    assert_int_equal(level, LOG_LEVEL_WARN);
}

#define WITH_PIPE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    WITH_PIPE(an_event_without_fields_is_time_level_and_message),
    WITH_PIPE(every_kind_of_field_is_printed),
    WITH_PIPE(values_are_escaped_in_both_formats),
    WITH_PIPE(events_below_the_minimum_are_neither_written_nor_evaluated),
    WITH_PIPE(a_line_that_is_too_long_is_cut_and_says_so),
    WITH_PIPE(many_fields_are_cut_between_fields),
    WITH_PIPE(a_limited_event_is_written_once_an_interval_with_a_count),
    WITH_PIPE(a_limit_survives_a_clock_that_goes_backwards),
    WITH_PIPE(events_below_the_minimum_are_not_counted_as_suppressed),
    WITH_PIPE(lines_to_the_journal_begin_with_their_priority),
    WITH_PIPE(lines_to_elsewhere_have_no_priority),
    WITH_PIPE(the_own_clock_is_that_of_the_system),
    WITH_PIPE(a_full_pipe_loses_lines_and_nothing_else),
    cmocka_unit_test(level_names_are_read),
};

OD_TEST_MAIN(tests)
