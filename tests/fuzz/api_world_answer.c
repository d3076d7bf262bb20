/* What is true of any answer. */
#include "tests/fuzz/api_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/seam/api_seam.h"

/* What belongs to the other organisation has this in its text; a fault that repeats a name may show
 * it too. */
#define FOREIGN "Elsewhere"

void api_world_check(const struct api_request *request, const struct api_answer *answer)
{
    struct slice body = buf_slice(&answer->body);
    struct api_seam_answer seen;
    const char *fault;
    json_t *json;

    if (answer->status == 0) {
        OD_CHECK(answer->has_posted || request->route->method == EVHTTP_REQ_GET);
        return;
    }
    seen = (struct api_seam_answer){
        .status = answer->status, .has_id = answer->has_id, .type = answer->type, .body = body};
    fault = api_seam_fault_of(&seen, &json);
    json_decref(json);
    if (fault != NULL) {
        (void)fprintf(stderr, "fuzz: %s\n", fault);
        abort();
    }
    OD_CHECK(answer->status != 503);
    if (request->route->access == ACCESS_ORGANISATION && !fuzz_contains(request->body, "lse") &&
        !fuzz_contains(request->query, "lse") && !fuzz_contains(request->query, "%")) {
        OD_CHECK(!fuzz_contains(body, FOREIGN));
    }
}
