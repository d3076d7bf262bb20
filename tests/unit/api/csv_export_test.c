/* Cells, and who wants CSV. */
#include "api/csv_export.h"

#include "tests/support/od_test.h"

static void assert_cell(json_t *value, const char *expected)
{
    struct buf out;

    buf_init(&out);
    assert_int_equal(csv_append_cell(&out, value), 0);
    assert_int_equal(out.size, strlen(expected));
    assert_memory_equal(out.size > 0 ? out.data : "", expected, out.size);
    buf_deinit(&out);
    json_decref(value);
}

static void values_are_cells(void **state)
{
    (void)state;
    assert_cell(NULL, "");
    assert_cell(json_null(), "");
    assert_cell(json_true(), "true");
    assert_cell(json_integer(-5), "-5"); /* a number is no formula */
    assert_cell(json_real(0.5), "0.5");
    assert_cell(json_string(""), "");
    assert_cell(json_string("plain text"), "plain text");
}

static void what_divides_cells_is_quoted(void **state)
{
    (void)state;
    assert_cell(json_string("a,b"), "\"a,b\"");
    assert_cell(json_string("say \"hi\""), "\"say \"\"hi\"\"\"");
    assert_cell(json_string("a\r\nb"), "\"a\r\nb\"");
    assert_cell(json_string("a\nb"), "\"a\nb\"");
    assert_cell(json_string("a\rb"), "\"a\rb\"");
}

static void formulas_are_made_harmless(void **state)
{
    (void)state;
    assert_cell(json_string("=1"), "'=1");
    assert_cell(json_string("-1"), "'-1");
    assert_cell(json_string("@x"), "'@x");
    assert_cell(json_string("\t=1"), "'\t=1");
    assert_cell(json_string("\r=1"), "\"'\r=1\"");
    assert_cell(json_string("\n=1"), "\"'\n=1\"");
    assert_cell(json_string("=\"a\",1"), "\"'=\"\"a\"\",1\"");
    assert_cell(json_string("+"), "'+");
    assert_cell(json_string("+1+1"), "'+1+1");
    assert_cell(json_string("+32 475"), "'+32 475");
    assert_cell(json_string("+32475123456"), "+32475123456");
}

static void csv_is_wanted_by_name(void **state)
{
    static const struct {
        struct slice accept;
        bool is_wanted;
    } cases[] = {
        {SLICE_INIT("text/csv"), true},
        {SLICE_INIT(" Text/CSV "), true},
        {SLICE_INIT("text/csv;header=present;q=0.1"), true},
        {SLICE_INIT("text/html,text/csv , */*"), true},
        {SLICE_INIT("application/json, text/csv"), true},
        {SLICE_INIT("text/csv; q = 0.2, application/json;q=0.1"), true},
        {SLICE_INIT("text/csv;q=0.1,application/json;q=0.25"), false},
        {SLICE_INIT("text/csv;q=0"), false},
        {SLICE_INIT("text/csv;q=0.000"), false},
        {SLICE_INIT("text/csvx"), false},
        {SLICE_INIT("text/*"), false},
        {SLICE_INIT("*/*"), false},
        {SLICE_INIT(""), false},
        {SLICE_INIT(",;,=;q"), false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (csv_accepts(cases[i].accept) != cases[i].is_wanted) {
            fail_msg("%.*s", SLICE_ARGS(cases[i].accept));
        }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(values_are_cells),
    cmocka_unit_test(what_divides_cells_is_quoted),
    cmocka_unit_test(formulas_are_made_harmless),
    cmocka_unit_test(csv_is_wanted_by_name),
};

OD_TEST_MAIN(tests)
