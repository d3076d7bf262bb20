/* Parsing a body strictly, printing answers, and reading properties with faults by path. */
#include "api/json.h"

#include <stdlib.h>
#include <string.h>

#include "api/body.h"
#include "tests/support/od_test.h"

struct fixture {
    struct arena arena;
    struct fault_list faults;
    json_t *json;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    arena_init(&fixture->arena, 4096);
    faults_init(&fixture->faults, &fixture->arena);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    json_decref(fixture->json);
    arena_deinit(&fixture->arena);
    free(fixture);
    return 0;
}

static bool parses(struct fixture *fixture, struct slice text)
{
    json_t *json;

    faults_init(&fixture->faults, &fixture->arena);
    json = json_parse(text, &fixture->faults);
    assert_int_equal(fixture->faults.count, json == NULL ? 1 : 0);
    json_decref(json);
    return json != NULL;
}

/* ---- parsing ---- */

static void a_strict_text_is_parsed(void **state)
{
    assert_true(parses(*state, SLICE("{}")));
    assert_true(
        parses(*state, SLICE(" {\"a\": [1, 2.5, -3e2, true, null, \"\\u00e9\xc3\xa9\"]} ")));
    assert_true(parses(*state, SLICE("[]")));
    assert_true(parses(*state, SLICE("1")));
    assert_true(parses(*state, SLICE("{\"a\":{\"a\":1}}")));
}

static void what_is_no_json_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "{",
        "{\"a\":1}}",
        "{\"a\":1} x",
        "{'a':1}",
        "{\"a\":1,}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":NaN}",
        "{\"a\":1e400}",
        "{\"a\":9223372036854775808}",
        "{\"a\":1,\"a\":2}",
        "{\"b\":{\"a\":1,\"\\u0061\":2}}",
        "{\"a\":\"\\u0000\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\xff\"}",
        "{\"a\":\"\xc0\x80\"}",
        "{\"\\u0000\":1}",
        "{\"a\":\"\n\"}",
        "\xef\xbb\xbf{}",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_false(parses(*state, slice_from(texts[i])));
    }
    assert_false(parses(*state, SLICE("{\"a\":\"\0\"}")));
    assert_false(parses(*state, SLICE("{}\0")));
}

static void nesting_ends_at_32_levels(void **state)
{
    char text[80];

    memset(text, '[', 33);
    memset(text + 33, ']', 33);
    assert_true(parses(*state, slice_make(text + 1, 64)));
    assert_false(parses(*state, slice_make(text, 66)));
    /* Brackets within strings are no nesting. */
    assert_true(parses(*state, SLICE("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[\"")));
}

static void tokens_end_at_200_000(void **state)
{
    size_t count = JSON_TOKENS_MAX;
    char *text = malloc(2 * count + 8);
    size_t size = 0;

    assert_non_null(text);
    text[size++] = '[';
    for (size_t i = 1; i < count; i++) {
        text[size++] = '1';
        text[size++] = ',';
    }
    text[size++] = '1';
    text[size++] = ']';
    assert_true(parses(*state, slice_make(text, size)));
    text[size - 1] = ',';
    text[size++] = '1';
    text[size++] = ']';
    assert_false(parses(*state, slice_make(text, size)));
    free(text);
}

/* ---- printing ---- */

static void assert_prints(json_t *json, const char *text)
{
    struct buf buf;

    buf_init(&buf);
    assert_int_equal(json_print(json, &buf), 0);
    assert_int_equal(buf.size, strlen(text));
    assert_memory_equal(buf.data, text, buf.size);
    buf_deinit(&buf);
    json_decref(json);
}

