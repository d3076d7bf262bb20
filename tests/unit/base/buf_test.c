#include "base/buf.h"

#include <string.h>

#include "tests/support/od_test.h"

static int set_up(void **state)
{
    static struct buf buf;

    buf_init(&buf);
    *state = &buf;
    return 0;
}

static int tear_down(void **state)
{
    buf_deinit(*state);
    return 0;
}

static void slices_are_equal_when_their_bytes_are(void **state)
{
    char copy[] = "abc";

    (void)state;
    assert_true(slice_equal(SLICE("abc"), slice_from(copy)));
    assert_true(slice_equal(slice_make(NULL, 0), SLICE("")));
    assert_true(slice_equal(slice_from(NULL), SLICE("")));
    assert_false(slice_equal(SLICE("abc"), SLICE("abd")));
    assert_false(slice_equal(SLICE("abc"), SLICE("ab")));
    assert_true(slice_equal(SLICE("a\0b"), slice_make("a\0b", 3)));
    assert_false(slice_equal(SLICE("a\0b"), SLICE("a\0c")));
    assert_true(slice_equal_text(SLICE("abc"), "abc"));
    assert_false(slice_equal_text(SLICE("abc"), "abcd"));
    assert_false(slice_equal_text(SLICE("abc\0"), "abc"));
    assert_true(slice_is_empty(SLICE("")));
    assert_false(slice_is_empty(SLICE("\0")));
}

static void slices_are_ordered_by_unsigned_bytes_then_by_size(void **state)
{
    static const struct slice ascending[] = {
        SLICE_INIT(""),   SLICE_INIT("\0"),   SLICE_INIT("A"),        SLICE_INIT("a"),
        SLICE_INIT("aa"), SLICE_INIT("ab"),   SLICE_INIT("b"),        SLICE_INIT("\x7f"),
        SLICE_INIT("é"),  SLICE_INIT("\xff"), SLICE_INIT("\xff\xff"),
    };
    int count = (int)(sizeof(ascending) / sizeof(ascending[0]));

    (void)state;
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < count; k++) {
            int order = slice_compare(ascending[i], ascending[k]);

            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
        }
    }
}

static void appended_pieces_follow_each_other(void **state)
{
    struct buf *buf = *state;

    assert_true(slice_is_empty(buf_slice(buf)));
    assert_int_equal(buf_append_text(buf, "ab"), 0);
    assert_int_equal(buf_append_byte(buf, '\0'), 0);
    assert_int_equal(buf_append_slice(buf, SLICE("cd")), 0);
    assert_int_equal(buf_append(buf, "efgh", 2), 0);
    assert_int_equal(buf_append(buf, NULL, 0), 0);
    assert_int_equal(buf_printf(buf, "%d-%s", 42, "x"), 0);
    assert_true(slice_equal(buf_slice(buf), SLICE("ab\0cdef42-x")));
}

static void clearing_keeps_the_memory(void **state)
{
    struct buf *buf = *state;
    size_t room;

    assert_int_equal(buf_append_text(buf, "something"), 0);
    room = buf->room;
    buf_clear(buf);
    assert_int_equal(buf->size, 0);
    assert_int_equal(buf->room, room);
    assert_int_equal(buf_append_text(buf, "else"), 0);
    assert_true(slice_equal_text(buf_slice(buf), "else"));
}

static void growing_keeps_the_bytes_and_takes_few_steps(void **state)
{
    struct buf *buf = *state;
    size_t room = 0;
    int steps = 0;

    for (size_t i = 0; i < 1000000; i++) {
        assert_int_equal(buf_append_byte(buf, (char)(i % 251)), 0);
        steps += buf->room != room;
        room = buf->room;
    }
    assert_int_equal(buf->size, 1000000);
    assert_in_range(steps, 1, 20);
    for (size_t i = 0; i < buf->size; i++) {
        assert_int_equal((unsigned char)buf->data[i], i % 251);
    }
}

static void appending_within_what_was_reserved_moves_nothing(void **state)
{
    struct buf *buf = *state;
    const char *data;

    assert_int_equal(buf_append_text(buf, "head"), 0);
    assert_int_equal(buf_reserve(buf, 10000), 0);
    data = buf->data;
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(buf_append_byte(buf, 'x'), 0);
    }
    assert_ptr_equal(buf->data, data);
}

static void growth_that_fails_leaves_the_bytes(void **state)
{
    struct buf *buf = *state;
    struct buf before;
    volatile size_t too_large = (size_t)PTRDIFF_MAX + 1; /* unseen by the compiler's checks */

    assert_int_equal(buf_reserve(buf, SIZE_MAX), OD_ENOMEM);
    assert_null(buf->data);
    assert_int_equal(buf_append_text(buf, "kept"), 0);
    before = *buf;
    assert_int_equal(buf_reserve(buf, SIZE_MAX), OD_ENOMEM);
    assert_int_equal(buf_reserve(buf, SIZE_MAX - 3), OD_ENOMEM);
    assert_int_equal(buf_reserve(buf, (size_t)PTRDIFF_MAX), OD_ENOMEM);
    assert_int_equal(buf_append(buf, "", too_large), OD_ENOMEM);
    assert_memory_equal(buf, &before, sizeof(before));
    assert_true(slice_equal_text(buf_slice(buf), "kept"));
}

static void formatted_text_of_every_length_is_whole(void **state)
{
    struct buf *buf = *state;
    char text[1025];

    memset(text, 'y', sizeof(text));
    for (int size = 0; size <= 1024; size++) {
        buf_clear(buf);
        assert_int_equal(buf_append_byte(buf, '<'), 0);
        assert_int_equal(buf_printf(buf, "%.*s>", size, text), 0);
        assert_int_equal(buf->size, size + 2);
        assert_int_equal(buf->data[0], '<');
        assert_memory_equal(buf->data + 1, text, (size_t)size);
        assert_int_equal(buf->data[size + 1], '>');
    }
}

static void a_buf_can_be_used_after_deinit(void **state)
{
    struct buf *buf = *state;

    assert_int_equal(buf_append_text(buf, "first"), 0);
    buf_deinit(buf);
    assert_null(buf->data);
    assert_int_equal(buf_append_text(buf, "second"), 0);
    assert_true(slice_equal_text(buf_slice(buf), "second"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(slices_are_equal_when_their_bytes_are),
    cmocka_unit_test(slices_are_ordered_by_unsigned_bytes_then_by_size),
    cmocka_unit_test_setup_teardown(appended_pieces_follow_each_other, set_up, tear_down),
    cmocka_unit_test_setup_teardown(clearing_keeps_the_memory, set_up, tear_down),
    cmocka_unit_test_setup_teardown(growing_keeps_the_bytes_and_takes_few_steps, set_up, tear_down),
    cmocka_unit_test_setup_teardown(appending_within_what_was_reserved_moves_nothing, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(growth_that_fails_leaves_the_bytes, set_up, tear_down),
    cmocka_unit_test_setup_teardown(formatted_text_of_every_length_is_whole, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_buf_can_be_used_after_deinit, set_up, tear_down),
};

OD_TEST_MAIN(tests)
