/* What is true of any answer (api.md, "Errors"). */
#include "tests/seam/api_seam.h"

#include <string.h>

static bool is_expected(int status)
{
    static const int expected[] = {200, 201, 204, 304, 400, 404, 405, 409, 415, 422, 503};

    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        if (status == expected[i]) {
            return true;
        }
    }
    return false;
}

static bool is_text(const json_t *json)
{
    return json_is_string(json) && json_string_length(json) > 0;
}

static bool has_details(const json_t *details)
{
    size_t i;
    json_t *detail;

    if (json_array_size(details) == 0) {
        return false;
    }
    json_array_foreach(details, i, detail)
    {
        if (!json_is_string(json_object_get(detail, "path")) ||
            !is_text(json_object_get(detail, "message"))) {
            return false;
        }
    }
    return true;
}

/* The one body of all errors. */
static const char *fault_of_error(const json_t *json, int status)
{
    const json_t *error = json_object_get(json, "error");
    const json_t *details = json_object_get(json, "details");

    if (json_integer_value(json_object_get(json, "statusCode")) != status) {
        return "statusCode is another one";
    }
    if (!json_is_string(json_object_get(json, "requestId"))) {
        return "an error without requestId";
    }
    if (!is_text(error) || !is_text(json_object_get(json, "message"))) {
        return "an error without its name or message";
    }
    if (strcmp(json_string_value(error), "ValidationError") != 0) {
        return details == NULL ? NULL : "details of what is no ValidationError";
    }
    if (status != 400) {
        return "a ValidationError with another status than 400";
    }
    return has_details(details) ? NULL : "a ValidationError without its details";
}

static const char *fault_of_body(const struct api_seam_answer *answer, json_t **out)
{
    json_t *json = json_loadb(answer->body.data, answer->body.size, JSON_REJECT_DUPLICATES, NULL);
    const char *fault = NULL;

    if (json == NULL) {
        return "a body that is no JSON";
    }
    if (answer->status >= 400) {
        fault = fault_of_error(json, answer->status);
    }
    if (fault != NULL) {
        json_decref(json);
        return fault;
    }
    *out = json;
    return NULL;
}

const char *api_seam_fault_of(const struct api_seam_answer *answer, json_t **json)
{
    *json = NULL;
    if (!is_expected(answer->status)) {
        return "a status that the contract does not have";
    }
    if (!answer->has_id) {
        return "an answer without X-Request-Id";
    }
    if (answer->status == 204 || answer->status == 304) {
        return answer->body.size == 0 ? NULL : "a body where there is none";
    }
    if (strncmp(answer->type, "application/json", 16) == 0) {
        return fault_of_body(answer, json);
    }
    return NULL;
}
