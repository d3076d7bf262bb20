/* msgpack as JSON and back: nothing is lost, and what is not of the form is refused by its place.
 */
#include "traces/form.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "storage/pack.h"
#include "tests/support/od_test.h"

static const struct form id_form = {.kind = FORM_UUID};
static const char *const words[] = {NULL, "one", "two"};
static const struct form word_form = {.kind = FORM_WORD, .words = words, .word_count = 3};
static const struct form_member pair_members[] = {
    {.name = "id", .form = &id_form}, {.name = "number"}, {.name = "more", .is_rest = true}};
static const struct form pair_form = {
    .kind = FORM_TUPLE, .members = pair_members, .member_count = 3};
static const struct form pairs_form = {.kind = FORM_LIST, .item = &pair_form};
static const struct form_member run_members[] = {{.name = "at"}, {.name = "offset"}};
static const struct form run_form = {.kind = FORM_RUN, .members = run_members, .member_count = 2};
static const struct form hex_form = {.kind = FORM_HEX};
static const struct form_member map_members[] = {{.name = "plain", .key = 1},
                                                 {.name = "id", .key = 2, .form = &id_form},
                                                 {.name = "word", .key = 5, .form = &word_form},
                                                 {.name = "pairs", .key = 7, .form = &pairs_form},
                                                 {.name = "run", .key = 8, .form = &run_form},
                                                 {.name = "hex", .key = 9, .form = &hex_form}};
static const struct form map_form = {.kind = FORM_MAP, .members = map_members, .member_count = 6};
static const struct form plain_form = {.kind = FORM_PLAIN};

static bool print(const struct form *form, struct slice bytes, struct buf *out)
{
    struct unpacker in = unpack_from(bytes);

    return form_print(form, &in, out) && in.at == in.end;
}

/* `bytes` is printed as `text`, and that is packed as `bytes`. */
static void assert_both_ways(const struct form *form, struct slice bytes, const char *text)
{
    struct buf out, packed;
    struct od_error error = {.text = ""};
    json_t *json;

    buf_init(&out);
    buf_init(&packed);
    assert_true(print(form, bytes, &out));
    assert_int_equal(buf_append_byte(&out, '\0'), 0);
    assert_string_equal(out.data, text);
    json = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    assert_non_null(json);
    if (form_pack(form, json, &packed, &error) != 0) {
        fail_msg("%s: %s", text, error.text);
    }
    assert_true(slice_equal(buf_slice(&packed), bytes));
    json_decref(json);
    buf_deinit(&out);
    buf_deinit(&packed);
}

static void values_go_both_ways(void **state)
{
    (void)state;
    assert_both_ways(&plain_form, SLICE("\x07"), "7");
    assert_both_ways(&plain_form, SLICE("\xff"), "-1");
    assert_both_ways(&plain_form, SLICE("\xd3\x80\0\0\0\0\0\0\0"), "-9223372036854775808");
    assert_both_ways(&plain_form, SLICE("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
                     "\"uint:18446744073709551615\"");
    assert_both_ways(&plain_form, SLICE("\xc3"), "true");
    assert_both_ways(&plain_form, SLICE("\xcb\x40\0\0\0\0\0\0\0"), "2.0");
    assert_both_ways(&plain_form, SLICE("\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a"),
                     "0.10000000000000001");
    assert_both_ways(&plain_form, SLICE("\xcb\x7f\xf0\0\0\0\0\0\0"), "\"double:7ff0000000000000\"");
    assert_both_ways(&plain_form, SLICE("\xa5\"\\\n\0x"), "\"\\\"\\\\\\u000a\\u0000x\"");
    assert_both_ways(&plain_form, SLICE("\xa0"), "\"\"");
    assert_both_ways(&plain_form, SLICE("\xa4hex:"), "\"text:hex:\"");
    assert_both_ways(&plain_form, SLICE("\xa2\xc3("), "\"raw:c328\"");
    assert_both_ways(&plain_form, SLICE("\xc4\x02\x01\xff"), "\"hex:01ff\"");
    assert_both_ways(&plain_form, SLICE("\x92\x01\x91\xc2"), "[1,[false]]");
    assert_both_ways(&word_form, SLICE("\x02"), "\"two\"");
    assert_both_ways(&word_form, SLICE("\x00"), "0");
    assert_both_ways(&word_form, SLICE("\x09"), "9");
    assert_both_ways(&word_form, SLICE("\xa3two"), "\"text:two\"");
    assert_both_ways(&plain_form, SLICE("\xc0"), "null");
    assert_both_ways(&hex_form, SLICE("\xcd\x0a\xff"), "\"0000000000000aff\"");
    assert_both_ways(&hex_form, SLICE("\xa1x"), "\"text:x\"");
    assert_both_ways(&run_form, SLICE("\x94\x01\x02\x03\xff"),
                     "[{\"at\":1,\"offset\":2},{\"at\":3,\"offset\":-1}]");
    assert_both_ways(&run_form, SLICE("\x90"), "[]");
    assert_both_ways(&id_form, SLICE("\xa1x"), "\"text:x\"");
    assert_both_ways(&pair_form, SLICE("\x90"), "{}");
    assert_both_ways(&pair_form, SLICE("\x94\x01\x02\x03\x04"),
                     "{\"id\":1,\"number\":2,\"more\":[3,4]}");
    assert_both_ways(
        &map_form,
        SLICE(
            "\x83\x02\xc4\x10\x01\x90\0\0\0\0\x70\0\x80\0\0\0\0\0\0\x01\x05\x01\x07\x91\x92\xc4\x10"
            "\x01\x90\0\0\0\0\x70\0\x80\0\0\0\0\0\0\x02\xa1z"),
        "{\"id\":\"01900000-0000-7000-8000-000000000001\",\"word\":\"one\",\"pairs\":[{\"id\":"
        "\"01900000-0000-7000-8000-000000000002\",\"number\":\"z\"}]}");
    assert_both_ways(&plain_form, SLICE("\xc4\x10\x01\x90\0\0\0\0\x70\0\x80\0\0\0\0\0\0\x01"),
                     "\"uuid:01900000-0000-7000-8000-000000000001\"");
}

static void what_has_no_form_is_not_printed(void **state)
{
    static const struct slice cases[] = {
        SLICE_INIT("\xca\0\0\0\0"),         /* a float of 32 bits */
        SLICE_INIT("\x81\x03\x01"),         /* no such key */
        SLICE_INIT("\x82\x02\x01\x01\x01"), /* keys out of order */
        SLICE_INIT("\x81\xa1x\x01"),
        SLICE_INIT("\x81\x01"),
        SLICE_INIT(""),
        SLICE_INIT("\x01"), /* no map */
    };
    struct buf out;

    (void)state;
    buf_init(&out);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (print(&map_form, cases[i], &out)) {
            fail_msg("case %zu", i);
        }
    }
    assert_false(print(&run_form, SLICE("\x93\x01\x02\x03"), &out));
    buf_deinit(&out);
}

