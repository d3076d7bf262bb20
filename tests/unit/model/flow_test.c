/* Which nodes a flow has, by its text. */
#include "model/flow.h"

#include <stdlib.h>

#include "tests/support/od_test.h"

static const struct slice nodes = SLICE_INIT(
    "[{\"id\":\"hello\",\"type\":\"say\",\"text\":\"\\\"id\\\":\\\"no\\\"\"},"
    "{\"type\":\"menu\",\"next\":{\"id\":\"deep\"},\"list\":[{\"id\":\"deeper\"}],"
    "\"id\":\"ask\"},"
    "{\"id\":\"a\\\"b\\\\c\\n\\u0001\\u001F\xc3\xa9\",\"type\":\"id\",\"last\":\"id\"}]");

static bool has(const char *id)
{
    return flow_has_node(nodes, slice_from(id));
}

static void the_ids_of_its_nodes_are_found(void **state)
{
    (void)state;
    assert_true(has("hello"));
    assert_true(has("ask"));
    assert_true(has("a\"b\\c\n\x01\x1f\xc3\xa9"));
}

static void what_is_no_id_of_a_node_is_not(void **state)
{
    static const char *const others[] = {"",       "hell", "hello2", "no",  "deep",
                                         "deeper", "menu", "id",     "say", "type"};

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_false(has(others[i]));
    }
    assert_false(has("a\"b\\c\n\x01\x1f"));
}

static void no_nodes_have_no_id(void **state)
{
    (void)state;
    assert_false(flow_has_node(SLICE(""), SLICE("a")));
    assert_false(flow_has_node(SLICE("[]"), SLICE("a")));
}

/* Nothing outside of the text is read, wherever it ends. */
static void a_text_that_is_cut_off_is_survived(void **state)
{
    (void)state;
    for (size_t size = 0; size < nodes.size; size++) {
        char *copy = malloc(size + 1);

        assert_non_null(copy);
        memcpy(copy, nodes.data, size);
        (void)flow_has_node(slice_make(copy, size), SLICE("a\"b\\c\n\x01\x1f\xc3\xa9"));
        free(copy);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_ids_of_its_nodes_are_found),
    cmocka_unit_test(what_is_no_id_of_a_node_is_not),
    cmocka_unit_test(no_nodes_have_no_id),
    cmocka_unit_test(a_text_that_is_cut_off_is_survived),
};

OD_TEST_MAIN(tests)
