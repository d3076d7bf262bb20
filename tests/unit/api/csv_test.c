/* CSV: what is a row, and what is damage. Each text is fed at once, byte by byte and in every two
 * pieces. */
#include "api/csv.h"

#include <stdio.h>

#include "tests/support/od_test.h"

struct story {
    struct buf text;
    unsigned take_until; /* rows after which the reader has had enough; 0: never */
    unsigned rows;
};

static bool on_row(void *context, const struct csv_row *row)
{
    struct story *story = context;

    assert_int_equal(buf_printf(&story->text, "%d@%d", (int)row->row, (int)row->line), 0);
    if (row->fault != NULL) {
        assert_int_equal(row->count, 0);
        assert_int_equal(buf_printf(&story->text, " !%s", row->fault), 0);
    }
    for (size_t i = 0; i < row->count; i++) {
        assert_int_equal(buf_printf(&story->text, " [%.*s]", SLICE_ARGS(row->cells[i])), 0);
    }
    assert_int_equal(buf_append_byte(&story->text, '\n'), 0);
    story->rows++;
    return story->rows != story->take_until;
}

static void read_in(struct story *story, const char *text, size_t size, size_t first, size_t piece)
{
    struct csv csv;
    size_t at = 0;

    *story = (struct story){0};
    buf_init(&story->text);
    csv_init(&csv, ',', on_row, story);
    while (at < size) {
        size_t next = at < first ? first - at : piece;

        next = next < size - at ? next : size - at;
        assert_int_equal(csv_feed(&csv, text + at, next), next);
        at += next;
    }
    csv_end(&csv);
    csv_deinit(&csv);
    assert_int_equal(buf_append_byte(&story->text, '\0'), 0);
}

static void check(const char *text, size_t size, const char *expected)
{
    struct story story;

    for (size_t first = 0; first <= size; first++) {
        read_in(&story, text, size, first, size);
        assert_string_equal(story.text.data, expected);
        buf_deinit(&story.text);
    }
    read_in(&story, text, size, 0, 1);
    assert_string_equal(story.text.data, expected);
    buf_deinit(&story.text);
}

#define CHECK(text, expected) check(text, sizeof(text) - 1, expected)

static void rows_end_with_lf_or_crlf_or_the_text(void **state)
{
    (void)state;
    CHECK("a,b\nc,d\r\ne,f", "1@1 [a] [b]\n2@2 [c] [d]\n3@3 [e] [f]\n");
    CHECK("a", "1@1 [a]\n");
    CHECK("a,\n", "1@1 [a] []\n");
    CHECK(",", "1@1 [] []\n");
    CHECK("", "");
    CHECK("\n\r\n\na\n\n", "1@4 [a]\n");
}

static void quotes_hold_what_would_end_a_cell(void **state)
{
    (void)state;
    CHECK("\"a,b\",\"c\r\nd\n\",\"e\"\"f\"\ng\n", "1@1 [a,b] [c\r\nd\n] [e\"f]\n2@4 [g]\n");
    CHECK("\"\"\n", "1@1 []\n");
    CHECK("\"\"\"\"", "1@1 [\"]\n");
}

static void cells_are_kept_as_they_are(void **state)
{
    (void)state;
    CHECK(" a , b\t\n", "1@1 [ a ] [ b\t]\n");
    CHECK("\xc3\xa9,b\n", "1@1 [\xc3\xa9] [b]\n");
}

static void a_byte_order_mark_is_taken_away(void **state)
{
    (void)state;
    CHECK("\xef\xbb\xbf"
          "a\n\xef\xbb\xbf"
          "b\n",
          "1@1 [a]\n2@2 [\xef\xbb\xbf"
          "b]\n");
    CHECK("\xef\xbb\xbf\"a\"\n", "1@1 [a]\n");
    CHECK("\xef\xbb"
          "a\n",
          "1@1 !is not UTF-8\n");
}

static void damage_costs_its_line(void **state)
{
    (void)state;
    CHECK("a\"b\nc\n", "1@1 !a quote stands where none may be\n2@2 [c]\n");
    CHECK("a,\"b\"c,\"\nd\n", "1@1 !a quote stands where none may be\n2@2 [d]\n");
    CHECK("a \"b\"\nc\n", "1@1 !a quote stands where none may be\n2@2 [c]\n");
    CHECK("a\rb\nc\n", "1@1 !a carriage return stands without a line feed\n2@2 [c]\n");
    CHECK("\xff,a\nc\n", "1@1 !is not UTF-8\n2@2 [c]\n");
    CHECK("a\0b\nc\n", "1@1 !is not UTF-8\n2@2 [c]\n");
    CHECK("a\n\"b\nc\n", "1@1 [a]\n2@2 !the text ends within quotes\n");
}

static void a_row_without_end_is_cut_and_the_next_line_read(void **state)
{
    struct buf text;
    struct story story;

    (void)state;
    buf_init(&text);
    assert_int_equal(buf_append_text(&text, "a,\"b\n"), 0);
    while (text.size < CSV_ROW_BYTES_MAX + 10) {
        assert_int_equal(buf_append_text(&text, "0123456\n"), 0);
    }
    assert_int_equal(buf_append_text(&text, "c,d\n"), 0);
    read_in(&story, text.data, text.size, 0, 1000);
    assert_non_null(strstr(story.text.data, "1@1 !the row is too long"));
    assert_non_null(strstr(story.text.data, " [c] [d]\n"));
    assert_true(story.rows <= 4);
    buf_deinit(&story.text);
    buf_deinit(&text);
}

static void a_reader_that_has_had_enough_is_called_no_more(void **state)
{
    static const char text[] = "a\nb\nc\n";
    struct story story = {.take_until = 2};
    struct csv csv;

    (void)state;
    csv_init(&csv, ',', on_row, &story);
    assert_int_equal(csv_feed(&csv, text, 6), 4);
    assert_int_equal(story.rows, 2);
    assert_int_equal(csv_feed(&csv, text + 4, 2), 2);
    assert_int_equal(story.rows, 3);
    csv_deinit(&csv);
    buf_deinit(&story.text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(rows_end_with_lf_or_crlf_or_the_text),
    cmocka_unit_test(quotes_hold_what_would_end_a_cell),
    cmocka_unit_test(cells_are_kept_as_they_are),
    cmocka_unit_test(a_byte_order_mark_is_taken_away),
    cmocka_unit_test(damage_costs_its_line),
    cmocka_unit_test(a_row_without_end_is_cut_and_the_next_line_read),
    cmocka_unit_test(a_reader_that_has_had_enough_is_called_no_more),
};

OD_TEST_MAIN(tests)