static void values_print_as_the_interface_says(void **state)
{
    struct uuid id;

    (void)state;
    assert_true(uuid_parse(SLICE("01902B1E-0000-7000-8000-000000000001"), &id));
    assert_prints(json_from_uuid(&id), "\"01902b1e-0000-7000-8000-000000000001\"");
    assert_prints(json_from_uuid(&UUID_NIL), "null");
    assert_prints(json_from_instant(0), "\"1970-01-01T00:00:00.000Z\"");
    assert_prints(json_from_instant_or_null(0), "null");
    assert_prints(json_from_instant_or_null(1), "\"1970-01-01T00:00:00.001Z\"");
    assert_prints(json_from_slice(SLICE("")), "\"\"");
    assert_prints(json_from_slice_or_null(SLICE("")), "null");
    assert_prints(json_from_slice(SLICE("a\"\xc3\xa9\n")), "\"a\\\"\xc3\xa9\\n\"");
    assert_prints(json_from_slice(SLICE("a\xff"
                                        "b")),
                  "\"a\xef\xbf\xbd"
                  "b\"");
    assert_prints(json_from_count_or_null(0), "null");
    assert_prints(json_from_count_or_null(7), "7");
    assert_prints(json_from_rate_or_null(0), "null");
    assert_prints(json_from_rate_or_null(2000000), "2");
    assert_prints(json_from_rate_or_null(100000), "0.1");
    assert_prints(json_real(0.1), "0.1");
}

/* ---- reading ---- */

/* Opens the root of a body that has no fault of its own. */
static void open_root(struct fixture *fixture, const char *text, struct body_value *root)
{
    json_decref(fixture->json);
    faults_init(&fixture->faults, &fixture->arena);
    fixture->json = json_parse(slice_from(text), &fixture->faults);
    assert_non_null(fixture->json);
    body_open(root, fixture->json, &fixture->faults, &fixture->arena);
}

/* The faults so far, as "path: message; …". */
static const char *faults_text(struct fixture *fixture)
{
    struct slice text = SLICE("");

    for (size_t i = 0; i < fixture->faults.count; i++) {
        const struct fault_detail *fault = &fixture->faults.items[i];

        text = arena_printf(&fixture->arena, "%.*s%s%.*s: %.*s", SLICE_ARGS(text),
                            i > 0 ? "; " : "", SLICE_ARGS(fault->path), SLICE_ARGS(fault->message));
    }
    return arena_text(&fixture->arena, text);
}

static void properties_of_every_type_are_read(void **state)
{
    static const struct body_word words[] = {{"red", 1}, {"blue", 2}, {NULL, 0}};
    struct fixture *fixture = *state;
    struct body_value root;
    struct slice text, phone;
    struct uuid id;
    int64_t number, at;
    uint64_t rate;
    bool flag;
    int word;

    open_root(
        fixture,
        "{\"text\": \"\xc3\xa9t\xc3\xa9\", \"number\": -3, \"flag\": true, \"word\": \"blue\","
        "\"id\": \"01902b1e-0000-7000-8000-000000000001\", \"phone\": \"+32 (2) 555-0100\","
        "\"at\": \"2026-11-23T21:53:57.123+01:00\", \"rate\": 0.5}",
        &root);
    assert_int_equal(body_text(&root, "text", PROPERTY_REQUIRED, 3, 3, &text), PROPERTY_GIVEN);
    assert_true(slice_equal_text(text, "\xc3\xa9t\xc3\xa9"));
    assert_int_equal(body_integer(&root, "number", PROPERTY_REQUIRED, -3, 3, &number),
                     PROPERTY_GIVEN);
    assert_int_equal(number, -3);
    assert_int_equal(body_boolean(&root, "flag", PROPERTY_REQUIRED, &flag), PROPERTY_GIVEN);
    assert_true(flag);
    assert_int_equal(body_word(&root, "word", PROPERTY_REQUIRED, words, &word), PROPERTY_GIVEN);
    assert_int_equal(word, 2);
    assert_int_equal(body_uuid(&root, "id", PROPERTY_REQUIRED, &id), PROPERTY_GIVEN);
    assert_int_equal(id.bytes[15], 1);
    assert_int_equal(body_phone(&root, "phone", PROPERTY_REQUIRED, &phone), PROPERTY_GIVEN);
    assert_true(slice_equal_text(phone, "+3225550100"));
    assert_int_equal(body_instant(&root, "at", PROPERTY_REQUIRED, &at), PROPERTY_GIVEN);
    assert_int_equal(at, INT64_C(1795467237123));
    assert_int_equal(body_rate(&root, "rate", PROPERTY_REQUIRED, &rate), PROPERTY_GIVEN);
    assert_int_equal(rate, 500000);
    body_close(&root);
    assert_string_equal(faults_text(fixture), "");
}

