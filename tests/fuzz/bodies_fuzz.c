/* JSON bodies of every route that has one.
 *
 *     METHOD PATH [VARIANT] NEWLINE BODY
 *
 * A body goes the whole way: parsed, read by its route, posted to its actor over the rows of
 * api_world, replied, rendered. Whatever it is, the answer is one that the contract has, a fault
 * says where it is, and what is taken is in its range (tests/fuzz/api_actors.c).
 */
#include "api/json.h"
#include "tests/fuzz/api_world.h"

static bool has_body(const struct route *route)
{
    return route->body == ROUTE_BODY_JSON || route->body == ROUTE_BODY_OPTIONAL;
}

/* What is printed of a value is read as the same value; and a text that is refused says why, once.
 */
static void check_text(struct slice text)
{
    struct fault_list faults;
    struct arena arena;
    struct buf printed, again;
    json_t *json, *copy;

    arena_init(&arena, 1024);
    buf_init(&printed);
    buf_init(&again);
    faults_init(&faults, &arena);
    json = json_parse(text, &faults);
    if (json == NULL) {
        OD_CHECK(faults.count == 1);
        OD_CHECK(faults.items[0].message.size > 0);
    } else {
        OD_CHECK(!faults_any(&faults));
        OD_CHECK(json_print(json, &printed) == 0);
        copy = json_parse(buf_slice(&printed), &faults);
        OD_CHECK(copy != NULL);
        OD_CHECK(json_print(copy, &again) == 0);
        OD_CHECK(slice_equal(buf_slice(&printed), buf_slice(&again)));
        json_decref(copy);
    }
    json_decref(json);
    buf_deinit(&printed);
    buf_deinit(&again);
    arena_deinit(&arena);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    api_world_open();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_make((const char *)data, size);
    struct slice line = fuzz_line(&input);
    struct api_request request = {.body = input};
    char *copy = fuzz_copy(input);

    check_text(slice_make(copy, input.size));
    free(copy);
    request.route = api_world_route(line, has_body, &request.variant);
    api_world_check(&request, api_world_ask(&request));
    return 0;
}