static void faults_name_their_place(void **state)
{
    static const struct {
        const char *text, *fault;
    } cases[] = {
        {"[]", "must be an object"},
        {"{\"x\":1}", "x: there is no such field"},
        {"{\"id\":\"0190\"}", "id: must be an id"},
        {"{\"word\":\"three\"}", "word: no such word"},
        {"{\"hex\":\"01\"}", "hex: must be 16 hexadecimal digits"},
        {"{\"run\":[{\"at\":1,\"offset\":2},{\"at\":1}]}", "run: [1]: offset: is missing"},
        {"{\"run\":[1]}", "run: [0]: must be an object"},
        {"{\"plain\":{}}", "plain: must not be an object"},
        {"{\"plain\":\"hex:0\"}", "plain: not what its prefix says"},
        {"{\"plain\":\"uint:x\"}", "plain: not what its prefix says"},
        {"{\"pairs\":[{\"id\":1},{\"number\":1}]}", "pairs: [1]: id: is missing"},
        {"{\"pairs\":[{\"id\":1,\"number\":2,\"more\":3}]}", "pairs: [0]: more: must be an array"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *json = json_loads(cases[i].text, 0, NULL);
        struct od_error error = {.text = ""};
        struct buf out;

        buf_init(&out);
        assert_non_null(json);
        assert_int_equal(form_pack(&map_form, json, &out, &error), OD_EINVAL);
        assert_string_equal(error.text, cases[i].fault);
        json_decref(json);
        buf_deinit(&out);
    }
}

static void deep_values_are_refused(void **state)
{
    char bytes[64], text[128];
    struct od_error error;
    struct buf out;
    json_t *json;

    (void)state;
    buf_init(&out);
    memset(bytes, 0x91, sizeof(bytes));
    bytes[63] = 1;
    assert_false(print(&plain_form, slice_make(bytes, sizeof(bytes)), &out));
    memset(text, '[', 60);
    memset(text + 60, ']', 60);
    text[120] = '\0';
    json = json_loads(text, 0, NULL);
    assert_non_null(json);
    assert_int_equal(form_pack(&plain_form, json, &out, &error), OD_EINVAL);
    json_decref(json);
    buf_deinit(&out);
}

/* Whatever bytes there are: an end, and what is printed can be packed and is then printed alike. */
static void any_bytes_end(void **state)
{
    struct prng prng;
    struct buf out, packed, again;
    unsigned printed = 0;

    (void)state;
    prng_seed(&prng, 7);
    buf_init(&out);
    buf_init(&packed);
    buf_init(&again);
    for (unsigned i = 0; i < 200000; i++) {
        char bytes[24];
        size_t size = 1 + prng_below(&prng, sizeof(bytes));
        struct unpacker in;
        struct od_error error;
        json_t *json;

        for (size_t j = 0; j < size; j++) {
            bytes[j] = (char)prng_next(&prng);
        }
        buf_clear(&out);
        buf_clear(&packed);
        buf_clear(&again);
        in = unpack_from(slice_make(bytes, size));
        if (!form_print(&plain_form, &in, &out)) {
            continue;
        }
        printed++;
        json = json_loadb(out.data, out.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_non_null(json);
        assert_int_equal(form_pack(&plain_form, json, &packed, &error), 0);
        json_decref(json);
        assert_true(print(&plain_form, buf_slice(&packed), &again));
        assert_true(slice_equal(buf_slice(&out), buf_slice(&again)));
    }
    assert_true(printed > 10000);
    buf_deinit(&out);
    buf_deinit(&packed);
    buf_deinit(&again);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(values_go_both_ways),     cmocka_unit_test(what_has_no_form_is_not_printed),
    cmocka_unit_test(faults_name_their_place), cmocka_unit_test(deep_values_are_refused),
    cmocka_unit_test(any_bytes_end),
};

OD_TEST_MAIN(tests)