static void presence_follows_the_rule(void **state)
{
    static const struct {
        const char *text;
        enum property_rule rule;
        enum property found;
        const char *faults;
    } cases[] = {
        {"{}", PROPERTY_REQUIRED, PROPERTY_ABSENT, "a: is required"},
        {"{}", PROPERTY_PATCHED, PROPERTY_ABSENT, ""},
        {"{}", PROPERTY_OPTIONAL, PROPERTY_ABSENT, ""},
        {"{\"a\":null}", PROPERTY_REQUIRED, PROPERTY_FAULTY, "a: must not be null"},
        {"{\"a\":null}", PROPERTY_PATCHED, PROPERTY_FAULTY, "a: must not be null"},
        {"{\"a\":null}", PROPERTY_OPTIONAL, PROPERTY_NULL, ""},
        {"{\"a\":true}", PROPERTY_REQUIRED, PROPERTY_GIVEN, ""},
        {"{\"a\":1}", PROPERTY_OPTIONAL, PROPERTY_FAULTY, "a: must be true or false"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct body_value root;
        bool flag;

        open_root(fixture, cases[i].text, &root);
        assert_int_equal(body_boolean(&root, "a", cases[i].rule, &flag), cases[i].found);
        body_close(&root);
        assert_string_equal(faults_text(fixture), cases[i].faults);
    }
}

/* JSON Schema's rule, which the contract's document follows: 1.0 is an integer. */
static void a_number_without_a_fraction_is_an_integer(void **state)
{
    struct fixture *fixture = *state;
    struct body_value root;
    int64_t number;

    open_root(fixture, "{\"a\": 1.0, \"b\": 1e3, \"c\": 1e300}", &root);
    body_integer(&root, "a", PROPERTY_REQUIRED, 1, 10, &number);
    assert_int_equal(number, 1);
    body_integer(&root, "b", PROPERTY_REQUIRED, 1, 1000, &number);
    assert_int_equal(number, 1000);
    body_integer(&root, "c", PROPERTY_REQUIRED, 1, 10, &number);
    body_close(&root);
    assert_string_equal(faults_text(fixture), "c: must be an integer from 1 to 10");
}

static void values_out_of_range_are_faults(void **state)
{
    static const struct body_word words[] = {{"red", 1}, {"blue", 2}, {NULL, 0}};
    struct fixture *fixture = *state;
    struct body_value root;
    struct slice text;
    struct uuid id;
    int64_t number;
    uint64_t rate;
    int word;

    open_root(fixture,
              "{\"a\": 1.5, \"b\": 11, \"c\": \"abc\", \"d\": \"green\", \"e\": \"x\","
              "\"f\": \"2026-11-23T21:53:57\", \"g\": \"12\", \"h\": 0, \"i\": 7}",
              &root);
    body_integer(&root, "a", PROPERTY_REQUIRED, 1, 10, &number);
    body_integer(&root, "b", PROPERTY_REQUIRED, 1, 10, &number);
    body_text(&root, "c", PROPERTY_REQUIRED, 1, 2, &text);
    body_word(&root, "d", PROPERTY_REQUIRED, words, &word);
    body_uuid(&root, "e", PROPERTY_REQUIRED, &id);
    body_instant(&root, "f", PROPERTY_REQUIRED, &number);
    body_phone(&root, "g", PROPERTY_REQUIRED, &text);
    body_rate(&root, "h", PROPERTY_REQUIRED, &rate);
    body_text(&root, "i", PROPERTY_REQUIRED, 1, 2, &text);
    body_close(&root);
    assert_string_equal(faults_text(fixture),
                        "a: must be an integer from 1 to 10; b: must be an integer from 1 to 10; "
                        "c: must have 1 to 2 characters; d: must be one of: red, blue; "
                        "e: must be a UUID; f: must be an ISO 8601 time with an offset; "
                        "g: must be a phone number in E.164: + and 7 to 15 digits; "
                        "h: must be a number above 0, up to 100000; i: must be a string");
}

static void unknown_properties_are_named_with_their_way(void **state)
{
    struct fixture *fixture = *state;
    struct body_value root, list, item, inner;

    open_root(fixture, "{\"list\": [{}, {\"inner\": {\"x\": 1}}], \"y\": 2}", &root);
    assert_int_equal(body_array(&root, "list", PROPERTY_REQUIRED, 0, 2, &list), PROPERTY_GIVEN);
    value_item(&list, 1, &item);
    assert_true(value_is_object(&item));
    assert_int_equal(body_object(&item, "inner", PROPERTY_REQUIRED, &inner), PROPERTY_GIVEN);
    body_close(&inner);
    body_close(&item);
    body_close(&root);
    assert_string_equal(faults_text(fixture), "list[1].inner.x: is not a known property; "
                                              "y: is not a known property");
}

static void items_have_their_index_in_the_way(void **state)
{
    struct fixture *fixture = *state;
    struct body_value root, list, item;
    struct uuid id;

    open_root(fixture, "{\"didPool\": [\"01902b1e-0000-7000-8000-000000000001\", 5]}", &root);
    assert_int_equal(body_array(&root, "didPool", PROPERTY_REQUIRED, 1, 9, &list), PROPERTY_GIVEN);
    assert_int_equal(value_count(&list), 2);
    value_item(&list, 0, &item);
    assert_true(value_uuid(&item, &id));
    value_item(&list, 1, &item);
    assert_false(value_uuid(&item, &id));
    assert_string_equal(faults_text(fixture), "didPool[1]: must be a string");
}

static void arrays_have_bounds(void **state)
{
    struct fixture *fixture = *state;
    struct body_value root, list;

    open_root(fixture, "{\"a\": [], \"b\": [1, 2, 3], \"c\": {}}", &root);
    assert_int_equal(body_array(&root, "a", PROPERTY_REQUIRED, 1, 2, &list), PROPERTY_FAULTY);
    assert_int_equal(body_array(&root, "b", PROPERTY_REQUIRED, 1, 2, &list), PROPERTY_FAULTY);
    assert_int_equal(body_array(&root, "c", PROPERTY_REQUIRED, 1, 2, &list), PROPERTY_FAULTY);
    assert_string_equal(faults_text(fixture), "a: must have 1 to 2 items; "
                                              "b: must have 1 to 2 items; c: must be an array");
}

static void texts_outlive_the_body(void **state)
{
    struct fixture *fixture = *state;
    struct body_value root;
    struct slice text;

    open_root(fixture, "{\"a\": \"kept\"}", &root);
    assert_int_equal(body_text(&root, "a", PROPERTY_REQUIRED, 1, 9, &text), PROPERTY_GIVEN);
    json_decref(fixture->json);
    fixture->json = NULL;
    assert_true(slice_equal_text(text, "kept"));
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    WITH_FIXTURE(a_strict_text_is_parsed),
    WITH_FIXTURE(what_is_no_json_is_refused),
    WITH_FIXTURE(nesting_ends_at_32_levels),
    WITH_FIXTURE(tokens_end_at_200_000),
    WITH_FIXTURE(values_print_as_the_interface_says),
    WITH_FIXTURE(properties_of_every_type_are_read),
    WITH_FIXTURE(presence_follows_the_rule),
    WITH_FIXTURE(a_number_without_a_fraction_is_an_integer),
    WITH_FIXTURE(values_out_of_range_are_faults),
    WITH_FIXTURE(unknown_properties_are_named_with_their_way),
    WITH_FIXTURE(items_have_their_index_in_the_way),
    WITH_FIXTURE(arrays_have_bounds),
    WITH_FIXTURE(texts_outlive_the_body),
};

OD_TEST_MAIN(tests)
