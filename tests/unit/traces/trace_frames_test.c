/* Records that are too long for the rest of their frame begin one of their own, and one that is too
 * long for any frame is told of. */
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/od_test.h"
#include "traces/trace.h"

enum { MEGABYTE = 1 << 20 };

static struct trace_record lost(char *text, size_t size)
{
    return (struct trace_record){.kind = TRACE_LOST, .reason = slice_make(text, size)};
}

static size_t records_of(const struct trace_buffer *buffer)
{
    char path[] = "/tmp/outdial-frames-XXXXXX";
    int fd = mkstemp(path);
    struct trace_reader *reader;
    struct trace_record record;
    struct od_error error;
    size_t records = 0;

    assert_true(fd >= 0);
    assert_int_equal(trace_file_write(fd, buf_slice(&buffer->bytes), &error), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(trace_reader_open(path, &reader, &error), 0);
    while (trace_reader_next(reader, &record, &error) == 0) {
        records++;
    }
    assert_int_equal(trace_reader_at(reader), trace_reader_size(reader));
    trace_reader_close(reader);
    assert_int_equal(unlink(path), 0);
    return records;
}

static void put_header(struct trace_buffer *buffer)
{
    static const struct trace_gateway gateway = {.name = SLICE_INIT("worker")};
    const struct trace_header header = {.format = TRACE_FORMAT,
                                        .settings = {.gateways = &gateway, .gateway_count = 1}};

    trace_put_header(buffer, &header);
}

static void a_long_record_has_a_frame_of_its_own(void **state)
{
    struct trace_record small = lost("small", 5);
    struct trace_record large;
    struct trace_buffer buffer;
    char *text = malloc(TRACE_FRAME_MAX);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', TRACE_FRAME_MAX);
    large = lost(text, TRACE_FRAME_MAX - 10); /* fits, but with nothing before it */
    trace_buffer_init(&buffer);
    put_header(&buffer);
    trace_put(&buffer, &small, NULL);
    trace_put(&buffer, &large, NULL);
    assert_false(trace_frame_is_too_long(&buffer));
    trace_put(&buffer, &small, NULL);
    trace_close_frame(&buffer);
    assert_int_equal(records_of(&buffer), 3);
    trace_buffer_deinit(&buffer);
    free(text);
}

static void a_record_that_is_too_long_is_told_of(void **state)
{
    struct trace_record small = lost("small", 5);
    struct trace_record large;
    struct trace_buffer buffer;
    char *text = malloc(TRACE_FRAME_MAX + MEGABYTE);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', TRACE_FRAME_MAX + MEGABYTE);
    large = lost(text, TRACE_FRAME_MAX + MEGABYTE);
    trace_buffer_init(&buffer);
    put_header(&buffer);
    trace_put(&buffer, &small, NULL);
    assert_false(trace_frame_is_too_long(&buffer));
    trace_put(&buffer, &large, NULL);
    assert_true(trace_frame_is_too_long(&buffer));
    trace_buffer_clear(&buffer);
    assert_false(trace_frame_is_too_long(&buffer));
    trace_buffer_deinit(&buffer);
    free(text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_long_record_has_a_frame_of_its_own),
    cmocka_unit_test(a_record_that_is_too_long_is_told_of),
};

OD_TEST_MAIN(tests)
