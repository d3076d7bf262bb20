/* What is true of any answer. */
#include "tests/fuzz/api_world.h"

#include <jansson.h>

static bool is_expected(int status)
{
    static const int expected[] = {200, 201, 204, 304, 400, 404, 405, 409, 415, 422};

    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        if (status == expected[i]) {
            return true;
        }
    }
    return false;
}

static void check_details(const json_t *details)
{
    size_t i;
    json_t *detail;

    OD_CHECK(json_array_size(details) > 0);
    json_array_foreach(details, i, detail)
    {
        const char *message = json_string_value(json_object_get(detail, "message"));

        OD_CHECK(json_is_string(json_object_get(detail, "path")));
        OD_CHECK(message != NULL);
        OD_CHECK(message[0] != '\0');
    }
}

/* The one body of all errors (api.md, "Errors"). */
static void check_error(const json_t *json, int status)
{
    const char *error = json_string_value(json_object_get(json, "error"));
    const char *message = json_string_value(json_object_get(json, "message"));

    OD_CHECK(json_integer_value(json_object_get(json, "statusCode")) == status);
    OD_CHECK(json_is_string(json_object_get(json, "requestId")));
    OD_CHECK(error != NULL);
    OD_CHECK(message != NULL);
    OD_CHECK(message[0] != '\0');
    if (strcmp(error, "ValidationError") == 0) {
        OD_CHECK(status == 400);
        check_details(json_object_get(json, "details"));
    } else {
        OD_CHECK(json_object_get(json, "details") == NULL);
    }
}

static void check_body(const struct api_answer *answer)
{
    json_error_t error;
    json_t *json = json_loadb(answer->body.data, answer->body.size, JSON_REJECT_DUPLICATES, &error);

    OD_CHECK(json != NULL);
    if (answer->status >= 400) {
        check_error(json, answer->status);
    }
    json_decref(json);
}

/* What belongs to the other organisation has this in its text; a fault that repeats a name may show
 * it too. */
#define FOREIGN "Elsewhere"

void api_world_check(const struct api_request *request, const struct api_answer *answer)
{
    struct slice body = buf_slice(&answer->body);

    if (answer->status == 0) {
        OD_CHECK(answer->has_posted || request->route->method == EVHTTP_REQ_GET);
        return;
    }
    OD_CHECK(is_expected(answer->status));
    OD_CHECK(answer->has_id);
    if (answer->status == 204 || answer->status == 304) {
        OD_CHECK(body.size == 0);
    } else if (strncmp(answer->type, "application/json", 16) == 0) {
        check_body(answer);
    }
    if (request->route->access == ACCESS_ORGANISATION && !fuzz_contains(request->body, "lse") &&
        !fuzz_contains(request->query, "lse") && !fuzz_contains(request->query, "%")) {
        OD_CHECK(!fuzz_contains(body, FOREIGN));
    }
}
