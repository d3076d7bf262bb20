/* The recorder's thread: what is handed over is in the file; too much of it ends the recording, and
 * the file says so; a disk that is full ends it at a whole frame. */
#include "engine/recorder.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/support/od_test.h"

struct fixture {
    char folder[64], path[96];
    struct arena arena;
    struct recorder *recorder;
    struct trace_buffer buffer;
};

static int set_up(void **state, bool is_stepped)
{
    static const struct trace_gateway gateway = {.name = SLICE_INIT("worker")};
    struct fixture *f = test_calloc(1, sizeof(*f));
    struct trace_header header = {.format = TRACE_FORMAT,
                                  .settings = {.gateways = &gateway, .gateway_count = 1}};
    struct od_error error;

    (void)snprintf(f->folder, sizeof(f->folder), "/tmp/outdial-recorder-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    (void)snprintf(f->path, sizeof(f->path), "%s/trace", f->folder);
    arena_init(&f->arena, 4096);
    trace_header_types(&header, &f->arena);
    if (is_stepped) {
        assert_int_equal(recorder_open_stepped(f->path, &header, &f->recorder, &error), 0);
    } else {
        assert_int_equal(recorder_open(f->path, &header, &f->recorder, &error), 0);
    }
    trace_buffer_init(&f->buffer);
    *state = f;
    return 0;
}

static int setup(void **state)
{
    return set_up(state, false);
}

static int setup_stepped(void **state)
{
    return set_up(state, true);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    recorder_close(f->recorder);
    trace_buffer_deinit(&f->buffer);
    arena_deinit(&f->arena);
    (void)unlink(f->path);
    (void)rmdir(f->folder);
    test_free(f);
    return 0;
}

static bool append(struct fixture *f, int64_t at)
{
    const struct trace_record record = {.kind = TRACE_START, .at = at, .mono = 1};

    trace_put(&f->buffer, &record, NULL);
    trace_close_frame(&f->buffer);
    return recorder_append(f->recorder, &f->buffer);
}

static void end(struct fixture *f)
{
    recorder_close(f->recorder);
    f->recorder = NULL;
}

/* The START records are those with `at` from 0 on. Returns how many; *lost: the reason of a LOST
 * behind them. */
static unsigned read_back(struct fixture *f, char lost[200])
{
    struct trace_reader *reader;
    struct trace_record record;
    struct od_error error;
    unsigned count = 0;
    int code;

    lost[0] = '\0';
    assert_int_equal(trace_reader_open(f->path, &reader, &error), 0);
    while ((code = trace_reader_next(reader, &record, &error)) == 0) {
        if (record.kind == TRACE_LOST) {
            (void)snprintf(lost, 200, "%.*s", SLICE_ARGS(record.reason));
            continue;
        }
        assert_int_equal(record.kind, TRACE_START);
        assert_int_equal(record.at, count);
        assert_int_equal(lost[0], '\0');
        count++;
    }
    assert_int_equal(code, OD_ENOTFOUND); /* it ends with a whole frame */
    trace_reader_close(reader);
    return count;
}

static void what_is_handed_over_is_in_the_file(void **state)
{
    struct fixture *f = *state;
    char lost[200];

    for (unsigned i = 0; i < 5000; i++) {
        assert_true(append(f, i));
        assert_int_equal(f->buffer.bytes.size, 0);
    }
    assert_int_equal(recorder_lost(f->recorder).size, 0);
    end(f);
    assert_int_equal(read_back(f, lost), 5000);
    assert_string_equal(lost, "");
}

static void too_much_ends_the_recording(void **state)
{
    struct fixture *f = *state;
    unsigned taken = 0;
    char lost[200];

    recorder_set_limit(f->recorder, 1000, true); /* the thread stands still */
    while (append(f, taken)) {
        taken++;
        assert_true(taken < 1000);
    }
    assert_true(taken > 10);
    assert_false(append(f, taken)); /* and it stays so */
    assert_true(slice_equal_text(recorder_lost(f->recorder), "trace: the file cannot keep up"));
    recorder_set_limit(f->recorder, RECORDER_WAITING_MAX, false);
    end(f);
    assert_int_equal(read_back(f, lost), taken);
    assert_string_equal(lost, "trace: the file cannot keep up");
}

/* A limit of the file's size stands for a full disk. */
static void a_full_disk_ends_it_at_a_whole_frame(void **state)
{
    struct fixture *f = *state;
    const struct rlimit small = {4000, RLIM_INFINITY};
    struct rlimit before;
    unsigned taken = 0;
    char lost[200];

    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    while (append(f, taken)) {
        taken++;
        assert_true(taken < 10000000);
    }
    assert_true(recorder_lost(f->recorder).size > 0);
    end(f);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(read_back(f, lost) < taken);
}

static void a_recording_that_is_given_up_says_why(void **state)
{
    struct fixture *f = *state;
    char lost[200];

    assert_true(append(f, 0));
    recorder_lose(f->recorder, "for a reason");
    recorder_lose(f->recorder, "for another"); /* the first one counts */
    assert_false(append(f, 1));
    end(f);
    assert_int_equal(read_back(f, lost), 1);
    assert_string_equal(lost, "for a reason");
}

/* Without a thread: each hand-over is in the file when it returns. */
static void a_stepped_one_writes_at_once(void **state)
{
    struct fixture *f = *state;
    char lost[200];

    for (unsigned i = 0; i < 3; i++) {
        assert_true(append(f, i));
        assert_int_equal(read_back(f, lost), i + 1);
    }
    recorder_lose(f->recorder, "for a reason");
    assert_false(append(f, 3));
    end(f);
    assert_int_equal(read_back(f, lost), 3);
    assert_string_equal(lost, "for a reason");
}

static void nothing_is_overwritten(void **state)
{
    struct fixture *f = *state;
    const struct trace_header header = {.format = TRACE_FORMAT};
    struct recorder *second;
    struct od_error error;

    assert_int_equal(recorder_open(f->path, &header, &second, &error), OD_EINVAL);
    assert_int_equal(recorder_open("/no/such/folder/trace", &header, &second, &error), OD_EIO);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    TEST(what_is_handed_over_is_in_the_file),
    TEST(too_much_ends_the_recording),
    TEST(a_full_disk_ends_it_at_a_whole_frame),
    TEST(a_recording_that_is_given_up_says_why),
    cmocka_unit_test_setup_teardown(a_stepped_one_writes_at_once, setup_stepped, teardown),
    TEST(nothing_is_overwritten),
};
OD_TEST_MAIN(tests)
