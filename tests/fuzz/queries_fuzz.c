/* Query strings of every route that is read.
 *
 *     METHOD PATH [VARIANT] NEWLINE QUERY
 *
 * A list that goes on gives a cursor that is taken, and that leads to other rows. A VARIANT of 4 or
 * more asks for CSV.
 */
#include <jansson.h>

#include "tests/fuzz/api_world.h"

enum {
    PAGES_MAX = 4,
    CSV_VARIANT = 4,
};

/* The reference's pages are megabytes that look at no query. */
static bool is_read(const struct route *route)
{
    return route->method == EVHTTP_REQ_GET && route->access != ACCESS_OPEN;
}

/* Each is another request's first row. */
static void check_first_rows_differ(json_t *const *pages, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const json_t *before = json_array_get(json_object_get(pages[i - 1], "data"), 0);
        const json_t *row = json_array_get(json_object_get(pages[i], "data"), 0);

        OD_CHECK(before == NULL || row == NULL || !json_equal(before, row));
    }
}

/* Follows nextCursor for some pages. */
static void follow(const struct api_request *first, const struct api_answer *answer)
{
    struct api_request request = *first;
    json_t *pages[PAGES_MAX];
    struct buf query;
    size_t count = 0;

    buf_init(&query);
    while (count < PAGES_MAX) {
        json_t *page = json_loadb(answer->body.data, answer->body.size, 0, NULL);
        const char *cursor = json_string_value(json_object_get(page, "nextCursor"));

        pages[count++] = page;
        if (cursor == NULL) {
            break;
        }
        buf_clear(&query);
        OD_CHECK(buf_printf(&query, "%.*s&cursor=%s", SLICE_ARGS(first->query), cursor) == 0);
        request.query = buf_slice(&query);
        answer = api_world_ask(&request);
        api_world_check(&request, answer);
        OD_CHECK(answer->status == 200);
    }
    check_first_rows_differ(pages, count);
    for (size_t i = 0; i < count; i++) {
        json_decref(pages[i]);
    }
    buf_deinit(&query);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    api_world_open();
    return 0;
}

/* The guard lets no other target through to evhttp. */
static bool may_be_a_query(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];

        if (byte <= 0x20 || byte >= 0x7f || byte == '#') {
            return false;
        }
    }
    return !fuzz_contains(text, "%00");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_make((const char *)data, size);
    struct slice line = fuzz_line(&input);
    struct api_request request = {.query = input};
    const struct api_answer *answer;

    if (!may_be_a_query(input)) {
        return -1; /* not for the corpus */
    }
    request.route = api_world_route(line, is_read, &request.variant);
    request.accept = request.variant >= CSV_VARIANT ? "text/csv" : NULL;
    answer = api_world_ask(&request);
    api_world_check(&request, answer);
    if (answer->status == 200 && request.route->is_list && !answer->has_begun &&
        !fuzz_contains(input, "cursor") && !fuzz_contains(input, "%")) {
        follow(&request, answer);
    }
    return 0;
}
